"""What the journal keeps of an answer and of a verdict: a form of its own, so that no change of the API breaks it.

A body names its form in `form`. One without is of form 1, the API's JSON of that time, which form 2 differs from by
what it leaves out: `passages` and `saved`, both always empty. Form 3 adds quotes, support, level and what goes with
them. Form 4 adds findings, and of verdicts who is right and the state `accepted`. Whoever changes what is kept adds a
form and reads the earlier ones: bodies are never written anew for it. `paths` names the notes that a body speaks of,
in every form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from vaultrag.domain import (
    Answer,
    AnswerStatus,
    AnswerStyle,
    Backing,
    Dispute,
    Filter,
    FilterKind,
    Level,
    Listing,
    ProbeRecord,
    SavedAnswer,
    Sentence,
    SentenceState,
    Sureness,
    Verdict,
    VerdictState,
)
from vaultrag.errors import IndexDamaged, IndexTooNew, UsageError
from vaultrag.records.stored_analyses import read_kept
from vaultrag.records.stored_citations import StoredCitation, StoredForm, citation_of, stored_citation
from vaultrag.records.stored_findings import StoredFinding, notes_told_of, retargeted_findings
from vaultrag.records.stored_jobs import is_job
from vaultrag.retrieval.filters import parse_query
from vaultrag.store.journal import Entry
from vaultrag.store.records import Kind

FORM = 4
CITING = {"citations", "quotes"}  # the lists of an answer, or of its listing, that name notes


class StoredSentence(StoredForm):
    number: int
    text: str
    state: SentenceState
    citations: list[int]
    support: Backing = Backing.UNCHECKED


class StoredRecordOfProbes(StoredForm):
    unanswerable: int
    refused: int
    answerable: int
    cited: int
    of_this_vault: bool


class StoredSureness(StoredForm):
    level: Level
    calibrated: bool
    score: float | None
    threshold: float | None
    record: StoredRecordOfProbes | None


class StoredDispute(StoredForm):
    said: str
    citations: list[int]


class StoredListing(StoredForm):
    query: str
    said: str
    counted: str
    count: int
    citations: list[StoredCitation]
    sure: bool


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
    level: Level | None = None
    style: AnswerStyle = AnswerStyle.PROSE
    quotes: list[StoredCitation] = []
    sureness: StoredSureness | None = None
    disputes: list[StoredDispute] = []
    missing: list[str] = []
    listing: StoredListing | None = None
    stopped: str = ""
    trace: str = ""
    findings: list[StoredFinding] = []


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
            citations=[stored_citation(citation) for citation in answer.citations],
            model=answer.model,
            timings=dict(answer.timings),
            tokens=dict(answer.tokens),
            warnings=list(answer.warnings),
            level=answer.level,
            style=answer.style,
            quotes=[stored_citation(quote) for quote in answer.quotes],
            sureness=StoredSureness.model_validate(asdict(answer.sureness)) if answer.sureness else None,
            disputes=[StoredDispute(said=one.said, citations=list(one.citations)) for one in answer.disputes],
            missing=list(answer.missing),
            listing=_stored_listing(answer.listing) if answer.listing else None,
            stopped=answer.stopped,
            trace=answer.trace,
            findings=[StoredFinding.of(finding) for finding in answer.findings],
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
        **({"right": verdict.right} if verdict.right else {}),
    }


def read_verdict(key: str, body: Mapping[str, Any]) -> Verdict:
    """Read a verdict of any form. Raises IndexTooNew, and KeyError, TypeError or ValueError for what is none."""
    _require_known_form(body, f"The verdict {key}")
    state, paths = VerdictState(body["state"]), tuple(body["paths"])
    return Verdict(key, state, paths, body["note"], body["until"], body.get("right", ""))


def notes_of(body: Mapping[str, Any]) -> set[str]:
    """Return the notes that a record's body speaks of: it was made from them, cites them, or lists by their names.

    A folder that it lists by ends with a `/`.
    """
    return {*body.get("paths", ()), *_spoken_of(body.get("answer") or {})}


def retarget(body: Mapping[str, Any], moves: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a record's body with the new paths of notes that moved, one move after the other."""
    now: dict[str, str] = {}
    for old, new in reversed(moves):
        now[old] = now.get(new, new)
    paths = [now.get(path, path) for path in body["paths"]]
    changed = {**body, "paths": list(dict.fromkeys(paths))}
    if "answer" in body:
        changed["answer"] = _retargeted(body["answer"], now)
    if "request" in body and "note" in body["request"]:
        note = body["request"]["note"]
        changed["request"] = {**body["request"], "note": now.get(note, note)}
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
                return _are_texts(body["paths"]) and _are_texts([body["note"], body["until"], body.get("right", "")])
            case Kind.EXCLUSION:
                return _are_texts([body["salt"]])
            case Kind.ANALYSIS:
                datetime.fromisoformat(read_kept(entry.key, body).at)
                return _are_texts(body["paths"])
            case Kind.JOB:
                return is_job(entry.key, body)
    except (IndexDamaged, ValueError, KeyError, TypeError):
        return False
    return False


def _retargeted(body: Mapping[str, Any], now: Mapping[str, str]) -> dict[str, Any]:
    """Return the part of a body that holds citations, with the new paths of notes."""
    changed = dict(body)
    for name in CITING & body.keys():
        changed[name] = [{**one, "path": now.get(one["path"], one["path"])} for one in body[name]]
    if body.get("findings"):
        changed["findings"] = retargeted_findings(body, now)
    if body.get("listing"):
        changed["listing"] = _retargeted(body["listing"], now)
    return changed


def _spoken_of(body: Mapping[str, Any]) -> Iterator[str]:
    for name in CITING & body.keys():
        yield from (one["path"] for one in body[name])
    yield from notes_told_of(body)
    if listing := body.get("listing"):
        yield from _spoken_of(listing)
        with suppress(UsageError):  # a query of another version
            yield from named_by(parse_query(listing["query"]).filters)


def named_by(filters: Iterable[Filter]) -> Iterator[str]:
    """Yield the notes and folders that filters name."""
    for one in filters:
        yield from named_by(one.any_of)
        if one.kind is FilterKind.LINK and one.value:
            yield f"{one.value}.md"
        if one.kind is FilterKind.PATH and one.value:
            yield one.value.removeprefix("/")


def _require_known_form(body: Mapping[str, Any], what: str) -> None:
    form = body.get("form", 1)
    if type(form) is int and form > FORM:
        raise IndexTooNew(f"{what} was kept by a newer VaultRAG.", "Update VaultRAG.")


def _stored_sentence(sentence: Sentence) -> StoredSentence:
    return StoredSentence(
        number=sentence.number,
        text=sentence.text,
        state=sentence.state,
        citations=list(sentence.citations),
        support=sentence.support,
    )


def _stored_listing(listing: Listing) -> StoredListing:
    return StoredListing(
        query=listing.query,
        said=listing.said,
        counted=listing.counted,
        count=listing.count,
        citations=[stored_citation(citation) for citation in listing.citations],
        sure=listing.sure,
    )


def _answer(stored: StoredAnswer) -> Answer:
    return Answer(
        question=stored.question,
        status=stored.status,
        text=stored.text,
        sentences=tuple(_sentence(sentence) for sentence in stored.sentences),
        citations=tuple(citation_of(citation) for citation in stored.citations),
        passages=(),
        model=stored.model,
        timings=stored.timings,
        tokens=stored.tokens,
        warnings=tuple(stored.warnings),
        level=stored.level,
        style=stored.style,
        quotes=tuple(citation_of(quote) for quote in stored.quotes),
        sureness=_sureness(stored.sureness) if stored.sureness else None,
        disputes=tuple(Dispute(one.said, tuple(one.citations)) for one in stored.disputes),
        missing=tuple(stored.missing),
        listing=_listing(stored.listing) if stored.listing else None,
        stopped=stored.stopped,
        trace=stored.trace,
        findings=tuple(finding.noun() for finding in stored.findings),
    )


def _sureness(stored: StoredSureness) -> Sureness:
    record = ProbeRecord(**stored.record.model_dump()) if stored.record else None
    return Sureness(stored.level, stored.calibrated, stored.score, stored.threshold, record)


def _listing(stored: StoredListing) -> Listing:
    citations = tuple(citation_of(citation) for citation in stored.citations)
    return Listing(stored.query, stored.said, stored.counted, stored.count, citations, stored.sure)


def _sentence(stored: StoredSentence) -> Sentence:
    return Sentence(stored.number, stored.text, stored.state, tuple(stored.citations), stored.support)


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
