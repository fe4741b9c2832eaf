"""An analysis as a note: sections, under each the list of notes as wikilinks, and the sources as footnotes."""

from __future__ import annotations

from collections.abc import Iterator

from vaultrag.domain import Analysis, AnalysisSection
from vaultrag.reanalysis.templates import form
from vaultrag.reanalysis.wording import FOUND_NOTHING, LIST_HEAD, SEEN_AS, SOURCES
from vaultrag.records.footnotes import Footnotes, NoteLinks


def analysis_markdown(analysis: Analysis, links: NoteLinks) -> str:
    """Return the Markdown of an analysis, in its language, with links as `links` writes them."""
    footnotes = Footnotes(analysis.citations, links)
    known = "ru" if analysis.language == "ru" else "en"
    title = form({known: analysis.heading}, known, note=links.to_note(analysis.path))
    role = [form(SEEN_AS, known, role=analysis.role), ""] if analysis.role else []
    body = [
        line
        for number, section in enumerate(analysis.sections, 1)
        for line in _section(number, section, known, footnotes, links)
    ]
    stopped = [f"*{analysis.stopped}*", ""] if analysis.stopped else []
    sources = footnotes.lines()
    below = [f"#### {SOURCES[known]}", "", *sources, ""] if sources else []
    return "\n".join((f"# {title}", "", *role, *body, *stopped, *below))


def _section(
    number: int, section: AnalysisSection, known: str, footnotes: Footnotes, links: NoteLinks
) -> Iterator[str]:
    yield from (f"## {number}. {section.heading}", "", footnotes.marked(section.text), "")
    if not section.notes:
        yield from (FOUND_NOTHING[known], "")
        return
    yield from (LIST_HEAD[known], "")
    for note in section.notes:
        yield footnotes.marked(f"- {links.to_note(note.path)} — {note.reason} [{note.citation}]")
    yield ""
