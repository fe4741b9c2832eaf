"""Two questions at once at one server: a long one and a quick one, each with its own answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.served import Served, serving
from tests.waiting import wait_until
from vaultrag.cli.client import parse_sse
from vaultrag.domain import Message, Piece, Sampling
from vaultrag.store.traces import find_trace, read_traces

pytestmark = pytest.mark.slow
PATIENCE = 20
LONG, QUICK = "When does the restic backup of mayak run?", "Когда поменяли картридж в бойлере?"
SAID = {
    LONG: "The restic backup of mayak runs every night at 03:30.",
    QUICK: "Картридж в бойлере поменяли 12 мая 2024 года.",
}


@dataclass(slots=True)
class BusyModel(ScriptedModel):
    """Answers each question with its own sentence; the long one waits in its draft until the quick one is answered."""

    drafting: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        question = next(known for known in SAID if known in messages[-1].content)
        try:
            if question == LONG:
                self.drafting.set()
                while not self.answered.wait(0.02):
                    yield ""
            yield from ScriptedModel([SAID[question]]).generate(messages, sampling)
        finally:
            self.released.set()


def _answer(served: Served, question: str, **wanted: object) -> dict[str, object]:
    *_, (name, answer) = served.events("/ask", {"question": question, "chat": question, **wanted})
    assert name == "answer", answer
    return answer


def test_quick_question_is_answered_while_a_long_one_is_worked_at(tmp_path: Path) -> None:
    model = BusyModel([])
    with serving(tmp_path, model) as served, ThreadPoolExecutor(1) as beside:
        long = beside.submit(_answer, served, LONG, mode="deep")
        try:
            assert model.drafting.wait(PATIENCE)
            quick = _answer(served, QUICK)
            assert not long.done()
        finally:
            model.answered.set()
        deep = long.result(PATIENCE)
        assert str(quick["text"]).startswith(SAID[QUICK].rstrip("."))
        assert str(deep["text"]).startswith(SAID[LONG].rstrip("."))
        assert (quick["trace"], bool(deep["trace"])) == ("", True)
        trace = find_trace(served.workspace.database, "")
        assert (trace.question, trace.ended) == (LONG, True)
        for question in (LONG, QUICK):
            [turn] = served.workspace.archive.chat(question)
            assert turn.answer.question == question


def test_two_long_questions_at_once_leave_a_trace_each(tmp_path: Path) -> None:
    model = BusyModel([])
    model.answered.set()
    with serving(tmp_path, model) as served, ThreadPoolExecutor(2) as beside:
        asked = {question: beside.submit(_answer, served, question, mode="deep") for question in SAID}
        answers = {question: done.result(PATIENCE) for question, done in asked.items()}
        traces = {trace.question: trace for trace in read_traces(served.workspace.database)}
        assert {question: answer["trace"] for question, answer in answers.items()} == {
            question: trace.id for question, trace in traces.items()
        }
        assert all(trace.ended for trace in traces.values())
        assert "mayak" not in traces[QUICK].steps[-1].detail


def test_client_that_leaves_a_long_question_releases_the_model_and_the_next_one_is_answered(tmp_path: Path) -> None:
    model = BusyModel([])
    with serving(tmp_path, model) as served:
        asked = {"question": LONG, "mode": "deep", "chat": "left"}
        with served.http() as http, http.stream("POST", "/ask", json=asked) as response:
            events = parse_sse(response.iter_bytes())
            next(events)
            assert model.drafting.wait(PATIENCE)
            assert not model.released.is_set()
        assert model.released.wait(PATIENCE), "the model goes on for nobody"
        wait_until(lambda: find_trace(served.workspace.database, "").steps[-1].step == "stopped")
        assert served.workspace.archive.chats() == []
        model.answered.set()
        deep = _answer(served, LONG, mode="deep")
        assert find_trace(served.workspace.database, str(deep["trace"])).ended
