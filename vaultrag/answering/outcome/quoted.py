"""Answers in the notes' own words: the quotes, at most a sentence around them, or the word that there are none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vaultrag.answering.citations import with_marks
from vaultrag.answering.prompt import NOTHING_FOUND
from vaultrag.answering.shown import as_read
from vaultrag.answering.witness import DAY, attributed
from vaultrag.domain import (
    Answer,
    AnswerStatus,
    AnswerStyle,
    Backing,
    Chunk,
    Citation,
    Level,
    Passage,
    SearchResult,
    Sentence,
    SentenceState,
    Sureness,
)
from vaultrag.text.quotation_marks import quoted
from vaultrag.vault.parsing.canvas import is_canvas, shown_strings
from vaultrag.vault.parsing.lines import NEWLINE

_BOX = re.compile(r"\[[^\]\d\r\n]\][ \t]")  # of a task whose item's mark stands before the quote; `[1]` is a reference
FRAMES: Mapping[Level, Mapping[str, str]] = {
    Level.BACKED: {"ru": "В заметках сказано:", "en": "The notes say:"},
    Level.WEAK: {
        "ru": "Ближе всего в заметках, хотя уверенности нет:",
        "en": "Nearest in the notes, though not for certain:",
    },
}
"""What stands above quotes, by how sure it is that they answer."""


def quoted_sentences(
    quotes: Sequence[Citation], passages: Sequence[Passage], language: str, first: int = 1
) -> tuple[Sentence, ...]:
    """Return each quote as a sentence with its note and day; what stands in a chat is told as its speaker's."""
    chunks = [_chunk_of(quote, passages) for quote in quotes]
    titles = {passage.chunk.id: passage.title for passage in passages}
    return tuple(
        Sentence(
            number=first + index,
            text=told(quote.quote, chunk, titles.get(chunk.id, ""), language) if chunk else quote.quote,
            state=SentenceState.CITED,
            citations=(quote.number,),
            support=Backing.BACKED,  # it says itself
        )
        for index, (quote, chunk) in enumerate(zip(quotes, chunks, strict=True))
    )


def told(quote: str, chunk: Chunk, title: str, language: str) -> str:
    """Return a quote as its reader sees it, with who said it or where, and when.

    "An assistant said (gpt-4o, 2025-06-10): “…”", or "“…” (Mayak, 2024-09-03)".
    """
    words = quoted(_one_line(_seen(quote, chunk)), language)
    if speaker := attributed("", [chunk], language):
        return f"{speaker}{words}"
    day = day_of(chunk)
    where = ", ".join(filter(None, (title, day if day not in title else "")))
    return f"{words} ({where})" if where else words


def answer_of_quotes(
    question: str,
    language: str,
    quotes: Sequence[Citation],
    found: SearchResult,
    sureness: Sureness,
    timings: Mapping[str, float],
) -> Answer:
    """Return the answer that is the quotes themselves, as sure as `sureness` says; without quotes, that there is none.

    What the notes do not say has the nearest lines as its quotes, to be looked at.
    """
    if sureness.level is Level.NOT_IN_VAULT or not quotes:
        return nothing_said(question, language, quotes, found, sureness, timings)
    sentences = quoted_sentences(quotes, found.passages, language)
    listed = [f"- {with_marks(sentence.text, sentence.citations)}" for sentence in sentences]
    backed = sureness.level is Level.BACKED
    return Answer(
        question=question,
        status=AnswerStatus.ANSWERED if backed else AnswerStatus.PARTLY,
        text="\n".join((FRAMES[sureness.level]["ru" if language == "ru" else "en"], *listed)),
        sentences=sentences,
        citations=tuple(quotes),
        passages=found.passages,
        model="",
        timings=timings,
        tokens={},
        warnings=found.warnings,
        level=sureness.level,
        style=AnswerStyle.QUOTES,
        quotes=tuple(quotes),
        sureness=sureness,
    )


def nothing_said(
    question: str,
    language: str,
    nearest: Sequence[Citation],
    found: SearchResult,
    sureness: Sureness | None,
    timings: Mapping[str, float],
) -> Answer:
    """Return the answer that the notes do not say; `nearest` are lines that come near without saying it."""
    return Answer(
        question=question,
        status=AnswerStatus.NOT_IN_VAULT,
        text=NOTHING_FOUND["ru" if language == "ru" else "en"],
        sentences=(),
        citations=(),
        passages=found.passages,
        model="",
        timings=timings,
        tokens={},
        warnings=found.warnings,
        level=Level.NOT_IN_VAULT,
        style=AnswerStyle.QUOTES,
        quotes=tuple(nearest),
        sureness=sureness,
    )


def _seen(quote: str, chunk: Chunk) -> str:
    """Return a quote as its reader sees it; of a canvas the texts of its cards."""
    start = chunk.text.find(quote)
    if is_canvas(chunk.path) and start >= 0:
        return "\n".join(shown_strings(chunk.text, start, start + len(quote)))
    return as_read(f"- {quote}" if _BOX.match(quote) else quote, chunk.language)


def day_of(chunk: Chunk) -> str:
    """Return the day of which a passage is: a message's own, else the note's; empty where neither is known."""
    return (chunk.said if chunk.speaker else chunk.date)[:DAY]


def _chunk_of(quote: Citation, passages: Sequence[Passage]) -> Chunk | None:
    """Return the chunk that a quote was taken from."""
    for passage in passages:
        chunk = passage.chunk
        inside = chunk.span.first_line <= quote.span.first_line and quote.span.last_line <= chunk.span.last_line
        if chunk.path == quote.path and inside and quote.quote in chunk.text:
            return chunk
    return None


def _one_line(text: str) -> str:
    """Return several lines as one, with a sign where a line ended; the marks round code say nothing to a reader."""
    rows = (line.strip() for line in NEWLINE.split(text))
    lines = [row.removeprefix("- ").strip(" |") for row in rows if not row.startswith(("```", "~~~"))]
    return " / ".join(line.replace(" | ", " · ") for line in lines if line)
