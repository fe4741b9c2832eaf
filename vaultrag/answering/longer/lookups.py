"""What deep mode looks up in the index: passages by search, what a passage leads to, and which passage of it suits."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from vaultrag.answering.shown import as_read
from vaultrag.domain import Chunk, Passage, SearchResult, Vectors
from vaultrag.store.database import Database
from vaultrag.store.embeddings import vectors_for
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import StoredLink, incoming, outgoing
from vaultrag.store.notes.keywords import document_frequency
from vaultrag.store.notes.lookups import chunk_count, places_of_notes, rows_of_note
from vaultrag.store.notes.mentions import mentions_in, mentions_of
from vaultrag.text.language import sentences
from vaultrag.text.morphology import Term
from vaultrag.text.terms import index_terms, question_terms
from vaultrag.vault.parsing.lines import NEWLINE

WORDS_WEIGHT = 0.1  # of a part's words, all of them held, beside a cosine: e5 tells related notes within about 0.1
LED_BY_MOST = 40  # links of a passage: a list of all notes leads nowhere in particular


@dataclass(frozen=True, slots=True)
class Lead:
    """What a passage leads to: the note, the words that name it, and the line in which they stand.

    `back` where the other note names this one.
    """

    path: str
    text: str
    back: bool = False
    line: str = ""


@dataclass(frozen=True, slots=True)
class Suiting:
    """The passage of a note that suits a question best, and how well: cosine and words together."""

    passage: Passage
    fit: float


@dataclass(slots=True)
class Lookups:
    """One question's look-ups. `allowed` are the chunks that its scope leaves, None for all."""

    database: Database
    search: Callable[[str, int], SearchResult]
    embed: Callable[[str], Vectors | None]
    embed_lines: Callable[[Sequence[str]], Vectors | None]
    fingerprint: str
    allowed: Set[int] | None = None
    _vectors: dict[str, Vectors | None] = field(default_factory=dict)
    _lines: dict[str, Vectors | None] = field(default_factory=dict)
    _terms: dict[str, Sequence[tuple[Term, float]]] = field(default_factory=dict)

    def leads(self, chunk: Chunk) -> list[Lead]:
        """Return what a passage names of other notes, in order, and then the notes that name this one."""
        note_id = Catalog(self.database).note_ids([chunk.path]).get(chunk.path)
        if note_id is None:
            return []
        with self.database.snapshot():
            inside = [*outgoing(self.database, note_id), *mentions_in(self.database, note_id)]
            outside = [*incoming(self.database, note_id), *mentions_of(self.database, note_id)]
        named = [link for link in inside if _stands_in(link, chunk)]
        return list(_leads(named, outside, chunk))[:LED_BY_MOST]

    def suiting(self, paths: Collection[str], parts: Sequence[str]) -> dict[str, Suiting]:
        """Return by path the passage of each note that suits one of these parts best."""
        ids = Catalog(self.database).note_ids(list(paths))
        places = [
            place
            for some in places_of_notes(self.database, list(ids.values())).values()
            for place in some
            if self.allowed is None or place.row_id in self.allowed
        ]
        stored = Catalog(self.database).chunks_by_row_ids([place.row_id for place in places])
        passages = [Passage(there.chunk, there.title, 0.0, ()) for there in stored.values()]
        found: dict[str, Suiting] = {}
        for passage, fit in zip(passages, self.fits(passages, parts), strict=True):
            best = found.get(passage.chunk.path)
            if best is None or fit > best.fit:
                found[passage.chunk.path] = Suiting(passage, fit)
        return found

    def fits(self, passages: Sequence[Passage], parts: Sequence[str]) -> list[float]:
        """Return how well each passage suits the part that it suits best."""
        keys = list(dict.fromkeys(passage.chunk.text_hash for passage in passages))
        vectors = vectors_for(self.database, self.fingerprint, keys) if keys else {}
        said = [frozenset((*index_terms(one.chunk.embedded), *index_terms(one.title))) for one in passages]
        return [
            self._fit(vectors.get(passage.chunk.text_hash), words, parts)
            for passage, words in zip(passages, said, strict=True)
        ]

    def fits_of_lines(self, lines: Sequence[str], parts: Sequence[str]) -> list[float]:
        """Return how well each line of a note suits the part that it suits best."""
        new = [line for line in dict.fromkeys(lines) if line not in self._lines]
        if new:
            vectors = self.embed_lines(new)
            self._lines.update(zip(new, vectors if vectors is not None else [None] * len(new), strict=True))
        return [self._fit(self._lines[line], frozenset(index_terms(line)), parts) for line in lines]

    def _fit(self, vector: Vectors | None, said: frozenset[str], parts: Sequence[str]) -> float:
        """Return the mean of how well the whole question is suited, which comes first, and the part that is best."""
        fits = [self._nearness(vector, part) + WORDS_WEIGHT * self._held(said, part) for part in parts]
        return (fits[0] + max(fits)) / 2 if fits else 0.0

    def _nearness(self, vector: Vectors | None, part: str) -> float:
        asked = self._vector(part)
        return 0.0 if vector is None or asked is None else float(vector @ asked)

    def _held(self, said: frozenset[str], part: str) -> float:
        """Return the share of a part's words that are said, each weighed by how rare it is."""
        terms = self._terms_of(part)
        whole = sum(weight for _, weight in terms)
        return sum(weight for term, weight in terms if not said.isdisjoint(term)) / whole if whole else 0.0

    def section(self, chunk: Chunk) -> list[Passage]:
        """Return the passages that stand under the same headings as this one, in order, itself among them."""
        note_id = Catalog(self.database).note_ids([chunk.path]).get(chunk.path)
        if note_id is None:
            return []
        stored = Catalog(self.database).chunks_by_row_ids(rows_of_note(self.database, note_id))
        same = [
            there
            for there in stored.values()
            if there.chunk.heading_path == chunk.heading_path and (self.allowed is None or there.row_id in self.allowed)
        ]
        ordered = sorted(same, key=lambda there: there.chunk.span)
        return [Passage(there.chunk, there.title, 0.0, ()) for there in ordered]

    def _vector(self, part: str) -> Vectors | None:
        if part not in self._vectors:
            self._vectors[part] = self.embed(part)
        return self._vectors[part]

    def _terms_of(self, part: str) -> Sequence[tuple[Term, float]]:
        if part not in self._terms:
            total = chunk_count(self.database)
            self._terms[part] = [
                (term, math.log(1 + (total + 1) / (document_frequency(self.database, term) + 0.5)))
                for term in question_terms(part)
            ]
        return self._terms[part]


def _leads(inside: Iterable[StoredLink], outside: Iterable[StoredLink], chunk: Chunk) -> Iterator[Lead]:
    seen = {chunk.path}
    for link in inside:
        if link.target_path is not None and link.target_path not in seen:
            seen.add(link.target_path)
            text = link.text or link.target
            yield Lead(link.target_path, text, line=_line_of(link, text, chunk))
    for link in outside:
        if link.source_path not in seen:
            seen.add(link.source_path)
            yield Lead(link.source_path, link.text or link.target, back=True)


def _stands_in(link: StoredLink, chunk: Chunk) -> bool:
    return chunk.span.first_line <= link.line <= chunk.span.last_line


def _line_of(link: StoredLink, text: str, chunk: Chunk) -> str:
    """Return the sentence of a passage in which a link stands, as far as it can be told."""
    lines = NEWLINE.split(chunk.text)
    line = lines[min(link.line - chunk.span.first_line, len(lines) - 1)]
    named = (line[first:last] for first, last in sentences(line) if text in line[first:last])
    return as_read(next(named, line)).strip()
