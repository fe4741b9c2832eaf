"""Retrieval through the product: XQuAD in both languages and across them, 2Wiki, SciFact, the fixture questions.

usage: scripts/bench retrieval [NAME ...]     xquad/{en,ru,en2ru,ru2en,mixed} 2wiki scifact fixture riddles
    SciFact's 5,183 notes take some 10 minutes to embed on two cores; a run that was stopped goes on where it was.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence, Set

from benchmarks.datasets import DataMissing, Dataset, Query, beir, fixture, two_wiki
from benchmarks.products import Product
from benchmarks.report import Figure, change, mean, write_report
from vaultrag.retrieval.search import ALL_LANES

XQUAD = ("xquad/en", "xquad/ru", "xquad/en2ru", "xquad/ru2en")
NAMES = (*XQUAD, "xquad/mixed", "2wiki", "scifact", "fixture", "riddles")
DEPTH = 30  # passages asked for: enough for ten notes even where each gives three chunks


def main() -> int:
    names = sys.argv[1:] or NAMES
    figures: list[Figure] = []
    details: dict[str, object] = {}
    for name in names:
        try:
            found, misses = MEASURES[name]()
        except DataMissing as missing:
            print(f"skipped {name}: {missing}")
            continue
        figures += found
        if misses:
            details[name] = misses
    notes = [
        "A dataset is a vault of one note a document, indexed and searched by the product; best chunk a note.",
        "Each lane alone is what a user would have with keyword search (Obsidian, Omnisearch) or with vectors only.",
    ]
    if figures:
        write_report("retrieval" if names == NAMES else "retrieval-part", "Retrieval", figures, notes, details)
    return 0


def xquad(name: str) -> tuple[list[Figure], list[str]]:
    dataset = beir(name)
    with Product(dataset) as product:
        runs = [(query, product.notes(query.text, DEPTH)) for query in dataset.queries]
    return [
        mean(f"{name} nDCG@10", [ndcg(run, query) for query, run in runs]),
        mean(f"{name} R@10", [recall(run, query, 10) for query, run in runs]),
    ], []


def xquad_mixed() -> tuple[list[Figure], list[str]]:
    """Both languages in one vault: the paragraph in the question's language, and its translation."""
    dataset = beir("xquad/mixed")
    same: dict[str, list[float]] = defaultdict(list)
    translated: dict[str, list[float]] = defaultdict(list)
    with Product(dataset) as product:
        for query in dataset.queries:
            run = product.notes(query.text, DEPTH)[:10]
            language, other = query.id[:2], "ru" if query.id.startswith("en") else "en"
            own = {path for path in query.gold if path.startswith(language)}
            translation = {f"{other}{path[2:]}" for path in own}
            same[language].append(float(bool(own & set(run))))
            translated[language].append(float(bool(translation & set(run))))
    return [
        *(mean(f"xquad/mixed {language} question, R@10 same language", same[language]) for language in same),
        *(mean(f"xquad/mixed {language} question, R@10 translation", translated[language]) for language in same),
    ], []


def multihop() -> tuple[list[Figure], list[str]]:
    dataset = two_wiki()
    with Product(dataset) as product:
        runs = [(query, product.notes(query.text, DEPTH)) for query in dataset.queries]
        plain = [(query, product.notes(query.text, DEPTH, ALL_LANES - {"link"})) for query in dataset.queries]
    return [
        mean("2wiki perfect@8", [float(query.gold <= set(run[:8])) for query, run in runs]),
        mean("2wiki R@5", [recall(run, query, 5) for query, run in runs]),
        mean("2wiki perfect@8 without links", [float(query.gold <= set(run[:8])) for query, run in plain]),
        mean("2wiki R@5 without links", [recall(run, query, 5) for query, run in plain]),
    ], []


def scifact() -> tuple[list[Figure], list[str]]:
    """Claims and the abstracts that speak of them, by the product and by each single lane."""
    dataset = beir("scifact")
    lanes: dict[str, Set[str]] = {"": ALL_LANES, ", words alone": {"keyword"}, ", meaning alone": {"vector"}}
    with Product(dataset) as product:
        vectors = {query.id: product.embedded(query.text) for query in dataset.queries}
        runs = {
            name: [(product.ranked(query.text, vectors[query.id], DEPTH, some), query) for query in dataset.queries]
            for name, some in lanes.items()
        }
    gained = {name: [ndcg(run, query) for run, query in found] for name, found in runs.items()}
    return [
        *(mean(f"scifact nDCG@10{name}", values) for name, values in gained.items()),
        *(
            change(f"scifact nDCG@10, gain over{name[1:]}", _differences(gained[""], values))
            for name, values in gained.items()
            if name
        ),
        *(
            mean(f"scifact R@10{name}", [recall(run, query, 10) for run, query in found])
            for name, found in runs.items()
        ),
    ], []


def _differences(values: Sequence[float], others: Sequence[float]) -> list[float]:
    return [value - other for value, other in zip(values, others, strict=True)]


def fixture_questions() -> tuple[list[Figure], list[str]]:
    return _fixture("fixture", fixture())


def fixture_riddles() -> tuple[list[Figure], list[str]]:
    return _fixture("fixture, riddles", fixture("questions-hard.toml"))


def _fixture(name: str, dataset: Dataset) -> tuple[list[Figure], list[str]]:
    """The expected note (the first named) in the top five, and what each lane alone would find."""
    hits: dict[str, list[float]] = defaultdict(list)
    misses: list[str] = []
    with Product(dataset) as product:
        for query in dataset.queries:
            run = product.notes(query.text, DEPTH)[:5]
            found = float(query.paths[0] in run)
            hits["all"].append(found)
            hits[query.group.split()[0]].append(found)
            hits[query.group.split()[1]].append(found)
            for lane in ("keyword", "vector"):
                hits[f"{lane} alone"].append(float(query.paths[0] in product.notes(query.text, DEPTH, {lane})[:5]))
            if not found:
                misses.append(f"[{query.group}] {query.text} — expected {query.paths[0]}, got {run}")
    return [mean(f"{name}, note@5, {group}", values) for group, values in hits.items()], misses


def ndcg(run: Sequence[str], query: Query, k: int = 10) -> float:
    gained = sum(1 / math.log2(rank + 2) for rank, path in enumerate(run[:k]) if path in query.gold)
    return gained / sum(1 / math.log2(rank + 2) for rank in range(min(k, len(query.gold))))


def recall(run: Sequence[str], query: Query, k: int) -> float:
    return len(query.gold & set(run[:k])) / len(query.gold)


def _xquad(name: str) -> Callable[[], tuple[list[Figure], list[str]]]:
    return lambda: xquad(name)


MEASURES: dict[str, Callable[[], tuple[list[Figure], list[str]]]] = {
    **{name: _xquad(name) for name in XQUAD},
    "xquad/mixed": xquad_mixed,
    "2wiki": multihop,
    "scifact": scifact,
    "fixture": fixture_questions,
    "riddles": fixture_riddles,
}

if __name__ == "__main__":
    sys.exit(main())
