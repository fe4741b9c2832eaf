"""What cannot be rebuilt, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vaultrag.domain.answers import Answer


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten of a note, or of a folder, whose path ends with `/`.

    What stays elsewhere: `links` of other notes that name it, the `remaining` files in the vault itself, and `reports`
    of nights and analyses outside the home, by their files. `nights` and `analyses` of the home go with it.
    """

    path: str
    notes: int
    passages: int
    answers: int
    verdicts: int
    links: int
    remaining: int
    jobs: int = 0
    nights: int = 0
    reports: tuple[str, ...] = ()
    analyses: int = 0


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written into an exported file."""

    file: str
    answers: int
    verdicts: int
    exclusions: int
    settings: bool
    bytes: int
    jobs: int = 0


class SettingsFate(StrEnum):
    """What becomes of the settings in an exported file.

    KEPT: those of the home differ and stay. UNFIT: this version does not understand them. HELD: they would make notes
    leave the machine, and nobody has agreed to that.
    """

    ABSENT = "absent"
    TAKEN = "taken"
    SAME = "same"
    KEPT = "kept"
    UNFIT = "unfit"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do, in records. `refused` are about forgotten notes; `known` stood here already.

    `exclusions` of those added or replaced take effect with the next index run. `sends_to` is the server that settings
    which would be taken over name, `sending` those of them by which notes go there.
    """

    added: int
    replaced: int
    deleted: int
    known: int
    refused: int
    exclusions: int
    settings: SettingsFate
    sends_to: str = ""
    sending: tuple[str, ...] = ()


class VerdictState(StrEnum):
    """What was decided. ACCEPTED: it is as was found. RESOLVED: one side is right, or both were put right."""

    DISMISSED = "dismissed"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the user decided about something that was found in the notes.

    `key` names it and outlives re-indexing; `paths` are the notes that it is about, which it follows when they move;
    `until` is the day (`YYYY-MM-DD`) on which something snoozed comes back. `right` is the key of the claim that is
    right of two, empty where that was not said; `note` says since when, or why, in the user's words.
    """

    key: str
    state: VerdictState
    paths: tuple[str, ...]
    note: str = ""
    until: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """An answer that is kept, without its passages. `paths` are all notes that the model was given.

    `saved_at` is in ISO 8601, UTC; `chat` is empty outside of one.
    """

    id: str
    saved_at: str
    chat: str
    answer: Answer
    paths: tuple[str, ...]


class QuoteState(StrEnum):
    """What became of a quote in its note. MOVED: it stands in other lines. GONE: the note is not there."""

    STANDS = "stands"
    MOVED = "moved"
    CHANGED = "changed"
    GONE = "gone"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class SourceState:
    """How the citation with this number stands now, and in which lines, the first and the last one.

    Of a CHANGED one they are those that come nearest to it, and `now` is what they say; none where nothing does. Of a
    MOVED one `under` is the heading that it stands under now, empty where it stands under none. Of either, `within` is
    the sentence that it is only a part of.
    """

    number: int
    state: QuoteState
    lines: tuple[int, int] | None = None
    now: str = ""
    under: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """A saved answer with the state of each of its citations."""

    saved: SavedAnswer
    sources: tuple[SourceState, ...]


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation: how many answers it has, and when the first and the last one were saved."""

    name: str
    turns: int
    first_at: str
    last_at: str


@dataclass(frozen=True, slots=True)
class TraceStep:
    """A step of a trace. `at` is in ISO 8601, UTC."""

    at: str
    step: str
    detail: str


@dataclass(frozen=True, slots=True)
class Trace:
    """How a longer answer was come by, step by step, as far as it came.

    Not `ended` where the answer was killed, or is still being worked at: the last step says where it is.
    """

    id: str
    at: str
    mode: str
    question: str
    steps: tuple[TraceStep, ...]
    ended: bool
