"""What the notes state, who holds it and as of when, and what becomes of two statements side by side."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vaultrag.domain.notes import Span


class Holder(StrEnum):
    """Whose statement it is: the user's, an assistant's in an imported chat, or that of somebody who is quoted."""

    USER = "user"
    ASSISTANT = "assistant"
    QUOTED = "quoted"


class Stance(StrEnum):
    """How a statement is held. REPORTED: its holder passes on what somebody else says."""

    ASSERTED = "asserted"
    REPORTED = "reported"
    ASKED = "asked"
    HYPOTHETICAL = "hypothetical"
    PLANNED = "planned"


class ClaimContext(StrEnum):
    """In what form a statement stands in its note."""

    PROSE = "prose"
    LIST = "list"
    CELL = "cell"
    PROPERTY = "property"
    FIELD = "field"
    TASK = "task"


class StatedKind(StrEnum):
    """What a stated value is. MEASURE: of length, weight, volume, data and the like; NUMBER: of things, or of nothing.

    POLARITY says yes or no to what is said; TEXT are words that are none of the others, as "MIT" or "magnesium".
    """

    NUMBER = "number"
    MONEY = "money"
    MEASURE = "measure"
    SHARE = "share"
    DURATION = "duration"
    DATE = "date"
    TIME = "time"
    NAME = "name"
    POLARITY = "polarity"
    TEXT = "text"


class Bound(StrEnum):
    """How a value limits: "about 60", "at most 2000" and «до 2027», "at least 25" and «с 2011»."""

    EXACT = "exact"
    ABOUT = "about"
    MOST = "most"
    LEAST = "least"


@dataclass(frozen=True, slots=True)
class StatedValue:
    """A value as a statement gives it, and as it is compared.

    `words` stand in the quote as a reader sees it. `magnitude` (with `until` of a stretch) is in `unit`: seconds
    (`s`) of a DURATION, minutes of the day of a TIME, an ISO 4217 code of MONEY, `%` of a SHARE, a base unit (`m`, `g`,
    `B`, `C`, …) of a MEASURE; of a NUMBER what it counts, as a stem, empty where it counts nothing. `text` is a DATE as
    far as it is said (`2015`, `2027-06`, `2025-03-18`, `--03-18`, `---15`, two with `/` between, `W2` for Tuesdays),
    `yes` or `no` of a POLARITY, and the folded words of a NAME or a TEXT. `label` are the words before it that may say
    what it is of: «рост» of "рост 181, вес 77"; `every` where it is the time between two. `is_time_frame` where it says
    when the statement holds.
    """

    kind: StatedKind
    words: str
    text: str = ""
    magnitude: float | None = None
    until: float | None = None
    unit: str = ""
    bound: Bound = Bound.EXACT
    label: str = ""
    is_time_frame: bool = False


class AsOfSource(StrEnum):
    """Where the time of a statement was read: in its own words, in its headings, or as the note's date."""

    TEXT = "text"
    HEADING = "heading"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class AsOf:
    """When a statement holds, or was made: from `first` to `last` (`YYYY-MM-DD`), both inclusive.

    An empty `first` is open («до 2024»), an empty `last` too («с 2023»). `year_known` is false where the year was
    taken from the note's date or a heading.
    """

    first: str
    last: str
    source: AsOfSource
    year_known: bool = True

    def meets(self, other: AsOf) -> bool:
        """Tell whether there is a day that both hold on."""
        begins, ends = max(self.first, other.first), min(self.last or "9999", other.last or "9999")
        return begins <= ends


class SubjectSource(StrEnum):
    """Where the subject of a statement is named.

    WORDS: in the statement itself. ROW: by the row of its table. EARLIER: in a sentence before, to which a pronoun
    leads back. HEADING, TITLE: only by what it stands under. HOLDER: it speaks of whoever wrote it.
    """

    WORDS = "words"
    ROW = "row"
    EARLIER = "earlier"
    HEADING = "heading"
    TITLE = "title"
    HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class Claim:
    """A checkable statement of a note, that can be read alone.

    `key` stays when the note is indexed anew or moved to another folder, and changes with the words, what they stand
    under, their holder or their date. `quote` stands in the note verbatim at `span`. `statement` is the quote with what
    it leaves out. `subject` is what it speaks of, as far as its own words or what it stands under name it, `attribute`
    what of it; both are in the words of the note, and either may be empty. `lead` is what introduces the list or heads
    the table that it stands in, `targets` the notes that it links to, as written. `speaker` is the model of an
    assistant, or the person who is quoted. Of a cell the quote is its row.
    """

    key: str
    chunk_id: str
    path: str
    title: str
    heading_path: tuple[str, ...]
    lead: str
    span: Span
    quote: str
    statement: str
    subject: str
    attribute: str
    values: tuple[StatedValue, ...]
    holder: Holder
    speaker: str
    stance: Stance
    as_of: AsOf | None
    language: str
    context: ClaimContext
    subject_from: SubjectSource = SubjectSource.WORDS
    targets: tuple[str, ...] = ()


class PairVerdict(StrEnum):
    """What two claims are to each other.

    SUPERSEDED: the later one says that it replaces the earlier. EVOLVED: a state that changed. EVENT_HISTORY: two
    events, both true. INSUFFICIENT: what is said does not settle it.
    """

    CONTRADICTION = "contradiction"
    SUPERSEDED = "superseded"
    EVOLVED = "evolved"
    EVENT_HISTORY = "event_history"
    DIFFERENT_SUBJECT = "different_subject"
    DIFFERENT_SCOPE = "different_scope"
    DIFFERENT_HOLDER = "different_holder"
    REPORTED_ONLY = "reported_only"
    INSUFFICIENT = "insufficient"
    CONSISTENT = "consistent"


class FindingKind(StrEnum):
    """What a finding is to the user; only a CONTRADICTION counts as one.

    SUPERSEDED: the later one says that it replaces the earlier. POSSIBLE: no value tells, a model alone speaks for it.
    ASSISTANTS: what an assistant said is one side of it, and the user's own words are neither.
    """

    CONTRADICTION = "contradiction"
    SUPERSEDED = "superseded"
    POSSIBLE = "possible"
    ASSISTANTS = "assistants"
