"""The JSON of nights: what each did, and what begins them by themselves. As in `vaultrag.wire`."""

from __future__ import annotations

from vaultrag.wire.shapes import Shape


class NightStage(Shape):
    """What a stage did. `state`: done, partial (`left` for later), failed (`message` says why), or not reached."""

    name: str
    state: str
    done: int
    left: int
    seconds: float
    tokens: int
    error: str = ""
    message: str = ""
    remedy: str = ""


class Night(Shape):
    """A night. `report` is the file of its report; times are in ISO 8601, UTC."""

    id: str
    began_at: str
    ended_at: str
    report: str
    stages: list[NightStage]


class NightSchedule(Shape):
    """What begins the night by itself. `files` are their texts by path, `line` is one of the crontab."""

    kind: str
    name: str
    files: dict[str, str] = {}
    line: str = ""
    commands: list[str] = []
    written: bool = False
