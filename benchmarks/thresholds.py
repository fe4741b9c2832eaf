"""Draws a model's lines on questions and sentences that no figure is reported on; prints config/calibrations.toml's.

usage: scripts/bench thresholds [--model NAME]

Scores are kept by prompt and model outside the repository: a run that was ended goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.answerability import JUDGED, Asked, clapnq, excerpted, near_misses, score
from benchmarks.answers import fixture_items, sample
from benchmarks.datasets import DataMissing, fixture
from benchmarks.products import Product
from benchmarks.remembered import RememberedModel
from benchmarks.remembered_vectors import RememberedEmbedder
from benchmarks.sentences import drafted, score_support
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.answering.judging.calibration import (
    WORDING,
    Scored,
    Thresholds,
    balanced_line,
    discrimination,
    draw_thresholds,
    point_at,
)
from vaultrag.answering.judging.sureness import BEST, Shown
from vaultrag.domain import Embedder

PASSAGES = 20  # CLAPNQ questions of each kind
NEAR = 12  # English questions of XQuAD, each with an answer and without one


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="a chat model of the catalogue")
    arguments = parser.parse_args()
    model = RememberedModel.of(arguments.model)
    try:
        with Product(fixture()) as product:
            reading = Reading(product, RememberedEmbedder(model.embedder()))
            asked, usual = asked_of_the_fixture(reading), as_people_ask(reading)
        beside = [_passages(), _near()]
    except DataMissing as missing:
        print(f"skipped: {missing}")
        return 0
    print(f"[[calibration]]\nmodel = {model.name!r}\nfingerprint = {model.fingerprint!r}\nwording = {WORDING}\n")
    for language, others in (("ru", []), ("en", beside)):
        sets = [score(some, model) for some in (_of(language, asked), _of(language, usual), *others)]
        every = [one for some in sets for one in some]
        _tell(f"answerable.{language}", every, draw_thresholds(every))
    written = score_support(drafted("written"), model)
    _tell("support", written, _told_apart(written))
    model.close()
    return 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the product would have its model read of the fixture."""

    product: Product
    embedder: Embedder

    def of(self, question: str) -> tuple[Shown, ...]:
        count = self.product.workspace.config.settings.answering.passages
        hits = self.product.workspace.search(question, count).passages
        return tuple(Evidence(question, hits, self.embedder).excerpts()[:BEST])


def asked_of_the_fixture(reading: Reading) -> list[Asked]:
    """Return questions to notes of ours, with what the product would read; none whose answer it does not find.

    Where there is an answer, only with the passages that hold it: that another one pleases the model is luck.
    """
    rows = [json.loads(line) for line in (JUDGED / "asked.jsonl").read_text(encoding="utf-8").splitlines()]
    found: list[Asked] = []
    for row in rows:
        read = reading.of(row["question"])
        kept = tuple(passage for passage in read if not row["fact"] or _holds(passage, row["fact"]))
        if kept:
            found.append(Asked(row["question"], row["language"], kept, bool(row["fact"])))
    return found


def as_people_ask(reading: Reading) -> list[Asked]:
    """Return the fixture's questions that nothing is reported on: in people's words, which name less than a note does.

    With all that the product reads, found or not: so many of them are refused in use.
    """
    every = fixture_items("questions.toml")
    reported = {one.question for one in sample(every, full=False)}
    return [
        Asked(one.question, one.lang, reading.of(one.question), True) for one in every if one.question not in reported
    ]


def _passages() -> list[Asked]:
    later = clapnq(reported=False)
    kinds = [[one for one in later if one.answerable is kind][:PASSAGES] for kind in (True, False)]
    return [excerpted(one) for some in kinds for one in some]


def _near() -> list[Asked]:
    """Return English questions with the right paragraph alone, and with its first rival alone."""
    return [excerpted(replace(one, passages=one.passages[:1])) for one in near_misses("en", NEAR)]


def _of(language: str, asked: Sequence[Asked]) -> list[Asked]:
    return [one for one in asked if one.language == language]


def _holds(passage: Shown, fact: str) -> bool:
    return fact.lower() in f"{passage.title}\n{passage.text}".lower()


def _tell(name: str, scored: Sequence[Scored], lines: Thresholds | None) -> None:
    """Print the lines, and as a comment what they mean where they were drawn."""
    if lines is None:
        return
    true = sum(one.true for one in scored)
    low, high = point_at(scored, lines.low), point_at(scored, lines.high)
    print(f"[calibration.{name}]\nlow = {lines.low:.2f}\nhigh = {lines.high:.2f}")
    print(f"# {true} true, {len(scored) - true} not, AUC {discrimination(scored):.2f}; below low {low.caught:.2f}")
    print(f"# of the untrue; from high on {high.kept:.2f} of the true, {high.risk:.2f} of those untrue\n")


def _told_apart(scored: Sequence[Scored]) -> Thresholds | None:
    """Return lines for sentences: a tenth of what is true given up, and where the two kinds are told apart best.

    A risk of a tenth would leave hardly a sentence: those that were written as errors differ by a word.
    """
    lines, cut = draw_thresholds(scored), balanced_line(scored)
    return None if lines is None or cut is None else Thresholds(lines.low, max(lines.low, cut))


if __name__ == "__main__":
    sys.exit(main())
