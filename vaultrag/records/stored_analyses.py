"""The form in which an analysis of a note is kept, with what it quotes: so it is found, looked at again, and forgotten.

`request.note` and the citations follow notes that move; the places of a section's notes are those of their citations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from vaultrag.domain import Analysis, AnalysisEntry, AnalysisSection, AnswerStyle, KeptAnalysis, Tie
from vaultrag.errors import IndexDamaged, IndexTooNew
from vaultrag.records.stored_citations import StoredCitation, StoredForm, citation_of, stored_citation

FORM = 1


class StoredEntry(StoredForm):
    title: str
    tie: Tie
    reason: str
    citation: int
    quoted: bool


class StoredSection(StoredForm):
    heading: str
    text: str
    style: AnswerStyle
    notes: list[StoredEntry]


class StoredAnalysis(StoredForm):
    title: str
    heading: str
    role: str
    template: str
    language: str
    sections: list[StoredSection]
    related: int
    withheld: int
    model: str
    stopped: str
    warnings: list[str]
    tokens: int
    seconds: float
    trace: str


class StoredAnswerPart(StoredForm):
    citations: list[StoredCitation]


class StoredRequest(StoredForm):
    note: str


class StoredKeptAnalysis(StoredForm):
    """The body of a kept analysis, but for its form. Its id is the record's key."""

    at: str
    place: str
    request: StoredRequest
    answer: StoredAnswerPart
    analysis: StoredAnalysis
    paths: list[str]


def kept_body(kept: KeptAnalysis) -> dict[str, Any]:
    """Return the body that keeps an analysis."""
    one = kept.analysis
    plain = {name: value for name, value in asdict(one).items() if name in StoredAnalysis.model_fields}
    sections = [
        StoredSection(
            heading=section.heading,
            text=section.text,
            style=section.style,
            notes=[StoredEntry(**{k: v for k, v in asdict(note).items() if k != "path"}) for note in section.notes],
        )
        for section in one.sections
    ]
    record = StoredKeptAnalysis(
        at=kept.at,
        place=kept.place,
        request=StoredRequest(note=one.path),
        answer=StoredAnswerPart(citations=[stored_citation(citation) for citation in one.citations]),
        analysis=StoredAnalysis(**{**plain, "sections": sections, "warnings": list(one.warnings)}),
        paths=list(kept.paths),
    )
    return {"form": FORM, **record.model_dump(mode="json")}


def read_kept(key: str, body: Mapping[str, Any]) -> KeptAnalysis:
    """Return a kept analysis. Raises IndexDamaged, and IndexTooNew for a form that this version does not know."""
    if body.get("form") != FORM:
        raise IndexTooNew("An analysis was kept by a newer VaultRAG.", "Update VaultRAG.")
    try:
        stored = StoredKeptAnalysis.model_validate(body)
        return KeptAnalysis(key, stored.at, stored.place, _analysis(stored), tuple(stored.paths))
    except (ValidationError, KeyError) as error:
        raise IndexDamaged(f"The kept analysis {key} cannot be read.", "Run: vaultrag repair") from error


def _analysis(stored: StoredKeptAnalysis) -> Analysis:
    citations = tuple(citation_of(one) for one in stored.answer.citations)
    paths = {citation.number: citation.path for citation in citations}
    one = stored.analysis
    return Analysis(
        path=stored.request.note,
        title=one.title,
        heading=one.heading,
        role=one.role,
        template=one.template,
        language=one.language,
        sections=tuple(_section(section, paths) for section in one.sections),
        citations=citations,
        related=one.related,
        withheld=one.withheld,
        model=one.model,
        stopped=one.stopped,
        warnings=tuple(one.warnings),
        tokens=one.tokens,
        seconds=one.seconds,
        trace=one.trace,
    )


def _section(stored: StoredSection, paths: Mapping[int, str]) -> AnalysisSection:
    notes = tuple(
        AnalysisEntry(paths[note.citation], note.title, note.tie, note.reason, note.citation, note.quoted)
        for note in stored.notes
    )
    return AnalysisSection(stored.heading, stored.text, notes, stored.style)
