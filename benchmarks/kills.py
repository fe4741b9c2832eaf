"""Kill -9 of the product's own commands at random points, hundreds of times; what the recovery finds.

usage: scripts/bench kills [--kills N] [--seed N] [--operations NAME,NAME] [--models DIR] [--report]
    Each run adds to the kills that were done before; --report only writes the tables. With the folder of the real
    models the real embedder is used instead of a double.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.datasets import REPOSITORY, work_folder
from benchmarks.report import MEASURED, Figure, share, write_report

MANY = 100  # kills of one commit that are told apart
REAL = "real"  # in the name of a file of kills with the real embedder
PARTS = {  # of a home, by what stands in a file's name
    "index.sqlite3-wal": "SQLite's log",
    "index.sqlite3": "SQLite's file",
    "chroma.sqlite3": "Chroma's SQLite",
    ".bin": "Chroma's graph",
    "current": "Chroma's pointer",
    "stamp": "Chroma's stamp",
    "gen-": "a generation of Chroma",
    "lock": "the owner's lock",
    "server": "the server's files",
    "token": "the token",
    "journal": "the journal",
}


@dataclass(frozen=True, slots=True)
class Done:
    """One kill as the harness wrote it down."""

    commit: str
    operation: str
    how: str
    place: str
    answers: int
    faults: tuple[str, ...]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench kills")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--operations", default="index,watch,repair,serve")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    code = 0 if options.report else _kill(options)
    _report(list(_kills()))
    return code


def _folder() -> Path:
    folder = work_folder() / "kills"
    folder.mkdir(exist_ok=True)
    return folder


def _kill(options: argparse.Namespace) -> int:
    """Run the harness until it has done so many kills more; return its code."""
    name = f"{options.operations.replace(',', '-')}-{options.seed}"
    state = _folder() / f"{MEASURED}-{REAL if options.models else 'double'}-{name}.jsonl"
    scratch = _folder() / f"scratch-{name}"
    command = [sys.executable, "-m", "tests.kill_harness", "--kills", str(options.kills), "--seed", str(options.seed)]
    places = ["--operations", options.operations, "--state", str(state), "--scratch", str(scratch)]
    models = ["--models", str(options.models)] if options.models else []
    return subprocess.run([*command, *places, *models], cwd=REPOSITORY, check=False).returncode


def _kills() -> Iterator[Done]:
    """Yield every kill that hit, of all runs."""
    for state in sorted(_folder().glob("*.jsonl")):
        for line in state.read_text(encoding="utf-8").splitlines():
            kill = json.loads(line)
            if kill["killed"]:
                death = kill["death"]
                how = f"{death['who']}, at a {'call' if death['by'] == 'call' else 'moment'}, {death['takes']}"
                place = _place(kill["place"]) if kill["place"] else "a moment"
                operation = kill["operation"] + (" with the real embedder" if REAL in state.name else "")
                yield Done(state.name.partition("-")[0], operation, how, place, kill["answers"], tuple(kill["faults"]))


def _place(place: str) -> str:
    call, _, name = place.partition(" ")
    file = next((part for sign, part in PARTS.items() if sign in name), "another file of the home")
    return f"{call}: {file}"


def _report(kills: Sequence[Done]) -> None:
    faulty = [kill for kill in kills if kill.faults]
    operations = Counter(kill.operation for kill in kills)
    figures = [
        Figure("kills", len(kills), len(kills), len(kills), len(kills)),
        share("kills after which a fault was found", len(faulty), len(kills)),
        *_by_commit(kills),
        *(_count(f"kills of `{name}`", count) for name, count in operations.most_common()),
        *(_count(f"died in: {place}", count) for place, count in Counter(kill.place for kill in kills).most_common()),
        *(_count(f"killed: {how}", count) for how, count in Counter(kill.how for kill in kills).most_common()),
        _count("answers given by servers before they died", sum(kill.answers for kill in kills)),
    ]
    notes = [
        "Before each kill the vault of 40 notes is edited, moved about and deleted from; after it the next run"
        " recovers, and `check` and a comparison with a fresh index follow: notes, chunks, links, names, tags, every"
        " word of the keyword index, every embedding against the embedder, Chroma's keys, the outbox; the vault stays.",
        "Before a repair something is damaged: rows, a page, the length of the index, a file of Chroma. Clients save"
        " answers while the server is killed; each that was acknowledged must be there.",
        f"Commits: {', '.join(sorted({kill.commit for kill in kills}))}.",
        "A call is one that writes, syncs, cuts, renames or removes a file of the home; every fourth write is torn.",
        *(f"{kill.commit}: {kill.operation}, {kill.place}: {fault}" for kill in faulty for fault in kill.faults),
    ]
    write_report("kills", "Kill -9", figures, notes)


def _by_commit(kills: Sequence[Done]) -> Iterator[Figure]:
    """Yield how often those commits were killed that were killed most."""
    for commit, count in Counter(kill.commit for kill in kills).most_common():
        if count >= MANY:
            here = [kill for kill in kills if kill.commit == commit]
            parts = ", ".join(f"{name} {n}" for name, n in Counter(kill.operation for kill in here).most_common())
            yield share(f"of {count} at {commit} ({parts}): with a fault", sum(bool(k.faults) for k in here), count)


def _count(name: str, value: int) -> Figure:
    return Figure(name, value, value, value, 1)


if __name__ == "__main__":
    sys.exit(main())
