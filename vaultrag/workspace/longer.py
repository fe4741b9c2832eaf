"""The longer ways to an answer, put together: who is asked, what it may cost, and the trace that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeAlias

from vaultrag.answering.conversation import Understood
from vaultrag.answering.judging.checks import UNCHECKED
from vaultrag.answering.longer.agreement import AgreeingAnswerer
from vaultrag.answering.longer.budget import Allowance, MeteredModel
from vaultrag.answering.longer.cascade import CascadingAnswerer
from vaultrag.answering.longer.deep import DeepAnswerer
from vaultrag.answering.longer.lookups import Lookups
from vaultrag.answering.longer.planning import planned_by, split_question
from vaultrag.answering.longer.steps import Tell
from vaultrag.answering.longer.witness import Witness
from vaultrag.config import Config
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerReady,
    Embedder,
    Manner,
    Mode,
    Role,
    SearchResult,
    StepTaken,
    Vectors,
    counted,
)
from vaultrag.errors import ModelError, UsageError
from vaultrag.records.tracing import TraceWriter, writing_trace
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.database import Database
from vaultrag.workspace.asking import Asking

DEEP_THOUGHT = 1_000  # tokens that a thinking model has in deep mode, where the settings leave it none
LEFT = "Whoever asked has left."
READING = 2  # times what a quick answer reads at most: whoever asks deep waits longer for the first word

Search = Callable[[str, int], SearchResult]
Events: TypeAlias = Generator[AnswerEvent, None, None]


@dataclass(frozen=True, slots=True)
class LongerWay:
    """One question that is answered in a longer way. `allowed` are the chunks that its scope leaves, None for all."""

    config: Config
    models: ModelPool
    database: Database
    asking: Asking
    search: Search
    embed: Callable[[str], Vectors | None]
    fingerprint: str
    allowed: Set[int] | None

    def events(self, understood: Understood, manner: Manner) -> Events:
        """Yield the events of the answer, each step written into its trace before it is shown.

        The trace is found by the question as the user put it. Raises UsageError before any event where a mode needs a
        second model and the settings name none.
        """
        way = {Mode.DEEP: self._deep, Mode.AGREE: self._agreeing, Mode.CASCADE: self._cascading}[manner.mode]
        if manner.mode is not Mode.DEEP:
            self._second(manner.mode)
        return self._traced(understood, manner, way)

    def _traced(
        self,
        understood: Understood,
        manner: Manner,
        way: Callable[[TraceWriter, Manner, Understood], Events],
    ) -> Events:
        with writing_trace(self.config, self.database, understood.put, manner.mode, self.asking.terms.trace) as writer:
            if understood.leans:
                self.tell(writer)("understood", understood.asked, understood.paths)
            events = way(writer, manner, understood)
            try:
                with closing(events):
                    for event in events:
                        yield AnswerReady(_ended(event, writer)) if isinstance(event, AnswerReady) else event
            except ModelError as error:
                writer.end(error.message)
                raise
            except (GeneratorExit, KeyboardInterrupt):
                writer.stop(LEFT)
                raise

    def _deep(self, writer: TraceWriter, manner: Manner, understood: Understood) -> Events:
        section = self.config.settings.answering
        budget = self.asking.terms.budget or Allowance(section.deep_tokens, section.deep_seconds)
        role = Role.FINAL
        drafter = self.asking.answerer(self.search, manner, role)
        thinking = section.thinking_tokens or DEEP_THOUGHT
        model = MeteredModel(drafter.model, budget) if drafter.model is not None else None
        drafter = replace(
            drafter,
            model=model,
            checks=lambda: UNCHECKED if model is None else self.asking.checks(model, role),
            settings=section.model_copy(update={"thinking_tokens": thinking}),
            prompt_budget=lambda: min(READING * self.asking.prompt_budget(role), budget.left // 2),
        )
        deep = DeepAnswerer(
            self.lookups(),
            drafter,
            lambda asked: self._planned(asked, budget) if asked == understood.own else (),
            budget,
            self.tell(writer),
            lambda _: split_question(understood.own),
        )
        return deep.answer(understood.asked, manner)

    def _planned(self, question: str, budget: Allowance) -> Sequence[str]:
        """Have a model plan where one is named for it; a small one that answers plans worse than rules."""
        if self._same(Role.PLAN, Role.ANSWER):
            return ()
        return planned_by(MeteredModel(self.asking.chat(Role.PLAN), budget), question)

    def _agreeing(self, writer: TraceWriter, manner: Manner, understood: Understood) -> Events:
        second = self._second(Mode.AGREE)
        third = next((role for role in (Role.FINAL, Role.JUDGE) if not self._same(role, Role.ANSWER, second)), None)
        agreeing = AgreeingAnswerer(
            self._find,
            self._witness(Role.ANSWER, manner),
            self._witness(second, manner),
            self._witness(third, manner) if third else None,
            self.tell(writer),
        )
        return agreeing.answer(understood.asked, manner)

    def _cascading(self, writer: TraceWriter, manner: Manner, understood: Understood) -> Events:
        small, large = (self._witness(role, manner) for role in (Role.ANSWER, self._second(Mode.CASCADE)))
        return CascadingAnswerer(self._find, small, large, self.tell(writer)).answer(understood.asked, manner)

    def tell(self, writer: TraceWriter) -> Tell:
        """Return what writes a step down, and says whose words are read before a model reads them."""

        def tell(step: str, detail: str = "", paths: Iterable[str] = ()) -> StepTaken:
            named = list(paths)
            self.asking.terms.reads(named)
            return writer.add(step, detail, named)

        return tell

    def _witness(self, role: Role, manner: Manner) -> Witness:
        return Witness(
            self.models.roles.model_of(role), lambda: self.asking.answerer(self.search, manner, role, needed=True)
        )

    def _find(self, question: str) -> SearchResult:
        return self.search(question, self.config.settings.answering.passages)

    def _second(self, mode: Mode) -> Role:
        """Return the role whose model is asked beside the answering one. Raises UsageError where there is none."""
        for role in (Role.FINAL, Role.JUDGE) if mode is Mode.AGREE else (Role.FINAL,):
            if not self._same(role, Role.ANSWER):
                return role
        raise UsageError(
            f"`--{mode}` needs a second model, and the settings name only one.",
            'Name another in the settings, as: [roles] final = "qwen2.5-coder-0.5b-instruct"; or use --combo.',
        )

    def _same(self, role: Role, *others: Role) -> bool:
        roles = self.models.roles
        return roles.model_of(role) in {roles.model_of(other) for other in others}

    def lookups(self) -> Lookups:
        """Return the look-ups of one long question, or of one analysis."""
        embedder: Embedder | None = self.asking.embedder

        def embed_lines(lines: Sequence[str]) -> Vectors | None:
            try:
                return embedder.embed_passages(lines) if embedder is not None and lines else None
            except ModelError:
                return None  # words alone tell then

        return Lookups(self.database, self.search, self.embed, embed_lines, self.fingerprint, self.allowed)


def _ended(ready: AnswerReady, writer: TraceWriter) -> Answer:
    answer = ready.answer
    how = f"{answer.status}, {counted(len(answer.citations), 'citation')}."
    writer.end("\n".join(filter(None, (how, answer.stopped, answer.text))), {one.path for one in answer.citations})
    problem = (f"No trace of it could be kept: {writer.problem}",) if writer.problem else ()
    return replace(answer, trace="" if writer.problem else writer.id, warnings=(*answer.warnings, *problem))
