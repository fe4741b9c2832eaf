"""The JSON that VaultRAG speaks: over HTTP, as server-sent events, and with `--json`. One model for each shape.

`of` turns a domain value into its JSON model. Lines and columns are `[first, last]`, from 1, both inclusive;
columns count code points; paths are relative to the vault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vaultrag import domain, errors

QUESTION_LENGTH = 4_000  # characters; longer is a pasted document, which costs seconds in every lane
CHAT_NAME_LENGTH = 200
PATH_LENGTH = 4_096
PASSAGES_MOST = 100
WORDED = r"\S"  # something that is not white space


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)  # built when first used: `status` needs two of them


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SearchRequest(Request):
    query: str = Field(min_length=1, max_length=QUESTION_LENGTH, pattern=WORDED)
    k: int | None = Field(None, ge=1, le=PASSAGES_MOST)
    reach: str = Field("full", pattern="^(full|words)$")


class AskRequest(Request):
    """`save` keeps the answer; `chat` keeps it in the conversation of that name."""

    question: str = Field(min_length=1, max_length=QUESTION_LENGTH, pattern=WORDED)
    save: bool = False
    chat: str = Field("", max_length=CHAT_NAME_LENGTH)


class IndexRequest(Request):
    deletions: str = Field("guard", pattern="^(guard|accept)$")


class ForgetRequest(Request):
    """`path` names a note, or a folder of the vault."""

    path: str = Field(min_length=1, max_length=PATH_LENGTH, pattern=WORDED)


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


class Progress(Shape):
    phase: str
    done: int
    total: int


class Finding(Shape):
    invariant: str
    severity: str
    detail: str
    remedy: str

    @classmethod
    def of(cls, finding: domain.Finding) -> Finding:
        return cls(
            invariant=finding.invariant,
            severity=finding.severity,
            detail=finding.detail,
            remedy=finding.remedy,
        )


class Findings(Shape):
    findings: list[Finding]

    @classmethod
    def of(cls, findings: Iterable[domain.Finding]) -> Findings:
        return cls(findings=[Finding.of(finding) for finding in findings])


class RepairReport(Shape):
    done: list[str]
    left: list[Finding]
    kept: str
    seconds: float

    @classmethod
    def of(cls, report: domain.RepairReport) -> RepairReport:
        return cls(
            done=list(report.done),
            left=[Finding.of(finding) for finding in report.left],
            kept=report.kept,
            seconds=report.seconds,
        )


class IndexReport(Shape):
    notes: int
    added: int
    modified: int
    moved: int
    removed: int
    chunks: int
    embedded: int
    seconds: float
    failed: list[Finding] = []
    warnings: list[str] = []

    @classmethod
    def of(cls, report: domain.IndexReport) -> IndexReport:
        return cls(
            notes=report.notes,
            added=report.added,
            modified=report.modified,
            moved=report.moved,
            removed=report.removed,
            chunks=report.chunks,
            embedded=report.embedded,
            seconds=report.seconds,
            failed=[Finding.of(finding) for finding in report.failed],
            warnings=list(report.warnings),
        )


class Forgotten(Shape):
    """What went with a note or folder (`path` ends with `/`), and what stays: links elsewhere, files in the vault."""

    path: str
    notes: int
    passages: int
    answers: int
    verdicts: int
    links: int
    remaining: int

    @classmethod
    def of(cls, forgotten: domain.Forgotten) -> Forgotten:
        return cls(
            path=forgotten.path,
            notes=forgotten.notes,
            passages=forgotten.passages,
            answers=forgotten.answers,
            verdicts=forgotten.verdicts,
            links=forgotten.links,
            remaining=forgotten.remaining,
        )


class Included(Shape):
    """What is no longer excluded."""

    path: str


class Server(Shape):
    """A running server, as `status` shows it."""

    pid: int
    url: str
    version: str
    embedder: str
    model: str
    watching: str = Field("", description="How it follows the vault: `events`, `polling`, or not at all.")


class Attention(Shape):
    """What keeps the index from following the vault until somebody decides."""

    kind: str
    message: str
    remedy: str

    @classmethod
    def of(cls, attention: domain.Attention) -> Attention:
        return cls(kind=attention.kind, message=attention.message, remedy=attention.remedy)


class Succession(Shape):
    """How far an embedder is that takes over from the one whose vectors answer: texts done, of all."""

    done: int
    total: int


class IndexStatus(Shape):
    vault: str
    home: str
    notes: int
    chunks: int
    links: int
    unresolved: int
    embeddings: int
    pending: int
    problems: int
    last_indexed: str
    bytes: int
    attention: Attention | None = None
    server: Server | None = None
    succession: Succession | None = None

    @classmethod
    def of(cls, status: domain.IndexStatus, server: Server | None) -> IndexStatus:
        taking_over = status.succession
        return cls(
            vault=status.vault,
            home=status.home,
            notes=status.notes,
            chunks=status.chunks,
            links=status.links,
            unresolved=status.unresolved,
            embeddings=status.embeddings,
            pending=status.pending,
            problems=status.problems,
            last_indexed=status.last_indexed,
            bytes=status.bytes,
            attention=Attention.of(status.attention) if status.attention else None,
            server=server,
            succession=Succession(done=taking_over.done, total=taking_over.total) if taking_over else None,
        )


class Readiness(Shape):
    """`loading`, `ready`, `absent` or `failed`, for each model."""

    embedder: str
    model: str


class Health(Shape):
    """What anyone on this machine may know: neither paths nor text."""

    status: str
    version: str
    instance: str
    readiness: Readiness
    pending: int
    indexing: bool
    watching: str = ""
    attention: str = Field("", description="`deletions_held` or `vault_missing`: see /status.")


class Stopping(Shape):
    stopping: bool = True


class Fault(Shape):
    """An error: its class in `vaultrag.errors`, one sentence, and what to do."""

    error: str
    message: str
    remedy: str

    @classmethod
    def of(cls, error: errors.VaultragError) -> Fault:
        return cls(error=error.kind, message=error.message, remedy=error.remedy)

    def exception(self) -> errors.VaultragError:
        """Return the error that this was made from, with its exit code."""
        kind = getattr(errors, self.error, None)
        if not (isinstance(kind, type) and issubclass(kind, errors.VaultragError)):
            kind = errors.ServerError
        return kind(self.message, self.remedy)


class FollowedSet(Shape):
    """One change set that `vaultrag watch` followed; with a `reason` it was the whole vault."""

    places: int
    reason: str
    added: int
    modified: int
    moved: int
    removed: int
    relinked: int
    seconds: float
    failed: list[Finding]
    attention: Attention | None = None
    error: Fault | None = None


Event: TypeAlias = (
    PassagesFound | TextPiece | SentenceFound | Answer | Progress | IndexReport | Findings | Forgotten | Fault
)
Events: TypeAlias = Generator[Event, None, None]
EVENTS: dict[str, type[Event]] = {
    "passages": PassagesFound,
    "text": TextPiece,
    "sentence": SentenceFound,
    "answer": Answer,
    "progress": Progress,
    "report": IndexReport,
    "findings": Findings,
    "forgotten": Forgotten,
    "error": Fault,
}
_NAMES = {kind: name for name, kind in EVENTS.items()}


def answer_event(event: domain.AnswerEvent) -> Event:
    """Turn one event of an answer into its JSON model."""
    match event:
        case domain.PassagesFound():
            passages = [Passage.of(passage) for passage in event.passages]
            return PassagesFound(passages=passages, left_out=event.left_out, warnings=list(event.warnings))
        case domain.TextPiece():
            return TextPiece(text=event.text)
        case domain.SentenceFound():
            sources = [Citation.of(citation) for citation in event.citations]
            return SentenceFound(**Sentence.of(event.sentence).model_dump(), sources=sources)
        case domain.AnswerReady():
            return Answer.of(event.answer)


def sse(event: Event) -> bytes:
    """Frame one server-sent event."""
    return f"event: {_NAMES[type(event)]}\ndata: {dumps(event)}\n\n".encode()


def parse_event(name: str, data: str) -> Event | None:
    """Read one server-sent event; None for a name this version does not know. Raises ServerError for broken data."""
    kind = EVENTS.get(name)
    if kind is None:
        return None
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise errors.ServerError(
            f"The server sent an event `{name}` that this version does not understand.",
            "Restart it, so that both are of one version: vaultrag serve --stop.",
        ) from error


# DEL and C1 steer terminals, U+2028 and U+2029 end lines for some readers, and surrogates have no UTF-8
_ESCAPED = re.compile("[\u007f-\u009f\u2028\u2029\ud800-\udfff]")


def dumps(value: BaseModel | dict[str, Any], indent: int | None = None) -> str:
    """Write JSON that no terminal interprets: Cyrillic as it is, every control character escaped."""
    plain = value.model_dump() if isinstance(value, BaseModel) else value
    text = json.dumps(plain, ensure_ascii=False, indent=indent)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
