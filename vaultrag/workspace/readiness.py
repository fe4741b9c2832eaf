"""How an open vault stands: what could answer right now, and what fails in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from vaultrag.domain import Attention, Role
from vaultrag.errors import StoreError, VaultragError
from vaultrag.runtime.pool import LoadedModel, ModelPool
from vaultrag.store import embeddings
from vaultrag.store.attention import read_attention
from vaultrag.store.database import Database


class ModelState(StrEnum):
    ABSENT = "absent"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What could answer right now. `pending` counts texts without an embedding; `watching` is how the vault is.

    `residents` are the chat models that were asked so far, and `swap` who last left the memory for whom.
    """

    embedder: ModelState
    model: ModelState
    residents: tuple[LoadedModel, ...]
    swap: str
    pending: int
    watching: str
    attention: Attention | None


class Health:
    """What those who load models and follow the vault say of it, for everybody who asks."""

    def __init__(self, database: Database, models: ModelPool) -> None:
        self._database = database
        self._models = models
        self.watching = ""  # whoever follows the vault says how
        self._states = {Role.EMBED: ModelState.ABSENT, Role.ANSWER: ModelState.ABSENT}
        self._troubles: dict[str, Attention] = {}  # by what met them; a full disk takes no note of its own

    def readiness(self) -> Readiness:
        """Say what could answer right now. Costs one small query; a damaged index is something to attend to."""
        try:
            owed, attention = embeddings.owed_count(self._database), self.attention()
        except StoreError as error:
            owed, attention = 0, _as_attention(error)
        embedder, model = self._states[Role.EMBED], self._states[Role.ANSWER]
        residents, swap = self._models.loaded_models(), self._models.last_swap
        return Readiness(embedder, model, residents, swap, owed, self.watching, attention)

    def attention(self) -> Attention | None:
        """Return what keeps the index from following its vault; None while nothing does."""
        return read_attention(self._database) or next(iter(self._troubles.values()), None)

    def note_trouble(self, work: str, error: VaultragError) -> None:
        """Have everybody who asks told that some work in the background fails, until `end_trouble`."""
        self._troubles[work] = _as_attention(error)

    def trouble(self, work: str) -> Attention | None:
        """Return why some work in the background fails now; None while it does not."""
        return self._troubles.get(work)

    def end_trouble(self, work: str) -> None:
        self._troubles.pop(work, None)

    def load(self, role: Role, load: Callable[[], None]) -> None:
        """Load a model in the background; a fault shows when it is used."""
        self._states[role] = ModelState.LOADING

        def run() -> None:
            try:
                load()
                self._states[role] = ModelState.READY
            except VaultragError:
                self._states[role] = ModelState.FAILED

        threading.Thread(target=run, name=f"warm {role}", daemon=True).start()


def _as_attention(error: VaultragError) -> Attention:
    return Attention(error.kind, error.message, error.remedy)
