"""Forgets in processes that die before their n-th write, then again, and looks for traces.

`python -m tests.forget_runner VAULT HOME STEP` tries every STEP-th n on copies of the home, and prints how many.
"""

from __future__ import annotations

import os
import shutil
import sys
from itertools import count
from pathlib import Path

from tests.crash_runner import DIED, MortalDatabase
from tests.records.traces import FOLDER, opened, traces
from vaultrag.config import Config, Settings


def main(vault: Path, home: Path, step: int) -> None:
    for tries, number in enumerate(count(1, step)):
        copy = home.with_name(f"home-{number}")
        shutil.copytree(home, copy)
        config = Config(vault=vault, home=copy, models=home, settings=Settings())
        child = os.fork()
        if not child:
            _forget(config, number)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            sys.stdout.write(f"{tries}\n")
            return
        assert code == DIED, code
        with opened(config) as workspace:
            workspace.forgetting.forget(FOLDER, lambda *_: None)
        assert traces(copy) == [], (number, traces(copy))
        shutil.rmtree(copy)


def _forget(config: Config, number: int) -> None:
    """Forget in this process, which dies before the given write."""
    workspace = opened(config)
    workspace.database = MortalDatabase(workspace.database.path, workspace.database.access)
    workspace.database.writes_left = number
    workspace.forgetting.forget(FOLDER, lambda *_: None)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
