"""Notes written into a vault and read into its index, with the embedder's double."""

from __future__ import annotations

from pathlib import Path

from tests.doubles import HashEmbedder, count_words
from vaultrag.config import Config
from vaultrag.indexing.apply import Applied, DeletionPolicy, apply_changes
from vaultrag.indexing.diff import diff_vault
from vaultrag.indexing.embed import drain_outbox
from vaultrag.indexing.mentions import refresh_mentions
from vaultrag.indexing.read import Recipe
from vaultrag.store.database import Database
from vaultrag.store.integrity.check import check_index
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.vectors.index import VectorIndex

RECIPE = Recipe(count_words, "words", 100, 200)
FIXTURES = Path(__file__).parents[2] / "fixtures" / "vault"


def put(config: Config, path: str, text: str) -> Path:
    file = config.vault / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def index(config: Config, database: Database, deletions: DeletionPolicy = DeletionPolicy.GUARD) -> Applied:
    diff = diff_vault(config, Catalog(database), RECIPE)
    applied = apply_changes(config, database, diff, RECIPE, lambda *_: None, deletions=deletions)
    refresh_mentions(database)
    return applied


def drain(database: Database, embedder: HashEmbedder) -> int:
    vectors = VectorIndex(database, embedder.fingerprint).open()
    return drain_outbox(database, embedder, vectors, lambda *_: None)


def broken(database: Database, vectors: VectorIndex | None = None) -> list[str]:
    return [finding.detail for finding in check_index(database, vectors) if finding.severity != "info"]
