"""Everything an index says, to be compared with what a fresh index of the same vault says."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles import HashEmbedder
from vaultrag.config import Config
from vaultrag.domain import Vectors
from vaultrag.store.database import Access, Database, Row
from vaultrag.store.opening import open_database
from vaultrag.workspace import Ownership, Workspace

NOTE = "(SELECT path FROM notes WHERE notes.id = note_id)"
SOURCE, TARGET = (NOTE.replace("note_id", f"{end}_id") for end in ("source", "target"))
TABLES = {
    "notes": "SELECT path, fs_path, title, content_hash, recipe, date_source, language, problems, properties"
    " FROM notes",
    "files": "SELECT path FROM files",
    "tags": f"SELECT {NOTE}, tag FROM tags",
    "tasks": f"SELECT {NOTE}, line, status, text, dates FROM tasks",
    "names": f"SELECT {NOTE}, kind, name, stems FROM names",
    "chunks": f"SELECT chunk_id, {NOTE}, ordinal, text_hash, language, first_line, first_column, last_line,"
    " last_column, block_id, speaker, heading_path, features, text, embedded, stems FROM chunks",
    "links": f"SELECT {SOURCE}, target, target_key, target_path, kind, anchor, text, line FROM links",
    "aliases": f"SELECT {SOURCE}, {TARGET}, name, line FROM mentions WHERE kind = 'alias'",
    "words": "SELECT term, (SELECT chunk_id FROM chunks WHERE chunks.id = doc), offset FROM temp.words",
    "words of names": f"SELECT term, (SELECT {NOTE} || name FROM names WHERE names.id = doc), offset"
    " FROM temp.name_words",
}
"""Guessed mentions are left out: whether a name counts as one depends on when its note was looked at."""


@dataclass(slots=True)
class Expected:
    """The embeddings that texts must have; each is computed once."""

    embedder: HashEmbedder = field(default_factory=HashEmbedder)
    known: dict[str, Vectors] = field(default_factory=dict)

    def of(self, text: str) -> bytes:
        if text not in self.known:
            self.known[text] = self.embedder.embed_query(text)
        return self.known[text].tobytes()


def content(database_path: Path) -> dict[str, Counter[Row]]:
    """Return the rows of every table, and every word of the keyword index with its place."""
    with open_database(database_path, Access.READ) as database:
        database.run("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, keywords, instance)")
        database.run("CREATE VIRTUAL TABLE temp.name_words USING fts5vocab (main, names_fts, instance)")
        return {name: Counter(database.rows(sql)) for name, sql in TABLES.items()}


def open_doubled(config: Config) -> Workspace:
    """Own the index with the embedder double."""
    return Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None)


def fresh_content(
    config: Config, home: Path, open_index: Callable[[Config], Workspace] = open_doubled
) -> dict[str, Counter[Row]]:
    """Read the vault into an empty home of its own, words and links, no embeddings; return the content."""
    shutil.rmtree(home, ignore_errors=True)
    fresh = config.model_copy(update={"home": home})
    with open_index(fresh) as workspace:
        workspace.follow(None, lambda *_: None)
        workspace.owed.find_mentions()
    return content(fresh.database_path)


def differences(found: dict[str, Counter[Row]], wanted: dict[str, Counter[Row]]) -> list[str]:
    """Say table by table what is lost and what is too much."""
    said = []
    for name, rows in wanted.items():
        for what, extra in (("lost", rows - found[name]), ("too many", found[name] - rows)):
            if extra:
                said.append(f"{name}: {extra.total()} {what}, as {next(iter(extra))!r:.300}")
    return said


def embedding_faults(database_path: Path, expected: Expected | None, chroma: Iterable[str] | None) -> list[str]:
    """Compare stored embeddings with those expected, Chroma's keys with both, where given, and look into the outbox."""
    with open_database(database_path, Access.READ) as database:
        wanted: dict[str, str] = dict(database.rows("SELECT text_hash, min(embedded) FROM chunks GROUP BY text_hash"))
        stored: dict[str, bytes] = dict(database.rows("SELECT text_hash, vector FROM embeddings"))
        faults = _owed(database)
    faults += _keys("embeddings", set(stored), set(wanted))
    if expected is not None:
        wrong = (key for key, text in wanted.items() if stored.get(key) not in (None, expected.of(text)))
        faults += [f"embeddings: {key} is wrong" for key in wrong]
    if chroma is not None:
        faults += _keys("Chroma", set(chroma), set(wanted))
    return faults


def _owed(database: Database) -> list[str]:
    owed = database.value("SELECT count(*) FROM outbox")
    return [f"outbox: {owed} left"] if owed else []


def _keys(name: str, held: set[str], wanted: set[str]) -> list[str]:
    said = (("lacks", wanted - held), ("has too many", held - wanted))
    return [f"{name}: {what} {len(keys)}" for what, keys in said if keys]
