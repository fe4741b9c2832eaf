"""What became of the lines that a kept answer cites: whether they stand, moved, or say something else by now. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from vaultrag.answering.citations import source_sentences
from vaultrag.answering.quotation import QuotedText, places_of_quote
from vaultrag.domain import Citation, QuoteState, SourceState
from vaultrag.text.language import content_stems
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note

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
        places = list(self._places(citation.quote)) if citation.quote else []
        if not places:
            return self._changed(citation)
        nearest = min(places, key=lambda place: (abs(place[0] - span.first_line), place))
        if nearest == (span.first_line, span.last_line):
            return SourceState(citation.number, QuoteState.STANDS, nearest)
        return SourceState(citation.number, QuoteState.MOVED, nearest, under=self._heading(citation.quote, nearest))

    def _heading(self, quote: str, lines: tuple[int, int]) -> str:
        """Return the heading that a quote stands under in these lines."""
        places = places_of_quote(parse_note(self.path, self.text), quote)
        paths = (place.heading_path for place in places if (place.span.first_line, place.span.last_line) == lines)
        return " › ".join(next(paths, ()))

    def _places(self, quote: str) -> Iterator[tuple[int, int]]:
        """Yield the first and last line of each place that a quote stands at."""
        start = self.text.find(quote)
        while start >= 0:
            yield self._lines_of(start, start + len(quote))
            start = self.text.find(quote, start + len(quote))
        yield from (self._lines_of(match.start, match.end) for match in self._quoted.find(quote))

    def _changed(self, citation: Citation) -> SourceState:
        words = frozenset(content_stems(citation.quote))
        best: tuple[float, int, int, int] | None = None
        for sentence in filter(attrgetter("backs"), source_sentences(0, self.text)):
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
