"""What an edit did to a line: nothing that a reader would tell, words put in, or words that say another thing. Pure.

Dates, amounts and linked notes are compared by what they mean, words by their stems. What is left is told by its kind:
a number, a date, a name, a "not", a word of time or measure tells another thing; other words must be understood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from vaultrag.answering.citing.read_markdown import read_as_shown
from vaultrag.answering.citing.same_subject import Wording, differ_in_negation
from vaultrag.text.dates import find_dates
from vaultrag.text.language import fold, stem
from vaultrag.text.morphology import grammar_of, is_in_dictionary
from vaultrag.text.quantities.read import Quantity, find_quantities, masked

SHORTEST_TYPO = 4  # letters: of shorter words too many are one letter apart
SHORTEST_NAME = 3

_LINK = re.compile(r"\[\[([^\[\]|#]{1,500})(?:#[^\[\]|]{0,500})?(?:\|([^\[\]]{0,500}))?\]\]")
FIRST, LAST = "\ue000", "\ue001"  # round the number of a value, which stands in its place
_WORD = re.compile(rf"{FIRST}\d+{LAST}|[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,]\d+)*|[%‰°₽$€£₾?]|[+<>≤≥≈~±](?=\s?\d)")
_OPENS = re.compile(r"(?:\A|[.!?…:]\s+|\n)\W*\Z")
_STRUCK = "~~"
# Words whose coming and going changes nothing of what is said.
_HARMLESS = frozenset(
    """
    и же то вот ведь уж это этот эта эти так ну там тут здесь ещё еще а
    a an the and that this these those it just also so then there here
    """.split()
)
# Function words that limit what stands beside them; the others come and go as it is put.
_LIMITING = frozenset(
    """
    до после перед под над между против кроме только лишь все всех всё каждый либо или если чтобы бы был была было были
    before after until till under over between against except only all each every some any or if unless more most both
    was were had will would could should may might must was been off up down out
    """.split()
)
_NEGATING = frozenset("не ни нет без никогда нельзя no not never none nor neither without cannot".split())
# They say of what stands beside them that it is not so.
_DENYING = re.compile(
    r"\b(?:не так|неверно|неправда|отмен(?:ено|ена|или|яется)|устарел[оаи]|неактуальн\w+|больше не"
    r"|not (?:true|so|right)|wrong|incorrect|untrue|no longer|cancell?ed|outdated|obsolete|superseded)\b",
    re.IGNORECASE,
)
# They may tell that what stands beside them is over, in doubt, or held by nobody.
_TURNING = frozenset(
    map(
        stem,
        """
        теперь раньше прежде устарело отменено отменили отмена вместо неверно ошибка исправлено неактуально бывший
        бы если может возможно наверное вероятно якобы вряд едва почти только лишь был была было были будет будут
        now formerly previously outdated cancelled canceled instead wrong incorrect corrected obsolete former used
        if would could might may maybe perhaps probably allegedly hardly almost only was were will been unless until
        """.split(),
    )
)


_SET_ASIDE = re.compile(
    rf"{_DENYING.pattern}|\b(?:отказались|отклонен\w*|отвергнут\w*|отменен\w*|не делаем|не делать"
    r"|rejected|declined|dropped|abandoned|not doing)\b",
    re.IGNORECASE,
)


def is_set_aside(headings: str) -> bool:
    """Tell whether headings say of what stands below them that it does not hold: «Отменено», "Rejected"."""
    return bool(_SET_ASIDE.search(fold(headings)))


class Edit(StrEnum):
    """What an edit did. NOTHING: to a reader the line says the same. LONGER: all of it stands, and words beside it.

    REWORDED: other words, that must be understood. OTHER: another number, date, name, measure, or a "not".
    """

    NOTHING = "nothing"
    LONGER = "longer"
    REWORDED = "reworded"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LineWord:
    """A word, sign, amount or date of a line: `key` is what it is compared by."""

    key: str
    text: str
    is_value: bool = False
    is_name: bool = False

    @property
    def tells(self) -> bool:
        """Whether its coming or going alone makes another statement."""
        if self.is_value or self.is_name or not any(map(str.isalnum, self.text)):
            return True
        return self.key in _NEGATING or self.text.lower() in _LIMITING


class LineWords:
    """A line as it is compared, read once."""

    def __init__(self, text: str, linked: frozenset[str] = frozenset()) -> None:
        self.text = text
        self._linked = linked

    @cached_property
    def words(self) -> tuple[LineWord, ...]:
        """The words that say something, in order."""
        return tuple(word for word in _words(self.text, self._linked) if word.key not in _HARMLESS)

    @cached_property
    def is_struck(self) -> bool:
        return any(_STRUCK in marks for marks in read_as_shown(self.text).kept.values())


@dataclass(frozen=True, slots=True)
class LineEdit:
    """What an edit did to a line, and the words that it took away and put in."""

    kind: Edit
    removed: tuple[LineWord, ...] = ()
    added: tuple[LineWord, ...] = ()


def edit_of(before: str, now: str) -> LineEdit:
    """Return what became of a line."""
    linked = _targets(before) & _targets(now)
    old, new = LineWords(before, linked), LineWords(now, linked)
    if old.is_struck != new.is_struck:
        return LineEdit(Edit.OTHER)
    apart = _apart(old.words, new.words)
    removed, added = _without_typos(*apart)
    if removed or added:
        return LineEdit(_kind(before, now, removed, added), removed, added)
    return LineEdit(Edit.NOTHING if any(apart) else _in_order(old.words, new.words))


def _in_order(old: Sequence[LineWord], new: Sequence[LineWord]) -> Edit:
    """Tell what an edit did that only put the same words into another order, or form."""
    telling = {word.key for word in (*old, *new) if word.tells}
    if [word.key for word in old if word.key in telling] != [word.key for word in new if word.key in telling]:
        return Edit.OTHER
    if _tenses(old) != _tenses(new):
        return Edit.OTHER
    return Edit.NOTHING if [word.key for word in old] == [word.key for word in new] else Edit.REWORDED


def _kind(before: str, now: str, removed: tuple[LineWord, ...], added: tuple[LineWord, ...]) -> Edit:
    if differ_in_negation(Wording(before), Wording(now), lambda stems: stems):
        return Edit.OTHER
    if any(word.text == "?" for word in (*removed, *added)):
        return Edit.OTHER
    if len(_DENYING.findall(now)) > len(_DENYING.findall(before)):
        return Edit.OTHER
    if not removed:
        return Edit.REWORDED if any(map(_may_turn, added)) else Edit.LONGER
    if any(word.tells for word in removed):
        return Edit.OTHER
    return Edit.OTHER if any(word.key in _NEGATING for word in added) else Edit.REWORDED


def _may_turn(word: LineWord) -> bool:
    """Tell whether a word that was put in may turn what stands beside it."""
    is_word = not (word.is_value or word.is_name) and word.text[0].isalpha()
    return not is_word or word.key in _NEGATING or word.key in _TURNING


def _apart(old: Iterable[LineWord], new: Iterable[LineWord]) -> tuple[tuple[LineWord, ...], tuple[LineWord, ...]]:
    """Return the words that only one of two lines has, as often as it has them more often."""
    return tuple(_beyond(old, new)), tuple(_beyond(new, old))


def _beyond(some: Iterable[LineWord], others: Iterable[LineWord]) -> Iterator[LineWord]:
    there = Counter(word.key for word in others)
    for word in some:
        if there[word.key]:
            there[word.key] -= 1
        else:
            yield word


def _without_typos(
    removed: tuple[LineWord, ...], added: tuple[LineWord, ...]
) -> tuple[tuple[LineWord, ...], tuple[LineWord, ...]]:
    """Leave out words that were only spelled wrong before, or are now: one of the two is no word."""
    kept, left = [], list(added)
    for word in removed:
        other = next((one for one in left if _is_typo(word, one)), None)
        if other is None:
            kept.append(word)
        else:
            left.remove(other)
    return tuple(kept), tuple(left)


def _is_typo(one: LineWord, other: LineWord) -> bool:
    first, second = fold(one.text), fold(other.text)
    if one.is_value or other.is_value or one.text[0].isupper() or other.text[0].isupper():
        return False
    if min(len(first), len(second)) < SHORTEST_TYPO or not _one_letter(first, second):
        return False
    return is_in_dictionary(first) is not is_in_dictionary(second)


def _one_letter(one: str, other: str) -> bool:
    """Tell whether one letter too many, too few, another or out of place sets two words apart."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) != len(long):
        return short[at:] == long[at + 1 :]
    return short[at + 1 :] == long[at + 1 :] or (
        short[at + 2 :] == long[at + 2 :] and short[at : at + 2] == long[at : at + 2][::-1]
    )


def _tenses(words: Iterable[LineWord]) -> set[str]:
    """Return the tenses of the verbs of a line: «стоит» and «стоил» have one stem."""
    readings = (grammar_of(word.text) for word in words)
    return {first.tense for first in (reading[0] for reading in readings if reading) if first.tense}


def _targets(text: str) -> frozenset[str]:
    return frozenset(_name(match[1]) for match in _LINK.finditer(text))


def _name(target: str) -> str:
    return fold(target).rpartition("/")[2].removesuffix(".md").strip()


def _words(text: str, linked: frozenset[str]) -> Iterator[LineWord]:
    """Yield the words of a line; a link to a note that both lines link to is that note, whatever it is called."""
    values = _Values([])
    shown = read_as_shown(_LINK.sub(lambda match: values.link(match, linked), text), short=True).plain
    shown = values.in_place_of_amounts(shown)
    for match in _WORD.finditer(shown):
        written = match.group()
        if written[0] == FIRST:
            yield values.found[int(written[1:-1])]
            continue
        opens = bool(_OPENS.search(shown[max(0, match.start() - 8) : match.start()]))
        yield LineWord(_key(written), written, written[0].isdigit(), _is_name(written, opens))


@dataclass(frozen=True, slots=True)
class _Values:
    """What of a text is compared by what it means. In the text stands its number."""

    found: list[LineWord]

    def link(self, match: re.Match[str], linked: frozenset[str]) -> str:
        name = _name(match[1])
        return self._put(f"[[{name}]]", match.group()) if name in linked else match.group()

    def in_place_of_amounts(self, shown: str) -> str:
        """Put dates and amounts in the place of their words."""
        dates = find_dates(shown)
        rest = masked(shown, [(one.start, one.end) for one in dates])
        places = [(one.start, one.end, f"day {sorted(one.readings)}") for one in dates]
        places += [(one.start, one.end, _amount(one)) for one in find_quantities(rest)]
        at, parts = 0, list[str]()
        for start, end, key in sorted(places):
            if start >= at and FIRST not in shown[start:end] and shown[start - 1 : start] != FIRST:
                parts += (shown[at:start], self._put(key, shown[start:end]))
                at = end
        return "".join((*parts, shown[at:]))

    def _put(self, key: str, written: str) -> str:
        self.found.append(LineWord(key, written, is_value=True))
        return f" {FIRST}{len(self.found) - 1}{LAST} "


def _amount(one: Quantity) -> str:
    return f"{one.kind} {one.low:g} {one.high} {one.unit} {one.bound}"


def _key(written: str) -> str:
    return stem(written) if written[0].isalpha() else written


def _is_name(word: str, opens: bool) -> bool:
    """Tell a name by its look; of the word that opens a sentence by the dictionary, which knows what is none."""
    if len(word) < SHORTEST_NAME or not word[0].isupper() or word.isupper():
        return False
    readings = grammar_of(word)
    return not opens or (bool(readings) and (readings[0].is_name or not is_in_dictionary(word)))
