"""Numbers in figures and in words, Russian and English: `1 200`, `1,200`, `3,5`, «двадцать», "two hundred"."""

from __future__ import annotations

import re

_GROUPED = r"[1-9]\d{0,2}(?:(?: \d{3})+|(?:,\d{3})+)(?![\d,.]?\d)"  # 1 200, 1,200,000
_FIGURES = rf"(?:{_GROUPED}|\d+(?:[.,]\d+)?)"
_WORDS: dict[str, float] = {
    word: value
    for value, forms in (
        (1.5, "полтора полторы"),
        (2, "two два две двух двум двумя двое пару пара couple"),
        (3, "three три трех трем тремя трое"),
        (4, "four четыре четырех четырем четверо"),
        (5, "five пять пяти пятью пятеро"),
        (6, "six шесть шести шестью шестеро"),
        (7, "seven семь семи семеро"),
        (8, "eight восемь восьми"),
        (9, "nine девять девяти девятью"),
        (10, "ten десять десяти десятью"),
        (11, "eleven одиннадцать одиннадцати"),
        (12, "twelve двенадцать двенадцати"),
        (13, "thirteen тринадцать тринадцати"),
        (14, "fourteen четырнадцать четырнадцати"),
        (15, "fifteen пятнадцать пятнадцати"),
        (16, "sixteen шестнадцать шестнадцати"),
        (17, "seventeen семнадцать семнадцати"),
        (18, "eighteen восемнадцать восемнадцати"),
        (19, "nineteen девятнадцать девятнадцати"),
        (20, "twenty двадцать двадцати"),
        (30, "thirty тридцать тридцати"),
        (40, "forty сорок сорока"),
        (50, "fifty пятьдесят пятидесяти"),
        (60, "sixty шестьдесят шестидесяти"),
        (70, "seventy семьдесят семидесяти"),
        (80, "eighty восемьдесят восьмидесяти"),
        (90, "ninety девяносто девяноста"),
        (100, "hundred сто ста сотню"),
        (200, "двести двухсот"),
        (300, "триста трехсот"),
        (400, "четыреста четырехсот"),
        (500, "пятьсот пятисот"),
        (1000, "thousand тысяча тысячу"),
    )
    for word in forms.split()
}
ONES: dict[str, float] = dict.fromkeys("one один одна одно одну одного одной".split(), 1)
"""Words for one, which are pronouns as well: a number only before a unit."""
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|двадцат[ьи]|тридцат[ьи]|сорока?|пятьдесят|шестьдесят"
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_COMPOUND = rf"(?:(?:{_TENS}|семьдесят|восемьдесят|девяносто|сто|двести|триста)[ -])?(?:{_WORD})"
NUMBER = rf"(?:{_FIGURES}|{_COMPOUND}(?: (?:hundred|thousand))?)"
"""Expression for a number in a text that was folded as `text.times.periods.plain` does."""
SMALL = rf"(?:\d{{1,3}}|{_COMPOUND})"
"""Expression for a number of times."""
ONE = rf"(?:{'|'.join(ONES)})"

_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+\Z")


def number_of(written: str) -> float:
    """Return what a number in figures or words means; `1,200` is twelve hundred, `1,5` is one and a half."""
    written = written.strip()
    if written[:1].isdigit():
        plain = written.replace(" ", "")
        return float(plain.replace(",", "") if _THOUSANDS.match(plain) else plain.replace(",", "."))
    if written in ONES:
        return ONES[written]
    total = 0.0
    for word in re.split(r"[ -]", written):
        value = _WORDS.get(word, 0.0)
        total = total * value if value in (100, 1000) and total else total + value
    return total
