"""The watcher misses no note of a burst and keeps no ghost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bursts import Bursts, Lack, Scale

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.mark.parametrize(
    "scale",
    [
        pytest.param(Scale(files=200, folders=20, moved=40), id="small"),
        pytest.param(Scale(files=20_000, folders=200, moved=5_000), id="full", marks=pytest.mark.long),
    ],
)
def test_bursts_leave_neither_missed_notes_nor_ghosts(tmp_path: Path, scale: Scale) -> None:
    outcomes = list(Bursts(tmp_path, scale).run())
    assert len(outcomes) == 5
    for outcome in outcomes:
        assert outcome.reconciled == Lack(missed=0, ghosts=0), outcome
        assert outcome.watching.missed == 0, outcome
