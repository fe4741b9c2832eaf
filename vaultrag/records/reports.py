"""Writes a note into the one folder that the user named for it: a new file each time, never over another."""

from __future__ import annotations

import os
import re
import unicodedata
from contextlib import suppress
from pathlib import Path

from vaultrag.config import CONFIG_NAME, Config
from vaultrag.domain import Answer, Note
from vaultrag.errors import DiskFull, ReportFailed, VaultError, is_disk_full
from vaultrag.records.footnotes import NoteLinks, answer_markdown
from vaultrag.store.database import Access
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import files_named
from vaultrag.store.opening import open_database
from vaultrag.vault.files import read_note
from vaultrag.vault.parsing.parse import parse_note

LONGEST_NAME = 80  # characters; file systems take 255 bytes, and a letter may have four of them when decomposed
MOST_OF_A_NAME = 1000
_UNFIT = re.compile(r"[\\/:*?\"<>|#^\[\]]+")  # for file systems, and for wikilinks


def save_as_note(config: Config, answer: Answer, title: str = "") -> Path:
    """Write an answer as a note, its citations as footnotes; without a title it is named by its question.

    Raises ReportFailed, DiskFull, and IndexMissing.
    """
    folder = config.reports_path
    inside = folder.relative_to(config.vault).as_posix() + "/" if folder and config.vault in folder.parents else ""
    with open_database(config.database_path, Access.READ) as database:
        catalog = Catalog(database)
        links = NoteLinks(
            f"{inside}{_file_name(title or answer.question)}.md",
            lambda name: files_named(database, name),
            lambda path: _read(config, catalog, path),
        )
        body = answer_markdown(answer, links)
    return write_report(config, title or answer.question, f"> {' '.join(answer.question.split())}\n\n{body}")


def write_report(config: Config, title: str, text: str) -> Path:
    """Write a note of this title; where one is there, another number is added to the name.

    Raises ReportFailed where no folder is named or it cannot be written to, and DiskFull; then nothing is left.
    """
    folder = config.reports_path
    if folder is None:
        raise ReportFailed(
            "No folder is named for what is saved as a note.",
            f'Name one in {config.home / CONFIG_NAME}: [reports] folder = "VaultRAG reports"',
        )
    try:
        folder.mkdir(exist_ok=True)
        return _write_new(folder, _file_name(title), text)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(f"There is no space left in {folder}.", "Free some space, then save again.") from error
        raise ReportFailed(
            f"{folder} cannot be written to: {error.strerror}.", "Name another folder: `reports.folder`."
        ) from error


def _read(config: Config, catalog: Catalog, path: str) -> Note | None:
    """Return a note as it is now, or nothing where it cannot be read."""
    stored = catalog.stored_file(path)
    if stored is None or not path.endswith(".md"):
        return None
    with suppress(VaultError):
        return parse_note(path, read_note(config.vault, stored.stat, config.settings.vault.max_note_bytes))
    return None


def _write_new(folder: Path, name: str, text: str) -> Path:
    for number in range(1, MOST_OF_A_NAME):
        path = folder / (f"{name}.md" if number == 1 else f"{name} {number}.md")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            continue
        try:
            with open(descriptor, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    raise ReportFailed(f"{folder} holds {MOST_OF_A_NAME} notes of this name.", "Ask in other words, or move them.")


def _file_name(title: str) -> str:
    """Return a title as a file may be called, on every system and in a wikilink."""
    printable = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", title))
    plain = " ".join(_UNFIT.sub(" ", printable).split())
    return plain[:LONGEST_NAME].strip(" .") or "Answer"
