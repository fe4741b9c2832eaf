"""Notes that cannot be read, or change while they are, through the commands: named, kept, caught up with."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faulty import CAN_BE_MADE, DEADLINE, FAULTS, NO_FAULT, Fault, build_library, ran, started, until
from vaultrag.cli.client import find_server, server_health
from vaultrag.config import Config, load_config
from vaultrag.domain import Passage
from vaultrag.workspace import Ownership, Reach, Workspace

pytestmark = pytest.mark.skipif(not CAN_BE_MADE, reason="makes reads fail by a library that it compiles")

QUICK = "[watch]\nquiet_seconds = 0.05\n"
NOTES = ("Проекты/Пчела.md", "English notes/Bee.md")
OLD = {"Проекты/Пчела.md": "Улей стоит на весах.\n", "English notes/Bee.md": "The hive stands on a scale.\n"}
NEW = {"Проекты/Пчела.md": "Рамки пора менять.\n", "English notes/Bee.md": "The frames are due for renewal.\n"}
OLD_WORDS, NEW_WORDS = ("улей", "hive"), ("рамки", "renewal")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_library(tmp_path_factory.mktemp("library"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An indexed vault of which two notes have changed since."""
    write(tmp_path / "vault", OLD | {"Кот.md": "Бублик спит.\n"})
    (tmp_path / "vault" / ".obsidian").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text(QUICK)
    assert ran(NO_FAULT, tmp_path, "index")[0] == 0
    return tmp_path


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, library: Path, folder: Path) -> Fault:
    write(folder / "vault", NEW | {"Кот.md": "Бублик проснулся.\n"})
    return FAULTS[request.param](library, [folder / "vault" / note for note in NOTES])


def write(vault: Path, notes: dict[str, str]) -> None:
    for path, text in notes.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, encoding="utf-8")


def passages(folder: Path, word: str) -> list[Passage]:
    config = load_config(folder / "vault", folder / "home")
    with Workspace.with_models(config, Ownership.READ, None, None) as workspace:
        return list(workspace.search(word, 50, Reach.WORDS).passages)


def found(folder: Path, words: tuple[str, ...]) -> list[str]:
    """Return the notes that a search finds for each word."""
    return [passage.chunk.path for word in words for passage in passages(folder, word)]


def assert_names_both(failed: list[dict[str, Any]]) -> None:
    assert sorted(finding["detail"].split(" cannot")[0] for finding in failed) == sorted(NOTES), failed
    assert all(finding["remedy"] for finding in failed)


@pytest.mark.slow
def test_index_names_what_it_cannot_read_and_keeps_it(folder: Path, fault: Fault) -> None:
    with fault.on():
        code, out, err = ran(fault, folder, "index")
        assert code == 0, err
        assert_names_both(json.loads(out)["failed"])
        assert found(folder, OLD_WORDS) == list(NOTES)
        assert found(folder, ("проснулся",)) == ["Кот.md"]
    assert ran(fault, folder, "index")[0] == 0
    assert found(folder, NEW_WORDS) == list(NOTES)


def steps(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


@pytest.mark.slow
def test_watch_names_what_it_cannot_read_and_looks_again(folder: Path, fault: Fault) -> None:
    with started(fault, folder, "watch") as process:
        try:
            with fault.on():
                first = next(steps(process))
                assert first["modified"] == 1
                assert_names_both(first["failed"])
                assert found(folder, OLD_WORDS) == list(NOTES)
            modified = 0
            while modified < len(NOTES):
                modified += next(steps(process))["modified"]
            assert found(folder, NEW_WORDS) == list(NOTES)
            process.send_signal(signal.SIGINT)
            assert process.wait(DEADLINE) == 130
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


@contextlib.contextmanager
def serving(folder: Path, fault: Fault) -> Iterator[tuple[subprocess.Popen[str], Callable[[str], list[str]]]]:
    """Run a server, and hand over what searches it; it must end by itself when it is told to."""
    config: Config = load_config(folder / "vault", folder / "home")
    with started(fault, folder, "serve", "--port", "0") as process:
        try:
            until(lambda: server_health(config) is not None, process)
            client = find_server(config)
            assert client is not None
            with contextlib.closing(client):
                yield process, lambda word: [found.path for found in client.search(word, 5, "words").passages]
                assert client.health().status == "ok"
                client.ask_to_stop()
            assert process.wait(DEADLINE) == 0
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


@pytest.mark.slow
def test_server_answers_from_what_it_knows_and_looks_again(folder: Path, fault: Fault) -> None:
    with contextlib.ExitStack() as stack:
        on = stack.enter_context(contextlib.ExitStack())
        on.enter_context(fault.on())
        process, search = stack.enter_context(serving(folder, fault))
        until(lambda: search("проснулся") == ["Кот.md"], process)
        assert [search(word) for word in OLD_WORDS] == [[note] for note in NOTES]
        assert [search(word) for word in NEW_WORDS] == [[], []]
        on.close()
        until(lambda: [search(word) for word in NEW_WORDS] == [[note] for note in NOTES], process)


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Keep writing both notes, in place as Obsidian does; the last version says so."""
    stop = threading.Event()

    def write_on() -> None:
        number = 0
        while not stop.wait(0.01):
            number += 1
            for note in NOTES:
                text = f"# Версия {number}\n\n" + f"строка line {number}\n" * 3000
                (folder / "vault" / note).write_text(text, encoding="utf-8")
        write(folder / "vault", NEW)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def versions(folder: Path, note: str) -> set[str]:
    """Return what versions of a note the index holds parts of."""
    texts = [passage.chunk.text for passage in passages(folder, "строка") if passage.chunk.path == note]
    return {line for text in texts for line in text.splitlines() if line.startswith("строка")}


@pytest.mark.long
def test_index_of_notes_that_change_meanwhile_is_never_half_of_each(folder: Path) -> None:
    with changing(folder):
        for _ in range(2):
            code, _, err = ran(NO_FAULT, folder, "index")
            assert code == 0, err
            assert all(len(versions(folder, note)) <= 1 for note in NOTES)
    assert ran(NO_FAULT, folder, "index")[0] == 0
    assert found(folder, NEW_WORDS) == list(NOTES)


@pytest.mark.long
def test_server_ends_up_with_the_last_version_of_notes_that_change_meanwhile(folder: Path) -> None:
    with serving(folder, NO_FAULT) as (process, search):
        with changing(folder):
            until(lambda: bool(search("строка")), process)
            assert all(len(versions(folder, note)) <= 1 for note in NOTES)
        until(lambda: [search(word) for word in NEW_WORDS] == [[note] for note in NOTES], process)


@pytest.mark.long
def test_watch_ends_up_with_the_last_version_of_notes_that_change_meanwhile(folder: Path) -> None:
    with started(NO_FAULT, folder, "watch") as process:
        try:
            with changing(folder):
                next(step for step in steps(process) if step["modified"])
            until(lambda: found(folder, NEW_WORDS) == list(NOTES), process)
        finally:
            process.kill()
