"""From a file of the vault to a parsed note and its chunks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vaultrag.domain import Chunk, CountTokens, FileStat, Note
from vaultrag.errors import VaultError
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.context import Transclude, no_embeds
from vaultrag.vault.features import with_features
from vaultrag.vault.files import read_note
from vaultrag.vault.lines import Lines
from vaultrag.vault.parse import parse_note
from vaultrag.vault.subpaths import resolve_subpath

PARSER_VERSION = "2"  # raise it whenever the same text would give other chunks, links or stems


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


def read_and_cut(
    vault: Path, stat: FileStat, max_bytes: int, recipe: Recipe, transclude: Transclude = no_embeds
) -> ReadNote:
    """Read, parse and cut one note. Raises VaultError when the file cannot be read."""
    note = parse_note(stat.path, read_note(vault, stat, max_bytes))
    chunks = chunk_note(note, recipe.count_tokens, recipe.target, recipe.limit, transclude)
    return ReadNote(note, tuple(with_features(note, chunks)))


def shown_by_embed(vault: Path, stat: FileStat, max_bytes: int, anchor: str) -> str:
    """Return the Markdown that an embed of a note, or of the part after `#`, shows; empty where there is none."""
    try:
        note = parse_note(stat.path, read_note(vault, stat, max_bytes))
    except VaultError:
        return ""
    if not anchor:
        return note.text[note.blocks[0].start :] if note.blocks else ""
    span = resolve_subpath(note, anchor)
    start, end = Lines(note.text).offsets(span) if span else (0, 0)
    return note.text[start:end]
