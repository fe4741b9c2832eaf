"""What became of the questions that were made from this vault: figures only, no word of a note.

Whatever is lost of them is asked again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from vaultrag.store.database import Database

KEY = "probes"  # in `meta`, followed by the model's fingerprint


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """One question: `key` tells where it was made without saying what is there, `kind` how it was made.

    `score` is the model's, None where it gave none. `cited`: the known place is among the quotes. `ranks` are where
    each way of searching had it, from 1, and 0 where it had not. `shared` is the share of the question's words that
    stand in the sentence it was made from.
    """

    key: str
    kind: str
    language: str
    score: float | None
    cited: bool
    ranks: tuple[int, ...] = ()
    shared: float = 0.0


def read_probes(database: Database, model: str, wording: int) -> list[ProbeRow]:
    """Return what was asked of a model with these prompts; nothing where it cannot be read."""
    try:
        values = json.loads(database.meta(f"{KEY} {model}") or "{}")
        rows = values["rows"] if values.get("wording") == wording else []
        return [ProbeRow(**{**row, "ranks": tuple(row["ranks"])}) for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def write_probes(database: Database, model: str, wording: int, rows: Sequence[ProbeRow]) -> None:
    """Keep these in place of what was kept."""
    values = [
        {
            "key": row.key,
            "kind": row.kind,
            "language": row.language,
            "score": row.score,
            "cited": row.cited,
            "ranks": row.ranks,
            "shared": row.shared,
        }
        for row in rows
    ]
    with database.atomic():
        database.set_meta(f"{KEY} {model}", json.dumps({"wording": wording, "rows": values}))
