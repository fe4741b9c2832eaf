"""Whether an analysis lists the notes that belong there: three fixture notes whose related notes were listed before.

usage: scripts/bench analyses [STYLE]     quotes (no chat model works) or prose
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.datasets import REPOSITORY, fixture
from benchmarks.products import Product
from benchmarks.report import mean, share, write_report
from vaultrag.answering.quotation import find_quote
from vaultrag.domain import Analysis, AnalysisReady, AnswerStyle
from vaultrag.workspace import Workspace
from vaultrag.workspace.analysing import AnalysisRequest, analyse_note

VAULT = REPOSITORY / "fixtures" / "vault"
NOTES = (
    "fixtures/related.toml names for each note what belongs beside it and what a reader may see either way; it was"
    " written by reading the vault, before any analysis was run. What may be seen either way counts for nothing.",
    "Entries: each place in a section's list. Notes: each listed note once. Backed: the reason's quote stands in the"
    " file of the listed note. Found: of what belongs beside the note; three lists of five hold 15 at most.",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in a section's list: how the fixture judges it, and whether its quote stands in the note."""

    note: str
    section: int
    path: str
    tie: str
    judged: str
    backed: bool
    quoted: bool


def main() -> int:
    style = AnswerStyle(sys.argv[1]) if len(sys.argv) > 1 else AnswerStyle.QUOTES
    with (REPOSITORY / "fixtures" / "related.toml").open("rb") as stream:
        known: list[Mapping[str, Any]] = tomllib.load(stream)["note"]
    entries: list[Entry] = []
    seconds: list[float] = []
    with Product(fixture()) as product:
        for note in known:
            analysis = _analysed(product.workspace, str(note["path"]), style)
            entries += _entries(note, analysis)
            seconds.append(analysis.seconds)
    name = "analyses" if style is AnswerStyle.QUOTES else f"analyses-{style}"
    counted = [one for one in entries if one.judged != "either"]
    distinct = {(one.note, one.path): one.judged for one in counted}
    expected = sum(len(note["related"]) for note in known)
    write_report(
        name,
        f"Notes that analyses list ({style})",
        [
            share("precision, entries", sum(one.judged == "related" for one in counted), len(counted)),
            share("precision, notes", sum(judged == "related" for judged in distinct.values()), len(distinct)),
            share("reasons backed", sum(one.backed for one in entries), len(entries)),
            share("found", sum(judged == "related" for judged in distinct.values()), expected),
            mean("seconds an analysis, on a busy machine", seconds, " s"),
        ],
        NOTES,
        [asdict(one) for one in entries],
    )
    return 0


def _analysed(workspace: Workspace, path: str, style: AnswerStyle) -> Analysis:
    *_, last = analyse_note(workspace, AnalysisRequest(path, style=style))
    assert isinstance(last, AnalysisReady)
    return last.analysis


def _entries(note: Mapping[str, Any], analysis: Analysis) -> Sequence[Entry]:
    cited = {one.number: one for one in analysis.citations}
    return [
        Entry(
            note=analysis.path,
            section=number,
            path=one.path,
            tie=one.tie,
            judged=next((kind for kind in ("related", "either") if one.path in note[kind]), "wrong"),
            backed=cited[one.citation].path == one.path
            and bool(find_quote(cited[one.citation].quote, (VAULT / one.path).read_text(encoding="utf-8"))),
            quoted=one.quoted,
        )
        for number, section in enumerate(analysis.sections, 1)
        for one in section.notes
    ]


if __name__ == "__main__":
    sys.exit(main())
