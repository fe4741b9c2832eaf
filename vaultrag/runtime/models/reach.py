"""What this machine knows of the hub without asking it: when it last answered or was silent, how fast it was."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from vaultrag.errors import DownloadFailed
from vaultrag.runtime.hardware.measurements import read_figures, write_figures

ENDPOINT_VARIABLE = "HF_ENDPOINT"
USUAL_ENDPOINT = "https://huggingface.co"
REACH_NAME = "hub.json"
REMEMBERED_SECONDS = 3600.0  # a hub that was silent is taken to be so for an hour, where nobody asks for a download
TELLING_BYTES = 10_000_000  # less is mostly waiting for the first byte
USUAL_BYTES_PER_SECOND = 6_250_000.0  # 50 Mbit/s: half of what a fixed line in the middle of the world's has


class HubSilent(DownloadFailed):
    """The hub could not be reached, or said nothing in time: asking it for another model is in vain."""

    @property
    def kind(self) -> str:
        return DownloadFailed.__name__


@dataclass(frozen=True, slots=True)
class HubReach:
    """What is known of one hub: seconds since it answered and since it was silent, if ever, and bytes a second."""

    endpoint: str
    answered: float | None
    silent: float | None
    bytes_per_second: float | None

    @property
    def is_silent(self) -> bool:
        """Whether it was asked a while ago, and said nothing."""
        return self.silent is not None and self.silent < min(self.answered or REMEMBERED_SECONDS, REMEMBERED_SECONDS)

    def seconds_for(self, size: int) -> float:
        """Return how long this many bytes take, as fast as the last download or a usual line."""
        return size / (self.bytes_per_second or USUAL_BYTES_PER_SECOND)


def endpoint() -> str:
    return os.environ.get(ENDPOINT_VARIABLE, "").strip() or USUAL_ENDPOINT


def known_reach(models_dir: Path) -> HubReach:
    """Return what earlier commands found out about the hub."""
    figures, now = read_figures(models_dir / REACH_NAME), time.time()

    def since(what: str) -> float | None:
        at = figures.get(f"{endpoint()} {what}")
        return None if at is None else max(0.0, now - at)

    return HubReach(endpoint(), since("answered"), since("silent"), figures.get("bytes a second"))


def note_answer(models_dir: Path) -> None:
    _note(models_dir, f"{endpoint()} answered", time.time())


def note_silence(models_dir: Path) -> None:
    _note(models_dir, f"{endpoint()} silent", time.time())


def note_speed(models_dir: Path, size: int, seconds: float) -> None:
    """Keep how fast a download was, if it was long enough to tell."""
    if size >= TELLING_BYTES and seconds > 0:
        _note(models_dir, "bytes a second", round(size / seconds))


def _note(models_dir: Path, what: str, figure: float) -> None:
    path = models_dir / REACH_NAME
    write_figures(path, {**read_figures(path), what: figure})
