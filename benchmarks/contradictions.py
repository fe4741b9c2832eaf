"""Do two claims contradict each other: each judge alone, on pairs that it was not made for, beside words and cosine.

usage: scripts/bench contradictions [--judge NAME] [--chat] [--chat-pairs 60] [--model NAME]

The judge's threshold is drawn on pairs that nothing is reported on (benchmarks/judged/claims.toml). What the chat model
was asked is kept outside the repository: a run that was ended goes on from there. It takes three seconds a pair.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_high

from benchmarks.answerability import digest
from benchmarks.claim_judges import (
    BothJudges,
    ChatJudge,
    ClaimJudge,
    CosineJudge,
    MixedJudge,
    NumberJudge,
    OurJudge,
    WordJudge,
)
from benchmarks.claim_pairs import (
    ClaimPair,
    development,
    hidden,
    numswap,
    restatements,
    scifact,
    terra,
)
from benchmarks.datasets import DataMissing, work_folder
from benchmarks.products import config_for
from benchmarks.remembered import RememberedModel
from benchmarks.report import Figure, area, share, write_report
from vaultrag.answering.judging.calibration import Scored
from vaultrag.config import Settings
from vaultrag.runtime.cross_encoder.judge import open_judge_named
from vaultrag.runtime.models.manifest import sha256_of
from vaultrag.runtime.pool import ModelPool

OUR_JUDGE = "./build/judge.safetensors"  # where scripts/train-judge puts it
PRECISION_WANTED = 0.9  # on the pairs that the threshold is drawn on: strangers' pairs are harder
RECALL_TOLD = 0.5  # where precision is told: what a night may leave out, if what it shows is right
SHORT = 120  # characters of a claim: the pairs whose pace is told
NUMSWAP_PAIRS, SCIFACT_PAIRS, TERRA_PAIRS, RESTATEMENTS = 10, 60, 100, 100


def main() -> int:
    options = _options()
    config = config_for(work_folder(), "no vault", _one_thread())
    judge = open_judge_named(options.judge, config)
    ours = OurJudge(judge)
    sets = {"hidden pairs": hidden()} | _of_others()
    embedder = ModelPool.of(config).embedder()
    words, numbers = WordJudge(), NumberJudge()
    mixed = MixedJudge((ours, words, numbers), development())
    judges: list[ClaimJudge] = [ours, words, numbers, CosineJudge(embedder), mixed]
    lines = {each.name: threshold(each.scores(development()), development()) for each in judges}
    figures = _speed(ours, sets["hidden pairs"])
    for name, pairs in sets.items():
        for each in judges:
            figures += told(f"{name}, {each.name}", pairs, each.scores(pairs), lines[each.name])
    figures += _in_parts(ours, sets["hidden pairs"], lines[ours.name])
    figures += _veto(ours, sets)
    if options.chat:
        figures += _beside_chat(ours, options.model, sets["hidden pairs"], options.chat_pairs)
    judge.close()
    file = Path(options.judge)
    details = {"judge": file.name, "sha256": sha256_of(file) if file.is_file() else "", "thresholds": lines}
    suffix = "" if file.is_file() else f"-{file.name}"
    write_report(f"contradictions{suffix}", "Judges of contradictions", figures, NOTES, details)
    return 0


NOTES = (
    "Hidden pairs: fixtures/judge-pairs.toml, written before training by one who knew neither the rules nor the pairs "
    "that a judge is trained on; each claim with its note's date and title where they are given.",
    "NumSwap: a sentence of a held paragraph of XQuAD against a question with its answer, another number (easy), "
    "another number of the paragraph (hard), or an answer from elsewhere in it.",
    "SciFact: claims with the sentences that support or contradict them, or the nearest of a cited abstract.",
    "TERRa: held pairs; what does not follow need not contradict, so it measures the veto alone.",
    "Restatements: the hidden ones, and sentences of held paragraphs with their translations.",
    "Our judge: the larger of both directions. Caught, false alarms and shown-and-right are at the threshold that was "
    "drawn on other pairs (benchmarks/judged/claims.toml); precision at recall is read off the set itself, and so is "
    "the line at which half of the hidden contradictions are caught, by which their kinds are told.",
    "Numbers: other digits, the same, or none; the mixture is the plain mean of three scores, each by its mean and "
    "deviation on the pairs of the threshold.",
    "Chat model: can both be true (in Russian), and is the second true, false or unknown if the first is true; both "
    "orders, summed. Its rows have a threshold of their own set, which flatters them.",
    "Pairs a second: one thread, claims of up to 120 characters, each judged in both directions, the best of three "
    "runs beside other work.",
)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", default=OUR_JUDGE, help="a file of scripts/train-judge, or a judge of the catalogue")
    parser.add_argument("--chat", action="store_true", help="ask the chat model, too")
    parser.add_argument("--chat-pairs", type=int, default=60, help="so many of the hidden pairs, by SHA-256")
    parser.add_argument("--model", default="", help="a chat model of the catalogue")
    return parser.parse_args()


def _one_thread() -> Settings:
    settings = Settings()
    return settings.model_copy(update={"runtime": settings.runtime.model_copy(update={"threads": 1})})


def _of_others() -> dict[str, list[ClaimPair]]:
    try:
        return {
            "NumSwap": numswap(NUMSWAP_PAIRS),
            "SciFact": scifact(SCIFACT_PAIRS),
            "TERRa": terra(TERRA_PAIRS),
            "restatements": restatements(RESTATEMENTS),
        }
    except DataMissing as missing:
        print(f"skipped: {missing}")
        return {}


def threshold(scores: Sequence[float], pairs: Sequence[ClaimPair]) -> float:
    """Return the lowest score from which on so much of what is flagged contradicts, as is wanted; else the highest."""
    ranked = sorted(zip(scores, pairs, strict=True), key=lambda one: -one[0])
    line, right = ranked[0][0], 0
    for count, (score, pair) in enumerate(ranked, start=1):
        right += pair.contradicts
        if right >= PRECISION_WANTED * count:
            line = score
    return line


def told(name: str, pairs: Sequence[ClaimPair], scores: Sequence[float], line: float) -> list[Figure]:
    """Return what a judge tells apart, and what it flags from its threshold on."""
    contradicting = [score >= line for score, pair in zip(scores, pairs, strict=True) if pair.contradicts]
    others = [score >= line for score, pair in zip(scores, pairs, strict=True) if not pair.contradicts]
    if not contradicting:
        return [share(f"{name}: false alarms", sum(others), len(others))]
    scored = [Scored(score, pair.contradicts) for score, pair in zip(scores, pairs, strict=True)]
    shown = sum(contradicting) + sum(others)
    return [
        area(f"{name}: AUC", scored),
        share(f"{name}: caught", sum(contradicting), len(contradicting)),
        share(f"{name}: false alarms", sum(others), len(others)),
        *([share(f"{name}: shown and right", sum(contradicting), shown)] if shown else []),
        precision_at(f"{name}: precision at recall {RECALL_TOLD:g}", scored, RECALL_TOLD),
    ]


def precision_at(name: str, scored: Sequence[Scored], recall: float) -> Figure:
    """Return what share is right of the highest scores that hold this share of the true ones."""
    ranked = sorted(scored, key=lambda one: -one.score)
    wanted, right = recall * sum(one.true for one in scored), 0
    for count, one in enumerate(ranked, start=1):
        right += one.true
        if right >= wanted:
            return share(name, right, count)
    raise ValueError("nothing is true")


def _in_parts(judge: ClaimJudge, pairs: Sequence[ClaimPair], line: float) -> list[Figure]:
    scores = dict(zip(pairs, judge.scores(pairs), strict=True))
    figures: list[Figure] = []
    for name, group in _by_languages(pairs).items():
        figures += told(f"hidden pairs {name}, {judge.name}", group, [scores[pair] for pair in group], line)
    half = median_high(scores[pair] for pair in pairs if pair.contradicts)
    for contradicts, word in ((True, "caught"), (False, "flagged")):
        for kind in sorted({pair.kind for pair in pairs if pair.contradicts is contradicts}):
            group = [pair for pair in pairs if pair.kind == kind and pair.contradicts is contradicts]
            hits = sum(scores[pair] >= half for pair in group)
            figures.append(share(f"hidden pairs, {kind}, {judge.name}: {word} where half are", hits, len(group)))
    return figures


def _by_languages(pairs: Sequence[ClaimPair]) -> dict[str, list[ClaimPair]]:
    groups: dict[str, list[ClaimPair]] = {}
    for pair in pairs:
        one, _, two = pair.langs.partition("-")
        groups.setdefault(one if one == two else "across", []).append(pair)
    return groups


def _veto(judge: OurJudge, sets: Mapping[str, Sequence[ClaimPair]]) -> list[Figure]:
    """Return how well what follows is told from what does not, by the odds of entailment."""
    found = []
    for name in ("NumSwap", "SciFact", "TERRa"):
        pairs = sets.get(name, ())
        judged = zip(judge.judgements(pairs), pairs, strict=True)
        scored = [Scored(one.entailment, pair.follows) for one, pair in judged]
        if scored:
            found.append(area(f"{name}, {judge.name}: AUC of what follows", scored))
    return found


def _speed(judge: OurJudge, pairs: Sequence[ClaimPair]) -> list[Figure]:
    short = [pair for pair in pairs if max(len(pair.first), len(pair.second)) <= SHORT]
    wall, processor = judge.speed(short)
    return [
        Figure(f"{judge.name}: short pairs a second, one thread", wall, wall, wall, len(short)),
        Figure(f"{judge.name}: the same by its processor time", processor, processor, processor, len(short)),
    ]


def _beside_chat(ours: OurJudge, name: str, pairs: Sequence[ClaimPair], count: int) -> list[Figure]:
    """Return the rows of the chat model and of both together, and ours on the same pairs."""
    sample = sorted(pairs, key=lambda pair: digest(f"{pair.first}\n{pair.second}"))[:count]
    model = RememberedModel.of(name)
    chat = ChatJudge(model)
    figures: list[Figure] = []
    judges: tuple[ClaimJudge, ...] = (ours, chat, BothJudges(ours, chat))
    for judge in judges:
        scores = judge.scores(sample)
        figures += told(f"{len(sample)} hidden pairs, {judge.name}", sample, scores, threshold(scores, sample))
    model.close()
    return figures


if __name__ == "__main__":
    sys.exit(main())
