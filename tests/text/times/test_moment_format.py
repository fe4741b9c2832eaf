"""Names of periodic notes, by formats that people have."""

from __future__ import annotations

import pytest

from vaultrag.text.times.moment_format import PeriodicNotes, day_by_name, read_day


@pytest.mark.parametrize(
    ("written_as", "name", "day"),
    [
        ("DD.MM.YYYY", "05.03.2024", "2024-03-05"),
        ("D-M-YY", "5-3-24", "2024-03-05"),
        ("YYYYMMDD", "20240305", "2024-03-05"),
        ("YYYY/MM-MMMM/YYYY-MM-DD-ddd", "2024/03-March/2024-03-05-Tue", "2024-03-05"),
        ("YYYY/MM MMMM/D MMMM YYYY, dddd", "2024/03 март/5 марта 2024, вторник", "2024-03-05"),
        ("dddd, MMMM Do YYYY", "Tuesday, March 5th 2024", "2024-03-05"),
        ("D MMM YYYY [г.]", "5 янв. 2024 г.", "2024-01-05"),
        ("gggg-[W]ww", "2024-W10", "2024-03-04"),
        ("GGGG-[неделя ]W", "2024-неделя 1", "2024-01-01"),
        ("YYYY-[Q]Q", "2024-Q3", "2024-07-01"),
        ("MMMM YYYY", "Август 2024", "2024-08-01"),
        ("YYYY", "2024", "2024-01-01"),
        ("YYYY-DDDD", "2024-060", "2024-02-29"),
        ("YYYYMMDDHHmm", "202403051830", "2024-03-05"),
    ],
)
def test_name_says_the_first_day_of_its_period(written_as: str, name: str, day: str) -> None:
    assert read_day(written_as, name) == day


@pytest.mark.parametrize(
    ("written_as", "name"),
    [
        ("DD.MM.YYYY", "2024-03-05"),
        ("DD.MM.YYYY", "05.13.2024"),
        ("DD.MM.YYYY", "05.03.2024 Встреча"),
        ("D MMMM YYYY", "5 Foo 2024"),
        ("DD", "05"),
        ("gggg-[W]ww", "2024-W60"),
        ("", "2024"),
        ("Y" * 500, "2024"),
        ("(((", "((("),
    ],
)
def test_other_names_say_no_day(written_as: str, name: str) -> None:
    assert read_day(written_as, name) == ""


def test_only_notes_of_the_folder_are_read_by_its_format() -> None:
    kinds = (PeriodicNotes("Дневник", "DD.MM.YY"), PeriodicNotes("", "gggg-[W]ww"))
    assert day_by_name("Дневник/05.03.24.md", kinds) == "2024-03-05"
    assert day_by_name("Прочее/05.03.24.md", kinds) == ""
    assert day_by_name("2024-W10.md", kinds) == "2024-03-04"
    assert day_by_name("2024-W10.canvas", kinds) == ""
