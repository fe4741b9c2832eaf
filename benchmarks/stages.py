"""What each check of an answer and each second model gains and costs: the same questions with and without it.

usage: scripts/bench stages

CLAPNQ questions, each with one passage, that answers or only looks so. What the lanes of the search are worth, links
among them, `ablation` says. Result files name the questions by their hash. What models wrote and scored is kept outside
the repository: a run that was ended goes on from there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.citations import Cited, Sourced, cited_sentences, questions
from benchmarks.counting import CountingModel
from benchmarks.datasets import DataMissing
from benchmarks.given import Bench, Search, digest, given, last
from benchmarks.products import show_progress
from benchmarks.remembered_vectors import RememberedEmbedder
from benchmarks.report import Figure, change, mean, share, write_report
from vaultrag.answering.judging.checks import UNCHECKED, Checks
from vaultrag.answering.longer.agreement import AgreeingAnswerer
from vaultrag.answering.longer.cascade import CascadingAnswerer
from vaultrag.answering.longer.witness import Witness
from vaultrag.domain import Answer, AnswerEvent, AnswerStatus, AnswerStyle, Level, Manner, StepTaken

ASKED = 10  # questions that their passage answers, and as many that it does not: about ten minutes on two cores
SMALL, LARGE = "qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"
QUOTES, PROSE = Manner(style=AnswerStyle.QUOTES), Manner(style=AnswerStyle.PROSE)


@dataclass(frozen=True, slots=True)
class Stage:
    """A way of answering."""

    name: str
    events: Callable[[str, Search], Generator[AnswerEvent, None, None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way made of one question."""

    stage: str
    answerable: bool
    cited: Cited
    refused: bool
    backed: bool
    tokens: int

    @property
    def right(self) -> bool:
        """Whether it answers from a sentence that people chose, or refuses what has no answer."""
        return bool(self.cited.found & self.cited.sourced.gold) if self.answerable else self.refused


def main() -> int:
    try:
        asked = [(one, True) for one in questions()[:ASKED]]
        asked += [(one, False) for one in questions("unanswerable")[:ASKED]]
    except DataMissing as missing:
        print(f"skipped: {missing}")
        return 0
    large, small = CountingModel.of(LARGE), CountingModel.of(SMALL)
    embedder = RememberedEmbedder(large.embedder())
    benches = {name: Bench(model, embedder) for name, model in (("large", large), ("small", small))}
    outcomes = [
        _outcome(stage, place, one, answerable, benches)
        for stage in stages(benches["large"], benches["small"])
        for place, (one, answerable) in enumerate(asked)
    ]
    large.close()
    small.close()
    write_report("stages", "What checks and second models are worth", figures(outcomes), NOTES, _details(outcomes))
    return 0


def stages(large: Bench, small: Bench) -> list[Stage]:
    """Return the ways that are compared, each once the ways are there that it is compared with."""
    checks = large.checks()

    def by(kept: Checks, manner: Manner = PROSE) -> Callable[[str, Search], Generator[AnswerEvent, None, None]]:
        return lambda question, search: large.by(kept, search).answer(question, manner)

    return [
        Stage("prose", by(checks)),
        Stage("prose without the support check", by(replace(checks, supports=None))),
        Stage("prose without answerability", by(replace(checks, answers=None))),
        Stage("prose without any check", by(UNCHECKED)),
        Stage("quotes", by(checks, QUOTES)),
        Stage("the small model alone", lambda q, search: small.by(small.checks(), search).answer(q, PROSE)),
        Stage("cascade", lambda q, search: _cascading(small, large, search).answer(q, PROSE)),
        Stage("agreement", lambda q, search: _agreeing(small, large, search).answer(q, PROSE)),
    ]


def _cascading(small: Bench, large: Bench, search: Search) -> CascadingAnswerer:
    return CascadingAnswerer(lambda q: search(q, 1), _witness(small, search), _witness(large, search), _told)


def _agreeing(small: Bench, large: Bench, search: Search) -> AgreeingAnswerer:
    return AgreeingAnswerer(lambda q: search(q, 1), _witness(large, search), _witness(small, search), None, _told)


def _witness(bench: Bench, search: Search) -> Witness:
    return Witness(bench.model.name, lambda: bench.by(bench.checks(), search))


def _told(step: str, detail: str = "", paths: Iterable[str] = ()) -> StepTaken:
    del paths
    return StepTaken(step, detail)


def _outcome(stage: Stage, place: int, one: Sourced, answerable: bool, benches: Mapping[str, Bench]) -> Outcome:
    show_progress(stage.name, place, 2 * ASKED)
    for bench in benches.values():
        bench.model.reset()
    answer = last(stage.events(one.question, given([one.document], benches["large"].embedder)))
    refused = answer.status is AnswerStatus.NOT_IN_VAULT
    cited = Cited(stage.name, place, one, frozenset() if refused else cited_sentences(one, answer.citations))
    tokens = sum(bench.model.tokens for bench in benches.values())
    return Outcome(stage.name, answerable, cited, refused, _is_backed(answer), tokens)


def _is_backed(answer: Answer) -> bool:
    return answer.level is Level.BACKED and answer.status is not AnswerStatus.NOT_IN_VAULT


def figures(outcomes: Sequence[Outcome]) -> list[Figure]:
    """Return what each way reaches, and the change, question by question, to the way that it stands beside."""
    found: list[Figure] = []
    by_stage: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_stage.setdefault(outcome.stage, []).append(outcome)
    plain = by_stage["prose"]
    for name, here in by_stage.items():
        found += _of_stage(name, here)
        if here is not plain:
            found.append(_changed(f"{name}: change of right", here, plain, lambda one: float(one.right)))
            found.append(_changed(f"{name}: change of tokens", here, plain, lambda one: float(one.tokens)))
    return found


def _of_stage(name: str, here: Sequence[Outcome]) -> list[Figure]:
    has, lacks = ([one for one in here if one.answerable is kind] for kind in (True, False))
    sure = [one for one in here if one.backed]
    return [
        share(f"{name}: right", sum(one.right for one in here), len(here)),
        share(f"{name}: a gold sentence cited, of the answerable", sum(one.right for one in has), len(has)),
        mean(f"{name}: citation sentence F1, of the answerable", [one.cited.f1 for one in has]),
        share(f"{name}: refused, of the unanswerable", sum(one.right for one in lacks), len(lacks)),
        *([share(f"{name}: right, of what is called backed", sum(o.right for o in sure), len(sure))] if sure else []),
        mean(f"{name}: tokens", [float(one.tokens) for one in here]),
    ]


def _changed(name: str, here: Sequence[Outcome], plain: Sequence[Outcome], value: Callable[[Outcome], float]) -> Figure:
    return change(name, [value(one) - value(other) for one, other in zip(here, plain, strict=True)])


def _details(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    return [
        {
            "way": one.stage,
            "item": digest(one.cited.sourced.question)[:16],
            "answerable": one.answerable,
            "refused": one.refused,
            "backed": one.backed,
            "right": one.right,
            "cited": sorted(one.cited.found),
            "tokens": one.tokens,
        }
        for one in outcomes
    ]


NOTES = (
    f"Large: {LARGE}, {SMALL} the small one; both far below what the product is meant for.",
    f"The first {ASKED} reported CLAPNQ questions of each kind by SHA-256, each with its one passage.",
    "Right: a sentence is cited that people chose as the source, or a question without an answer is refused.",
    "Backed: what is called so; with the small model, that nobody has measured, nothing is.",
    "Tokens are read or written by either model, those that lie in its cache as well.",
    "Changes are taken question by question against prose with every check.",
)


if __name__ == "__main__":
    sys.exit(main())
