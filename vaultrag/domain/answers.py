"""Answers, and the pieces in which they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from vaultrag.domain.claims import AsOf, FindingKind, Holder
from vaultrag.domain.notes import Span
from vaultrag.domain.search import Passage

Verification: TypeAlias = Literal["verbatim", "lexical", "semantic"]
"""How a place was found to carry a sentence: that repeats it, by words, names and numbers, or is near in meaning."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A place that a sentence of an answer stands on: `quote` stands in the note verbatim at `span`."""

    number: int
    path: str
    heading_path: tuple[str, ...]
    block_id: str
    span: Span
    quote: str
    verified: Verification
    score: float


class Level(StrEnum):
    """How sure an answer is. WEAK: the nearest is shown, and whether it says it is not certain."""

    BACKED = "backed"
    WEAK = "weak"
    NOT_IN_VAULT = "not_in_vault"


class Backing(StrEnum):
    """Whether the lines that a sentence cites say what it says, as a model reads them."""

    BACKED = "backed"
    PARTLY = "partly"
    NOT_BACKED = "not_backed"
    UNCHECKED = "unchecked"


class AnswerStyle(StrEnum):
    """Who speaks in an answer: the model, or the notes themselves."""

    PROSE = "prose"
    QUOTES = "quotes"


class SentenceState(StrEnum):
    CITED = "cited"
    UNCITED = "uncited"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer and the numbers of its citations."""

    number: int
    text: str
    state: SentenceState
    citations: tuple[int, ...]
    support: Backing = Backing.UNCHECKED


class AnswerStatus(StrEnum):
    ANSWERED = "answered"
    PARTLY = "partly"
    NOT_IN_VAULT = "not_in_vault"


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """What became of questions whose answer is known, asked at the same threshold: what a level is worth.

    Of `unanswerable` questions `refused` were; of `answerable` ones `cited` were answered from the known place.
    `of_this_vault` where they were made from this vault, and not from the sets that the model was calibrated on.
    """

    unanswerable: int
    refused: int
    answerable: int
    cited: int
    of_this_vault: bool


@dataclass(frozen=True, slots=True)
class Sureness:
    """How sure an answer is before it is written: the model's score that a passage answers, and where the line lies.

    Not `calibrated` where nothing is known of the model's scores: then nothing is called certain. Without a model
    there is no score.
    """

    level: Level
    calibrated: bool = False
    score: float | None = None
    threshold: float | None = None
    record: ProbeRecord | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """Places that disagree on something, by the numbers of their citations, and in what they do."""

    said: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FindingSide:
    """One of the two claims of a finding: its words, where they stand, whose they are, and of when."""

    path: str
    heading_path: tuple[str, ...]
    span: Span
    quote: str
    holder: Holder
    speaker: str
    as_of: AsOf | None


@dataclass(frozen=True, slots=True)
class AnswerFinding:
    """An open finding that touches what an answer cites, as a scan had found it before anybody asked.

    `key` names it for `vaultrag contradictions`; `citations` are the numbers of the citations in whose words a side of
    it stands.
    """

    key: str
    kind: FindingKind
    reason: str
    one: FindingSide
    other: FindingSide
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The answer to a question about the vault itself, by its catalogue: the notes, each at a line of its own.

    `query` holds the filters as a search takes them, `said` what was looked for in words, `counted` what was counted.
    Not `sure` where the question may have meant something else.
    """

    query: str
    said: str
    counted: str
    count: int
    citations: tuple[Citation, ...]
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose citations were checked against the notes' own lines. `saved` is the id it was saved under.

    `quotes` are the lines that most likely answer, best first, with numbers of their own. `missing` are the parts of
    the question that nothing answers, `stopped` is why the answer ended before its end, `trace` the id under which
    the steps to it can be read. `disputes` were seen among the passages of this question, `findings` by a scan before;
    none stands in both.
    """

    question: str
    status: AnswerStatus
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    model: str
    timings: Mapping[str, float]
    tokens: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    saved: str = ""
    level: Level | None = None
    style: AnswerStyle = AnswerStyle.PROSE
    quotes: tuple[Citation, ...] = ()
    sureness: Sureness | None = None
    disputes: tuple[Dispute, ...] = ()
    missing: tuple[str, ...] = ()
    listing: Listing | None = None
    stopped: str = ""
    trace: str = ""
    findings: tuple[AnswerFinding, ...] = ()


class Mode(StrEnum):
    """How an answer is come by. QUICK: one search, one draft. DEEP: as many as it takes, within a budget.

    AGREE asks two models and compares what they say; CASCADE asks a larger one where the checks of the first fail.
    """

    QUICK = "quick"
    DEEP = "deep"
    AGREE = "agree"
    CASCADE = "cascade"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question of a conversation, the text that answered it, and the notes that this text was taken from."""

    question: str
    answer: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a question is to be answered. `scope` holds filters of a search; no style leaves it to what was measured.

    `earlier` is what was said before, the first exchange first, where the question may lean on it; None leaves that to
    the chat that it is kept in. `own` is what is asked in the user's own words, where others stand in it, too.
    """

    scope: str = ""
    style: AnswerStyle | None = None
    mode: Mode = Mode.QUICK
    earlier: tuple[Exchange, ...] | None = None
    own: str = ""


USUAL = Manner()


@dataclass(frozen=True, slots=True)
class Keep:
    """Whether an answer is saved. One of a chat always is: `chat` names the conversation."""

    saved: bool = False
    chat: str = ""


NOT_KEPT = Keep()


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """How much of the model is in memory, while an answer waits for it."""

    share: float


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """What the model will read: the first event of an answer, unless the model has to be loaded."""

    passages: tuple[Passage, ...]
    left_out: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuotesFound:
    """The lines that most likely answer, best first: at once without a model, again when one has judged them."""

    quotes: tuple[Citation, ...]
    sureness: Sureness | None = None


@dataclass(frozen=True, slots=True)
class ListingFound:
    """What the catalogue says to a question about the vault itself."""

    listing: Listing


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step of a longer way to an answer, as a person follows it."""

    step: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of the model's draft, as it is generated."""

    text: str


@dataclass(frozen=True, slots=True)
class SentenceFound:
    """A finished sentence of the draft with what it stands on; it comes again when its support has been judged."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """Last event: the authoritative answer; clients replace the draft by it."""

    answer: Answer


AnswerEvent: TypeAlias = (
    ModelLoading | PassagesFound | QuotesFound | ListingFound | StepTaken | TextPiece | SentenceFound | AnswerReady
)
