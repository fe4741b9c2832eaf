"""A load is never silent while it gets on, and silent as soon as it stands still."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.gguf_files import write_tiny_model
from vaultrag.domain import Generation, Message, Sampling
from vaultrag.runtime.llama.load_progress import LOOKED_SECONDS, RESIDENT_UNIT, Report, watched
from vaultrag.runtime.llm import ChildModel

MEBIBYTE = 1 << 20
resource = pytest.importorskip("resource")


def test_shares_are_told_and_then_what_was_loaded() -> None:
    seen = threading.Event()

    def load(report: Report) -> str:
        report(0.5)
        assert seen.wait(60)
        report(1.0)
        return "модель"

    loading = watched(load, MEBIBYTE)
    assert next(loading) == 0.5
    seen.set()
    told: list[str] = []
    assert all(share <= 1.0 for share in _kept(loading, told))
    assert told == ["модель"]


def _kept(loading: Generator[float, None, str], told: list[str]) -> Iterator[float]:
    told.append((yield from loading))


def _peak() -> int:
    """Return the most bytes that this process has held."""
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * RESIDENT_UNIT


def test_memory_that_fills_is_a_sign_of_life_without_a_word_of_progress() -> None:
    go_on, ended = threading.Semaphore(0), threading.Event()

    def load(_report: Report) -> int:
        filled, step = _peak(), 16 * MEBIBYTE  # what was held before and given back is no sign
        memory = np.empty(filled + 8 * step, np.uint8)
        memory[:filled] = 1
        while not ended.is_set():
            assert go_on.acquire(timeout=60)
            memory[filled : filled + step] = 1
            filled += step
        return filled

    loading = watched(load, MEBIBYTE)
    for _ in range(3):
        go_on.release()
        assert next(loading) < 1.0
    ended.set()
    go_on.release()
    assert all(share < 1.0 for share in loading)


def test_a_load_that_stands_still_gives_no_sign() -> None:
    released = threading.Event()
    shares: list[float] = []

    def load(_report: Report) -> None:
        released.wait(60)

    loading = watched(load, MEBIBYTE)
    watcher = threading.Thread(target=lambda: shares.extend(loading))
    watcher.start()
    watcher.join(8 * LOOKED_SECONDS)
    assert len(shares) <= 2  # the first look, and what starting the thread touched
    released.set()
    watcher.join(60)
    assert not watcher.is_alive()


def test_what_goes_wrong_is_raised_to_whoever_watches() -> None:
    def load(_report: Report) -> None:
        raise ValueError("повреждён")

    with pytest.raises(ValueError, match="повреждён"):
        list(watched(load, MEBIBYTE))


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ChildModel]:
    path = write_tiny_model(tmp_path / "model.gguf", context=2048)
    made = ChildModel("tiny", path, context=512, threads=1, gpu_layers=0, spin_count=0, timeout=60.0)
    yield made
    made.close()


def test_who_leaves_while_a_model_loads_does_not_stop_the_load(model: ChildModel) -> None:
    loading = model.loading()
    assert 0.0 <= next(loading) <= 1.0
    loading.close()
    *_, last = model.generate([Message("user", "Где ключи?")], Sampling(max_tokens=2))
    assert isinstance(last, Generation)
    assert model.loaded is not None
    assert model.loading_share is None
    with contextlib.closing(model.loading()) as again:
        assert list(again) == []
