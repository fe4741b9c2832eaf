"""Export and import of what cannot be rebuilt: saved answers, chats, verdicts, exclusions, jobs, the home's settings.

The file is gzip over lines of UTF-8. The first says what it is: `{"vaultrag":"export","version":1,…}`. Each further one
is a line of the journal (see `store/journal.py`), the settings one of kind `settings`. The last is
`{"lines":…,"sha256":…}` over all bytes before it, so that a cut or changed file is known as such.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vaultrag.config import CONFIG_NAME, Config, Settings, parse_settings
from vaultrag.domain import Exported, Imported, SettingsFate
from vaultrag.errors import (
    ConfigError,
    DiskFull,
    ExportUnusable,
    IndexLocked,
    IndexMissing,
    IndexTooNew,
    UsageError,
    is_disk_full,
)
from vaultrag.records.archive import Archive, open_for_records
from vaultrag.records.queue import JobQueue
from vaultrag.records.stored import is_sound, notes_of
from vaultrag.runtime.models.combinations import is_remote
from vaultrag.store.database import Access, Database
from vaultrag.store.exclusions import Exclusions, read_exclusions
from vaultrag.store.journal import Entry, as_body, as_lines, parse_line
from vaultrag.store.opening import open_database
from vaultrag.store.owner import OwnerLock
from vaultrag.store.records import Kind
from vaultrag.store.schema import RECORDS_SINCE

VERSION = 1
SETTINGS = "settings"
MOST_BYTES = 1_000_000_000  # unpacked: a hundred thousand answers; a file that says more is none of ours
BROKEN = "Take another copy of the file; what is here already was not changed."


@dataclass(frozen=True, slots=True)
class Export:
    """What an exported file holds. `settings` is the text of the home's settings file."""

    entries: tuple[Entry, ...]
    settings: str | None


@dataclass(frozen=True, slots=True)
class Sending:
    """Which server settings send notes to, and by which of them; empty where notes stay on the machine."""

    to: str = ""
    by: tuple[str, ...] = ()


NOWHERE = Sending()


def export_records(config: Config, database: Database, file: Path) -> Exported:
    """Write everything that cannot be rebuilt into one new file, whole or not at all.

    Raises UsageError for a place that cannot be meant, StoreError when it cannot be written.
    """
    target = Path(os.path.realpath(file.expanduser()))
    if config.vault == target or config.vault in target.parents:
        raise UsageError(f"{file} lies in the vault, which is never written to.", "Name a file outside of it.")
    if os.path.lexists(target):
        raise UsageError(f"{file} is already there.", "Name a new file, or move that one away.")
    entries = Archive(config, database).book.entries()
    settings = _settings_text(config)
    content = _content([*entries, *_settings_entry(settings)])
    _write_new(target, gzip.compress(content, mtime=0))
    kinds = [entry.kind for entry in entries if entry.body is not None]
    return Exported(
        file=str(target),
        answers=kinds.count(Kind.ANSWER),
        verdicts=kinds.count(Kind.VERDICT),
        exclusions=kinds.count(Kind.EXCLUSION),
        settings=settings is not None,
        bytes=target.stat().st_size,
        jobs=kinds.count(Kind.JOB),
    )


def import_records(config: Config, file: Path, agreed: str = "") -> Imported:
    """Merge an exported file into the home; of two states of a record the later one counts. Doing it again is harmless.

    Answers and verdicts about forgotten notes stay out, and so do settings that send notes to a server other than the
    `agreed` one. Raises ExportUnusable, and StoreError.
    """
    export = read_export(file)
    with _open_to_import(config) as database:
        book = Archive(config, database).book
        with database.atomic():
            report, entries = _plan(config, database, export, agreed)
            book.merge(entries)
            JobQueue(config, database).adopt()
    if report.settings is SettingsFate.TAKEN:
        _write_new(config.home / CONFIG_NAME, (export.settings or "").encode())
    return report


def preview_import(config: Config, file: Path, agreed: str = "") -> Imported:
    """Say what importing a file would do, and change nothing."""
    export = read_export(file)
    with contextlib.ExitStack() as stack:
        try:
            database = stack.enter_context(open_database(config.database_path, Access.READ, RECORDS_SINCE))
        except IndexMissing:
            empty = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "empty.sqlite3"
            database = stack.enter_context(open_database(empty))
        return _plan(config, database, export, agreed)[0]


def read_export(file: Path) -> Export:
    """Read an exported file, every byte checked. Raises ExportUnusable."""
    content = _unpacked(file)
    head, _, rest = content.partition(b"\n")
    _check_head(head, file)
    body, _, last = rest.rstrip(b"\n").rpartition(b"\n")
    lines = body.split(b"\n") if body else []
    checked = content[: len(content) - len(last) - 1]
    if _values(last) != {"lines": len(lines), "sha256": hashlib.sha256(checked).hexdigest()}:
        raise ExportUnusable(f"{file} is damaged or was cut off.", BROKEN)
    entries = [_entry(line, file) for line in lines]
    settings = [json.loads(entry.body or "{}").get("text") for entry in entries if entry.kind == SETTINGS]
    return Export(tuple(entry for entry in entries if entry.kind != SETTINGS), settings[0] if settings else None)


def _plan(config: Config, database: Database, export: Export, agreed: str) -> tuple[Imported, list[Entry]]:
    """Return what an import comes to, and the entries to merge."""
    book = Archive(config, database).book
    coming = [entry for entry in export.entries if entry.kind == Kind.EXCLUSION]
    exclusions = read_exclusions(database).joined_by(_imported_exclusions(coming))
    taken = [entry for entry in export.entries if not _is_about(entry, exclusions)]
    merged, news = book.compare(taken)
    fate, sending = _fate(config, export.settings, agreed)
    report = Imported(
        added=merged.added,
        replaced=merged.replaced,
        deleted=merged.deleted,
        known=merged.known,
        refused=len(export.entries) - len(taken),
        exclusions=sum(entry.kind == Kind.EXCLUSION and entry.body is not None for entry in news),
        settings=fate,
        sends_to=sending.to,
        sending=sending.by,
    )
    return report, news


def _imported_exclusions(entries: Sequence[Entry]) -> Exclusions:
    return Exclusions((json.loads(entry.body)["salt"], entry.key) for entry in entries if entry.body is not None)


def _is_about(entry: Entry, exclusions: Exclusions) -> bool:
    return entry.body is not None and any(map(exclusions.covers, notes_of(json.loads(entry.body))))


def _fate(config: Config, settings: str | None, agreed: str) -> tuple[SettingsFate, Sending]:
    if settings is None:
        return SettingsFate.ABSENT, NOWHERE
    try:
        sending = _sending(parse_settings(settings, config.home / CONFIG_NAME))
    except ConfigError:
        return SettingsFate.UNFIT, NOWHERE
    own = _settings_text(config)
    if own is not None:
        return (SettingsFate.SAME if own == settings else SettingsFate.KEPT), NOWHERE
    return (SettingsFate.TAKEN if sending.to in {"", agreed} else SettingsFate.HELD), sending


def _sending(settings: Settings) -> Sending:
    """Return where these settings would send notes. An address is enough: a role may name it later, unasked."""
    remote = settings.remote
    if not remote.url.strip():
        return NOWHERE
    roles = [f"roles.{role}" for role, model in settings.roles if is_remote(model)]
    key = ["remote.api_key_env"] if remote.api_key_env else []
    return Sending(remote.url.strip(), ("remote.url", *key, *roles))


@contextlib.contextmanager
def _open_to_import(config: Config) -> Iterator[Database]:
    """Open the index for writing: as its owner where nobody is, for it may have to be made first."""
    lock = OwnerLock(config.lock_path)
    try:
        lock.acquire()
    except IndexLocked:
        with open_for_records(config) as database:
            yield database
        return
    with lock, open_database(config.database_path) as database:
        yield database


def _content(entries: Sequence[Entry]) -> bytes:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    head = json.dumps({"vaultrag": "export", "version": VERSION, "made_at": made_at})
    body = head.encode() + b"\n" + as_lines(entries)
    last = json.dumps({"lines": len(entries), "sha256": hashlib.sha256(body).hexdigest()})
    return body + last.encode() + b"\n"


def _settings_entry(text: str | None) -> list[Entry]:
    if text is None:
        return []
    return [Entry(SETTINGS, CONFIG_NAME, time.time_ns() // 1000, as_body({"text": text}))]


def _settings_text(config: Config) -> str | None:
    try:
        return (config.home / CONFIG_NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _unpacked(file: Path) -> bytes:
    try:
        with gzip.open(file.expanduser()) as packed:
            content = packed.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ExportUnusable(f"{file} is damaged, or no exported file.", BROKEN) from error
    except OSError as error:
        raise ExportUnusable(f"{file} cannot be read: {error.strerror}.", "Name an exported file.") from error
    if len(content) > MOST_BYTES:
        raise ExportUnusable(f"{file} is larger than any exported file.", BROKEN)
    return content


def _check_head(head: bytes, file: Path) -> None:
    values = _values(head)
    if values.get("vaultrag") != "export" or type(values.get("version")) is not int:
        raise ExportUnusable(f"{file} is no exported file.", "Name a file that `vaultrag export` wrote.")
    if values["version"] != VERSION:
        raise _too_new(file)


def _entry(line: bytes, file: Path) -> Entry:
    try:
        entry = parse_line(line, str(file))
        if entry is not None and (_is_settings(entry) if entry.kind == SETTINGS else is_sound(entry)):
            return entry
    except IndexTooNew as error:
        raise _too_new(file) from error
    raise ExportUnusable(f"{file} holds a record that is none of ours.", BROKEN)


def _is_settings(entry: Entry) -> bool:
    return isinstance(json.loads(entry.body or "{}").get("text"), str)


def _too_new(file: Path) -> ExportUnusable:
    return ExportUnusable(f"{file} was written by a newer VaultRAG.", "Update VaultRAG.")


def _values(line: bytes) -> dict[str, object]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _write_new(target: Path, content: bytes) -> None:
    """Write a file that is there whole, with all its bytes on the disk, or not at all."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    with _writing(target):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # nobody else takes the name meanwhile
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(
                f"There is no space left for {target}.", "Free some space, or name another place."
            ) from error
        raise UsageError(f"{target} cannot be written: {error.strerror}.", "Name a file in another folder.") from error
