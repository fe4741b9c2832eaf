"""Questions with passages that answer them, and with passages that only look as if: for lines, and for reports."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.datasets import data_folder
from benchmarks.products import show_progress
from vaultrag.answering.judging.calibration import Scored
from vaultrag.answering.judging.sureness import BEST, Shown, answer_scores, around
from vaultrag.domain import ChatModel, Priority
from vaultrag.text.language import sentences
from vaultrag.text.morphology import Term, count_terms
from vaultrag.text.terms import index_terms, question_terms

REPORTED = 60  # CLAPNQ questions of each kind that a line is reported on, and never drawn on
JUDGED = Path(__file__).resolve().parent / "judged"  # what was written and judged before any score of it was seen
RUSSIAN_TITLES = JUDGED / "titles_ru.json"  # XQuAD gives English ones alone
NEIGHBOURS = 3  # passages beside the right one: what is left of a search's first three where no note answers


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and passages, best first; `gold` are the sentences that answer it, none where nothing does."""

    question: str
    language: str
    passages: tuple[Shown, ...]
    answerable: bool
    gold: tuple[str, ...] = ()


def clapnq(*, reported: bool) -> list[Asked]:
    """Return questions to a passage each, answerable and not alike: the first by SHA-256 are reported on."""
    found: list[Asked] = []
    for name, answerable in (("dev_answerable_150", True), ("dev_unanswerable_150", False)):
        rows = sorted(_lines(data_folder() / "clapnq" / f"{name}.jsonl"), key=lambda row: digest(row["input"]))
        for row in rows[:REPORTED] if reported else rows[REPORTED:]:
            passage = row["passages"][0]
            gold = tuple(row["output"][0]["selected_sentences"])
            found.append(Asked(row["input"], "en", (Shown(passage["title"], passage["text"]),), answerable, gold))
    return found


def near_misses(language: str, questions: int) -> Iterator[Asked]:
    """Yield each question twice: with the right paragraph and its rivals, and with rivals alone.

    The rivals are the other paragraphs of the same article, those first that hold most of the question's rare words.
    All stand under the article's title, the Russian ones under its Russian one, as notes do.
    """
    folder = data_folder() / "xquad"
    titles = [row["title"] for row in _lines(folder / "en" / "corpus.jsonl")]
    texts = [row["text"].lstrip("\ufeff") for row in _lines(folder / language / "corpus.jsonl")]
    named = json.loads(RUSSIAN_TITLES.read_text(encoding="utf-8")) if language == "ru" else {}
    shown = [Shown(named.get(title, title), text) for title, text in zip(titles, texts, strict=True)]
    held = [frozenset(index_terms(text)) for text in texts]
    frequency = Counter(term for terms in held for term in terms)
    for question, gold in _questions(folder / language)[:questions]:
        rank = _by_rare_words(question_terms(question), held, frequency)
        rivals = [shown[index] for index in rank if index != gold and titles[index] == titles[gold]][:NEIGHBOURS]
        yield Asked(question, language, (shown[gold], *rivals[: BEST - 1]), answerable=True)
        yield Asked(question, language, tuple(rivals[:BEST]), answerable=False)


def score(asked: Sequence[Asked], model: ChatModel) -> list[Scored]:
    """Return the score of each question's likeliest passage, as the product takes it; of passages as they are read."""
    found: list[Scored] = []
    for done, one in enumerate(asked):
        show_progress("questions", done, len(asked))
        found.append(Scored(max(answer_scores(one.question, one.passages, model, Priority.NIGHT)), one.answerable))
    return found


def excerpted(one: Asked) -> Asked:
    """Return a question with the part of each passage that is read: round its best sentence."""
    return replace(one, passages=tuple(_excerpt(one.question, passage) for passage in one.passages))


def _excerpt(question: str, passage: Shown) -> Shown:
    start, end = _best_sentence(question, passage.text)
    first, last = around(passage.text, start, end)
    return Shown(passage.title, passage.text[first:last])


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _best_sentence(question: str, text: str) -> tuple[int, int]:
    """Return the borders of the first sentence that holds most of the question's words; of the text, if it has none."""
    borders = sentences(text)
    asked = question_terms(question)
    gains = [count_terms(asked, index_terms(text[first:last])) for first, last in borders]
    return borders[gains.index(max(gains))] if borders else (0, len(text))


def _questions(folder: Path) -> list[tuple[str, int]]:
    """Return each question with the number of its paragraph, in an order that is the same in every language."""
    rows = (line.split("\t") for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:])
    gold = {query: int(document.rpartition("-")[2]) for query, document, _ in rows}
    queries = sorted(_lines(folder / "queries.jsonl"), key=lambda row: digest(row["_id"].partition("-")[2]))
    return [(row["text"], gold[row["_id"]]) for row in queries]


def _by_rare_words(asked: Sequence[Term], held: Sequence[frozenset[str]], frequency: Counter[str]) -> list[int]:
    def weight(index: int) -> float:
        found = [
            min(frequency[stem] for stem in term if stem in held[index]) for term in asked if held[index] & {*term}
        ]
        return sum(math.log(len(held) / (1 + count)) for count in found)

    return sorted(range(len(held)), key=lambda index: -weight(index))


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]
