"""Passages that stand side by side in a note and belong together. Pure functions; each keeps its own exact span."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from vaultrag.domain import Chunk, Passage

PARAGRAPH_GAP = 2  # lines from the end of one passage to the beginning of the next: one empty line between them


def joined(passages: Sequence[Passage]) -> list[tuple[Passage, ...]]:
    """Group passages that continue each other, in the order of their lines; each group at the place of its best.

    A reader and a model take a group as one text under one heading; a quote is looked for in each of its passages,
    whose spans are exact. The text between two of them is white space, or nothing that a reader sees.
    """
    ordered = sorted(passages, key=lambda passage: (passage.chunk.path, passage.chunk.span))
    groups: list[list[Passage]] = [[passage] for passage in ordered[:1]]
    for before, after in pairwise(ordered):
        if continues(before.chunk, after.chunk):
            groups[-1].append(after)
        else:
            groups.append([after])
    ranks = {id(passage): rank for rank, passage in enumerate(passages)}
    return sorted(map(tuple, groups), key=lambda group: min(ranks[id(passage)] for passage in group))


def continues(before: Chunk, after: Chunk) -> bool:
    """Tell whether one passage goes on where another ends: in one section, by one speaker, one empty line between."""
    return _lie_together(before, after) and 0 <= after.span.first_line - before.span.last_line <= PARAGRAPH_GAP


def was_cut(before: Chunk, after: Chunk) -> bool:
    """Tell whether two passages are parts of one list, table or paragraph, which was too long for one passage."""
    return _lie_together(before, after) and 0 <= after.span.first_line - before.span.last_line <= 1


def _lie_together(before: Chunk, after: Chunk) -> bool:
    """Of Markdown alone: a line of a PDF is a page, and one of a canvas is nothing that a reader sees."""
    return (
        before.path == after.path
        and before.path.lower().endswith(".md")
        and before.heading_path == after.heading_path
        and before.speaker == after.speaker
        and (before.span.last_line, before.span.last_column) < (after.span.first_line, after.span.first_column)
    )
