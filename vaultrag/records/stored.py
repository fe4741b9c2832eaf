"""What the journal keeps of an answer and of a verdict: a form of its own, so that no change of the API breaks it.

A body names its form in `form`. One without is of form 1, the API's JSON of that time, which form 2 differs from by
what it leaves out: `passages` and `saved`, both always empty. Whoever changes what is kept adds a form and reads the
earlier ones: bodies are never written anew for it. `paths` names the notes that a body speaks of, in every form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from vaultrag.domain import (
    Answer,
    AnswerStatus,
    Citation,
    SavedAnswer,
    Sentence,
    SentenceState,
    Span,
    Verdict,
    VerdictState,
    Verification,
)
from vaultrag.errors import IndexDamaged, IndexTooNew
from vaultrag.store.journal import Entry
from vaultrag.store.records import Kind

FORM = 2


class StoredForm(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)  # built when first used


class StoredCitation(StoredForm):
    number: int
    path: str
    heading: list[str]
    block: str
    lines: tuple[int, int]
    columns: tuple[int, int]
    quote: str
    verified: str
    score: float = 0.0


class StoredSentence(StoredForm):
    number: int
    text: str
    state: SentenceState
    citations: list[int]


class StoredAnswer(StoredForm):
    question: str = ""
    status: AnswerStatus
    text: str
    sentences: list[StoredSentence]
    citations: list[StoredCitation]
    model: str
    timings: dict[str, float]
    tokens: dict[str, int]
    warnings: list[str] = []


class StoredRecord(StoredForm):
    """The body of a saved answer, but for its form. Its id is the record's key."""

    saved_at: str
    chat: str
    answer: StoredAnswer
    paths: list[str]


def answer_body(saved: SavedAnswer) -> dict[str, Any]:
    """Return the body that keeps an answer. What it cites is kept, the passages that it was given are not."""
    answer = saved.answer
    record = StoredRecord(
        saved_at=saved.saved_at,
        chat=saved.chat,
        answer=StoredAnswer(
            question=answer.question,
            status=answer.status,
            text=answer.text,
            sentences=[_stored_sentence(sentence) for sentence in answer.sentences],
            citations=[_stored_citation(citation) for citation in answer.citations],
            model=answer.model,
            timings=dict(answer.timings),
            tokens=dict(answer.tokens),
            warnings=list(answer.warnings),
        ),
        paths=list(saved.paths),
    )
    return {"form": FORM, **record.model_dump(mode="json")}


def read_answer(key: str, body: Mapping[str, Any]) -> SavedAnswer:
    """Read a saved answer of any form. Raises IndexTooNew, and IndexDamaged for what is none."""
    _require_known_form(body, f"The saved answer {key}")
    try:
        record = StoredRecord.model_validate(body)
    except ValidationError as error:
        raise IndexDamaged(
            f"The saved answer {key} is none that this version understands.", f"Run: vaultrag answers delete {key}"
        ) from error
    return SavedAnswer(key, record.saved_at, record.chat, _answer(record.answer), tuple(record.paths))


def verdict_body(verdict: Verdict) -> dict[str, Any]:
    """Return the body that keeps a verdict."""
    return {
        "form": FORM,
        "state": verdict.state.value,
        "paths": list(verdict.paths),
        "note": verdict.note,
        "until": verdict.until,
    }


def read_verdict(key: str, body: Mapping[str, Any]) -> Verdict:
    """Read a verdict of any form. Raises IndexTooNew, and KeyError, TypeError or ValueError for what is none."""
    _require_known_form(body, f"The verdict {key}")
    return Verdict(key, VerdictState(body["state"]), tuple(body["paths"]), body["note"], body["until"])


def retarget(body: Mapping[str, Any], moves: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a record's body with the new paths of notes that moved, one move after the other."""
    now: dict[str, str] = {}
    for old, new in reversed(moves):
        now[old] = now.get(new, new)
    paths = [now.get(path, path) for path in body["paths"]]
    changed = {**body, "paths": list(dict.fromkeys(paths))}
    if "answer" in body:
        cited = body["answer"]["citations"]
        citations = [{**citation, "path": now.get(citation["path"], citation["path"])} for citation in cited]
        changed["answer"] = {**body["answer"], "citations": citations}
    return changed


def is_sound(entry: Entry) -> bool:
    """Tell whether an entry from a stranger's file is a record as some version of us writes them.

    Raises IndexTooNew for a form that this version does not know.
    """
    if entry.body is None:
        return entry.kind in list(Kind)
    body = json.loads(entry.body)
    try:
        match entry.kind:
            case Kind.ANSWER:
                datetime.fromisoformat(read_answer(entry.key, body).saved_at)
                return _are_texts(body["paths"])
            case Kind.VERDICT:
                read_verdict(entry.key, body)
                return _are_texts(body["paths"]) and _are_texts([body["note"], body["until"]])
            case Kind.EXCLUSION:
                return _are_texts([body["salt"]])
    except (IndexDamaged, ValueError, KeyError, TypeError):
        return False
    return False


def _require_known_form(body: Mapping[str, Any], what: str) -> None:
    form = body.get("form", 1)
    if type(form) is int and form > FORM:
        raise IndexTooNew(f"{what} was kept by a newer VaultRAG.", "Update VaultRAG.")


def _stored_sentence(sentence: Sentence) -> StoredSentence:
    return StoredSentence(
        number=sentence.number, text=sentence.text, state=sentence.state, citations=list(sentence.citations)
    )


def _stored_citation(citation: Citation) -> StoredCitation:
    span = citation.span
    return StoredCitation(
        number=citation.number,
        path=citation.path,
        heading=list(citation.heading_path),
        block=citation.block_id,
        lines=(span.first_line, span.last_line),
        columns=(span.first_column, span.last_column),
        quote=citation.quote,
        verified=citation.verified,
        score=citation.score,
    )


def _answer(stored: StoredAnswer) -> Answer:
    return Answer(
        question=stored.question,
        status=stored.status,
        text=stored.text,
        sentences=tuple(_sentence(sentence) for sentence in stored.sentences),
        citations=tuple(_citation(citation) for citation in stored.citations),
        passages=(),
        model=stored.model,
        timings=stored.timings,
        tokens=stored.tokens,
        warnings=tuple(stored.warnings),
    )


def _sentence(stored: StoredSentence) -> Sentence:
    return Sentence(stored.number, stored.text, stored.state, tuple(stored.citations))


def _citation(stored: StoredCitation) -> Citation:
    return Citation(
        number=stored.number,
        path=stored.path,
        heading_path=tuple(stored.heading),
        block_id=stored.block,
        span=Span(stored.lines[0], stored.columns[0], stored.lines[1], stored.columns[1]),
        quote=stored.quote,
        verified=cast(Verification, stored.verified),
        score=stored.score,
    )


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
