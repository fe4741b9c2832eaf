"""One date, many spellings; one reader for notes, questions, search and citations."""

from __future__ import annotations

import pytest

from vaultrag.text.dates import (
    Day,
    asked_by_date,
    canonical_dates,
    find_date,
    find_dates,
    period_of,
    terms_of_date,
)

FULL = "day06x03 month06 2025"


@pytest.mark.parametrize(
    "written",
    ["2025-06-03", "03.06.2025", "3.6.2025", "3 июня 2025", "3-го июня 2025", "June 3, 2025", "June 3rd, 2025",
     "3 June 2025", "3rd of June, 2025", "Jun. 3, 2025", "3 июн 2025", "3 июн. 2025", "2025/6/3", "2025.06.03",
     "2025_06_03", "20250603", "202506031245", "20250603T124500", "03-06-2025", "03.06.25", "3-е июня 2025",
     "3 ИЮНЯ 2025", "June 3 2025", "3\u00a0июня\u00a02025", "3\u2009июня 2025", "3 июн.2025", "June 3,2025",
     "2025\u201106\u201103", "2025\u221206\u221203", "3-июн-2025", "03-Jun-2025", "03/Jun/2025", "3_июня_2025",
     "2025 June 3", "2025-Jun-03"],
)  # fmt: skip
def test_every_spelling_of_a_full_date_is_the_same(written: str) -> None:
    assert canonical_dates(written) == FULL
    assert find_date(f"Встреча {written}, потом обед") == "2025-06-03"


@pytest.mark.parametrize(("written", "said"), [
    ("в мае 2024", "в month05 2024"), ("с сентября 2024", "с month09 2024"), ("September 2024", "month09 2024"),
    ("14 марта", "day03x14 month03"), ("March 14", "day03x14 month03"), ("2024-09", "month09 2024"),
    ("12 сент. 2024", "day09x12 month09 2024"), ("датирован декабрём 2024", "датирован month12 2024"),
    ("2025-06-03T10:00", "day06x03 month06 2025 10:00"), ("1 мая", "day05x01 month05"), ("3 янв", "day01x03 month01"),
    ("Friday, January 5th 2024", "Friday, day01x05 month01 2024"),
    ("в среду, 5-го января", "в среду, day01x05 month01"),
    ("in March of 2024", "in month03 2024"), ("6 июня 1799 года", "day06x06 month06 1799 года"),
])  # fmt: skip
def test_parts_of_dates_keep_what_they_say(written: str, said: str) -> None:
    assert canonical_dates(written) == said


@pytest.mark.parametrize(
    "text",
    ["10.0.0.5", "версия 1.2.3", "в 03:30", "мартини 3", "99.5 %", "may the 4 be", "1234-5678", "2024-2025",
     "v1.2024", "8.10.12.24", "2024-W05", "Marching 5", "маршал 5", "+7 912 345-67-89", "12345678", "2024",
     "13.2024", "1.2024", "by 2024 may be", "2024/01", "12.2024.5"],
)  # fmt: skip
def test_what_is_no_date_stays(text: str) -> None:
    assert canonical_dates(text) == text
    assert not find_date(text)


@pytest.mark.parametrize(
    "name", ["Отчёт_03.06.2025", "03.06.25_Встреча", "_3 июня 2025_", "scan_2025-06-03", "Звонок_3 июня 2025_Анна",
             "Trip_June 3, 2025_photos", "06-13-2025", "13-06-2025"],
)  # fmt: skip
def test_a_date_is_read_between_underscores_and_as_americans_dash_it(name: str) -> None:
    assert find_date(name) == ("2025-06-13" if "13" in name else "2025-06-03")


@pytest.mark.parametrize(
    "written",
    ["3-7 июня 2025", "3–7 июня 2025", "3 – 7 июня 2025", "с 3 по 7 июня 2025", "3 и 7 июня 2025",
     "с 3-го до 7-го июня 2025", "3 or 7 June 2025", "June 3–7, 2025", "June 3rd-7th, 2025",
     "03.06.2025-07.06.2025", "03.06–07.06.2025", "03-07.06.2025", "3.–7.06.2025",
     "2025-06-03/2025-06-07", "2025-06-03-2025-06-07", "2025-06-03..2025-06-07", "03-06-2025-07-06-2025"],
)  # fmt: skip
def test_both_ends_of_a_span_are_days(written: str) -> None:
    days = [reading for found in find_dates(f"Отпуск {written}.") for reading in found.readings]
    assert days == [Day(2025, 6, 3), Day(2025, 6, 7)]


@pytest.mark.parametrize(
    "text", ["рейс 12 – 5 июня", "комната 3, 5 июня", "1.3-5 июня", "до 2.5 и 5 июня", "June 7–3", "45 и 5 июня"]
)
def test_a_number_before_a_date_is_no_day(text: str) -> None:
    assert len(find_dates(text)) == 1


@pytest.mark.parametrize(("written", "month"), [
    ("Отчёт за 01.2024", 1), ("12/2024", 12), ("Отчёт_январь_2024", 1), ("Jan-2024", 1), ("2024 Январь", 1),
    ("2024-January", 1), ("Отчёт_01.2024", 1), ("01.2024_Отчёт", 1), ("2024-01_Отчёт", 1),
])  # fmt: skip
def test_a_month_is_read_in_figures_and_in_names_of_files(written: str, month: int) -> None:
    [found] = find_dates(written)
    assert found.readings == (Day(2024, month, 0),)


def test_an_impossible_day_is_left_as_numbers() -> None:
    assert "day" not in canonical_dates("2024-13-45")
    assert find_date("2025-02-30 и 31.04.2025") == ""


def test_a_day_or_a_month_first_is_told_by_the_calendar_else_both_are_meant() -> None:
    [american], [other], [either] = map(find_dates, ("04/13/2024", "13/04/2024", "03/04/2024"))
    assert american.readings == other.readings == (Day(2024, 4, 13),)
    assert either.readings == (Day(2024, 4, 3), Day(2024, 3, 4))
    assert canonical_dates("к 03/04/2024") == "к 03/04/2024", "a citation is not checked by a guess"
    assert find_date("03/04/2024, то есть 3 апреля 2024") == "2024-04-03"


@pytest.mark.parametrize(
    ("asked", "found_by", "not_by"),
    [
        (Day(2024, 1, 5), [Day(2024, 1, 5), Day(0, 1, 5)], [Day(2023, 1, 5), Day(2024, 1, 6), Day(2024, 1, 0)]),
        (Day(0, 1, 5), [Day(2024, 1, 5), Day(2023, 1, 5), Day(0, 1, 5)], [Day(2024, 5, 1), Day(2024, 1, 0)]),
        (Day(2024, 1, 0), [Day(2024, 1, 5), Day(2024, 1, 0)], [Day(2023, 1, 5), Day(0, 1, 5), Day(2024, 10, 1)]),
    ],
)
def test_a_question_shares_a_term_with_the_dates_it_means(asked: Day, found_by: list[Day], not_by: list[Day]) -> None:
    terms = set(asked_by_date(asked))
    assert all(terms & set(terms_of_date(day)) for day in found_by)
    assert not any(terms & set(terms_of_date(day)) for day in not_by)


def test_a_period_ends_on_the_day_after() -> None:
    assert period_of(Day(2024, 2, 29)) == ("2024-02-29", "2024-03-01")
    assert period_of(Day(2024, 12, 0)) == ("2024-12-01", "2025-01-01")
