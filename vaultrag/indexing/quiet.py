"""Waits until a vault is no longer being written to: a program that syncs it may be in the middle of a folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from vaultrag.config import Config
from vaultrag.vault.files import note_suffixes, scan_vault
from vaultrag.vault.settling import Settling

LONGEST = 600.0  # seconds: what is written to for ten minutes is not being synced, it is in use
LOOKS = 2  # in the time that a vault has to be quiet

Look = Callable[[], object]


def wait_until_quiet(config: Config, stop: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> bool:
    """Return once no note has come, gone or changed for `night.settle_seconds`; False where it never was so.

    Raises VaultError when the vault is missing.
    """
    return settles(lambda: _notes(config), config.settings.night.settle_seconds, LONGEST, stop, clock)


def settles(
    look: Look, quiet: float, longest: float, stop: Callable[[], bool], clock: Callable[[], float] = time.monotonic
) -> bool:
    """Return once `look` has returned the same for `quiet` seconds; False after `longest`, and at `stop`."""
    if not quiet:
        return True
    began, settling, seen = clock(), Settling(quiet, longest), look()
    settling.add_everything("the night begins", began)
    pause = threading.Event()
    while not stop():
        pause.wait(quiet / LOOKS)
        now, found = clock(), look()
        if found != seen:
            seen = found
            settling.add_everything("it is being written to", now)
        elif settling.take(now):
            return now - began < longest
        if now - began >= longest:
            return False
    return False


def _notes(config: Config) -> object:
    settings = config.settings.vault
    listing = scan_vault(config.vault, settings.ignore, note_suffixes(settings))
    return [(note.fs_path, note.size, note.mtime_ns) for note in listing.notes], listing.names
