"""Writes a note into the one folder that the user named for it: a new file each time, never over another."""

from __future__ import annotations

import os
import unicodedata
from contextlib import suppress
from pathlib import Path

from vaultrag.config import CONFIG_NAME, Config
from vaultrag.domain import Answer, Note
from vaultrag.errors import DiskFull, ReportFailed, VaultError, is_disk_full
from vaultrag.records.footnotes import NoteLinks, answer_markdown
from vaultrag.store.database import Access, Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import files_named
from vaultrag.store.opening import open_database
from vaultrag.text.paths import is_portable, portable_name
from vaultrag.vault.files import read_note
from vaultrag.vault.parsing.parse import parse_note

MOST_OF_A_NAME = 1000
KEPT_BY_OTHERS = frozenset({".obsidian", ".trash", ".git"})  # folders that no report belongs into, wherever they lie


def save_as_note(config: Config, answer: Answer, title: str = "") -> Path:
    """Write an answer as a note, its citations as footnotes; without a title it is named by its question.

    Raises ReportFailed, DiskFull, and IndexMissing.
    """
    folder = reports_folder(config)
    with open_database(config.database_path, Access.READ) as database:
        links = links_from(config, database, folder / f"{_file_name(title or answer.question)}.md")
        body = answer_markdown(answer, links)
    return write_report(config, title or answer.question, f"> {' '.join(answer.question.split())}\n\n{body}")


def links_from(config: Config, database: Database, file: Path) -> NoteLinks:
    """Return what writes links for a note that is to lie at `file`, in the vault or not."""
    catalog = Catalog(database)
    return NoteLinks(
        file.relative_to(config.vault).as_posix() if config.vault in file.parents else file.name,
        lambda name: files_named(database, name),
        lambda path: _read(config, catalog, path),
    )


def place_where_named(config: Config, file: Path) -> Path:
    """Return the place of a new file where the user says: in the vault only in the folder of the reports.

    Raises ReportFailed where it may not lie there, or something does already.
    """
    place = _whole_parent(file)
    folder = config.reports_path
    if place == config.vault or config.vault in place.parents:
        if folder is None or folder not in place.parents:
            raise ReportFailed(
                f"{place} lies in the vault, and not in the folder that is named for reports.",
                f"Name a file elsewhere, or that folder in {config.home / CONFIG_NAME}: [reports] folder.",
            )
        reports_folder(config)  # whether that is a place for notes
    if os.path.lexists(place):
        raise ReportFailed(f"{place} is there already.", "Name a new file: nothing is written over.")
    return place


def write_where_named(config: Config, file: Path, text: str) -> Path:
    """Write a new file there, whole or not at all; return its place. Raises as `place_where_named`, and DiskFull."""
    place = place_where_named(config, file)
    try:
        place.parent.mkdir(parents=config.vault in place.parents, exist_ok=True)
        _write_once(place, text)
    except FileExistsError as error:
        raise ReportFailed(f"{place} is there already.", "Name a new file: nothing is written over.") from error
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(f"There is no space left in {place.parent}.", "Free some space, then try again.") from error
        raise ReportFailed(f"{place} cannot be written: {error.strerror}.", "Name another file.") from error
    return place


def _whole_parent(file: Path) -> Path:
    """Return a file's place with all links in its folders followed, and none at its end: it must be new."""
    whole = Path(os.path.abspath(os.path.expanduser(file)))
    return Path(os.path.realpath(whole.parent)) / whole.name


def write_report(config: Config, title: str, text: str) -> Path:
    """Write a note of this title; where one is there, another number is added to the name.

    Raises ReportFailed where no folder is named, it is no place for notes, or it cannot be written to, and DiskFull;
    then nothing is left.
    """
    folder = reports_folder(config)
    try:
        folder.mkdir(parents=config.vault in folder.parents, exist_ok=True)  # elsewhere a disk may not be mounted
        return write_new(folder, _file_name(title), text)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(f"There is no space left in {folder}.", "Free some space, then save again.") from error
        missing = isinstance(error, FileNotFoundError)
        raise ReportFailed(
            f"{folder.parent} is not there." if missing else f"{folder} cannot be written to: {error.strerror}.",
            f"{'Make that folder, or name' if missing else 'Name'} another folder: `reports.folder`.",
        ) from error


def reports_folder(config: Config) -> Path:
    """Return the folder that the user named. Raises ReportFailed where there is none, or it is no place for notes."""
    folder, example = config.reports_path, f'in {config.home / CONFIG_NAME}: [reports] folder = "VaultRAG reports"'
    if folder is None:
        raise ReportFailed("No folder is named for what is saved as a note.", f"Name one {example}")
    if fault := _fault(config, folder):
        raise ReportFailed(f"`reports.folder` names {folder}, {fault}.", f"Name another one {example}")
    return folder


def _fault(config: Config, folder: Path) -> str:
    """Say why a folder is no place for notes; empty where it is one."""
    vault = config.vault
    named = Path(os.path.normpath(vault / os.path.expanduser(config.settings.reports.folder.strip())))
    if vault in named.parents and os.path.normcase(named) != os.path.normcase(folder):
        return f"to which a link at {named} leads"
    inside = folder.relative_to(vault).parts if vault in folder.parents else ()
    hidden = [part for part in folder.parts if part.lower() in KEPT_BY_OTHERS] or [
        one for one in inside if one.startswith(".")
    ]
    if hidden:
        return f"and `{hidden[0]}` is hidden from people and kept by programs"
    unfit = next((part for part in inside if not is_portable(part)), None)
    return f"and not every system takes a folder called `{unfit}`" if unfit is not None else ""


def _read(config: Config, catalog: Catalog, path: str) -> Note | None:
    """Return a note as it is now, or nothing where it cannot be read."""
    stored = catalog.stored_file(path)
    if stored is None or not path.endswith(".md"):
        return None
    with suppress(VaultError):
        return parse_note(path, read_note(config.vault, stored.stat, config.settings.vault.max_note_bytes))
    return None


def write_new(folder: Path, name: str, text: str, mode: int = 0o644) -> Path:
    """Write a file of this name, or with a number after it; never over another. Raises ReportFailed and OSError."""
    taken = {_as_compared(entry) for entry in os.listdir(folder)}
    for number in range(1, MOST_OF_A_NAME):
        path = folder / (f"{name}.md" if number == 1 else f"{name} {number}.md")
        if _as_compared(path.name) in taken:
            continue
        try:
            _write_once(path, text, mode)
        except FileExistsError:
            continue
        return path
    raise ReportFailed(f"{folder} holds {MOST_OF_A_NAME} notes of this name.", "Ask in other words, or move them.")


def _write_once(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file that must not be there yet, whole or not at all."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _as_compared(name: str) -> str:
    """Return a name as systems compare it that know no case and no composed letters: a vault may be synced to one."""
    return unicodedata.normalize("NFC", name).casefold()


def _file_name(title: str) -> str:
    return portable_name(title) or "Answer"
