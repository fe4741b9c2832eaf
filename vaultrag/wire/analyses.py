"""The JSON of an analysis of a note, and of the notes that are due. As in `vaultrag.wire`."""

from __future__ import annotations

from pydantic import Field

from vaultrag import domain
from vaultrag.wire import Citation, Shape


class AnalysisEntry(Shape):
    """A note of a section's list. `citation` is the number of the line that backs the reason."""

    path: str
    title: str
    tie: str = Field(description="linked, linking, named, naming, or alike: found by a search.")
    reason: str
    citation: int
    quoted: bool = Field(description="Whether the reason is the listed note's own line, and no model's sentence.")


class AnalysisSection(Shape):
    heading: str
    text: str
    notes: list[AnalysisEntry]
    style: str


class Analysis(Shape):
    """An analysis. `markdown` is all of it as a note; numbers like `[1]` in its texts are those of `citations`."""

    path: str
    title: str
    role: str
    template: str
    language: str
    sections: list[AnalysisSection]
    citations: list[Citation]
    related: int
    withheld: int
    model: str
    stopped: str
    warnings: list[str]
    tokens: int
    seconds: float
    trace: str
    markdown: str
    file: str = ""

    @classmethod
    def values_of(cls, noun: domain.Analysis) -> dict[str, object]:
        return {**super().values_of(noun), "markdown": ""}


class DueForAnalysis(Shape):
    path: str
    role: str
    why: str
    analysed_at: float


class DueNotes(Shape):
    template: str
    notes: list[DueForAnalysis]


class KeptAnalysis(Shape):
    """A kept analysis: since when, in which file, and whether what it quotes still holds, as in `LivingAnswer`."""

    id: str
    at: str
    place: str
    path: str
    title: str
    role: str
    template: str
    fate: str


class KeptAnalyses(Shape):
    analyses: list[KeptAnalysis]
