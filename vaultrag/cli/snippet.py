"""The part of a passage worth showing, with the words of the question marked in it."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from vaultrag.cli.terminal import one_line
from vaultrag.text.language import sentences
from vaultrag.text.morphology import count_terms, stems_of_terms
from vaultrag.text.terms import index_terms, question_terms, text_parts

LENGTH = 280  # characters: three lines of a usual terminal
LEAD = 60  # characters shown before the first marked word

_HEADING = re.compile(r"\A(?:\s*#{1,6}[ \t][^\r\n]*)+")  # they stand in the line above already


@dataclass(frozen=True, slots=True)
class Snippet:
    """One line of text and the stretches of it to mark: offsets, end exclusive, in order, apart."""

    text: str
    marks: tuple[tuple[int, int], ...]


def cut_snippet(text: str, query: str) -> Snippet:
    """Return the stretch of a shown text that holds the most distinct words of the query, in any inflection."""
    line = one_line(_HEADING.sub("", text)) or one_line(text)
    wanted = frozenset(stems_of_terms(question_terms(query)))
    hits = [
        (part.start, part.end, term)
        for part in text_parts(line)
        if (term := next((term for term in part.terms if term in wanted), None))
    ]
    start, end = _window(line, hits)
    cut = ("… " if start else "") + line[start:end] + (" …" if end < len(line) else "")
    shift = start - (2 if start else 0)
    inside = [(first - shift, last - shift) for first, last, _ in hits if first >= start and last <= end]
    return Snippet(cut, _merged(inside))


def best_sentence(text: str, query: str) -> str:
    """Return the sentence of a passage that holds the most distinct words of the query; the first of equals."""
    body = _HEADING.sub("", text) or text
    wanted = question_terms(query)
    said = [one_line(body[start:end]) for start, end in sentences(body)]
    return max(filter(None, said), key=lambda sentence: count_terms(wanted, index_terms(sentence)), default="")


def _window(line: str, hits: list[tuple[int, int, str]]) -> tuple[int, int]:
    """Return the borders of the best stretch, at words."""
    if len(line) <= LENGTH:
        return 0, len(line)
    starts = [first for first, _, _ in hits]
    best, best_count = 0, 0
    for number, first in enumerate(starts):
        inside = hits[number : bisect_left(starts, first + LENGTH - LEAD)]
        count = len({stem for _, _, stem in inside})
        if count > best_count:
            best, best_count = first, count
    start = min(max(0, best - LEAD), len(line) - LENGTH) if best > LENGTH - LEAD else 0
    if start:
        start = line.find(" ", start) + 1 or start
    end = min(len(line), start + LENGTH)
    if end < len(line):
        space = line.rfind(" ", start, end)
        end = space if space > start else end
    return start, end


def _merged(marks: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(marks):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
