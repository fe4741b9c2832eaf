"""What keeps an index from following its vault, kept in the index: everybody who asks how it stands is told."""

from __future__ import annotations

import json
from dataclasses import asdict

from vaultrag.domain import Attention, LeftOut
from vaultrag.store.database import Database

KEY = "attention"
INDEXED = "indexed"  # when a run first went through the whole vault, empty as it may have been
UNREAD = "unread"  # how many files cannot be read now, by the last look
LEFT_OUT = "left_out"  # how much of the vault no look enters, by the last look at all of it
DELETIONS_HELD, VAULT_MISSING = "deletions_held", "vault_missing"


def call_attention(database: Database, attention: Attention) -> None:
    with database.atomic():
        database.set_meta(KEY, json.dumps(asdict(attention)))


def dismiss_attention(database: Database) -> None:
    with database.atomic():
        database.clear_meta(KEY)


def read_attention(database: Database) -> Attention | None:
    """Return what keeps the index from following; None while nothing does."""
    held = database.meta(KEY)
    return next(iter(database.decoded([(held,)], lambda row: Attention(**json.loads(row[0]))))) if held else None


def was_read_whole(database: Database) -> bool:
    """Tell whether a run has ever gone through the whole vault: before that, notes are missing."""
    return database.meta(INDEXED) is not None


def note_unread(database: Database, count: int) -> None:
    """Keep how many files could not be read; a number only, for names would be traces of what is forgotten."""
    if count != unread_count(database):
        with database.atomic():
            database.set_meta(UNREAD, str(count))


def unread_count(database: Database) -> int:
    """Return that number; a damaged one is none, and is put right by the next look."""
    return int(database.value("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", (UNREAD,)) or 0)


def note_left_out(database: Database, left_out: LeftOut) -> None:
    """Keep how much of the vault is not read on purpose."""
    if left_out != read_left_out(database):
        with database.atomic():
            database.set_meta(LEFT_OUT, json.dumps(asdict(left_out)))


def read_left_out(database: Database) -> LeftOut:
    """Return those numbers; none before the first look, and while they are damaged."""
    try:
        return LeftOut(**{name: int(count) for name, count in json.loads(database.meta(LEFT_OUT) or "{}").items()})
    except (ValueError, TypeError, AttributeError):
        return LeftOut()
