"""Sentences and the lines that they cite, with a reader's judgement: drafted ones, and the claims of WiCE."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.answerability import JUDGED, digest
from benchmarks.datasets import data_folder
from vaultrag.answering.attribution import bag_of
from vaultrag.answering.judging.calibration import Scored
from vaultrag.answering.judging.support import Premise, Statement, support_scores
from vaultrag.domain import ChatModel, Priority
from vaultrag.text.terms import index_terms, question_terms

UNTITLED = "Заметка"  # of texts that have no title
BEST_LINES = 3  # of a page of WiCE, as many as an answer's sentence cites at most
COVERED_SHARE = 0.2  # of a word's weight where a chosen line says it already


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence, what it cites, and whether that says it."""

    statement: Statement
    supported: bool


def drafted(name: str) -> list[Judged]:
    """Return sentences that a model wrote over notes of ours, as they were read and judged."""
    rows = (json.loads(line) for line in (JUDGED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
    return [Judged(_statement(row), row["supported"]) for row in rows]


def wice(count: int) -> list[Judged]:
    """Return claims with the best lines of the page that they cite: as many supported ones as others, by SHA-256."""
    rows = [json.loads(line) for line in (data_folder() / "wice" / "claim_dev.jsonl").open(encoding="utf-8")]
    rows.sort(key=lambda row: digest(row["claim"]))
    found = [Judged(_claim(row["claim"], row["evidence"]), row["label"] == "supported") for row in rows]
    return [one for kind in (True, False) for one in [one for one in found if one.supported is kind][:count]]


def terra(count: int) -> list[Judged]:
    """Return Russian statements with a text that entails them, and as many with one that does not, by SHA-256."""
    rows = [json.loads(line) for line in (data_folder() / "terra_ru" / "train.jsonl").open(encoding="utf-8")]
    rows.sort(key=lambda row: digest(row["hypothesis"]))
    found = [
        Judged(Statement(row["hypothesis"], (Premise(UNTITLED, row["premise"]),)), row["label"] == "entailment")
        for row in rows
    ]
    return [one for kind in (True, False) for one in [one for one in found if one.supported is kind][:count]]


def score_support(judged: Sequence[Judged], model: ChatModel) -> list[Scored]:
    """Return the model's score of each, as the product takes it."""
    found: list[Scored] = []
    for one in judged:
        (value,) = support_scores([one.statement], model, Priority.NIGHT)
        assert value is not None  # a model of this machine gives probabilities
        found.append(Scored(value, one.supported))
    return found


def score_words(judged: Sequence[Judged]) -> list[Scored]:
    """Return, for each, the share of the sentence's words that stand in what it cites: the row without a model."""
    found: list[Scored] = []
    for one in judged:
        said = bag_of(one.statement.text).distinct
        cited = frozenset[str]().union(*(bag_of(f"{p.title}\n{p.lines}").distinct for p in one.statement.premises))
        found.append(Scored(len(said & cited) / max(1, len(said)), one.supported))
    return found


def _statement(row: dict[str, Any]) -> Statement:
    premises = tuple(Premise(title, lines) for title, lines in row["premises"])
    return Statement(row["sentence"], premises, row["question"])


def _claim(claim: str, evidence: Sequence[str]) -> Statement:
    title, lines = evidence[0].replace("(meta data) TITLE:", "").strip(), evidence[1:]
    chosen = sorted(_covering(claim, lines))
    return Statement(claim, (Premise(title, "\n".join(lines[index] for index in chosen)),))


def _covering(claim: str, lines: Sequence[str]) -> list[int]:
    """Return the lines that together say most of the claim's rare words: each adds to those before, as citations do."""
    held = [frozenset(index_terms(line)) for line in lines]
    frequency = Counter(term for terms in held for term in terms)
    asked = question_terms(claim)
    rarity = [
        math.log((1 + len(lines)) / (1 + min((frequency[stem] for stem in term if stem in frequency), default=0)))
        for term in asked
    ]
    said = [[not terms.isdisjoint(term) for term in asked] for terms in held]
    chosen: list[int] = []
    while len(chosen) < min(BEST_LINES, len(lines)):
        covered = [any(said[index][place] for index in chosen) for place in range(len(asked))]

        def gain(index: int, covered: Sequence[bool] = covered) -> float:
            shares = (COVERED_SHARE if known else 1.0 for known in covered)
            return sum(s * r for s, r, told in zip(shares, rarity, said[index], strict=True) if told)

        chosen.append(max((index for index in range(len(lines)) if index not in chosen), key=gain))
    return chosen
