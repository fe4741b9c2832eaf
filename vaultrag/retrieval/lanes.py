"""The four ways to find a chunk: its words, its meaning, its note's name, its note's links."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np

from vaultrag.domain import NearestNeighbours, Passage, Vectors
from vaultrag.retrieval.abbreviations import abbreviations_in, initials_in, stands_for
from vaultrag.retrieval.fusion import Fused, Hit, by_score
from vaultrag.store.database import Database
from vaultrag.store.embeddings import embedded_keys, vectors_for
from vaultrag.store.notes.filters import keys_of_rows
from vaultrag.store.notes.graph import neighbours as linked_notes
from vaultrag.store.notes.keywords import document_frequency, names_written, search_keywords, search_names
from vaultrag.store.notes.lookups import (
    Place,
    chunk_count,
    dated_notes,
    holds_language,
    names_beginning,
    places_by_keys,
    places_by_row_ids,
    places_of_notes,
)
from vaultrag.store.vectors.language_centroids import LanguageCentroids
from vaultrag.text.dates import find_dates, period_of
from vaultrag.text.language import LANGUAGES, content_tokens, stem, tokens
from vaultrag.text.morphology import Term, distinct_terms, stems_of_terms
from vaultrag.text.terms import Spelled, index_terms, text_parts, without_initials
from vaultrag.text.times.periods import Period
from vaultrag.text.transliteration import transliterations

NAMES_CONSIDERED = 60  # notes whose name shares a word with the question
DATED_CONSIDERED = 60  # notes of a day or a month that the question names
NAME_COVERAGE = 0.75  # of a name's weighted words: «у Гогоберидзе» means «Давид Гогоберидзе», «у Давида» does not
LINK_SEEDS = 5  # notes whose links are followed; more seeds only add noise (2wiki: 5 beats 10 and 15)
LINKS_CONSIDERED = 200  # a hub's links are cut here, heaviest first
LANGUAGE_SHARE = 0.5  # of its language's mean, taken out of a question: XQuAD en→ru nDCG .903 → .909 (0.3 to 0.7 alike)
LIKED = 3  # nearest passages in the question's language that say what to look for in the other one
LIKED_SHARE = 0.3  # of them in that question: XQuAD mixed, R@10 of the translation for ru .94 → .98 (1.0: en falls)
COSINE_DIGITS = 6  # float32 holds seven, and the last depends on where in the matrix a vector lies
SEED_STEP = 0.005  # cosine that one rank of the seed is worth: e5's cosines of related notes lie within 0.1

_BRACKETED = re.compile(r"\((?:[^()]|\([^()]*\))*+\)")


@dataclass(slots=True)
class Question:
    """A question on its way through the lanes. `vector` is None while no embedder answers.

    `terms` are its words, dates and numbers, each in all its forms; `spellings` those that the other script writes
    otherwise, as far as the notes hold them.
    `allowed` are the chunks that its filters leave, None where it has none; no lane returns any other. `periods` are
    the stretches of time that it names.
    """

    text: str
    terms: Sequence[Term]
    language: str
    vector: Vectors | None
    spellings: Sequence[Term] = ()
    allowed: Set[int] | None = None
    periods: Sequence[Period] = ()
    similarities: dict[str, float] = field(default_factory=dict)
    keyword_scores: dict[int, float] = field(default_factory=dict)

    def usual_similarity(self) -> float:
        """What a chunk without an embedding counts as: no nearer than others, and no farther."""
        return statistics.fmean(self.similarities.values()) if self.similarities else 0.0


@dataclass(frozen=True, slots=True)
class Lanes:
    """Reads the index; holds no state of a question."""

    database: Database
    fingerprint: str
    nearest: NearestNeighbours | None
    centres: LanguageCentroids

    def spellings(self, text: str) -> list[Term]:
        """Return the words that look like names, as the other script writes them; those that chunks hold.

        A capital letter looks like a name, and so does a word that no note has in its own script.
        """
        words = content_tokens(text)
        names = [t.text for t in words if (t.start and t.text[0].isupper()) or not self._frequency((t.stem,))]
        found = distinct_terms((stem(spelled),) for name in names for spelled in transliterations(name))
        return [spelled for spelled in found if self._frequency(spelled)]

    def keyword(self, question: Question, k: int) -> list[tuple[Place, Hit]]:
        """Chunks that hold words of the question, in any form, by BM25 over stems."""
        words = [*question.terms, *question.spellings]
        scored = search_keywords(self.database, words, k, allowed=question.allowed)
        places = places_by_row_ids(self.database, [row_id for row_id, _ in scored])
        question.keyword_scores.update(scored)
        return [(places[row_id], _hit(places[row_id], score)) for row_id, score in scored if row_id in places]

    def vector(self, question: Question, k: int, fewest: int) -> list[tuple[Place, Hit]]:
        """Chunks near in meaning, by cosine: the k nearest of all, and of each language `fewest`, if it has so many.

        Within a language texts lie nearer: in a large vault the nearest of all are all in the question's own.
        """
        if question.vector is None or self.nearest is None:
            return []
        nearest, vector = self.nearest, question.vector
        keys = keys_of_rows(self.database, question.allowed) if question.allowed is not None else None
        scored = nearest.search(vector, k) if keys is None else nearest.search_among(vector, keys.keys(), k)
        found = self._placed(question, scored)
        for languages in _sides(question.language):
            held = sum(place.language in languages for place, _ in found.values())
            if held >= fewest or len(scored) < k or not holds_language(self.database, languages):
                continue
            if keys is None:
                more = nearest.search_written_in(vector, languages, fewest)
            else:
                theirs = {key for key, language in keys.items() if language in languages}
                more = nearest.search_among(vector, theirs, fewest)
            found |= self._placed(question, more)
        return sorted(self._behind_their_text(question, found.values()), key=lambda pair: by_score(pair[1]))

    def _placed(self, question: Question, scored: Sequence[tuple[str, float]]) -> dict[int, tuple[Place, Hit]]:
        """Return the chunks that hold these keys, by row id, as far as the filters leave them."""
        scored = [(key, round(cosine, COSINE_DIGITS)) for key, cosine in scored]
        question.similarities.update(scored)
        places = places_by_keys(self.database, [key for key, _ in scored])
        return {
            place.row_id: (place, _hit(place, score))
            for key, score in scored
            for place in _allowed(question, places.get(key, ()))
        }

    def _behind_their_text(self, question: Question, found: Iterable[tuple[Place, Hit]]) -> list[tuple[Place, Hit]]:
        """Let properties in the other language be no nearer than the text of their note, where it has any.

        They are short, and what is short is near to every question of another language.
        """
        pairs = list(found)
        own = (question.language, "")
        notes = {place.note_id for place, _ in pairs if place.is_properties and place.language not in own}
        stored = places_of_notes(self.database, sorted(notes))
        texts = {note: [p.text_hash for p in some if not p.is_properties] for note, some in stored.items()}
        self.learn_similarities(question, [key for keys in texts.values() for key in keys])
        known = question.similarities
        nearest = {note: max((known[key] for key in keys if key in known), default=1.0) for note, keys in texts.items()}
        return [
            (place, replace(hit, score=min(hit.score, nearest.get(place.note_id, 1.0))))
            if place.is_properties and place.language not in own
            else (place, hit)
            for place, hit in pairs
        ]

    def across(
        self, question: Question, hits: Sequence[Hit], places: Mapping[int, Place], own: Sequence[Hit]
    ) -> list[Hit]:
        """Score hits in the other language anew, without what the question's vector says of its own language.

        `own` are hits in that language, best first: a passage speaks of its subject as passages do, not as a question.
        """
        centre = self.centres.of(question.language)
        if question.vector is None or centre is None or not hits:
            return list(hits)
        keys = {hit.chunk: places[hit.chunk].text_hash for hit in (*hits, *own[:LIKED])}
        vectors = vectors_for(self.database, self.fingerprint, list(dict.fromkeys(keys.values())))
        moved = -LANGUAGE_SHARE * centre
        if liked := [vectors[keys[hit.chunk]] for hit in own[:LIKED] if keys[hit.chunk] in vectors]:
            moved = moved + LIKED_SHARE * (np.mean(liked, axis=0) - centre)
        scored = [
            replace(hit, score=hit.score + round(float(vectors[keys[hit.chunk]] @ moved), COSINE_DIGITS))
            for hit in hits
            if keys[hit.chunk] in vectors
        ]
        return sorted(scored, key=by_score)

    def unseen(self, question: Question, places: Iterable[Place]) -> frozenset[int]:
        """Return those of these chunks that the vector lane cannot find, for they have no embedding (yet)."""
        if question.vector is None:
            return frozenset()
        rows = {place.row_id: place.text_hash for place in places}
        embedded = set(embedded_keys(self.database, self.fingerprint, list(dict.fromkeys(rows.values()))))
        return frozenset(row for row, key in rows.items() if key not in embedded)

    def name(self, question: Question, k: int) -> list[tuple[Place, Hit]]:
        """The best chunk of each note whose title or alias the question says, or whose day it names."""
        scored = self._named(question)[:k]
        best = self.best_places(question, [note_id for note_id, _, _ in scored])
        hits = [(best[note_id], _hit(best[note_id], score, name)) for note_id, score, name in scored if note_id in best]
        return sorted(hits, key=lambda pair: (-pair[1].score, -self._nearness(question, pair[0])))

    def links(self, question: Question, seeds: Sequence[Fused]) -> list[Hit]:
        """The best chunk of each note that the first hits link to or are linked from."""
        ranks = {item.note: rank for rank, item in enumerate(_first_notes(seeds), 1)}
        paths = [seed.order[0] for seed in _first_notes(seeds)]
        best_seed: dict[int, tuple[int, str]] = {}
        for edge in linked_notes(self.database, list(ranks))[:LINKS_CONSIDERED]:
            for seed, other in ((edge.source_id, edge.target_id), (edge.target_id, edge.source_id)):
                if seed in ranks and (other not in best_seed or ranks[seed] < best_seed[other][0]):
                    best_seed[other] = (ranks[seed], edge.text)
        places = self.best_places(question, list(best_seed))
        hits = [
            replace(_hit(place, self._nearness(question, place) - SEED_STEP * rank, text), origin=paths[rank - 1])
            for note, place in places.items()
            for rank, text in (best_seed[note],)
        ]
        return sorted(hits, key=by_score)

    def best_places(self, question: Question, note_ids: Sequence[int]) -> dict[int, Place]:
        """Return the chunk of each note that suits the question best."""
        stored = places_of_notes(self.database, note_ids)
        places = {note: kept for note, some in stored.items() if (kept := _allowed(question, some))}
        self.learn_similarities(question, [place.text_hash for some in places.values() for place in some])
        return {
            note_id: max(some, key=lambda place: (self._nearness(question, place), -place.ordinal))
            for note_id, some in places.items()
        }

    def best_of(self, question: Question, rows: Sequence[int]) -> Hit | None:
        """Return that of these chunks which suits the question best; None where the filters leave none."""
        places = _allowed(question, places_by_row_ids(self.database, rows).values())
        self.learn_similarities(question, [place.text_hash for place in places])
        scored = ((place, self._nearness(question, place)) for place in places)
        return min((_hit(place, score) for place, score in scored), key=by_score, default=None)

    def hit(self, question: Question, place: Place, via: str) -> Hit:
        """Return a chunk as a hit that scores by its nearness to the question."""
        return _hit(place, self._nearness(question, place), via)

    def learn_similarities(self, question: Question, keys: Sequence[str]) -> None:
        """Add the cosines of these keys to what is known of the question."""
        unknown = [key for key in dict.fromkeys(keys) if key not in question.similarities]
        if question.vector is None or not unknown:
            return
        vectors = vectors_for(self.database, self.fingerprint, unknown)
        if vectors:
            cosines = np.stack(list(vectors.values())) @ question.vector
            rounded = (round(float(cosine), COSINE_DIGITS) for cosine in cosines)
            question.similarities.update(zip(vectors, rounded, strict=True))

    def _name_score(self, name: str, words: set[str], terms: set[str], weights: dict[str, float], total: int) -> float:
        """Return the weight of what was asked for of the name's words and dates; 0 when that is too little of it.

        `words` are all that the question says, `terms` what it is looked up by: a date means no more than they say.
        """
        parts = {part.terms for part in _parts_of_name(_BRACKETED.sub("", name)) or _parts_of_name(name)}
        for word in {word for part in parts for word in part} - weights.keys():
            weights[word] = self._weight((word,), total)
        whole = said = 0.0
        for part in parts:
            asked = [word for word in part if word in terms or (len(part) == 1 and word in words)]
            weight = max((weights[word] for word in asked), default=0.0)
            whole += weight or weights[part[0]]
            said += weight
        return said if whole and said / whole >= NAME_COVERAGE else 0.0

    def coverage(self, question: Question, passages: Sequence[Passage]) -> float:
        """Return the share of the question's weighted words that one passage holds, its note's name included."""
        total = chunk_count(self.database)
        weights = {term: self._weight(term, total) for term in question.terms}
        whole = sum(weights.values())
        texts = ({*index_terms(p.chunk.embedded), *index_terms(p.title)} for p in passages)
        held = (sum(weight for term, weight in weights.items() if not said.isdisjoint(term)) for said in texts)
        return max(held, default=0.0) / whole if whole else 0.0

    def _weight(self, term: Term, total: int) -> float:
        """Return how much a word tells: the logarithm of how rare it is."""
        return _rarity(self._frequency(term), total)

    def _frequency(self, term: Term) -> int:
        return document_frequency(self.database, term)

    def _nearness(self, question: Question, place: Place) -> float:
        if question.vector is None:
            return question.keyword_scores.get(place.row_id, 0.0)
        known = question.similarities.get(place.text_hash)
        return question.usual_similarity() if known is None else known

    def _named(self, question: Question) -> list[tuple[int, float, str]]:
        words = {token.stem for token in without_initials(question.text, tokens(question.text))}
        terms = set(stems_of_terms([*question.terms, *question.spellings]))
        total = chunk_count(self.database)
        weights: dict[str, float] = {}
        named: dict[int, tuple[float, str]] = {}
        for note_id, _, name in search_names(self.database, [*question.terms, *question.spellings], NAMES_CONSIDERED):
            score = self._name_score(name, words, terms, weights, total)
            if score > named.get(note_id, (0.0, ""))[0]:
                named[note_id] = (score, name)
        bearers: dict[str, int] = {}
        for _, name in named.values():
            bearers[name.lower()] = bearers.get(name.lower(), 0) + 1
        scored = {note: (score / bearers[name.lower()], name) for note, (score, name) in named.items()}
        for note, name in self._abbreviated(question.text):
            scored.setdefault(note, (_rarity(1, total), name))
        for note, (score, day) in self._dated(question, total).items():
            standing, name = scored.get(note, (0.0, day))
            scored[note] = (standing + score, name)
        return sorted(((note, *how) for note, how in scored.items()), key=lambda item: -item[1])  # ties stay by path

    def _abbreviated(self, text: str) -> list[tuple[int, str]]:
        """Return the notes whose name is said by its first letters, or is the first letters of what is said.

        What several notes could be called by is no name of any.
        """
        short = {word: names_beginning(self.database, word) for word in abbreviations_in(text)}
        found = [[(note, name) for note, name in some if stands_for(word, name)] for word, some in short.items()]
        found += names_written(self.database, initials_in(text)).values()
        return [some[0] for some in found if len({note for note, _ in some}) == 1]

    def _dated(self, question: Question, total: int) -> dict[int, tuple[float, str]]:
        """Return the notes of the days and months that a question names, each with how rare that is, and its day."""
        found: dict[int, tuple[float, str]] = {}
        for day in (day for written in find_dates(question.text) for day in written.readings if day.year):
            notes = dated_notes(self.database, *period_of(day), DATED_CONSIDERED)
            score = _rarity(len(notes), total)
            found |= {note: (score, date) for note, date in notes if score > found.get(note, (0.0, ""))[0]}
        return found


def _parts_of_name(name: str) -> list[Spelled]:
    return without_initials(name, text_parts(name))


def _rarity(count: int, total: int) -> float:
    return math.log(1 + (total + 1) / (count + 0.5))


def _hit(place: Place, score: float, via: str = "") -> Hit:
    return Hit(place.row_id, place.note_id, score, via, place.order)


def _allowed(question: Question, places: Iterable[Place]) -> list[Place]:
    """Sift by the filters: equal texts share an embedding key, and a note holds chunks of many kinds."""
    return [place for place in places if question.allowed is None or place.row_id in question.allowed]


def _sides(language: str) -> tuple[frozenset[str], ...]:
    """Return the languages that count as the question's own, and the others; none for a question without letters."""
    return (frozenset({language, ""}), LANGUAGES - {language}) if language else ()


def _first_notes(ranked: Sequence[Fused]) -> list[Fused]:
    first: dict[int, Fused] = {}
    for item in ranked:
        if len(first) == LINK_SEEDS:
            break
        first.setdefault(item.note, item)
    return list(first.values())
