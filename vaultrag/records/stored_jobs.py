"""What the journal keeps of a job: what it is to do, and what became of it. How far it is stands in the index alone.

As other bodies it names its form in `form`, and the notes that it speaks of in `paths`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from vaultrag.domain import Job, JobBudget, JobFailure, JobOrder, JobState
from vaultrag.errors import IndexDamaged, IndexTooNew

JOB_FORM = 1
UNKNOWN = "unknown"  # the kind of a job that this version does not understand
UNKNOWN_TIME = "1970-01-01T00:00:00+00:00"


class StoredFailure(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    error: str
    message: str
    remedy: str


class StoredJob(BaseModel):
    """The body of a job, but for its form. Its id is the record's key. One that runs is kept as `queued`."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    about: str
    request: dict[str, Any]
    minutes: float
    tokens: int
    rank: int
    paths: list[str]
    state: JobState
    at: str
    ended_at: str
    granted: int
    failure: StoredFailure | None
    result: str
    units: int
    used_tokens: int
    used_seconds: float


def job_body(job: Job) -> dict[str, Any]:
    """Return the body that keeps a job."""
    order, failure = job.order, job.failure
    stored = StoredJob(
        kind=order.kind,
        about=order.about,
        request=dict(order.request),
        minutes=order.budget.minutes,
        tokens=order.budget.tokens,
        rank=order.rank,
        paths=list(order.paths),
        state=job.state if job.state.ended else JobState.QUEUED,
        at=job.at,
        ended_at=job.ended_at,
        granted=job.granted,
        failure=StoredFailure(error=failure.error, message=failure.message, remedy=failure.remedy) if failure else None,
        result=job.result,
        units=job.units,
        used_tokens=job.tokens,
        used_seconds=job.seconds,
    )
    return {"form": JOB_FORM, **stored.model_dump(mode="json")}


def read_job(key: str, body: Mapping[str, Any]) -> Job:
    """Read a job. Raises IndexTooNew, and IndexDamaged for what is none."""
    form = body.get("form", JOB_FORM)
    if type(form) is int and form > JOB_FORM:
        raise IndexTooNew(f"The job {key} was kept by a newer VaultRAG.", "Update VaultRAG.")
    try:
        stored = StoredJob.model_validate(body)
    except ValidationError as error:
        raise IndexDamaged(
            f"The job {key} is none that this version understands.", f"Update VaultRAG, or: vaultrag jobs cancel {key}"
        ) from error
    failure = stored.failure
    return Job(
        id=key,
        order=JobOrder(
            kind=stored.kind,
            about=stored.about,
            request=stored.request,
            budget=JobBudget(stored.minutes, stored.tokens),
            rank=stored.rank,
            paths=tuple(stored.paths),
        ),
        state=stored.state,
        at=stored.at,
        ended_at=stored.ended_at,
        granted=stored.granted,
        failure=JobFailure(failure.error, failure.message, failure.remedy) if failure else None,
        result=stored.result,
        units=stored.units,
        tokens=stored.used_tokens,
        seconds=stored.used_seconds,
    )


def readable_job(key: str, body: Mapping[str, Any]) -> Job:
    """Read a job; one that this version does not understand has failed, so that it holds up no other."""
    try:
        return read_job(key, body)
    except (IndexDamaged, IndexTooNew) as error:
        order = JobOrder(UNKNOWN, "", {}, JobBudget(0, 0), paths=tuple(map(str, body.get("paths", ()))))
        return Job(
            key, order, JobState.FAILED, UNKNOWN_TIME, failure=JobFailure(error.kind, error.message, error.remedy)
        )


def is_job(key: str, body: Mapping[str, Any]) -> bool:
    """Tell whether a body from a stranger's file is a job's. Raises IndexDamaged, IndexTooNew and ValueError."""
    job = read_job(key, body)
    datetime.fromisoformat(job.at)
    return job.state is not JobState.RUNNING and job.granted > 0
