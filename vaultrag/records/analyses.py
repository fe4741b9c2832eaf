"""Analyses that are kept: each lies in a file, and a record says what it quotes; of a note's the last one counts.

The file lies in the folder that the user named for reports, where nothing is ever written over, else in the home.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vaultrag.config import Config
from vaultrag.domain import Analysis, Answer, AnswerStatus, AnswerStyle, KeptAnalysis, SavedAnswer
from vaultrag.errors import DiskFull, ReportFailed, StoreError, UsageError, is_disk_full
from vaultrag.records.reports import reports_folder, write_new, write_report
from vaultrag.records.stored import retarget
from vaultrag.records.stored_analyses import kept_body, read_kept
from vaultrag.store.database import Database
from vaultrag.store.exclusions import Exclusions, read_exclusions
from vaultrag.store.integrity.check_home import remove
from vaultrag.store.journal import Journal
from vaultrag.store.records import Kind, RecordBook, moved_notes, read_bodies
from vaultrag.text.paths import portable_name

PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class AnalysisArchive:
    """The analyses that one home keeps. To read, a database for reading is enough."""

    config: Config
    database: Database

    def all(self) -> list[KeptAnalysis]:
        """Return what is kept, the oldest first, with the paths that its notes have now. Raises IndexDamaged."""
        moves = moved_notes(self.database)
        bodies = read_bodies(self.database, Kind.ANALYSIS).items()
        kept = [read_kept(key, retarget(values, moves) if moves else values) for key, values in bodies]
        return sorted(kept, key=lambda one: (one.at, one.id))

    def find(self, beginning: str) -> KeptAnalysis:
        """Return the kept analysis whose id begins so. Raises UsageError."""
        found = [one for one in self.all() if one.id.startswith(beginning.strip().lower() or "-")]
        if len(found) != 1:
            what = "Several kept analyses have ids that begin" if found else "No kept analysis has an id that begins"
            raise UsageError(f"{what} with “{beginning}”.", "See: vaultrag analyse --kept")
        return found[0]

    def keep(self, key: str, analysis: Analysis, render: Callable[[Path], str] | None) -> KeptAnalysis:
        """Write an analysis into its file, and keep it in place of the one before of this note, template and role.

        `render` makes the text for a file at a place; without it no file is written, and one that lies in a file stays
        beside it. Raises ReportFailed and DiskFull, and StoreError, also for a note that was forgotten meanwhile.
        """
        paths = sorted({analysis.path, *(citation.path for citation in analysis.citations)})
        with self.database.atomic():
            if any(map(read_exclusions(self.database).covers, paths)):
                raise StoreError("A note of the analysis has been forgotten.", "Analyse the note again.")
            before = [one for one in self.all() if _of_one(one.analysis, analysis)]
            place = self._place(key, before, analysis, render)
            kept = KeptAnalysis(key, _now(), place, analysis, tuple(paths))
            replaced = [one for one in before if one.id != key and (place or not one.place)]
            book = RecordBook(self.database, Journal(self.config.journal_path))
            book.write([*((Kind.ANALYSIS, one.id, None) for one in replaced), (Kind.ANALYSIS, key, kept_body(kept))])
        files = [Path(one.place) for one in replaced if one.place and one.place != place]
        remove([file for file in files if file.parent == self.config.analysed_path])
        return kept

    def _place(
        self, key: str, before: Sequence[KeptAnalysis], analysis: Analysis, render: Callable[[Path], str] | None
    ) -> str:
        """Write the file, unless a job that was interrupted has, and return its place."""
        known = next((one.place for one in before if one.id == key), "")
        if render is None or (known and Path(known).exists()):
            return known
        named = ", ".join(filter(None, (analysis.template, analysis.role)))
        return str(self._write(portable_name(f"{analysis.title} ({named})") or "Analysis", render))

    def _write(self, title: str, render: Callable[[Path], str]) -> Path:
        if self.config.reports_path is not None:
            folder = reports_folder(self.config)
            return write_report(self.config, title, render(folder / f"{title}.md"))
        folder = self.config.analysed_path
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return write_new(folder, title, render(folder / f"{title}.md"), PRIVATE)
        except OSError as error:
            if is_disk_full(error):
                raise DiskFull(f"There is no space left in {folder}.", "Free some space, then try again.") from error
            raise ReportFailed(
                f"{folder} cannot be written to: {error.strerror}.", "Give this user the right to write there."
            ) from error

    def about(self, exclusions: Exclusions) -> list[KeptAnalysis]:
        """Return the analyses that speak of what is forgotten."""
        return [one for one in self.all() if any(map(exclusions.covers, one.paths))]

    def erase_files(self, exclusions: Exclusions) -> None:
        """Remove the files of the home that speak of what is forgotten, and those of which nobody knows what they say.

        Files elsewhere are the user's.
        """
        about = {one.id for one in self.about(exclusions)}
        stay = {one.place for one in self.all() if one.id not in about}
        folder = self.config.analysed_path
        remove([path for path in folder.glob("*.md") if str(path) not in stay] if folder.is_dir() else [])


def as_saved(kept: KeptAnalysis) -> SavedAnswer:
    """Return an analysis as the answer that it is to its template, to be held against the notes."""
    one = kept.analysis
    answer = Answer(
        question=one.heading.replace("{note}", one.title),
        status=AnswerStatus.ANSWERED,
        text="",
        sentences=(),
        citations=one.citations,
        passages=(),
        model=one.model,
        timings={},
        tokens={},
        style=AnswerStyle.QUOTES,
    )
    return SavedAnswer(kept.id, kept.at, "", answer, kept.paths)


def _of_one(one: Analysis, other: Analysis) -> bool:
    return (one.path, one.template, one.role) == (other.path, other.template, other.role)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
