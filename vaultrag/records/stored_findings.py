"""What the journal keeps of the findings that an answer told, in its form of kept answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from vaultrag.domain import AnswerFinding, AsOf, AsOfSource, FindingKind, FindingSide, Holder, Span

SIDES = ("one", "other")


class StoredAsOf(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    first: str
    last: str
    source: AsOfSource
    year_known: bool


class StoredSide(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    path: str
    heading: list[str]
    lines: tuple[int, int]
    columns: tuple[int, int]
    quote: str
    holder: Holder
    speaker: str
    as_of: StoredAsOf | None

    @classmethod
    def of(cls, side: FindingSide) -> StoredSide:
        span, as_of = side.span, side.as_of
        return cls(
            path=side.path,
            heading=list(side.heading_path),
            lines=(span.first_line, span.last_line),
            columns=(span.first_column, span.last_column),
            quote=side.quote,
            holder=side.holder,
            speaker=side.speaker,
            as_of=StoredAsOf(first=as_of.first, last=as_of.last, source=as_of.source, year_known=as_of.year_known)
            if as_of
            else None,
        )

    def noun(self) -> FindingSide:
        span = Span(self.lines[0], self.columns[0], self.lines[1], self.columns[1])
        as_of = AsOf(**self.as_of.model_dump()) if self.as_of else None
        return FindingSide(self.path, tuple(self.heading), span, self.quote, self.holder, self.speaker, as_of)


class StoredFinding(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    key: str
    kind: FindingKind
    reason: str
    one: StoredSide
    other: StoredSide
    citations: list[int]

    @classmethod
    def of(cls, finding: AnswerFinding) -> StoredFinding:
        return cls(
            key=finding.key,
            kind=finding.kind,
            reason=finding.reason,
            one=StoredSide.of(finding.one),
            other=StoredSide.of(finding.other),
            citations=list(finding.citations),
        )

    def noun(self) -> AnswerFinding:
        sides = self.one.noun(), self.other.noun()
        return AnswerFinding(self.key, self.kind, self.reason, *sides, tuple(self.citations))


def notes_told_of(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the notes of the findings in an answer's body."""
    for finding in answer.get("findings", ()):
        yield from (finding[side]["path"] for side in SIDES)


def retargeted_findings(answer: Mapping[str, Any], now: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the findings in an answer's body with the new paths of notes."""
    return [
        {**one, **{side: {**one[side], "path": now.get(one[side]["path"], one[side]["path"])} for side in SIDES}}
        for one in answer["findings"]
    ]
