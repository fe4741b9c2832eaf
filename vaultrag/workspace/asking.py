"""How questions are answered here: by which model, by what is known of its judgement, or by quotes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vaultrag.answering.answer import Answerer
from vaultrag.answering.judging.calibration import Calibration
from vaultrag.answering.judging.checks import UNCHECKED, Checks, checks_by
from vaultrag.config import Config
from vaultrag.domain import AnswerStyle, ChatModel, Embedder, Manner, Refusal, Role, SearchResult
from vaultrag.errors import ModelNotFound
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace.judging import reading_speed


@dataclass(frozen=True, slots=True)
class Asking:
    """What one question is answered with."""

    config: Config
    models: ModelPool
    embedder: Embedder | None
    calibration: Callable[[Role], Calibration]

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
        try:
            model: ChatModel | None = self.models.chat(role)
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
            prompt_budget=lambda: self.models.prompt_budget(role),
            refusal=refusal,
            learn=lambda generation: self.models.learn(generation, role),
            prepare=(lambda: self.models.prepare_answer(role)) if model is not None else _nothing_to_load,
            caution=(lambda: self.models.cautions(role)) if model is not None else (lambda: (lack,)),
            checks=lambda: UNCHECKED if model is None else self.checks(model, role),
        )

    def _needs_model(self, manner: Manner) -> bool:
        settings = self.config.settings
        wanted = manner.style or settings.answering.style
        return wanted == AnswerStyle.PROSE or bool(settings.models.combination)

    def checks(self, model: ChatModel, role: Role) -> Checks:
        """Return what a role's model judges, asked as `model`. Raises ModelNotFound."""
        return checks_by(model, self.calibration(role), lambda: reading_speed(self.models, role))


def _nothing_to_load() -> Iterator[float]:
    return iter(())
