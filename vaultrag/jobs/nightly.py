"""A night: its stages one after the other, each with its share of the time, then one report of what is new.

A night is a job. What a stage found lies in the index with the notes that it is about; that a stage ended is a unit of
the job, so that a night that was killed goes on where it was and tells the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from vaultrag.domain import JobBudget, JobOrder, StageOutcome, StageState
from vaultrag.errors import NightNotRun, VaultragError
from vaultrag.jobs.living import fallen_answers
from vaultrag.jobs.report import (
    ReportedNight,
    language_of,
    night_title,
    notice_of,
    noticed_by,
    report_text,
    with_failure,
)
from vaultrag.jobs.report_findings import claim_news
from vaultrag.jobs.runs import JobRun, Outcome, unit_key
from vaultrag.jobs.stage_run import Stage, StageRun, StageStep
from vaultrag.jobs.stages import STAGES
from vaultrag.records.analyses import AnalysisArchive
from vaultrag.records.night_reports import write_night_report
from vaultrag.records.queue import JobQueue
from vaultrag.runtime.hardware.desktop import tell_desktop
from vaultrag.runtime.hardware.power import on_battery
from vaultrag.store.jobs.rows import LeaseLost
from vaultrag.store.night.findings import DISAGREEMENTS, OwedNote, note_done, note_key_told, note_told
from vaultrag.store.night.living import note_records_told
from vaultrag.store.night.nights import begin_night, end_night, night_before, note_report
from vaultrag.workspace import Workspace

NIGHT = "night"
ANY_HOURS: Mapping[str, str] = MappingProxyType({})
RANK = -1  # before the jobs that wait: it works at them itself, within its time
BATTERY = "The machine runs on its battery."
BATTERY_SECONDS = 60.0  # between looks at the battery while a stage works: on macOS each starts a program
ALLOW = "Plug it in, or allow it: --on-battery, or `night.on_battery`."


def night_order(minutes: float, battery: bool, hours: Mapping[str, str] = ANY_HOURS) -> JobOrder:
    """Return the job of a night that takes so many minutes at most; `battery` says whether it may run on one.

    `hours` are its `window`, by the name of its beginning, and the moment `until` which it may work, however long the
    machine slept in between.
    """
    return JobOrder(NIGHT, "night", {"on_battery": battery, **hours}, JobBudget(minutes, 0), RANK)


def refuse_battery(battery: bool) -> None:
    """Raise NightNotRun where the machine runs on its battery, and may not."""
    if not battery and on_battery():
        raise NightNotRun(BATTERY, ALLOW)


def work_the_night(workspace: Workspace, run: JobRun) -> Outcome:
    """Do what a night does. It ends by itself when its time is over, with what it has."""
    began = datetime.fromisoformat(run.job.at)
    begin_night(workspace.database, run.job.id, _microseconds(began))
    stages = [_worked(workspace, run, stage, began) for stage in STAGES]
    return _reported(workspace, run, began, stages)


def _worked(workspace: Workspace, run: JobRun, stage: Stage, began: datetime) -> StageOutcome:
    """Do one stage, unless that was done before the night was interrupted."""
    key = unit_key("stage", stage.name)
    known = run.result(key)
    if known is not None:
        values = json.loads(known)
        return StageOutcome(**{**values, "state": StageState(values["state"])})
    run.look()
    run.stage(stage.name)
    outcome = _outcome(workspace, run, stage, began)
    run.done(key, json.dumps(asdict(outcome)), tokens=outcome.tokens, seconds=outcome.seconds)
    return outcome


def _outcome(workspace: Workspace, run: JobRun, stage: Stage, began: datetime) -> StageOutcome:
    left = _seconds_left(run)
    if not left:
        return StageOutcome(stage.name, StageState.NOT_REACHED)
    if _is_unplugged(run):
        error = NightNotRun(BATTERY, ALLOW)
        return _failed(StageOutcome(stage.name, StageState.NOT_REACHED), error)
    worked = _Work(StageOutcome(stage.name, StageState.DONE))
    deadline = _Deadline(run, left * stage.share)
    night = StageRun(workspace, run, began, deadline.is_over)
    try:
        for step in stage.work(night):
            worked.add(step)
            run.look()
            if deadline.is_over() and step.left:
                break
    except (LeaseLost, NightNotRun):
        raise
    except VaultragError as error:
        run.look()  # somebody ended it: that is no failure of its
        return replace(_failed(worked.outcome, error), state=StageState.FAILED, seconds=deadline.spent())
    state = StageState.PARTIAL if worked.outcome.left else StageState.DONE
    return replace(worked.outcome, state=state, seconds=deadline.spent())


@dataclass(slots=True)
class _Work:
    outcome: StageOutcome

    def add(self, step: StageStep) -> None:
        before = self.outcome
        self.outcome = replace(before, done=before.done + step.done, left=step.left, tokens=before.tokens + step.tokens)


class _Deadline:
    """When a stage has to end: its share is over, its window is, the job is stopped, or the machine was unplugged."""

    def __init__(self, run: JobRun, seconds: float) -> None:
        self._run, self._seconds, self._began = run, seconds, time.monotonic()
        self._asked, self._unplugged = self._began, False

    def spent(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def is_over(self) -> bool:
        now = time.monotonic()
        if now - self._asked > BATTERY_SECONDS:
            self._asked, self._unplugged = now, _is_unplugged(self._run)
        over = now - self._began >= self._seconds or not _seconds_left(self._run)
        return over or self._unplugged or self._run.stopped


def _seconds_left(run: JobRun) -> float:
    """Return the seconds that a night may still work: by its budget, and by the clock until its window ends."""
    return max(0.0, min(run.seconds_left, _until(run.job.order) - time.time()))


def _until(order: JobOrder) -> float:
    """Return when the window of a night ends, in seconds since 1970; never where it has none."""
    until = order.request.get("until")
    return datetime.fromisoformat(str(until)).timestamp() if until else float("inf")


def _is_unplugged(run: JobRun) -> bool:
    return not run.job.order.request.get("on_battery") and on_battery()


def _failed(outcome: StageOutcome, error: VaultragError) -> StageOutcome:
    return replace(outcome, error=error.kind, message=error.message, remedy=error.remedy, exit_code=error.exit_code)


def _reported(workspace: Workspace, run: JobRun, began: datetime, stages: Sequence[StageOutcome]) -> Outcome:
    """Write the report, once. With its file, what its text tells counts as told, and nothing that came after it."""
    database, key = workspace.database, run.job.id
    text = _text(workspace, run, began, stages)
    note_report(database, key, "", text["paths"])
    run.stage("report")  # whoever cancelled the night, or had a note forgotten, gets no file
    path, error = write_night_report(
        workspace.config, text["title"], text["text"], lambda error: with_failure(text["text"], text["language"], error)
    )
    if error is not None:
        stages = [*stages, _failed(StageOutcome("report", StageState.FAILED), error)]
    with database.atomic():
        note_report(database, key, str(path), ())
        note_told(database, text["findings"])
        note_records_told(database, text["fallen"])
        for finding, paths in text["claims"]:
            note_key_told(database, DISAGREEMENTS, finding, paths)
        note_done(database, "report", [OwedNote(note, "", "", content, False) for note, content in text["notes"]])
        end_night(database, key, text["at"], stages)
    if workspace.config.settings.night.notify:
        tell_desktop(text["title"], notice_of(text["language"], text["news"], stages))
    return Outcome(key)


def _text(workspace: Workspace, run: JobRun, began: datetime, stages: Sequence[StageOutcome]) -> dict[str, Any]:
    """Return the report with what it tells: kept as one unit, so that a killed night does not count as told what came
    to light after its words were written.
    """
    known = run.result("report")
    if known is None:
        known = json.dumps(_composed(workspace, run, began, stages))
        run.done("report", known)
    values: dict[str, Any] = json.loads(known)
    return values


def _composed(workspace: Workspace, run: JobRun, began: datetime, stages: Sequence[StageOutcome]) -> dict[str, Any]:
    database = workspace.database
    at, before = _microseconds(datetime.now(UTC)), night_before(database, run.job.id)
    language = language_of(workspace.config, database)
    found = workspace.findings
    claims = claim_news(database, found.all(language), found.standing(), began.astimezone().date())
    noticed = noticed_by(database, began, before, JobQueue(workspace.config, database).jobs(), claims)
    places = {one.id: one.place for one in AnalysisArchive(workspace.config, database).all()}
    noticed = replace(noticed, fallen=fallen_answers(workspace.archive), analyses=places)
    night = ReportedNight(workspace.config, began, before is None, noticed, tuple(stages))
    run.reads(noticed.paths)
    return {
        "title": night_title(began, language),
        "text": report_text(night, language, database),
        "language": language,
        "paths": sorted(noticed.paths),
        "findings": [one.id for one in noticed.findings],
        "fallen": [one.id for one in noticed.fallen],
        "claims": [[one.key, list(one.paths)] for one in claims.findings],
        "notes": [[note.note_id, note.content_hash] for note in noticed.notes],
        "at": at,
        "news": noticed.count(before is None),
    }


def open_night(queue: JobQueue, order: JobOrder) -> str:
    """Return the id of the night that is open already, which goes on, else of a new one.

    One whose window has ended meanwhile only writes its report, so that a new one follows it.
    """
    with queue.database.atomic():
        nights = [job for job in queue.jobs() if job.order.kind == NIGHT and not job.state.ended]
        going_on = [job.id for job in nights if _until(job.order) > time.time()]
    if going_on:
        queue.resume(going_on[-1])
        return going_on[-1]
    return queue.submit(order).id


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
