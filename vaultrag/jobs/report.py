"""The report of a night as a Markdown note: what is new first, each thing once, in the language of most notes."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vaultrag.config import Config, shipped
from vaultrag.domain import Fate, Job, JobState, LivingAnswer, StageOutcome, StageState
from vaultrag.errors import VaultragError
from vaultrag.jobs.living import fallen_lines
from vaultrag.jobs.report_findings import ClaimNews, FindingBlocks
from vaultrag.records.footnotes import NoteLinks, plain
from vaultrag.store.database import Database
from vaultrag.store.night.findings import FoundNote, OwedNote, owed_notes, untold_findings
from vaultrag.store.night.nights import NightRow
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import files_named

SHOWN = 10  # of a kind: a page is read, a hundred lines are not
MOST_OF_A_NOTE = 3  # suggestions that lead to one note: else its name fills the page
LANGUAGES = ("ru", "en")
CALLOUTS = {
    "analysis": "abstract",
    "mention": "tip",
    "near": "tip",
    "task": "todo",
    "question": "question",
    "stale": "abstract",
}


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a night has to tell: notes that are new or changed, findings that no report has told, and ended jobs."""

    notes: tuple[OwedNote, ...]
    findings: tuple[FoundNote, ...]
    jobs: tuple[Job, ...]
    claims: ClaimNews
    fallen: tuple[LivingAnswer, ...] = ()
    analyses: Mapping[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> frozenset[str]:
        """The notes that a report of it speaks of."""
        found = {path for one in self.findings for path in (one.path, one.other_path) if path}
        found |= {source.path for one in self.fallen for source in one.sources}
        return frozenset(
            found
            | self.claims.paths
            | {note.path for note in self.notes}
            | {path for job in self.jobs for path in job.order.paths}
        )

    def count(self, is_first: bool) -> int:
        """Return how many things are new; a first night finds every note new, and does not count them."""
        return len(self.findings) + len(self.claims.findings) + len(self.fallen) + (0 if is_first else len(self.notes))


@dataclass(frozen=True, slots=True)
class ReportedNight:
    config: Config
    began: datetime
    is_first: bool
    noticed: Noticed
    stages: tuple[StageOutcome, ...]


def noticed_by(
    database: Database, began: datetime, before: NightRow | None, jobs: Iterable[Job], claims: ClaimNews
) -> Noticed:
    """Gather what is new since the night before, which is None for the first one."""
    since = datetime.fromtimestamp(before.ended_at / 1_000_000, UTC) if before else began
    if since > began:  # the clock was set back: told twice is better than never
        since = datetime.min.replace(tzinfo=UTC)
    ended = (job for job in jobs if job.state.ended and job.order.kind != "night")
    fresh = tuple(job for job in ended if job.ended_at and datetime.fromisoformat(job.ended_at) > since)
    today = began.astimezone().date().isoformat()
    return Noticed(tuple(owed_notes(database, "report")), tuple(untold_findings(database, today)), fresh, claims)


def language_of(config: Config, database: Database) -> str:
    """Return the language of reports: the one that is set, else that of most notes."""
    wanted = config.settings.night.language
    if wanted != "auto":
        return wanted
    main = Catalog(database).main_language()
    return main if main in LANGUAGES else "en"


def night_title(began: datetime, language: str) -> str:
    """Return the name of a report's file, without its ending."""
    return str(_phrases(language)["title"]).format(day=_day(began))


def report_text(night: ReportedNight, language: str, database: Database) -> str:
    """Return the report; one of a night without news has three lines."""
    inside = night.config.reports_path
    vault = night.config.vault
    folder = f"{inside.relative_to(vault).as_posix()}/" if inside and vault in inside.parents else ""
    source = f"{folder}{night_title(night.began, language)}.md"
    links = NoteLinks(source, lambda name: files_named(database, name))
    return _Report(night, _phrases(language), links).text()


def notice_of(language: str, news: int, stages: Iterable[StageOutcome]) -> str:
    """Return what the desktop is told of a night: figures, and nothing of a note."""
    failed = sum(bool(stage.error) for stage in stages)
    return str(_phrases(language)["notice"]).format(news=news, failed=failed)


def with_failure(text: str, language: str, error: VaultragError) -> str:
    """Return a report that says first why it does not lie in the folder that was named for it."""
    phrases = _phrases(language)
    said = phrases["refused"].format(message=plain(error.message), remedy=plain(error.remedy))
    head, _, rest = text.partition("\n")
    return "\n".join((head, "", f"> [!warning]+ {phrases['refused_title']}", f"> {said}", "", rest.lstrip("\n")))


@dataclass(frozen=True, slots=True)
class _Report:
    night: ReportedNight
    phrases: Mapping[str, Any]
    links: NoteLinks

    def text(self) -> str:
        disagreements = FindingBlocks(self.phrases, self.links).blocks(self.night.noticed.claims)
        suggestions = [*self._suggestions(), *self._jobs(), *self._troubles()]
        news = [*self._news(), *disagreements, *self._fallen(), *suggestions]
        head = f"# {self._said('head', day=_day(self.night.began))}"
        if not news:
            return "\n".join((head, f"{self._said('unchanged')} {self._said('nothing')}", self._took(), ""))
        home = [] if self.night.config.reports_path else [[self._said("kept")]]
        return "\n\n".join("\n".join(block) for block in [[head], *home, *news, self._costs()]) + "\n"

    def _news(self) -> Iterator[list[str]]:
        notes = self.night.noticed.notes
        if self.night.is_first:
            if notes:
                yield [self._said("first", count=len(notes))]
            return
        for name, found in (
            ("new", [note for note in notes if note.is_new]),
            ("changed", [note for note in notes if not note.is_new]),
        ):
            if found:
                lines = [self.links.to_note(note.path) for note in found]
                yield self._callout("note", self._said(name, count=len(found)), lines, folded=False)

    def _fallen(self) -> Iterator[list[str]]:
        fallen = self.night.noticed.fallen
        if fallen:
            lines = list(fallen_lines(fallen, self.links, self._said, plain, self._kept))
            sure = all(one.fate is not Fate.NOT_JUDGED for one in fallen)
            title = self._said("fallen" if sure else "fallen_maybe", count=len(fallen))
            yield self._callout("warning", title, lines, folded=False)

    def _suggestions(self) -> Iterator[list[str]]:
        for kind, callout in CALLOUTS.items():
            found = [one for one in self.night.noticed.findings if one.kind == kind]
            if found:
                lines = [self._finding(one) for one in _spread(found)]
                title = self._said(kind, count=len(found))
                yield self._callout(callout, title, lines, left=len(found) - len(lines[:SHOWN]))

    def _finding(self, one: FoundNote) -> str:
        other = self.links.to_note(one.other_path) if one.other_path else ""
        note = self.links.to_note(one.path)
        if one.kind == "analysis":
            return self._said(
                "analysis_line", note=note, place=self._place(self.night.noticed.analyses.get(one.text, ""))
            )
        return self._said(f"{one.kind}_line", note=note, other=other, line=one.line, day=one.day, text=plain(one.text))

    def _kept(self, key: str) -> str:
        """Say how to get at what is kept under an id."""
        place = self.night.noticed.analyses.get(key)
        return f"`vaultrag answers show {key}`" if place is None else self._place(place)

    def _place(self, place: str) -> str:
        """Return a link to a file: of the vault as a note, of any other place by its address."""
        file, vault = Path(place), self.night.config.vault
        if vault in file.parents:
            return self.links.to_note(file.relative_to(vault).as_posix())
        return f"[{plain(file.stem)}](<{file.as_uri()}>)" if place else "—"

    def _jobs(self) -> Iterator[list[str]]:
        jobs = [job for job in self.night.noticed.jobs if job.state is not JobState.CANCELLED]
        if jobs:
            yield self._callout("example", self._said("jobs", count=len(jobs)), [self._job(job) for job in jobs], False)

    def _job(self, job: Job) -> str:
        state = job.state if job.state is not JobState.DONE or job.result == job.id else "ended"
        if job.state is JobState.DONE and job.id in self.night.noticed.analyses:
            return self._said(
                "job_analysed", about=plain(job.order.about), place=self._place(self.night.noticed.analyses[job.id])
            )
        message = job.failure.message if job.failure else ""
        return self._said(f"job_{state}", about=plain(job.order.about), id=job.id, message=plain(message))

    def _troubles(self) -> Iterator[list[str]]:
        failed = [stage for stage in self.night.stages if stage.error]
        if failed:
            lines = [
                self._said(
                    "failed_line",
                    stage=self._stage(one),
                    message=plain(one.message),
                    remedy=plain(one.remedy),
                )
                for one in failed
            ]
            yield self._callout("warning", self._said("failed"), lines, folded=False)
        open_stages = [one for one in self.night.stages if not one.error]
        left = [
            self._said("partial_line", stage=self._stage(one), left=one.left)
            for one in open_stages
            if one.state is StageState.PARTIAL
        ]
        unreached = [self._stage(one) for one in open_stages if one.state is StageState.NOT_REACHED]
        left += [self._said("unreached_line", stages=", ".join(unreached))] if unreached else []
        left += FindingBlocks(self.phrases, self.links).owed(self.night.noticed.claims.standing)
        if left:
            yield self._callout("info", self._said("partial"), left, folded=False)

    def _costs(self) -> list[str]:
        rows = [
            f"| {self._stage(one)} | {one.done} | {one.left} | {one.seconds:.1f} | {one.tokens} |"
            for one in self.night.stages
        ]
        table = [self._said("columns"), "| --- | ---: | ---: | ---: | ---: |", *rows]
        return [f"> [!info]- {self._said('costs')}", *(f"> {row}" for row in table)]

    def _took(self) -> str:
        seconds, tokens = sum(one.seconds for one in self.night.stages), sum(one.tokens for one in self.night.stages)
        return self._said("took", seconds=f"{seconds:.0f}", tokens=tokens)

    def _callout(self, kind: str, title: str, lines: Sequence[str], folded: bool = True, left: int = 0) -> list[str]:
        left = left or max(0, len(lines) - SHOWN)
        more = [self._said("more", count=left)] if left else []
        return [f"> [!{kind}]{'-' if folded else '+'} {title}", *(f"> - {line}" for line in [*lines[:SHOWN], *more])]

    def _stage(self, one: StageOutcome) -> str:
        return str(self.phrases["stages"].get(one.name, one.name))

    def _said(self, name: str, **values: object) -> str:
        return str(self.phrases[name]).format(**values)


def _spread(found: Iterable[FoundNote]) -> list[FoundNote]:
    """Return findings in their order, of those that lead to one note only the first ones."""
    seen: Counter[str] = Counter()
    spread = []
    for one in found:
        seen[one.other_path] += 1
        if not one.other_path or seen[one.other_path] <= MOST_OF_A_NOTE:
            spread.append(one)
    return spread


def _phrases(language: str) -> Mapping[str, Any]:
    return tomllib.loads(shipped(f"night/{language}.toml").read_text(encoding="utf-8"))


def _day(moment: datetime) -> str:
    return moment.astimezone().date().isoformat()
