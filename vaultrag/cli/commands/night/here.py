"""The jobs of an index without a server, with the methods of `Client`: whoever waits for one works at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from vaultrag import wire
from vaultrag.config import Config
from vaultrag.domain import JobBudget, Keep, Manner
from vaultrag.jobs.later import question_order
from vaultrag.jobs.worker import WORK, JobWorker
from vaultrag.records.archive import open_for_records
from vaultrag.records.queue import JobQueue
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
from vaultrag.workspace import Ownership, Workspace


class JobsHere:
    """The queue of one index, for when no server runs. Raises IndexMissing before the first index run."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def jobs(self) -> wire.Jobs:
        with open_database(self._config.database_path, Access.READ) as database:
            return wire.Jobs.of(JobQueue(self._config, database).jobs())

    def job(self, beginning: str) -> wire.Job:
        with open_database(self._config.database_path, Access.READ) as database:
            return wire.Job.of(JobQueue(self._config, database).job(beginning))

    def submit_question(self, question: str, keep: Keep, manner: Manner, budget: JobBudget) -> wire.Job:
        """Leave a question in the queue; a server, or whoever waits for it, works at it."""
        order = question_order(question, manner, budget, keep.chat)
        with open_for_records(self._config) as database:
            return wire.Job.of(JobQueue(self._config, database).submit(order))

    def cancel_job(self, beginning: str) -> wire.Job:
        with open_for_records(self._config) as database:
            return wire.Job.of(JobQueue(self._config, database).cancel(beginning))

    def resume_job(self, beginning: str) -> wire.Job:
        with open_for_records(self._config) as database:
            return wire.Job.of(JobQueue(self._config, database).resume(beginning))

    def follow_job(self, beginning: str) -> Iterator[wire.Job]:
        """Work at the queue in this process, and yield a job each time it got on, until it has ended.

        Leaving early gives it back to the queue. Raises IndexLocked while another process owns the index, and what
        keeps the queue from being written: a full disk.
        """
        job = self.job(beginning)
        if job.state not in ("queued", "running"):
            yield job
            return
        with closing(Workspace.open(self._config, Ownership.OWN)) as workspace, closing(JobWorker(workspace)) as worker:
            worker.start()
            for news in worker.follow(job.id):
                if news is not None:
                    yield wire.Job.of(news)
                elif (trouble := workspace.health.trouble(WORK)) is not None:
                    raise wire.Fault(error=trouble.kind, message=trouble.message, remedy=trouble.remedy).exception()

    def close(self) -> None:
        """Nothing is open between calls."""
