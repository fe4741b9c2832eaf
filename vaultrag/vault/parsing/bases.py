"""A `.base` file as a small document: what views it has and what they show; nothing is evaluated."""

from __future__ import annotations

from vaultrag.domain import Block, BlockKind, Note
from vaultrag.vault.parsing.frontmatter import read_yaml

BASE_SUFFIX = ".base"


def is_base(path: str) -> bool:
    return path.lower().endswith(BASE_SUFFIX)


def parse_base(path: str, text: str, content_hash: str) -> Note:
    """Parse a base: its text is one block, its top keys are the properties. Links in it are none, as in Obsidian."""
    properties, problems = read_yaml(text)
    blocks = (Block(BlockKind.CODE, 0, len(text), ()),) if text.strip() else ()
    title = path.rpartition("/")[2].rpartition(".")[0]
    told = tuple(f"The base cannot be read: {problem}." for problem in problems)
    return Note(path, title, text, properties=properties, blocks=blocks, content_hash=content_hash, problems=told)
