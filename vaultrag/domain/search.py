"""What a search asks for and finds."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vaultrag.domain.notes import Chunk
from vaultrag.domain.shared import Vectors


class FilterKind(StrEnum):
    TAG = "tag"
    PATH = "path"
    PROPERTY = "property"
    HAS = "has"
    DATE = "date"
    SPEAKER = "speaker"
    TITLE = "title"
    LINK = "link"
    SAYS = "says"
    TASK = "task"
    TASK_DAY = "task day"
    ANY = "any"


class TaskState(StrEnum):
    """What the sign in a task's box says of it."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


TASK_SIGNS: Mapping[TaskState, str] = {TaskState.DONE: "xX", TaskState.CANCELLED: "-"}
"""The signs that end a task; with any other it is open, as for the plugin Tasks."""
TASK_DAYS = ("due", "done", "scheduled", "start", "created", "cancelled")


class Feature(StrEnum):
    """What a passage can hold, for the filter `has:`."""

    TASK = "task"
    LINK = "link"
    CODE = "code"
    TABLE = "table"
    IMAGE = "image"
    FOOTNOTE = "footnote"
    PROPERTY = "property"


FILTER_LANE = "filter"
"""The lane of a query without words: nothing to rank by but the date."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on passages. PROPERTY has a name; its value None asks only whether the property is there.

    `compare` is how a property lies to the value: `<`, `<=`, `>`, `>=`, `..` for a range, empty for equal. DATE holds
    the first day and the day after the last one (`YYYY-MM-DD`), each empty where the range is open; so does TASK_DAY,
    whose name is one of `TASK_DAYS`. ANY is met by one of `any_of`. TITLE, LINK and SAYS hold words: of a note's names,
    of the note that is linked to, and of what a passage or its note's name says, in any form.
    """

    kind: FilterKind
    value: str | None = None
    name: str = ""
    first_day: str = ""
    end_day: str = ""
    excluded: bool = False
    compare: str = ""
    any_of: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneShare:
    """What one lane gave a passage: its rank there (from 1), its raw score, and the share of the fused score.

    `via` are the words by which it was found (a name, a link's text); `origin` is the note that led here, by a link,
    an embed or a footnote.
    """

    lane: str
    rank: int
    score: float
    share: float
    via: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class OtherPlace:
    """Another passage of the vault that says the same words."""

    chunk: Chunk
    title: str


@dataclass(frozen=True, slots=True)
class LinkingLine:
    """A line that links to a note, as a reader sees it: `path` and `title` are those of the note it stands in."""

    path: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, with the reason. `also` are other places of the same words, best first.

    `linked` are the lines of other notes found that link to its note, whether they are in a passage found or not.
    """

    chunk: Chunk
    title: str
    score: float
    trace: tuple[LaneShare, ...]
    similarity: float | None = None
    also: tuple[OtherPlace, ...] = ()
    linked: tuple[LinkingLine, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found. `warnings` are sentences for the user, as "vectors are incomplete".

    `coverage` is the share of the question's words, weighed by how rare they are, that the best passage holds.
    """

    query: str
    passages: tuple[Passage, ...]
    lanes: tuple[str, ...]
    warnings: tuple[str, ...]
    timings: Mapping[str, float]
    coverage: float = 0.0


class NearestNeighbours(Protocol):
    """Nearest embeddings by cosine."""

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k pairs (embedding key, cosine), best first."""
        ...

    def search_among(self, query: Vectors, keys: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs of these keys, best first; none of them is missed."""
        ...

    def search_written_in(self, query: Vectors, languages: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs whose texts are in these languages, best first; none of them is missed."""
        ...
