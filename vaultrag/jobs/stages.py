"""The stages of a night: each takes what it has to do from the database, and commits one thing after the other.

Killed anywhere, a stage owes what it had not committed; a later feature is one more entry of `STAGES`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from types import MappingProxyType

from vaultrag.domain import JobState, unwatched
from vaultrag.errors import IndexDamaged, VaultError
from vaultrag.indexing.quiet import wait_until_quiet
from vaultrag.jobs.analyses import analyse_due
from vaultrag.jobs.living import look_at_answers
from vaultrag.jobs.open_matters import dues_of, questions_in
from vaultrag.jobs.scanning import compare_claims, extract_claims
from vaultrag.jobs.stage_run import Stage, StageRun, StageStep
from vaultrag.records.queue import JobQueue
from vaultrag.store import embeddings
from vaultrag.store.jobs.rows import Ranks
from vaultrag.store.night.findings import (
    NightFinding,
    OwedNote,
    note_done,
    owed_notes,
    put_finding,
    replace_findings,
)
from vaultrag.store.notes import mentions
from vaultrag.store.notes.open_tasks import notes_left_alone, open_tasks, own_passages

LOOK_SECONDS = 0.2  # between looks whether a job that is worked at has to be left


def _read_vault(night: StageRun) -> Iterator[StageStep]:
    """Bring words and links up to the vault, once it is quiet. What keeps the index from following is a failure."""
    workspace = night.workspace
    was_quiet = wait_until_quiet(workspace.config, night.must_stop)
    night.run.look()
    workspace.forgetting.finish_owed(unwatched)
    followed = workspace.follow(None, unwatched)
    workspace.owed.find_mentions()
    yield StageStep(done=len(followed.changed))
    if followed.attention:
        raise VaultError(followed.attention.message, followed.attention.remedy)
    if not was_quiet:
        raise VaultError(
            "The vault was being written to all the time, so some notes may have been read half-way.",
            "The next night reads them again; `vaultrag index` does at once.",
        )


def _embed(night: StageRun) -> Iterator[StageStep]:
    """Embed what is owed. Raises ModelNotFound where no embedder is here."""
    workspace = night.workspace
    workspace.models.embedder()
    done = workspace.owed.embed(unwatched, night.must_stop)
    yield StageStep(done=done, left=embeddings.owed_count(workspace.database))


def _check(night: StageRun) -> Iterator[StageStep]:
    """Compare the index with the notes. Raises IndexDamaged where it is not what they say."""
    wrong = [finding for finding in night.workspace.upkeep.check_deep(unwatched) if finding.severity == "error"]
    yield StageStep()
    if wrong:
        raise IndexDamaged(" ".join(finding.detail for finding in wrong), "Run: vaultrag repair")


def _links(night: StageRun) -> Iterator[StageStep]:
    """Look, of each note that changed, which notes it names or is near to without a link."""
    for note, left in _owed(night, "links"):
        found = [*_mentioned(night, note), *_near(night, note)]
        with night.workspace.database.atomic():
            _commit(night, "links", note, ("mention",), [one for one in found if one.note_id == note.note_id])
            for one in found:
                put_finding(night.workspace.database, one)
        yield StageStep(left=left)


def _mentioned(night: StageRun, note: OwedNote) -> Iterator[NightFinding]:
    """Yield the names of other notes in this one, and its own in others, where no link joins them."""
    database = night.workspace.database
    rows = mentions.between(database, note.note_id)
    for row in rows:
        if (min(row.source_id, row.target_id), max(row.source_id, row.target_id)) not in night.linked:
            words = len(row.name.split())
            score = words + min(len(row.name), 40) / 100  # a name of several words is hardly a chance
            yield NightFinding("mention", row.source_id, row.target_id, row.text, row.line, score=score)


def _near(night: StageRun, note: OwedNote) -> Iterator[NightFinding]:
    """Yield the notes that are as near as linked ones; the notes of two days are near whatever they say."""
    for other, alike in night.near.of(note.note_id) if night.near else ():
        pair = (min(note.note_id, other), max(note.note_id, other))
        if pair not in night.linked and not {note.note_id, other} <= night.day_named:
            yield NightFinding("near", *pair, score=alike)


def _questions(night: StageRun) -> Iterator[StageStep]:
    """Look, of each note that changed, what in it is still open: tasks with a day, and questions."""
    database = night.workspace.database
    for note, left in _owed(night, "questions"):
        tasks = dues_of(note.note_id, open_tasks(database, note.note_id))
        asked = questions_in(note.note_id, own_passages(database, note.note_id))
        _commit(night, "questions", note, ("task", "question", "stale"), [*tasks, *asked])
        yield StageStep(left=left)


def _stale(night: StageRun) -> Iterator[StageStep]:
    """Note which notes with open tasks nobody has touched for long."""
    days = night.workspace.config.settings.night.stale_days
    database = night.workspace.database
    owed = notes_left_alone(database, night.now.timestamp() - days * 86400)
    for number, (note_id, touched, count) in enumerate(owed, 1):
        day = datetime.fromtimestamp(touched, UTC).date().isoformat()
        put_finding(database, NightFinding("stale", note_id, text=str(count), day=day, score=float(count)))
        yield StageStep(left=len(owed) - number)


def _jobs(night: StageRun) -> Iterator[StageStep]:
    """Work at the jobs that are due; the one at hand is given back when the night ends."""
    from vaultrag.jobs.kinds import KINDS  # they hold the night itself
    from vaultrag.jobs.worker import JobWorker

    kinds = {name: work for name, work in KINDS.items() if name != night.run.job.order.kind}
    worker = JobWorker(night.workspace, MappingProxyType(kinds), ranks=Ranks(after=night.run.job.order.rank))
    with closing(worker), _leaving(worker.close, night):
        while worker.work_at_next():
            yield StageStep(left=_waiting(night))
        if left := _waiting(night):
            yield StageStep(0, left)


@contextmanager
def _leaving(leave: Callable[[], None], night: StageRun) -> Iterator[None]:
    """Have the work inside left as soon as the night must stop."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            if night.must_stop():
                leave()
                return

    thread = threading.Thread(target=watch, name="night's end", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _waiting(night: StageRun) -> int:
    jobs = JobQueue(night.workspace.config, night.workspace.database).jobs()
    return sum(job.state in (JobState.QUEUED, JobState.RUNNING) and job.id != night.run.job.id for job in jobs)


STAGES: tuple[Stage, ...] = (
    Stage("index", 0.5, _read_vault),
    Stage("embed", 0.6, _embed),
    Stage("check", 0.3, _check),
    Stage("claims", 0.3, extract_claims),
    Stage("contradictions", 0.4, compare_claims),
    Stage("living", 0.3, look_at_answers),
    Stage("links", 0.3, _links, ("mention", "near")),
    Stage("questions", 0.3, _questions, ("task", "question")),
    Stage("stale", 0.3, _stale, ("stale",)),
    Stage("analyses", 0.6, analyse_due, ("analysis",)),
    Stage("jobs", 1.0, _jobs),
)
"""What a night does, in this order; what a stage leaves of its time the next ones have."""


def _owed(night: StageRun, stage: str) -> Iterator[tuple[OwedNote, int]]:
    """Yield the notes that a stage has to look at, and how many follow."""
    owed = owed_notes(night.workspace.database, stage)
    for number, note in enumerate(owed, 1):
        yield note, len(owed) - number


def _commit(night: StageRun, stage: str, note: OwedNote, kinds: tuple[str, ...], found: list[NightFinding]) -> None:
    with night.workspace.database.atomic():
        replace_findings(night.workspace.database, kinds, note.note_id, found)
        note_done(night.workspace.database, stage, [note])
