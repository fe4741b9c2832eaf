"""The nouns of VaultRAG: frozen values that every layer shares, and the protocols with two real implementations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"
"""Embeddings, shape (n, dimension), rows of unit length."""

CountTokens: TypeAlias = Callable[[str], int]
"""Number of embedder tokens in a text, special tokens not counted."""


class ChangeKind(StrEnum):
    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the disk and the catalogue. `old_path` is set for moves only."""

    path: str
    kind: ChangeKind
    old_path: str | None = None


@dataclass(frozen=True, slots=True)
class FileStat:
    """A file of the vault as it lies on disk.

    `path` is the key (vault-relative, `/`, NFC); `fs_path` the same place as the file system spells it.
    """

    path: str
    fs_path: str
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a note: lines and columns from 1, columns in code points, both ends inclusive.

    A line ends at `\\n`, `\\r\\n` or `\\r` only.
    """

    first_line: int
    first_column: int
    last_line: int
    last_column: int


class LinkKind(StrEnum):
    WIKILINK = "wikilink"
    EMBED = "embed"
    MARKDOWN = "markdown"
    PROPERTY = "property"
    CANVAS = "canvas"
    ALIAS = "alias"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as written. `target` is the path part before the first `#` (empty: the note itself).

    `line` and `column` count from 1; a link in a canvas or in the properties has column 1.
    """

    target: str
    kind: LinkKind
    anchor: str
    text: str
    line: int
    column: int = 1


class BlockKind(StrEnum):
    PARAGRAPH = "paragraph"
    LIST = "list"
    CODE = "code"
    TABLE = "table"
    QUOTE = "quote"
    CALLOUT = "callout"
    HEADING = "heading"
    COMMENT = "comment"
    HTML = "html"
    MATH = "math"
    FOOTNOTE = "footnote"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of source text under one heading path, cut at block boundaries.

    `start` and `end` are code-point offsets into the note's text, `end` exclusive.
    `level` is that of a heading, `callout` the type of a callout in lower case. `context` are words that stand
    elsewhere and are embedded with the block, as the label of a canvas edge.
    """

    kind: BlockKind
    start: int
    end: int
    heading_path: tuple[str, ...]
    block_id: str = ""
    turn: int | None = None
    level: int = 0
    callout: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of an imported chat. `start` and `end` are code-point offsets, `end` exclusive."""

    speaker: str
    model: str
    time: str
    uid: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Task:
    """A list item with a box. `status` is the sign in it, a space for an open task; `line` counts from 1.

    `dates` are pairs of created, start, scheduled, due, done or cancelled with `YYYY-MM-DD`.
    """

    status: str
    text: str
    line: int
    dates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InlineField:
    """A Dataview field in the text, `key:: value`; the value is typed as a property's is. `line` counts from 1."""

    key: str
    value: str | int | float | bool | None
    line: int


@dataclass(frozen=True, slots=True)
class Note:
    """What a file of the vault says, parsed.

    `properties` are the frontmatter's own, typed by YAML 1.2; fields in the text stand apart in `fields`.
    """

    path: str
    title: str
    text: str
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    turns: tuple[Turn, ...] = ()
    tasks: tuple[Task, ...] = ()
    fields: tuple[InlineField, ...] = ()
    date: str = ""
    date_source: str = ""
    content_hash: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage-sized part of a note. `text` is exactly the note's text at `span`.

    `embedded` is what the embedder and the keyword index read: heading path and cleaned text, never the file name.
    """

    id: str
    path: str
    heading_path: tuple[str, ...]
    span: Span
    block_id: str
    speaker: str
    text: str
    embedded: str
    language: str
    text_hash: str
    features: tuple[str, ...] = ()


class FilterKind(StrEnum):
    TAG = "tag"
    PATH = "path"
    PROPERTY = "property"
    HAS = "has"
    DATE = "date"
    SPEAKER = "speaker"


class Feature(StrEnum):
    """What a passage can hold, for the filter `has:`."""

    TASK = "task"
    LINK = "link"
    CODE = "code"
    TABLE = "table"
    IMAGE = "image"
    FOOTNOTE = "footnote"


FILTER_LANE = "filter"
"""The lane of a query without words: nothing to rank by but the date."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on passages. PROPERTY has a name; its value None asks only whether the property is there.

    DATE holds the first day and the day after the last one (`YYYY-MM-DD`), each empty where the range is open.
    """

    kind: FilterKind
    value: str | None = None
    name: str = ""
    first_day: str = ""
    end_day: str = ""
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class LaneShare:
    """What one lane gave a passage: its rank there (from 1), its raw score, and the share of the fused score."""

    lane: str
    rank: int
    score: float
    share: float
    via: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, with the reason."""

    chunk: Chunk
    title: str
    score: float
    trace: tuple[LaneShare, ...]
    similarity: float | None = None


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


@dataclass(frozen=True, slots=True)
class Citation:
    """A place that a sentence of an answer stands on.

    `quote` stands in the note verbatim at `span`; `verified` says how that was established:
    `verbatim` (the sentence repeats it), `lexical` (its words, names and numbers), `semantic` (near in meaning).
    """

    number: int
    path: str
    heading_path: tuple[str, ...]
    block_id: str
    span: Span
    quote: str
    verified: str
    score: float


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


class AnswerStatus(StrEnum):
    ANSWERED = "answered"
    PARTLY = "partly"
    NOT_IN_VAULT = "not_in_vault"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose citations were checked against the notes' own lines. `saved` is the id it was saved under."""

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


@dataclass(frozen=True, slots=True)
class Keep:
    """Whether an answer is saved. One of a chat always is: `chat` names the conversation."""

    saved: bool = False
    chat: str = ""


NOT_KEPT = Keep()


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


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken invariant, for `check` and `doctor`. `severity` is `error`, `warning` or `info`."""

    invariant: str
    severity: str
    detail: str
    remedy: str


class Role(StrEnum):
    """What a model is for. Each of `[roles]` and of a combination names one."""

    ANSWER = "answer"
    PLAN = "plan"
    EXTRACT = "extract"
    JUDGE = "judge"
    FINAL = "final"
    DRAFT = "draft"
    EMBED = "embed"
    RERANK = "rerank"


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair did, in sentences, and what is still not as it should be. `kept`: where damaged files lie."""

    done: tuple[str, ...]
    left: tuple[Finding, ...]
    kept: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Message:
    """A chat message. `content` is data: no control token can come from it."""

    role: str
    content: str


class Priority(StrEnum):
    """Who waits for a model: a person, for whom the night's work stops at its next token and goes on afterwards."""

    PERSON = "person"
    NIGHT = "night"


class Purity(StrEnum):
    """Which scripts a model may write. NO_CJK lets no Chinese, Japanese or Korean character out."""

    ANY = "any"
    NO_CJK = "no_cjk"


THINK_FREELY = -1


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. Temperature 0 is greedy.

    `max_tokens` bounds the answer. `thinking_tokens` bounds the thought before it: 0 closes thinking, THINK_FREELY
    leaves it as much as the context has room for. `schema` is a JSON schema, as text, that the answer must follow.
    """

    max_tokens: int = 700
    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    repeat_penalty: float = 1.05
    seed: int = 0
    stop: tuple[str, ...] = ()
    thinking_tokens: int = 0
    purity: Purity = Purity.ANY
    schema: str = ""
    priority: Priority = Priority.PERSON


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what the model thinks before it answers; no part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished generation. `finish` is `stop`, `length` or `aborted`.

    `completion_tokens` counts the answer, `thought_tokens` the thought. `drafted_tokens` were guessed ahead of the
    model, `accepted_tokens` of them rightly. `waited_seconds` passed before the model was free.
    """

    text: str
    finish: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prefill_seconds: float
    decode_seconds: float
    thought: str = ""
    thought_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    waited_seconds: float = 0.0


Piece: TypeAlias = str | Thought | Generation
"""What a model yields: text of the answer (empty while it reads the prompt), thought, and once the finished whole."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How likely a model finds each option as its answer: natural logarithms, summed over the option's tokens.

    Not `calibrated` where they were guessed from a sample, because a server gives no probabilities.
    """

    options: tuple[str, ...]
    logprobs: tuple[float, ...]
    calibrated: bool
    prompt_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0

    @property
    def best(self) -> str:
        """The likeliest option; the first of equals."""
        return self.options[max(range(len(self.options)), key=lambda index: self.logprobs[index])]

    @property
    def shares(self) -> tuple[float, ...]:
        """The options' probabilities among themselves; they sum to 1."""
        top = max(self.logprobs)
        weights = [math.exp(logprob - top) for logprob in self.logprobs]
        return tuple(weight / sum(weights) for weight in weights)


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """First event of an answer: what the model will read."""

    passages: tuple[Passage, ...]
    left_out: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of the model's draft, as it is generated."""

    text: str


@dataclass(frozen=True, slots=True)
class SentenceFound:
    """A finished sentence of the draft with what it stands on."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """Last event: the authoritative answer; clients replace the draft by it."""

    answer: Answer


AnswerEvent: TypeAlias = PassagesFound | TextPiece | SentenceFound | AnswerReady


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an index run did. `failed` names notes that could not be read, with the reason."""

    notes: int
    added: int
    modified: int
    moved: int
    removed: int
    chunks: int
    embedded: int
    seconds: float
    failed: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attention:
    """What keeps an index from following its vault until somebody decides: a word for programs, and for people."""

    kind: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Succession:
    """How far an embedder is that takes over from the one whose vectors answer: texts done, of all."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How the index stands. `pending` counts texts that still wait for their embedding."""

    vault: str
    home: str
    notes: int
    chunks: int
    links: int
    unresolved: int
    embeddings: int
    pending: int
    problems: int
    last_indexed: str
    bytes: int
    succession: Succession | None = None
    attention: Attention | None = None


Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a phase's name, how much is done, and how much there is."""


class Embedder(Protocol):
    """Texts to unit vectors. `fingerprint` changes whenever the vectors would."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...

    def embed_query(self, text: str) -> Vectors: ...


class ChatModel(Protocol):
    """A language model that continues a conversation."""

    @property
    def name(self) -> str: ...

    @property
    def context_length(self) -> int: ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        """Yield pieces of text and thought, then exactly one `Generation`. Closing the iterator aborts the model."""
        ...

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        """Say how likely each option is as the answer; thinking is closed first."""
        ...

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        """Score the same options after each conversation; what the conversations begin with is read once."""
        ...


class NearestNeighbours(Protocol):
    """Nearest embeddings by cosine."""

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k pairs (embedding key, cosine), best first."""
        ...

    def search_among(self, query: Vectors, keys: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs of these keys, best first; none of them is missed."""
        ...


def counted(count: int, noun: str) -> str:
    """Return a number and its regular English noun: `1 note`, `1,200 notes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
