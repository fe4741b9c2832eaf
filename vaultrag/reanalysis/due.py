"""Which notes are to be analysed again, by what a template says and by what was analysed when. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vaultrag.reanalysis.templates import DueWhen, Template
from vaultrag.retrieval.filters import parse_scope
from vaultrag.store.database import Database
from vaultrag.store.notes.analysed import AnalysedNote, analysed_notes
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.filters import allowed_rows

DAY = 86_400.0


class Why(StrEnum):
    """Why a note is due."""

    NEVER = "never analysed"
    CHANGED = "changed"
    LINKED_CHANGED = "a linked note changed"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class DueNote:
    """A note that is due, the role that it was analysed as, and when that was, in seconds since 1970; 0: never."""

    path: str
    role: str
    why: Why
    analysed_at: float = 0.0


def due_notes(database: Database, template: Template, now: float) -> list[DueNote]:
    """Return the notes that are due by a template: changed ones first, and of equals the one that waits longest.

    A note that was never analysed by it is due only where the template's scope names it. Raises IndexDamaged.
    """
    analysed = analysed_notes(database, template.name)
    again = [
        DueNote(one.now.path, one.role, why, one.at)
        for one in analysed
        if (why := why_due(one, template.due, now)) is not None
    ]
    known = {one.now.path for one in analysed}
    new = [DueNote(path, "", Why.NEVER) for path in _in_scope(database, template.scope) if path not in known]
    order = list(_URGENT)
    return sorted((*again, *new), key=lambda one: (order.index(one.why), one.analysed_at, one.path, one.role))


_URGENT = (Why.CHANGED, Why.LINKED_CHANGED, Why.NEVER, Why.OLD)


def why_due(one: AnalysedNote, due: DueWhen, now: float) -> Why | None:
    """Say why a note that was analysed is due; None where it is not. A clock that was set back makes none old."""
    if due.changed and one.now.content != one.then.content:
        return Why.CHANGED
    if due.linked_changed and one.now.linked != one.then.linked:
        return Why.LINKED_CHANGED
    if due.days and now - one.at >= due.days * DAY:
        return Why.OLD
    return None


def _in_scope(database: Database, scope: str) -> list[str]:
    if not scope:
        return []
    rows = sorted(allowed_rows(database, parse_scope(scope)))
    return sorted({stored.chunk.path for stored in Catalog(database).chunks_by_row_ids(rows).values()})
