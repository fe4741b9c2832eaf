"""Whether the answering model's own Yes and No put the first ten passages in a better order than the search does.

usage: scripts/bench reranking [--every N] [--set NAME ...]     fixture riddles scifact
    Each passage is read alone under its title, about 450 characters around its best sentence; W1 and W5 are two
    wordings of the question. Scores are kept, so that a run that was stopped goes on where it was. A question whose
    note is not among the ten cannot gain or lose and is left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.datasets import DataMissing, Dataset, Query, beir, fixture, work_folder
from benchmarks.products import Product
from benchmarks.report import Figure, change, mean, quantile, write_report
from benchmarks.retrieval import ndcg
from vaultrag.domain import ChatModel, Message, Passage, Role
from vaultrag.text.language import sentences
from vaultrag.text.morphology import count_terms
from vaultrag.text.terms import index_terms, question_terms

DEPTH = 10
ROOM = 450  # characters: what was measured to be judged best
EVERY = {"fixture": 4, "riddles": 4, "scifact": 15}  # about twenty questions a set: each takes half a minute
SETS: Mapping[str, Callable[[], Dataset]] = {
    "fixture": fixture,
    "riddles": lambda: fixture("questions-hard.toml"),
    "scifact": lambda: beir("scifact"),
}
SYSTEM = Message("system", "You are a careful assistant.")
WORDINGS = {
    "W1": "Note: {place}\n{text}\n\nQuestion: {question}\nDoes the note answer the question? Answer Yes or No.",
    "W5": 'Passage:\n{place}\n{text}\n\nHypothesis: This passage contains the answer to the question "{question}"\n'
    "Does the passage entail the hypothesis? Answer Yes or No.",
}
CLOSE = 10  # of the reciprocal ranks by which the two orders are mixed: ten passages lie close


def main() -> int:
    options = _options()
    figures: list[Figure] = []
    for name in options.set or SETS:
        try:
            figures += _measured(name, options.every or EVERY[name])
        except DataMissing as missing:
            print(f"skipped {name}: {missing}")
    notes = [
        "nDCG@10 over notes among the first ten passages; changes are taken question by question, against the search.",
        "mixed: the two orders by reciprocal ranks, equal parts. Seconds are those of ten passages, one wording.",
    ]
    if figures:
        write_report("reranking", "Reranking by the answering model's Yes and No", figures, notes)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench reranking")
    parser.add_argument("--every", type=int, default=0)
    parser.add_argument("--set", action="append", choices=list(SETS))
    return parser.parse_args()


def _measured(name: str, every: int) -> list[Figure]:
    dataset = SETS[name]()
    gains: dict[str, list[float]] = {}
    seconds: list[float] = []
    with Product(dataset) as product:
        judge = _Judge(product.workspace.models.chat(Role.ANSWER), work_folder() / "reranking.jsonl")
        for query in dataset.queries[::every]:
            passages = product.workspace.search(query.text, DEPTH).passages
            if query.gold & {passage.chunk.path for passage in passages}:
                for how, order in _orders(judge, query.text, passages, seconds).items():
                    gains.setdefault(how, []).append(_gained(order, query))
    return [
        *(mean(f"{name} nDCG@10, {how}", values) for how, values in gains.items()),
        *(
            change(f"{name} nDCG@10, {how}: change", [a - b for a, b in zip(values, gains["search"], strict=True)])
            for how, values in gains.items()
            if how != "search"
        ),
        *([quantile(f"{name}, ten passages read, p50", seconds, 0.5, " s")] if seconds else []),
    ]


def _orders(
    judge: _Judge, question: str, passages: Sequence[Passage], seconds: list[float]
) -> dict[str, list[Passage]]:
    orders = {"search": list(passages)}
    for wording in WORDINGS:
        began = time.perf_counter()
        scores, asked = judge.scores(wording, question, passages)
        if asked:
            seconds.append(time.perf_counter() - began)
        judged = sorted(range(len(passages)), key=lambda place, by=scores: -by[place])  # type: ignore[misc]
        ranks = {place: rank for rank, place in enumerate(judged)}
        mixed = sorted(ranks, key=lambda place, by=ranks: -(1 / (CLOSE + place) + 1 / (CLOSE + by[place])))  # type: ignore[misc]
        orders[wording] = [passages[place] for place in judged]
        orders[f"{wording} mixed"] = [passages[place] for place in mixed]
    return orders


def _gained(order: Sequence[Passage], query: Query) -> float:
    return ndcg(list(dict.fromkeys(passage.chunk.path for passage in order)), query)


class _Judge:
    """Asks the model, and keeps what it said."""

    def __init__(self, model: ChatModel, path: Path) -> None:
        self.model = model
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.known: dict[str, float] = dict(map(json.loads, lines))

    def scores(self, wording: str, question: str, passages: Sequence[Passage]) -> tuple[list[float], bool]:
        """Return logit of Yes minus No for each passage, and whether the model had to read any."""
        prompts = [(SYSTEM, Message("user", _prompt(wording, question, passage))) for passage in passages]
        keys = [hashlib.sha256(f"{self.model.name}\0{user.content}".encode()).hexdigest() for _, user in prompts]
        owed = [place for place, key in enumerate(keys) if key not in self.known]
        if owed:
            found = self.model.score_each([prompts[place] for place in owed], ("Yes", "No"))
            with self.path.open("a", encoding="utf-8") as stream:
                for place, scores in zip(owed, found, strict=True):
                    self.known[keys[place]] = scores.logprobs[0] - scores.logprobs[1]
                    print(json.dumps([keys[place], self.known[keys[place]]]), file=stream)
        return [self.known[key] for key in keys], bool(owed)


def _prompt(wording: str, question: str, passage: Passage) -> str:
    headings = (heading for heading in passage.chunk.heading_path if heading != passage.title)
    place = " › ".join((passage.title, *headings))
    return WORDINGS[wording].format(place=place, text=_around_best(question, passage.chunk.text), question=question)


def _around_best(question: str, text: str) -> str:
    """Return whole sentences of a text, about ROOM characters around the one with most of the question's words."""
    borders = sentences(text)
    if len(text) <= ROOM or not borders:
        return text[:ROOM]
    asked = question_terms(question)
    held = [count_terms(asked, index_terms(text[start:end])) for start, end in borders]
    first = last = held.index(max(held))
    while True:
        wider = [(first, last + 1), (first - 1, last)]
        fits = [(a, b) for a, b in wider if a >= 0 and b < len(borders) and borders[b][1] - borders[a][0] <= ROOM]
        if not fits:
            return text[borders[first][0] : borders[last][1]][:ROOM]
        first, last = fits[0]


if __name__ == "__main__":
    sys.exit(main())
