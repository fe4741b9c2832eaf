"""Do the cited lines say what a sentence says: drafted sentences read one by one, and WiCE, beside words alone.

usage: scripts/bench support [--full] [--model NAME]

Scores are kept by prompt and model outside the repository: a run that was ended goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.datasets import DataMissing
from benchmarks.remembered import RememberedModel
from benchmarks.report import Figure, area, share, write_report
from benchmarks.sentences import Judged, drafted, score_support, score_words, wice
from vaultrag.answering.judging.calibration import Scored, Thresholds, curve
from vaultrag.answering.judging.calibration_files import calibration_of
from vaultrag.answering.judging.support import holds_numbers

SAMPLE = 40  # claims of WiCE of each kind
ALL = 115  # as many as are supported
WORDS = 0.6  # of a sentence's words must stand in its lines, in the row without a model: drawn on the calibration set


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="a chat model of the catalogue")
    parser.add_argument("--full", action="store_true", help="ask of all that is balanced in WiCE")
    arguments = parser.parse_args()
    sets = {"drafted": drafted("fixture")}
    try:
        sets["WiCE"] = wice(ALL if arguments.full else SAMPLE)
    except DataMissing as missing:
        print(f"skipped: {missing}")
    model = RememberedModel.of(arguments.model)
    thresholds = calibration_of(model.fingerprint, model.models_dir).support
    figures: list[Figure] = []
    details: dict[str, object] = {"model": model.name, "thresholds": asdict(thresholds) if thresholds else None}
    for name, judged in sets.items():
        scored = score_support(judged, model)
        figures += measured(name, judged, scored, thresholds or Thresholds(0.0, 0.0))
        figures += by_words(name, judged)
        details[name] = _details(judged, scored)
    model.close()
    suffix = "".join(f"-{part}" for part in (arguments.model, "full" * arguments.full) if part)
    write_report(f"support{suffix}", "Support of sentences", figures, NOTES, details)
    return 0


NOTES = ("A sentence is backed when the model's inclination to Yes, less that without any lines, reaches the upper",)


def measured(name: str, judged: Sequence[Judged], scored: Sequence[Scored], thresholds: Thresholds) -> list[Figure]:
    """Return what the thresholds do, with the check of numbers and without."""
    numbers = [holds_numbers(one.statement) for one in judged]
    backed = [held and one.score >= thresholds.high for held, one in zip(numbers, scored, strict=True)]
    kept = [held and one.score >= thresholds.low for held, one in zip(numbers, scored, strict=True)]
    alone = [one.score >= thresholds.high for one in scored]
    return [
        *_rows(f"{name}: backed", judged, backed),
        balanced(f"{name}: kept (backed or partly), balanced accuracy", judged, kept),
        balanced(f"{name}: backed without the check of numbers, balanced accuracy", judged, alone),
        area(f"{name}: AUC", scored),
    ]


def by_words(name: str, judged: Sequence[Judged]) -> list[Figure]:
    scored = score_words(judged)
    kept = [one.score >= WORDS for one in scored]
    return [
        balanced(f"{name}: by words alone, balanced accuracy", judged, kept),
        area(f"{name}: by words alone, AUC", scored),
    ]


def balanced(name: str, judged: Sequence[Judged], backed: Sequence[bool]) -> Figure:
    """Return the mean of both kinds' accuracies, its interval from the two Wilson intervals."""
    parts = []
    for kind in (True, False):
        right = [said is kind for one, said in zip(judged, backed, strict=True) if one.supported is kind]
        parts.append(share("", sum(right), len(right)))
    value = sum(part.value for part in parts) / 2
    low = sum((part.value - part.low) ** 2 for part in parts) ** 0.5 / 2
    high = sum((part.high - part.value) ** 2 for part in parts) ** 0.5 / 2
    return Figure(name, value, max(0.0, value - low), min(1.0, value + high), len(judged))


def _rows(name: str, judged: Sequence[Judged], backed: Sequence[bool]) -> list[Figure]:
    shown = [one.supported for one, said in zip(judged, backed, strict=True) if said]
    supported = [said for one, said in zip(judged, backed, strict=True) if one.supported]
    return [
        balanced(f"{name}, balanced accuracy", judged, backed),
        *([share(f"{name}: supported, of those", sum(shown), len(shown))] if shown else []),
        share(f"{name}, of the supported", sum(supported), len(supported)),
    ]


def _details(judged: Sequence[Judged], scored: Sequence[Scored]) -> dict[str, object]:
    rows = [
        {"sentence": one.statement.text, "supported": one.supported, "score": round(found.score, 3)}
        for one, found in zip(judged, scored, strict=True)
    ]
    return {"sentences": rows, "curve": [asdict(point) for point in curve(scored)[:-1]]}


if __name__ == "__main__":
    sys.exit(main())
