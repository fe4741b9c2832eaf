"""Refusal on CLAPNQ's gold passages and on near misses in both languages: precision, recall and the whole curve.

usage: scripts/bench refusal [--full] [--model NAME]

Scores are kept by prompt and model outside the repository: a run that was ended goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.answerability import Asked, clapnq, digest, excerpted, near_misses, score
from benchmarks.curves import Axes, draw
from benchmarks.datasets import DataMissing
from benchmarks.remembered import RememberedModel
from benchmarks.report import Figure, area, mean, share, write_report
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.answering.judging.calibration import Calibration, Scored, Thresholds, curve, draw_thresholds, level_of
from vaultrag.answering.judging.calibration_files import calibration_of
from vaultrag.domain import Chunk, Embedder, Level, Passage, Span

COVERAGES = (0.3, 0.5, 0.7, 1.0)
DRAWN = 20  # the first English questions, on whose near misses alone a threshold is drawn for CLAPNQ
REPORTED = slice(40, 50)  # those that are reported on; each is asked twice


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="a chat model of the catalogue")
    parser.add_argument("--full", action="store_true", help="also the CLAPNQ questions that lines were drawn on")
    arguments = parser.parse_args()
    try:
        sets = _sets(full=arguments.full)
    except DataMissing as missing:
        print(f"skipped: {missing}")
        return 0
    model = RememberedModel.of(arguments.model)
    calibration = calibration_of(model.fingerprint, model.models_dir)
    elsewhere = draw_thresholds(score([*map(excerpted, near(slice(0, DRAWN), "en"))], model))
    figures: list[Figure] = []
    details: dict[str, object] = {"model": model.name, "calibration": asdict(calibration)}
    curves: dict[str, list[tuple[float, float]]] = {}
    scores: dict[str, list[Scored]] = {}
    for name, asked in sets.items():
        scored = scores[name] = score([*map(excerpted, asked)], model)
        figures += measured(name, asked, scored, calibration)
        details[name] = _details(asked, scored)
        curves[name] = [(point.coverage, point.risk) for point in curve(scored)[:-1]]
    if elsewhere is not None:
        figures += from_elsewhere(sets["CLAPNQ"], scores["CLAPNQ"], elsewhere, model.embedder())
    model.close()
    suffix = "".join(f"-{part}" for part in (arguments.model, "full" * arguments.full) if part)
    draw(f"refusal{suffix}", Axes("What is answered, and how much of it has no answer", "answered", "risk"), curves)
    write_report(f"refusal{suffix}", "Refusal", figures, notes(model.name, calibration), details)
    return 0


def near(questions: slice, language: str) -> list[Asked]:
    """Return these questions with their near misses, each once with an answer and once without."""
    return list(near_misses(language, questions.stop))[2 * questions.start :]


def _sets(*, full: bool) -> dict[str, list[Asked]]:
    later = clapnq(reported=False) if full else []
    missed = {f"near misses, {language}": near(REPORTED, language) for language in ("en", "ru")}
    return {"CLAPNQ": clapnq(reported=True) + later, **missed}


def measured(name: str, asked: Sequence[Asked], scored: Sequence[Scored], calibration: Calibration) -> list[Figure]:
    """Return what the shipped lines do, beside refusing always and never, and how well scores part the two kinds."""
    levels = _levels(asked, scored, calibration)
    rows = {
        "": [level is Level.NOT_IN_VAULT for level in levels],
        ", always refused": [True] * len(asked),
        ", never refused": [False] * len(asked),
    }
    found = [figure for row, refused in rows.items() for figure in _refusal(f"{name}{row}", asked, refused)]
    backed = [one.answerable for one, level in zip(asked, levels, strict=True) if level is Level.BACKED]
    found.append(mean(f"{name}: answerable, of what is called backed", list(map(float, backed))))
    found += [_risk(name, scored, coverage) for coverage in COVERAGES]
    found.append(area(f"{name}: AUC", scored))
    return found


def from_elsewhere(
    asked: Sequence[Asked], scored: Sequence[Scored], thresholds: Thresholds, embedder: Embedder
) -> list[Figure]:
    """Return what thresholds do that were drawn on near misses alone, and what is cited by them."""
    name = f"CLAPNQ, threshold {thresholds.low:.2f} from near misses alone"
    refused = [one.score < thresholds.low for one in scored]
    kept = [one for one, gone in zip(asked, refused, strict=True) if one.answerable and not gone]
    hits = sum(any(_same(quote, gold) for quote in _quotes(one, embedder) for gold in one.gold) for one in kept)
    figures = _refusal(name, asked, refused)
    return [*figures, share(f"{name}: answered with a gold sentence cited", hits, sum(one.answerable for one in asked))]


def _quotes(one: Asked, embedder: Embedder) -> list[str]:
    """Return the quotes that the product chooses from the question's first passage."""
    title, text = one.passages[0].title, one.passages[0].text
    chunk = Chunk("1", f"{title}.md", (), Span(1, 1, 1, len(text)), "", "", text, text, one.language, "1")
    evidence = Evidence(one.question, [Passage(chunk, title, 1.0, ())], embedder)
    return [citation.quote for citation in evidence.cited(evidence.quotes())]


def notes(name: str, calibration: Calibration) -> tuple[str, ...]:
    return (
        f"Model: {name}. Score: how much likelier Yes than No, for the likeliest of at most three passages.",
        f"Thresholds by language: {_told(calibration)}, drawn on others (thresholds.py).",
        "CLAPNQ: a gold passage, or one that was found and does not answer; the first 60 + 60 by SHA-256.",
        "Near misses (XQuAD), under the article's title: the right paragraph and its rivals there, or rivals alone.",
        "Published beside it: haiku.rag with a 30B model on MTRAG's ClapNQ reaches .33 precision and .44 recall.",
        "The JSON file holds each score and the curve of risk and coverage.",
    )


def _refusal(name: str, asked: Sequence[Asked], refused: Sequence[bool]) -> list[Figure]:
    rightly = [not one.answerable for one, gone in zip(asked, refused, strict=True) if gone]
    caught = [gone for one, gone in zip(asked, refused, strict=True) if not one.answerable]
    kept = [not gone for one, gone in zip(asked, refused, strict=True) if one.answerable]
    return [
        *([share(f"{name}: refusal precision", sum(rightly), len(rightly))] if rightly else []),
        share(f"{name}: refusal recall", sum(caught), len(caught)),
        share(f"{name}: answerable, not refused", sum(kept), len(kept)),
    ]


def _risk(name: str, scored: Sequence[Scored], coverage: float) -> Figure:
    """Return the risk of those that score best, so many of all."""
    best = sorted(scored, key=lambda one: -one.score)[: round(coverage * len(scored))]
    return share(f"{name}: risk at {coverage:.0%} coverage", sum(not one.true for one in best), len(best))


def _levels(asked: Sequence[Asked], scored: Sequence[Scored], calibration: Calibration) -> list[Level]:
    lines = [calibration.thresholds_for(one.language) for one in asked]
    return [level_of(one.score, line) for one, line in zip(scored, lines, strict=True)]


def _details(asked: Sequence[Asked], scored: Sequence[Scored]) -> dict[str, object]:
    rows = [
        {"question": digest(one.question)[:16], "answerable": one.answerable, "score": round(s.score, 3)}
        for one, s in zip(asked, scored, strict=True)
    ]
    return {"questions": rows, "curve": [asdict(point) for point in curve(scored)[:-1]]}


def _told(calibration: Calibration) -> str:
    lines = calibration.answerable.items()
    return "; ".join(f"{language} {line.low:.2f} and {line.high:.2f}" for language, line in lines) or "none"


def _same(quote: str, gold: str) -> bool:
    shorter, longer = sorted((" ".join(quote.split()), " ".join(gold.split())), key=len)
    return shorter in longer


if __name__ == "__main__":
    sys.exit(main())
