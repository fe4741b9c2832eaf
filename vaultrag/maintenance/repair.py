"""`vaultrag repair`: what is derived is made anew from the notes, what is not from the journal.

Each step looks at what stands and can be killed and run again: the second run does what is left, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vaultrag.config import Config, require_vault
from vaultrag.domain import Finding, Progress, counted
from vaultrag.errors import IndexDamaged
from vaultrag.indexing.read import Recipe
from vaultrag.maintenance.verify import check_everything, verify_notes
from vaultrag.store.database import Database
from vaultrag.store.embeddings import try_again
from vaultrag.store.endpoint import ENDPOINT_NAME
from vaultrag.store.errors import BESIDE
from vaultrag.store.integrity import mend
from vaultrag.store.integrity.check import examples
from vaultrag.store.integrity.check_home import SET_ASIDE, remove
from vaultrag.store.integrity.salvage import clear_the_way, file_fault, replace_file, set_aside_files
from vaultrag.store.journal import Journal
from vaultrag.store.opening import open_database
from vaultrag.store.owner import OwnerLock
from vaultrag.store.records import RecordBook
from vaultrag.store.vectors.chroma import POINTER
from vaultrag.store.vectors.index import VectorIndex


def mend_file(config: Config, progress: Progress, fault: str = "") -> list[str]:
    """Heal the records, and replace the index file if it is damaged as a whole, or for a fault met elsewhere.

    Returns in sentences what was done; the index can be opened then.

    Raises VaultError when the notes are not there to build it from, IndexLocked while another process owns it.
    """
    require_vault(config)
    cleared = clear_the_way(config.home, _files(config))
    done = [f"A folder stood in the place of a file; it lies in {kept} now." for kept in cleared]
    with OwnerLock(config.lock_path):
        done += _mend_file(config, progress, fault)
        try:
            return [*done, *_mend_records(config)]
        except IndexDamaged as error:
            return [*done, *_mend_file(config, progress, error.message), *_mend_records(config)]


def _mend_file(config: Config, progress: Progress, fault: str) -> list[str]:
    if not config.database_path.is_file():
        return ["There was no index; one is built from the notes."]
    fault = fault or file_fault(config.database_path)
    if not fault:
        return []
    kept, saved = replace_file(config.database_path, progress)
    return [
        fault,
        f"The damaged file lies in {kept} until a repair finds nothing to do.",
        f"A new index is built from the notes; {counted(saved, 'embedding')} could be taken over.",
    ]


def _mend_records(config: Config) -> list[str]:
    with open_database(config.database_path) as database:
        book = RecordBook(database, Journal(config.journal_path))
        return [
            *mend.mend_states(database),
            *mend.drop_damaged_traces(database),
            *mend.drop_damaged_jobs(database),
            *mend.drop_damaged_claims(database),
            *mend.mend_records(book, _damaged_files(config)),
        ]


@dataclass(slots=True)
class Repair:
    """One repair of an open index. `done` says what was done, in sentences."""

    config: Config
    database: Database
    recipe: Recipe
    progress: Progress
    done: list[str] = field(default_factory=list)

    def before_indexing(self) -> None:
        """Drop every derived row that is wrong. Raises VaultError without the vault."""
        require_vault(self.config)
        self.done += mend.mend_keywords(self.database)
        verified = verify_notes(self.config, self.database, self.recipe, self.progress)
        if verified.damaged:
            mend.drop_rows(self.database, verified.damaged)
            self.done.append(f"Read anew, because the index was not what the file says: {', '.join(verified.damaged)}.")
        if verified.misnamed_files:
            mend.drop_files(self.database, verified.misnamed_files)
            self.done.append("Files that could not be found by name were looked up again.")
        if verified.wrong_mentions:
            mend.owe_all_mentions(self.database)
            self.done.append("Names of notes in the text of others were looked for again.")
        for what, paths in verified.outdated.items():
            self.done.append(f"{what}: {examples(paths)}. The index was brought up to date.")
        self.done += mend.drop_unsound_embeddings(self.database, self.progress)
        self.done += mend.queue_missing_embeddings(self.database)
        if tried := try_again(self.database):
            self.done.append(f"The embedder was given {counted(tried, 'passage')} once more that it had failed at.")

    def after_indexing(self, vectors: VectorIndex | None, rebuild: Callable[[VectorIndex], None]) -> list[Finding]:
        """Tidy up, have Chroma rebuilt where it is wrong, and return what is still not as it should be."""
        mend.restore_days(self.database, _damaged_files(self.config))
        self.done += mend.drop_needless_embeddings(self.database)
        findings = self._check(vectors)
        if vectors is not None and vectors.rebuild_owed:
            rebuild(vectors)
            self.done.append("The vector index was built anew.")
            findings = self._check(vectors)
        self.done += mend.mend_home(self.config.home)
        if not self.done and not any(finding.severity == "error" for finding in findings):
            remove([self.config.home / SET_ASIDE])
        return findings

    def _check(self, vectors: VectorIndex | None) -> list[Finding]:
        return check_everything(self.config, self.database, self.recipe, vectors, self.progress)


def _files(config: Config) -> list[Path]:
    """Return the places of the files that commands open in the home."""
    index = config.database_path
    beside = [index.with_name(index.name + suffix) for suffix in BESIDE]
    others = [config.lock_path, config.journal_path, config.token_path, config.log_path]
    return [index, *beside, *others, config.home / ENDPOINT_NAME, config.chroma_path / POINTER]


def _damaged_files(config: Config) -> list[Path]:
    return set_aside_files(config.home, config.database_path.name)
