"""A few notes, indexed without a chat model, for tests of histories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.domain import unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace


@contextmanager
def indexed(folder: Path, notes: Mapping[str, str]) -> Iterator[Workspace]:
    """Write notes, by their paths, into a vault in the folder, and hold it open with its index."""
    for path, text in notes.items():
        (folder / "vault" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "vault" / path).write_text(text, encoding="utf-8")
    config = Config(vault=folder / "vault", home=folder / "home", models=folder, settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as made:
        made.index(unwatched, DeletionPolicy.GUARD)
        yield made
