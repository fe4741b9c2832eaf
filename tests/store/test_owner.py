from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaultrag.errors import IndexLocked
from vaultrag.store.owner import OwnerLock, read_owner

HOLD = """
import sys
from pathlib import Path
from vaultrag.store.owner import OwnerLock
OwnerLock(Path(sys.argv[1])).acquire(port=27182)
print("held", flush=True)
sys.stdin.read()
"""


def test_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    with OwnerLock(tmp_path / "home" / "lock") as lock:
        lock.publish(27182)
        with pytest.raises(IndexLocked) as refused:
            OwnerLock(tmp_path / "home" / "lock").acquire()
        assert str(os.getpid()) in refused.value.message
        assert "27182" in refused.value.message
    assert read_owner(tmp_path / "home" / "lock") is None
    OwnerLock(tmp_path / "home" / "lock").acquire().release()


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdout, process.stdin:
        process.stdout.readline()
        with pytest.raises(IndexLocked, match=str(process.pid)):
            OwnerLock(path).acquire()
        process.kill()
        process.wait()
    with OwnerLock(path):
        owner = read_owner(path)
        assert owner is not None
        assert owner.pid == os.getpid()
