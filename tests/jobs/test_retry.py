"""When a failed job is tried again: a table, no clock."""

from __future__ import annotations

import pytest

from vaultrag.errors import (
    ConfigError,
    DiskFull,
    DoesNotFit,
    GenerationFailed,
    IndexDamaged,
    IndexLocked,
    IndexMissing,
    IndexTooNew,
    ModelCrashed,
    ModelNotFound,
    RemoteFailed,
    StoreError,
    UsageError,
    VaultError,
    VaultragError,
)
from vaultrag.jobs.retry import RETRIES, RetryPolicy, backoff, is_retryable
from vaultrag.store.jobs.rows import LONGEST_DELAY

POLICY = RetryPolicy(attempts=6, first_seconds=10.0, factor=3.0, longest_seconds=100.0)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 10.0), (1, 10.0), (2, 30.0), (3, 90.0), (4, 100.0), (5, 100.0), (6, None), (99, None)]
)
def test_each_attempt_waits_longer_up_to_a_bound_and_the_last_is_the_last(attempts: int, seconds: float | None) -> None:
    assert backoff(POLICY, attempts) == seconds


def test_usual_policy_outlasts_a_restart_and_no_wait_is_longer_than_any_can_be() -> None:
    waits = [backoff(RETRIES, attempts) for attempts in range(1, RETRIES.attempts)]
    assert all(wait is not None and 1 < wait < LONGEST_DELAY for wait in waits)
    assert sum(wait or 0 for wait in waits) > 15 * 60
    assert backoff(RETRIES, 10**6) is None


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        (ModelCrashed, True),
        (GenerationFailed, True),
        (RemoteFailed, True),
        (IndexLocked, True),
        (IndexMissing, True),
        (DiskFull, True),
        (StoreError, True),
        (VaultError, True),
        (ModelNotFound, False),
        (DoesNotFit, False),
        (IndexDamaged, False),
        (IndexTooNew, False),
        (UsageError, False),
        (ConfigError, False),
        (VaultragError, False),
    ],
)
def test_only_what_may_mend_itself_is_tried_again(kind: type[VaultragError], again: bool) -> None:
    assert is_retryable(kind("It failed.", "Do something.")) is again
