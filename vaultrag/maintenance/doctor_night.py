"""What `doctor` says of the night: whether it begins by itself, when it last ran, and what came of that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from vaultrag.config import Config
from vaultrag.domain import Finding
from vaultrag.errors import IndexMissing
from vaultrag.maintenance.scheduler import installed
from vaultrag.store.database import Access
from vaultrag.store.night.nights import NightRow, read_nights
from vaultrag.store.opening import open_database

MISSED_DAYS = 3  # a machine may be off for a weekend


def night_findings(config: Config) -> Iterator[Finding]:
    """Yield how the night of a vault is set up, and how the last one went."""
    scheduled = installed(config)
    when = ", ".join(f"at {night.at} by {night.kind}" for night in scheduled)
    if not when:
        yield Finding(
            "night", "info", "The night does not begin by itself.", "If it should: vaultrag nightly --install"
        )
    last = _last(config)
    if last is None:
        if when:
            yield Finding("night", "info", f"The night begins {when}; none has run yet.", "")
        return
    yield from _how_it_went(last, when)
    if config.reports_path is None:
        where = f"Reports of nights lie in {config.nights_path}, which keeps the last 30."
        yield Finding("night", "info", where, "To have them in the vault, name a folder: `reports.folder`.")


def _how_it_went(last: NightRow, when: str) -> Iterator[Finding]:
    day = datetime.fromtimestamp(last.ended_at / 1_000_000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    wrong = [stage for stage in last.stages if stage.error]
    begins = f"It begins {when}; the" if when else "The"
    if when and time.time() - last.ended_at / 1_000_000 > MISSED_DAYS * 86400:
        yield Finding("night", "warning", f"{begins} last one ended {day}: some were missed.", "Try: vaultrag nightly")
    elif wrong:
        said = "; ".join(f"{stage.name}: {stage.message or stage.error}" for stage in wrong)
        remedy = next((stage.remedy for stage in wrong if stage.remedy), "")
        yield Finding("night", "warning", f"{begins} last one ended {day}, and something failed. {said}", remedy)
    else:
        yield Finding("night", "info", f"{begins} last one ended {day}, and nothing failed.", "")


def _last(config: Config) -> NightRow | None:
    try:
        with open_database(config.database_path, Access.READ) as database:
            return next((night for night in read_nights(database) if night.ended_at), None)
    except IndexMissing:
        return None
