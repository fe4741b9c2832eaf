"""A night: its stages one after the other, each with its share of the time, then one report of what is new.

A night is a job. What a stage found lies in the index with the notes that it is about; that a stage ended is a unit of
the job, so that a night that was killed goes on where it was and tells the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from vaultrag.domain import JobBudget, JobOrder, StageOutcome, StageState
from vaultrag.errors import NightNotRun, VaultragError
from vaultrag.jobs.living import fallen_answers
from vaultrag.jobs.report import ReportedNight, language_of, night_title, noticed_by, report_text
from vaultrag.jobs.report_findings import TOLD, ClaimNews, claim_news
from vaultrag.jobs.runs import JobRun, Outcome, unit_key
from vaultrag.jobs.stage_run import Stage, StageRun, StageStep
from vaultrag.jobs.stages import STAGES
from vaultrag.records.analyses import AnalysisArchive
from vaultrag.records.night_reports import write_night_report
from vaultrag.records.queue import JobQueue
from vaultrag.runtime.hardware.power import on_battery
from vaultrag.store.jobs.rows import LeaseLost
from vaultrag.store.night.findings import note_done, note_key_told, note_told
from vaultrag.store.night.living import note_records_told
from vaultrag.store.night.nights import begin_night, end_night, night_before, note_report
from vaultrag.workspace import Workspace

NIGHT = "night"
RANK = -1  # before the jobs that wait: it works at them itself, within its time
BATTERY = "The machine runs on its battery."
ALLOW = "Plug it in, or allow it: --on-battery, or `night.on_battery`."


def night_order(minutes: float, battery: bool) -> JobOrder:
    """Return the job of a night that takes so many minutes at most; `battery` says whether it may run on one."""
    return JobOrder(NIGHT, "night", {"on_battery": battery}, JobBudget(minutes, 0), RANK)


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
    if not run.seconds_left:
        return StageOutcome(stage.name, StageState.NOT_REACHED)
    if not run.job.order.request.get("on_battery") and on_battery():
        error = NightNotRun(BATTERY, ALLOW)
        return _failed(StageOutcome(stage.name, StageState.NOT_REACHED), error)
    worked = _Work(StageOutcome(stage.name, StageState.DONE))
    deadline = _Deadline(run, run.seconds_left * stage.share)
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
    def __init__(self, run: JobRun, seconds: float) -> None:
        self._run, self._seconds, self._began = run, seconds, time.monotonic()

    def spent(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def is_over(self) -> bool:
        return self._run.stopped or time.monotonic() - self._began >= self._seconds


def _failed(outcome: StageOutcome, error: VaultragError) -> StageOutcome:
    return replace(outcome, error=error.kind, message=error.message, remedy=error.remedy, exit_code=error.exit_code)


def _reported(workspace: Workspace, run: JobRun, began: datetime, stages: Sequence[StageOutcome]) -> Outcome:
    """Write the report, once; what it tells counts as told with the end of the night."""
    database, key = workspace.database, run.job.id
    before = night_before(database, _microseconds(began))
    language = language_of(workspace.config, database)
    claims = _claims(workspace, run, began, language)
    noticed = noticed_by(database, began, before, JobQueue(workspace.config, database).jobs(), claims)
    places = {one.id: one.place for one in AnalysisArchive(workspace.config, database).all()}
    noticed = replace(noticed, fallen=fallen_answers(workspace.archive), analyses=places)
    night = ReportedNight(workspace.config, began, before is None, noticed, tuple(stages))
    run.reads(noticed.paths)
    text = str(run.value("report", lambda: report_text(night, language, database)))
    title = night_title(began, language)
    note_report(database, key, "", noticed.paths)
    path, error = write_night_report(workspace.config, title, text)
    note_report(database, key, str(path), ())
    if error is not None:
        stages = [*stages, _failed(StageOutcome("report", StageState.FAILED), error)]

    def end() -> None:
        end_night(database, key, _microseconds(datetime.now(UTC)), stages)
        note_told(database, [one.id for one in noticed.findings])
        note_records_told(database, [one.id for one in noticed.fallen])
        for finding in claims.findings:
            note_key_told(database, TOLD, finding.key, finding.paths)
        note_done(database, "report", noticed.notes)

    return Outcome(key, end)


def _claims(workspace: Workspace, run: JobRun, began: datetime, language: str) -> ClaimNews:
    """Return what there is to tell of disagreements: the same, once it was written down, however often it is asked."""
    findings, today = workspace.findings, began.astimezone().date()
    news = claim_news(workspace.database, findings.all(language), findings.standing(), today)
    return news.only(run.value("findings", lambda: [finding.key for finding in news.findings]))


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
