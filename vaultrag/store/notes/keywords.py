"""Keyword search: BM25 over stems, for the text of chunks and for the titles and aliases of notes."""

from __future__ import annotations

from collections.abc import Sequence, Set

from vaultrag.store.database import Database
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

    Function words are the caller's to leave out. `language` restricts to chunks in that language, `allowed` to these.
    """
    expression = match_any(stems)
    if not expression:
        return []
    restriction, parameters = "", [expression]
    if language is not None:
        restriction += " AND (SELECT language FROM chunks WHERE id = keywords.rowid) = ?"
        parameters.append(language)
    if allowed is not None:
        restriction += f" AND +rowid {AMONG}"  # the plus: match once and then sift, not match once for each row
        parameters.append(as_list(allowed))
    rows = database.rows(
        f"SELECT rowid, rank FROM keywords WHERE keywords MATCH ?{restriction} ORDER BY rank LIMIT ?",
        (*parameters, k),
    )
    return [(row_id, -rank) for row_id, rank in rows]


def search_names(database: Database, stems: Sequence[str], k: int) -> list[tuple[int, float, str]]:
    """Return (note id, score, name), best first: notes whose title or an alias holds any of the stems."""
    expression = match_any(stems)
    if not expression:
        return []
    rows = database.rows(
        "SELECT names.note_id, min(found.rank), names.name"
        " FROM (SELECT rowid, rank FROM names_fts WHERE names_fts MATCH ?) AS found"
        " JOIN names ON names.id = found.rowid GROUP BY names.note_id ORDER BY 2, 1 LIMIT ?",
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
