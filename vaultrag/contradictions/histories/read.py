"""`history_of`: the question is searched for, and what the notes found there state is put in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import zip_longest

from vaultrag.contradictions.claims.extract import EXTRACTOR, claims_of_chunk
from vaultrag.contradictions.claims.kept import read_claims
from vaultrag.contradictions.histories.asked import AskedHistory, read_asked
from vaultrag.contradictions.histories.chains import chain_of
from vaultrag.domain import Claim, History
from vaultrag.errors import UsageError
from vaultrag.store.claims import owed_extractions
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.lookups import rows_of_notes

PASSAGES = 60  # looked for: the note of each value, where one has many passages that speak of the subject
NOTES = 30  # whose claims are looked at, the nearest: of five values each may stand in one of its own

FindPaths = Callable[[str, int], Sequence[str]]
"""Returns the paths of the notes of that many passages found by words and meaning, the nearest first."""


def history_of(database: Database, question: str, find: FindPaths, today: date, day: str = "") -> History:
    """Return how what a question names changed, as the notes tell it, up to a day or the one that it names.

    No model is asked, and nothing is written: what is owed an extraction is read where it stands. Raises UsageError
    where the question names nothing, or nothing is told of it.
    """
    asked = read_asked(question, today)
    if not asked.words:
        raise UsageError("The question names nothing.", 'Name it: vaultrag history "renovation budget".')
    paths = _paths(find, asked)
    with database.snapshot():
        claims, days = _claims_of(database, paths)
    steps = chain_of(asked, claims, days)
    if not steps:
        raise UsageError(
            f"No note states a value of “{asked.text}”.",
            "Name the subject and what of it, as the notes do: `vaultrag search` shows what they say.",
        )
    return History(asked.text, steps, day or asked.day)


def _paths(find: FindPaths, asked: AskedHistory) -> list[str]:
    """Return the nearest notes; where words have their like in the other language, half of them by those."""
    found = [find(words.replace(":", " "), PASSAGES) for words in (asked.text, asked.translated) if words.strip()]
    nearest = [list(dict.fromkeys(paths)) for paths in found]
    mixed = [path for pair in zip_longest(*nearest) for path in pair if path]
    return list(dict.fromkeys(mixed))[:NOTES]


def _claims_of(database: Database, paths: Sequence[str]) -> tuple[list[Claim], dict[str, str]]:
    """Return what these notes state, as they stand there, and on what day each of their passages was written."""
    rows = rows_of_notes(database, paths)
    known = Catalog(database).chunks_by_row_ids(rows)
    stored = [known[row] for row in rows if row in known]
    owed = {known[row].chunk.path for row in owed_extractions(database, EXTRACTOR) if row in known}
    claims: list[Claim] = []
    for path in paths:
        if path not in owed:
            claims += read_claims(database, path)
            continue
        for one in stored:
            if one.chunk.path == path:
                claims += claims_of_chunk(one.chunk, one.title).claims
    return claims, {one.chunk.id: one.chunk.said or one.chunk.date for one in stored}
