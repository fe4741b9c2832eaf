"""The fixture's questions end to end: refused or answered, the right place, every fact, by who speaks.

usage: scripts/bench answers [--full] [--without-model] [--styles auto,prose,quotes]

Generations, scores and vectors are kept outside the repository: a run that was ended goes on from there. The same
questions are answered by each style, by quotes alone without a chat model, and by three rules that any product can
follow: copy the first three passages, refuse always, refuse never.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from benchmarks.counting import CountingModel
from benchmarks.datasets import REPOSITORY, fixture
from benchmarks.products import Product, show_progress
from benchmarks.remembered_vectors import RememberedEmbedder
from benchmarks.report import Figure, mean, share, write_report
from vaultrag.answering.answer import Answerer
from vaultrag.answering.judging.calibration_files import calibration_of
from vaultrag.answering.judging.checks import UNCHECKED, Checks, checks_by
from vaultrag.config import AnsweringSection
from vaultrag.domain import (
    Answer,
    AnswerReady,
    AnswerStatus,
    Backing,
    ChatModel,
    Citation,
    Embedder,
    Level,
    Refusal,
    SearchResult,
    SentenceState,
)
from vaultrag.runtime.pool import ModelPool
from vaultrag.text.language import fold
from vaultrag.vault.parsing.lines import Lines

ANSWERABLE = 40  # and all that no note answers: about 45 minutes on two cores, most of it for prose
PROMPT_BUDGET = 2400  # tokens: 20 s at 120 tokens/s; fixed, since a budget that follows the load would change prompts
READ_A_SECOND = 120.0  # tokens: three passages are judged on any machine that is measured
COPIED = 3
NOTHING_SPENT: Mapping[str, float] = MappingProxyType({})
BARE, COPY, NEVER_ANSWERS, NEVER_REFUSES = (
    "quotes without a model",
    "copy the first three passages",
    "always refuse",
    "never refuse",
)


@dataclass(frozen=True, slots=True)
class Item:
    """A question of the fixture. `denied` are words of a note that deny what it takes for granted."""

    question: str
    lang: str
    kind: str
    path: tuple[str, ...]
    anchor: str
    facts: tuple[str, ...]
    denied: str = ""

    @property
    def id(self) -> str:
        return hashlib.sha256(self.question.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Told:
    """What one way of answering said to one question, as a person would judge it."""

    item: Item
    refused: bool
    text: str
    places: tuple[Citation, ...]
    first: str
    backed: int = 0
    answer: Answer | None = None
    tokens: int = 0
    seconds: float = 0.0

    @property
    def has_facts(self) -> bool:
        shown = _plain("\n".join((self.text, *(place.quote for place in self.places))))
        return not self.refused and bool(self.item.facts) and all(_plain(fact) in shown for fact in self.item.facts)

    @property
    def has_place(self) -> bool:
        return not self.refused and any(_is_at(self.item, place) for place in self.places)

    @property
    def first_has_facts(self) -> bool:
        return not self.refused and all(_plain(fact) in _plain(self.first) for fact in self.item.facts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="ask every question")
    parser.add_argument("--without-model", action="store_true", help="only what needs no chat model")
    parser.add_argument("--styles", default="auto,quotes,prose", help="of the answers of a model")
    arguments = parser.parse_args()
    items = sample(fixture_items("questions.toml"), arguments.full) + fixture_items("questions-unanswerable.toml")
    styles = [] if arguments.without_model else [style for style in arguments.styles.split(",") if style]
    with Product(fixture()) as product:
        rows = _rows(product, items, styles)
    assert_quotes(rows)
    name = "answers" + "-full" * arguments.full + "-without-model" * arguments.without_model
    write_report(name, "Cited answers", figures(rows), NOTES, [_detail(way, one) for way, one in _each(rows)])
    return 0


def _rows(product: Product, items: Sequence[Item], styles: Sequence[str]) -> dict[str, list[Told]]:
    """Answer every question in each way."""
    pool = ModelPool.of(product.workspace.config)
    embedder = RememberedEmbedder(pool.embedder())
    rows: dict[str, list[Told]] = {}
    model = CountingModel.of() if styles else None
    for style in styles:
        assert model is not None
        checks = checks_by(model, calibration_of(model.fingerprint, model.models_dir), lambda: READ_A_SECOND)
        answerer = _answerer(product, model, embedder, checks, style)
        rows[style] = [_asked(answerer, item, f"{style} {done}/{len(items)}", model) for done, item in enumerate(items)]
    bare = _answerer(product, None, embedder, UNCHECKED, "quotes")
    rows[BARE] = [_asked(bare, item, f"{BARE} {done}/{len(items)}") for done, item in enumerate(items)]
    rows[COPY] = [_copied(item, product.workspace.search(item.question, COPIED)) for item in items]
    rows[NEVER_ANSWERS] = [Told(item, True, "", (), "") for item in items]
    rows[NEVER_REFUSES] = [replace(one, refused=False) for one in rows[BARE]]
    if model is not None:
        model.close()
    pool.close()
    return rows


def _answerer(product: Product, model: ChatModel | None, embedder: Embedder, checks: Checks, style: str) -> Answerer:
    """Return the product's own answerer with its models behind the cache."""
    settings = product.workspace.config.settings.answering
    return Answerer(
        search=product.workspace.search,
        model=model,
        embedder=embedder,
        settings=AnsweringSection.model_validate({**settings.model_dump(), "style": style}),
        prompt_budget=lambda: PROMPT_BUDGET,
        refusal=Refusal.WITHHELD,
        learn=lambda _: None,
        prepare=lambda: iter(()),
        caution=tuple,
        checks=lambda: checks,
    )


def _asked(answerer: Answerer, item: Item, where: str, model: CountingModel | None = None) -> Told:
    way, _, done = where.rpartition(" ")
    show_progress(way, *map(int, done.split("/")))
    if model is not None:
        model.reset()
    started = time.perf_counter()
    *_, last = answerer.answer(item.question)
    assert isinstance(last, AnswerReady)
    spent = model.spent(last.answer.text, time.perf_counter() - started) if model is not None else {}
    return judged(item, last.answer, spent)


def judged(item: Item, answer: Answer, spent: Mapping[str, float] = NOTHING_SPENT) -> Told:
    """Read an answer as a person would; one that quotes what denies the question's premise is as good as a refusal."""
    denies = bool(item.denied) and _plain(item.denied) in _plain(answer.text)
    first = answer.quotes[0].quote if answer.quotes else ""
    told = [sentence for sentence in answer.sentences if sentence.state is not SentenceState.REMOVED]
    return Told(
        item=item,
        refused=answer.status is AnswerStatus.NOT_IN_VAULT or denies,
        text=answer.text,
        places=answer.citations,
        first=first,
        backed=sum(sentence.support is Backing.BACKED for sentence in told),
        answer=answer,
        tokens=int(spent.get("tokens", 0)),
        seconds=float(spent.get("seconds", 0.0)),
    )


def _copied(item: Item, found: SearchResult) -> Told:
    places = tuple(
        Citation(n, p.chunk.path, p.chunk.heading_path, p.chunk.block_id, p.chunk.span, p.chunk.text, "verbatim", 1.0)
        for n, p in enumerate(found.passages, 1)
    )
    return Told(item, False, "\n".join(place.quote for place in places), places, places[0].quote if places else "")


def assert_quotes(rows: dict[str, list[Told]]) -> None:
    """Raise AssertionError unless every quote of every answer stands in its note at the span that is shown."""
    for way, one in _each(rows):
        for place in (*one.places, *(one.answer.quotes if one.answer else ())):
            assert _text_at(place) == place.quote, f"{way}: {place.path} {place.span} does not say: {place.quote}"


def _text_at(place: Citation) -> str:
    text, lines = _note(place.path)
    return text[slice(*lines.offsets(place.span))]


@cache
def _note(path: str) -> tuple[str, Lines]:
    vault = REPOSITORY / "fixtures" / "vault"
    found = next(file for file in vault.rglob("*") if _nfc(file.relative_to(vault).as_posix()) == path)
    text = found.read_bytes().decode("utf-8-sig")
    return text, Lines(text)


NOTES = (
    "Model: the smallest of the catalogue that answers (1.5B, 4 bits), the floor and not the target; auto is what it "
    "does by its calibration.",
    "Thresholds come from other sets; none of these questions was looked at when they were drawn.",
    "Refusal precision: of what was refused, the share that no note answers; recall: of what no note answers, the "
    "share that was refused.",
    "Place: a citation of the expected note whose heading, block or lines are those of the question's anchor.",
    "Facts: every expected string stands in what is shown, prose or quotes (three at most, 400 characters, the first "
    "one whole); ё=е, case and spaces apart; a paraphrase counts as missed.",
    "Every quote of every row was found in its note at the span shown; the run fails otherwise.",
    "Each row of the JSON file holds question, answer and citations, to be read one by one.",
)


def sample(items: Sequence[Item], full: bool) -> list[Item]:
    """Return the first answerable items by SHA-256 of their text, in turns by language and kind."""
    asked = [item for item in items if item.path]
    return asked if full else _stratified(asked, ANSWERABLE)


def figures(rows: dict[str, list[Told]]) -> list[Figure]:
    found: list[Figure] = []
    for way, told in rows.items():
        found += _of_way(way, told)
    for way in [way for way in rows if way in ("auto", "prose", BARE)]:
        by_group: dict[str, list[Told]] = defaultdict(list)
        for one in rows[way]:
            by_group[one.item.lang].append(one)
            by_group[f"{one.item.lang} {one.item.kind}"].append(one)
        for group, told in sorted(by_group.items()):
            found += _of_group(f"{way}, {group}", told)
    return found


def _of_way(way: str, told: Sequence[Told]) -> list[Figure]:
    asked = [one for one in told if one.item.path]
    open_ = [one for one in told if not one.item.path]
    refused = [one for one in told if one.refused]
    found = [
        *([share(f"{way}: refusal precision", sum(not o.item.path for o in refused), len(refused))] if refused else []),
        share(f"{way}: refusal recall", sum(one.refused for one in open_), len(open_)),
        share(f"{way}: answered, of the answerable", sum(not one.refused for one in asked), len(asked)),
        share(f"{way}: place cited", sum(one.has_place for one in asked), len(asked)),
        share(f"{way}: every fact shown", sum(one.has_facts for one in asked), len(asked)),
    ]
    answered = [one for one in told if one.answer is not None and not one.refused]
    if answered:
        right = [one for one in answered if one.item.path]
        found.append(share(f"{way}: every fact in the first quote", sum(o.first_has_facts for o in right), len(right)))
        found.append(mean(f"{way}: quotes in an answer", [float(len(o.answer.quotes)) for o in answered if o.answer]))
        found.append(mean(f"{way}: characters shown", [float(len(one.text)) for one in answered]))
        sure = [one for one in answered if one.answer and one.answer.level is Level.BACKED]
        if sure:
            rightly = sum(bool(one.item.path) for one in sure)
            found.append(share(f"{way}: called backed, and answerable", rightly, len(sure)))
    if any(one.tokens for one in told):
        found.append(mean(f"{way}: tokens of an answer", [float(one.tokens) for one in told]))
        found.append(mean(f"{way}: seconds of an answer", [one.seconds for one in told], " s"))
    return found


def _of_group(name: str, told: Sequence[Told]) -> list[Figure]:
    asked = [one for one in told if one.item.path]
    if not asked:
        return [share(f"{name}: refused", sum(one.refused for one in told), len(told))]
    return [
        share(f"{name}: place cited", sum(one.has_place for one in asked), len(asked)),
        share(f"{name}: every fact shown", sum(one.has_facts for one in asked), len(asked)),
    ]


def _each(rows: dict[str, list[Told]]) -> list[tuple[str, Told]]:
    return [(way, one) for way, told in rows.items() for one in told]


def _detail(way: str, one: Told) -> dict[str, object]:
    answer = one.answer
    return {
        "way": way,
        "question": one.item.question,
        "group": f"{one.item.lang} {one.item.kind}",
        "answerable": bool(one.item.path),
        "refused": one.refused,
        "place cited": one.has_place,
        "facts": one.has_facts,
        "expected": list(one.item.path),
        "expected facts": list(one.item.facts),
        "level": str(answer.level) if answer and answer.level else "",
        "style": str(answer.style) if answer else "",
        "answer": one.text if answer else "",
        "citations": [f"{c.path}:{c.span.first_line} {c.quote}" for c in one.places] if answer else [],
        "disputes": [dispute.said for dispute in answer.disputes] if answer else [],
        "missing": list(answer.missing) if answer else [],
        "stopped": answer.stopped if answer else "",
        "tokens": one.tokens,
        "seconds": one.seconds,
    }


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


def _is_at(item: Item, place: Citation) -> bool:
    if place.path not in item.path:
        return False
    if not item.anchor:
        return True
    if item.anchor.startswith("^"):
        return place.block_id == item.anchor[1:] or item.anchor in place.quote or _stands_in_block(item.anchor, place)
    return any(_plain(item.anchor) in _plain(heading) for heading in place.heading_path)


def _stands_in_block(anchor: str, place: Citation) -> bool:
    """Tell whether a quote is of the line or paragraph that the block id ends."""
    lines = _note(place.path)[0].splitlines()
    ends = [number for number, line in enumerate(lines, 1) if line.rstrip().endswith(anchor)]
    return any(
        place.span.first_line <= end and all(lines[n - 1].strip() for n in range(place.span.last_line, end + 1))
        for end in ends
    )


def fixture_items(name: str) -> list[Item]:
    with (REPOSITORY / "fixtures" / name).open("rb") as stream:
        questions = tomllib.load(stream)["question"]
    return [
        Item(
            q["question"],
            q["lang"],
            q["kind"],
            tuple(_nfc(path) for path in q["path"]),
            q["anchor"],
            tuple(q["facts"]),
            q.get("denied", ""),
        )
        for q in questions
    ]


def _nfc(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _plain(text: str) -> str:
    return "".join(fold(text).split())


if __name__ == "__main__":
    sys.exit(main())
