"""The notes whose words jobs have read: `forget` finds jobs by them, and they follow notes that move."""

from __future__ import annotations

from collections.abc import Iterable

from vaultrag.store.database import Database
from vaultrag.store.jobs.rows import JobLease, require_lease


def add_notes(database: Database, lease: JobLease, paths: Iterable[str]) -> None:
    """Write down whose words a job has read. Raises LeaseLost."""
    with database.atomic():
        require_lease(database, lease)
        database.run_many(
            "INSERT OR IGNORE INTO job_notes (job_id, path) VALUES (?, ?)", ((lease.job, path) for path in paths)
        )


def job_paths(database: Database) -> dict[str, list[str]]:
    """Return by id the notes whose words each job has read."""
    found: dict[str, list[str]] = {}
    for job, path in database.rows("SELECT job_id, path FROM job_notes ORDER BY job_id, path"):
        found.setdefault(job, []).append(path)
    return found
