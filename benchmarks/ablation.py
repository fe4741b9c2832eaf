"""What each lane of the search, what comes along with a hit, and the lanes' weights are worth: each off or changed.

usage: scripts/bench ablation [NAME ...]     fixture riddles xquad/mixed 2wiki scifact
    Questions are embedded once and kept for the next run; so is what the same code gave, so that a run that was
    stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from benchmarks.datasets import REPOSITORY, DataMissing, Dataset, Query, beir, fixture, two_wiki, work_folder
from benchmarks.products import Product
from benchmarks.report import Figure, change, mean, write_report
from benchmarks.retrieval import DEPTH, ndcg
from vaultrag.domain import Vectors
from vaultrag.retrieval.search import ALL_LANES, OWN_WEIGHTS


@dataclass(frozen=True, slots=True)
class Variant:
    """A search that differs from the product's in one thing."""

    name: str
    lanes: Set[str] = ALL_LANES
    weights: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Questions of one set, every so-manieth of them, and what a ranking of notes is worth to each."""

    dataset: Callable[[], Dataset]
    every: int
    values: Mapping[str, Callable[[Sequence[str], Query], float]]


SEARCH_CODE = ("retrieval", "store/notes", "store/vectors", "text", "text/times")
WHOLE = Variant("as it is")
VARIANTS = (
    WHOLE,
    Variant("without words", ALL_LANES - {"keyword"}),
    Variant("without meaning", ALL_LANES - {"vector"}),
    Variant("without names", ALL_LANES - {"name"}),
    Variant("without times", ALL_LANES - {"date"}),
    Variant("without links", ALL_LANES - {"link"}),
    Variant("without what comes along", ALL_LANES - {"along"}),
    Variant("words alone", {"keyword"}),
    Variant("meaning alone", {"vector"}),
    Variant("words weigh half", weights={**OWN_WEIGHTS, "keyword": 0.5}),
    Variant("words weigh double", weights={**OWN_WEIGHTS, "keyword": 2.0}),
    Variant("names weigh half", weights={**OWN_WEIGHTS, "name": 0.5}),
    Variant("names weigh double", weights={**OWN_WEIGHTS, "name": 2.0}),
)


def _first_of(k: int) -> Callable[[Sequence[str], Query], float]:
    return lambda run, query: float(query.paths[0] in run[:k])


def _all_of(k: int) -> Callable[[Sequence[str], Query], float]:
    return lambda run, query: float(query.gold <= set(run[:k]))


def _in_own_language(run: Sequence[str], query: Query) -> float:
    own = {path for path in query.gold if path.startswith(query.id[:2])}
    return float(bool(own & set(run[:10])))


def _translation(run: Sequence[str], query: Query) -> float:
    other = "ru" if query.id.startswith("en") else "en"
    own = {path for path in query.gold if path.startswith(query.id[:2])}
    return float(bool({f"{other}{path[2:]}" for path in own} & set(run[:10])))


MEASURES = {
    "fixture": Measure(fixture, 1, {"note@5": _first_of(5), "note@8": _first_of(8)}),
    "riddles": Measure(lambda: fixture("questions-hard.toml"), 1, {"note@5": _first_of(5), "note@8": _first_of(8)}),
    "xquad/mixed": Measure(
        lambda: beir("xquad/mixed"), 10, {"R@10 same language": _in_own_language, "R@10 translation": _translation}
    ),
    "2wiki": Measure(two_wiki, 1, {"perfect@8": _all_of(8)}),
    "scifact": Measure(lambda: beir("scifact"), 2, {"nDCG@10": ndcg}),
}


def _digest_of_code() -> str:
    """Return a digest of all code that a search runs through."""
    package = REPOSITORY / "vaultrag"
    files = sorted(path for folder in SEARCH_CODE for path in (package / folder).glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


CODE = _digest_of_code()


def main() -> int:
    figures: list[Figure] = []
    for name in sys.argv[1:] or MEASURES:
        try:
            figures += _measured(name, MEASURES[name])
        except DataMissing as missing:
            print(f"skipped {name}: {missing}")
    notes = [
        "Each row differs from the search as it is in one thing; the change is taken question by question.",
        "Lanes: words (BM25), meaning (vectors), names of notes, times that a question names, links of the first hits;"
        " along: embeds, footnotes and the other part of what was cut. The first five hits are never displaced.",
        "Every tenth question of XQuAD mixed, every second one of SciFact; best chunk a note, 30 passages asked for.",
    ]
    if figures:
        whole = not sys.argv[1:]
        write_report("ablation" if whole else "ablation-part", "What each lane is worth", figures, notes)
    return 0


def _measured(name: str, measure: Measure) -> list[Figure]:
    dataset = measure.dataset()
    queries = dataset.queries[:: measure.every]
    figures: list[Figure] = []
    with Product(dataset) as product:
        vectors = _embedded(product, name, queries)
        whole: dict[str, list[float]] = {}
        for variant in VARIANTS:
            runs = _ranked(product, name, variant, queries, vectors)
            for metric, value in measure.values.items():
                values = [value(run, query) for run, query in zip(runs, queries, strict=True)]
                figures.append(mean(f"{name} {metric}, {variant.name}", values))
                if variant is WHOLE:
                    whole[metric] = values
                    continue
                changes = [now - before for now, before in zip(values, whole[metric], strict=True)]
                figures.append(change(f"{name} {metric}, {variant.name}: change", changes))
    return figures


def _ranked(
    product: Product, name: str, variant: Variant, queries: Sequence[Query], vectors: Mapping[str, Vectors]
) -> list[list[str]]:
    """Return the notes that each question finds, as an earlier run of the same code did if there was one."""
    folder = work_folder() / "ablation" / CODE
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}, {variant.name}.json".replace("/", "-")
    known: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if not {query.id for query in queries} <= known.keys():
        known = {
            query.id: product.ranked(query.text, vectors[query.id], DEPTH, variant.lanes, variant.weights)
            for query in queries
        }
        path.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
    return [known[query.id] for query in queries]


def _embedded(product: Product, name: str, queries: Sequence[Query]) -> dict[str, Vectors]:
    """Return the questions' vectors, those of an earlier run if they are there."""
    path = work_folder() / f"ablation-{name.replace('/', '-')}.npz"
    known: dict[str, Vectors] = dict(np.load(path)) if path.exists() else {}
    if not {query.id for query in queries} <= known.keys():
        known = {query.id: product.embedded(query.text) for query in queries}
        np.savez(path, **known)  # type: ignore[arg-type]  # its stub takes the keyword allow_pickle alone
    return known


if __name__ == "__main__":
    sys.exit(main())
