"""The analysis of a note: what it says to the sections of a template, and under each the notes that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from vaultrag.domain.answers import AnswerStyle, Citation, ModelLoading, StepTaken


class Tie(StrEnum):
    """What binds a note to another one: a link to it or from it, a name in the text, or only what both speak of."""

    LINKED = "linked"
    LINKING = "linking"
    NAMED = "named"
    NAMING = "naming"
    ALIKE = "alike"


@dataclass(frozen=True, slots=True)
class AnalysisEntry:
    """A note of a section's list and why it is there; `citation` is the number of the line of it that backs this.

    `quoted` where the reason is that line, and no sentence of a model.
    """

    path: str
    title: str
    tie: Tie
    reason: str
    citation: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class AnalysisSection:
    """What an analysis says under one heading. Numbers like `[1]` in its texts stand for citations of the analysis."""

    heading: str
    text: str
    notes: tuple[AnalysisEntry, ...]
    style: AnswerStyle


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysis of one note.

    `related` counts the notes that were found to belong to it, `withheld` the sentences and lines that were left out
    because no line of the notes backs them, or backs them any more. `stopped` says why a model wrote no more of it.
    """

    path: str
    title: str
    heading: str
    role: str
    template: str
    language: str
    sections: tuple[AnalysisSection, ...]
    citations: tuple[Citation, ...]
    related: int
    withheld: int = 0
    model: str = ""
    stopped: str = ""
    warnings: tuple[str, ...] = ()
    tokens: int = 0
    seconds: float = 0.0
    trace: str = ""


@dataclass(frozen=True, slots=True)
class KeptAnalysis:
    """An analysis that is kept: since when (ISO 8601, UTC), in which file, and the notes that it speaks of."""

    id: str
    at: str
    place: str
    analysis: Analysis
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SectionReady:
    """A finished section: a unit of the work. What a later one cites may be numbered on from here."""

    section: AnalysisSection


@dataclass(frozen=True, slots=True)
class AnalysisReady:
    """Last event: the whole analysis."""

    analysis: Analysis


AnalysisEvent: TypeAlias = ModelLoading | StepTaken | SectionReady | AnalysisReady
