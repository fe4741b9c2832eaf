"""A recommendation of `models recommend`: its JSON, and its lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from rich.text import Text

from vaultrag.cli.terminal import one_line, size

if TYPE_CHECKING:
    from vaultrag.runtime.recommend import Considered, Recommendation


JUST_NOW_SECONDS = 10.0  # it was this command that asked


class ConsideredModel(BaseModel):
    """One model of `models recommend --json`. `lacks` is empty where it would do; speeds in tokens a second."""

    model_config = ConfigDict(defer_build=True)

    name: str
    description: str
    here: bool
    bytes: int
    fetch_bytes: int
    fetch_seconds: float
    decode: float
    prefill: float
    lacks: str


class RecommendedModel(BaseModel):
    """What `models recommend --json` prints. `recommended` is empty where nothing better can be had; `reason` says why.

    Bearable is a prompt of `least_prompt` tokens within `first_word_seconds`, and `least_decode` tokens a second.
    """

    model_config = ConfigDict(defer_build=True)

    current: str
    recommended: str
    reason: str
    first_word_seconds: float
    least_prompt: int
    least_decode: float
    measured_by: str
    hub: str
    hub_silent: bool
    bytes_per_second: float | None
    considered: list[ConsideredModel]


def recommendation_lines(found: Recommendation) -> Iterator[Text]:
    """Yield the recommendation as the terminal shows it: one line where nothing better can be had."""
    if found.offered is None:
        yield Text(why_none(found))
        return
    best = found.offered
    yield Text.assemble(
        "A better model would fit this machine: ",
        (best.entry.name, "bold"),
        f" ({one_line(best.entry.description)}).",
    )
    for line in (_fetching(found, best), _speed(found, best), _doing(best)):
        yield Text(f"  {line}", style="dim")


def why_none(found: Recommendation) -> str:
    """Return one sentence on why no other model is recommended."""
    best = found.best
    if best is not None:
        silent = found.reach.silent or 0.0
        when = "just now" if silent < JUST_NOW_SECONDS else f"{_lasting(silent)} ago"
        return (
            f"{best.entry.name} would fit this machine, but cannot be fetched: the hub ({found.reach.endpoint}) was"
            f" silent {when}. Once it can be reached: vaultrag models use {best.entry.name}"
        )
    if not found.considered:
        return f"{found.current} is the best of the catalogue's general models already."
    nearest = found.considered[-1]
    return (
        f"{found.current} goes on answering: no better model runs here in bearable time."
        f" The nearest, {nearest.entry.name}, {nearest.lacks}."
    )


def _fetching(found: Recommendation, best: Considered) -> str:
    if best.is_here:
        return "It is on this machine already."
    seconds = found.reach.seconds_for(best.entry.to_fetch)
    speed = found.reach.bytes_per_second
    by = f"as fast as the last download, {size(int(speed))}/s" if speed else "at 50 Mbit/s, which is only assumed"
    free = f"{size(found.room.disk)} of disk are free"
    return f"{size(best.entry.to_fetch)} to fetch, about {_lasting(seconds)} ({by}); {free}."


def _speed(found: Recommendation, best: Considered) -> str:
    pace = found.room.pace.by
    by = (
        f"by the speed that {pace} has here"
        if pace
        else "foretold from cores and memory: nothing was measured here yet"
    )
    seconds = best.prefill and min(found.room.seconds, _usual_prompt() / best.prefill)
    return (
        f"To expect: {best.decode:.0f} tokens/s written, {best.prefill:,.0f} read: a first word after about"
        f" {seconds:.0f} s ({by})."
    )


def _doing(best: Considered) -> str:
    what = "lets it answer" if best.is_here else "fetches it and lets it answer"
    return f"vaultrag models use {best.entry.name}   {what}"


def _usual_prompt() -> int:
    from vaultrag.runtime.offload.plan import TOKENS_READ

    return TOKENS_READ


def _lasting(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def shown(found: Recommendation) -> RecommendedModel:
    from vaultrag.runtime.recommend import LEAST_DECODE, LEAST_PROMPT

    return RecommendedModel(
        current=found.current,
        recommended=found.offered.entry.name if found.offered else "",
        reason="" if found.offered else why_none(found),
        first_word_seconds=found.room.seconds,
        least_prompt=LEAST_PROMPT,
        least_decode=LEAST_DECODE,
        measured_by=found.room.pace.by,
        hub=found.reach.endpoint,
        hub_silent=found.reach.is_silent,
        bytes_per_second=found.reach.bytes_per_second,
        considered=[_considered(one, found) for one in found.considered],
    )


def _considered(one: Considered, found: Recommendation) -> ConsideredModel:
    to_fetch = 0 if one.is_here else one.entry.to_fetch
    return ConsideredModel(
        name=one.entry.name,
        description=one.entry.description,
        here=one.is_here,
        bytes=one.entry.bytes,
        fetch_bytes=to_fetch,
        fetch_seconds=round(found.reach.seconds_for(to_fetch), 1),
        decode=round(one.decode, 2),
        prefill=round(one.prefill, 1),
        lacks=one.lacks,
    )
