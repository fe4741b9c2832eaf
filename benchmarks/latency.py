"""Search latency by lane on the fixture vault, without and with the question's embedding.

usage: scripts/bench latency
"""

from __future__ import annotations

import sys
from collections import defaultdict

from benchmarks.datasets import fixture
from benchmarks.products import Product
from benchmarks.report import Figure, quantile, write_report
from vaultrag.workspace import Reach

K = 8
LANES = ("keyword", "vector", "name", "fusion", "link", "read")


def main() -> int:
    times: dict[str, list[float]] = defaultdict(list)
    dataset = fixture()
    with Product(dataset) as product:
        for query in dataset.queries[:5]:  # caches and children warm
            product.workspace.search(query.text, K)
        for query in dataset.queries:
            words = product.workspace.search(query.text, K, Reach.WORDS).timings
            times["words, names and links only"].append(words["total"] - words["embed"])
            full = product.workspace.search(query.text, K).timings
            times["every lane, without the question's embedding"].append(full["total"] - full["embed"])
            times["the question's embedding"].append(full["embed"])
            times["every lane, all in all"].append(full["total"])
            for lane in LANES:
                times[f"lane or step: {lane}"].append(full.get(lane, 0.0))
    figures: list[Figure] = []
    for name, values in times.items():
        figures += [quantile(f"{name}, p50", values, 0.5, " ms"), quantile(f"{name}, p95", values, 0.95, " ms")]
    notes = ["120 notes; the embedder and Chroma are loaded, as in a running server. Milliseconds of wall time."]
    write_report("latency", "Search latency", figures, notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
