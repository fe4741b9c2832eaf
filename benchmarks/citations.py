"""Which sentences an answer cites: those that people chose as its source (CLAPNQ), and which besides.

usage: scripts/bench citations [--full]

Each answerable question is asked of its gold passage. A passage's sentence is cited where a citation of the answer lies
in it. Result files name the questions by their hash. What models wrote and scored is kept outside the repository: a run
that was ended goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.answerability import REPORTED
from benchmarks.counting import CountingModel
from benchmarks.datasets import DataMissing, data_folder
from benchmarks.given import PROSE, QUOTES, UNREAD, Bench, Document, Way, digest, given
from benchmarks.products import show_progress
from benchmarks.remembered_vectors import RememberedEmbedder
from benchmarks.report import Figure, mean, share, write_report
from vaultrag.domain import Answer, AnswerStatus, Citation

IN_PROSE = 16  # of the 60 questions: each takes some 12 seconds on two cores, twice that beside other work
READ = 30  # of them, that the model judges before they are quoted: 4 seconds each
LEAD = 3  # sentences that anybody could cite without reading: the first ones
LEAD_WAY, WHOLE_WAY = f"the first {LEAD} sentences", "the whole passage"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A question, the passage that answers it, its sentences as offsets, and which of them do."""

    question: str
    document: Document
    sentences: tuple[tuple[int, int], ...]
    gold: frozenset[int]


@dataclass(frozen=True, slots=True)
class Cited:
    """The sentences that one way cites for a question; none where it refuses."""

    way: str
    place: int
    sourced: Sourced
    found: frozenset[int]
    tokens: int = 0

    @property
    def precision(self) -> float:
        return len(self.found & self.sourced.gold) / len(self.found) if self.found else 0.0

    @property
    def recall(self) -> float:
        return len(self.found & self.sourced.gold) / len(self.sourced.gold) if self.sourced.gold else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="let the model read and answer every question")
    full = parser.parse_args().full
    try:
        asked = questions()
    except DataMissing as missing:
        print(f"skipped: {missing}")
        return 0
    model = CountingModel.of()
    bench = Bench(model, RememberedEmbedder(model.embedder()))
    rows = list(_rows(bench, asked, *((len(asked),) * 2 if full else (IN_PROSE, READ))))
    model.close()
    write_report("citations" + "-full" * full, "Cited sentences", figures(rows), NOTES, [_detail(row) for row in rows])
    return 0


def questions(kind: str = "answerable") -> list[Sourced]:
    """Return the CLAPNQ questions of a kind that are reported on: the first by SHA-256."""
    path = data_folder() / "clapnq" / f"dev_{kind}_150.jsonl"
    with path.open(encoding="utf-8") as stream:
        rows = sorted((json.loads(line) for line in stream), key=lambda row: digest(row["input"]))
    return [sourced(row) for row in rows[:REPORTED]]


def sourced(row: Mapping[str, Any]) -> Sourced:
    """Read a row of CLAPNQ; one that its passage does not answer has no gold sentence."""
    passage = row["passages"][0]
    borders: list[tuple[int, int]] = []
    for sentence in passage["sentences"]:
        start = passage["text"].index(sentence, borders[-1][1] if borders else 0)
        borders.append((start, start + len(sentence)))
    chosen = set(row["output"][0]["selected_sentences"])
    gold = frozenset(index for index, sentence in enumerate(passage["sentences"]) if sentence in chosen)
    return Sourced(row["input"], Document(passage["title"], passage["text"]), tuple(borders), gold)


def _rows(bench: Bench, asked: Sequence[Sourced], in_prose: int, read: int) -> Iterator[Cited]:
    for place, one in enumerate(asked):
        every = range(len(one.sentences))
        yield Cited(WHOLE_WAY, place, one, frozenset(every))
        yield Cited(LEAD_WAY, place, one, frozenset(every[:LEAD]))
    for way, some in ((PROSE, asked[:in_prose]), (QUOTES, asked[:read]), (UNREAD, asked)):
        for place, one in enumerate(some):
            show_progress(way.name, place, len(some))
            yield _asked(bench, way, place, one)


def _asked(bench: Bench, way: Way, place: int, one: Sourced) -> Cited:
    bench.model.reset()
    answer = bench.told(way, one.question, given([one.document], bench.embedder))
    assert isinstance(answer, Answer)
    refused = answer.status is AnswerStatus.NOT_IN_VAULT
    found = frozenset() if refused else cited_sentences(one, answer.citations)
    return Cited(way.name, place, one, found, bench.model.tokens)


def cited_sentences(one: Sourced, citations: Sequence[Citation]) -> frozenset[int]:
    """Return the sentences in which a citation lies, wholly or in part."""
    found: set[int] = set()
    for citation in citations:
        start = _offset(one.document.text, citation.span.first_line, citation.span.first_column)
        end = start + len(citation.quote)
        assert one.document.text[start:end] == citation.quote
        found |= {index for index, (first, last) in enumerate(one.sentences) if start < last and first < end}
    return frozenset(found)


def _offset(text: str, line: int, column: int) -> int:
    return sum(map(len, text.splitlines(keepends=True)[: line - 1])) + column - 1


def figures(rows: Sequence[Cited]) -> list[Figure]:
    """Return each way's figures on the questions that were answered in prose, and on all that it was asked."""
    read = {row.place for row in rows if row.way == PROSE.name}
    found: list[Figure] = []
    for name in dict.fromkeys(row.way for row in sorted(rows, key=lambda row: ORDER.index(row.way))):
        here = [row for row in rows if row.way == name]
        found += _of_way(name, [row for row in here if row.place in read])
        if len(here) > len(read):
            found += _of_way(f"{name}, of {len(here)}", here)
    return found


def _of_way(name: str, rows: Sequence[Cited]) -> list[Figure]:
    cited = [row for row in rows if row.found]
    found = [
        mean(f"{name}: citation sentence F1", [row.f1 for row in rows]),
        mean(f"{name}: F1 where anything is cited", [row.f1 for row in cited]),
        mean(f"{name}: precision where anything is cited", [row.precision for row in cited]),
        mean(f"{name}: recall where anything is cited", [row.recall for row in cited]),
        share(f"{name}: a gold sentence cited", sum(bool(row.found & row.sourced.gold) for row in rows), len(rows)),
    ]
    if any(row.tokens for row in rows):
        found.append(mean(f"{name}: tokens", [float(row.tokens) for row in rows]))
    return found


def _detail(row: Cited) -> dict[str, object]:
    return {
        "item": digest(row.sourced.question)[:16],
        "way": row.way,
        "sentences": len(row.sourced.sentences),
        "gold": sorted(row.sourced.gold),
        "cited": sorted(row.found),
        "tokens": row.tokens,
    }


ORDER = (WHOLE_WAY, LEAD_WAY, UNREAD.name, QUOTES.name, PROSE.name)
NOTES = (
    "Model: the smallest of the catalogue that answers (1.5B, 4 bits), the floor and not the target.",
    "CLAPNQ: the first 60 answerable questions by SHA-256, each with its gold passage; gold sentences are those that "
    "people chose for their own answer. Means over questions; one that is refused counts 0 in the first row.",
    "Quotes are at most three places or 400 characters; the model may refuse, or put them in order.",
    "Published beside it, of another set and judged by a model instead of by sentences (ALCE, ASQA): Llama-2-7B, "
    "citation recall .559 and precision .800.",
    "Tokens are read or written.",
)


if __name__ == "__main__":
    sys.exit(main())
