"""How the index stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vaultrag.domain.jobs import NO_JOBS, JobCounts

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken invariant, for `check` and `doctor`."""

    invariant: str
    severity: Severity
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair did, in sentences, and what is still not as it should be. `kept`: where damaged files lie."""

    done: tuple[str, ...]
    left: tuple[Finding, ...]
    kept: str
    seconds: float


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
class LeftOut:
    """What of the vault is not read on purpose.

    `filtered` notes by the vault's own `userIgnoreFilters`, `ignored` ones by `vault.ignore`; `linked` folders, since
    links to folders are not entered.
    """

    filtered: int = 0
    ignored: int = 0
    linked: int = 0


@dataclass(frozen=True, slots=True)
class LongNote:
    """A note of hundreds of passages. `holds` says what most of them are: code, rows of tables, text."""

    path: str
    passages: int
    holds: str

    def __str__(self) -> str:
        return f"{self.path} ({self.passages:,} passages, mostly {self.holds})"


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How the index stands. `pending` counts texts that still wait for their embedding.

    `whole`: every note of the vault was read once. `unread` counts files that could not be read at the last look.
    """

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
    whole: bool = True
    unread: int = 0
    long_notes: tuple[LongNote, ...] = ()
    left_out: LeftOut = LeftOut()
    jobs: JobCounts = NO_JOBS
