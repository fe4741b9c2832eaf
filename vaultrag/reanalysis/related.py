"""Which notes belong to a note: what links and names bind to it, and what speaks of the same. No chat model is asked.

Links and names in the text count most: the user drew them. A note that nothing binds to it must be like it in two ways
of three: in meaning, in words, or in kind (a neighbour by links, tags, folder). "Like it" is a rank among the vault's
own notes of that language: e5's cosines lie between .74 and .97 for anything, and texts in one language lie nearer.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vaultrag.domain import SearchResult, Tie, Vectors
from vaultrag.store.database import Database
from vaultrag.store.embeddings import vectors_for
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import incoming, outgoing
from vaultrag.store.notes.lookups import rows_of_note
from vaultrag.store.notes.mentions import mentions_in, mentions_of
from vaultrag.store.notes.profiles import (
    NoteProfile,
    bound_notes,
    folder_sizes,
    profiles_of,
    some_keys,
    some_notes,
    tag_sizes,
)
from vaultrag.text.language import FUNCTION_WORDS, stem

SAMPLE = 400  # notes that a candidate is ranked among: a percentile to a quarter of a point, half a second
BACKGROUND = 300  # passages from anywhere, by which a note's nearness to everything is told and taken off
SEARCHED = 24  # passages of each search for candidates
MOST_QUERIES = 8  # passages of the note that are searched by: the first ones; a long note's rest repeats it
QUERY_LENGTH = 600  # characters of a passage that are searched by
KEY_WORDS = 25  # of a note, the most telling: about what a person would underline on a page
COMMON = 0.1  # of the notes: a word that more of them hold tells nothing
FEWEST = 2  # notes that a telling word must stand in, this one among them
SHORTEST = 3  # letters
LIKE_FROM = 0.8  # of the ranks: the fifth of the vault that is most like it counts, the more the nearer to the top
SIDES, SIDE = 2, 0.35  # that a note must be like in which nothing binds, each at least so much
ENOUGH_BOUND, ENOUGH_ALIKE = 1.0, 1.3  # of all that speaks for a note
BY_LINK, BY_NAME = 1.0, 0.6  # a name in the text may mean somebody else
SAME_FOLDER = 0.5
SHARED_NEIGHBOURS = 2  # notes that both are bound to, for the full mark
LONG_LIST = 40  # links: a note bound to more is a list of all notes, and makes no two of them neighbours
LARGE_FOLDER = 0.15  # of the vault: what lies in it need not belong together
_COMMON_WORDS = frozenset(map(stem, FUNCTION_WORDS))


@dataclass(frozen=True, slots=True)
class RelatedNote:
    """A note that belongs to another one; `score` counts all that speaks for it."""

    id: int
    path: str
    title: str
    tie: Tie
    score: float


@dataclass(slots=True)
class Relations:
    """Finds what belongs to the note with this id. `fingerprint` names the embedder whose vectors are compared.

    `telling` are the stems that tell what the note speaks of, once `related` has looked.
    """

    database: Database
    search: Callable[[str, int], SearchResult]
    fingerprint: str
    note_id: int
    telling: frozenset[str] = frozenset()
    _vectors: dict[str, Vectors] = field(default_factory=dict)

    def related(self) -> list[RelatedNote]:
        """Return the notes that belong to it, the likeliest first. Each was linked, named or found by a search."""
        own = profiles_of(self.database, [self.note_id])[0]
        ties = self._ties(own)
        neighbours = bound_notes(self.database, [self.note_id])[self.note_id]
        around = bound_notes(self.database, sorted(neighbours))
        few = [bound for bound in around.values() if len(bound) <= LONG_LIST]
        shared = Counter(note_id for bound in few for note_id in bound if note_id != self.note_id)
        candidates = {*ties, *shared, *self._found(own)} - {self.note_id}
        sample = {*some_notes(self.database, SAMPLE)} - {self.note_id}
        profiles = profiles_of(self.database, candidates | sample)
        near = self._nearness(own, profiles)
        telling = _telling(own, profiles)
        self.telling = frozenset(telling)
        words = _ranks(_word_shares(telling, profiles), profiles)
        kin = self._kinship(own, profiles, shared)
        found = [
            RelatedNote(one.id, one.path, one.title, ties.get(one.id, Tie.ALIKE), score)
            for one in profiles
            if one.id in candidates
            and (score := _score(ties.get(one.id), near.get(one.id, 0.0), words.get(one.id, 0.0), kin[one.id]))
        ]
        return sorted(found, key=lambda one: (-one.score, one.path))

    def _ties(self, own: NoteProfile) -> dict[int, Tie]:
        """Return the notes that are bound to it, each by what binds most."""
        with self.database.snapshot():
            by_tie = (
                (Tie.LINKED, [link.target_path for link in outgoing(self.database, own.id)]),
                (Tie.LINKING, [link.source_path for link in incoming(self.database, own.id)]),
                (Tie.NAMED, [link.target_path for link in mentions_in(self.database, own.id)]),
                (Tie.NAMING, [link.source_path for link in mentions_of(self.database, own.id)]),
            )
            named = [path for _, paths in by_tie for path in paths if path]
            ids = Catalog(self.database).note_ids(list(dict.fromkeys(named)))
        ties: dict[int, Tie] = {}
        for tie, paths in by_tie:
            for path in paths:
                if path in ids:
                    ties.setdefault(ids[path], tie)
        return ties

    def _found(self, own: NoteProfile) -> set[int]:
        """Search by the note's title and by what it says."""
        rows = rows_of_note(self.database, own.id)[:MOST_QUERIES]
        stored = Catalog(self.database).chunks_by_row_ids(rows)
        queries = [own.title, *(stored[row].chunk.text[:QUERY_LENGTH] for row in rows if row in stored)]
        paths = {
            passage.chunk.path
            for query in queries
            if query.strip()
            for passage in self.search(query, SEARCHED).passages
        }
        return set(Catalog(self.database).note_ids(sorted(paths)).values())

    def _nearness(self, own: NoteProfile, profiles: Sequence[NoteProfile]) -> dict[int, float]:
        """Return how near each note is in meaning, as a rank in its language; nothing without embeddings.

        A note's mean nearness to passages from anywhere is taken off: long notes are near to everything.
        """
        mine = self._matrix(own.keys)
        background = self._matrix(some_keys(self.database, BACKGROUND))
        if mine is None or background is None:
            return {}
        self._read([key for one in profiles for key in one.keys])
        near: dict[int, float] = {}
        for one in profiles:
            theirs = self._matrix(one.keys)
            if theirs is not None:
                near[one.id] = float((mine @ theirs.T).max(1).mean() - (background @ theirs.T).max(1).mean())
        return _ranks(near, profiles)

    def _kinship(
        self, own: NoteProfile, profiles: Sequence[NoteProfile], shared: Mapping[int, int]
    ) -> dict[int, float]:
        """Return how much each note is of its kind: by neighbours, by rare tags, by a folder that both lie in."""
        total = max(2, Catalog(self.database).note_count())
        sizes = tag_sizes(self.database, own.tags)
        folder = own.path.rpartition("/")[0]
        is_small = bool(folder) and folder_sizes(self.database, [folder])[folder] <= LARGE_FOLDER * total
        found: dict[int, float] = {}
        for one in profiles:
            rarity = sum(math.log(total / sizes[tag]) for tag in own.tags & one.tags if tag in sizes)
            beside = SAME_FOLDER if is_small and one.path.rpartition("/")[0] == folder else 0.0
            found[one.id] = max(
                min(1.0, shared.get(one.id, 0) / SHARED_NEIGHBOURS), min(1.0, rarity / math.log(total)), beside
            )
        return found

    def _read(self, keys: Iterable[str]) -> None:
        new = [key for key in dict.fromkeys(keys) if key not in self._vectors]
        if new:
            self._vectors |= vectors_for(self.database, self.fingerprint, new)

    def _matrix(self, keys: Collection[str]) -> Vectors | None:
        self._read(keys)
        rows = [self._vectors[key] for key in keys if key in self._vectors]
        return np.stack(rows) if rows else None


def key_words(own: Counter[str], held_by: Mapping[str, int], total: int) -> dict[str, float]:
    """Return the most telling words of a note with their weight: often in it, and in few others, but in some."""
    weights = {
        word: (1 + math.log(count)) * math.log(1 + total / held_by[word])
        for word, count in own.items()
        if len(word) >= SHORTEST
        and word not in _COMMON_WORDS
        and FEWEST <= held_by.get(word, 0) <= max(FEWEST + 1, COMMON * total)
    }
    best = sorted(weights, key=lambda word: (-weights[word], word))[:KEY_WORDS]
    return {word: weights[word] for word in best}


def _telling(own: NoteProfile, profiles: Sequence[NoteProfile]) -> dict[str, float]:
    held_by = Counter(word for words in (own.words, *(one.words for one in profiles)) for word in frozenset(words))
    return key_words(Counter(own.words), held_by, len(profiles) + 1)


def _word_shares(telling: Mapping[str, float], profiles: Sequence[NoteProfile]) -> dict[int, float]:
    """Return the share of a note's telling words that each other one holds; of long ones, which hold all, less."""
    whole = sum(telling.values())
    if not whole:
        return {}
    held = ((one, frozenset(one.words)) for one in profiles)
    return {
        one.id: sum(weight for word, weight in telling.items() if word in words) / whole / _length(one)
        for one, words in held
    }


def _length(one: NoteProfile) -> float:
    return 1 + 0.25 * math.log(max(1.0, len(one.keys) / 4))  # 4 passages: an ordinary note


def _ranks(values: Mapping[int, float], profiles: Sequence[NoteProfile]) -> dict[int, float]:
    """Return how far up each note stands among those of its language, from 0 for LIKE_FROM to 1 for the first."""
    found: dict[int, float] = {}
    for language in {one.language for one in profiles}:
        of_one = {one.id: values[one.id] for one in profiles if one.language == language and one.id in values}
        ordered = sorted(of_one.values())
        last = max(1, len(ordered) - 1)
        for note_id, value in of_one.items():
            rank = bisect_left(ordered, value) / last if value else 0.0
            found[note_id] = max(0.0, (rank - LIKE_FROM) / (1 - LIKE_FROM))
    return found


def _score(tie: Tie | None, near: float, words: float, kin: float) -> float:
    """Return all that speaks for a note; 0 where that is not enough."""
    bound = 0.0 if tie is None else BY_LINK if tie in (Tie.LINKED, Tie.LINKING) else BY_NAME
    score = bound + near + words + kin
    if bound:
        return score if score >= ENOUGH_BOUND else 0.0
    sides = sum(side >= SIDE for side in (near, words, kin))
    return score if sides >= SIDES and score >= ENOUGH_ALIKE else 0.0
