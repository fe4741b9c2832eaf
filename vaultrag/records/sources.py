"""What became of the lines that a kept answer cites: whether they stand, moved, or say something else by now. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from operator import attrgetter

from vaultrag.answering.citations import SourceSentence, source_sentences
from vaultrag.answering.citing.edges import LOOK, is_cut_off
from vaultrag.answering.citing.read_text import read_literally
from vaultrag.answering.quotation import QuotedText, places_of_quote
from vaultrag.domain import Citation, QuoteState, SourceState
from vaultrag.text.language import content_stems
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note

STRUCK = re.compile(r"~~(?=\S)[^\r\n]{1,2000}?(?<=\S)~~|<(s|del|strike)>[^\r\n]{1,2000}?</\1>", re.IGNORECASE)
HIDDEN = re.compile(r"%%[^%]{0,20000}%%|<!--.{0,20000}?-->", re.DOTALL)
LIKENESS = 0.5  # of the words of both: below, a line of the same subject begins to pass for the changed one


class CitedNote:
    """A note as it is now, made ready for the citations of an answer."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._lines = Lines(text)
        self._quoted = QuotedText(text)

    def state_of(self, citation: Citation) -> SourceState:
        """Say whether a quote stands where it was cited from, elsewhere in the note, or nowhere in it.

        Other quotation marks, spaces, dashes or Markdown around the same words change nothing. Where the words are not
        there any more, the line that is most like them tells what it says now, if one is like them at all.
        """
        span = citation.span
        found = list(self._places(citation.quote)) if citation.quote else []
        if not found:
            return self._changed(citation)
        nearest = min(found, key=lambda place: (abs(self._lines_of(*place)[0] - span.first_line), place))
        lines, within = self._lines_of(*nearest), self._within(*nearest)
        if lines == (span.first_line, span.last_line):
            return SourceState(citation.number, QuoteState.STANDS, lines, within=within)
        under = self._heading(citation.quote, lines)
        return SourceState(citation.number, QuoteState.MOVED, lines, under=under, within=within)

    def _within(self, start: int, end: int) -> str:
        """Return the sentence that a place is only a part of; empty where it is all of one, or more."""
        holding = (one for one in self._sentences if one.start <= start and end <= one.end)
        sentence = next(holding, None)
        return sentence.text if sentence and (sentence.start, sentence.end) != (start, end) else ""

    @cached_property
    def _sentences(self) -> list[SourceSentence]:
        return source_sentences(0, self.text)

    def _heading(self, quote: str, lines: tuple[int, int]) -> str:
        """Return the heading that a quote stands under in these lines."""
        places = places_of_quote(parse_note(self.path, self.text), quote)
        paths = (place.heading_path for place in places if (place.span.first_line, place.span.last_line) == lines)
        return " › ".join(next(paths, ()))

    def _places(self, quote: str) -> Iterator[tuple[int, int]]:
        """Yield where each place begins and ends that a quote stands at."""
        matches = [(match.start, match.end) for match in self._quoted.find(quote)] or self._as_written(quote)
        was_struck = STRUCK.search(quote) is not None
        yield from (one for one in matches if was_struck or not self._is_struck(*one))

    def _as_written(self, quote: str) -> list[tuple[int, int]]:
        """Return where the very characters of a quote stand, in text that is shown, and not cut off there.

        Of code, formulas and cut sentences a reader's text has less than a quote.
        """
        found, start = list[tuple[int, int]](), self.text.find(quote)
        while start >= 0:
            end = start + len(quote)
            first, last = max(0, start - LOOK), end + LOOK
            around = read_literally(self.text[first:last])
            at = around.plain.find(read_literally(quote).plain)
            is_hidden = any(begin <= start and end <= close for begin, close in self._hidden)
            if not is_hidden and (at < 0 or not is_cut_off(around, at, at + len(quote))):
                found.append((start, end))
            start = self.text.find(quote, end)
        return found

    def _is_struck(self, start: int, end: int) -> bool:
        return any(begin <= start and end <= close for begin, close in self._struck)

    @cached_property
    def _struck(self) -> list[tuple[int, int]]:
        return [match.span() for match in STRUCK.finditer(self.text)]

    @cached_property
    def _hidden(self) -> list[tuple[int, int]]:
        return [match.span() for match in HIDDEN.finditer(self.text)]

    def _changed(self, citation: Citation) -> SourceState:
        words = frozenset(content_stems(citation.quote))
        best: tuple[float, int, int, int] | None = None
        for sentence in filter(attrgetter("backs"), self._sentences):
            likeness = _likeness(words, frozenset(content_stems(sentence.text)))
            if likeness < LIKENESS:
                continue
            away = abs(self._lines.line_at(sentence.start) + 1 - citation.span.first_line)
            if best is None or (likeness, -away) > best[:2]:
                best = (likeness, -away, sentence.start, sentence.end)
        if best is None:
            return SourceState(citation.number, QuoteState.CHANGED)
        start, end = best[2:]
        return SourceState(citation.number, QuoteState.CHANGED, self._lines_of(start, end), self.text[start:end])

    def _lines_of(self, start: int, end: int) -> tuple[int, int]:
        span = self._lines.span(start, end)
        return span.first_line, span.last_line


def _likeness(some: frozenset[str], others: frozenset[str]) -> float:
    """Return how much of the words of two texts is shared (Dice's coefficient)."""
    return 2 * len(some & others) / (len(some) + len(others)) if some and others else 0.0
