"""Lines of different notes that are one sentence but for one value, where the question asks for that value.

"The key is with Anna" and "The key is with Boris", a copied paragraph in which a year was changed. What only looks so
is none: items of a list, a journal, notes about two things of a kind, and what merely happened twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from vaultrag.answering.evidence.alike import Alike, ValueKind, Worded, alike, is_day
from vaultrag.answering.evidence.asked_for import Asked, asked_for
from vaultrag.answering.evidence.disagreements import Disagreement
from vaultrag.answering.evidence.lines import Line
from vaultrag.domain import Passage
from vaultrag.text.language import fold, is_function_word, sentences
from vaultrag.text.morphology import Term, tells_of_past
from vaultrag.text.terms import index_terms, question_terms

ASKED_SHARE = 0.75  # of the question's words that each line must hold, with what it stands under
LEAST_SHARED = 2  # words beside the value: one alone is the label of anything
COPIED = 6  # shared words: two sentences that have so many are copies, and speak of the same thing
COPY_ASKED_SHARE = 0.5  # of the question's words that copies and their passages hold: a copy often says "it" and "here"
IN_TITLES = 0.5  # of their words that titles of one kind share: "Cat Tom", "Cat Sam"
LIKELIEST = 2  # of the lines, of which one must be a side: where copies differ elsewhere, nobody has asked about that
MOST_VALUES = 3  # of one thing: more of them are a journal, in which each is right on its day

_KINDS = {Asked.TIME: ValueKind.TIME, Asked.AMOUNT: ValueKind.NUMBER, Asked.NAME: ValueKind.NAME}
_DONE = frozenset(  # English verbs of one past act whose form tells it; the others end in -ed
    """
    paid bought sold met went came got took gave saw ate drank had made sent spent ran drove flew slept left lost won
    broke found told wrote read brought caught swam rode sat
    """.split()
)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two lines, by their indices, with what they share and where they differ."""

    one: int
    other: int
    likeness: Alike

    @property
    def values(self) -> frozenset[frozenset[str]]:
        return frozenset((self.likeness.one.stems, self.likeness.other.stems))


def other_values(question: str, lines: Sequence[Line], passages: Sequence[Passage]) -> list[Disagreement]:
    """Return pairs of lines, of different notes, that say the same but for a value that the question asks for.

    The lines come in the order of how likely they answer. Two values are told once, by the first lines that give them.
    """
    texts = _Texts(lines, [passages[line.source.passage].chunk.path for line in lines])
    apart = [
        pair
        for index in range(min(LIKELIEST, len(lines)))
        for pair in texts.pairs(index, texts.elsewhere(index))
        if not (texts.is_listed(pair.one) or texts.is_listed(pair.other))
    ]
    given = _values_by_frame(apart)
    inquiry = _Question(question, lines, passages)
    found: dict[frozenset[frozenset[str]], Disagreement] = {}
    for pair in apart:
        if len(given[pair.likeness.frame]) <= MOST_VALUES and inquiry.is_answered_twice(pair):
            found.setdefault(pair.values, Disagreement(pair.one, pair.other))
    return list(found.values())


class _Texts:
    """The sentences of the lines, each read once, and the note that each line is of."""

    def __init__(self, lines: Sequence[Line], notes: Sequence[str]) -> None:
        self._notes = notes
        self._read = [[Worded.of(line.words[start:end]) for start, end in sentences(line.words)] for line in lines]
        self._listed: dict[int, bool] = {}

    def elsewhere(self, index: int) -> list[int]:
        """Return the lines of other notes that rank lower."""
        return [other for other in range(index + 1, len(self._notes)) if self._notes[other] != self._notes[index]]

    def is_listed(self, index: int) -> bool:
        """Tell whether another line of the same note is like this one: items of a list."""
        if index not in self._listed:
            own = [place for place, note in enumerate(self._notes) if note == self._notes[index] and place != index]
            self._listed[index] = any(True for _ in self.pairs(index, own))
        return self._listed[index]

    def pairs(self, one: int, others: Sequence[int]) -> Iterator[_Pair]:
        """Yield a line with each of the others of which a sentence is one of its own but for a value."""
        for other in others:
            for first, second in product(self._read[one], self._read[other]):
                likeness = alike(first, second)
                if likeness and likeness.length >= LEAST_SHARED:
                    yield _Pair(one, other, likeness)


def _values_by_frame(pairs: Sequence[_Pair]) -> dict[tuple[str, ...], set[frozenset[str]]]:
    given: dict[tuple[str, ...], set[frozenset[str]]] = {}
    for pair in pairs:
        given.setdefault(pair.likeness.frame, set()).update(pair.values)
    return given


class _Question:
    """What is asked, held against two lines that are alike."""

    def __init__(self, question: str, lines: Sequence[Line], passages: Sequence[Passage]) -> None:
        self._kinds = asked_for(question)
        self._asked = [term for term in question_terms(question) if not any(map(_says_nothing, term))]
        self._words = frozenset(stem for term in self._asked for stem in term)
        self._lines = lines
        self._passages = passages

    def is_answered_twice(self, pair: _Pair) -> bool:
        """Tell whether both lines answer, about one subject and one time, and differently."""
        one, other = self._lines[pair.one], self._lines[pair.other]
        return (
            self._differ(pair.likeness)
            and not _are_of_two_times(pair.likeness, one, other)
            and not self._are_of_two_subjects(one, other)
            and self._are_asked_for(pair.likeness, one, other)
        )

    def _differ(self, likeness: Alike) -> bool:
        one, other = likeness.one, likeness.other
        if any(value.stems <= self._words for value in (one, other)) or not one.contradicts(other):
            return False
        both = one.kinds & other.kinds
        if (
            ValueKind.TIME in both
            and Asked.TIME not in self._kinds
            and (ValueKind.NUMBER not in both or likeness.has_number)
        ):
            return False
        wanted = {_KINDS[kind] for kind in self._kinds if kind in _KINDS}
        return bool(wanted & both) if wanted else True

    def _are_asked_for(self, likeness: Alike, one: Line, other: Line) -> bool:
        own, others = _said(one), _said(other)
        if likeness.length < COPIED:
            held, also = self._held(own), self._held(others)
            return held == also and len(held) >= ASKED_SHARE * len(self._asked)
        around = own | others | self._told(one) | self._told(other)
        held = self._held(around)
        return bool(self._held(frozenset(likeness.frame))) and len(held) >= COPY_ASKED_SHARE * len(self._asked)

    def _are_of_two_subjects(self, one: Line, other: Line) -> bool:
        """Notes about two things of the kind that is asked about, or one about what the other never names."""
        first, second = (Worded.of(" ".join(line.around)) for line in (one, other))
        siblings = alike(first, second, IN_TITLES)
        if siblings and self._held(frozenset(siblings.frame)):
            return True
        return bool(
            self._held(first.held) - self._held(_said(other) | self._told(other))
            or self._held(second.held) - self._held(_said(one) | self._told(one))
        )

    def _held(self, stems: frozenset[str]) -> frozenset[Term]:
        return frozenset(term for term in self._asked if not stems.isdisjoint(term))

    def _told(self, line: Line) -> frozenset[str]:
        return frozenset(index_terms(self._passages[line.source.passage].chunk.text))


def _says_nothing(stem: str) -> bool:
    return stem.isdigit() or is_function_word(stem)


def _said(line: Line) -> frozenset[str]:
    return frozenset(index_terms(line.shown))


def _are_of_two_times(likeness: Alike, one: Line, other: Line) -> bool:
    """Tell whether each speaks of its own time: of a year or month, or, of what was done, of a day."""
    first, second = (Worded.of(" ".join(line.around)).times for line in (one, other))
    if not first or not second or not first.isdisjoint(second):
        return False
    return not all(map(is_day, first | second)) or any(_is_done(word.text) for word in likeness.shared)


def _is_done(word: str) -> bool:
    folded = fold(word)
    return folded in _DONE or (folded.endswith("ed") and not folded.endswith("eed")) or tells_of_past(word)
