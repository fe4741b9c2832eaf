"""Numbers as people write them in Russian and English: the one reader for notes, questions, search and citations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_SPACE = "[ \\u00a0\\u2009\\u202f]"
_GROUPED = rf"[1-9]\d{{0,2}}(?:(?:{_SPACE}\d{{3}})+|(?:,\d{{3}})+)"  # 1 200, 1,200,000
_MEASURE = r"[кмгтkmgt]i?[бb]|[кмгkmg]?(?:гц|hz)|кг|мл|[кмс]м|kg|ml|[kmc]m"
_UNIT = rf"{_MEASURE}|г|л|м|р|руб|тыс|млн|млрд|шт|ч|мин|сек|к?вт|k?w|px|pt|min|sec|h|l|g|m"
_SPELLINGS = (
    (re.compile(rf"(?<![\w.,]){_GROUPED}(?!\d)"), lambda match: _digits(match.group())),
    (re.compile(r"(?<![\d.,])(\d+),(\d{1,2}|(?<=\b0,)\d+)(?![.,]?\d)"), r"\1.\2"),  # 1,5 kg in Russian, 1.5 in English
    (re.compile(r"(?<=\d)[-‑](?:[а-яё]{1,2}|[ое]го|[ое]му|[ыи]ми)\b"), ""),  # 30-го, 2024-м, 5-ти
    (re.compile(r"\b0(?=\d:\d\d\b)"), ""),  # 03:30, 3:30
    (re.compile(rf"(?<=\d)(?=(?:{_MEASURE})\b)", re.IGNORECASE), " "),
)
_TELEPHONE = re.compile(
    rf"(?<![\w.,+])\+?\d{{1,3}}(?:{_SPACE}|-)?(?:\(\d{{3,4}}\)|\d{{3,4}})(?:{_SPACE}|-)?\d{{2,3}}"
    rf"(?:{_SPACE}|-)?\d{{2}}(?:{_SPACE}|-)?\d{{2}}(?![\w-])"
)
# 4111 1111 1111 1111, 978-5-17-080115-2, 123-456-789 00, 555-35-35, +44 20 7946 0958; no part of a longer row
_GROUPS = re.compile(
    rf"[+(\d](?<![\w.,:/+-][+(\d])(?<!\d{_SPACE}[+(\d])\(?\d{{0,4}}\)?"
    rf"(?:{_SPACE}\(?\d{{2,7}}\)?|[-‑]\(?\d{{1,7}}\)?){{2,6}}(?![\w-]|[.,:/]\d|{_SPACE}\(?\d)"
)
_DAY = re.compile(r"(?:1\d|20)\d\d-\d{1,2}-\d{1,2}")
_CODE_DIGITS = range(7, 21)  # of what people write in groups: a local telephone number to an account's
_NUMBER = re.compile(
    rf"(?<![\w.,:/-])(?P<whole>{_GROUPED}(?!\d)|\d+)(?:[.,](?P<part>\d+))?(?P<unit>{_UNIT})?(?![\w:/-]|[.,]\d)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?<![\w:.])0(\d:\d\d)(?![\w:])")
_DIGIT = re.compile(r"\d")
NATIONAL = 10  # digits of a telephone number without its country's: +7 912 and 8 912 are one


class WrittenNumber(NamedTuple):
    """A number where it stands, `end` exclusive, and the words by which it is found, each spelled in one way."""

    start: int
    end: int
    terms: tuple[str, ...]


def find_numbers(text: str) -> list[WrittenNumber]:
    """Return the numbers whose spelling hides them from search: `1 500`, `0,5`, `2.50`, `10кг`, telephones and codes.

    `1,500` may be one and a half or fifteen hundred, and is found by both. What is one plain word is left out.
    """
    if not _DIGIT.search(text):
        return []
    found = [
        *_in_groups(text),
        *(WrittenNumber(*match.span(), (_digits(match.group())[-NATIONAL:],)) for match in _TELEPHONE.finditer(text)),
        *(WrittenNumber(*match.span(), (match[1],)) for match in _CLOCK.finditer(text)),
        *(WrittenNumber(*match.span(), _terms(match)) for match in _NUMBER.finditer(text)),
    ]
    return _apart(number for number in found if number.terms != (text[number.start : number.end],))


def canonical_numbers(text: str) -> str:
    """Return the text with its numbers spelled in one way: `1 200`, `1,200` as `1200`; `1,5` as `1.5`; `10кг` apart."""
    for pattern, plain in _SPELLINGS:
        text = pattern.sub(plain, text)
    return text


def _in_groups(text: str) -> Iterator[WrittenNumber]:
    for match in _GROUPS.finditer(text):
        digits = _digits(match.group())
        if len(digits) in _CODE_DIGITS and not _DAY.match(match.group()):
            yield WrittenNumber(*match.span(), tuple(dict.fromkeys((digits[-NATIONAL:], digits))))


def _terms(match: re.Match[str]) -> tuple[str, ...]:
    whole, part = match["whole"], match["part"]
    plain = _digits(whole)
    if part is not None:
        return (_decimal(plain, part),)
    if whole.count(",") == 1:  # a thousand in English, a thousandth in Russian
        return plain, _decimal(*whole.split(","))
    return (plain,)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _decimal(whole: str, part: str) -> str:
    part = part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def _apart(found: Iterable[WrittenNumber]) -> list[WrittenNumber]:
    kept: list[WrittenNumber] = []
    end = 0
    for number in sorted(found, key=lambda number: (number.start, -number.end)):
        if number.start >= end:
            kept.append(number)
            end = number.end
    return kept
