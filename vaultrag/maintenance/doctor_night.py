"""What `doctor` says of the night: whether it begins by itself, when it last ran, and what came of that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vaultrag.config import Config
from vaultrag.domain import Finding, StageState
from vaultrag.errors import IndexMissing
from vaultrag.maintenance.scheduler import installed
from vaultrag.store.database import Access
from vaultrag.store.night.nights import NightRow, read_nights
from vaultrag.store.opening import open_database
from vaultrag.store.records import Kind, read_bodies

MISSED_DAYS = 3  # a machine may be off for a weekend
AHEAD_SECONDS = 3600.0  # a night that ended later than that from now was of another clock
AGAIN = "Try: vaultrag nightly"


@dataclass(frozen=True, slots=True)
class _Nights:
    """The last night that ended, and what the queue keeps of the last one that was asked for."""

    last: NightRow | None = None
    job: dict[str, Any] | None = None


def night_findings(config: Config) -> Iterator[Finding]:
    """Yield how the night of a vault is set up, and how the last one went."""
    when, nights = _when(config), _nights(config)
    if not when:
        remedy = "If it should: vaultrag nightly --install; or `night.window`, for a server that stays"
        yield Finding("night", "info", "The night does not begin by itself.", remedy)
    yield from _how_it_stands(nights)
    if nights.last is None:
        if when:
            yield Finding("night", "info", f"The night begins {when}; none has run to its end yet.", "")
        return
    yield from _how_it_went(nights.last, when)
    if config.reports_path is None:
        where = f"Reports of nights lie in {config.nights_path}, which keeps the last 30."
        yield Finding("night", "info", where, "To have them in the vault, name a folder: `reports.folder`.")


def _when(config: Config) -> str:
    """Say what begins the night, empty where nothing does."""
    scheduled = [f"at {night.at} by {night.kind}" for night in installed(config)]
    begins, _, ends = config.settings.night.window.partition("-")
    return ", ".join([*scheduled, *([f"between {begins} and {ends} where a server runs"] if begins else [])])


def _how_it_stands(nights: _Nights) -> Iterator[Finding]:
    """Yield what became of a night that was asked for and has not come to its end."""
    if nights.job is None or nights.job.get("state") == "done":
        return
    state, failure = nights.job.get("state"), nights.job.get("failure") or {}
    why = f": {failure.get('message', '')}" if failure else "."
    if state == "failed":
        said = f"The last night failed, and has no report{why}"
        yield Finding("night", "warning", said, str(failure.get("remedy", "")) or AGAIN)
    elif state == "queued" and failure:
        yield Finding("night", "warning", f"A night is to be tried again{why}", str(failure.get("remedy", "")))
    elif state == "queued":
        yield Finding("night", "info", "A night goes on, or waits for whoever works at it.", "vaultrag jobs list")
    else:
        yield Finding("night", "info", f"The last night was {state}, and has no report.", AGAIN)


def _how_it_went(last: NightRow, when: str) -> Iterator[Finding]:
    ended = last.ended_at / 1_000_000
    day = datetime.fromtimestamp(ended, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    wrong = [stage for stage in last.stages if stage.error]
    missed = [stage.name for stage in last.stages if stage.state is StageState.NOT_REACHED and not stage.error]
    begins = f"It begins {when}; the" if when else "The"
    if ended - time.time() > AHEAD_SECONDS:
        said = f"{begins} last one ended {day}, which is still to come: this machine's clock was set back."
        yield Finding("night", "warning", said, f"Where the clock is wrong, set it. {AGAIN}")
    elif when and time.time() - ended > MISSED_DAYS * 86400:
        yield Finding("night", "warning", f"{begins} last one ended {day}: some were missed.", AGAIN)
    elif wrong:
        said = "; ".join(f"{stage.name}: {stage.message or stage.error}" for stage in wrong)
        remedy = next((stage.remedy for stage in wrong if stage.remedy), "")
        yield Finding("night", "warning", f"{begins} last one ended {day}, and something failed. {said}", remedy)
    elif missed:
        said = f"{begins} last one ended {day}, before it reached: {', '.join(missed)}."
        yield Finding("night", "info", said, "The next one goes on there; or give it longer: `night.minutes`.")
    else:
        yield Finding("night", "info", f"{begins} last one ended {day}, and nothing failed.", "")


def _nights(config: Config) -> _Nights:
    try:
        with open_database(config.database_path, Access.READ) as database:
            last = next((night for night in read_nights(database) if night.ended_at), None)
            bodies = [body for body in read_bodies(database, Kind.JOB).values() if body.get("kind") == "night"]
    except IndexMissing:
        return _Nights()
    return _Nights(last, max(bodies, key=lambda body: str(body.get("at", "")), default=None))
