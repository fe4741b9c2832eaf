"""The real command line with deterministic models: `python -m tests.product index --vault DIR --home DIR`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.api.server import serve
from vaultrag.cli.main import main
from vaultrag.config import Config
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.endpoint import Endpoint

REPLY = "Картридж в бойлере поменяли весной. The restore was never tried."


def run(arguments: Sequence[str]) -> int:
    """Run one command as `vaultrag` would; return its exit code."""
    chosen = ModelPool.of
    ModelPool.of = _doubles  # type: ignore[method-assign]  # where the product chooses its models
    try:
        return main(arguments, _serve)
    finally:
        ModelPool.of = chosen  # type: ignore[method-assign]  # tests that run commands share a process with others


def run_real(arguments: Sequence[str]) -> int:
    """Run one command with the real models."""
    return main(arguments, _serve)


def _doubles(config: Config) -> ModelPool:
    return ModelPool.given(config, HashEmbedder(), ScriptedModel([REPLY]))


def _serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    serve(config, port, idle_seconds, on_ready)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
