"""The analysis of a note, put together: which model writes, what it may cost, its trace, and when it was made.

`analyse_note` is one unit of work over an open workspace, for a person who waits and for a job alike.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace

from vaultrag.answering.answer import Answerer
from vaultrag.answering.longer.budget import Allowance, BoundedModel
from vaultrag.config import Config
from vaultrag.domain import (
    AnalysisEvent,
    AnalysisReady,
    AnswerStyle,
    Manner,
    ModelLoading,
    Role,
    counted,
)
from vaultrag.errors import IndexMissing, ModelError, StoreError, UsageError
from vaultrag.reanalysis.note import AnalysedSubject, Analyst
from vaultrag.reanalysis.templates import USUAL_TEMPLATE, Template, find_template
from vaultrag.reanalysis.writing import Writer
from vaultrag.records.archive import open_for_records
from vaultrag.records.tracing import TraceWriter, writing_trace
from vaultrag.store.database import Access
from vaultrag.store.notes.analysed import NoteState, note_states, write_analysed
from vaultrag.store.notes.profiles import profiles_of
from vaultrag.text.language import language_of
from vaultrag.workspace.asking import AWAITED, Terms
from vaultrag.workspace.longer import LongerWay
from vaultrag.workspace.workspace import Workspace

LONGEST_ROLE = 200  # characters: a sentence on who looks at the note
MODE = "analysis"
LEFT = "Whoever asked has left."


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """Which note is to be analysed, by its path, as whom and by which template; no style leaves it to what is known.

    `tokens` and `seconds` are what it may cost; None is what the settings allow a deep answer.
    """

    path: str
    role: str = ""
    template: str = USUAL_TEMPLATE
    style: AnswerStyle | None = None
    tokens: int | None = None
    seconds: float | None = None


def analyse_note(
    workspace: Workspace, request: AnalysisRequest, terms: Terms = AWAITED
) -> Generator[AnalysisEvent, None, None]:
    """Yield the steps of an analysis, its sections, and the analysis; that it was made is noted in the index.

    On the terms of a job it is not: the job does that.

    An analysis that a budget or a lost model cut short is noted, too: what is due again is for its template to say.
    Raises ConfigError and UsageError before any event, and ModelNotFound where prose is asked for without a model.
    """
    template = find_template(workspace.config, request.template)
    role = checked_role(request.role)
    state = next(iter(note_states(workspace.database, [request.path])), None)
    if state is None:
        raise IndexMissing(f"{request.path} is not in the index.", "Run: vaultrag index")
    return _Analysis(workspace, request, template, role, state, terms).events()


def checked_request(config: Config, request: AnalysisRequest) -> AnalysisRequest:
    """Return a request with its role on one line. Raises UsageError, and ConfigError for a broken template."""
    find_template(config, request.template)
    return replace(request, role=checked_role(request.role))


def checked_role(role: str) -> str:
    """Return a role on one line. Raises UsageError."""
    if len(role) > LONGEST_ROLE:
        raise UsageError(f"The role is longer than {LONGEST_ROLE} characters.", "Say it in fewer words.")
    return " ".join(role.split())


@dataclass(slots=True)
class _Analysis:
    """One analysis on its way."""

    workspace: Workspace
    request: AnalysisRequest
    template: Template
    role: str
    state: NoteState
    terms: Terms

    def events(self) -> Generator[AnalysisEvent, None, None]:
        workspace = self.workspace
        with writing_trace(workspace.config, workspace.database, self._title(), MODE, self.terms.trace) as trace:
            try:
                yield from self._traced(trace)
            except ModelError as error:
                trace.end(error.message)
                raise
            except (GeneratorExit, KeyboardInterrupt):
                trace.stop(LEFT)
                raise

    def _traced(self, trace: TraceWriter) -> Generator[AnalysisEvent, None, None]:
        section = self.workspace.config.settings.answering
        usual = Allowance(self.request.tokens or section.deep_tokens, self.request.seconds or section.deep_seconds)
        budget = self.terms.budget or usual
        way = self.workspace.longer_way(self.terms)
        drafter = way.asking.answerer(way.search, Manner(style=self.request.style), Role.FINAL)
        writes = self._writes(drafter)
        if writes:
            yield from map(ModelLoading, drafter.prepare())
        subject = self._subject()
        analyst = Analyst(
            way.lookups(),
            self._writer(way, drafter, budget, subject.language) if writes else None,
            budget,
            way.tell(trace),
            self.workspace.archive.sources,
            tuple(drafter.caution()),
        )
        with closing(analyst.analyse(subject, self.template, self.role)) as events:
            for event in events:
                yield self._ended(event, trace) if isinstance(event, AnalysisReady) else event

    def _writes(self, drafter: Answerer) -> bool:
        """Tell whether a model writes here, by the rule of answers: where it was found to say what the notes say."""
        if drafter.model is None:
            return False
        wanted = self.request.style or drafter.settings.style
        return (drafter.checks().style if wanted == "auto" else AnswerStyle(wanted)) is AnswerStyle.PROSE

    def _writer(self, way: LongerWay, drafter: Answerer, budget: Allowance, language: str) -> Writer:
        assert drafter.model is not None
        model = BoundedModel(drafter.model, budget)
        return Writer(
            model,
            way.asking.checks(model, Role.FINAL),
            drafter.embedder,
            drafter.settings,
            lambda: min(drafter.prompt_budget(), max(1, budget.left)),
            drafter.learn,
            language,
            self.role,
        )

    def _title(self) -> str:
        return f"{self.state.path} ({', '.join(filter(None, (self.template.name, self.role)))})"

    def _subject(self) -> AnalysedSubject:
        [profile] = profiles_of(self.workspace.database, [self.state.note_id])
        language = profile.language if profile.language in ("ru", "en") else language_of(profile.title) or "en"
        return AnalysedSubject(profile.id, profile.path, profile.title, language)

    def _ended(self, ready: AnalysisReady, trace: TraceWriter) -> AnalysisReady:
        analysis = ready.analysis
        said = f"{counted(len(analysis.sections), 'section')}, {counted(len(analysis.citations), 'citation')}."
        trace.end("\n".join(filter(None, (said, analysis.stopped))), {one.path for one in analysis.citations})
        problems = [f"No trace of it could be kept: {trace.problem}"] if trace.problem else []
        try:
            if self.terms.is_awaited:  # a job notes it with what it keeps
                self._note()
        except StoreError as error:
            problems.append(f"When it was made could not be noted: {error.message}")
        kept = "" if trace.problem else trace.id
        return AnalysisReady(replace(analysis, trace=kept, warnings=(*analysis.warnings, *problems)))

    def _note(self) -> None:
        """Note when the note was analysed, and how it stood; where the index is open to read, by another connection."""
        database = self.workspace.database
        if database.access is Access.WRITE:
            write_analysed(database, self.template.name, self.role, self.state, time.time())
            return
        with open_for_records(self.workspace.config) as writable:
            write_analysed(writable, self.template.name, self.role, self.state, time.time())
