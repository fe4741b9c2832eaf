"""Guessing tokens ahead of the model: where it seems to quote what it read, and as far as that has paid so far.

Pure: a wrong guess costs time, never a word. The model itself chooses every token; guesses only let it look at
several places in one evaluation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

SHORTEST_MATCH = 3  # tokens; two stand together by chance in every text
LONGEST_MATCH = 12  # beyond it a match says nothing more
MOST_GUESSED = 12  # tokens at once; even where they are free, few guesses hold longer
GAIN = 1.05  # a guess must promise so much more speed, or it is left: what is measured scatters
SHARE = 0.1  # of each new measurement in a mean
PRIOR_EXTRA = (
    0.6  # what a further token in an evaluation costs of a whole one: measured on two cores, a GPU soon corrects it
)
RETRY = 48  # tokens without a guess after which one is tried again: what lost once may pay in another text


@dataclass(frozen=True, slots=True)
class Guess:
    """Tokens that may come next, and how many before them match: the more, the surer."""

    ids: tuple[int, ...]
    matched: int


class Lookup:
    """Finds where the end of a text stood before, and what came after it there."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids: list[int] = []
        self._places: dict[tuple[int, ...], list[int]] = defaultdict(list)
        self.extend(ids)

    def extend(self, ids: Sequence[int]) -> None:
        """Add what was said."""
        for token in ids:
            self._ids.append(token)
            if len(self._ids) >= SHORTEST_MATCH:
                self._places[tuple(self._ids[-SHORTEST_MATCH:])].append(len(self._ids))

    def guess(self, most: int) -> Guess:
        """Return at most that many tokens; none when the text's end is new."""
        best, matched = 0, 0
        for place in reversed(self._places[tuple(self._ids[-SHORTEST_MATCH:])][:-1]):
            length = self._match(place)
            if length > matched:
                best, matched = place, length
            if matched == LONGEST_MATCH:
                break
        return Guess(tuple(self._ids[best : best + most]) if matched else (), matched)

    def _match(self, place: int) -> int:
        """Return how many tokens before a place equal those at the end."""
        length = 0
        while length < min(place, LONGEST_MATCH) and self._ids[place - 1 - length] == self._ids[-1 - length]:
            length += 1
        return length


class Pace:
    """Decides how far to guess, from what evaluations cost here and how often guesses held."""

    def __init__(self) -> None:
        self._single = 0.0
        self._extra: float | None = None
        self._held: dict[int, float] = {}
        self._silent = 0

    def length(self, matched: int, most: int) -> int:
        """Return how many tokens to guess after a match of this length: 0 where guessing would lose."""
        if not self._single or not matched or most < 1:
            return 0
        best = max(range(min(most, MOST_GUESSED) + 1), key=lambda length: self._speed(matched, length))
        if best and self._speed(matched, best) >= GAIN * self._speed(matched, 0):
            return best
        self._silent += 1
        if self._silent < RETRY:
            return 0
        self._silent = 0
        return 1

    def saving(self, matched: int, most: int) -> float:
        """Return the seconds that guessing is expected to save for each token that is written; 0 where it loses."""
        if not self._single:
            return 0.0
        fastest = max(self._speed(matched, length) for length in range(min(most, MOST_GUESSED) + 1))
        return self._single - 1 / fastest

    def learn(self, guess: Guess, accepted: int, seconds: float) -> None:
        """Take in what one evaluation cost and how many of its guesses held. No guess: a single token."""
        if not guess.ids:
            self._single = _mean(self._single or seconds, seconds)
            return
        extra = max(0.0, seconds - self._single) / len(guess.ids)
        self._extra = _mean(self._extra if self._extra is not None else extra, extra)
        judged = guess.ids[: accepted + 1]  # what follows a wrong guess was not put to the test
        for index in range(len(judged)):
            self._held[guess.matched] = _mean(self._chance(guess.matched), float(index < accepted))

    def _speed(self, matched: int, length: int) -> float:
        extra = self._extra if self._extra is not None else PRIOR_EXTRA * self._single
        chance = self._chance(matched)
        return sum(chance**index for index in range(length + 1)) / (self._single + extra * length)

    def _chance(self, matched: int) -> float:
        """Return how often the next guessed token holds; at first, by the length of the match."""
        return self._held.get(matched, 1 - 1 / matched)


def _mean(old: float, new: float) -> float:
    return old + SHARE * (new - old)
