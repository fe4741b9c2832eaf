"""Lines that disagree: other values for the same thing, never another thing or another event."""

from __future__ import annotations

import pytest

from vaultrag.answering.disputes import MOST_DISPUTES, SaidLine, disagree, disputing


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "The restic backup of mayak runs every night at 03:30.",
            "The restic backup of mayak runs every night at 04:45.",
        ),
        ("Аренда мастерской стоит 450 лари в месяц.", "Аренда мастерской стоит 500 лари в месяц."),
        ("The go-live of Aurora is on 5 May 2025.", "The go-live of Aurora is on 12 May 2025."),
        (
            "Мы решили переходить на PostgreSQL вместе с командой.",
            "Мы решили не переходить на PostgreSQL вместе с командой.",
        ),
    ],
)
def test_other_values_for_the_same_thing_disagree(one: str, other: str) -> None:
    assert disagree(one, other)
    assert disagree(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The backup of mayak runs at 03:30.", "The backup of hestia runs at 04:45."),
        ("Порт 80.", "Порт 443."),
        ("Аренда мастерской стоит 450 лари в месяц.", "Аренда мастерской: 450 лари за месяц."),
        ("The restic backup of mayak runs every night.", "The restic backup of mayak runs every night at 03:30."),
        ("Приём ведёт Нино Капанадзе, 60 лари.", "Картридж в бойлере поменяли 12 мая 2024 года."),
    ],
)
def test_other_things_and_added_details_do_not(one: str, other: str) -> None:
    assert not disagree(one, other)


def test_two_days_are_two_events_unless_days_are_asked_for() -> None:
    lines = [
        SaidLine("Поменяли картридж в старом бойлере 12 мая 2025 года.", "Журнал", "2025-05-12", 1),
        SaidLine("Поменяли картридж в старом бойлере 3 мая 2024 года.", "Бойлер", "2024-05-03", 2),
    ]
    assert disputing("Кто поменял картридж?", lines, lines) == []
    ((early, late),) = disputing("Когда поменяли картридж?", lines, lines)
    assert (early.place, late.place) == (2, 1)
    assert early.told == "“Поменяли картридж в старом бойлере 3 мая 2024 года.” (Бойлер, 2024-05-03)"


def test_a_table_of_values_is_no_dispute() -> None:
    depths = range(MOST_DISPUTES + 2)
    lines = [SaidLine(f"The measured depth of the old well was {depth} metres.", "Well", "", depth) for depth in depths]
    assert disputing("How deep is the well?", lines[:1], lines) == []
    assert len(disputing("How deep is the well?", lines[:1], lines[:2])) == 1
