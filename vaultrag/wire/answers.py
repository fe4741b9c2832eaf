"""Passages, answers, and the pieces in which they come."""

from __future__ import annotations

from vaultrag import domain
from vaultrag.wire.shapes import Shape


class LaneShare(Shape):
    lane: str
    rank: int
    score: float
    share: float
    via: str = ""

    @classmethod
    def of(cls, share: domain.LaneShare) -> LaneShare:
        return cls(lane=share.lane, rank=share.rank, score=share.score, share=share.share, via=share.via)


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
    language: str = ""
    similarity: float | None = None

    @classmethod
    def of(cls, passage: domain.Passage) -> Passage:
        chunk = passage.chunk
        return cls(
            path=chunk.path,
            heading=list(chunk.heading_path),
            lines=(chunk.span.first_line, chunk.span.last_line),
            columns=(chunk.span.first_column, chunk.span.last_column),
            block=chunk.block_id,
            text=chunk.text,
            score=passage.score,
            trace=[LaneShare.of(share) for share in passage.trace],
            title=passage.title,
            speaker=chunk.speaker,
            language=chunk.language,
            similarity=passage.similarity,
        )


class SearchResult(Shape):
    passages: list[Passage]
    query: str = ""
    lanes: list[str] = []
    warnings: list[str] = []
    timings: dict[str, float] = {}

    @classmethod
    def of(cls, result: domain.SearchResult) -> SearchResult:
        return cls(
            passages=[Passage.of(passage) for passage in result.passages],
            query=result.query,
            lanes=list(result.lanes),
            warnings=list(result.warnings),
            timings=dict(result.timings),
        )


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
    def of(cls, citation: domain.Citation) -> Citation:
        return cls(
            number=citation.number,
            path=citation.path,
            heading=list(citation.heading_path),
            block=citation.block_id,
            lines=(citation.span.first_line, citation.span.last_line),
            columns=(citation.span.first_column, citation.span.last_column),
            quote=citation.quote,
            verified=citation.verified,
            score=citation.score,
        )


class Sentence(Shape):
    number: int
    text: str
    state: str
    citations: list[int]

    @classmethod
    def of(cls, sentence: domain.Sentence) -> Sentence:
        return cls(
            number=sentence.number,
            text=sentence.text,
            state=sentence.state.value,
            citations=list(sentence.citations),
        )


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

    @classmethod
    def of(cls, answer: domain.Answer) -> Answer:
        return cls(
            status=answer.status.value,
            text=answer.text,
            sentences=[Sentence.of(sentence) for sentence in answer.sentences],
            citations=[Citation.of(citation) for citation in answer.citations],
            passages=[Passage.of(passage) for passage in answer.passages],
            model=answer.model,
            timings=dict(answer.timings),
            tokens=dict(answer.tokens),
            question=answer.question,
            warnings=list(answer.warnings),
            saved=answer.saved,
        )


class PassagesFound(Shape):
    passages: list[Passage]
    left_out: int = 0
    warnings: list[str] = []


class TextPiece(Shape):
    text: str


class SentenceFound(Shape):
    """A sentence of the draft; `citations` are numbers, `sources` what they stand for."""

    number: int
    text: str
    state: str
    citations: list[int]
    sources: list[Citation] = []
