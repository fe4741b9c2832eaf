"""Jobs over HTTP: left, followed, ended and taken up again, with a server that works at them."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.served import GatedModel, Served, serving
from vaultrag.cli.client import parse_sse
from vaultrag.domain import JobBudget, JobOrder, Message, Piece, Sampling

QUESTION = "Когда поменяли картридж в бойлере?"
ASK = {"question": QUESTION, "mode": "deep", "style": "prose"}

pytestmark = pytest.mark.slow


@dataclass(slots=True)
class EnteredModel(GatedModel):
    """A gated model that says when it was first asked to write."""

    entered: threading.Event = field(default_factory=threading.Event)

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        with closing(generator(GatedModel.generate(self, messages, sampling))) as pieces:
            for piece in pieces:
                yield piece
                self.entered.set()


def generator(pieces: Iterator[Piece]) -> Generator[Piece, None, None]:
    yield from pieces


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that works at its jobs."""
    with serving(tmp_path_factory.mktemp("served")) as running:
        running.server.jobs.start()
        yield running
        running.server.jobs.close()


@pytest.mark.parametrize("question", [QUESTION, "When does the restic backup of mayak run?"])
def test_question_that_was_left_is_answered_and_kept_under_the_id_of_its_job(served: Served, question: str) -> None:
    with served.http() as http:
        body = {"kind": "ask", "ask": {**ASK, "question": question}, "minutes": 3.0, "tokens": 9000}
        job = http.post("/jobs", json=body).json()
        assert (job["state"], job["about"], job["minutes"], job["tokens"]) == ("queued", question, 3.0, 9000)
        events = served.events("/jobs/follow", {"id": job["id"][:6]})
        assert {name for name, _ in events} == {"job"}
        assert [event["state"] for _, event in events][-1] == "done"
        done = http.post("/jobs/show", json={"id": job["id"]}).json()
        assert done["result"] == job["id"]
        assert done["used_tokens"] > 0
        shown = http.post("/answers/show", json={"id": job["id"]}).json()
        assert shown["saved"]["answer"]["question"] == question
        assert shown["saved"]["answer"]["citations"]
        trace = http.post("/traces/show", json={"id": job["id"]}).json()
        assert trace["ended"]
        assert job["id"] in [one["id"] for one in http.get("/jobs").json()["jobs"]]


def test_budget_is_that_of_the_settings_where_none_is_named(served: Served) -> None:
    with served.http() as http:
        job = http.post("/jobs", json={"ask": ASK}).json()
    settings = served.config.settings.jobs
    assert (job["minutes"], job["tokens"]) == (settings.minutes, settings.tokens)


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/jobs", {"ask": {"question": QUESTION}}, 400, "--deep"),
        ("/jobs", {"ask": {**ASK, "scope": "nonsense:"}}, 400, ""),
        ("/jobs", {"ask": {**ASK, "earlier": [{"question": "?", "answer": "!"}]}}, 400, "chat"),
        ("/jobs", {"ask": ASK, "kind": "nightly"}, 422, "kind"),
        ("/jobs", {"ask": ASK, "minutes": -1.0}, 422, "minutes"),
        ("/jobs", {}, 422, "ask"),
        ("/jobs/show", {"id": "zz"}, 400, "No job"),
        ("/jobs/cancel", {"id": "zz"}, 400, "No job"),
        ("/jobs/resume", {"id": "zz"}, 400, "No job"),
        ("/jobs/cancel", {"id": ""}, 400, "No job is named"),
        ("/jobs/resume", {"id": " "}, 400, "No job is named"),
    ],
)
def test_request_that_makes_no_sense_is_told_so(
    served: Served, path: str, body: dict[str, object], status: int, said: str
) -> None:
    with served.http() as http:
        response = http.post(path, json=body)
    assert response.status_code == status
    fault = response.json()
    assert said in f"{fault['message']} {fault['remedy']}"
    assert fault["error"] == "UsageError"


def test_follower_of_a_job_that_is_not_there_gets_an_error(served: Served) -> None:
    ((name, fault),) = served.events("/jobs/follow", {"id": "zz"})
    assert (name, fault["error"]) == ("error", "UsageError")


def test_cancelled_job_lets_its_model_go_at_once_and_goes_on_when_it_is_resumed(tmp_path: Path) -> None:
    model = EnteredModel()
    with serving(tmp_path, model) as served, served.http() as http:
        served.server.jobs.start()
        job = http.post("/jobs", json={"ask": ASK}).json()["id"]
        assert model.entered.wait(30)
        assert http.post("/jobs/cancel", json={"id": job}).json()["state"] == "cancelled"
        assert model.left.wait(30)
        assert http.post("/jobs/cancel", json={"id": job}).json()["state"] == "cancelled"
        model.gate.set()
        assert http.post("/jobs/resume", json={"id": job}).json()["state"] in ("queued", "running")
        assert served.events("/jobs/follow", {"id": job})[-1][1]["state"] == "done"
        for path in ("/jobs/cancel", "/jobs/resume"):
            assert "is done" in http.post(path, json={"id": job}).json()["message"]
        served.server.jobs.close()


def test_question_of_a_person_is_answered_while_a_job_waits_at_its_model(tmp_path: Path) -> None:
    """The job holds no lock that a question needs; whose turn it is at the model is the model's queue to say."""
    model = EnteredModel()
    with serving(tmp_path, model) as served, served.http() as http:
        served.server.jobs.start()
        job = http.post("/jobs", json={"ask": ASK}).json()["id"]
        assert model.entered.wait(30)
        asked = {"question": QUESTION, "style": "prose"}
        with http.stream("POST", "/ask", json=asked) as response:
            names = (name for name, _ in parse_sse(response.iter_bytes()))
            assert "text" in names, "the first word came though the job has not ended"
        assert http.post("/jobs/show", json={"id": job}).json()["state"] == "running"
        model.gate.set()
        assert served.events("/jobs/follow", {"id": job})[-1][1]["state"] == "done"
        served.server.jobs.close()


def test_server_with_a_job_to_do_is_not_idle(tmp_path: Path) -> None:
    model = EnteredModel()
    with serving(tmp_path, model, idle_seconds=0.3) as served:
        served.server.jobs.start()
        order = JobOrder("ask", QUESTION, {**ASK, "scope": "", "chat": ""}, JobBudget(0, 0))
        served.server.jobs.submit(order)
        served.thread.join(1.5)
        assert served.thread.is_alive()
        model.gate.set()
        served.thread.join(30)
        assert not served.thread.is_alive(), "it ends when it has nothing to do"
        served.server.jobs.close()


def test_job_as_json_says_no_word_of_a_note(served: Served) -> None:
    with served.http() as http:
        assert "12 мая" not in json.dumps(http.get("/jobs").json(), ensure_ascii=False)
