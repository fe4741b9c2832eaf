"""When a job that failed is tried again: one policy, and what it says of each attempt."""

from __future__ import annotations

from dataclasses import dataclass

from vaultrag.errors import (
    DoesNotFit,
    IndexDamaged,
    IndexTooNew,
    ModelError,
    ModelNotFound,
    StoreError,
    VaultError,
    VaultragError,
)

FOR_GOOD = (ModelNotFound, DoesNotFit, IndexTooNew, IndexDamaged)  # waiting mends none of these


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently. An attempt that got on counts as the first again.

    `deaths` bounds how often its process may end under a job that never gets on: kills in a row are rare, a job that
    takes its process with it is not.
    """

    attempts: int = 5
    first_seconds: float = 15.0  # a model's process starts again in less
    factor: float = 4.0
    longest_seconds: float = 3600.0  # a server or a disk that was away for the evening is met again within the hour
    deaths: int = 12


RETRIES = RetryPolicy()


def backoff(policy: RetryPolicy, attempts: int) -> float | None:
    """Return the seconds until the next attempt after so many that failed; None where there is none.

    One process works at the jobs of an index, so nothing has to be spread by chance.
    """
    if attempts >= policy.attempts:
        return None
    return min(policy.longest_seconds, policy.first_seconds * policy.factor ** max(0, attempts - 1))


def is_retryable(error: VaultragError) -> bool:
    """Tell whether another attempt may end otherwise, though nobody does anything about it."""
    return isinstance(error, ModelError | StoreError | VaultError) and not isinstance(error, FOR_GOOD)
