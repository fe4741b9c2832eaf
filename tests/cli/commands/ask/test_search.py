"""A search in this process: hits by words while the model loads, then one list of both."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.served import write_notes

RANK = re.compile(r"^ *(\d+)\. ", re.MULTILINE)
STEERING = re.compile(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|\x1b\]8;[^\x1b]*\x1b\\")
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("searched")
    write_notes(folder / "vault")
    named = ["--vault", str(folder / "vault"), "--home", str(folder / "home")]
    subprocess.run(command("index", *named), cwd=ROOT, check=True, capture_output=True, timeout=120)
    return named


def command(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "tests.product", *arguments]


@pytest.mark.slow
def test_a_search_without_server_prints_one_ranked_list(places: list[str]) -> None:
    search = command("search", "--no-server", "картридж restore", *places)
    done = subprocess.run(search, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    ranks = [int(rank) for rank in RANK.findall(done.stdout)]
    assert ranks == list(range(1, len(ranks) + 1))
    assert len(ranks) > 1


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_whoever_watches_sees_hits_by_words_first_and_one_list_in_the_end(places: list[str]) -> None:
    ours, theirs = pty.openpty()
    search = subprocess.Popen(
        command("search", "--no-server", "картридж restore", *places),
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # Linux's way to say that the other side has closed
    assert search.wait(60) == 0
    early, _, last = shown.decode().rpartition("\x1b[2K")  # what was drawn meanwhile is wiped line by line
    assert "by meaning, too, in a moment" in early
    assert " 1. Бойлер · " in STEERING.sub("", early)
    ranks = [int(rank) for rank in RANK.findall(STEERING.sub("", last))]
    assert ranks == list(range(1, len(ranks) + 1))
    assert len(ranks) > 1


@pytest.mark.slow
def test_chats_are_left_out_by_an_option(tmp_path: Path) -> None:
    chat = ">[!nexus_agent] **Assistant** - 10.06.2025 at 6:42\n> Картридж меняют раз в год.\n<!-- UID: 1 -->\n"
    write_notes(tmp_path / "vault", {"Чат.md": chat, "Бойлер.md": "Картридж бойлера лежит в шкафу.\n"})
    named = ["--vault", str(tmp_path / "vault"), "--home", str(tmp_path / "home")]
    subprocess.run(command("index", *named), cwd=ROOT, check=True, capture_output=True, timeout=120)

    def found(*options: str) -> str:
        search = command("search", "--no-server", "--json", "картридж", *options, *named)
        return subprocess.run(search, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout

    assert "Чат.md" in found()
    assert "Чат.md" not in found("--no-chats")
    assert "Бойлер.md" in found("--no-chats")
