"""Models that write a script and believe some lines, and a vault for them to be asked about."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from vaultrag.answering.judging.calibration import Calibration, Thresholds
from vaultrag.config import Config, Settings
from vaultrag.domain import (
    Answer,
    AnswerReady,
    AnswerStyle,
    ChatModel,
    Manner,
    Message,
    Mode,
    Piece,
    Priority,
    Role,
    Sampling,
    Scores,
    StepTaken,
    unwatched,
)
from vaultrag.errors import ModelCrashed, ModelNotFound
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.traces import find_trace
from vaultrag.workspace import Ownership, Workspace

BACKUP = "When does the restic backup of mayak run?"
BOILER = "Когда поменяли картридж в бойлере?"
MAYAK, HOSTS = "Servers/mayak.md", "Servers/hosts.md"
NOTES = {
    MAYAK: "# mayak\n\nThe restic backup of mayak runs every night at 03:30.\n",
    HOSTS: "# hosts\n\nThe restic backup of mayak runs every night at 04:45.\n",
    "Дом/Бойлер.md": "# Бойлер\n\nКартридж в бойлере поменяли 12 мая 2024 года.\n",
}
EARLY = "The restic backup of mayak runs every night at 03:30."
LATE = "The restic backup of mayak runs every night at 04:45."
MEASURED = Calibration(answerable={"": Thresholds(-9.0, 9.0)}, support=Thresholds(-1.0, 1.0))


@dataclass(slots=True)
class Juror(ScriptedModel):
    """A double that writes its script, and finds supported what holds one of `believes`."""

    believes: Sequence[str] = ("",)
    fails: type[ModelCrashed] | type[ModelNotFound] | None = None
    asked: list[str] = field(default_factory=list)

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        if self.fails is not None:
            raise self.fails(f"The model {self.name} is lost.", "Name another.")
        yield from ScriptedModel.generate(self, messages, sampling)

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        return [self._leaning(conversation[-1].content, options) for conversation in conversations]

    def _leaning(self, prompt: str, options: Sequence[str]) -> Scores:
        self.asked.append(prompt)
        believed = "(empty)" not in prompt and any(text in prompt for text in self.believes)
        yes = 0.99 if believed else 0.01
        return Scores(tuple(options), (math.log(yes), math.log(1 - yes)), calibrated=True)


@contextmanager
def opened(
    folder: Path,
    answer: ChatModel,
    others: Mapping[Role, ChatModel],
    monkeypatch: pytest.MonkeyPatch | None = None,
    notes: Mapping[str, str] | None = None,
) -> Iterator[Workspace]:
    """Open a vault with these models; with `monkeypatch` their judgement has been measured."""
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    for path, text in (notes or NOTES).items():
        (config.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (config.vault / path).write_text(text, encoding="utf-8")
    if monkeypatch is not None:
        monkeypatch.setattr(Workspace, "calibration", lambda *_: MEASURED)
    with Workspace(config, Ownership.OWN, ModelPool.given(config, None, answer, others=others)) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
        yield workspace


def asked(workspace: Workspace, question: str, mode: Mode = Mode.AGREE) -> tuple[Answer, list[StepTaken]]:
    """Ask, and return the answer, whose trace has an end, and the steps to it."""
    events = list(workspace.ask(question, manner=Manner(style=AnswerStyle.PROSE, mode=mode)))
    last = events[-1]
    assert isinstance(last, AnswerReady)
    assert find_trace(workspace.database, last.answer.trace).ended
    return last.answer, [event for event in events if isinstance(event, StepTaken)]


def detail(steps: Sequence[StepTaken], name: str) -> str:
    """Return what the steps of this name say."""
    return "\n".join(step.detail for step in steps if step.step == name)
