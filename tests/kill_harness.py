"""Kills the product's own commands at random points, recovers, and compares the index with a fresh one.

`python -m tests.kill_harness --kills 20 --seed 1 [--operations index,serve] [--state FILE] [--scratch DIR]`

A death is drawn from the seed: the n-th call that changes a file of the home (of the command, or of its Chroma child),
or a moment of the command's duration; alone, or with all its children. A kill that comes too late is not counted.
Linux, with a C compiler. With `--state` a run goes on where the last one ended.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.deaths import Kill
from tests.kill_operations import OPERATIONS
from tests.killing import Harness

ROUNDS = 25  # kills of one vault; then another one begins, whose first index is made under fire
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: children of a killed command become ours, and can be waited for


def load_killer(folder: Path) -> ctypes.CDLL:
    """Compile the counting library, preload it by running this program anew, and return it."""
    library = folder / "killer.so"
    if os.environ.get("LD_PRELOAD") != str(library):
        folder.mkdir(parents=True, exist_ok=True)
        source = Path(__file__).with_name("killer.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
        os.environ.update(LD_PRELOAD=str(library), OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
        os.execv(sys.executable, [sys.executable, "-m", "tests.kill_harness", *sys.argv[1:]])
    killer = ctypes.CDLL(str(library))
    killer.killer_arm.argtypes = [ctypes.c_long, ctypes.c_int]
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    return killer


def main() -> int:
    options = _options()
    scratch = options.scratch or Path(tempfile.gettempdir()) / f"vaultrag-kills-{options.seed}"
    killer = load_killer(scratch / "tools")
    ground = (scratch / "lock").open("w")
    fcntl.flock(ground, fcntl.LOCK_EX | fcntl.LOCK_NB)  # two runs on one ground would find each other's files
    harness = Harness(scratch / "ground", options.seed, killer, options.models)
    operations = options.operations.split(",")
    done, number = _resume(options.state)
    faulty, began = 0, number
    while done < options.kills:
        if number == began or number % ROUNDS == 0:
            harness.begin(f"{options.seed} {number}")
        operation = operations[number % len(operations)]
        kill = harness.kill(number, options.seed, operation, OPERATIONS[operation])
        number += 1
        done += kill.killed
        _write_down(kill, options.state)
        if kill.faults:
            faulty += 1
            shutil.copytree(harness.scratch, scratch / f"fault-{options.seed}-{kill.number}", dirs_exist_ok=True)
            harness.begin(f"{options.seed} {number}")
    shutil.rmtree(harness.scratch, ignore_errors=True)
    return 1 if faulty else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kill_harness")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--operations", default=",".join(OPERATIONS))
    parser.add_argument("--state", type=Path, help="a file of one line a kill, to go on from")
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--models", type=Path, help="the folder of real models; without it the doubles serve")
    return parser.parse_args()


def _resume(state: Path | None) -> tuple[int, int]:
    """Return how many kills were done, and the number of the next try."""
    if state is None or not state.exists():
        return 0, 0
    kills = [json.loads(line) for line in state.read_text(encoding="utf-8").splitlines()]
    return sum(kill["killed"] for kill in kills), len(kills)


def _write_down(kill: Kill, state: Path | None) -> None:
    line = json.dumps(asdict(kill), ensure_ascii=False)
    if state is None or kill.faults:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if state is not None:
        with state.open("a", encoding="utf-8") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
