"""Keyword search: BM25 over stems, for the text of chunks and for the titles and aliases of notes."""

from __future__ import annotations

from collections.abc import Sequence, Set

from vaultrag.store.database import Database, Row, Value
from vaultrag.store.lists import AMONG, as_list

KEYWORD_TABLES = ("keywords", "names_fts")  # the stems of chunks, and those of titles and aliases
MAX_TERMS = 64  # a page pasted as a question: more terms cost time and add nothing to the ranking


def search_keywords(
    database: Database,
    stems: Sequence[str],
    k: int,
    language: str | None = None,
    allowed: Set[int] | None = None,
) -> list[tuple[int, float]]:
    """Return (chunk row id, score), best first: chunks that hold any of the stems, by BM25, larger is better.

    Equal ones lie in the order of their paths and places there, at the end of the list, too. Function words are the
    caller's to leave out. `language` restricts to chunks in that language, `allowed` to these.
    """
    expression = match_any(stems)
    if not expression:
        return []
    restriction, parameters = "", list[Value]((expression,))
    if language is not None:
        restriction += " AND (SELECT language FROM chunks WHERE id = keywords.rowid) = ?"
        parameters.append(language)
    if allowed is not None:
        restriction += f" AND +rowid {AMONG}"  # the plus: match once and then sift, not match once for each row
        parameters.append(as_list(allowed))
    rows = _ranked(database, restriction, parameters, k + 1)
    if len(rows) > k > 0 and rows[k][1] == rows[k - 1][1]:  # which of the equal ones are the last?
        rows = _ranked(database, f"{restriction} AND +rank <= ?", [*parameters, rows[k][1]], -1)
    return [(row_id, -rank) for row_id, rank in rows[:k]]


def _ranked(database: Database, restriction: str, parameters: Sequence[Value], limit: int) -> list[Row]:
    """Return (chunk row id, rank), the least rank first; a negative limit is none."""
    return database.rows(
        "SELECT chunks.id, found.rank FROM"
        f" (SELECT rowid, rank FROM keywords WHERE keywords MATCH ?{restriction} ORDER BY rank LIMIT ?) AS found"
        " JOIN chunks ON chunks.id = found.rowid JOIN notes ON notes.id = chunks.note_id"
        " ORDER BY found.rank, notes.path, chunks.ordinal",
        (*parameters, limit),
    )


def search_names(database: Database, stems: Sequence[str], k: int) -> list[tuple[int, float, str]]:
    """Return (note id, score, name), best first: notes whose title or an alias holds any of the stems."""
    expression = match_any(stems)
    if not expression:
        return []
    rows = database.rows(
        "SELECT note_id, rank, name FROM"
        " (SELECT note_id, rank, name, row_number() OVER (PARTITION BY note_id ORDER BY rank, name) AS place"
        " FROM (SELECT rowid, rank FROM names_fts WHERE names_fts MATCH ?) AS found"
        " JOIN names ON names.id = found.rowid)"
        " JOIN notes ON notes.id = note_id WHERE place = 1 ORDER BY rank, path LIMIT ?",
        (expression, k),
    )
    return [(note_id, -rank, name) for note_id, rank, name in rows]


def match_any(stems: Sequence[str]) -> str:
    """Return the FTS5 expression for any of these stems; each is quoted, so that none is read as syntax."""
    distinct = [stem for stem in dict.fromkeys(stems) if stem.strip()][:MAX_TERMS]
    return " OR ".join(map(_quoted, distinct))


def match_all(stems: Sequence[str]) -> str:
    """Return the FTS5 expression for all of these stems: a compound stands between its parts, so no phrase would do."""
    return " AND ".join(map(_quoted, stems))


def rebuild_keywords(database: Database) -> None:
    """Write the keyword indexes anew: what is wrong in them goes, and with it deleted words not yet merged away."""
    for table in KEYWORD_TABLES:
        with database.atomic():
            database.run(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")


def _quoted(stem: str) -> str:
    return '"' + stem.replace('"', '""').replace("\0", "") + '"'
