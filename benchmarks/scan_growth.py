"""Looking for contradictions as the vault grows: the first look, one after edits, and one with nothing changed.

usage: scripts/bench scan_growth [--sizes 50,500,5000] [--edits N] [--seconds S]
    A double judges, and nothing is embedded, so that no pair is left out for its meaning: what is measured is pairing,
    comparing and keeping, and how often a judge is asked at most. A first look that takes longer than S seconds is
    stopped there and told by the claim.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.datasets import work_folder
from benchmarks.parsing import generate
from benchmarks.products import config_for
from benchmarks.report import Figure, write_report
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.kept import ScanRun, compare_owed
from vaultrag.contradictions.note_texts import NoteTexts
from vaultrag.domain import PairJudgement
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.claims import claim_count
from vaultrag.workspace import Ownership, Workspace

SEED = 20261130
LINES = ("{thing}: гарантия 24 месяца, чек в папке.", "Гарантия на прибор {thing}: 3 года, чек у Нины.")


class CountingJudge:
    """Sees no contradiction anywhere; counts what it is asked."""

    name = fingerprint = "counting"

    def __init__(self) -> None:
        self.asked = 0

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        self.asked += len(pairs)
        return [PairJudgement(0.1, 0.1)] * len(pairs)


@dataclass(frozen=True, slots=True)
class Look:
    """One look: what it cost, and what came of it."""

    run: ScanRun
    seconds: float
    extracting: float
    asked: int


@dataclass(frozen=True, slots=True)
class Growth:
    """The looks over a vault of so many notes."""

    notes: int
    claims: int
    first: Look
    edited: dict[int, Look]
    unchanged: Look
    peak_mib: float


def main() -> int:
    options = _options()
    measured = [_measure(int(size), options.edits, options.seconds) for size in options.sizes.split(",")]
    figures = [figure for growth in measured for figure in _figures(growth)]
    write_report("scan_growth", "Looking for contradictions as the vault grows", figures, NOTES)
    return 0


NOTES = (
    "Generated notes (benchmarks/parsing.py): sentences of the fixture vault in new places, half Russian, so that many"
    " claims are copies of others, which is harder than a vault of one's own.",
    "Processor seconds of the process that compares; memory is its peak so far, and sizes run one after the other.",
    "An edit appends a sentence to a note, which the next one contradicts. Its look reads and indexes all claims, and"
    " compares only those of the changed passages.",
)


def _measure(size: int, edits: int, seconds: float) -> Growth:
    vault = work_folder() / f"scan-edited-{size}"
    shutil.rmtree(vault, ignore_errors=True)
    shutil.copytree(generate(size, f"scan-{size}"), vault)
    config = config_for(vault, f"scan-{size}").model_copy(update={"models": work_folder() / "no-models"})
    shutil.rmtree(config.home, ignore_errors=True)
    with closing(Workspace.with_models(config, Ownership.OWN, None, None)) as workspace:
        judge = CountingJudge()
        first = _look(workspace, judge, seconds)
        _forget_the_rest(workspace)
        edited = {count: _edited(workspace, judge, count) for count in (edits, edits * 4)}
        unchanged = _look(workspace, judge, seconds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Growth(size, claim_count(workspace.database), first, edited, unchanged, peak)


def _look(workspace: Workspace, judge: CountingJudge, seconds: float) -> Look:
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    asked, began = judge.asked, time.process_time()
    workspace.findings.extract()
    extracted = time.process_time()
    ends = extracted + seconds
    texts = NoteTexts(workspace.config, workspace.database)
    run = compare_owed(
        workspace.database,
        texts.at,
        Judges(judge),
        must_stop=lambda: time.process_time() > ends,
    )
    return Look(run, time.process_time() - extracted, extracted - began, judge.asked - asked)


def _forget_the_rest(workspace: Workspace) -> None:
    """Note what a first look had no time for as compared: what follows is measured on its own."""
    recipe = workspace.database.value("SELECT recipe FROM compared_claims LIMIT 1")
    workspace.database.run("INSERT OR IGNORE INTO compared_claims SELECT DISTINCT key, ? FROM claims", (recipe,))


def _edited(workspace: Workspace, judge: CountingJudge, count: int) -> Look:
    notes: list[Path] = random.Random(SEED + count).sample(sorted(workspace.config.vault.rglob("*.md")), count)
    for number, note in enumerate(notes):
        thing = _name(count * 1000 + number // 2)  # two notes each say another warranty of one thing
        line = (f"{thing}: гарантия 24 месяца, чек в папке.", f"Гарантия на прибор {thing}: 3 года, чек у Нины.")[
            number % 2
        ]
        with note.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    return _look(workspace, judge, 3600.0)


def _name(number: int) -> str:
    """Return a name that no note has."""
    return "".join("бвгдзклмнпрст"[number // 13**place % 13] + "аеиоу"[number % 5] for place in range(3)).capitalize()


def _figures(growth: Growth) -> Iterator[Figure]:
    size, first = f"{growth.notes:,} notes", growth.first
    yield _exact(f"{size}: claims", growth.claims)
    yield _exact(f"{size}: extracting them", first.extracting, " s CPU")
    yield _exact(f"{size}: claims compared in the first look", first.run.claims)
    yield _exact(
        f"{size}: first look, a thousand claims, reading and indexing all included",
        1000 * first.seconds / max(1, first.run.claims),
        " s CPU",
    )
    yield _exact(f"{size}: first look, pairs a claim", first.run.pairs / max(1, first.run.claims))
    yield _exact(f"{size}: first look, questions to the judge a claim", first.asked / max(1, first.run.claims))
    for count, look in growth.edited.items():
        yield _exact(f"{size}, {count} edited: claims compared", look.run.claims)
        yield _exact(f"{size}, {count} edited: pairs", look.run.pairs)
        yield _exact(f"{size}, {count} edited: questions to the judge", look.asked)
        yield _exact(f"{size}, {count} edited: look", look.seconds, " s CPU")
    yield _exact(f"{size}, nothing changed: pairs and questions", growth.unchanged.run.pairs + growth.unchanged.asked)
    yield _exact(f"{size}, nothing changed: look", growth.unchanged.seconds, " s CPU")
    yield _exact(f"{size}: memory, at most", growth.peak_mib, " MiB")


def _exact(name: str, value: float, unit: str = "") -> Figure:
    return Figure(name, value, value, value, 1, unit)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench scan_growth")
    parser.add_argument("--sizes", default="50,500,5000")
    parser.add_argument("--edits", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=100.0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
