"""How questions are answered here: by which model, by what is known of its judgement, or by quotes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from vaultrag.answering.answer import Answerer
from vaultrag.answering.judging.calibration import Calibration
from vaultrag.answering.judging.checks import UNCHECKED, Checks, checks_by
from vaultrag.answering.longer.budget import Allowance
from vaultrag.config import Config
from vaultrag.domain import AnswerStyle, ChatModel, Embedder, Generation, Manner, Refusal, Role, SearchResult
from vaultrag.errors import ModelNotFound
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace.judging import reading_speed


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a question is answered: those of a person who waits for it, unless others are named.

    `through` hands out what a model is asked through. `steady` keeps a figure of the machine as it was, by its name.
    `reads` is told of the notes whose words a model is about to read. `at` is when the question was asked, `budget`
    what a deep answer may cost, `trace` the id of its trace.
    """

    is_awaited: bool = True
    through: Callable[[ChatModel], ChatModel] = lambda model: model
    steady: Callable[[str, Callable[[], float]], float] = lambda _, measure: measure()
    reads: Callable[[Iterable[str]], None] = lambda _: None
    at: datetime | None = None
    budget: Allowance | None = None
    trace: str = ""


AWAITED = Terms()


@dataclass(frozen=True, slots=True)
class Asking:
    """What one question is answered with."""

    config: Config
    models: ModelPool
    embedder: Embedder | None
    calibration: Callable[[Role], Calibration]
    terms: Terms = AWAITED

    def answerer(
        self,
        search: Callable[[str, int], SearchResult],
        manner: Manner,
        role: Role = Role.ANSWER,
        *,
        needed: bool = False,
    ) -> Answerer:
        """Return what answers. Without a model on this machine the quotes do, with a word on how to get one.

        Raises ModelNotFound where the model is needed: for prose, for a combination, or because the caller says so;
        ConfigError for settings that name none.
        """
        awaited = self.terms.is_awaited
        try:
            model: ChatModel | None = self.chat(role)
            refusal, lack = self.models.refusal(role), ""
        except ModelNotFound as error:
            if needed or self._needs_model(manner):
                raise
            model, refusal = None, Refusal.OFFERED
            lack = f"{error.message} So the notes' own lines answer. {error.remedy}"
        return Answerer(
            search=search,
            model=model,
            embedder=self.embedder,
            settings=self.config.settings.answering,
            prompt_budget=lambda: self.prompt_budget(role),
            refusal=refusal,
            learn=(lambda generation: self.models.learn(generation, role)) if awaited else _learn_nothing,
            prepare=(lambda: self.models.prepare_answer(role)) if model is not None and awaited else _nothing_to_load,
            caution=(lambda: self.models.cautions(role)) if model is not None else (lambda: (lack,)),
            checks=lambda: UNCHECKED if model is None else self.checks(model, role),
        )

    def chat(self, role: Role) -> ChatModel:
        """Return what a role's model is asked through. Raises ModelNotFound."""
        return self.terms.through(self.models.chat(role))

    def prompt_budget(self, role: Role) -> int:
        """Return the tokens that a role's model may be given to read."""
        return int(self.terms.steady(f"prompt budget of {role}", lambda: self.models.prompt_budget(role)))

    def _needs_model(self, manner: Manner) -> bool:
        settings = self.config.settings
        wanted = manner.style or settings.answering.style
        return wanted == AnswerStyle.PROSE or bool(settings.models.combination)

    def checks(self, model: ChatModel, role: Role) -> Checks:
        """Return what a role's model judges, asked as `model`. Raises ModelNotFound."""
        speed = f"reading speed of {role}"
        return checks_by(
            model,
            self.calibration(role),
            lambda: self.terms.steady(speed, lambda: reading_speed(self.models, role)),
        )


def _learn_nothing(_: Generation) -> None:
    """What stood aside for others tells nothing of the machine's speed."""


def _nothing_to_load() -> Iterator[float]:
    return iter(())
