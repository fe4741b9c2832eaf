"""What cannot be rebuilt, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten of a note, or of a folder, whose path ends with `/`.

    What stays elsewhere: `links` of other notes that name it, and the `remaining` files in the vault itself.
    """

    path: str
    notes: int
    passages: int
    answers: int
    verdicts: int
    links: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written into an exported file."""

    file: str
    answers: int
    verdicts: int
    exclusions: int
    settings: bool
    bytes: int


class SettingsFate(StrEnum):
    """What becomes of the settings in an exported file.

    KEPT: those of the home differ and stay. UNFIT: this version does not understand them.
    """

    ABSENT = "absent"
    TAKEN = "taken"
    SAME = "same"
    KEPT = "kept"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do, in records. `refused` are about forgotten notes; `known` stood here already.

    `exclusions` of those added or replaced take effect with the next index run.
    """

    added: int
    replaced: int
    deleted: int
    known: int
    refused: int
    exclusions: int
    settings: SettingsFate


class VerdictState(StrEnum):
    DISMISSED = "dismissed"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the user decided about something that was found in the notes.

    `key` names it and outlives re-indexing; `paths` are the notes that it is about, which it follows when they move;
    `until` is the day (`YYYY-MM-DD`) on which something snoozed comes back.
    """

    key: str
    state: VerdictState
    paths: tuple[str, ...]
    note: str = ""
    until: str = ""
