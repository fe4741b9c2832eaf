"""Sources that disagree: several right answers (RAMDocs), notes against memory (ConflictNQ), false corrections.

usage: scripts/bench conflicts [RAMDocs] [ConflictNQ] [corrections] [--full]

Each question is answered by the product's own way from the documents that come with it, without a search; corrections
are asked of the fixture vault. Beside the product's styles stand its quotes without any chat model, and what a person
would pick instead: the best passage as it is. What models wrote and scored is kept outside the repository: a run that
was ended goes on from there. Result files name others' questions by their hash and hold no word of them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.counting import CountingModel
from benchmarks.datasets import REPOSITORY, data_folder, fixture
from benchmarks.given import PROSE, QUOTES, TOP, UNREAD, Bench, Document, Search, Way, digest, given, last, said
from benchmarks.products import Product, show_progress
from benchmarks.remembered_vectors import RememberedEmbedder
from benchmarks.report import Figure, mean, share, write_report
from vaultrag.answering.conversation import in_conversation, understand
from vaultrag.domain import AnswerStatus, Exchange, Manner
from vaultrag.text.language import content_stems, fold

READ = 12  # questions of each set that a chat model reads in the usual run, which ends within 15 minutes on two cores
CORRECTED_IN_PROSE = 4  # of thirty: eight passages of the fixture are read for each
MOSTLY = 0.5  # of an answer's telling words
UNREAD_ASKED = 50  # questions of each set that are answered without a chat model in the usual run

_WORD = re.compile(r"[\w€$%]+")

Row: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """A question with its documents, what has to be said, and what must not be."""

    question: str
    documents: tuple[str, ...]
    right: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def id(self) -> str:
        return digest(f"{self.question}\n{self.documents}")

    @property
    def notes(self) -> list[Document]:
        return [Document(f"Note {number}", text) for number, text in enumerate(self.documents, 1)]


@dataclass(frozen=True, slots=True)
class Correction:
    """A question, and what the user holds against its answer."""

    question: str
    claim: str
    fact: str
    false_value: str

    @property
    def id(self) -> str:
        return digest(self.question)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", help=f"some of {', '.join(KEYS)}; default: all")
    parser.add_argument("--full", action="store_true", help="let the model read every question")
    wanted = parser.parse_args()
    names = tuple(name for name in KEYS if not wanted.sets or name in wanted.sets)
    model = CountingModel.of()
    bench = Bench(model, RememberedEmbedder(model.embedder()))
    rows = [row for name in names for row in answered(bench, name, wanted.full)]
    model.close()
    kind = "" if names == tuple(KEYS) else "".join(f"-{name}" for name in names)
    kind += "-full" * wanted.full
    write_report(f"conflicts{kind}", "Sources that disagree", figures(rows, wanted.full), NOTES, rows)
    return 0


def answered(bench: Bench, name: str, full: bool) -> Iterator[Row]:
    """Yield what each way says to the questions of a set; what a model reads comes first."""
    if name == "corrections":
        yield from corrected(bench, full)
        return
    cases, judge = (ramdocs(), judge_all) if name == "RAMDocs" else (conflict_nq(), judge_followed)
    read, unread = (None, None) if full else (READ, UNREAD_ASKED)
    for way in (PROSE, QUOTES, UNREAD, TOP):
        yield from asked(bench, name, way, cases[: read if way.reads else unread], judge)


def asked(bench: Bench, name: str, way: Way, cases: Sequence[Case], judge: Callable[[Case, str], Row]) -> Iterator[Row]:
    for done, case in enumerate(cases):
        show_progress(f"{name}, {way.name}", done, len(cases))
        started = time.perf_counter()
        bench.model.reset()
        answer = bench.told(way, case.question, given(case.notes, bench.embedder))
        text = answer if isinstance(answer, str) else said(answer)
        yield {
            "set": name,
            "way": way.name,
            "place": done,
            "item": case.id,
            "refused": not isinstance(answer, str) and answer.status is AnswerStatus.NOT_IN_VAULT,
            "disputes": 0 if isinstance(answer, str) else len(answer.disputes),
            "documents shown": 1 if isinstance(answer, str) else len({c.path for c in answer.citations}),
            **judge(case, text),
            **bench.model.spent(f"{case.id}{way.name}", time.perf_counter() - started),
        }


def corrected(bench: Bench, full: bool) -> Iterator[Row]:
    corrections = false_corrections()
    with Product(fixture()) as product:
        in_prose = len(corrections) if full else CORRECTED_IN_PROSE
        for way, some in ((UNREAD, corrections), (QUOTES, corrections), (PROSE, corrections[:in_prose])):
            for done, one in enumerate(some):
                show_progress(f"corrections, {way.name}", done, len(some))
                yield insisted(bench, way, one, done, product.workspace.search)


def insisted(bench: Bench, way: Way, one: Correction, place: int, search: Search) -> Row:
    """Ask, contradict the answer as a user does, and look at what is said then."""
    started = time.perf_counter()
    bench.model.reset()
    answerer, manner = bench.answerer(way, search), Manner(style=way.style)
    first = last(answerer.answer(one.question, manner))
    understood = understand(one.claim, [Exchange(one.question, first.text)])
    second = last(in_conversation(understood, answerer.answer(understood.asked, manner)))
    text, quoted = said(second), "\n".join(citation.quote for citation in second.citations)
    return {
        "set": "corrections",
        "way": way.name,
        "place": place,
        "question": one.question,
        "claim": one.claim,
        "text": text,
        "understood": bool(understood.claim) and understood.asked == one.question,
        "held before": holds(one.fact, said(first)),
        "held": holds(one.fact, text),
        "asserted": holds(one.false_value, text) and not holds(one.false_value, quoted),
        "refused": second.status is AnswerStatus.NOT_IN_VAULT,
        **bench.model.spent(f"{one.id}{way.name}", time.perf_counter() - started),
    }


def ramdocs() -> list[Case]:
    """Return questions whose documents name several right answers, wrong ones, and nothing; in an order by chance."""
    rows = lines(data_folder() / "ramdocs" / "first_250.jsonl")
    cases = [
        Case(
            question=row["question"],
            documents=tuple(sorted((d["text"] for d in row["documents"]), key=digest)),
            right=tuple(row["gold_answers"]),
            wrong=tuple(row["wrong_answers"]),
        )
        for row in rows
    ]
    return sorted(cases, key=lambda case: case.id)


def conflict_nq() -> list[Case]:
    """Return questions whose notes agree on what is not so in the world."""
    cases = [
        Case(
            question=row["cleaned_question"],
            documents=tuple(sorted((p["passage"] for p in row["fake_passages"]), key=digest)),
            right=(row["fake_short_answer"],),
            wrong=(row["real_short_answer"],),
        )
        for row in lines(data_folder() / "conflictnq" / "conflict_nq_val.jsonl")
    ]
    return sorted((case for case in cases if all(telling_words(case))), key=lambda case: case.id)


def false_corrections() -> list[Correction]:
    with (REPOSITORY / "fixtures" / "corrections.toml").open("rb") as stream:
        rows = tomllib.load(stream)["correction"]
    found = [Correction(row["question"], row["correction"], row["fact"], row["false_value"]) for row in rows]
    return sorted(found, key=lambda one: one.id)


def judge_all(case: Case, text: str) -> Row:
    """Strict: every right answer is named, and no wrong one (outside of the words of a right one)."""
    named = all(holds(answer, text) for answer in case.right)
    rest = _normal(text)
    for answer in case.right:
        rest = rest.replace(f" {_normal(answer).strip()} ", " ")
    wrong = any(f" {_normal(answer).strip()} " in rest for answer in case.wrong)
    return {"all named": named, "wrong named": wrong, "strict": named and not wrong}


def judge_followed(case: Case, text: str) -> Row:
    """The notes are followed where their answer's telling words stand in the text, and the world's do not."""
    notes, world = telling_words(case)
    stems = set(content_stems(text))
    ours, theirs = len(notes & stems) / len(notes), len(world & stems) / len(world)
    return {"follows": ours >= MOSTLY > theirs, "world": theirs >= MOSTLY and theirs > ours}


def telling_words(case: Case) -> tuple[frozenset[str], frozenset[str]]:
    """Return the stems that only the notes' answer holds, and those that only the world's does."""
    asked_for = set(content_stems(case.question))
    notes, world = (frozenset(content_stems(answer)) - asked_for for answer in (case.right[0], case.wrong[0]))
    return notes - world, world - notes


def holds(answer: str, text: str) -> bool:
    """Tell whether an answer stands in a text, case, punctuation and ё apart."""
    return f" {_normal(answer).strip()} " in _normal(text)


def lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def _normal(text: str) -> str:
    return f" {' '.join(_WORD.findall(fold(text)))} "


def figures(rows: Sequence[Row], full: bool) -> list[Figure]:
    """Return the shares of each way on the questions that the model read, then of those without a model on all."""
    found: list[Figure] = []
    for name, keys in KEYS.items():
        here = [row for row in rows if row["set"] == name]
        read = {row["place"] for row in here if row["way"] == PROSE.name}
        for way in (TOP, UNREAD, QUOTES, PROSE):
            some = [row for row in here if row["way"] == way.name and row["place"] in read]
            found += _shares(f"{name}, {way.name}", some, keys)
        if full:
            continue
        for way in (TOP, UNREAD, QUOTES):
            every = [row for row in here if row["way"] == way.name]
            if len(every) > len(read):
                found += _shares(f"{name}, {way.name}, all", every, keys)
    return found


KEYS: dict[str, tuple[str, ...]] = {
    "RAMDocs": ("strict", "all named", "wrong named", "disputes", "refused"),
    "ConflictNQ": ("follows", "world", "refused"),
    "corrections": ("held", "asserted", "held before", "understood", "refused"),
}
NOTES = (
    "Model: the smallest of the catalogue that answers (1.5B, 4 bits), the floor and not the target.",
    "RAMDocs, strict: every right answer stands in the text and no wrong one does; of several right ones each counts. "
    "Disputes: it is said that places disagree. Documents in an order by chance, the nearest in meaning first.",
    "ConflictNQ, follows: at least half of the words that only the notes' answer has stand in the text, and less than "
    "half of those that only the world's has; `world` the other way round. A paraphrase counts as neither.",
    "Corrections, held: the fact still stands in what is told after the user's denial; asserted: the false value "
    "stands there, and not in a line that is quoted.",
    "Top passage: the nearest document as it is, whole: what a person would read instead. It is longer than an answer.",
    "Seconds are those of the run that computed them, on a machine that others used as well; tokens read or written. "
    "Quotes ask of a passage what prose asked before, so theirs are of a replay: about 360 tokens have to be read.",
    "Published beside it: WikiContradict, another set of the same kind: Llama-3-70B is right on 10.4 % of conflicts of "
    "two passages, on 43.8 % when told to look for them. For RAMDocs and ConflictNQ our data names none.",
)


def _shares(name: str, rows: Sequence[Row], keys: Sequence[str]) -> list[Figure]:
    if not rows:
        return []
    found = [share(f"{name}: {key}", sum(bool(row[key]) for row in rows), len(rows)) for key in keys if key in rows[0]]
    found.append(mean(f"{name}: tokens", [float(str(row["tokens"])) for row in rows]))
    return [*found, mean(f"{name}: seconds", [float(str(row["seconds"])) for row in rows], " s")]


if __name__ == "__main__":
    sys.exit(main())
