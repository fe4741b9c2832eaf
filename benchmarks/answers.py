"""Cited answers on a fixed sample of the fixture questions: right note and place cited, facts named, refusals.

usage: scripts/bench answers [--full]

Generations are cached by prompt, model and settings outside the repository: a run that was ended goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.datasets import REPOSITORY, fixture, work_folder
from benchmarks.products import Product, show_progress
from benchmarks.report import Figure, share, write_report
from vaultrag.answering.answer import Answerer
from vaultrag.domain import (
    Answer,
    AnswerReady,
    AnswerStatus,
    ChatModel,
    Generation,
    Message,
    Piece,
    Priority,
    Role,
    Sampling,
    Scores,
    SentenceState,
)
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.installed import fingerprint, require_model
from vaultrag.runtime.pool import ModelPool
from vaultrag.text.language import fold

ANSWERABLE, UNANSWERABLE = 20, 6  # some ten minutes on two cores
PROMPT_BUDGET = 3000  # tokens: 30 s at 100 tokens/s; fixed, since a budget that follows the load would change prompts


@dataclass(frozen=True, slots=True)
class Item:
    """A question of `fixtures/questions.toml`."""

    question: str
    lang: str
    kind: str
    path: tuple[str, ...]
    anchor: str
    facts: tuple[str, ...]

    @property
    def id(self) -> str:
        return hashlib.sha256(self.question.encode()).hexdigest()


class CachedModel:
    """A chat model whose finished generations are kept on disk."""

    def __init__(self, model: ChatModel, fingerprint: str, folder: Path) -> None:
        self._model = model
        self._fingerprint = fingerprint
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def context_length(self) -> int:
        return self._model.context_length

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._model.count_tokens(texts)

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        key = json.dumps([self._fingerprint, [asdict(m) for m in messages], asdict(sampling)], ensure_ascii=False)
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
        if path.exists():
            generation = Generation(**json.loads(path.read_text(encoding="utf-8")))
            yield generation.text
            yield generation
            return
        for piece in self._model.generate(messages, sampling):
            if isinstance(piece, Generation):
                path.write_text(json.dumps(asdict(piece), ensure_ascii=False), encoding="utf-8")
            yield piece

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        return self._model.score(messages, options, priority)

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        return self._model.score_each(conversations, options, priority)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="ask every question")
    full = parser.parse_args().full
    items = sample(_items(), full)
    rows: list[dict[str, object]] = []
    with Product(fixture()) as product:
        models = ModelPool.of(product.workspace.config)
        answerer = _answerer(product, models)
        for done, item in enumerate(items):
            show_progress("questions", done, len(items))
            rows.append(judge(item, _answer(answerer, item.question)))
        models.close()
    write_report("answers-full" if full else "answers", "Cited answers", figures(rows), NOTES, rows)
    return 0


def _answerer(product: Product, models: ModelPool) -> Answerer:
    """Return the product's own answerer with its model behind the cache."""
    config = product.workspace.config
    entry = find_model(config.settings.roles.answer, ModelKind.CHAT, config.models)
    kept = work_folder() / "generations"
    return Answerer(
        search=product.workspace.search,
        model=CachedModel(models.chat(Role.ANSWER), fingerprint(entry, require_model(entry, config.models)), kept),
        embedder=models.embedder(),
        settings=config.settings.answering,
        prompt_budget=lambda: PROMPT_BUDGET,
        refusal=models.refusal(),
        learn=lambda _: None,
        prepare=lambda: iter(()),
        caution=tuple,
    )


NOTES = (
    "Model: the smallest of the catalogue that answers (1.5B, 4 bits), the floor and not the target.",
    "Place: a citation of the expected note whose heading, block or lines are those of the question's anchor.",
    "Facts: every expected string stands in the answer (ё=е, case and spaces apart); a paraphrase counts as missed.",
    "Each row of the JSON file holds question, answer and citations, to be read one by one.",
)


def sample(items: Sequence[Item], full: bool) -> list[Item]:
    """Return the first items by SHA-256 of their text, in turns by language and kind."""
    if full:
        return list(items)
    answerable = _stratified([item for item in items if item.path], ANSWERABLE)
    return answerable + _stratified([item for item in items if not item.path], UNANSWERABLE)


def judge(item: Item, answer: Answer) -> dict[str, object]:
    """Compare an answer with what was expected."""
    cited = [c for c in answer.citations if c.path in item.path]
    first = [c for c in answer.citations if item.path and c.path == item.path[0]]
    placed = [c for c in cited if _at_anchor(item.anchor, c.heading_path, c.block_id, c.quote)]
    sentences = [s for s in answer.sentences if s.state is not SentenceState.REMOVED]
    return {
        "question": item.question,
        "group": f"{item.lang} {item.kind}",
        "answerable": bool(item.path),
        "offered": any(p.chunk.path in item.path for p in answer.passages),
        "note cited": bool(cited),
        "first note cited": bool(first),
        "place cited": bool(placed),
        "facts": bool(item.facts) and all(_plain(fact) in _plain(answer.text) for fact in item.facts),
        "refused": answer.status is AnswerStatus.NOT_IN_VAULT,
        "status": str(answer.status),
        "sentences": len(sentences),
        "cited sentences": sum(s.state is SentenceState.CITED for s in sentences),
        "expected": list(item.path),
        "expected facts": list(item.facts),
        "answer": answer.text,
        "citations": [f"{c.path}:{c.span.first_line} {c.quote}" for c in answer.citations],
        "seconds": round(answer.timings.get("total", 0.0), 1),
    }


def figures(rows: Sequence[dict[str, object]]) -> list[Figure]:
    asked = [row for row in rows if row["answerable"]]
    unanswerable = [row for row in rows if not row["answerable"]]
    found = [_share(f"{what}, answerable", asked, what) for what in ("offered", "note cited", "place cited", "facts")]
    by_language: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in asked:
        by_language[str(row["group"])[:2]].append(row)
    found += [_share(f"note cited, {language}", some, "note cited") for language, some in by_language.items()]
    found.append(_share("refused although answerable", asked, "refused"))
    if unanswerable:
        found.append(_share("refused, unanswerable", unanswerable, "refused"))
    sentences = sum(int(str(row["sentences"])) for row in rows)
    if sentences:
        found.append(share("sentences with a source", sum(int(str(r["cited sentences"])) for r in rows), sentences))
    return found


def _share(name: str, rows: Sequence[dict[str, object]], key: str) -> Figure:
    return share(name, sum(bool(row[key]) for row in rows), len(rows))


def _stratified(items: Sequence[Item], count: int) -> list[Item]:
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.id):
        groups[item.lang, item.kind].append(item)
    chosen: list[Item] = []
    while len(chosen) < min(count, len(items)):
        for key in sorted(groups):
            if groups[key] and len(chosen) < count:
                chosen.append(groups[key].pop(0))
    return chosen


def _at_anchor(anchor: str, headings: Sequence[str], block: str, quote: str) -> bool:
    if not anchor:
        return True
    if anchor.startswith("^"):
        return block == anchor[1:] or anchor in quote
    return any(_plain(anchor) in _plain(heading) for heading in headings)


def _answer(answerer: Answerer, question: str) -> Answer:
    for event in answerer.answer(question):
        if isinstance(event, AnswerReady):
            return event.answer
    raise AssertionError("an answer always ends with AnswerReady")


def _items() -> list[Item]:
    with (REPOSITORY / "fixtures" / "questions.toml").open("rb") as stream:
        questions = tomllib.load(stream)["question"]
    return [
        Item(
            q["question"],
            q["lang"],
            q["kind"],
            tuple(unicodedata.normalize("NFC", path) for path in q["path"]),
            q["anchor"],
            tuple(q["facts"]),
        )
        for q in questions
    ]


def _plain(text: str) -> str:
    return "".join(fold(text).split())


if __name__ == "__main__":
    sys.exit(main())
