"""The claims of a vault by what they speak of: which of them share rare words with a changed one."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from math import log

from vaultrag.contradictions.comparing.concepts import ROOT, ClaimWord, read_words
from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.text.language import fold

MOST_HOLDERS = 0.1  # of all notes: a word that more of them have leads to none
FEWEST_HOLDERS = 12  # notes: of a small vault even a common word may lead somewhere
MOST_POSTINGS = 400  # claims looked at for one word: of a note of thousands of lines the nearest suffice
SERIES = 4  # claims of one note that say the like, itself among them: two may be a mistake, four are a habit
SERIES_SHARE = 0.6  # of the words that two claims of a series have together
FEWEST_NOTES = 100  # of a smaller vault no word is known to be common
FRAME = 0.5  # of a word's weight, where a claim only stands under it


class ClaimIndex:
    """What claims speak of, by word; built of all claims, asked for those that changed."""

    def __init__(self, readings: Sequence[ReadClaim]) -> None:
        self.readings = readings
        self._holders: dict[str, set[str]] = {}
        self._own: dict[str, list[int]] = {}
        self._frames: dict[str, list[int]] = {}
        self._attributes: dict[str, list[int]] = {}
        self._concepts = [frozenset(word.concept for word in reading.own) for reading in readings]
        self._of_note: dict[str, list[int]] = {}
        self._series: dict[int, bool] = {}
        self._met: dict[ClaimWord, dict[int, float]] = {}
        for place, reading in enumerate(readings):
            self._add(place, reading)
        self._notes = max(1, len({reading.claim.path for reading in readings}))

    def rarity(self, word: ClaimWord) -> float:
        """Return how much a word tells: the logarithm of how few notes have it."""
        return log((1 + max(FEWEST_NOTES, self._notes)) / (1 + len(self._holders.get(word.concept, ()))))

    def sharing(self, place: int, most: int, path: str = "") -> list[int]:
        """Return the claims that share the most with one, by their places, the nearest first; of one note, if named."""
        weights: dict[int, float] = {}
        reading = self.readings[place]
        for words, factor in ((reading.own, 1.0), (reading.frame, FRAME)):
            for word in words:
                self._weigh(weights, word, factor)
        weights.pop(place, None)
        found = (item for item in weights.items() if not path or self.readings[item[0]].claim.path == path)
        return [other for other, _ in nsmallest(most, found, key=lambda item: (-item[1], item[0]))]

    def of_attribute(self, place: int, most: int) -> list[int]:
        """Return the other values of the property, field or column that a claim is of; none where there are more."""
        others = self._attributes.get(_attribute(self.readings[place]), [])
        return [other for other in others if other != place] if len(others) <= most else []

    def is_in_series(self, place: int) -> bool:
        """Tell whether a note says the like again and again, as a diary of the weather: each is of its day."""
        if place not in self._series:
            reading = self.readings[place]
            own = self._concepts[place]
            others = (self._concepts[other] for other in self._of_note[reading.claim.path])
            alike = sum(len(own & other) >= SERIES_SHARE * len(own | other) for other in others if other) if own else 0
            self._series[place] = alike >= SERIES
        return self._series[place]

    def _weigh(self, weights: dict[int, float], word: ClaimWord, factor: float) -> None:
        if self._is_common(word):
            return
        if word not in self._met:
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
        held = len(self._holders.get(word.concept, ()))
        return held > max(FEWEST_HOLDERS, MOST_HOLDERS * self._notes)

    def _add(self, place: int, reading: ReadClaim) -> None:
        for postings, words in ((self._own, reading.own), (self._frames, reading.frame)):
            for key in dict.fromkeys(key for word in words for key in _keys(word)):
                postings.setdefault(key, []).append(place)
                self._holders.setdefault(key, set()).add(reading.claim.path)
        self._of_note.setdefault(reading.claim.path, []).append(place)
        if attribute := _attribute(reading):
            self._attributes.setdefault(attribute, []).append(place)


def _keys(word: ClaimWord) -> tuple[str, ...]:
    """Return what a word is looked up by: its meaning, its sound in the other script, its root."""
    keys = [word.concept]
    if word.sound:
        keys.append(f"~{word.sound}")
    folded = fold(word.text)
    if len(folded) > ROOT and not word.is_number:
        keys.append(f"^{folded[:ROOT]}")
    return tuple(keys)


def _attribute(reading: ReadClaim) -> str:
    return " ".join(sorted(word.concept for word in read_words(reading.claim.attribute)))
