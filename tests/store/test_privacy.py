"""A home is for its user alone, whatever the modes of folders and the umask are."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.served import write_notes
from vaultrag.store.owner import OwnerLock
from vaultrag.store.privacy import keep_private
from vaultrag.store.vectors.chroma import Collection

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes")


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def open_home(home: Path) -> Path:
    """A home that its user made, for all to enter."""
    home.mkdir()
    home.chmod(0o755)
    return home


def open_to_others(home: Path) -> list[str]:
    return [str(path.relative_to(home)) for path in home.rglob("*") if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_what_lies_open_is_closed_by_whoever_owns_the_index(open_home: Path, tmp_path: Path) -> None:
    for name in ("index.sqlite3", "index.sqlite3-wal", "journal.jsonl", "server.json", "server.log", "server.log.1"):
        (open_home / name).write_text("x", encoding="utf-8")
    for name in ("states/a", "chroma/gen-1/b", "damaged/c"):
        (open_home / name).mkdir(parents=True)
        (open_home / name / "Заметка").write_text("x", encoding="utf-8")
    assert len(open_to_others(open_home)) == 6 + 6 + 3 + 1
    with OwnerLock(open_home / "lock"):
        assert open_to_others(open_home) == []
    assert stat.S_IMODE(open_home.stat().st_mode) == 0o755, "that is its user's to say"


def test_what_is_not_ours_stays_as_it_is(open_home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x", encoding="utf-8")
    for name in ("states", "server.log"):
        (open_home / name).symlink_to(elsewhere if name == "states" else elsewhere / "file")
    (open_home / "Photos").mkdir()
    (open_home / "config.toml").write_text("", encoding="utf-8")
    modes = [path.stat().st_mode for path in (elsewhere, elsewhere / "file", *open_home.iterdir())]
    keep_private(open_home)
    assert [path.stat().st_mode for path in (elsewhere, elsewhere / "file", *open_home.iterdir())] == modes


@pytest.mark.slow
def test_server_leaves_nothing_open(vault: Path, open_home: Path) -> None:
    write_notes(vault)
    command = [sys.executable, "-m", "tests.product", "serve", "--port", "0", "--idle", "1s"]
    done = subprocess.run(
        [*command, "--vault", str(vault), "--home", str(open_home)], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert (open_home / "server.log").is_file()
    assert open_to_others(open_home) == []


@pytest.mark.slow
def test_chroma_writes_private_files_and_none_outside_of_the_home(open_home: Path) -> None:
    (open_home / "chroma").mkdir(mode=0o700)
    built = Collection(open_home / "chroma" / "gen-1", 4)
    try:
        built.create()
        built.add(["a", "b"], np.eye(2, 4, dtype="<f4"))
        assert (open_home / "chroma" / "gen-1" / "chroma.sqlite3").is_file()
        assert open_to_others(open_home) == []
        environment = Path(f"/proc/{built.pid}/environ")
        if environment.exists():
            told = dict(part.split("=", 1) for part in environment.read_text(encoding="utf-8").split("\0") if part)
            assert {told[name] for name in ("SQLITE_TMPDIR", "TMPDIR")} == {str(open_home / "chroma")}
    finally:
        built.close()
