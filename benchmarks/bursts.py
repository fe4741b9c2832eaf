"""Bursts while the vault is watched: 20,000 files at once, a folder of 5,000 moved in, renamed and out, a new root.

usage: scripts/bench bursts [--files N] [--folders N] [--moved N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator

from benchmarks.datasets import work_folder
from benchmarks.report import Figure, write_report
from tests.bursts import Bursts, Outcome, Scale


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench bursts")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--folders", type=int, default=200)
    parser.add_argument("--moved", type=int, default=5_000)
    options = parser.parse_args()
    root = work_folder() / "bursts"
    shutil.rmtree(root, ignore_errors=True)
    scale = Scale(options.files, options.folders, options.moved)
    outcomes = list(Bursts(root, scale).run())
    shutil.rmtree(root)
    notes = [
        f"{scale.files:,} files in {scale.folders} nested folders; the folder holds {scale.moved:,}; the new root has"
        " every 7th note changed and every 23rd missing. Words and links, no models.",
        "Missed: notes whose text the index does not hold. Ghosts: notes that it holds and the vault does not."
        " Watching, deletions of a fifth of the vault within ten minutes are held back for the user to accept.",
        f"Seconds count from the end of the burst until the watcher was up to it; load {os.getloadavg()[0]:.1f}.",
    ]
    write_report("bursts", "Bursts", [figure for outcome in outcomes for figure in _figures(outcome)], notes)
    return int(any(outcome.reconciled.missed or outcome.reconciled.ghosts for outcome in outcomes))


def _figures(outcome: Outcome) -> Iterator[Figure]:
    for name, value in (
        ("missed, watching", outcome.watching.missed),
        ("ghosts, watching", outcome.watching.ghosts),
        ("missed after one reconcile", outcome.reconciled.missed),
        ("ghosts after one reconcile", outcome.reconciled.ghosts),
        ("seconds", round(outcome.seconds, 1)),
    ):
        yield Figure(f"{outcome.burst}: {name}", value, value, value, 1)


if __name__ == "__main__":
    sys.exit(main())
