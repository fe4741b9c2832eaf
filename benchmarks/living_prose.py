"""Whether sentences in a model's words are known to stand or to fall when their line is written anew.

usage: scripts/bench living_prose [--model]

The cases are fixtures/living.toml, written by hand before any was run. Without --model what must be understood is told
as "not judged"; with it the answering model says whether the new line supports the sentence.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.datasets import REPOSITORY, work_folder
from benchmarks.products import config_for
from benchmarks.report import Figure, share, write_report
from vaultrag.domain import (
    Answer,
    AnswerStatus,
    AnswerStyle,
    Citation,
    Fate,
    Role,
    SavedAnswer,
    Sentence,
    SentenceState,
    Span,
)
from vaultrag.jobs.living import FateJudge
from vaultrag.records.living import look_at
from vaultrag.records.sources import CitedNote
from vaultrag.workspace import Ownership, Workspace

EDITS = {"same": False, "aside": False, "other": True}
NOTES = (
    "Each case is a sentence, its line, and three edits of it: other words with the same sense, a change of what the"
    " sentence does not speak of, and the contrary in other words. A third of the sentences is in the other language.",
    "Told rightly: holds for the first two, changed or gone for the third. Wrongly: the opposite. The rest is told as"
    " not judged, with both lines.",
)


def main() -> int:
    with (REPOSITORY / "fixtures" / "living.toml").open("rb") as stream:
        cases: list[Mapping[str, Any]] = tomllib.load(stream)["case"]
    rows = []
    with _workspace() as workspace:
        judge = _judge(workspace) if "--model" in sys.argv else FateJudge()
        for case in cases:
            for edit, changes in EDITS.items():
                fate, now = _fate(case, edit, judge)
                told = {Fate.HOLDS: not changes, Fate.NOT_JUDGED: None}.get(fate, changes)
                rows.append({"edit": edit, "sentence": case["sentence"], "now": now, "fate": fate, "right": told})
    kinds = {edit: [row for row in rows if row["edit"] == edit] for edit in EDITS}
    write_report(
        "living-prose-model" if "--model" in sys.argv else "living-prose",
        "Sentences whose line was written anew",
        [
            _share("told rightly", rows, right=True),
            _share("told wrongly", rows, right=False),
            *(
                share(f"{kind}: rightly", sum(row["right"] is True for row in of), len(of))
                for kind, of in kinds.items()
            ),
            *(
                share(f"{kind}: wrongly", sum(row["right"] is False for row in of), len(of))
                for kind, of in kinds.items()
            ),
        ],
        NOTES,
        rows,
    )
    return 0


def _share(name: str, rows: Sequence[Mapping[str, Any]], *, right: bool) -> Figure:
    return share(name, sum(row["right"] is right for row in rows), len(rows))


def _workspace() -> Workspace:
    vault = work_folder() / "living-prose-vault"
    vault.mkdir(parents=True, exist_ok=True)
    return Workspace.open(config_for(vault, "living-prose"), Ownership.OWN)


def _judge(workspace: Workspace) -> FateJudge:
    asking = workspace.longer_way().asking
    return FateJudge("model", asking.checks(asking.chat(Role.ANSWER), Role.ANSWER).supports)


def _fate(case: Mapping[str, Any], edit: str, judge: FateJudge) -> tuple[Fate, str]:
    text = (REPOSITORY / "fixtures" / "vault" / case["path"]).read_text(encoding="utf-8")
    note = CitedNote(case["path"], text.replace(case["quote"], case[edit]))
    [source] = look_at(_saved(case, text), lambda citations: [note.state_of(citations[0])], lambda _: None).sources
    return (judge.judge(source, "") if source.doubtful else source.fate), source.now


def _saved(case: Mapping[str, Any], text: str) -> SavedAnswer:
    line = text[: text.index(case["quote"])].count("\n") + 1
    cited = Citation(1, case["path"], (), "", Span(line, 1, line, 1), case["quote"], "verbatim", 1.0)
    answer = Answer(
        question="",
        status=AnswerStatus.ANSWERED,
        text="",
        sentences=(Sentence(1, case["sentence"], SentenceState.CITED, (1,)),),
        citations=(cited,),
        passages=(),
        model="",
        timings={},
        tokens={},
        style=AnswerStyle.PROSE,
    )
    return SavedAnswer("a", "", "", answer, ())


if __name__ == "__main__":
    sys.exit(main())
