"""Notes and folders that the user wants forgotten: their paths are known by a salted hash only.

Paths are compared without case, as most file systems do: a renamed `secret.md` does not bring back `Secret.md`.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable, Iterator

from vaultrag.store.database import Database
from vaultrag.store.records import FORGET_OWED, Kind, RecordBook, read_bodies

SALT_BYTES = 16


class Exclusions:
    """Tells which paths are forgotten. A folder's path ends with a `/`, and it stands for all that is in it."""

    def __init__(self, hashes: Iterable[tuple[str, str]] = ()) -> None:
        self._by_salt: dict[str, set[str]] = {}
        for salt, digest in hashes:
            self._by_salt.setdefault(salt, set()).add(digest)
        self._folders: dict[str, bool] = {"": False}

    @classmethod
    def of(cls, path: str) -> Exclusions:
        """Return what excluding just this note or folder would be."""
        salt = secrets.token_hex(SALT_BYTES)
        return cls([(salt, digest_path(salt, path))])

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the salt and the digest of everything that is excluded."""
        for salt, digests in self._by_salt.items():
            yield from ((salt, digest) for digest in digests)

    def joined_by(self, others: Exclusions) -> Exclusions:
        """Return what is excluded by one or the other."""
        return Exclusions((*self.pairs(), *others.pairs()))

    def __bool__(self) -> bool:
        return bool(self._by_salt)

    def covers(self, path: str) -> bool:
        """Tell whether a note, or a folder, or one that it lies in is forgotten."""
        if not self._by_salt:
            return False
        folder, _, name = _folded(path).rstrip("/").rpartition("/")
        whole = f"{folder}/{name}" if folder else name
        return self._in_folder(f"{folder}/" if folder else "") or self.names(whole + "/" * path.endswith("/"))

    def names(self, path: str) -> bool:
        """Tell whether just this path was named, not one above it."""
        return self.digest_of(path) is not None

    def digest_of(self, path: str) -> str | None:
        """Return the hash that a path is excluded by."""
        for salt, digests in self._by_salt.items():
            digest = digest_path(salt, path)
            if digest in digests:
                return digest
        return None

    @property
    def salt(self) -> str:
        """Return the salt to hash further paths with: one for all costs one hash a path."""
        return next(iter(self._by_salt), "") or secrets.token_hex(SALT_BYTES)

    def _in_folder(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            above = folder.rstrip("/").rpartition("/")[0]
            known = self._in_folder(f"{above}/" if above else "") or self.names(folder)
            self._folders[folder] = known
        return known


def digest_path(salt: str, path: str) -> str:
    return hashlib.sha256(f"{salt}\0{_folded(path)}".encode("utf-8", "replace")).hexdigest()


def read_exclusions(database: Database) -> Exclusions:
    """Return what is excluded now."""
    return Exclusions((str(values["salt"]), key) for key, values in read_bodies(database, Kind.EXCLUSION).items())


def exclude(book: RecordBook, path: str) -> None:
    """Exclude a note or, with a `/` at its end, a folder; what is left of it is owed to be removed."""
    standing = read_exclusions(book.database)
    with book.database.atomic():
        book.database.set_meta(FORGET_OWED, "1")
        if not standing.names(path):
            salt = standing.salt
            book.put(Kind.EXCLUSION, digest_path(salt, path), {"salt": salt})


def include(book: RecordBook, path: str) -> bool:
    """Take an exclusion back; return whether there was one."""
    digest = read_exclusions(book.database).digest_of(path)
    return digest is not None and book.delete(Kind.EXCLUSION, digest)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
