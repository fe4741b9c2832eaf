"""Reports of nights: in the folder that the user named, else in the home, which keeps the last of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from vaultrag.config import Config
from vaultrag.errors import DiskFull, ReportFailed, is_disk_full
from vaultrag.records.reports import reports_folder, write_new, write_report
from vaultrag.store.database import Database
from vaultrag.store.exclusions import Exclusions
from vaultrag.store.integrity.check_home import remove
from vaultrag.store.night.nights import NightRow, drop_reports, drop_sentences, night_paths, read_nights

KEPT = 30  # reports in the home: a month
PRIVATE = 0o600


Refused: TypeAlias = "ReportFailed | DiskFull"


def write_night_report(
    config: Config, title: str, text: str, saying: Callable[[Refused], str]
) -> tuple[Path, Refused | None]:
    """Write a report, once however often it is asked for; return its file.

    Where the folder that the user named takes none, it lies in the home as `saying` has it, and the reason is returned,
    too. Raises ReportFailed and DiskFull where the home takes none either.
    """
    if config.reports_path is None:
        return _keep(config, title, text), None
    try:
        folder = reports_folder(config)
        return _written_before(folder, title, text) or write_report(config, title, text), None
    except (ReportFailed, DiskFull) as error:
        return _keep(config, title, saying(error)), error


def nights_about(database: Database, exclusions: Exclusions) -> list[NightRow]:
    """Return the nights whose report speaks of what is forgotten."""
    paths = night_paths(database)
    return [night for night in read_nights(database) if any(map(exclusions.covers, paths.get(night.id, ())))]


def erase_nights(config: Config, database: Database, exclusions: Exclusions) -> None:
    """Remove the reports of the home that speak of what is forgotten, and those of which nobody knows what they say.

    Those are of nights before the index was built anew. Reports elsewhere are the user's.
    """
    about = [night.id for night in nights_about(database, exclusions)]
    stay = {night.report for night in read_nights(database) if night.id not in about}
    remove([path for path in _kept(config.nights_path) if str(path) not in stay])
    drop_reports(database, about)
    drop_sentences(database)


def _keep(config: Config, title: str, text: str) -> Path:
    folder = config.nights_path
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = _written_before(folder, title, text) or write_new(folder, title, text, PRIVATE)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(
                f"There is no space left in {folder}.", "Free some space; the night goes on then."
            ) from error
        raise ReportFailed(
            f"{folder} cannot be written to: {error.strerror}.", "Give this user the right to write there."
        ) from error
    remove([old for old in _kept(folder)[:-KEPT] if old != path])
    return path


def _written_before(folder: Path, title: str, text: str) -> Path | None:
    """Return the file that holds just this report: the night was killed after it was written."""
    for path in folder.glob("*.md") if folder.is_dir() else ():
        if path.name.startswith(title) and path.read_text(encoding="utf-8", errors="replace") == text:
            return path
    return None


def _kept(folder: Path) -> list[Path]:
    """Return the reports of the home, the oldest first."""
    found = [path for path in folder.glob("*.md") if path.is_file()] if folder.is_dir() else []
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
