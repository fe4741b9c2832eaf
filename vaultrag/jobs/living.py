"""Kept answers are looked at again where a note that they cite changed: which of them no longer hold.

Code decides first; what must be understood a model is asked, once for each sentence and line. What is not reached, or
cannot be told, is counted as not judged, and looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath

from vaultrag.answering.judging.checks import Supports
from vaultrag.answering.judging.support import Premise, Statement
from vaultrag.contradictions.comparing.concepts import read_words
from vaultrag.contradictions.comparing.opposites import opposites
from vaultrag.domain import Backing, Fate, LivingAnswer, LivingSource, Role, SavedAnswer
from vaultrag.errors import ModelError, ModelNotFound
from vaultrag.jobs.recorded import RecordedModel
from vaultrag.jobs.stage_run import StageRun, StageStep
from vaultrag.records.analyses import AnalysisArchive, as_saved
from vaultrag.records.archive import Archive
from vaultrag.records.footnotes import NoteLinks
from vaultrag.records.living import line_digest
from vaultrag.store.night.findings import note_done, owed_notes
from vaultrag.store.night.living import FateRow, keep_fates_of, read_fates, untold_records, write_fates
from vaultrag.store.notes.graph import note_paths
from vaultrag.workspace.asking import Terms
from vaultrag.workspace.judging import judge_key

STAGE = "living"
LONGEST = 300  # characters of a line that a report quotes: two lines of a page
_FATES = {Backing.BACKED: Fate.HOLDS, Backing.NOT_BACKED: Fate.CHANGED}


@dataclass(frozen=True, slots=True)
class FateJudge:
    """What tells whether a line still says a sentence. `name` is the model's; empty where none can be asked."""

    name: str = ""
    supports: Supports | None = None

    def judge(self, source: LivingSource, question: str) -> Fate:
        """Return the fate of a doubtful citation: what code knows to be opposites is not asked about."""
        if opposites(read_words(source.said), read_words(source.now)):
            return Fate.CHANGED
        if self.supports is None:
            return Fate.NOT_JUDGED
        premise = Premise(PurePosixPath(source.path).stem, source.now)
        try:
            told = self.supports([Statement(text, (premise,), question) for text in source.doubtful])
        except ModelError:
            return Fate.NOT_JUDGED
        fates = {_FATES.get(one, Fate.NOT_JUDGED) for one in told}
        return next((fate for fate in (Fate.CHANGED, Fate.NOT_JUDGED) if fate in fates), Fate.HOLDS)


def look_at_answers(night: StageRun) -> Iterator[StageStep]:
    """Look at the kept answers that cite what changed, at those that nobody has looked at, or could judge."""
    database, archive = night.workspace.database, night.workspace.archive
    archive.follow_moves()
    saved = looked_after(archive)
    keep_fates_of(database, [one.id for one in saved])
    owed, known = owed_notes(database, STAGE), read_fates(database)
    due = list(_due(saved, set(note_paths(database)), {note.path for note in owed}, known))
    judges = _Judges(night)
    for number, one in enumerate(due, 1):
        before = night.run.tokens
        rows = _rows(archive.look_at(one), known.get(one.id, {}), judges)
        write_fates(database, one.id, rows)
        yield StageStep(left=len(due) - number, tokens=night.run.tokens - before)
    note_done(database, STAGE, owed)


def looked_after(archive: Archive) -> list[SavedAnswer]:
    """Return what is kept and cites notes: answers, and analyses that lie in files."""
    kept = AnalysisArchive(archive.config, archive.database).all()
    return [*archive.answers(), *(as_saved(one) for one in kept if one.place)]


def _due(
    saved: Iterable[SavedAnswer], there: Set[str], owed: Set[str], known: Mapping[str, Mapping[int, FateRow]]
) -> Iterator[SavedAnswer]:
    for one in saved:
        rows = known.get(one.id, {})
        for citation in one.answer.citations:
            fate = rows[citation.number].fate if citation.number in rows else None
            is_missed = citation.path not in there and fate is not Fate.GONE
            if fate in (None, Fate.NOT_JUDGED) or citation.path in owed or is_missed:
                yield one
                break


def _rows(looked: LivingAnswer, known: Mapping[int, FateRow], judges: _Judges) -> list[FateRow]:
    """Return the fates of an answer's citations; what a model judged of the same line stands."""
    rows = []
    for source in looked.sources:
        row = FateRow(looked.id, source.number, source.fate, line_digest(source.now))
        if source.doubtful:
            before = known.get(source.number)
            row = (
                before if before is not None and judges.knows(before, row.line) else judges.judged(row, source, looked)
            )
        rows.append(row)
    return rows


class _Judges:
    """The model that judges, found when it is needed first."""

    def __init__(self, night: StageRun) -> None:
        self._night = night

    @cached_property
    def _judge(self) -> FateJudge:
        workspace, run = self._night.workspace, self._night.run
        terms = Terms(is_awaited=False, through=lambda model: RecordedModel(model, run), reads=run.reads)
        asking = workspace.longer_way(terms).asking
        try:
            model = asking.chat(Role.ANSWER)
            return FateJudge(judge_key(workspace.models), asking.checks(model, Role.ANSWER).supports)
        except ModelNotFound:
            return FateJudge()

    def knows(self, row: FateRow, line: str) -> bool:
        """Tell whether this model has judged this line before."""
        return row.fate is not Fate.NOT_JUDGED and row.line == line and row.judge in ("", self._judge.name)

    def judged(self, row: FateRow, source: LivingSource, looked: LivingAnswer) -> FateRow:
        self._night.run.reads([source.path])
        fate = self._judge.judge(source, looked.about)
        return replace(row, fate=fate, judge="" if fate is Fate.NOT_JUDGED else self._judge.name)


def fallen_answers(archive: Archive) -> tuple[LivingAnswer, ...]:
    """Return the kept answers of which no report has told that they no longer hold, or may not."""
    untold = set(untold_records(archive.database))
    looked = [archive.look_at(saved) for saved in looked_after(archive) if saved.id in untold]
    return tuple(one for one in looked if one.fate is not Fate.HOLDS)


def fallen_lines(
    answers: Sequence[LivingAnswer],
    links: NoteLinks,
    said: Callable[..., str],
    plain: Callable[[str], str],
    refer: Callable[[str], str],
) -> Iterator[str]:
    """Yield a line for each citation that is no longer what it was: old words, new words, and where they stand.

    `refer` says how to get at what is kept under an id.
    """
    for answer in answers:
        for source in answer.sources:
            if source.fate is not Fate.HOLDS:
                yield said(f"fallen_{_form(source)}", **_values(answer, source, links, plain, refer))


def _form(source: LivingSource) -> str:
    return source.fate if source.now or source.fate is Fate.GONE else "unread"


def _values(
    answer: LivingAnswer,
    source: LivingSource,
    links: NoteLinks,
    plain: Callable[[str], str],
    refer: Callable[[str], str],
) -> dict[str, object]:
    return {
        "about": plain(answer.about),
        "ref": refer(answer.id),
        "note": links.to_note(source.path),
        "line": source.lines[0] if source.lines else 0,
        "said": plain(_short(source.said)),
        "now": plain(_short(source.now)),
    }


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
