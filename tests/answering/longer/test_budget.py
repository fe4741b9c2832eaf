"""What a long answer may cost: the draft under way ends where the budget does, and what it cost is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest

from tests.doubles import ScriptedModel
from vaultrag.answering.longer.budget import Allowance, BoundedModel, MeteredModel
from vaultrag.domain import Generation, Message, Piece, Sampling
from vaultrag.errors import GenerationFailed

MESSAGES = (Message("user", "When was the boiler mended?"),)


@dataclass(slots=True)
class TalkativeModel(ScriptedModel):
    """A double that goes on for long, and keeps how it was asked and that it was stopped."""

    sampled: list[Sampling] = field(default_factory=list)
    is_stopped: bool = False

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        self.sampled.append(sampling)
        try:
            yield from (f"word{number} " for number in range(1000))
        finally:
            self.is_stopped = True


def ticking(tokens: int, seconds: float) -> Allowance:
    """Return an allowance whose clock counts a second each time that somebody looks."""
    ticks = count()
    return Allowance(tokens, seconds, clock=lambda: float(next(ticks)))


def test_time_that_runs_out_ends_the_draft_under_way_with_what_was_written() -> None:
    model, budget = TalkativeModel([""]), ticking(10_000, 5.0)
    *said, end = MeteredModel(model, budget).generate(MESSAGES, Sampling(max_tokens=500))
    assert isinstance(end, Generation)
    assert (end.finish, end.text) == ("aborted", "".join(map(str, said)))
    assert len(said) == 5
    assert model.is_stopped
    assert budget.used == sum(model.count_tokens([MESSAGES[0].content, end.text]))
    assert "deep_seconds" in budget.spent


def test_a_draft_may_write_what_is_left_and_think_what_that_leaves() -> None:
    model, budget = TalkativeModel([""]), Allowance(1000, 1e9)
    budget.spend(400)
    for wanted in (200, -1):
        next(iter(MeteredModel(model, budget).generate(MESSAGES, Sampling(max_tokens=500, thinking_tokens=wanted))))
    assert [(asked.max_tokens, asked.thinking_tokens) for asked in model.sampled] == [(500, 100), (500, 100)]


def test_judgements_of_a_bounded_model_end_where_the_budget_does() -> None:
    model, budget = ScriptedModel(["Yes"]), ticking(10_000, 4.0)
    with pytest.raises(GenerationFailed, match="budget of 4 seconds"):
        BoundedModel(model, budget).score_each([MESSAGES] * 100, ("Yes", "No"))
    assert 0 < len(model.prompts) < 100


def test_judgements_within_the_budget_are_all_made() -> None:
    model, budget = ScriptedModel(["Yes"]), ticking(10_000, 1000.0)
    assert len(BoundedModel(model, budget).score_each([MESSAGES] * 9, ("Yes", "No"))) == 9
    assert len(model.prompts) == 9


@dataclass(slots=True)
class OneThingModel(TalkativeModel):
    """A double that does one thing at a time, as a process does: it counts nothing while it writes."""

    is_writing: bool = False

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        assert not self.is_writing, "whoever asks here waits for ever"
        return TalkativeModel.count_tokens(self, texts)

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        self.is_writing = True
        try:
            yield from TalkativeModel.generate(self, messages, sampling)
        finally:
            self.is_writing = False


def test_draft_that_time_ends_is_left_before_its_tokens_are_counted() -> None:
    *_, end = MeteredModel(OneThingModel([""]), ticking(10_000, 5.0)).generate(MESSAGES, Sampling(max_tokens=500))
    assert isinstance(end, Generation)
    assert (end.finish, end.completion_tokens > 0) == ("aborted", True)
