"""Notes of hundreds of passages: what they hold, for whoever wonders what fills the index and the results."""

from __future__ import annotations

from vaultrag.domain import Feature, LongNote
from vaultrag.store.database import Database

MANY = 200  # passages, some 150 kB of text: a book, an export or data, not what somebody sat down to write
_KINDS = ((Feature.CODE, "code"), (Feature.TABLE, "rows of tables"), (Feature.TASK, "tasks"))
_FILES = ((".pdf", "pages of a PDF"), (".canvas", "cards of a canvas"))


def long_notes(database: Database) -> list[LongNote]:
    """Return the notes of at least `MANY` passages, the longest first, each with what most of its passages are."""
    counts = ", ".join(f"sum(instr(' ' || features || ' ', ' {feature.value} ') > 0)" for feature, _ in _KINDS)
    rows = database.rows(
        f"SELECT path, count(*), sum(speaker <> ''), {counts} FROM chunks JOIN notes ON notes.id = chunks.note_id"
        " WHERE note_id IN (SELECT note_id FROM chunks GROUP BY note_id HAVING count(*) >= ?)"  # read from an index
        " GROUP BY note_id ORDER BY count(*) DESC, path",
        (MANY,),
    )
    return [LongNote(path, passages, _what(path, passages, shares)) for path, passages, *shares in rows]


def _what(path: str, passages: int, shares: list[int]) -> str:
    """Return what more than half of the passages are."""
    for ending, what in _FILES:
        if path.lower().endswith(ending):
            return what
    names = ("messages of a chat", *(name for _, name in _KINDS))
    return next((name for name, share in zip(names, shares, strict=True) if share * 2 > passages), "text")
