from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from vaultrag.store.integrity.check_home import check_home, leftovers, make_private, readable_by_others, remove

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home as a user makes one, with an index in it."""
    home = tmp_path / "home"
    (home / "chroma" / "gen-2").mkdir(parents=True)
    home.chmod(0o755)
    (home / "chroma").chmod(0o700)
    for name, mode in {"index.sqlite3": 0o600, "config.toml": 0o644, "chroma/current": 0o600}.items():
        (home / name).touch(mode)
        (home / name).chmod(mode)
    (home / "chroma" / "current").write_text("gen-2\n")
    return home


def test_private_home_has_no_finding(home: Path) -> None:
    assert list(check_home(home)) == []


def test_files_that_others_may_read_are_found_and_closed(home: Path) -> None:
    (home / "index.sqlite3").chmod(0o640)
    (home / "chroma").chmod(0o711)
    assert [finding.invariant for finding in check_home(home)] == ["files-private"]
    make_private(readable_by_others(home))
    assert list(check_home(home)) == []
    assert stat.S_IMODE((home / "index.sqlite3").stat().st_mode) == 0o600
    (home / "index.sqlite3").chmod(0o640)
    home.chmod(0o700)
    assert list(check_home(home)) == [], "nobody gets so far"


def test_what_a_killed_process_left_is_found_and_removed(home: Path) -> None:
    (home / "chroma" / "gen-3").mkdir()
    (home / "chroma" / "gen-3" / "data.bin").touch(0o600)
    (home / "token.12.part").touch(0o600)
    assert sorted(path.name for path in leftovers(home)) == ["gen-3", "token.12.part"]
    assert [finding.severity for finding in check_home(home)] == ["info"]
    remove(leftovers(home))
    assert list(check_home(home)) == []
    assert (home / "chroma" / "gen-2").is_dir()


def test_without_a_pointer_no_generation_is_taken_for_a_leftover(home: Path) -> None:
    (home / "chroma" / "current").unlink()
    assert leftovers(home) == []
