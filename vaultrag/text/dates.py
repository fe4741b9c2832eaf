"""Dates as people write them in Russian and English, brought to one form so that they can be compared."""

from __future__ import annotations

import re

_RUSSIAN = ("янв", "фев", "мар", "апр", "ма[йяею]", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "|".join(
    (
        r"(?:(?:янв|февр?|мар|апр|июн|июл|авг|сент?|окт|нояб?|дек)\b\.?)",
        r"(?:(?:январ|феврал|апрел|июн|июл|сентябр|октябр|ноябр|декабр)(?:ь|я|е|ю|[её]м)\b)",
        r"(?:(?:март|август)(?:а|е|у|ом)?\b)",
        r"(?:ма(?:й|я|е|ю|ем)\b)",
        r"(?:(?:jan|febr)uary|march|april|may|june|july|august|(?:sept|nov|dec)ember|october)",
        r"(?:(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?)",
    )
)
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)(T(?=\d))?")
_ISO_MONTH = re.compile(r"\b((?:19|20)\d{2})-(0[1-9]|1[0-2])(?![\d-])")
_DOTTED = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:-?(?:го|е|ого|st|nd|rd|th))?\s+(?:of\s+)?({_MONTH})(?:,?\s+(\d{{4}}))?", re.IGNORECASE
)
_MONTH_DAY = re.compile(rf"\b({_MONTH})\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(\d{{4}}))?", re.IGNORECASE)
_MONTH_YEAR = re.compile(rf"\b({_MONTH})\s+(?:of\s+)?(\d{{4}})\b", re.IGNORECASE)


def canonical_dates(text: str) -> str:
    """Return the text with each date as separate words: `day06x03 month06 2025`, as far as it says them.

    «3 июня 2025», "June 3rd, 2025", 03.06.2025 and 2025-06-03 become equal; «в июне 2025» shares month and year.
    """
    text = _ISO.sub(lambda m: _words(m[1], m[2], m[3]) + (" " if m[4] else ""), text)
    text = _ISO_MONTH.sub(lambda m: _words(m[1], m[2], ""), text)
    text = _DOTTED.sub(lambda m: _words(m[3], m[2], m[1]), text)
    text = _DAY_MONTH.sub(lambda m: _words(m[3] or "", _month(m[2]), m[1]), text)
    text = _MONTH_DAY.sub(lambda m: _words(m[3] or "", _month(m[1]), m[2]), text)
    return _MONTH_YEAR.sub(lambda m: _words(m[2], _month(m[1]), ""), text)


def _words(year: str, month: str, day: str) -> str:
    if not 1 <= int(month) <= 12:
        return " ".join(part for part in (year, month, day) if part)
    words = [f"day{int(month):02}x{int(day):02}"] if day else []
    return " ".join([*words, f"month{int(month):02}", *([year] if year else [])])


def _month(name: str) -> str:
    lowered = name.lower()
    for number, (russian, english) in enumerate(zip(_RUSSIAN, _ENGLISH, strict=True), 1):
        if re.match(russian, lowered) or lowered.startswith(english):
            return str(number)
    raise ValueError(f"no month: {name}")
