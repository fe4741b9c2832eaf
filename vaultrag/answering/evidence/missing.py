"""Which part of a question nothing answers: "how much, and when?" with a price and no day."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vaultrag.answering.evidence.asked_for import Asked, asked_for, gives

_ASKING = (
    r"(?:кто|что|где|когда|куда|откуда|почему|зачем|сколько|как(?:ой|ая|ое|ие|им|ого|ую)?|чем|чей|чья|чьё|во сколько"
    r"|в как\w+|на сколько|с кем|who|what|where|when|why|how|which|whose)\b"
)
# A comma alone joins no questions: "…, when we met" is a clause of the one before.
# Between words there is one space each, so that none is read anew from each of many.
_AND = re.compile(rf" ?(?:[;?] ?(?:(?:и|а|но|and|but),? )?|,? (?:и|а|но|and|but),? )(?={_ASKING})", re.IGNORECASE)
# What joined a part to its neighbours says nothing of it. A letter by itself may be a name at the end: «вариант А».
_JOINING = "and|but|or|nor|и|а|но|или|либо|да"
_JOINED_BEFORE = re.compile(rf"\A(?:{_JOINING})(?:\s+|,)", re.IGNORECASE)
_JOINED_AFTER = re.compile(rf"(?:(?<=[(«“])|[\s,])(?:{_JOINING})\Z")
_EDGES = " \t\n,;:.!?…–—-"
_PAIRS = (("(", ")"), ("«", "»"), ("“", "”"), ('"', '"'))
_BEGINS = re.compile(rf"\W*(?:\w+\s+){{0,3}}?{_ASKING}", re.IGNORECASE)


def parts_of(question: str) -> list[str]:
    """Return the questions that a question asks at once; the question alone where it asks one."""
    parts = [standing_alone(part) for part in _AND.split(" ".join(question.split()))]
    asking = [part for part in parts if part]
    return asking if len(asking) > 1 and all(_BEGINS.match(part) for part in asking) else [question]


def standing_alone(part: str) -> str:
    """Return a part of a question without the marks and words that joined it to what stands around it."""
    plain, before = " ".join(part.split()), ""
    while plain != before:
        before = plain
        plain = _JOINED_AFTER.sub("", _JOINED_BEFORE.sub("", _without_halves(plain.strip(_EDGES))))
    return plain


def _without_halves(part: str) -> str:
    """Return a part without the bracket or quotation mark at its edge whose partner was cut off."""
    for opening, closing in _PAIRS:
        odd = part.count(opening) % 2 if opening == closing else part.count(opening) - part.count(closing)
        lonely = opening if odd > 0 else closing if odd else ""
        if lonely and part.startswith(lonely):
            part = part[1:]
        elif lonely and part.endswith(lonely):
            part = part[:-1]
    return part


def missing_parts(question: str, told: Sequence[str]) -> tuple[str, ...]:
    """Return the parts of a question that no line of the answer gives what they ask for; none of one that asks once.

    Only a part that wants a time, an amount or a name can be found missing, for a reason can be told without a word
    that says so. All parts never are: an answer that has none of what was asked is judged as a whole.
    """
    parts = parts_of(question)
    if len(parts) < 2:
        return ()
    missing = tuple(part for part in parts if _is_missing(part, question, told))
    return missing if len(missing) < len(parts) else ()


def _is_missing(part: str, question: str, told: Sequence[str]) -> bool:
    kinds = asked_for(part) - {Asked.REASON}
    if not kinds:
        return False
    return not any(gives(kind, line, question) for kind in kinds for line in told)
