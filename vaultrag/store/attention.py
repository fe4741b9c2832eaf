"""What keeps an index from following its vault, kept in the index: everybody who asks how it stands is told."""

from __future__ import annotations

import json
from dataclasses import asdict

from vaultrag.domain import Attention
from vaultrag.store.database import Database

KEY = "attention"
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
