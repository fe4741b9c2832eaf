"""Do the cited lines say what a sentence says: drafted sentences read one by one, and WiCE, beside words alone.

usage: scripts/bench support [--full] [--model NAME]

Scores are kept by prompt and model outside the repository: a run that was ended goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.answerability import digest
from benchmarks.datasets import DataMissing
from benchmarks.remembered import RememberedModel
from benchmarks.report import Figure, area, share, write_report
from benchmarks.sentences import Judged, drafted, score_support, score_words, terra, wice
from vaultrag.answering.judging.calibration import Scored, Thresholds, balanced_line, curve
from vaultrag.answering.judging.calibration_files import calibration_of
from vaultrag.answering.judging.support import holds_numbers

SAMPLE = 30  # of each kind in WiCE, and in TERRa
ALL = 115  # as many as are supported in WiCE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="a chat model of the catalogue")
    parser.add_argument("--full", action="store_true", help="ask of all that is balanced in WiCE")
    arguments = parser.parse_args()
    sets = {"drafted": drafted("fixture")}
    count = ALL if arguments.full else SAMPLE
    try:
        sets |= {"WiCE": wice(count), "TERRa": terra(count)}
    except DataMissing as missing:
        print(f"skipped: {missing}")
    model = RememberedModel.of(arguments.model)
    thresholds = calibration_of(model.fingerprint, model.models_dir).support
    scores = {name: score_support(judged, model) for name, judged in sets.items()}
    figures: list[Figure] = []
    details: dict[str, object] = {"model": model.name, "thresholds": asdict(thresholds) if thresholds else None}
    for name, judged in sets.items():
        elsewhere = [other for other in sets if other != name]
        cut = balanced_line([one for other in elsewhere for one in scores[other]])
        by_word = balanced_line([one for other in elsewhere for one in score_words(sets[other])])
        figures += measured(name, judged, scores[name], thresholds or NONE, cut or 0.0)
        figures += by_words(name, judged, by_word or 0.0)
        details[name] = _details(judged, scores[name])
    model.close()
    suffix = "".join(f"-{part}" for part in (arguments.model, "full" * arguments.full) if part)
    write_report(f"support{suffix}", "Support of sentences", figures, NOTES, details)
    return 0


NONE = Thresholds(0.0, 0.0)  # of a model that nobody has measured
NOTES = (
    "Drafted: sentences of the 1.5B over the fixture with the lines they cite, judged before any score was seen.",
    "WiCE: claims with the three lines of the page that cover most of their rare words.",
    "TERRa: Russian statements with a short text.",
    "Cut from elsewhere: where the other two sets are told apart best, applied to this one.",
    "Backed, partly: by the shipped thresholds, drawn on other sentences (thresholds.py); with the check of numbers.",
    "By words alone: the share of the sentence's words in its lines, with its cut from the other two sets.",
    "Published beside it: WiCE, another sample, F1: GPT-3.5 .39, GPT-4 .61, a fine-tuned T5-3B .78.",
)


def measured(
    name: str, judged: Sequence[Judged], scored: Sequence[Scored], thresholds: Thresholds, cut: float
) -> list[Figure]:
    """Return what a cut from elsewhere does, and what the shipped thresholds do."""
    numbers = [holds_numbers(one.statement) for one in judged]

    def above(line: float) -> list[bool]:
        return [held and one.score >= line for held, one in zip(numbers, scored, strict=True)]

    return [
        balanced(f"{name}: cut {cut:.2f} from elsewhere, balanced accuracy", judged, above(cut)),
        balanced(f"{name}: the same without the check of numbers", judged, [one.score >= cut for one in scored]),
        *_rows(f"{name}: backed", judged, above(thresholds.high)),
        *_rows(f"{name}: backed or partly", judged, above(thresholds.low)),
        area(f"{name}: AUC", scored),
    ]


def by_words(name: str, judged: Sequence[Judged], cut: float) -> list[Figure]:
    scored = score_words(judged)
    kept = [one.score >= cut for one in scored]
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
        {"sentence": digest(one.statement.text)[:16], "supported": one.supported, "score": round(found.score, 3)}
        for one, found in zip(judged, scored, strict=True)
    ]
    return {"sentences": rows, "curve": [asdict(point) for point in curve(scored)[:-1]]}


if __name__ == "__main__":
    sys.exit(main())
