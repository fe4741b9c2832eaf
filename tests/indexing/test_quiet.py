"""A vault that is being synced is waited for, and not for ever. Time is the test's own."""

from __future__ import annotations

from collections.abc import Iterator

from vaultrag.indexing.quiet import settles


def clock(step: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step


def test_vault_that_stands_still_is_quiet() -> None:
    times = clock(1.0)
    assert settles(lambda: "same", 0.01, 100.0, lambda: False, lambda: next(times))


def test_vault_that_is_synced_is_waited_for() -> None:
    states, times = iter(["a", "b", "c", *["d"] * 50]), clock(0.01)
    seen: list[str] = []

    def look() -> str:
        seen.append(next(states))
        return seen[-1]

    assert settles(look, 0.02, 100.0, lambda: False, lambda: next(times))
    assert seen[-1] == "d"
    assert len(seen) > 4


def test_vault_that_never_stands_still_is_not_quiet() -> None:
    states, times = clock(1.0), clock(0.01)
    assert not settles(lambda: next(states), 0.02, 0.5, lambda: False, lambda: next(times))


def test_waiting_ends_when_it_is_told_to() -> None:
    assert not settles(lambda: "same", 1.0, 100.0, lambda: True)
