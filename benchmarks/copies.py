"""Whether a note and its copy, in which one value was changed, are told to disagree: when asked for it, and otherwise.

usage: scripts/bench copies

XQuAD's paragraphs in English and Russian, each with a copy in which the answer to one of its questions gives way to an
answer of the same kind from elsewhere. No model reads, and no embedder: words alone rank the lines. Only every second
paragraph is asked about; what tells a dispute was tried out on the others.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.answerability import digest
from benchmarks.datasets import DataMissing, data_folder
from benchmarks.given import Document, passage
from benchmarks.report import Figure, share, write_report
from vaultrag.answering.evidence.alike import Value, ValueKind, Worded
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.answering.outcome.remarks import disputing_lines

LONGEST_ANSWER = 4  # words: a longer one is no value


@dataclass(frozen=True, slots=True)
class Copy:
    """A paragraph, the one that differs in a value, the question for it, and questions that other sentences answer."""

    language: str
    text: str
    changed: str
    question: str
    others: tuple[str, ...]


def main() -> int:
    try:
        copies = {language: list(changed(language)) for language in ("en", "ru")}
    except DataMissing as missing:
        print(f"skipped: {missing}")
        return 0
    figures = [figure for language, some in copies.items() for figure in _figures(language, some)]
    write_report("copies", "Copies of a note that differ in one value", figures, NOTES)
    return 0


def changed(language: str) -> Iterator[Copy]:
    """Yield every second paragraph once for each of its answers that can give way to another of its kind."""
    folder = data_folder() / "xquad" / language
    texts = {row["_id"]: row["text"].lstrip("\ufeff") for row in _lines(folder / "corpus.jsonl")}
    questions = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in _lines(folder / "answers.jsonl"):
        asked[row["doc"]].append((questions[row["_id"]], row["answers"][0]))
    pool: dict[frozenset[ValueKind], list[str]] = defaultdict(list)
    for answer in sorted({answer for rows in asked.values() for _, answer in rows}, key=digest):
        pool[kinds(answer)].append(answer)
    for document in list(asked)[1::2]:
        for question, answer in asked[document]:
            found = _copy(language, texts[document], question, answer, pool[kinds(answer)])
            if found is not None:
                others = (other for other, its in asked[document] if its not in _sentence(found.text, answer))
                yield replace(found, others=tuple(others))


def _copy(language: str, text: str, question: str, answer: str, pool: Sequence[str]) -> Copy | None:
    if text.count(answer) != 1 or len(answer.split()) > LONGEST_ANSWER:
        return None
    start = int(digest(answer), 16) % len(pool)
    other = next((one for one in (*pool[start:], *pool[:start]) if one not in text), None)
    return Copy(language, text, text.replace(answer, other), question, ()) if other else None


def kinds(answer: str) -> frozenset[ValueKind]:
    return Value(Worded.of(answer).words).kinds


def _sentence(text: str, answer: str) -> str:
    """Return the line of a paragraph, as disputes read it, in which an answer stands."""
    lines = Evidence("", [passage(Document("", text), 0, 1.0)], None).likely(len(text))
    return next((line.source.text for line in lines if answer in line.source.text), text)


def is_told(copy: Copy, question: str) -> bool:
    passages = [passage(Document(f"Note {n}", text), n, 1.0) for n, text in enumerate((copy.text, copy.changed), 1)]
    return bool(disputing_lines(question, Evidence(question, passages, None)))


def _figures(language: str, copies: Sequence[Copy]) -> list[Figure]:
    told = [is_told(copy, copy.question) for copy in copies]
    besides = [is_told(copy, other) for copy in copies for other in copy.others]
    return [
        share(f"{language}: told, asked for what differs", sum(told), len(told)),
        share(f"{language}: told, asked for something else", sum(besides), len(besides)),
    ]


def _lines(path: Any) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


NOTES = (
    "Asked for something else: questions about the same paragraph whose answer stands in another line.",
    "What gives way may be replaced by nonsense of the same kind; where kinds of question and value differ, nothing is"
    " told, and that is counted as missed.",
)


if __name__ == "__main__":
    sys.exit(main())
