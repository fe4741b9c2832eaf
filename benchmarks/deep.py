"""Whether deep mode earns its cost: the notes that answer, among its evidence and among quick's at the same tokens.

usage: scripts/bench deep [NAME ...]     2wiki bridge fixture

No model writes here: what is measured is what a draft would be given. A question is complete when every note that its
answer needs is among the evidence.
"""

from __future__ import annotations

import json
import sys
import time
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.datasets import REPOSITORY, DataMissing, Dataset, fixture, two_wiki, work_folder
from benchmarks.products import Product, show_progress
from benchmarks.report import MEASURED, Figure, mean, quantile, share, write_report
from vaultrag.answering.longer.gather import HOPS, MOST_CLUES, Gathering, as_read
from vaultrag.answering.longer.lookups import Lookups
from vaultrag.answering.longer.planning import split_question
from vaultrag.domain import CountTokens, Passage, Vectors
from vaultrag.workspace import Workspace

QUICK = 8  # passages of a quick answer
HELD = 20  # questions that quick completes, of which deep may lose none: the first ones of the set
NOTES = (
    "Tokens are the embedder's, of each passage with its title; deep's passages count as a draft reads them.",
    "2wiki: 101 questions over 800 notes with links; complete: all gold notes are there. Every question that quick's"
    " evidence misses is in the first row, every one that it has in the third.",
    "Bridge: the twelve fixture questions whose note only another one names; quick's eight passages beside.",
    "Fixture: the 88 questions that one note answers, where steps can only cost.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a question."""

    question: str
    group: str
    quick: bool
    deep: bool
    whole: bool
    missing: tuple[str, ...]
    parts: tuple[str, ...]
    seconds: float


def main() -> int:
    figures: list[Figure] = []
    details: dict[str, object] = {}
    for name in sys.argv[1:] or MEASURES:
        try:
            rows, found = MEASURES[name]()
        except DataMissing as missing:
            print(f"skipped {name}: {missing}")
            continue
        figures += found
        details[name] = [asdict(row) for row in rows]
    write_report("deep", "Deep mode's evidence beside quick's", figures, NOTES, details)
    return 0


def multihop() -> tuple[list[Row], list[Figure]]:
    dataset = two_wiki()
    rows = measure(dataset, [(query.text, "", query.gold) for query in dataset.queries])
    missed, had = [row for row in rows if not row.quick], [row for row in rows if row.quick]
    first = had[:HELD]
    return rows, [
        share("2wiki, completed of those that quick misses", sum(row.deep for row in missed), len(missed)),
        share(f"2wiki, kept of the first {HELD} that quick has", sum(row.deep for row in first), len(first)),
        share("2wiki, kept of all that quick has", sum(row.deep for row in had), len(had)),
        share("2wiki, complete, quick", sum(row.quick for row in rows), len(rows)),
        share("2wiki, complete, deep at the same tokens", sum(row.deep for row in rows), len(rows)),
        quantile("2wiki, seconds of gathering, median", [row.seconds for row in rows], 0.5, " s"),
    ]


def bridge() -> tuple[list[Row], list[Figure]]:
    with (REPOSITORY / "fixtures" / "questions-deep.toml").open("rb") as stream:
        asked = tomllib.load(stream)["question"]
    gold = [(q["question"], q["lang"], frozenset({unicodedata.normalize("NFC", q["path"])})) for q in asked]
    rows = measure(fixture(), gold)
    return rows, [
        share("bridge, found, quick", sum(row.quick for row in rows), len(rows)),
        share("bridge, found, deep at the same tokens", sum(row.deep for row in rows), len(rows)),
        share("bridge, found, deep as it reads", sum(row.whole for row in rows), len(rows)),
    ]


def plain() -> tuple[list[Row], list[Figure]]:
    dataset = fixture()
    rows = measure(dataset, [(query.text, query.group, frozenset({query.paths[0]})) for query in dataset.queries])
    return rows, [
        share("fixture, found, quick", sum(row.quick for row in rows), len(rows)),
        share("fixture, found, deep at the same tokens", sum(row.deep for row in rows), len(rows)),
        share("fixture, found, deep as it reads", sum(row.whole for row in rows), len(rows)),
        mean("fixture, seconds of gathering", [row.seconds for row in rows], " s"),
    ]


def measure(dataset: Dataset, questions: Sequence[tuple[str, str, frozenset[str]]]) -> list[Row]:
    """Gather for each question; what was measured for this commit before is read from disk."""
    kept = work_folder() / "deep" / f"{MEASURED}-{dataset.name}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() and "dirty" not in MEASURED else {}
    rows: list[Row] = []
    with Product(dataset) as product:
        for done, (question, group, gold) in enumerate(questions):
            show_progress(dataset.name, done, len(questions))
            if question not in known:
                known[question] = asdict(_row(product.workspace, question, group, gold))
                kept.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
            values = known[question]
            rows.append(Row(**{**values, "missing": tuple(values["missing"]), "parts": tuple(values["parts"])}))
    return rows


def _row(workspace: Workspace, question: str, group: str, gold: frozenset[str]) -> Row:
    quick = workspace.search(question, QUICK).passages
    started = time.perf_counter()
    gathering = gathered(workspace, question)
    clues = gathering.clues()[:MOST_CLUES]
    read = [
        as_read(clue.passage, sentence, rank)
        for rank, (clue, sentence) in enumerate(zip(clues, gathering.sentences(clues), strict=True))
    ]
    seconds = time.perf_counter() - started
    count = workspace.models.token_counter()[0]
    budget = sum(_tokens(passage, count) for passage in quick)
    within: set[str] = set()
    for passage in read:
        cost = _tokens(passage, count)
        if cost <= budget:
            budget -= cost
            within.add(passage.chunk.path)
    return Row(
        question=question,
        group=group,
        quick=gold <= {passage.chunk.path for passage in quick},
        deep=gold <= within,
        whole=gold <= {passage.chunk.path for passage in read},
        missing=tuple(sorted(gold - within)),
        parts=tuple(gathering.parts),
        seconds=round(seconds, 3),
    )


def gathered(workspace: Workspace, question: str) -> Gathering:
    """Gather as deep mode does before its first draft, without a planning model."""

    def embed_lines(lines: Sequence[str]) -> Vectors | None:
        return workspace.models.embedder().embed_passages(lines) if lines else None

    lookups = Lookups(
        database=workspace.database,
        search=workspace.search,
        embed=lambda text: workspace.vectors.embed_question(text).vector,
        embed_lines=embed_lines,
        fingerprint=workspace.vectors.fingerprint,
    )
    gathering = Gathering(question, lookups)
    gathering.search(QUICK)
    for part in split_question(question):
        gathering.search_part(part)
    for _ in range(HOPS):
        gathering.follow()
    return gathering


def _tokens(passage: Passage, count: CountTokens) -> int:
    return count(f"{passage.title}\n{passage.chunk.text}")


MEASURES = {"2wiki": multihop, "bridge": bridge, "fixture": plain}

if __name__ == "__main__":
    sys.exit(main())
