"""Do two claims contradict each other: each judge alone, on pairs that it was not made for, beside words and cosine.

usage: scripts/bench contradictions [--judge NAME] [--chat] [--chat-pairs N] [--model NAME] [--list]

Each threshold is drawn on pairs that nothing is reported on (benchmarks/judged/claims.toml). What the chat model was
asked is kept outside the repository: a run that was ended goes on from there. It takes three seconds a pair on two
quiet cores; `--chat-pairs` asks it of so many of each set, as evenly of all kinds as can be. `--list` prints the
restatements that a judge calls contradictions, to be read.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_high

from benchmarks.claim_judges import (
    TICK,
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
    RESTATEMENT,
    ClaimPair,
    by_digest,
    development,
    hidden,
    numswap,
    restatements,
    scifact,
    spread,
    terra,
)
from benchmarks.datasets import DataMissing, work_folder
from benchmarks.products import config_for
from benchmarks.remembered import RememberedModel
from benchmarks.report import Figure, area, share, write_report
from vaultrag.answering.judging.calibration import ANY_LANGUAGE, PairLines, Scored
from vaultrag.answering.judging.calibration_files import pair_lines_of
from vaultrag.config import Settings
from vaultrag.contradictions.questions import languages_of
from vaultrag.runtime.cross_encoder.judge import open_judge_named
from vaultrag.runtime.models.manifest import sha256_of
from vaultrag.runtime.pool import ModelPool

OUR_JUDGE = "./build/judge.safetensors"  # where scripts/train-judge puts it
PRECISION_WANTED = 0.9  # on the pairs that the threshold is drawn on: strangers' pairs are harder
RECALL_TOLD = 0.5  # where precision is told: what a night may leave out, if what it shows is right
SHORT = 120  # characters of a claim: the pairs whose pace is told
FOLLOWING = ("NumSwap", "SciFact", "TERRa")  # sets that tell what follows
HIDDEN = "hidden pairs"
NUMSWAP_PAIRS, SCIFACT_PAIRS, TERRA_PAIRS, RESTATEMENTS = 10, 60, 100, 100


def main() -> int:
    options = _options()
    config = config_for(work_folder(), "no vault", _one_thread())
    judge = open_judge_named(options.judge, config)
    ours, words, numbers = OurJudge(judge), WordJudge(), NumberJudge()
    cosine = CosineJudge(ModelPool.of(config).embedder())
    mixed = MixedJudge((ours, words, numbers), development())
    sets = {HIDDEN: hidden()} | _of_others()
    judges: list[ClaimJudge] = [ours, words, numbers, cosine, mixed]
    lines = {each.name: threshold(each.scores(development()), development()) for each in judges}
    figures = [*_speed(ours, sets[HIDDEN]), *_rows(judges, sets, lines)]
    figures += _in_parts(ours, sets[HIDDEN], lines[ours.name])
    figures += _veto(ours, sets)
    if options.chat:
        chat = RememberedModel.of(options.model)
        figures += _beside_chat(ours, chat, _sampled(sets, options.chat_pairs), lines, show=options.list)
        chat.close()
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
    "Chat model: can both be true, asked in Russian in both orders. Both: the sum of its score and our judge's.",
    "The chat model's veto: does the one entail the other, the larger of both orders. Taken back is what lies above "
    "the lines of config/calibrations.toml, drawn on benchmarks/judged/claims.toml and the tuning half of the fixture.",
    "Pairs a second: one thread, claims of up to 120 characters, each judged in both directions, the best of three "
    "runs beside other work. The chat model's by the time that its process took, both its questions.",
)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", default=OUR_JUDGE, help="a file of scripts/train-judge, or a judge of the catalogue")
    parser.add_argument("--chat", action="store_true", help="ask the chat model, too")
    parser.add_argument("--chat-pairs", type=int, default=0, help="so many of each set (0: all)")
    parser.add_argument("--model", default="", help="a chat model of the catalogue")
    parser.add_argument("--list", action="store_true", help="print the restatements that are called contradictions")
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


def _rows(
    judges: Sequence[ClaimJudge], sets: Mapping[str, Sequence[ClaimPair]], lines: Mapping[str, float]
) -> list[Figure]:
    return [
        figure
        for name, pairs in sets.items()
        for each in judges
        for figure in told(f"{name}, {each.name}", pairs, each.scores(pairs), lines[each.name])
    ]


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
    for name in (each for each in FOLLOWING if each in sets):
        judged = zip(judge.judgements(sets[name]), sets[name], strict=True)
        scored = [Scored(one.entailment, pair.follows) for one, pair in judged]
        found.append(area(f"{name}, {judge.name}: AUC of what follows", scored))
    return found


def _speed(judge: OurJudge, pairs: Sequence[ClaimPair]) -> list[Figure]:
    short = [pair for pair in pairs if max(len(pair.first), len(pair.second)) <= SHORT]
    wall, processor = judge.speed(short)
    return [
        Figure(f"{judge.name}: short pairs a second, one thread", wall, wall, wall, len(short)),
        Figure(f"{judge.name}: the same by its processor time", processor, processor, processor, len(short)),
    ]


def _sampled(sets: Mapping[str, list[ClaimPair]], count: int) -> dict[str, list[ClaimPair]]:
    """Return so many pairs of each set, always the same ones, or all: of the hidden ones the first by SHA-256."""
    found = {}
    for name, pairs in sets.items():
        some = (by_digest if name == HIDDEN else spread)(pairs, count or len(pairs))
        found[name if len(some) == len(pairs) else f"{len(some)} of {name}"] = some
    return found


def _kind_of(name: str) -> str:
    return name.rpartition(" of ")[2]


def _beside_chat(
    ours: OurJudge,
    model: RememberedModel,
    sets: Mapping[str, Sequence[ClaimPair]],
    lines: dict[str, float],
    *,
    show: bool,
) -> list[Figure]:
    """Return the rows of the chat model and of both together, and ours on the same hidden pairs."""
    chat = ChatJudge(model)
    both = BothJudges(ours, chat)
    lines |= {each.name: threshold(each.scores(development()), development()) for each in (chat, both)}
    sampled = {name: pairs for name, pairs in sets.items() if name != _kind_of(name)}
    judged = {name: pairs for name, pairs in sets.items() if _kind_of(name) != "TERRa"}
    figures = [*_rows([ours], sampled, lines), *_rows([chat, both], judged, lines)]
    asked = {HIDDEN: hidden()} | {name: pairs for name, pairs in sets.items() if _kind_of(name) != HIDDEN}
    figures += _taken_back(chat, pair_lines_of(model.fingerprint, model.models_dir), asked)
    pace = chat.asked / max(model.seconds, TICK)
    figures.append(Figure(f"{chat.name}: pairs a second, all questions", pace, pace, pace, chat.asked))
    for each in (ours, chat, both) if show else ():
        for name in (one for one in sets if _kind_of(one) == "restatements"):
            _list_restatements(each, sets[name], lines[each.name])
    return figures


def _taken_back(chat: ChatJudge, lines: PairLines, sets: Mapping[str, Sequence[ClaimPair]]) -> list[Figure]:
    """Return how well the chat model tells what follows, and what its veto takes back at the shipped lines."""
    figures = []
    for name, pairs in sets.items():
        scores = chat.following(pairs)
        if _kind_of(name) in FOLLOWING:
            scored = [Scored(score, pair.follows) for score, pair in zip(scores, pairs, strict=True)]
            figures.append(area(f"{name}, {chat.name}: AUC of what follows", scored))
        for word, group in _by_truth(pairs, scores).items():
            hits = sum(score >= _line_of(lines, pair) for pair, score in group)
            figures += [share(f"{name}, veto: taken back of what {word}", hits, len(group))] if group else []
    return figures


def _by_truth(pairs: Sequence[ClaimPair], scores: Sequence[float]) -> dict[str, list[tuple[ClaimPair, float]]]:
    groups: dict[str, list[tuple[ClaimPair, float]]] = {"contradicts": [], "follows": [], "does neither": []}
    for pair, score in zip(pairs, scores, strict=True):
        follows = pair.follows or pair.kind == RESTATEMENT
        word = "contradicts" if pair.contradicts else "follows" if follows else "does neither"
        groups[word].append((pair, score))
    return groups


def _line_of(lines: PairLines, pair: ClaimPair) -> float:
    return lines.follows.get(languages_of((pair.first, pair.second)), lines.follows.get(ANY_LANGUAGE, math.inf))


def _list_restatements(judge: ClaimJudge, pairs: Sequence[ClaimPair], line: float) -> None:
    for pair, score in zip(pairs, judge.scores(pairs), strict=True):
        if score >= line:
            print(f"{judge.name} calls a restatement a contradiction: {pair.first} | {pair.second}")


if __name__ == "__main__":
    sys.exit(main())
