"""From a file of the vault to a parsed note and its chunks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vaultrag.domain import Chunk, CountTokens, FileStat, Note
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.features import with_features
from vaultrag.vault.files import read_note
from vaultrag.vault.parse import parse_note

PARSER_VERSION = "1"  # raise it whenever the same text would give other chunks, links or stems


@dataclass(frozen=True, slots=True)
class Recipe:
    """How notes become chunks. A note written by another recipe is read again.

    `tokenizer` names what `count_tokens` counts by.
    """

    count_tokens: CountTokens
    tokenizer: str
    target: int
    limit: int

    @property
    def name(self) -> str:
        return f"{PARSER_VERSION}/{self.tokenizer}/{self.target}/{self.limit}"


@dataclass(frozen=True, slots=True)
class ReadNote:
    """A note as its file says it now, and its chunks."""

    note: Note
    chunks: tuple[Chunk, ...]


def read_and_cut(vault: Path, stat: FileStat, max_bytes: int, recipe: Recipe) -> ReadNote:
    """Read, parse and cut one note. Raises VaultError when the file cannot be read."""
    note = parse_note(stat.path, read_note(vault, stat, max_bytes))
    chunks = chunk_note(note, recipe.count_tokens, recipe.target, recipe.limit)
    return ReadNote(note, tuple(with_features(note, chunks)))
