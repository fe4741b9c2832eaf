"""Native code that a spoilt file sends round in circles is ended, by the processor time that it takes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gguf_files import write_tiny_model
from vaultrag.domain import Message, Sampling
from vaultrag.errors import ModelCrashed
from vaultrag.runtime.llama.cpu_limit import ENDED_BY
from vaultrag.runtime.llm import ChildModel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a timer of POSIX")

BUSY = "while time.process_time() < began + {}: pass"


def ended(*lines: str) -> int:
    """Run a program; return its exit code."""
    head = ("import time", "from vaultrag.runtime.llama.cpu_limit import allowed", "began = time.process_time()")
    return subprocess.run([sys.executable, "-c", "\n".join([*head, *lines])], check=False).returncode


def test_process_that_uses_up_its_allowance_is_ended() -> None:
    assert ended("with allowed(0.2):", "    while True: pass") == ENDED_BY


def test_native_code_is_ended_too() -> None:
    assert ended("with allowed(0.2):", "    'a' * 50_000 in 'ab' * 50_000_000 or sum(range(10**10))") == ENDED_BY


@pytest.mark.slow
def test_nothing_is_counted_after_the_block() -> None:
    assert ended("with allowed(0.3):", "    pass", BUSY.format(0.6)) == 0


def test_model_that_used_up_its_processor_time_says_so_and_is_not_tried_again(tmp_path: Path) -> None:
    model = ChildModel(
        "chewing", write_tiny_model(tmp_path / "m.gguf", context=4096), context=4096, threads=1, gpu_layers=0,
        spin_count=1000, timeout=60.0,
    )  # fmt: skip
    with contextlib.closing(model):
        pieces = model.generate([Message("user", "Где ключи?")], Sampling(max_tokens=3000))
        next(filter(None, pieces))
        assert model.pid is not None
        os.kill(model.pid, -ENDED_BY)
        with pytest.raises(ModelCrashed, match="processor time"):
            list(pieces)


def test_threads_count_together() -> None:
    lines = ("import hashlib, threading", "def work():", "    while True: hashlib.sha256(bytes(10**7))")
    threads = ("threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]",)
    assert ended(*lines, *threads, "with allowed(0.3):", "    [t.start() for t in threads]", "    work()") == ENDED_BY
