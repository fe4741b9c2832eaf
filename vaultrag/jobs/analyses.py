"""Analyses that nobody waits for: one that was asked for, as a job, and by night those of the notes that are due."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from vaultrag.answering.longer.budget import Allowance
from vaultrag.domain import Analysis, AnalysisReady, AnswerStyle, JobBudget, JobOrder, StepTaken
from vaultrag.errors import ConfigError, IndexMissing, UsageError
from vaultrag.jobs.later import SET_BY, UNBOUND_TOKENS
from vaultrag.jobs.recorded import RecordedModel
from vaultrag.jobs.runs import JobRun, Outcome, unit_key
from vaultrag.jobs.stage_run import StageRun, StageStep
from vaultrag.reanalysis.due import DueNote, due_notes
from vaultrag.reanalysis.report import analysis_markdown
from vaultrag.reanalysis.templates import Template, read_template, template_files
from vaultrag.records.analyses import AnalysisArchive
from vaultrag.records.reports import links_from
from vaultrag.store.night.findings import NightFinding, put_finding
from vaultrag.store.notes.analysed import NoteState, note_states, write_analysed
from vaultrag.workspace import Workspace
from vaultrag.workspace.analysing import AnalysisRequest, analyse_note
from vaultrag.workspace.asking import Terms

ANALYSE = "analyse"
STAGE, FINDING = "analyses", "analysis"
KEY_DIGITS = 12  # of an id, as those of answers
AWAITED_RANK = -2  # before nights and the jobs that wait: a person looks on


def analysis_order(request: AnalysisRequest, budget: JobBudget, *, is_awaited: bool = False) -> JobOrder:
    """Return the job of analysing a note; what somebody waits for is kept without a file."""
    about = request.path + (f" ({request.role})" if request.role else "")
    wanted = {
        "note": request.path,
        "role": request.role,
        "template": request.template,
        "style": request.style.value if request.style else "",
        "file": not is_awaited,
    }
    return JobOrder(ANALYSE, about, wanted, budget, AWAITED_RANK if is_awaited else 0, (request.path,))


def analyse_later(workspace: Workspace, run: JobRun) -> Outcome:
    """Analyse the note; every call of a model is a unit. The analysis is kept under the job's own id."""
    request = _request(run.job.order.request)
    state = _state(workspace, request.path)
    analysis = _analysed(workspace, run, request, _terms(run, run.job.id))
    run.reads(_read_by(analysis))
    run.keep_paths()
    in_file = bool(run.job.order.request["file"])
    return Outcome(run.job.id, lambda: _keep(workspace, run.job.id, analysis, state, in_file=in_file))


def analyse_due(night: StageRun) -> Iterator[StageStep]:
    """Analyse the notes that templates want analysed again, the most urgent first; each has its own bounds.

    What the end of the stage's share cuts short is left for the next night. Raises ConfigError for a broken template,
    after what the others want is done.
    """
    templates, broken = _templates(night.workspace)
    now = night.now.timestamp()
    owed = [(one, due) for one in templates for due in due_notes(night.workspace.database, one, now)]
    for number, (template, due) in enumerate(owed, 1):
        before = night.run.tokens
        done = not night.must_stop() and _analysed_by_night(night, template, due)
        yield StageStep(int(done), len(owed) - number + (not done), night.run.tokens - before)
        if not done:
            return
    if broken is not None:
        raise broken


def _templates(workspace: Workspace) -> tuple[list[Template], ConfigError | None]:
    """Return the templates that can be read, and what is wrong with the first one that cannot."""
    found, broken = list[Template](), None
    for path in template_files(workspace.config).values():
        try:
            found.append(read_template(path))
        except ConfigError as error:
            broken = broken or error
    return found, broken


def _analysed_by_night(night: StageRun, template: Template, due: DueNote) -> bool:
    """Analyse a note that is due, keep it, and have the report tell; return whether it came to its end.

    One without text is nothing to analyse until it changes.
    """
    database, settings = night.workspace.database, night.workspace.config.settings.answering
    state = _state(night.workspace, due.path)
    key = unit_key(ANALYSE, night.run.job.id, template.name, due.path, due.role)[:KEY_DIGITS]
    budget = Allowance(settings.deep_tokens, min(settings.deep_seconds, night.run.seconds_left))
    request = AnalysisRequest(due.path, due.role, template.name)
    try:
        analysis = _unless_over(night, request, replace(_terms(night.run, key), budget=budget))
    except UsageError:
        write_analysed(database, template.name, due.role, state, night.now.timestamp())
        return True
    if analysis is None:
        return False
    night.run.reads(_read_by(analysis))
    night.run.keep_paths()
    with database.atomic():
        _keep(night.workspace, key, analysis, state)
        put_finding(database, NightFinding(FINDING, state.note_id, text=key))
    return True


def _unless_over(night: StageRun, request: AnalysisRequest, terms: Terms) -> Analysis | None:
    """Return the analysis; None where the stage has to end before it is made."""
    with closing(analyse_note(night.workspace, request, terms)) as events:
        for event in events:
            if isinstance(event, AnalysisReady):
                return event.analysis
            if night.must_stop():
                return None
    return None


def _analysed(workspace: Workspace, run: JobRun, request: AnalysisRequest, terms: Terms) -> Analysis:
    with closing(analyse_note(workspace, request, terms)) as events:
        for event in events:
            run.look()
            if isinstance(event, StepTaken) and event.step:
                run.stage(event.step)
            elif isinstance(event, AnalysisReady):
                return event.analysis
    raise AssertionError("an analysis always ends with AnalysisReady")


def _request(request: Mapping[str, Any]) -> AnalysisRequest:
    style = AnswerStyle(request["style"]) if request["style"] else None
    return AnalysisRequest(request["note"], request["role"], request["template"], style)


def _terms(run: JobRun, trace: str) -> Terms:
    tokens = run.budget.tokens or UNBOUND_TOKENS
    return Terms(
        is_awaited=False,
        through=lambda model: RecordedModel(model, run),
        steady=lambda name, measure: float(run.value(name, measure)),
        reads=run.reads,
        at=datetime.fromisoformat(run.job.at),
        budget=Allowance(tokens, run.seconds_left, set_by=SET_BY),
        trace=trace,
    )


def _state(workspace: Workspace, path: str) -> NoteState:
    state = next(iter(note_states(workspace.database, [path])), None)
    if state is None:
        raise IndexMissing(f"{path} is not in the index.", "Run: vaultrag index")
    return state


def _keep(workspace: Workspace, key: str, analysis: Analysis, state: NoteState, *, in_file: bool = True) -> None:
    """Keep an analysis, and note that it was made of the note as it stood."""

    def render(place: Path) -> str:
        return analysis_markdown(analysis, links_from(workspace.config, workspace.database, place))

    with workspace.database.atomic():
        AnalysisArchive(workspace.config, workspace.database).keep(key, analysis, render if in_file else None)
        write_analysed(workspace.database, analysis.template, analysis.role, state, time.time())


def _read_by(analysis: Analysis) -> set[str]:
    return {analysis.path, *(citation.path for citation in analysis.citations)}
