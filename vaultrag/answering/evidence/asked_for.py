"""What kind of thing a question asks for, and whether a line gives one: a time, an amount, a name, a reason.

Cues of the question's own grammar, in Russian and English. A line that gives what is asked for may answer; one that
only repeats what the question says gives nothing.
"""

from __future__ import annotations

import re
from enum import StrEnum

from vaultrag.text.dates import canonical_dates, find_dates, without_dates
from vaultrag.text.language import fold, is_function_word, words
from vaultrag.text.numbers import canonical_numbers


class Asked(StrEnum):
    """A kind of thing that a question can want."""

    TIME = "time"
    AMOUNT = "amount"
    NAME = "name"
    REASON = "reason"


_PERIOD = r"(?:год|месяц|ден[ьяюе]|дн[яеюи]|числ|дат|врем|недел|час)\w*"
_CUES = {
    Asked.TIME: re.compile(
        rf"\b(?:когда|во сколько|до скольки|с каких пор|как давно|как(?:ой|ая|ое|ого|ом|ую|ие|их) (?:\w+ )?{_PERIOD}"
        r"|котор(?:ом|ый) часу?|when|(?:what|which) (?:time|dates?|day|year|month|week|hour)|how long ago|since when)\b"
    ),
    Asked.AMOUNT: re.compile(
        r"\b(?:скольк\w+|насколько|почем|как (?:долго|часто|далеко|много|быстро)"
        r"|как(?:ой|ая|ое|ов|ова|ово|овы|ие|их|ую|им) (?:\w+ ){0,2}?(?:цен|стоимост|сумм|размер|номер|вес|рост|возраст"
        r"|температур|скорост|длин|ширин|высот|глубин|площад|объем|бюджет|процент|дол[яюие]|счет|верси|порт|лимит"
        r"|количеств|числ|срок|оценк|балл|давлен)\w*"
        r"|how (?:many|much|long|often|old|far|big|tall|large|high|fast|heavy|deep|hot|wide|late|early)"
        r"|what (?:\w+ ){0,3}?(?:price|cost|number|size|weight|height|age|temperature|speed|length|width|depth|area"
        r"|volume|budget|percentage|share|score|version|port|limit|amount|rate|ratio|count|dose|pressure))\b"
    ),
    Asked.NAME: re.compile(r"\b(?:кто|кого|кому|кем|ком|че[йяеи]|чьих?|чьего|зовут|звали|who|whom|whose)\b"),
    Asked.REASON: re.compile(
        r"\b(?:почему|зачем|отчего|из-за чего|(?:в чем|как\w+) (?:\w+ )?причин\w*|что (?:вызвало|привело)|why|how come"
        r"|what (?:caused|made|led)|(?:what|which) (?:\w+ ){0,2}?(?:cause|causes|reasons?))\b"
    ),
}

_CLOCK = re.compile(
    r"(?<![\d:.,])(?:[01]?\d|2[0-4])[:.][0-5]\d(?![\d:]|\.\d)|\b\d{1,2}\s?(?:am|pm|утра|вечера|ночи|час)\w*"
)
_YEAR = re.compile(r"(?<![\w.,])(?:1[0-9]|20)\d\d(?![\w,])")
_MOMENT = re.compile(
    r"\b(?:понедельник|вторник|сред[ауы]|четверг|пятниц|суббот|воскресень|январ|феврал|март|апрел|ма[йяе]\b|июн|июл"
    r"|август|сентябр|октябр|ноябр|декабр|вчера|сегодня|завтра|весн|лет[оам]|осен|зим|полдень|полноч|century|centuries"
    r"|век[аеуи]?\b|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july"
    r"|august|september|october|november|december|yesterday|today|tomorrow|spring|summer|autumn|winter|noon|midnight)"
)
_AMOUNT_WORD = re.compile(
    r"\b(?:дв[аеуо]\w*|тр(?:и|ех|ем|емя|ое)|четыр\w+|пят[ьи]\w*|шест[ьи]\w*|сем[ьи]\b|восем\w*|девят\w*|десят\w*"
    r"|полтор\w+|полов\w+|трет[ьи]\w*|четверт\w+|сто\b|сотн\w+|тысяч\w*|миллион\w*|кажд\w+|дважды|трижды|раз\b"
    r"|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|half|third|quarter|hundreds?|thousands?"
    r"|millions?|billions?|twice|once|every|each|double)\b"
)
_REASON = re.compile(
    r"\b(?:потому|поэтому|из-за|так как|чтобы|ради|причин\w*|вследствие|благодаря|оттого|поскольку|ведь|иначе|зато"
    r"|because|since|due to|owing to|so that|in order to|therefore|reasons?|caused?|thanks to|hence|otherwise)\b"
)
_NUMBER = re.compile(r"(?<![\w])[-+−]?\d[\d.,:/×x-]*")
_LINKED = re.compile(r"\[\[([^\[\]|#]+)")
_SHORTEST_NAME = 2  # letters


def asked_for(question: str) -> frozenset[Asked]:
    """Return what kinds of things would answer; empty where the question does not tell."""
    folded = fold(question)
    return frozenset(kind for kind, cue in _CUES.items() if cue.search(folded))


def without_cues(question: str) -> str:
    """Return a question without what it asks for: "is your bike" of "what year is your bike"."""
    folded = fold(question)
    if len(folded) != len(question):  # a letter more or less, and the places are not the same
        return question
    kept, last = "", 0
    for start, end in sorted(match.span() for cue in _CUES.values() for match in cue.finditer(folded)):
        kept, last = kept + question[last:start], max(last, end)
    return " ".join((kept + question[last:]).split())


def gives(kind: Asked, line: str, question: str) -> bool:
    """Tell whether a line holds a thing of this kind that the question does not say itself."""
    match kind:
        case Asked.TIME:
            return _gives_time(line, question)
        case Asked.AMOUNT:
            return bool(_numbers(without_dates(line)) - _numbers(question)) or bool(_AMOUNT_WORD.search(fold(line)))
        case Asked.NAME:
            return bool(_names(line) - _said(question))
        case Asked.REASON:
            return bool(_REASON.search(fold(line)))


def _gives_time(line: str, question: str) -> bool:
    asked = {reading for written in find_dates(question) for reading in written.readings}
    if any(reading not in asked for written in find_dates(line) for reading in written.readings):
        return True
    folded, said = fold(line), fold(question)
    moments = {match.group() for form in (_CLOCK, _YEAR, _MOMENT) for match in form.finditer(folded)}
    return any(moment not in said for moment in moments)


def _numbers(text: str) -> frozenset[str]:
    found = _NUMBER.findall(canonical_numbers(canonical_dates(text)))
    return frozenset(number.rstrip(".,:/-") for number in found)


def _names(line: str) -> frozenset[str]:
    """Return the stems of words that look like names: written with a capital past the line's first word, or linked."""
    found = [token for token in words(line) if len(token.text) >= _SHORTEST_NAME and token.text[0].isupper()]
    first = next((token.start for token in words(line)), 0)
    linked = {token.stem for target in _LINKED.findall(line) for token in words(target)}
    return frozenset(t.stem for t in found if t.start > first and not is_function_word(t.text)) | linked


def _said(question: str) -> frozenset[str]:
    return frozenset(token.stem for token in words(question))
