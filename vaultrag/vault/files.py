"""The vault's files as they lie on disk: what is a note, what may be linked, what is left alone and why.

Nothing here writes, and nothing outside the vault is ever opened.
"""

from __future__ import annotations

import os
import re
import stat as status
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from vaultrag.config import VaultSection
from vaultrag.domain import FileStat
from vaultrag.errors import VaultError
from vaultrag.text.paths import normalize_path
from vaultrag.vault.filters import PathFilter, obsidian_filters
from vaultrag.vault.named import NamedFile, lies_in_real_folders, spelled_on_disk
from vaultrag.vault.parsing.pages import MAX_PDF_BYTES, PDF_SUFFIX, is_pdf, pdf_text

NOTE_SUFFIXES = (".md", ".canvas", ".base")
READ_TRIES = 3  # Obsidian writes in place; a file that still changes after that is left for the next round
IGNORED = "`vault.ignore` of the settings leaves it out"
FILTERED = "the vault's own filters leave it out (in Obsidian: Files and links, Excluded files)"
LINKED_FOLDER = "it is a link to a folder; only real folders are read"
UNREADABLE_SHARE = 0.1  # a note of another encoding, or no text at all; UTF-8 with a few broken bytes is below
UNREADABLE_LEAST = 8  # characters: of a note with fewer there is nothing to lose
NEAR_COPY = 0.95  # share of words in common; two notes made from one template have less
LEAST_COPY = 300  # bytes: below it a template is most of the text
LARGEST_COPY = 500_000  # bytes: such pairs are read at every listing
TEMPORARY_STARTS = ("~$", "~syncthing~")  # of files that programs keep while they write others
# `Note 2.md` is a copy where it says the same; `Note-DESKTOP-AB12CD3.md` is what OneDrive makes of a losing version.
COPY = re.compile(r"(?P<name>.+)(?: \d{1,2}|(?P<machine>-(?:DESKTOP|LAPTOP)-[A-Z0-9]{7,8}))(?P<suffix>\.[Mm][Dd])")
COPY_STARTS = (" ", "-DESKTOP-", "-LAPTOP-")  # what follows the name in the name of a copy
_WORD = re.compile(r"\w+")
IN_THE_CLOUD = "its content is in the cloud only"
_DATALESS = 0x40000000  # macOS SF_DATALESS: the content is in the cloud, reading would fetch it

_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\ufffd]")  # control characters and undecodable bytes

# Names that sync programs give to the losing version (Dropbox, Syncthing and others), without their extension.
_CONFLICT = re.compile(
    r"\((?:[^()]*\s)?conflicted copy(?:\s[^()]*)?\)$"
    r"|\([^()]*конфликт[^()]* копия[^()]*\)$"
    r"|\((?:case|white ?space|unicode encoding|selective sync) conflict(?: \d+)?\)$"
    r"|\.sync-conflict-\d{8}-\d{6}(?:-[A-Z0-9]{7})?$"
    r"|\.conflict$"
    r"|_[a-z]{3}-\d{2}-\d{4}-\d{4}_\w+(?:_\d+)?$",
    re.IGNORECASE,
)

_Entry: TypeAlias = "os.DirEntry[str] | NamedFile"


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file or folder (with a `/` at its end) that was not read, and why, in words for the user.

    What is there and only cannot be read now is no deletion: `is_there`.
    """

    path: str
    reason: str
    is_there: bool = False


@dataclass(slots=True)
class Scan:
    """What a walk over the vault found, each part sorted by path; `problems` says which filters were left out."""

    notes: list[FileStat] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def without(listing: Scan, is_forgotten: Callable[[str], bool]) -> Scan:
    """Return a listing that says nothing of forgotten files. Copies of them have been set aside before."""
    return Scan(
        [note for note in listing.notes if not is_forgotten(note.path)],
        [name for name in listing.names if not is_forgotten(name)],
        [place for place in listing.skipped if not is_forgotten(_normalized(place.path))],
        listing.problems,
    )


def _normalized(path: str) -> str:
    return normalize_path(path) + "/" * path.endswith("/")


def note_suffixes(vault: VaultSection) -> tuple[str, ...]:
    """Return how the names of indexed files end, by the settings."""
    return (*NOTE_SUFFIXES, PDF_SUFFIX) if vault.pdf else NOTE_SUFFIXES


def list_files(root: Path, ignore: Sequence[str], suffixes: tuple[str, ...] = NOTE_SUFFIXES) -> list[FileStat]:
    """Return the files to be indexed, sorted by path."""
    return scan_vault(root, ignore, suffixes).notes


def scan_vault(
    root: Path, ignore: Sequence[str], suffixes: tuple[str, ...] = NOTE_SUFFIXES, places: Sequence[str] = ("",)
) -> Scan:
    """Walk the vault once, or only some files and folders of it. Raises VaultError when its folder cannot be listed.

    `ignore` and Obsidian's `userIgnoreFilters` are path prefixes or `/regular expressions/`.
    """
    listing = Scan()
    hidden, own = PathFilter(ignore), PathFilter(obsidian_filters(root))
    seen: dict[str, str] = {}
    for entry, fs_path in _walk(root, places, listing):
        path = normalize_path(fs_path)
        if path in seen:
            listing.skipped.append(
                SkippedFile(fs_path, f"its name equals that of {seen[path]} after Unicode normalisation")
            )
            continue
        seen[path] = fs_path
        is_hidden = hidden.matches(path)
        if not is_hidden:
            listing.names.append(path)
        if path.lower().endswith(suffixes):
            left_out = IGNORED if is_hidden else FILTERED if own.matches(path) else ""
            _judge(listing, entry, path, fs_path, left_out)
    listing.notes.sort(key=lambda note: note.path)
    _set_copies_aside(root, listing)
    unread = (place.path for place in listing.skipped if place.is_there and not place.path.endswith("/"))
    listing.names = sorted({*listing.names, *unread})
    listing.problems = [*hidden.problems, *own.problems]
    return listing


def is_conflict_copy(path: str) -> bool:
    """Tell whether a name is one that a sync program gives to the losing version of a file."""
    return bool(_CONFLICT.search(path.rpartition("/")[2].rpartition(".")[0]))


def read_note(root: Path, stat: FileStat, max_bytes: int) -> str:
    """Return a note's text: UTF-8, no byte-order mark, a few undecodable bytes replaced; of a PDF, a page a line.

    The file is checked before and after, so that half a write is never returned. Raises VaultError.
    """
    path = _real_path(root, stat.fs_path)
    max_bytes = MAX_PDF_BYTES if is_pdf(stat.path) else max_bytes
    for _ in range(READ_TRIES):
        content = _read_settled(path, stat.path, max_bytes)
        if content is not None:
            if is_pdf(stat.path):
                return pdf_text(content, stat.path)
            return _decoded(content, stat.path)
    raise VaultError(f"{stat.path} is being written.", "Run the command again when the other program is done.")


def _walk(root: Path, places: Sequence[str], listing: Scan) -> Iterator[tuple[_Entry, str]]:
    """Yield the files, in each folder in the order of their spelling on disk. No link to a folder is entered."""
    folders: list[str] = []
    for place in spelled_on_disk(root, places):
        if not place:
            folders.append("")
        elif lies_in_real_folders(root, place):
            yield from _visit(root, _named(root, place, listing), place.rpartition("/")[0], folders, listing)
    while folders:
        folder = folders.pop()
        yield from _visit(root, _entries(root, folder, listing), folder.rstrip("/"), folders, listing)


def _visit(
    root: Path, entries: Iterable[_Entry], folder: str, folders: list[str], listing: Scan
) -> Iterator[tuple[_Entry, str]]:
    """Yield the files among the entries of a folder, and add its folders to those still to be walked."""
    folder = f"{folder}/" if folder else ""
    for entry in entries:
        fs_path = f"{folder}{entry.name}"
        if entry.name.startswith("."):
            listing.skipped.extend(_placeholder(folder, entry.name))
            continue
        if not is_speakable(entry.name):
            listing.skipped.append(SkippedFile(ascii(fs_path), "its name is not valid Unicode"))
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                folders.append(f"{fs_path}/")
            elif entry.is_symlink() and (reason := _link_fault(root, entry)):
                listing.skipped.append(SkippedFile(fs_path, reason))
            elif entry.is_file():
                yield entry, fs_path
            else:
                listing.skipped.append(SkippedFile(fs_path, "it is no regular file"))
        except OSError as error:
            listing.skipped.append(SkippedFile(fs_path, f"it cannot be read: {error.strerror}", is_there=True))


def _named(root: Path, fs_path: str, listing: Scan) -> list[NamedFile]:
    """Look at one place. What is gone gives nothing, unless the cloud has it."""
    try:
        return [NamedFile(root, fs_path)]
    except (FileNotFoundError, NotADirectoryError):
        folder, _, name = fs_path.rpartition("/")
        if os.path.lexists(root / folder / f".{name}.icloud"):
            listing.skipped.append(SkippedFile(normalize_path(fs_path), IN_THE_CLOUD, is_there=True))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be one"
        for path in (fs_path, f"{fs_path}/"):  # which of the two it is cannot be told
            listing.skipped.append(SkippedFile(path, f"it cannot be read: {reason}", is_there=True))
    return []


def _placeholder(folder: str, name: str) -> Iterator[SkippedFile]:
    """Recognise what iCloud leaves of a file that it moved into the cloud: `.Note.md.icloud`."""
    note = name[1:].removesuffix(".icloud")
    if name.endswith(".icloud") and note.lower().endswith((*NOTE_SUFFIXES, PDF_SUFFIX)):
        yield SkippedFile(normalize_path(f"{folder}{note}"), IN_THE_CLOUD, is_there=True)


def _entries(root: Path, folder: str, listing: Scan) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(root / folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        if not folder:
            raise VaultError(
                f"The vault {root} cannot be read: {error.strerror}.",
                "Mount or restore the folder, or name another: --vault DIR. The index is kept.",
            ) from error
        listing.skipped.append(SkippedFile(folder, f"the folder cannot be read: {error.strerror}", is_there=True))
        return []


def is_speakable(name: str) -> bool:
    """Tell whether a name is valid Unicode, so that text and UTF-8 can hold it."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _link_fault(root: Path, entry: _Entry) -> str:
    """Say why a symbolic link is not followed; empty for one to a visible file of the vault."""
    if not os.path.exists(entry.path):  # also for links in a circle, at which the entry's own methods raise
        return "it is a link that leads nowhere"
    if entry.is_dir():
        return LINKED_FOLDER
    inside = Path(os.path.realpath(entry.path))
    vault = Path(os.path.realpath(root))
    if not inside.is_relative_to(vault):
        return "it is a link to a place outside the vault"
    if any(part.startswith(".") for part in inside.relative_to(vault).parts):
        return "it is a link to a hidden file"
    return ""


def _judge(listing: Scan, entry: _Entry, path: str, fs_path: str, left_out: str) -> None:
    """Add a file to the notes, or to what was skipped with the reason."""
    if left_out:
        listing.skipped.append(SkippedFile(path, left_out))
        return
    if path.rpartition("/")[2].startswith(TEMPORARY_STARTS):
        listing.skipped.append(SkippedFile(path, "a program keeps it while it writes another file"))
        return
    if is_conflict_copy(path):
        listing.skipped.append(SkippedFile(path, "it is a conflicted copy that a sync program made"))
        return
    try:
        found = entry.stat()
    except OSError as error:
        listing.skipped.append(SkippedFile(path, f"it cannot be read: {error.strerror}", is_there=True))
        return
    if getattr(found, "st_flags", 0) & _DATALESS:
        listing.skipped.append(SkippedFile(path, IN_THE_CLOUD, is_there=True))
        return
    listing.notes.append(FileStat(path, fs_path, found.st_size, found.st_mtime_ns, found.st_ino))


def _set_copies_aside(root: Path, listing: Scan) -> None:
    """Take out copies beside their originals: an iCloud or OneDrive conflict, or an old version kept."""
    by_path = {note.path: note for note in listing.notes}
    copies = {
        note.path: original.path
        for note in listing.notes
        if (match := COPY.fullmatch(note.path))
        and (original := by_path.get(f"{match['name']}{match['suffix']}"))
        and (match["machine"] or _says_the_same(root, original, note))
    }
    listing.notes = [note for note in listing.notes if note.path not in copies]
    listing.skipped.extend(SkippedFile(path, f"it is a copy of {original}") for path, original in copies.items())


def _says_the_same(root: Path, original: FileStat, copy: FileStat) -> bool:
    if not LEAST_COPY <= min(original.size, copy.size) <= max(original.size, copy.size) <= LARGEST_COPY:
        return False
    try:
        first, second = (Counter(_WORD.findall(read_note(root, note, LARGEST_COPY))) for note in (original, copy))
    except VaultError:
        return False
    return 2 * (first & second).total() >= NEAR_COPY * (first.total() + second.total())


def _real_path(root: Path, fs_path: str) -> str:
    real = os.path.realpath(root / fs_path)
    if not Path(real).is_relative_to(os.path.realpath(root)):
        raise VaultError(f"{fs_path} is a link to a place outside the vault.", "Put the file itself into the vault.")
    return real


def _read_settled(path: str, name: str, max_bytes: int) -> bytes | None:
    """Return the content, or None where it changed while it was read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            before = os.fstat(file.fileno())
            _check(before, name, max_bytes)
            content = file.read(before.st_size + 1)  # no more room than it needs: `read` takes all of it first
            after = os.fstat(file.fileno())
    except OSError as error:
        raise VaultError(
            f"{name} cannot be read: {error.strerror}.", "Check that the file is there and may be read by this user."
        ) from error
    settled = before.st_mtime_ns == after.st_mtime_ns and before.st_size == after.st_size == len(content)
    return content if settled else None


def _decoded(content: bytes, name: str) -> str:
    text = content.decode("utf-8", errors="replace").removeprefix("\ufeff")
    unreadable = sum(1 for _ in _UNREADABLE.finditer(text))
    if unreadable >= UNREADABLE_LEAST and unreadable > UNREADABLE_SHARE * len(text):
        raise VaultError(f"{name} is not text in UTF-8.", "Save it as UTF-8; what is no note, move out of the vault.")
    return text


def _check(found: os.stat_result, name: str, max_bytes: int) -> None:
    if not status.S_ISREG(found.st_mode):
        raise VaultError(f"{name} is no regular file.", "Move it out of the vault.")
    if getattr(found, "st_flags", 0) & _DATALESS:
        raise VaultError(f"{name} is in the cloud only.", "Download it in the cloud program, then index again.")
    if found.st_size > max_bytes:
        raise VaultError(
            f"{name} is larger than {max_bytes / 1e6:.1f} MB.", "Raise `vault.max_note_bytes`, or split the note."
        )
