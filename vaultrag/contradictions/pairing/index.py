"""The claims of a vault by what they speak of: which of them share rare words with a changed one."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from itertools import chain, islice
from math import log

from vaultrag.contradictions.comparing.concepts import ROOT, ClaimWord, WordSet, read_words
from vaultrag.contradictions.comparing.reading import ReadClaim, Words, words_of
from vaultrag.domain import Claim
from vaultrag.text.language import fold

MOST_HOLDERS = 0.1  # of all notes: a word that more of them have leads to none
FEWEST_HOLDERS = 12  # notes: of a small vault even a common word may lead somewhere
MOST_POSTINGS = 400  # claims looked at for one word: of a note of thousands of lines the nearest suffice
SERIES = 4  # claims of one note that say the like, itself among them: two may be a mistake, four are a habit
SERIES_SHARE = 0.6  # of the words that two claims of a series have together
FEWEST_NOTES = 100  # of a smaller vault no word is known to be common
FRAME = 0.5  # of a word's weight, where a claim only stands under it
READINGS_KEPT = 4_000  # claims read in full at once: of all claims of a large vault they would take gigabytes
WORDS_KEPT = 2_000  # words of which the claims that have them are kept together


class Readings:
    """The claims by their places with their words, each word kept once; what is looked up among them comes when asked.

    The sets of a claim's words take ten times the room of the words, so only those asked for last are kept.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.claims = claims
        self._known: dict[ClaimWord, ClaimWord] = {}
        self._words = [tuple(map(self._once, words_of(claim))) for claim in claims]
        self._kept: dict[int, ReadClaim] = {}

    def words(self, place: int) -> tuple[Words, ...]:
        """Return a claim's words: all, those that are no value, and those that it stands under."""
        return self._words[place]

    def _once(self, words: Words) -> Words:
        return tuple(self._known.setdefault(word, word) for word in words)

    def __getitem__(self, place: int) -> ReadClaim:
        reading = self._kept.pop(place, None)
        if reading is None:
            words, own, frame = self._words[place]
            reading = ReadClaim(self.claims[place], words, own, frame, WordSet(own), WordSet(frame))
        self._kept[place] = reading
        if len(self._kept) > READINGS_KEPT:
            del self._kept[next(iter(self._kept))]
        return reading

    def __len__(self) -> int:
        return len(self.claims)


class ClaimIndex:
    """What claims speak of, by word; built of all claims, asked for those that changed.

    It holds a few hundred bytes a claim beside the claims themselves.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.readings = Readings(claims)
        self._holders: dict[str, int] = {}
        self._own: dict[str, array[int]] = {}
        self._frames: dict[str, array[int]] = {}
        self._attributes: dict[str, array[int]] = {}
        self._concepts: dict[int, frozenset[str]] = {}
        self._of_note: dict[str, list[int]] = {}
        self._series: dict[int, bool] = {}
        self._met: dict[ClaimWord, dict[int, float]] = {}
        for place, claim in enumerate(claims):
            self._of_note.setdefault(claim.path, []).append(place)
        for places in self._of_note.values():
            self._add(places)
        self._notes = max(1, len(self._of_note))

    def rarity(self, word: ClaimWord) -> float:
        """Return how much a word tells: the logarithm of how few notes have it."""
        return log((1 + max(FEWEST_NOTES, self._notes)) / (1 + self._holders.get(word.concept, 0)))

    def sharing(self, place: int, most: int, path: str = "") -> list[int]:
        """Return the claims that share the most with one, by their places, the nearest first; of one note, if named."""
        weights: dict[int, float] = {}
        reading = self.readings[place]
        for words, factor in ((reading.own, 1.0), (reading.frame, FRAME)):
            for word in words:
                self._weigh(weights, word, factor)
        weights.pop(place, None)
        claims = self.readings.claims
        found = (item for item in weights.items() if not path or claims[item[0]].path == path)
        return [other for other, _ in nsmallest(most, found, key=lambda item: (-item[1], item[0]))]

    def of_attribute(self, place: int, most: int) -> list[int]:
        """Return the other values of the property, field or column that a claim is of; none where there are more."""
        others = self._attributes.get(_attribute(self.readings.claims[place]), array("L"))
        return [other for other in others if other != place] if len(others) <= most else []

    def is_in_series(self, place: int) -> bool:
        """Tell whether a note says the like again and again, as a diary of the weather: each is of its day."""
        if place not in self._series:
            own = self._concepts[place]
            others = (self._concepts[other] for other in self._of_note[self.readings.claims[place].path])
            alike = (1 for other in others if own and len(own & other) >= SERIES_SHARE * len(own | other))
            self._series[place] = sum(islice(alike, SERIES)) == SERIES
        return self._series[place]

    def _weigh(self, weights: dict[int, float], word: ClaimWord, factor: float) -> None:
        if self._is_common(word):
            return
        if word not in self._met:
            if len(self._met) >= WORDS_KEPT:
                del self._met[next(iter(self._met))]
            self._met[word] = self._holding(word)
        rarity = self.rarity(word) * factor
        for other, share in self._met[word].items():
            weights[other] = weights.get(other, 0.0) + rarity * share

    def _holding(self, word: ClaimWord) -> dict[int, float]:
        """Return the claims that have a word like this one, and how far: of its own, or above it."""
        found: dict[int, float] = {}
        for postings, share in ((self._frames, FRAME), (self._own, 1.0)):
            for key in _keys(word):
                found.update(dict.fromkeys(postings.get(key, ())[:MOST_POSTINGS], share))
        return found

    def _is_common(self, word: ClaimWord) -> bool:
        held = self._holders.get(word.concept, 0)
        return held > max(FEWEST_HOLDERS, MOST_HOLDERS * self._notes)

    def _add(self, places: Iterable[int]) -> None:
        """Put the claims of one note where their words are looked up."""
        held: set[str] = set()
        for place in places:
            claim = self.readings.claims[place]
            _, own, frame = self.readings.words(place)
            self._concepts[place] = frozenset(word.concept for word in own)
            for postings, words in ((self._own, own), (self._frames, frame)):
                keys = dict.fromkeys(chain.from_iterable(map(_keys, words)))
                held.update(keys)
                for key in keys:
                    postings.setdefault(key, array("L")).append(place)
            if attribute := _attribute(claim):
                self._attributes.setdefault(attribute, array("L")).append(place)
        for key in held:
            self._holders[key] = self._holders.get(key, 0) + 1


def _keys(word: ClaimWord) -> tuple[str, ...]:
    """Return what a word is looked up by: its meaning, its sound in the other script, its root."""
    keys = [word.concept]
    if word.sound:
        keys.append(f"~{word.sound}")
    folded = fold(word.text)
    if len(folded) > ROOT and not word.is_number:
        keys.append(f"^{folded[:ROOT]}")
    return tuple(keys)


def _attribute(claim: Claim) -> str:
    return " ".join(sorted(word.concept for word in read_words(claim.attribute)))
