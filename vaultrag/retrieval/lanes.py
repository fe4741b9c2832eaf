"""The four ways to find a chunk: its words, its meaning, its note's name, its note's links."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from vaultrag.domain import NearestNeighbours, Vectors
from vaultrag.language import stems
from vaultrag.retrieval.fusion import Fused, Hit
from vaultrag.store.database import Database
from vaultrag.store.embeddings import vectors_for
from vaultrag.store.graph import neighbours as linked_notes
from vaultrag.store.keywords import search_keywords, search_names
from vaultrag.store.places import (
    Place,
    chunk_count,
    document_frequency,
    places_by_keys,
    places_by_row_ids,
    places_of_notes,
)
from vaultrag.store.restriction import keys_of_rows

NAMES_CONSIDERED = 60  # notes whose name shares a word with the question
NAME_COVERAGE = 0.75  # of a name's weighted words: «у Гогоберидзе» means «Давид Гогоберидзе», «у Давида» does not
LINK_SEEDS = 5  # notes whose links are followed; more seeds only add noise (2wiki: 5 beats 10 and 15)
LINKS_CONSIDERED = 200  # a hub's links are cut here, heaviest first
SEED_STEP = 0.005  # cosine that one rank of the seed is worth: e5's cosines of related notes lie within 0.1

_BRACKETED = re.compile(r"\([^)]*\)")


@dataclass(slots=True)
class Question:
    """A question on its way through the lanes. `vector` is None while no embedder answers.

    `allowed` are the chunks that its filters leave, None where it has none; no lane returns any other.
    """

    text: str
    stems: Sequence[str]
    language: str
    vector: Vectors | None
    allowed: Set[int] | None = None
    similarities: dict[str, float] = field(default_factory=dict)
    keyword_scores: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lanes:
    """Reads the index; holds no state of a question."""

    database: Database
    fingerprint: str
    nearest: NearestNeighbours | None

    def keyword(self, question: Question, k: int) -> list[tuple[Place, Hit]]:
        """Chunks that hold words of the question, by BM25 over stems."""
        scored = search_keywords(self.database, question.stems, k, allowed=question.allowed)
        places = places_by_row_ids(self.database, [row_id for row_id, _ in scored])
        question.keyword_scores.update(scored)
        return [
            (places[row_id], Hit(row_id, places[row_id].note_id, score)) for row_id, score in scored if row_id in places
        ]

    def vector(self, question: Question, k: int) -> list[tuple[Place, Hit]]:
        """Chunks near in meaning, by cosine."""
        if question.vector is None or self.nearest is None:
            return []
        if question.allowed is None:
            scored = self.nearest.search(question.vector, k)
        else:
            scored = self.nearest.search_among(question.vector, keys_of_rows(self.database, question.allowed), k)
        question.similarities.update(scored)
        places = places_by_keys(self.database, [key for key, _ in scored])
        return [
            (place, Hit(place.row_id, place.note_id, score))
            for key, score in scored
            for place in _allowed(question, places.get(key, ()))
        ]

    def name(self, question: Question, k: int) -> list[tuple[Place, Hit]]:
        """The best chunk of each note whose title or alias the question says."""
        scored = self._named(question)[:k]
        best = self.best_places(question, [note_id for note_id, _, _ in scored])
        return [
            (best[note_id], Hit(best[note_id].row_id, note_id, score, name))
            for note_id, score, name in scored
            if note_id in best
        ]

    def links(self, question: Question, seeds: Sequence[Fused]) -> list[Hit]:
        """The best chunk of each note that the first hits link to or are linked from."""
        ranks = {item.note: rank for rank, item in enumerate(_first_notes(seeds), 1)}
        best_seed: dict[int, tuple[int, str]] = {}
        for edge in linked_notes(self.database, list(ranks))[:LINKS_CONSIDERED]:
            for seed, other in ((edge.source_id, edge.target_id), (edge.target_id, edge.source_id)):
                if seed in ranks and (other not in best_seed or ranks[seed] < best_seed[other][0]):
                    best_seed[other] = (ranks[seed], edge.text)
        places = self.best_places(question, list(best_seed))
        hits = [
            Hit(
                place.row_id, note, self._nearness(question, place) - SEED_STEP * best_seed[note][0], best_seed[note][1]
            )
            for note, place in places.items()
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk))

    def best_places(self, question: Question, note_ids: Sequence[int]) -> dict[int, Place]:
        """Return the chunk of each note that suits the question best."""
        stored = places_of_notes(self.database, note_ids)
        places = {note: kept for note, some in stored.items() if (kept := _allowed(question, some))}
        self.learn_similarities(question, [place.text_hash for some in places.values() for place in some])
        return {
            note_id: max(some, key=lambda place: (self._nearness(question, place), -place.ordinal))
            for note_id, some in places.items()
        }

    def learn_similarities(self, question: Question, keys: Sequence[str]) -> None:
        """Add the cosines of these keys to what is known of the question."""
        unknown = [key for key in dict.fromkeys(keys) if key not in question.similarities]
        if question.vector is None or not unknown:
            return
        vectors = vectors_for(self.database, self.fingerprint, unknown)
        if vectors:
            cosines = np.stack(list(vectors.values())) @ question.vector
            question.similarities.update(zip(vectors, map(float, cosines), strict=True))

    def _nearness(self, question: Question, place: Place) -> float:
        if question.vector is not None:
            return question.similarities.get(place.text_hash, 0.0)
        return question.keyword_scores.get(place.row_id, 0.0)

    def _named(self, question: Question) -> list[tuple[int, float, str]]:
        asked = set(stems(question.text))
        total = chunk_count(self.database)
        weights: dict[str, float] = {}
        named: dict[int, tuple[float, str]] = {}
        for note_id, _, name in search_names(self.database, question.stems, NAMES_CONSIDERED):
            score = _name_score(name, asked, weights, self.database, total)
            if score > named.get(note_id, (0.0, ""))[0]:
                named[note_id] = (score, name)
        bearers: dict[str, int] = {}
        for _, name in named.values():
            bearers[name.lower()] = bearers.get(name.lower(), 0) + 1
        scored = [(note, score / bearers[name.lower()], name) for note, (score, name) in named.items()]
        return sorted(scored, key=lambda item: (-item[1], item[0]))


def _allowed(question: Question, places: Iterable[Place]) -> list[Place]:
    """Sift by the filters: equal texts share an embedding key, and a note holds chunks of many kinds."""
    return [place for place in places if question.allowed is None or place.row_id in question.allowed]


def _name_score(name: str, asked: set[str], weights: dict[str, float], database: Database, total: int) -> float:
    """Return the weight of the name's words that were asked for; 0 when too little of the name was."""
    words = set(stems(_BRACKETED.sub("", name))) or set(stems(name))
    for word in words - weights.keys():
        weights[word] = math.log(1 + (total + 1) / (document_frequency(database, word) + 0.5))
    whole = sum(weights[word] for word in words)
    said = sum(weights[word] for word in words & asked)
    return said if whole and said / whole >= NAME_COVERAGE else 0.0


def _first_notes(ranked: Sequence[Fused]) -> list[Fused]:
    first: dict[int, Fused] = {}
    for item in ranked:
        if len(first) == LINK_SEEDS:
            break
        first.setdefault(item.note, item)
    return list(first.values())
