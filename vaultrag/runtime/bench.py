"""Measures a plan and its neighbours on this machine: each loaded for seconds, idle and beside one busy core."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaultrag.errors import DoesNotFit, ModelError
from vaultrag.runtime.hardware.machine import ALL
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.offload.choose import AS_PLANNED
from vaultrag.runtime.run_settings import Running
from vaultrag.runtime.tuning import Failed, Neighbours, Result, Trial, better

TIMEOUT_SECONDS = 600.0  # a model of 200 GB takes minutes to load


def measure_neighbours(
    name: str, path: Path, start: Trial, varied: tuple[Neighbours, ...]
) -> Iterator[Result | Failed]:
    """Yield what was measured, the plan first. Raises ModelError where not even the plan can be loaded.

    What is better than all before it is where the next thing is varied. In the end the plan and what beat it are
    measured once more: a moment's load on the machine must not decide.
    """
    best = measure(name, path, start)
    yield best
    for neighbours in varied:
        for trial in list(neighbours(best.trial)):
            result = _tried(name, path, trial)
            yield result
            if isinstance(result, Result):
                best = better(best, result)
    if best.trial != start:
        yield _tried(name, path, start)
        yield _tried(name, path, best.trial)


def _tried(name: str, path: Path, trial: Trial) -> Result | Failed:
    try:
        return measure(name, path, trial)
    except ModelError as error:
        return Failed(trial, error.message)


def measure(name: str, path: Path, trial: Trial) -> Result:
    """Load a model this way and measure it. Raises ModelError."""
    model = ChildModel(
        name,
        path,
        context=trial.placement.context,
        threads=max(trial.placement.threads, trial.placement.threads_batch),
        gpu_layers=ALL,
        spin_count=trial.spin_count,
        timeout=TIMEOUT_SECONDS,
        running=Running(placement=trial.placement, lookup=False),
    )
    try:
        if model.load().gpu_reason != AS_PLANNED:
            raise DoesNotFit("It has no room beside what else runs.", "Close other programs, and measure again.")
        idle = model.measure()
        with one_busy_core():
            return Result(trial, idle, model.measure())
    finally:
        model.close()


@contextmanager
def one_busy_core() -> Iterator[None]:
    """Keep one core busy, as another program would."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()
