"""One date, many spellings."""

from __future__ import annotations

import pytest

from vaultrag.text.dates import canonical_dates

FULL = "day06x03 month06 2025"


@pytest.mark.parametrize(
    "written",
    ["2025-06-03", "03.06.2025", "3.6.2025", "3 июня 2025", "3-го июня 2025", "June 3, 2025", "June 3rd, 2025",
     "3 June 2025", "3rd of June, 2025", "Jun. 3, 2025", "3 июн 2025", "3 июн. 2025"],
)  # fmt: skip
def test_every_spelling_of_a_full_date_is_the_same(written: str) -> None:
    assert canonical_dates(written) == FULL


@pytest.mark.parametrize(("written", "said"), [
    ("в мае 2024", "в month05 2024"), ("с сентября 2024", "с month09 2024"), ("September 2024", "month09 2024"),
    ("14 марта", "day03x14 month03"), ("March 14", "day03x14 month03"), ("2024-09", "month09 2024"),
    ("12 сент. 2024", "day09x12 month09 2024"), ("датирован декабрём 2024", "датирован month12 2024"),
    ("2025-06-03T10:00", "day06x03 month06 2025 10:00"), ("1 мая", "day05x01 month05"), ("3 янв", "day01x03 month01"),
])  # fmt: skip
def test_parts_of_dates_keep_what_they_say(written: str, said: str) -> None:
    assert canonical_dates(written) == said


@pytest.mark.parametrize(
    "text", ["10.0.0.5", "версия 1.2.3", "в 03:30", "мартини 3", "99.5 %", "may the 4 be", "1234-5678"]
)
def test_what_is_no_date_stays(text: str) -> None:
    assert canonical_dates(text) == text


def test_an_impossible_month_is_left_as_numbers() -> None:
    assert "day" not in canonical_dates("2024-13-45")
