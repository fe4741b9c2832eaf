"""Whether a quote is cut off where it may not be: within a word or a number, or beside what turns its sense round."""

from __future__ import annotations

import re

from vaultrag.answering.citing.read_text import BORDER, CELL, ReadText
from vaultrag.text.cjk import holds_cjk

LOOK = 40  # characters looked at before and after a match: a number, two words

_ATTACHED = frozenset("+-±~≈<>≤≥=^$€£¥₽₴₾₸%‰°′″")  # with a number they are a part of it
_COMPARING = frozenset("±~≈<>≤≥")  # so are these before a space
_WITHIN_NUMBER = frozenset(".,:/")
_JOINING = frozenset("./\\-_=@,:")  # between two letters or digits they make one word of them: `/tmp`, `3.5`, `a=b`
_SHARES = frozenset("%‰")
_NEGATING = frozenset(
    """
    не ни нет без никогда нельзя невозможно запрещено отнюдь едва
    not no never without nor neither cannot hardly barely unlikely avoid
    """.split()
)
_NEGATING_PAIRS = frozenset({("вряд", "ли"), ("едва", "ли"), ("no", "longer"), ("больше", "не")})
# They may stand between a negation and what it negates; so may English adverbs.
_BETWEEN = frozenset(
    """
    очень совсем вполне особо больше ещё еще раньше пока уже всегда только
    yet quite very even also always any longer
    """.split()
)
_SCALES = frozenset(
    """
    тыс тысяча тысячи тысяч млн миллион миллиона миллионов млрд миллиард миллиарда миллиардов
    thousand million billion mln bn
    """.split()
)
_WORD = re.compile(r"[^\W_]+(?:['\"][^\W_]+)?")
_GROUP_BEFORE = re.compile(r"(?<!\d)\d{1,3}(?: \d{3}){0,4} \Z")
_GROUP = re.compile(r"\d{3}(?!\d)")
_GROUP_AT_END = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3}){0,4}\Z")


def is_cut_off(text: ReadText, start: int, end: int) -> bool:
    """Tell whether `text.plain[start:end]` begins or ends where the text says more by what stands beside it."""
    before = "" if is_border(text.fine[start - 1 : start]) else text.plain[max(0, start - LOOK) : start]
    after = "" if is_border(text.fine[end : end + 1]) else text.plain[end : end + LOOK]
    opening, closing = text.plain[start : start + LOOK], text.plain[max(start, end - LOOK) : end]
    return _is_cut_before(before, opening) or _is_cut_after(closing, after)


def is_border(sign: str) -> bool:
    return sign in (BORDER, CELL)


def _is_cut_before(before: str, quote: str) -> bool:
    last, first = before[-1:], quote[0]
    if not before or (last == " " and not first.isalnum()):
        return False
    if _is_word(last) and first in _JOINING and _is_word(quote[1:2]):
        return True
    if last != " ":
        return _is_joined(before[-2:], first) or (first.isdigit() and _is_of_number(before[-2:]))
    if first.isdigit() and (before[-2:-1] in _COMPARING or (_GROUP.match(quote) and _GROUP_BEFORE.search(before))):
        return True
    return _ends_in_negation(before) and not _negates(_first_word(quote))


def _is_cut_after(quote: str, after: str) -> bool:
    last, first = quote[-1], after[:1]
    if not after:
        return False
    if _is_word(first) and last in _JOINING:
        return True
    if first != " ":
        is_question = first == "?" and (last.isalnum() or last in "\"')")
        return is_question or _is_joined(after[1::-1], last) or (last.isdigit() and _is_of_number(after[1::-1]))
    word = _first_word(after[1:]).lower()
    if last.isdigit():
        if _GROUP.match(after, 1) and _GROUP_AT_END.search(quote):
            return True
        return word in _SCALES or after[1:2] in _SHARES
    return word == "нет"


def _is_joined(outside: str, inside: str) -> bool:
    """Tell whether two characters outside, the nearer one last, go on with a word whose character is inside."""
    nearer, further = outside[-1], outside[-2:-1]
    if not _is_word(inside):
        return False
    if _is_word(nearer):
        return not (holds_cjk(nearer) or holds_cjk(inside))
    return nearer in "-\"'" and _is_word(further) and not (nearer != "-" and further.isdigit())


def _is_of_number(outside: str) -> bool:
    """Tell whether two characters outside, the nearer one last, belong to a number that begins or ends inside."""
    nearer, further = outside[-1], outside[-2:-1]
    return nearer in _ATTACHED or (nearer in _WITHIN_NUMBER and further.isdigit())


def _ends_in_negation(before: str) -> bool:
    """Tell whether what stands before a quote negates what follows: «не», "not really", «вряд ли»."""
    *_, second, last = ("", "", *before[:-1].split(" "))
    last, second = last.lstrip("\"'([").lower(), second.lstrip("\"'([").lower()
    if _negates(last) or (second, last) in _NEGATING_PAIRS:
        return True
    return (last in _BETWEEN or (last.isascii() and last.endswith("ly"))) and _negates(second)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _first_word(text: str) -> str:
    word = _WORD.match(text)
    return word.group() if word else ""


def _negates(word: str) -> bool:
    said = word.lower().replace('"', "'")
    return said in _NEGATING or said.endswith("n't")
