"""Passages, answers, and the pieces in which they come."""

from __future__ import annotations

from typing import cast

from pydantic import Field

from vaultrag import domain
from vaultrag.wire.shapes import Shape


class LaneShare(Shape):
    lane: str
    rank: int
    score: float
    share: float
    via: str = ""
    origin: str = ""


class OtherPlace(Shape):
    """Where else the words of a passage stand."""

    path: str
    heading: list[str]
    lines: tuple[int, int]
    columns: tuple[int, int]
    block: str
    title: str = ""

    @classmethod
    def values_of(cls, noun: domain.OtherPlace) -> dict[str, object]:
        return {**super().values_of(noun), **_place_of(noun.chunk)}


class Passage(Shape):
    path: str
    heading: list[str]
    lines: tuple[int, int]
    columns: tuple[int, int]
    block: str
    text: str
    score: float
    trace: list[LaneShare]
    title: str = ""
    speaker: str = ""
    said: str = Field("", description="Of a message of a chat: when it was written, as far as is known.")
    model: str = Field("", description="Of a message of an assistant: which model wrote it, or the service.")
    date: str = Field("", description="The day of its note.")
    language: str = ""
    similarity: float | None = None
    also: list[OtherPlace] = []

    @classmethod
    def values_of(cls, noun: domain.Passage) -> dict[str, object]:
        chunk = noun.chunk
        return {
            **super().values_of(noun),
            **_place_of(chunk),
            "text": chunk.text,
            "speaker": chunk.speaker,
            "said": chunk.said,
            "model": chunk.model,
            "date": chunk.date,
            "language": chunk.language,
        }


class SearchResult(Shape):
    passages: list[Passage]
    query: str = ""
    lanes: list[str] = []
    warnings: list[str] = []
    timings: dict[str, float] = {}


class Citation(Shape):
    number: int
    path: str
    heading: list[str]
    block: str
    lines: tuple[int, int]
    columns: tuple[int, int]
    quote: str
    verified: str
    score: float = 0.0

    @classmethod
    def values_of(cls, noun: domain.Citation) -> dict[str, object]:
        span = noun.span
        return {
            **super().values_of(noun),
            "heading": noun.heading_path,
            "lines": (span.first_line, span.last_line),
            "columns": (span.first_column, span.last_column),
            "block": noun.block_id,
        }

    def noun(self) -> domain.Citation:
        """Return the citation that this is the JSON of."""
        span = domain.Span(self.lines[0], self.columns[0], self.lines[1], self.columns[1])
        verified = cast(domain.Verification, self.verified)
        place = (self.path, tuple(self.heading), self.block, span)
        return domain.Citation(self.number, *place, self.quote, verified, self.score)


class Sentence(Shape):
    number: int
    text: str
    state: str
    citations: list[int]
    support: str = domain.Backing.UNCHECKED.value


class ProbeRecord(Shape):
    unanswerable: int
    refused: int
    answerable: int
    cited: int
    of_this_vault: bool


class Sureness(Shape):
    level: str
    calibrated: bool = False
    score: float | None = None
    threshold: float | None = None
    record: ProbeRecord | None = None


class Dispute(Shape):
    said: str
    citations: list[int]


class FindingSide(Shape):
    """A claim of a finding. `holder` is user, assistant or quoted; `speaker` the assistant's model, or who is quoted.

    `since` and `until` are days, empty where open; `dated_by` is text, heading or note, empty where nothing tells.
    """

    path: str
    heading: list[str]
    lines: tuple[int, int]
    columns: tuple[int, int]
    quote: str
    holder: str
    speaker: str
    since: str
    until: str
    dated_by: str

    @classmethod
    def values_of(cls, noun: domain.FindingSide | domain.Claim) -> dict[str, object]:
        span, as_of = noun.span, noun.as_of
        return {
            **super().values_of(noun),
            "heading": noun.heading_path,
            "lines": (span.first_line, span.last_line),
            "columns": (span.first_column, span.last_column),
            "since": as_of.first if as_of else "",
            "until": as_of.last if as_of else "",
            "dated_by": as_of.source.value if as_of else "",
        }


class AnswerFinding(Shape):
    """An open finding of `vaultrag contradictions` that touches what an answer cites, by `citations`.

    `kind` is contradiction, superseded (the later one says that it replaces the earlier) or assistants.
    """

    key: str
    kind: str
    reason: str
    one: FindingSide
    other: FindingSide
    citations: list[int]


class Listing(Shape):
    query: str
    said: str
    counted: str
    count: int
    citations: list[Citation]
    sure: bool = True


class Answer(Shape):
    """What `ask --json` prints and the last event of an answer."""

    status: str
    text: str
    sentences: list[Sentence]
    citations: list[Citation]
    passages: list[Passage]
    model: str
    timings: dict[str, float]
    tokens: dict[str, int]
    question: str = ""
    warnings: list[str] = []
    saved: str = ""
    level: str | None = None
    style: str = domain.AnswerStyle.PROSE.value
    quotes: list[Citation] = []
    sureness: Sureness | None = None
    disputes: list[Dispute] = []
    missing: list[str] = []
    listing: Listing | None = None
    stopped: str = ""
    trace: str = ""
    findings: list[AnswerFinding] = []


class PassagesFound(Shape):
    passages: list[Passage]
    left_out: int = 0
    warnings: list[str] = []


class QuotesFound(Shape):
    quotes: list[Citation]
    sureness: Sureness | None = None


class ListingFound(Shape):
    listing: Listing


class StepTaken(Shape):
    step: str
    detail: str = ""


class TextPiece(Shape):
    text: str


class SentenceFound(Shape):
    """A sentence of the draft; `citations` are numbers, `sources` what they stand for.

    It comes again when its support has been judged.
    """

    number: int
    text: str
    state: str
    citations: list[int]
    support: str = domain.Backing.UNCHECKED.value
    sources: list[Citation] = []


def _place_of(chunk: domain.Chunk) -> dict[str, object]:
    return {
        "path": chunk.path,
        "heading": chunk.heading_path,
        "lines": (chunk.span.first_line, chunk.span.last_line),
        "columns": (chunk.span.first_column, chunk.span.last_column),
        "block": chunk.block_id,
    }
