"""One process owns an index: a lock of the operating system, with the owner's address inside for the message.

Readers never take it. The system drops it when the owner dies, however that happens.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from vaultrag.errors import IndexLocked, StoreError
from vaultrag.store.errors import translated
from vaultrag.store.privacy import keep_private

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD_BY_ANOTHER = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_WINDOWS_LOCK_BYTE = 1 << 30  # far behind the text, which stays readable while the byte is locked


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the lock. `port` is set when it serves."""

    pid: int
    host: str
    port: int | None = None


class OwnerLock:
    """The lock of one index, held from `acquire` to `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self, port: int | None = None) -> OwnerLock:
        """Take the lock without waiting. Raises IndexLocked, which names the owner."""
        if self._descriptor is not None:
            return self
        with translated(self.path):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _HELD_BY_ANOTHER:
                raise StoreError(
                    f"The index cannot be locked: {self.path}: {error.strerror}.",
                    "Name a home on a local disk: --home DIR.",
                ) from error
            raise _locked(read_owner(self.path)) from error
        self._descriptor = descriptor
        keep_private(self.path.parent)
        try:
            self.publish(port)
        except StoreError:
            self.release()  # the disk is full; whoever tries again must not meet our own lock
            raise
        return self

    def publish(self, port: int | None) -> None:
        """Write down where the owner answers."""
        if self._descriptor is None:
            raise RuntimeError("publish before acquire")
        text = json.dumps(asdict(Owner(os.getpid(), socket.gethostname(), port))).encode()
        with translated(self.path):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, text)

    def release(self) -> None:
        """Give the lock back. The file stays, empty: removing it would let two processes hold two locks."""
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        with contextlib.suppress(OSError):
            _unlock(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> OwnerLock:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def living_owner(path: Path) -> Owner | None:
    """Return who holds the lock now, None where nobody does. Asks the system, not the file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        _lock(descriptor)
    except OSError:
        return read_owner(path)
    else:
        _unlock(descriptor)
        return None
    finally:
        os.close(descriptor)


def read_owner(path: Path) -> Owner | None:
    """Return who last held the lock and did not give it back; it may be dead since."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Owner(int(values["pid"]), str(values["host"]), values["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _locked(owner: Owner | None) -> IndexLocked:
    if owner is None:
        who, remedy = "another process", "Wait until it is done."
    else:
        who = f"process {owner.pid} on {owner.host}" + (f", port {owner.port}" if owner.port else "")
        end = "run `vaultrag serve --stop`" if owner.port else f"end process {owner.pid}"
        remedy = f"Wait until it is done, or {end}."
    return IndexLocked(f"The index belongs to {who}.", remedy)


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _WINDOWS_LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _WINDOWS_LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
