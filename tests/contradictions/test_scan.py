"""From two notes to what they are to each other, by code alone: what is shown, and what explains the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.contradictions.notes import scanned
from vaultrag.domain import AsOf, AsOfSource, PairVerdict

Notes = tuple[tuple[str, str], tuple[str, str]]


def shown(notes: Iterable[tuple[str, str]], language: str = "en") -> list[str]:
    found = [finding.said(language) for finding in scanned(dict(notes)).found]
    return [finding.reason for finding in found if finding.verdict is PairVerdict.CONTRADICTION]


CONTRADICTIONS: list[tuple[Notes, str]] = [
    (
        (
            ("Насос.md", "Гарантия на насос: 24 месяца, чек в папке."),
            ("Дача.md", "Гарантия на насос: 3 года, чек в папке."),
        ),
        "lengths of time",
    ),
    (
        (("Hut.md", "The walk to the hut takes 90 minutes."), ("Weekend.md", "To the hut it's three hours of walk.")),
        "lengths of time",
    ),
    (
        (("Колодец.md", "Колодец у бани, глубина 12 м."), ("Участок.md", "У бани колодец, глубина колодца 9 метров.")),
        "measures",
    ),
    (
        (
            ("Лодка.md", "Лодка на озере, рост мачты: 450 см"),
            ("Boat.md", "Lodka, the boat on the lake, mast height: 5.2 m"),
        ),
        "measures",
    ),
    (
        (
            ("Тётя Зина.md", "не ест мёд с 2009, везти варенье"),
            ("Подарки.md", "| Кому | Что помнить |\n|---|---|\n| тётя Зина | не ест мёд с 2013-го, везти варенье |\n"),
        ),
        "dates",
    ),
    (
        (("Фикус.md", "Фикус зимой держим в тепле."), ("Веранда.md", "Фикус зимой стоит на холодной веранде.")),
        "both cannot",
    ),
    (
        (
            ("Camp.md", "no need for a gas burner in the mountain camp"),
            ("Packing.md", "you need a gas burner of your own in the mountain camp"),
        ),
        "yes",
    ),
    (
        (
            ("Band.md", "We rehearse on Thursdays at 19:30 in the cellar of the church."),
            ("Лена.md", "репетиции по средам в 19:30, подвал церкви"),
        ),
        "dates",
    ),
    (
        (("Plot.md", "Plot 14, 240 m², 190 € a year."), ("Сад.md", "Участок 14, 240 м², 210 евро в год.")),
        "sums of money",
    ),
    (
        (("Pills.md", "Vitamin D 1000 IU daily."), ("Аптечка.md", "Витамин D 2000 МЕ каждый день.")),
        "measures",
    ),
]


@pytest.mark.parametrize(("notes", "said"), CONTRADICTIONS)
def test_values_that_cannot_both_be_true_are_shown_with_what_differs(notes: Notes, said: str) -> None:
    reasons = shown(notes)
    assert len(reasons) == 1
    assert said in reasons[0].lower()


def test_reason_is_in_the_readers_language_and_names_both_values() -> None:
    notes = (
        ("Hut.md", "The walk to the hut takes 90 minutes."),
        ("Weekend.md", "To the hut it's three hours of walk."),
    )
    assert shown(notes, "ru") == ["Разная длительность одного: «90 minutes» и «three hours»."]


EXPLAINED: list[tuple[Notes, PairVerdict]] = [
    (
        (("Насос.md", "Гарантия на насос: 24 месяца."), ("Дача.md", "Гарантия на насос: 2 года.")),
        PairVerdict.CONSISTENT,
    ),
    (
        (("Шкаф.md", "Верхняя полка в кладовке, длина 80 см."), ("Ещё.md", "Нижняя полка в кладовке, длина 95 см.")),
        PairVerdict.DIFFERENT_SUBJECT,
    ),
    (
        (("Cost.md", "The gym costs 30 euros per month."), ("Notes.md", "The gym costs 90 euros per quarter.")),
        PairVerdict.DIFFERENT_SCOPE,
    ),
    (
        (
            ("Паром.md", "Паром на остров зимой стоит 400 рублей."),
            ("Лето.md", "Паром на остров летом стоит 250 рублей."),
        ),
        PairVerdict.DIFFERENT_SCOPE,
    ),
    (
        (
            ("Стирка.md", "С мая 2022 стирка в прачечной стоит 300 рублей."),
            ("Прачечная.md", "С марта 2024 стирка в прачечной стоит 450 рублей."),
        ),
        PairVerdict.SUPERSEDED,
    ),
    (
        (
            ("2024-03-02.md", "Купил корм для черепахи, 540 рублей."),
            ("2024-09-14.md", "Купил корм для черепахи, 610 рублей."),
        ),
        PairVerdict.EVENT_HISTORY,
    ),
    (
        (("Bridge.md", "Bridge opening planned: 2024-05-01"), ("Done.md", "Bridge opening actual: 2024-07-19")),
        PairVerdict.EVOLVED,
    ),
    (
        (
            ("Велик.md", "До озера на велике 40 минут."),
            ("Сосед.md", "Сосед говорит, что до озера на велике 2 часа."),
        ),
        PairVerdict.REPORTED_ONLY,
    ),
]


@pytest.mark.parametrize(("notes", "verdict"), EXPLAINED)
def test_differences_that_something_explains_are_no_contradictions(notes: Notes, verdict: PairVerdict) -> None:
    looked = scanned(dict(notes))
    assert shown(notes) == []
    assert looked.verdicts[verdict] >= 1


SEVERAL_THINGS = [
    {"Лавки.md": "## Круна\nЦена: 29 €\n\n## Зёрна\nЦена: 25 €\n"},
    {"Settings.md": "## A\n\n| name | default |\n|---|---|\n| poll seconds | 10 |\n\n"
                    "## B\n\n| name | default |\n|---|---|\n| settle seconds | 25 |\n"},
    {"Meeting 2025-05-26 A.md": "Next meeting on 9 June.", "Meeting 2025-05-28 B.md": "Next meeting on 11 June."},
    {"Recipes/Focaccia.md": "Bake 22 minutes at 230 °C.", "Recipes/Rye loaf.md": "Bake 50 minutes at 230 °C."},
    {"ADR-003 Queue.md": "Status: accepted 2024-04-16.", "ADR-007 Cache.md": "Status: accepted 2025-01-28."},
    {"Models.md": "R1-8B needs 6 GB of memory.\n\nR1-70B needs 40 GB of memory."},
    {"Singer.md": "She signed with the Atlantic label in 1966.\n\nShe left the Atlantic label in 1979."},
    {"Todo.md": "- [x] pay the boat tax 2024-03-02\n- [x] pay the boat tax 2025-03-05\n"},
    {"Ядро.md": "Сон платы выключается в BIOS, не в ядре.", "Плата.md": "Сон платы снял в BIOS (в ядре не помогло)."},
]  # fmt: skip


@pytest.mark.parametrize("notes", SEVERAL_THINGS)
def test_two_things_of_a_kind_are_no_contradiction(notes: dict[str, str]) -> None:
    assert shown(notes.items()) == []


def test_values_are_compared_with_what_stands_behind_them() -> None:
    notes = {
        "atlas.md": "Mini PC in the hall, runs everything.\natlas has 32 GB of RAM and a 2 TB disk.\n",
        "Hosts.md": "| host | RAM | disk |\n|---|---|---|\n| atlas | 64 GB | 2 TB |\n| hermes | 8 GB | 1 TB |\n",
    }
    assert shown(notes.items()) == ["Two measures of one thing: “32 GB” and “64 GB”."]


def test_sizes_at_one_width_are_compared_and_those_at_two_are_not() -> None:
    said = "Модель Лама в сжатом виде при 4-бит квантизации занимает порядка **32 ГБ** памяти."
    other = "Модель Лама в сжатом виде: ~20–21 ГБ для 4-бит и ~34–35 ГБ для 8-бит версии."
    assert len(shown((("Обзор.md", f"{said}\n\n{other}"), ("Прочее.md", "Ничего.")))) == 1
    fits = "Модель Лама в сжатом виде: ~33 ГБ для 4-бит и ~64–65 ГБ для 8-бит версии."
    assert len(shown((("Обзор.md", f"{fits}\n\n{other}"), ("Прочее.md", "Ничего.")))) == 1
    assert shown((("Обзор.md", "Лама: 20 ГБ для 4-бит.\n\nЛама: 35 ГБ для 8-бит."), ("Прочее.md", "Ничего."))) == []


def test_what_replaces_another_must_be_of_one_thing() -> None:
    notes = {
        "2025-01-10.md": "У Кати теперь дог: пили чай, 900 ₽.",
        "2025-04-03.md": "У Кати теперь дог: кино, 1400 ₽.",
    }
    assert not [one for one in scanned(notes).found if one.told.verdict is PairVerdict.SUPERSEDED]


def test_rows_of_one_table_are_different_things() -> None:
    rows = "| Насос | Мощность |\n|---|---|\n| у бани | 800 Вт |\n| у колодца | 1100 Вт |\n"
    assert shown((("Насосы.md", rows), ("Прочее.md", "Ничего."))) == []


def test_diary_that_says_the_like_each_day_contradicts_nothing() -> None:
    days = "\n\n".join(f"Список на завтра из {count} пунктов." for count in (6, 7, 4, 9, 11))
    assert shown((("Дневник.md", days), ("Прочее.md", "Ничего."))) == []


@pytest.mark.parametrize("language", ["en", "ru"])
def test_earlier_side_comes_first_and_the_reason_names_it_first(language: str) -> None:
    [found] = scanned(
        {"Hut.md": "The walk to the hut takes 90 minutes.", "Weekend.md": "To the hut it's three hours of walk."}
    ).found
    days = [AsOf(f"{year}-05-01", f"{year}-05-01", AsOfSource.TEXT) for year in (2024, 2025)]
    for first, second in (days, days[::-1]):
        dated = replace(found, one=replace(found.one, as_of=first), other=replace(found.other, as_of=second))
        told = dated.said(language)
        assert told.one.as_of == days[0]
        words = ["90 minutes", "three hours"] if "90" in told.one.quote else ["three hours", "90 minutes"]
        assert told.reason.index(words[0]) < told.reason.index(words[1])
        assert told.key == found.said(language).key
