"""How index and server stand, and what was done to them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from vaultrag import domain, errors
from vaultrag.wire.shapes import Shape


class Progress(Shape):
    phase: str
    done: int
    total: int


class Finding(Shape):
    invariant: str
    severity: str
    detail: str
    remedy: str


class Findings(Shape):
    findings: list[Finding]

    @classmethod
    def values_of(cls, noun: Iterable[domain.Finding]) -> dict[str, object]:
        return {"findings": list(noun)}


class RepairReport(Shape):
    done: list[str]
    left: list[Finding]
    kept: str
    seconds: float


class IndexReport(Shape):
    notes: int
    added: int
    modified: int
    moved: int
    removed: int
    chunks: int
    embedded: int
    seconds: float
    failed: list[Finding] = []
    warnings: list[str] = []


class Forgotten(Shape):
    """What went with a note or folder (`path` ends with `/`), and what stays: links elsewhere, files in the vault.

    `reports` are the files of nights' reports and analyses outside the home that speak of it: they stay, too.
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
    reports: list[str] = []
    analyses: int = 0


class Included(Shape):
    """What is no longer excluded."""

    path: str


class Server(Shape):
    """A running server, as `status` shows it."""

    pid: int
    url: str
    version: str
    embedder: str
    model: str
    residents: list[LoadedModel] = []
    swap: str = ""
    watching: str = Field(
        "", description="How it follows the vault: `events`, `polling`, or not; `unknown` while it is busy."
    )


class Attention(Shape):
    """What keeps the index from following the vault until somebody decides."""

    kind: str
    message: str
    remedy: str


class Succession(Shape):
    """How far an embedder is that takes over from the one whose vectors answer: texts done, of all."""

    done: int
    total: int


class LeftOut(Shape):
    """What of the vault is not read on purpose."""

    filtered: int = Field(description="Notes that the vault's own userIgnoreFilters leave out.")
    ignored: int = Field(description="Notes that vault.ignore of the settings leaves out.")
    linked: int = Field(description="Links to folders: only real folders are read.")


class LongNote(Shape):
    """A note of hundreds of passages."""

    path: str
    passages: int
    holds: str = Field(description="What most of its passages are: code, rows of tables, text.")


class JobCounts(Shape):
    """How many jobs are still to be done, and how many were put aside: failed, or out of budget."""

    to_do: int = 0
    put_aside: int = 0


class IndexStatus(Shape):
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
    attention: Attention | None = None
    server: Server | None = None
    succession: Succession | None = None
    whole: bool = Field(True, description="Whether every note of the vault was read once: before, notes are missing.")
    unread: int = Field(0, description="Files that could not be read at the last look.")
    left_out: LeftOut | None = None
    jobs: JobCounts | None = None
    long_notes: list[LongNote] = Field([], description="The longest notes of hundreds of passages; `check` names all.")


class LoadedModel(Shape):
    """A chat model that was asked so far. `share` of it is in memory, where llama.cpp set `bytes` aside."""

    name: str
    roles: list[str]
    share: float
    bytes: int
    reason: str = Field(description="Why it lies where it does.")
    warning: str
    stays: bool = Field(description="By the plan of all models; one that does not leaves when another is asked.")


class Readiness(Shape):
    """`loading`, `ready`, `absent` or `failed`, for each model."""

    embedder: str
    model: str
    residents: list[LoadedModel] = []
    swap: str = Field("", description="Who last left the memory for whom.")


class Health(Shape):
    """What anyone on this machine may know: neither paths nor text."""

    status: str
    version: str
    instance: str
    pid: int
    readiness: Readiness
    pending: int
    indexing: bool
    watching: str = ""
    attention: str = Field("", description="`deletions_held`, `vault_missing` or an error's name: see /status.")


class Proof(Shape):
    """What a server says to a nonce: HMAC-SHA-256 over `vaultrag proof 1`, the nonce and the port, a line each."""

    proofs: list[str] = Field(description="Hexadecimal, one by each token that opens the server.")


class Stopping(Shape):
    stopping: bool = True


class Fault(Shape):
    """An error: its class in `vaultrag.errors`, one sentence, and what to do."""

    error: str
    message: str
    remedy: str

    @classmethod
    def values_of(cls, noun: errors.VaultragError) -> dict[str, object]:
        return {**super().values_of(noun), "error": noun.kind}

    def exception(self) -> errors.VaultragError:
        """Return the error that this was made from, with its exit code."""
        kind = getattr(errors, self.error, None)
        if not (isinstance(kind, type) and issubclass(kind, errors.VaultragError)):
            kind = errors.ServerError
        return kind(self.message, self.remedy)


class FollowedSet(Shape):
    """One change set that `vaultrag watch` followed; with a `reason` it was the whole vault."""

    places: int
    reason: str
    added: int
    modified: int
    moved: int
    removed: int
    relinked: int
    seconds: float
    failed: list[Finding]
    attention: Attention | None = None
    error: Fault | None = None
