"""The night of a running server: begun by itself, once in each window of the user's clock, and over when that is."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from vaultrag.config import NightSection
from vaultrag.domain import Job
from vaultrag.errors import StoreError
from vaultrag.jobs.nightly import NIGHT, night_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.runtime.hardware.power import on_battery

LOOK_SECONDS = 30.0  # a machine that wakes up in the middle of the window loses no more than that
LEAST_MINUTES = 5.0  # what is left of a window: below, a night would hardly read the vault
_WINDOW = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)")

log = logging.getLogger("vaultrag.night")


def local_time() -> datetime:
    """Return the time by the user's clock, as it shows it."""
    return datetime.now()  # noqa: DTZ005  # a window is of the wall clock: "01:00" says no zone


@dataclass(frozen=True, slots=True)
class NightWindow:
    """The hours of one night, by the user's clock."""

    begins: datetime
    ends: datetime

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment, of any zone, lies in it."""
        return self.begins.astimezone() <= moment < self.ends.astimezone()


def window_at(hours: str, now: datetime) -> NightWindow | None:
    """Return the window (`01:00-06:00`, `23:00-05:00`) that is open at a time of the user's clock; None where none is.

    One that ends when it begins is open all day.
    """
    found = _WINDOW.fullmatch(hours)
    if found is None:
        return None
    first, minute, last, until = map(int, found.groups())
    for day in (now.date() - timedelta(days=1), now.date()):
        window = _window(day, time(first, minute), time(last, until))
        if window.begins <= now < window.ends:
            return window
    return None


def _window(day: date, first: time, last: time) -> NightWindow:
    over = day + timedelta(days=1) if last <= first else day
    return NightWindow(datetime.combine(day, first), datetime.combine(over, last))


class NightWatch:
    """Begins the night of an index in a thread of its own, from `start` until `close`."""

    def __init__(self, worker: JobWorker, settings: NightSection, now: Callable[[], datetime] = local_time) -> None:
        self._worker = worker
        self._settings = settings
        self._now = now
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="night's window", daemon=True)

    def start(self) -> None:
        """Look again and again whether a night is due; nothing where no window is set."""
        if self._settings.window:
            self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> bool:
        """Begin a night where its window is open and has had none; return whether it did. Raises StoreError."""
        now, settings = self._now(), self._settings
        window = window_at(settings.window, now)
        if window is None or any(_is_of(job, window) for job in self._worker.queue.jobs()):
            return False
        minutes = min(settings.minutes, (window.ends.timestamp() - now.timestamp()) / 60)
        if minutes < LEAST_MINUTES or (not settings.on_battery and on_battery()):
            return False
        hours = {"window": window.begins.isoformat(), "until": window.ends.astimezone(UTC).isoformat()}
        self._worker.submit(night_order(minutes, settings.on_battery, hours))
        return True

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                if self.look():
                    log.info("the night begins")
            except StoreError as error:
                log.warning("beginning the night met %s", error.kind)
            self._closed.wait(LOOK_SECONDS)


def _is_of(job: Job, window: NightWindow) -> bool:
    """Tell whether a job is a night of this window, or stands for one: it goes on, or somebody began it meanwhile.

    What the window was is written in the job: a clock that is set back does not make it another one.
    """
    if job.order.kind != NIGHT:
        return False
    began = job.order.request.get("window")
    return not job.state.ended or began == window.begins.isoformat() or window.holds(datetime.fromisoformat(job.at))
