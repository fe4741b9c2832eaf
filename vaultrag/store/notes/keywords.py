"""Keyword search: BM25 over stems, for the text of chunks and for the titles and aliases of notes.

A term is one word with the stems of all its forms. FTS5 would score each stem for itself: a form that is rare here
would weigh more than the word, and two forms of one word more than two words. So where a term has several stems, what
FTS5 finds is scored anew by the same formula, with the forms of a word counted as one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence, Set

from vaultrag.store.database import Database, Row, Value
from vaultrag.store.lists import AMONG, as_list
from vaultrag.text.language import stem
from vaultrag.text.morphology import Term, stems_of_terms

KEYWORD_TABLES = ("keywords", "names_fts")  # the stems of chunks, and those of titles and aliases
K1, B = 1.2, 0.75  # of BM25, as FTS5 has them
SCORED_ANEW = 1000  # chunks, the best by FTS5: three times what any lane asks for
MAX_TERMS = 64  # a page pasted as a question: more terms cost time and add nothing to the ranking


def search_keywords(
    database: Database,
    terms: Sequence[Term],
    k: int,
    allowed: Set[int] | None = None,
) -> list[tuple[int, float]]:
    """Return (chunk row id, score), best first: chunks that hold any of the terms, by BM25, larger is better.

    Equal ones lie in the order of their paths and places there, at the end of the list, too. Function words are the
    caller's to leave out. `allowed` restricts to these chunks.
    """
    terms = [_held(database, term) for term in terms[:MAX_TERMS]]
    expression = match_any(stems_of_terms(terms))
    if not expression:
        return []
    restriction, parameters = "", list[Value]((expression,))
    if allowed is not None:
        restriction += f" AND +rowid {AMONG}"  # the plus: match once and then sift, not match once for each row
        parameters.append(as_list(allowed))
    changing = any(len(term) > 1 for term in terms)
    scored = _ranked_fully(database, restriction, parameters, max(k, SCORED_ANEW) if changing else k)
    return (_scored_anew(database, terms, scored) if changing else scored)[:k]


def is_held(database: Database, stem: str) -> bool:
    """Tell whether any chunk holds a stem."""
    query = "SELECT 1 FROM keywords WHERE keywords MATCH ? LIMIT 1"
    return bool(database.value(query, (match_any([stem]),)))


def _ranked_fully(database: Database, restriction: str, parameters: Sequence[Value], k: int) -> list[tuple[int, float]]:
    """Return the k best by FTS5's own score, equal ones by their place in the vault."""
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


def _held(database: Database, term: Term) -> Term:
    """Return a term without the stems that no chunk holds; its first stays."""
    return term[0], *(stem for stem in term[1:] if is_held(database, stem))


def _scored_anew(
    database: Database, terms: Sequence[Term], found: Sequence[tuple[int, float]]
) -> list[tuple[int, float]]:
    """Score chunks by BM25 with each term counted as one word, whatever its form. Equal ones keep their order."""
    total = int(database.value("SELECT count(*) FROM chunks"))
    weights = [_weight(database, term, total) for term in terms]
    query = f"SELECT id, stems FROM chunks WHERE id {AMONG}"
    held = {row: stems.split(" ") for row, stems in database.rows(query, (as_list([row for row, _ in found]),))}
    usual = sum(map(len, held.values())) / max(1, len(held))
    scores: dict[int, float] = {}
    for row, stems in held.items():
        counts = Counter(stems)
        longer = K1 * (1 - B + B * len(stems) / usual)
        said = (sum(counts[stem] for stem in term) for term in terms)
        scores[row] = sum(
            weight * count * (K1 + 1) / (count + longer) for weight, count in zip(weights, said, strict=True)
        )
    return sorted(((row, scores[row]) for row, _ in found if row in scores), key=lambda pair: -pair[1])


def _weight(database: Database, term: Term, total: int) -> float:
    """Return how rare a term is, as FTS5 weighs it."""
    count = document_frequency(database, term)
    return max(math.log((total - count + 0.5) / (count + 0.5)), 1e-6)


def search_names(database: Database, terms: Sequence[Term], k: int) -> list[tuple[int, float, str]]:
    """Return (note id, score, name), best first: notes whose title or an alias holds any of the terms."""
    expression = match_any(stems_of_terms(terms[:MAX_TERMS]))
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


def names_written(database: Database, words: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """Return (note id, name) of the titles and aliases that are just one of these words, by the word."""
    expression = match_any([stem(word) for word in words])
    if not expression:
        return {}
    rows = database.rows(
        "SELECT note_id, name FROM (SELECT rowid FROM names_fts WHERE names_fts MATCH ?) AS found"
        " JOIN names ON names.id = found.rowid JOIN notes ON notes.id = note_id ORDER BY path, name",
        (expression,),
    )
    wanted = frozenset(words)
    found: dict[str, list[tuple[int, str]]] = {}
    for note, name in rows:
        if name in wanted:
            found.setdefault(name, []).append((note, name))
    return found


def match_any(stems: Sequence[str]) -> str:
    """Return the FTS5 expression for any of these stems; each is quoted, so that none is read as syntax."""
    return " OR ".join(_quoted(stem) for stem in dict.fromkeys(stems) if stem.strip())


def match_all(terms: Sequence[Term]) -> str:
    """Return the FTS5 expression for all of these terms: a compound stands between its parts, so no phrase would do."""
    return " AND ".join(f"({match_any(term)})" for term in terms)


def document_frequency(database: Database, term: Term) -> int:
    """Return the number of chunks that hold a term, in any form."""
    return int(database.value("SELECT count(*) FROM keywords WHERE keywords MATCH ?", (match_any(term),)) or 0)


def rebuild_keywords(database: Database) -> None:
    """Write the keyword indexes anew: what is wrong in them goes, and with it deleted words not yet merged away."""
    for table in KEYWORD_TABLES:
        with database.atomic():
            database.run(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")


def _quoted(stem: str) -> str:
    return '"' + stem.replace('"', '""').replace("\0", "") + '"'
