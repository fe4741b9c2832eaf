"""Files of the home that cannot be read for a while: one clear sentence, and afterwards everything is as it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests import home_damage
from tests.doubles import HashEmbedder
from tests.faulty import CAN_BE_MADE, FAULTS, NO_FAULT, Fault, build_library, ran, started
from tests.home_damage import Answers, answers
from vaultrag.cli.client import server_health
from vaultrag.errors import VaultragError
from vaultrag.store.journal import Journal, latest

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CAN_BE_MADE, reason="makes reads fail by a library that it compiles"),
]

FILES = ("config.toml", "journal.jsonl", "token", "server.json", "index.sqlite3", "index.sqlite3-wal",
         "index.sqlite3-shm", "states/*/*.state", "damaged/*/index.sqlite3", "lock", "server.log")  # fmt: skip
FILES_OF_CHROMA = ("chroma/current", "chroma/gen-*/stamp.json", "chroma/gen-*/chroma.sqlite3")
COMMANDS = (("search", "осмотр ульев", "--no-server"), ("status",), ("index",), ("check", "--deep"), ("repair",),
            ("answers", "list"))  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    home_damage.build(folder)
    return folder


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    (tmp_path / "vault").symlink_to(base / "vault")
    shutil.copytree(base / "home", tmp_path / "home")
    return tmp_path


def assert_clear(code: int, err: str) -> None:
    assert "Traceback" not in err
    if code and err:
        said = json.loads(err)
        assert said["error"] != VaultragError.__name__, said
        assert said["remedy"], said


def check(folder: Path, fault: Fault, program: str, embedder: HashEmbedder | None, expected: Answers) -> None:
    with fault.on():
        for command in COMMANDS:
            code, out, err = ran(fault, folder, *command, program=program)
            assert_clear(code, err)
            assert code or out
    code, _, err = ran(NO_FAULT, folder, "repair", program=program)
    assert code == 0, err
    assert answers(folder, embedder) == expected
    assert len(latest(Journal(folder / "home" / "journal.jsonl").read().entries)) == sum(
        map(len, expected.records.values())
    )
    code, out, err = ran(NO_FAULT, folder, "check", "--deep", program=program)
    assert [one for one in json.loads(out)["findings"] if one["severity"] != "info"] == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", FAULTS)
def test_file_that_cannot_be_read_for_a_while(base: Path, folder: Path, library: Path, name: str, kind: str) -> None:
    path = next((folder / "home").glob(name))
    check(folder, FAULTS[kind](library, [path]), "vaultrag", None, answers(base, None))


@pytest.mark.parametrize("name", FILES_OF_CHROMA)
@pytest.mark.parametrize("kind", FAULTS)
def test_file_of_chroma_that_cannot_be_read(base: Path, folder: Path, library: Path, name: str, kind: str) -> None:
    path = next((folder / "home").glob(name))
    embedder = HashEmbedder()
    check(folder, FAULTS[kind](library, [path]), "tests.product", embedder, answers(base, embedder))


@pytest.mark.parametrize("name", ["token", "server.json", "server.log", "config.toml", "lock", "journal.jsonl"])
@pytest.mark.parametrize("kind", FAULTS)
def test_server_that_cannot_read_a_file_says_so_or_starts(folder: Path, library: Path, name: str, kind: str) -> None:
    fault = FAULTS[kind](library, [folder / "home" / name])
    with fault.on():
        config = home_damage.config_of(folder)
        with started(fault, folder, "serve", "--port", "0", "--idle", "5s") as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode != 1
        assert_clear(process.returncode, err)
        assert process.returncode or json.loads(out)["url"]
    assert server_health(config) is None


@pytest.mark.parametrize("command", [*COMMANDS, ("export", "{}/kept.export"), ("serve", "--port", "0", "--idle", "5s")])
def test_home_that_is_read_only_is_searched_and_refuses_the_rest(folder: Path, command: tuple[str, ...]) -> None:
    home = folder / "home"
    assert ran(NO_FAULT, folder, "check", "--deep")[0] == 0  # SQLite's log is brought into its file
    held = {path: path.stat().st_mode for path in (home, *home.rglob("*"))}
    before = {path: path.read_bytes() for path in held if path.is_file()}
    for path in held:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        code, out, err = ran(NO_FAULT, folder, *(part.replace("{}", str(folder)) for part in command))
    finally:
        for path, mode in held.items():
            path.chmod(mode)
    assert_clear(code, err)
    assert (code == 0) == (command[0] in ("search", "status", "answers", "export")), (code, out, err)
    assert {path: path.read_bytes() for path in held if path.is_file()} == before
