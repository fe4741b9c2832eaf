"""The JSON of work that nobody waits for: what is asked for, and how far it is. As in `vaultrag.wire`."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from vaultrag import domain
from vaultrag.wire.requests import AskRequest
from vaultrag.wire.shapes import Request, Shape
from vaultrag.wire.state import Fault

ID_LENGTH = 64


class Job(Shape):
    """A job. `state`: queued, running, done, spent (its budget is), failed (`failure` says why) or cancelled.

    A queued one that failed before is tried again not before `due`. `result` is the id of a kept answer, `stage` what
    it is at. Times are in ISO 8601, UTC. `minutes` and `tokens` are its budget, 0 where that sets no bound.
    """

    id: str
    kind: str
    about: str
    state: str
    at: str
    ended_at: str = ""
    due: str = ""
    attempts: int = 0
    granted: int = 1
    minutes: float
    tokens: int
    stage: str = ""
    units: int = 0
    used_tokens: int = 0
    used_seconds: float = 0.0
    failure: Fault | None = None
    result: str = ""

    @classmethod
    def values_of(cls, noun: domain.Job) -> dict[str, object]:
        order, failure = noun.order, noun.failure
        return {
            **super().values_of(noun),
            "kind": order.kind,
            "about": order.about,
            "minutes": order.budget.minutes,
            "tokens": order.budget.tokens,
            "used_tokens": noun.tokens,
            "used_seconds": round(noun.seconds, 3),
            "failure": Fault(error=failure.error, message=failure.message, remedy=failure.remedy) if failure else None,
        }


class Jobs(Shape):
    jobs: list[Job]

    @classmethod
    def values_of(cls, noun: Iterable[domain.Job]) -> dict[str, object]:
        return {"jobs": list(noun)}


class SubmitRequest(Request):
    """A job of the kind `ask`: a question of mode deep, agree or cascade, whose answer is kept under the job's id.

    It leans on its chat, not on `earlier` exchanges. Without `minutes` and `tokens` its budget is that of the settings.
    """

    kind: str = Field("ask", pattern="^ask$")
    ask: AskRequest
    minutes: float | None = Field(None, ge=0)
    tokens: int | None = Field(None, ge=0)


class JobRequest(Request):
    """`id` may be the beginning of one; empty, where a job is only looked at: the one that came last."""

    id: str = Field("", max_length=ID_LENGTH)
