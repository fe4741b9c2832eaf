"""Every file that a home can hold, damaged in every way: found or harmless, one clear sentence, and mended."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests import home_damage
from tests.doubles import HashEmbedder
from tests.home_damage import (
    ANY_FILE,
    BINARY,
    TEXT,
    Answers,
    Damage,
    Said,
    answers,
    command,
    config_of,
    findings,
    replace_by_a_file,
)
from vaultrag.errors import VaultragError
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.journal import Journal, latest

TEXT_FILES = ("config.toml", "journal.jsonl", "token", "server.json")
BINARY_FILES = (
    "index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm", "states/*/*.state", "damaged/*/index.sqlite3", "lock",
    "server.log",
)  # fmt: skip
FOLDERS = ("chroma", "states", "damaged")
QUICK = ("config.toml flipped mark", "journal.jsonl halved", "index.sqlite3-wal halved", "lock a folder")


def cases(names: Sequence[str], kinds: Mapping[str, Damage]) -> list[ParameterSet]:
    """Return every pair of a file and a damage; all but a few take a minute or more together."""
    named = {f"{name.replace('/*', '')} {kind}": (name, damage) for name in names for kind, damage in kinds.items()}
    return [pytest.param(*pair, id=id, marks=() if id in QUICK else pytest.mark.long) for id, pair in named.items()]


CASES = [
    *cases(TEXT_FILES, {**ANY_FILE, **TEXT}),
    *cases(BINARY_FILES, {**ANY_FILE, **BINARY}),
    *cases(FOLDERS, {"a file": replace_by_a_file}),
]
CHROMA_CASES = [
    *cases(["chroma/current"], ANY_FILE),
    *cases(["chroma/gen-*/chroma.sqlite3"], {"emptied": ANY_FILE["emptied"], "a folder": ANY_FILE["a folder"]}),
]
THE_USERS = "config.toml"  # named, never mended


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    home_damage.build(folder)
    return folder


@pytest.fixture
def folder(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    (tmp_path / "vault").symlink_to(base / "vault")
    shutil.copytree(base / "home", tmp_path / "home")
    return tmp_path


@pytest.fixture
def words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without an embedder: Chroma's process, which takes seconds to start, is not needed."""
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, None, None))


@pytest.fixture
def embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, HashEmbedder(), None))


def assert_clear(said: Said) -> None:
    """A command did its work, or said in one sentence why not."""
    if said.code:
        assert said.error or said.out, said
    if said.error:
        assert said.error["error"] != VaultragError.__name__, said.error
        assert said.error["remedy"], said.error
        assert "\n" not in said.error["message"], said.error


@pytest.mark.slow
@pytest.mark.parametrize(("name", "damage"), CASES)
@pytest.mark.usefixtures("words_only")
def test_damaged_file(base: Path, folder: Path, name: str, damage: Damage) -> None:
    check_damage(base, folder, name, damage, None)


@pytest.mark.parametrize(("name", "damage"), CHROMA_CASES)
@pytest.mark.usefixtures("embedding")
def test_damaged_file_of_chroma(base: Path, folder: Path, name: str, damage: Damage) -> None:
    check_damage(base, folder, name, damage, HashEmbedder())


def sees(folder: Path, embedder: HashEmbedder | None) -> Answers | None:
    """Return what a person sees, None where that is an error."""
    try:
        return answers(folder, embedder)
    except VaultragError:
        return None


def check_damage(base: Path, folder: Path, name: str, damage: Damage, embedder: HashEmbedder | None) -> None:
    expected = answers(base, embedder)
    assert all(expected.passages)
    assert [len(records) for records in expected.records.values()] == [2, 1, 1, 1, 1]
    path = next(iter(sorted((folder / "home").glob(name))))
    if not path.stat().st_size and damage not in ANY_FILE.values():
        pytest.skip("the file is empty")
    damage(path)
    searched = command(folder, "search", "осмотр ульев", "--no-server")
    assert_clear(searched)
    assert_clear(command(folder, "status"))
    checked = command(folder, "check", "--deep")
    assert_clear(checked)
    assert findings(checked) or sees(folder, embedder) == expected
    if name == THE_USERS and searched.code:
        assert str(path) in searched.error["message"] or str(path.parent) in searched.error["message"]
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    repaired = command(folder, "repair")
    assert_clear(repaired)
    assert repaired.code == 0, repaired
    assert answers(folder, embedder) == expected
    journal = Journal(config_of(folder).journal_path).read()
    assert journal.damaged == ()
    assert len(latest(journal.entries)) == sum(map(len, expected.records.values()))
    assert findings(command(folder, "check", "--deep")) == []
