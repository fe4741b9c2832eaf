"""One search: lanes, fused inside the question's language, interleaved with the other language, links in free slots."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TypeVar

from vaultrag.config import SearchSection
from vaultrag.domain import FILTER_LANE, Filter, LaneShare, NearestNeighbours, Passage, SearchResult, Vectors
from vaultrag.retrieval.companions import comes_along, companions
from vaultrag.retrieval.copies import collapse_copies, covering
from vaultrag.retrieval.fusion import (
    Fused,
    Hit,
    by_score,
    favour_own,
    fill_free_slots,
    fuse,
    merge_languages,
    spread_notes,
    step_back_repeats,
)
from vaultrag.retrieval.lanes import Lanes, Question
from vaultrag.retrieval.linking import with_linking_lines
from vaultrag.retrieval.times import DATE_LANE, date_weight, dated, preferred
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog, StoredChunk
from vaultrag.store.notes.filters import allowed_rows, newest_rows
from vaultrag.store.notes.lookups import Place
from vaultrag.store.vectors.language_centroids import LanguageCentroids
from vaultrag.text.language import language_of
from vaultrag.text.terms import question_terms
from vaultrag.text.times.periods import periods_of

Result = TypeVar("Result")

OWN_WEIGHTS = {"keyword": 1.0, "vector": 1.0, "name": 1.0}
# In the other language only names, numbers and identifiers can match by word: worth hearing, not trusting.
OTHER_WEIGHTS = {"keyword": 0.3, "vector": 1.0, "name": 1.0}
LINK_WEIGHTS = {"link": 1.0}
LANGUAGE_GAP = 0.02  # e5's cosine across languages lies about this much below the one within a language
FEW_WORDS = 2  # of a question: the cosines of a name or two say little, and passages near to everything lead by them
TURNS = 2  # hits of the leading language for each one of the other: XQuAD mixed .999/.93 (1: .996/.96)
KEPT_HITS = 5  # that no link displaces; with 3, 2wiki gains .07 and the others lose .01
REPEAT_DECAY = 0.85  # a note's second chunk steps back about ten ranks, so that other notes are seen too
# What a message of a chat gives way of its score, about three ranks. On the fixture own notes rise by .006 and .003 of
# reciprocal rank, and the 15 questions that chats answer lose none of the first five; at .2 they fall by .06.
CHAT_MARGIN = 0.05
LANE_ORDER = ("keyword", "vector", "name", DATE_LANE, "link")
ALONG = "along"  # not a lane of its own: what comes along with the first hits
ALL_LANES = frozenset((*OWN_WEIGHTS, *LINK_WEIGHTS, DATE_LANE, ALONG))
NO_WORDS = "There is nothing to look for in punctuation alone: name a word, a number or a sign such as 🔥, € or C++."
WIDER = 2  # times its size that a lane is asked for, so that mostly both languages fill theirs at once


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches one index. `fingerprint` names the embedder whose vectors are compared."""

    database: Database
    nearest: NearestNeighbours | None
    fingerprint: str
    centres: LanguageCentroids
    settings: SearchSection
    today: date = field(default_factory=date.today)  # what "last week" is seen from
    weights: Mapping[str, float] = field(default_factory=lambda: OWN_WEIGHTS)

    def search(
        self,
        query: str,
        k: int,
        vector: Vectors | None,
        lanes: Set[str] = ALL_LANES,
        warnings: Sequence[str] = (),
        filters: Sequence[Filter] = (),
    ) -> SearchResult:
        """Return the k best passages by these lanes that meet the filters.

        Without a vector words, names and links find them; without words the filters alone do, latest notes first.
        Punctuation alone finds nothing, with a warning that says so.
        """
        reader = Lanes(self.database, self.fingerprint, self.nearest, self.centres)
        question = Question(query, question_terms(query), language_of(query), vector, reader.spellings(query))
        if DATE_LANE in lanes:
            question.periods = periods_of(query, self.today)
        clock = _Clock()
        if query.strip() and not question.terms:
            return SearchResult(query, (), (), (*warnings, NO_WORDS), clock.milliseconds)
        with self.database.snapshot():
            if filters:
                question.allowed = clock.time("filter", lambda: allowed_rows(self.database, filters))
                if not query.strip():
                    passages = self._newest(question.allowed, k)
                    return SearchResult(query, passages, (FILTER_LANE,), tuple(warnings), clock.milliseconds)
            found = self._find(reader, question, lanes, clock)
            ranked = clock.time("fusion", lambda: self._rank(reader, question, found))
            if lanes & {"link", ALONG}:
                ranked = clock.time("link", lambda: self._with_linked(reader, question, ranked, lanes))
            passages = clock.time("read", lambda: self._passages(reader, question, ranked, k))
            passages = clock.time("linking", lambda: with_linking_lines(self.database, passages))
            coverage = clock.time("coverage", lambda: reader.coverage(question, passages))
        idle = {lane for lane, works in (("vector", vector is not None), (DATE_LANE, question.periods)) if not works}
        used = tuple(lane for lane in LANE_ORDER if lane in lanes - idle)
        return SearchResult(query, passages, used, tuple(warnings), clock.milliseconds, coverage)

    def _find(
        self, reader: Lanes, question: Question, lanes: Set[str], clock: _Clock
    ) -> dict[str, list[tuple[Place, Hit]]]:
        wide = self.settings.candidates * WIDER
        ask: dict[str, Callable[[], list[tuple[Place, Hit]]]] = {
            "keyword": lambda: reader.keyword(question, wide),
            "vector": lambda: reader.vector(question, wide, self.settings.candidates),
            "name": lambda: reader.name(question, self.settings.candidates),
            DATE_LANE: lambda: dated(reader, question, question.periods),
        }
        return {lane: clock.time(lane, find) if lane in lanes else [] for lane, find in ask.items()}

    def _rank(self, reader: Lanes, question: Question, found: dict[str, list[tuple[Place, Hit]]]) -> list[Fused]:
        own = {lane: _in_language(hits, question.language, self.settings.candidates) for lane, hits in found.items()}
        other = {
            lane: _not_in_language(hits, question.language, self.settings.candidates) for lane, hits in found.items()
        }
        unseen = reader.unseen(question, [place for hits in found.values() for place, _ in hits])
        leads = _other_leads(question, own, other, unseen)
        liked = [] if leads else own["vector"]
        places = {hit.chunk: place for place, hit in found["vector"]}
        other["vector"] = reader.across(question, other["vector"], places, liked)
        of_dates = {DATE_LANE: date_weight(question.text, question.periods)} if found[DATE_LANE] else {}
        chats = {place.row_id for hits in found.values() for place, _ in hits if place.speaker}
        own_fused = favour_own(fuse(own, {**self.weights, **of_dates}, unseen), chats, CHAT_MARGIN)
        other_fused = favour_own(fuse(other, {**OTHER_WEIGHTS, **of_dates}, unseen), chats, CHAT_MARGIN)
        own_ranked = self._spread(reader, question, own_fused)
        other_ranked = self._spread(reader, question, other_fused)
        first, second = (other_ranked, own_ranked) if leads else (own_ranked, other_ranked)
        return merge_languages(*step_back_repeats(first, second, TURNS, REPEAT_DECAY), TURNS)

    def _spread(self, reader: Lanes, question: Question, fused: Sequence[Fused]) -> list[Fused]:
        """Prefer notes of the time that is asked for, and let other notes be seen beside the best one."""
        if question.periods:
            fused = preferred(reader, fused, question.periods)
        return spread_notes(fused, self.settings.per_note, REPEAT_DECAY)

    def _newest(self, allowed: Set[int], k: int) -> tuple[Passage, ...]:
        dates = dict(newest_rows(self.database, allowed, k))
        stored = Catalog(self.database).chunks_by_row_ids(list(dates))
        return tuple(
            Passage(there.chunk, there.title, 0.0, (LaneShare(FILTER_LANE, rank, 0.0, 0.0, date),))
            for rank, (row, date) in enumerate(dates.items(), start=1)
            if (there := stored.get(row))
        )

    def _with_linked(self, reader: Lanes, question: Question, ranked: Sequence[Fused], lanes: Set[str]) -> list[Fused]:
        """Put what comes along with the first hits, and what they link to, into the slots behind them."""
        first = self._read(ranked[: KEPT_HITS * WIDER])
        kept = covering([_passage(item, there) for item, there in first], KEPT_HITS)
        along = companions(reader, question, first[:kept]) if ALONG in lanes else []
        linked = fuse({"link": reader.links(question, ranked)} if "link" in lanes else {}, LINK_WEIGHTS)
        return fill_free_slots(ranked, linked, kept, along)

    def _passages(self, reader: Lanes, question: Question, ranked: Sequence[Fused], k: int) -> tuple[Passage, ...]:
        """Read the first k passages that are no copies of others, each with the places of its copies."""
        ranked = _limited(ranked, self.settings.per_note)
        kept: list[Passage] = []
        size = k
        while len(kept) < k and size < len(ranked) + k:
            size = size * WIDER
            read = self._read(ranked[:size])
            reader.learn_similarities(question, [there.chunk.text_hash for _, there in read])
            known = question.similarities
            kept = collapse_copies(_passage(item, there, known) for item, there in read)
        return tuple(kept[:k])

    def _read(self, ranked: Sequence[Fused]) -> list[tuple[Fused, StoredChunk]]:
        stored = Catalog(self.database).chunks_by_row_ids([item.chunk for item in ranked])
        return [(item, stored[item.chunk]) for item in ranked if item.chunk in stored]


class _Clock:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    def time(self, step: str, action: Callable[[], Result]) -> Result:
        start = time.perf_counter()
        result = action()
        self.milliseconds[step] = round((time.perf_counter() - start) * 1000, 3)
        return result


def _in_language(hits: Sequence[tuple[Place, Hit]], language: str, k: int) -> list[Hit]:
    """Hits in the question's language; chunks without letters belong to every language."""
    return [hit for place, hit in hits if place.language in (language, "") or not language][:k]


def _not_in_language(hits: Sequence[tuple[Place, Hit]], language: str, k: int) -> list[Hit]:
    return [hit for place, hit in hits if language and place.language not in (language, "")][:k]


def _other_leads(
    question: Question, own: Mapping[str, Sequence[Hit]], other: Mapping[str, Sequence[Hit]], unseen: Set[int]
) -> bool:
    """Tell whether the other language holds the nearer meaning, allowing for the gap between languages.

    Words decide instead for a name or two, and as long as the best hit by words has no embedding.
    """
    best = min((hits["keyword"][0] for hits in (own, other) if hits["keyword"]), key=by_score, default=None)
    if best is not None and (len(question.terms) <= FEW_WORDS or best.chunk in unseen):
        return best in other["keyword"]
    theirs, ours = other["vector"], own["vector"]
    return bool(theirs) and (not ours or theirs[0].score > ours[0].score - LANGUAGE_GAP)


def _passage(item: Fused, there: StoredChunk, similarities: Mapping[str, float] = MappingProxyType({})) -> Passage:
    return Passage(there.chunk, there.title, item.score, item.trace, similarities.get(there.chunk.text_hash))


def _limited(ranked: Sequence[Fused], per_note: int) -> list[Fused]:
    """Keep at most `per_note` chunks of a note, in order, and what comes along: the link lane may have added one."""
    counts: dict[int, int] = {}
    kept: list[Fused] = []
    for item in ranked:
        counts[item.note] = counts.get(item.note, 0) + 1
        if counts[item.note] <= per_note or comes_along(item):
            kept.append(item)
    return kept
