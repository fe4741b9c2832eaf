"""Clues to a long question, gathered without a model: what a first search finds, and what that leads to.

The note that answers may share no word with the question: the question describes another one, which names it. So what
the best passages link to and name is read, too, and what that names; each is kept for how well it suits the question
and a part of it, and with the way that led there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from typing import TypeVar

from vaultrag.answering.citations import SourceSentence, locate, source_sentences
from vaultrag.answering.citing.no_source import backs_nothing
from vaultrag.answering.judging.sureness import EXCERPT, around
from vaultrag.answering.longer.lookups import Lead, Lookups
from vaultrag.domain import Chunk, LaneShare, Passage, SearchResult
from vaultrag.text.quotation_marks import set_off

SEEDS = 8  # notes whose links are followed first
PART_HITS = 3  # passages that a part's own search gives: the whole question's search gives the rest
HOPS = 2  # "the father of the director of": further away everything is linked with everything
LEADS_OF_HOP = 12
BACK_STEP = 0.02  # of fit: a note that names the seed is led to less often than one that it names; so is a second hop
KEPT_HITS = 3  # of the first search, before any lead
LINK_LANE = "link"
MOST_CLUES = 16  # passages that a draft is given: twice those of a quick answer
WHOLE_CLUES = 3  # of these, that are read whole; of the others the part round the best sentence
AT_LENGTH = 1.3  # a passage that is hardly longer than an excerpt is not cut

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Clue:
    """A passage, and why it is read. `origin` is the note that led to it, over so many `hops`, `fit` how it suits."""

    passage: Passage
    why: str
    hops: int = 0
    origin: str = ""
    fit: float = 0.0

    @property
    def is_led_to(self) -> bool:
        """Whether another note led here, and the question itself did not."""
        return self.hops > 0 or _is_led_to(self.passage)


@dataclass(slots=True)
class Gathering:
    """What has been found so far for a question and its parts. `first` is the search for the whole of it."""

    question: str
    lookups: Lookups
    parts: list[str] = field(default_factory=list)
    first: SearchResult | None = None
    whole: list[Clue] = field(default_factory=list)
    some: list[Clue] = field(default_factory=list)
    led: dict[str, Clue] = field(default_factory=dict)
    _reached: list[Clue] = field(default_factory=list)

    def search(self, k: int) -> list[Clue]:
        """Search for the whole question; return what is found."""
        self.first = self.lookups.search(self.question, k)
        self.whole = self._fitted(Clue(passage, _why_found(passage, "the question")) for passage in self.first.passages)
        return self.whole

    def search_part(self, part: str) -> list[Clue]:
        """Search for a part of the question, or for what is missing; return what is found."""
        if part not in self.parts:
            self.parts.append(part)
        found = self.lookups.search(part, PART_HITS).passages
        fitted = self._fitted(Clue(passage, _why_found(passage, set_off(part))) for passage in found)
        self.some = sorted((*self.some, *fitted), key=_best_first)
        return fitted

    def follow(self) -> list[Clue]:
        """Read what the best passages lead to, or what was led to last; return what is new, best first."""
        seeds = self._reached or _first_of_notes(sorted((*self.whole, *self.some), key=_best_first))[:SEEDS]
        hops = 1 + max((seed.hops for seed in seeds), default=0)
        found = [one for one in self._followed(seeds, hops) if one.passage.chunk.path not in self.led]
        self._reached = found[:LEADS_OF_HOP]
        self.led |= {one.passage.chunk.path: one for one in self._reached}
        return self._reached

    def read_sections(self, most: int) -> list[Clue]:
        """Read what stands under the same headings as the best passages; return what is new."""
        known = {one.passage.chunk.id for one in self.clues()}
        found = self._fitted(
            Clue(
                passage, f"stands under the same heading as line {one.passage.chunk.span.first_line}", origin=one.origin
            )
            for one in self.clues()[:most]
            for passage in self.lookups.section(one.passage.chunk)
            if passage.chunk.id not in known
        )
        self.some = sorted((*self.some, *found), key=_best_first)
        return found

    def follow_anew(self) -> None:
        """Have the next `follow` begin with what the searches found."""
        self._reached = []

    def clues(self) -> list[Clue]:
        """Return all that was found, the most useful first.

        The first hits lead; then what was led to, further hits and those of the parts take turns.
        """
        leads = sorted(self.led.values(), key=_best_first)
        turns = _in_turns([leads, self.whole[KEPT_HITS:], self.some])
        return list(_distinct(chain(self.whole[:KEPT_HITS], turns)))

    def sentences(self, clues: Sequence[Clue]) -> list[SourceSentence | None]:
        """Return of each passage the sentence that suits the question best; None where none says anything."""
        found = [
            [one for one in source_sentences(index, text) if not backs_nothing(text, one.start, one.end)]
            for index, text in enumerate(clue.passage.chunk.text for clue in clues)
        ]
        flat = [sentence for of_one in found for sentence in of_one]
        fits = dict(zip(flat, self.lookups.fits_of_lines([one.text for one in flat], self._asked), strict=True))
        return [max(of_one, key=fits.__getitem__, default=None) for of_one in found]

    @property
    def _asked(self) -> list[str]:
        return [self.question, *self.parts]

    def _fitted(self, clues: Iterable[Clue]) -> list[Clue]:
        found = list(clues)
        fits = self.lookups.fits([one.passage for one in found], self._asked)
        return [replace(one, fit=fit) for one, fit in zip(found, fits, strict=True)]

    def _followed(self, seeds: Sequence[Clue], hops: int) -> list[Clue]:
        """Return what these lead to, each by its best seed, best first.

        A lead is as good as three things together: the passage that names it, the line in which it does, and its note.
        """
        leads = [(seed, lead) for seed in seeds for lead in self.lookups.leads(seed.passage.chunk)]
        suiting = self.lookups.suiting({lead.path for _, lead in leads}, self._asked)
        lines = self.lookups.fits_of_lines([lead.line for _, lead in leads], self._asked)
        found: dict[str, Clue] = {}
        for (seed, lead), by_line in zip(leads, lines, strict=True):
            if lead.path in suiting:
                there = suiting[lead.path]
                named = seed.fit - BACK_STEP if lead.back else by_line
                fit = (seed.fit + named + there.fit) / 3 - BACK_STEP * (hops - 1)
                best = found.get(lead.path)
                if best is None or fit > best.fit:
                    found[lead.path] = _led_to(there.passage, lead, seed.passage.chunk.path, hops, fit)
        return sorted(found.values(), key=_best_first)


def as_read(passage: Passage, sentence: SourceSentence | None, rank: int) -> Passage:
    """Return a passage as a draft reads it: whole, or the part round its best sentence; later ones stand behind."""
    chunk = passage.chunk
    if sentence is not None and rank >= WHOLE_CLUES and len(chunk.text) > AT_LENGTH * EXCERPT:
        chunk = _cut(chunk, *around(chunk.text, sentence.start, sentence.end))
    return replace(passage, chunk=chunk, score=1.0 - rank / (2 * MOST_CLUES))


def _cut(chunk: Chunk, start: int, end: int) -> Chunk:
    return replace(chunk, span=locate(chunk, start, end), text=chunk.text[start:end])


def _why_found(passage: Passage, asked: str) -> str:
    """Say what a passage was found for, and by which link where nothing else found it."""
    if not _is_led_to(passage):
        return f"found for {asked}"
    return f"named in {passage.trace[0].origin} as {set_off(passage.trace[0].via)}"


def _is_led_to(passage: Passage) -> bool:
    """Tell whether only other notes led a search to a passage: by a link, an embed, a footnote."""
    return bool(passage.trace) and all(share.origin for share in passage.trace)


def _led_to(passage: Passage, lead: Lead, origin: str, hops: int, fit: float) -> Clue:
    why = f"names {origin} as {set_off(lead.text)}" if lead.back else f"named in {origin} as {set_off(lead.text)}"
    share = LaneShare(LINK_LANE, hops, round(fit, 6), 0.0, lead.text, origin)
    return Clue(replace(passage, trace=(share,)), why, hops, origin, fit)


def _best_first(one: Clue) -> tuple[float, str, int]:
    return -one.fit, one.passage.chunk.path, one.passage.chunk.span.first_line


def _in_turns(lists: Sequence[Sequence[Item]]) -> Iterator[Item]:
    """Yield the first of each list, then the second of each, as far as there are any."""
    for row in zip_longest(*lists):
        yield from (item for item in row if item is not None)


def _first_of_notes(clues: Iterable[Clue]) -> list[Clue]:
    found: dict[str, Clue] = {}
    for one in clues:
        found.setdefault(one.passage.chunk.path, one)
    return list(found.values())


def _distinct(clues: Iterable[Clue]) -> Iterator[Clue]:
    seen: set[str] = set()
    for one in clues:
        if one.passage.chunk.id not in seen:
            seen.add(one.passage.chunk.id)
            yield one
