"""Why two claims are, or are no, contradiction: one sentence in the reader's language that names what differs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vaultrag.domain import StatedKind


class Ground(StrEnum):
    """What a verdict rests on."""

    AMOUNT = "amount"
    MONEY = "money"
    MEASURE = "measure"
    SHARE = "share"
    DURATION = "duration"
    DATE = "date"
    TIME = "time"
    NAME = "name"
    YES_NO = "yes_no"
    OPPOSITE = "opposite"
    WORDS = "words"
    SAME = "same"
    ENTAILED = "entailed"
    READ = "read"
    NOTHING = "nothing"
    UPDATE = "update"
    CHANGED = "changed"
    TWO_EVENTS = "two_events"
    PLAN = "plan"
    HOLDER = "holder"
    REPORTED = "reported"
    SUPPOSED = "supposed"
    PER = "per"
    CONDITION = "condition"
    PART = "part"
    PERIOD = "period"
    MODIFIER = "modifier"
    ROW = "row"
    NAMES = "names"
    TOPIC = "topic"
    UNDATED = "undated"
    SERIES = "series"


OF_KIND = {
    StatedKind.NUMBER: Ground.AMOUNT,
    StatedKind.MONEY: Ground.MONEY,
    StatedKind.MEASURE: Ground.MEASURE,
    StatedKind.SHARE: Ground.SHARE,
    StatedKind.DURATION: Ground.DURATION,
    StatedKind.DATE: Ground.DATE,
    StatedKind.TIME: Ground.TIME,
    StatedKind.NAME: Ground.NAME,
    StatedKind.TEXT: Ground.NAME,
    StatedKind.POLARITY: Ground.YES_NO,
}

_SAID = {
    Ground.AMOUNT: ("Two numbers for one thing", "Разные числа об одном"),
    Ground.MONEY: ("Two sums of money for one thing", "Разные суммы об одном"),
    Ground.MEASURE: ("Two measures of one thing", "Разные размеры одного"),
    Ground.SHARE: ("Two shares of one thing", "Разные доли одного"),
    Ground.DURATION: ("Two lengths of time for one thing", "Разная длительность одного"),
    Ground.DATE: ("Two dates for one thing", "Разные даты одного"),
    Ground.TIME: ("Two times of day for one thing", "Разное время одного"),
    Ground.NAME: ("Two names for one thing", "Разные названия одного"),
    Ground.YES_NO: ("One says yes, the other no", "В одном «да», в другом «нет»"),
    Ground.OPPOSITE: ("Both cannot be true at once", "Вместе это не может быть верно"),
    Ground.WORDS: (
        "A model takes them for a contradiction; no value tells",
        "Так считает модель; значения не сравнить",
    ),
    Ground.SAME: ("Both say the same", "Оба говорят одно"),
    Ground.ENTAILED: ("One follows from the other", "Одно следует из другого"),
    Ground.READ: ("A model that read both sees no contradiction", "Модель, прочитав оба, противоречия не видит"),
    Ground.NOTHING: ("No value of one meets a value of the other", "Сравнить нечего"),
    Ground.UPDATE: ("The later one says that it replaces the earlier", "Позднее заменяет прежнее"),
    Ground.CHANGED: ("Each holds of its own time", "Каждое верно для своего времени"),
    Ground.TWO_EVENTS: ("Two events on different days", "Два события в разные дни"),
    Ground.PLAN: ("A plan, and what came of it", "План и то, что вышло"),
    Ground.HOLDER: ("They are statements of different people", "Это говорят разные люди"),
    Ground.REPORTED: ("One is only reported", "Одно передано с чужих слов"),
    Ground.SUPPOSED: ("One is only asked or supposed", "Одно лишь спрошено или предположено"),
    Ground.PER: ("They are given for different units", "Они даны за разное"),
    Ground.CONDITION: ("Each holds under a condition of its own", "Каждое при своём условии"),
    Ground.PART: ("A part, and the whole", "Часть и целое"),
    Ground.PERIOD: ("One is of a part of the other's time", "Одно за часть времени другого"),
    Ground.MODIFIER: ("They are of two things of a kind", "Это о двух разных вещах одного рода"),
    Ground.ROW: ("They are different rows or items of one list", "Это разные строки или пункты одного списка"),
    Ground.NAMES: ("Each is of what the other does not name", "Каждое о том, чего другое не называет"),
    Ground.TOPIC: ("They speak of different things", "Они о разном"),
    Ground.SERIES: ("The note says so again and again, each of its own time", "Заметка говорит так снова и снова"),
    Ground.UNDATED: ("It may have changed between the two notes", "Между двумя заметками это могло измениться"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the ground, and what stands on each side in the notes' words, empty where no words tell."""

    ground: Ground
    one: str = ""
    other: str = ""

    def said(self, language: str) -> str:
        """Return it as a sentence, in Russian or English."""
        english, russian = _SAID[self.ground]
        is_russian = language == "ru"
        sentence = russian if is_russian else english
        if not self.one or not self.other:
            return f"{sentence}."
        one, other = (f"«{side}»" if is_russian else f"“{side}”" for side in (self.one, self.other))
        return f"{sentence}: {one} {'и' if is_russian else 'and'} {other}."
