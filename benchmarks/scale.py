"""Indexing as the vault grows: cold, with nothing changed, and one edited note, at 100, 1,000 and 13,000 notes.

usage: scripts/bench scale [--sizes 100,1000,13000] [--edits N] [--runs N]
    Words and links only: no embedder is loaded, and tokens are estimated.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.curves import Axes, draw
from benchmarks.datasets import work_folder
from benchmarks.parsing import generate
from benchmarks.products import config_for
from benchmarks.report import Figure, write_report
from vaultrag.config import Config
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Reach, Workspace

SEED = 20261122


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds by the clock, CPU seconds of all its processes, and the largest process."""

    seconds: float
    cpu: float
    peak_mib: float = 0.0


def main() -> int:
    options = _options()
    sizes = [int(size) for size in options.sizes.split(",")]
    measured = {size: _measure(size, options.edits, options.runs) for size in sizes}
    figures = [figure for size in sizes for figure in _figures(size, measured[size])]
    smallest, largest = measured[sizes[0]], measured[sizes[-1]]
    name = f"edit: {sizes[-1]:,} notes over {sizes[0]:,}, CPU"
    figures.append(_ratio(name, smallest["edit"], largest["edit"]))
    write_report("scale", "Indexing as the vault grows", figures, _notes(options.runs))
    for name, of in (("clock", lambda cost: cost.seconds), ("cpu", lambda cost: cost.cpu)):
        lines = {kind: [(size, _median(measured[size][kind], of)) for size in sizes] for kind in smallest}
        draw(
            f"scale-{name}",
            Axes(f"Indexing as the vault grows, by {name}", "notes", "seconds", logarithmic=True),
            lines,
        )
    return 0


def _measure(size: int, edits: int, runs: int) -> dict[str, list[Cost]]:
    vault = work_folder() / f"scale-edited-{size}"
    shutil.rmtree(vault, ignore_errors=True)
    shutil.copytree(generate(size, f"scale-{size}"), vault)
    config = config_for(vault, f"scale-{size}").model_copy(update={"models": _no_models()})
    return {
        f"{_scanner()[0]} over all files": [_scan(vault, number) for number in range(runs)],
        "cold": [_cold(config) for _ in range(runs)],
        "bare FTS5, whole files": [_bare(vault) for _ in range(runs)],
        "nothing changed, a command": [_command(config, "index") for _ in range(runs)],
        **_inside(config, edits, runs),
        "edit, a command": [_edit_by_command(config, number) for number in range(runs)],
    }


def _no_models() -> Path:
    """Without models, words and links are indexed, and nothing is embedded."""
    return work_folder() / "no-models"


def _cold(config: Config) -> Cost:
    shutil.rmtree(config.home, ignore_errors=True)
    return _command(config, "index")


def _command(config: Config, *arguments: str) -> Cost:
    """Run a command of the product, start and all, without models."""
    environment = {**os.environ, "VAULTRAG_MODELS": str(_no_models())}
    places = ["--vault", str(config.vault), "--home", str(config.home)]
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "vaultrag", *arguments, *places],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _bare(vault: Path) -> Cost:
    """Read every note into a keyword index as a few lines of Python would: no chunks, links, stems or spans."""
    shutil.rmtree(work_folder() / "bare", ignore_errors=True)
    (work_folder() / "bare").mkdir()
    began, used = time.perf_counter(), time.process_time()
    database = sqlite3.connect(work_folder() / "bare" / "index.sqlite3")
    database.execute("CREATE VIRTUAL TABLE notes USING fts5 (path, text)")
    with database:
        rows = ((str(path), path.read_text(encoding="utf-8")) for path in vault.rglob("*.md"))
        database.executemany("INSERT INTO notes VALUES (?, ?)", rows)
    database.close()
    return Cost(time.perf_counter() - began, time.process_time() - used)


def _scanner() -> list[str]:
    """Return what a user would pick instead of an index."""
    return ["rg", "-l"] if shutil.which("rg") else ["grep", "-rl"]


def _scan(vault: Path, number: int) -> Cost:
    """Edit a note and find its new word by reading every file again."""
    word = f"найдено{number}x{time.time_ns()}"
    note = sorted(vault.rglob("*.md"))[number]
    _append(note, word)
    began = time.perf_counter()
    with subprocess.Popen([*_scanner(), word, str(vault)], stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stdout.read().split("\n") == [str(note), ""]
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _inside(config: Config, edits: int, runs: int) -> dict[str, list[Cost]]:
    """Measure what a running server or watcher does: nothing changed, and one note edited until it is found."""
    with Workspace.with_models(config, Ownership.OWN, None, None) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        unchanged = [_timed(lambda: workspace.index(lambda *_: None, DeletionPolicy.GUARD)) for _ in range(runs)]
        notes = random.Random(SEED).sample(sorted(config.vault.rglob("*.md")), edits)
        followed = [_edit(workspace, note, number) for number, note in enumerate(notes)]
        mentions = [_timed(workspace.owed.find_mentions)]
        whole = [_edit_and_index(workspace, note, number) for number, note in enumerate(notes[:runs])]
        return {
            "nothing changed": unchanged,
            "edit": followed,
            f"mentions of {edits} edited notes, afterwards": mentions,
            "edit, all looked at": whole,
        }


def _edit(workspace: Workspace, note: Path, number: int) -> Cost:
    """Append a line with a new word to a note, follow it as the watcher does, and find the word."""
    word = f"слово{number}x{time.time_ns()}"
    _append(note, word)
    place = note.relative_to(workspace.config.vault).as_posix()
    cost = _timed(lambda: workspace.follow([place], lambda *_: None))
    found = workspace.search(word, 3, Reach.WORDS).passages
    assert found
    assert found[0].chunk.path.endswith(unicodedata.normalize("NFC", note.name))
    return cost


def _edit_and_index(workspace: Workspace, note: Path, number: int) -> Cost:
    _append(note, f"целиком{number}")
    return _timed(lambda: workspace.index(lambda *_: None, DeletionPolicy.GUARD))


def _edit_by_command(config: Config, number: int) -> Cost:
    _append(sorted(config.vault.rglob("*.md"))[number], f"слово{number}")
    return _command(config, "index")


def _append(note: Path, word: str) -> None:
    with note.open("a", encoding="utf-8") as file:
        file.write(f"\n{word}\n")


def _timed(work: Callable[[], object]) -> Cost:
    began, used = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - began, time.process_time() - used)


def _figures(size: int, measured: Mapping[str, Sequence[Cost]]) -> Iterator[Figure]:
    for kind, costs in measured.items():
        yield _spread(f"{kind}, {size:,} notes, by the clock", [cost.seconds for cost in costs], " s")
        yield _spread(f"{kind}, {size:,} notes, CPU", [cost.cpu for cost in costs], " s")
    yield _spread(f"cold, {size:,} notes, largest process", [cost.peak_mib for cost in measured["cold"]], " MiB")


def _spread(name: str, values: Sequence[float], unit: str) -> Figure:
    """Return the median between the least and the most."""
    return Figure(name, statistics.median(values), min(values), max(values), len(values), unit)


def _ratio(name: str, small: Sequence[Cost], large: Sequence[Cost]) -> Figure:
    """Return the ratio of the medians; the interval is that of quartile over quartile."""
    low, high = (sorted(cost.cpu for cost in costs) for costs in (small, large))
    quarter = len(low) // 4
    worst, best = high[-1 - quarter] / low[quarter], high[quarter] / low[-1 - quarter]
    return Figure(name, statistics.median(high) / statistics.median(low), best, worst, len(low))


def _median(costs: Sequence[Cost], of: Callable[[Cost], float]) -> float:
    return statistics.median(of(cost) for cost in costs)


def _notes(runs: int) -> list[str]:
    return [
        "Generated notes (benchmarks/parsing.py), half Russian, with links and tags: median 0.8 kB, mean 2 kB.",
        f"Medians between the least and the most; {runs} runs. Commands include the start of Python.",
        "`edit` is what the watcher does with one changed note, until a new word in it is found by `search`; mentions"
        " follow in a pause. `all looked at` is the same by a whole `index`. Both inside a running process.",
        "Bare FTS5 puts whole files into SQLite's keyword index: what a script of ten lines would do after each edit.",
        f"`{' '.join(_scanner())}` finds the new word of an edited note by reading every file. It needs no index and is"
        " the quicker way until one is built. It finds exact letters only: no inflected words, no meaning, no ranking.",
        f"The load of the machine was {os.getloadavg()[0]:.1f} at the end: CPU seconds hold on a busy machine, too.",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench scale")
    parser.add_argument("--sizes", default="100,1000,13000")
    parser.add_argument("--edits", type=int, default=25)
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
