"""Whether kept answers know what became of their sources: seeded edits of cited lines, half of which change nothing.

usage: scripts/bench living [--seed N] [--unseen] [--cases 100] [--model]

The fixture vault is copied, an answer is kept for each of so many notes, each note is edited once, and the night's
stage looks. With --unseen the edits are of kinds that were written after the code; with --model the answering model
judges what must be understood, else such lines are told as "not judged".
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from benchmarks.datasets import fixture, work_folder
from benchmarks.living_edits import MakeEdit, Place, kinds_of
from benchmarks.products import config_for
from benchmarks.report import share, write_report
from vaultrag.answering.citations import locate, source_sentences
from vaultrag.config import Config
from vaultrag.domain import (
    Answer,
    AnswerStatus,
    AnswerStyle,
    Citation,
    Fate,
    JobBudget,
    JobOrder,
    SavedAnswer,
    unwatched,
)
from vaultrag.jobs.living import look_at_answers
from vaultrag.jobs.runs import JobRun, Outcome
from vaultrag.jobs.stage_run import StageRun
from vaultrag.jobs.worker import JobWorker
from vaultrag.store.night.living import read_fates
from vaultrag.store.notes.catalog import Catalog
from vaultrag.vault.parsing.lines import Lines
from vaultrag.workspace import Ownership, Workspace

UNEDITED = 400  # lines that are looked at before anything is edited
SHORTEST, LONGEST = 30, 220  # characters of a line that an answer would quote
JOB = "look"
NOTES = (
    "Each case is one kept answer that quotes a line of the fixture vault (both drawn by seed), and one edit of it.",
    "Told rightly: holds where nothing of what the line says changed, else changed or gone. Not judged counts as wrong"
    " in the first figure; the reader is shown such a line with what it says now.",
)


@dataclass(slots=True)
class Case:
    kind: str
    changes: bool
    path: str
    line: str
    key: str = ""
    fate: str = ""
    edited: dict[str, str | None] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        return self.fate in (("changed", "gone") if self.changes else ("holds",))


def main() -> int:
    options = _options()
    folder = work_folder() / "living"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(fixture().vault, folder / "vault")
    config = config_for(folder / "vault", "living")
    if not options.model:
        config = Config(vault=config.vault, home=config.home, models=folder / "no models", settings=config.settings)
    shutil.rmtree(config.home, ignore_errors=True)
    with Workspace.open(config, Ownership.OWN) as workspace:
        workspace.follow(None, unwatched)
        lines = _lines_that_hold(workspace, random.Random(options.seed))
        cases = list(_cases(workspace, options.cases, random.Random(options.seed), options.unseen))
        _looked(workspace)
        unedited = _fates(workspace)
        for case in cases:
            _write(config.vault, case)
        workspace.follow(None, unwatched)
        began = time.monotonic()
        _looked(workspace)
        seconds = time.monotonic() - began
        fates = _fates(workspace)
        for case in cases:
            case.fate = fates.get(case.key, "")
    _report(options, cases, [*lines, *(fate == Fate.HOLDS for fate in unedited.values())], seconds)
    return 0


def _lines_that_hold(workspace: Workspace, draw: random.Random) -> list[bool]:
    """Tell of lines cut as answers quote them, from all passages, whether they hold while nothing was edited."""
    rows = workspace.database.column("SELECT id FROM chunks ORDER BY id")
    chunks = [one.chunk for one in Catalog(workspace.database).chunks_by_row_ids(rows).values()]
    lines = [(chunk, one) for chunk in chunks for one in source_sentences(0, chunk.text) if one.backs]
    found = []
    for chunk, one in draw.sample(lines, UNEDITED):
        span = locate(chunk, one.start, one.end)
        cited = Citation(1, chunk.path, chunk.heading_path, chunk.block_id, span, one.text, "verbatim", 1.0)
        looked = workspace.archive.look_at(SavedAnswer("-", "", "", _answer_from(cited), ()))
        found.append(looked.fate is Fate.HOLDS)
    return found


def _cases(workspace: Workspace, count: int, draw: random.Random, unseen: bool) -> Iterator[Case]:
    """Keep an answer for each case, one of a note, and yield it; kinds take turns, half of the cases change it."""
    kinds = list(kinds_of(unseen))
    wanted = [[kind for kind in kinds if kind[2] is changes] for changes in (False, True)]
    paths = sorted(path for path in _notes(workspace.config) if path.endswith(".md"))
    draw.shuffle(paths)
    made = 0
    turns = [0, 0]
    for path in paths:
        if made == count:
            return
        changes = made % 2
        order = wanted[changes][turns[changes] % len(wanted[changes]) :] + wanted[changes]
        case = next(filter(None, (_case(workspace, path, kind, draw) for kind in order)), None)
        if case is not None:
            turns[changes] += 1
            made += 1
            yield case


def _case(workspace: Workspace, path: str, kind: tuple[str, MakeEdit, bool], draw: random.Random) -> Case | None:
    """Return a case of a note by one kind of edit, its answer kept; None where no line of it has a place for it."""
    text = (workspace.config.vault / path).read_text(encoding="utf-8")
    lines = [one for one in source_sentences(0, text) if one.backs and SHORTEST <= len(one.text) <= LONGEST]
    draw.shuffle(lines)
    for one in lines:
        if one.start < _body(text):
            continue
        place = Place(path, text, one.start, one.end)
        made = kind[1](place, draw)
        if made is not None:
            key = workspace.archive.save(_answer(place))
            return Case(kind[0], kind[2], path, one.text, key, edited=dict(made))
    return None


def _body(text: str) -> int:
    return text.find("\n---", 3) + 4 if text.startswith("---\n") else 0


def _answer(place: Place) -> Answer:
    span = Lines(place.text).span(place.start, place.end)
    return _answer_from(Citation(1, place.path, (), "", span, place.line, "verbatim", 1.0))


def _answer_from(citation: Citation) -> Answer:
    return Answer(
        question=f"{citation.path}?",
        status=AnswerStatus.ANSWERED,
        text=f"- «{citation.quote}» [1]",
        sentences=(),
        citations=(citation,),
        passages=(),
        model="",
        timings={},
        tokens={},
        style=AnswerStyle.QUOTES,
        quotes=(citation,),
    )


def _notes(config: Config) -> list[str]:
    return [path.relative_to(config.vault).as_posix() for path in config.vault.rglob("*") if path.is_file()]


def _write(vault: Path, case: Case) -> None:
    for path, text in case.edited.items():
        if text is None:
            (vault / path).unlink()
        else:
            (vault / path).parent.mkdir(parents=True, exist_ok=True)
            (vault / path).write_text(text, encoding="utf-8")


def _looked(workspace: Workspace) -> None:
    """Have the stage of the night look, as a job of its own."""

    def work(workspace: Workspace, run: JobRun) -> Outcome:
        for _ in look_at_answers(StageRun(workspace, run, datetime.now(UTC), lambda: False)):
            pass
        return Outcome()

    with closing(JobWorker(workspace, MappingProxyType({JOB: work}))) as worker:
        job = worker.submit(JobOrder(JOB, JOB, {}, JobBudget(0, 0)))
        worker.work_off(lambda: worker.queue.job(job.id).state.ended)
        ended = worker.queue.job(job.id)
        assert ended.failure is None, ended.failure


def _fates(workspace: Workspace) -> dict[str, str]:
    return {key: str(rows[1].fate) for key, rows in read_fates(workspace.database).items()}


def _report(options: argparse.Namespace, cases: Sequence[Case], unedited: Sequence[bool], seconds: float) -> None:
    by_kind = {
        kind: [case for case in cases if case.kind == kind] for kind in dict.fromkeys(case.kind for case in cases)
    }
    halves = {
        "cosmetic": [case for case in cases if not case.changes],
        "real": [case for case in cases if case.changes],
    }
    shown = sum(case.is_right or (case.changes and case.fate == Fate.NOT_JUDGED) for case in cases)
    figures = [
        share("told rightly", sum(case.is_right for case in cases), len(cases)),
        *(
            share(f"{name} told rightly", sum(case.is_right for case in half), len(half))
            for name, half in halves.items()
        ),
        share("told rightly, or shown as not judged", shown, len(cases)),
        share("unedited ones that hold", sum(unedited), len(unedited)),
        *(share(kind, sum(case.is_right for case in found), len(found)) for kind, found in by_kind.items()),
    ]
    name = f"living{'-unseen' if options.unseen else ''}{'-model' if options.model else ''}-{options.seed}"
    details = [
        {**{key: value for key, value in asdict(case).items() if key not in ("edited", "key")}, "right": case.is_right}
        for case in cases
    ]
    title = f"Kept answers after edits (seed {options.seed}{', other kinds of edits' if options.unseen else ''})"
    notes = (*NOTES, f"The stage took {seconds:.1f} s for {len(cases)} answers, on a busy machine.")
    write_report(name, title, figures, notes, details)
    for case in cases:
        if not case.is_right:
            print(f"{case.kind} → {case.fate}: {case.line}\n", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--unseen", action="store_true")
    parser.add_argument("--model", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
