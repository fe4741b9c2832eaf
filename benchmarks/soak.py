"""Random edits by a script while questions and searches run over HTTP: errors, memory over time, the index at the end.

usage: scripts/bench soak [--minutes N] [--notes N] [--seed N] [--doubles]
    The real models are used where they are in the models folder. With --doubles the tests' deterministic ones stand
    in for them, so that many more edits and questions fit into the time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.curves import Axes, draw
from benchmarks.datasets import work_folder
from benchmarks.parsing import generate
from benchmarks.processes import descendants, open_files, resident_mib, serving
from benchmarks.products import config_for
from benchmarks.report import Figure, quantile, write_report
from tests.living_vault import SENTENCES, LivingVault
from vaultrag import wire
from vaultrag.cli.client import Client, find_server
from vaultrag.config import CONFIG_NAME, Config
from vaultrag.errors import VaultragError
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
from vaultrag.vault.files import note_suffixes, scan_vault

SAMPLE_SECONDS = 2.0
EDIT_SECONDS = (0.1, 2.0)  # between two saves; a person needs longer
SEARCH_SECONDS = 0.25
ASK_SECONDS = 5.0
ANSWERS_BY = "qwen2.5-coder-0.5b-instruct"  # the smallest: questions are to end while edits go on
FIFTH = 5  # memory is compared between the second fifth of the time, when all is loaded, and the last


@dataclass(slots=True)
class Soak:
    """What the threads share: when to stop, and what happened."""

    config: Config
    seed: int
    over: threading.Event = field(default_factory=threading.Event)
    errors: list[str] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def edit(self) -> None:
        """Change the vault at random moments."""
        living = LivingVault(self.config.vault, random.Random(self.seed), written=1_000_000)
        while not self.over.wait(living.random.uniform(*EDIT_SECONDS)):
            self.edits += living.change(living.random.randint(1, 3))

    def search(self) -> None:
        generator, client = random.Random(self.seed + 1), self._client()
        while not self.over.wait(SEARCH_SECONDS):
            began = time.perf_counter()
            with self._errors_noted():
                client.search(" ".join(generator.sample(generator.choice(SENTENCES).split(), 3)), 8, "full")
                self.search_ms.append((time.perf_counter() - began) * 1000)

    def ask(self) -> None:
        generator, client = random.Random(self.seed + 2), self._client()
        while not self.over.wait(ASK_SECONDS):
            with self._errors_noted():
                events = client.ask(generator.choice(SENTENCES))
                self.answers += [event.status for event in events if isinstance(event, wire.Answer)]

    def watch_memory(self, pid: int) -> None:
        began = time.monotonic()
        while not self.over.wait(SAMPLE_SECONDS):
            self.samples.append((time.monotonic() - began, resident_mib([pid, *descendants(pid)])))
            self.files.append(open_files(pid))

    def _client(self) -> Client:
        client = find_server(self.config)
        assert client is not None
        return client

    @contextlib.contextmanager
    def _errors_noted(self) -> Iterator[None]:
        try:
            yield
        except VaultragError as error:
            self.errors.append(f"{type(error).__name__}: {error.message}")


def main() -> int:
    options = _options()
    config = _prepare(options.notes)
    soak = Soak(config, options.seed)
    program = "tests.product" if options.doubles else "vaultrag"
    with serving(config, program) as (pid, client):
        client.index("accept", lambda *_: None)
        work = (soak.edit, soak.search, soak.ask, lambda: soak.watch_memory(pid))
        threads = [threading.Thread(target=each) for each in work]
        for thread in threads:
            thread.start()
        soak.over.wait(options.minutes * 60)
        soak.over.set()
        for thread in threads:
            thread.join()
        client.index("accept", lambda *_: None)
        findings = [found for found in client.check_deep(lambda *_: None).findings if found.severity != "info"]
    _report(
        soak,
        f"{options.minutes:g} minutes with {program}",
        [f"{found.invariant}: {found.detail}" for found in findings],
    )
    return 1 if soak.errors or findings else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench soak")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--notes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--doubles", action="store_true")
    return parser.parse_args()


def _prepare(notes: int) -> Config:
    """Copy a generated vault, for it will be changed, and forget the last run's index."""
    vault = work_folder() / "soak-vault"
    shutil.rmtree(vault, ignore_errors=True)
    shutil.copytree(generate(notes, f"scale-{notes}"), vault)
    config = config_for(vault, "soak")
    shutil.rmtree(config.home, ignore_errors=True)
    config.home.mkdir(parents=True)
    (config.home / CONFIG_NAME).write_text(f'[models]\nanswer = "{ANSWERS_BY}"\n', encoding="utf-8")
    return config


def missed_and_ghosts(config: Config) -> tuple[int, int]:
    """Count notes on disk that the index lacks, and notes in the index that are not on disk."""
    listing = scan_vault(config.vault, config.settings.vault.ignore, note_suffixes(config.settings.vault))
    there = {stat.path for stat in listing.notes}
    with open_database(config.database_path, Access.READ) as database:
        known = set(database.column("SELECT path FROM notes"))
    return len(there - known), len(known - there)


def _report(soak: Soak, what: str, findings: Sequence[str]) -> None:
    missed, ghosts = missed_and_ghosts(soak.config)
    parts = sorted({name for _, sample in soak.samples for name in sample})
    lines = {name: [(at / 60, sample.get(name, 0.0)) for at, sample in soak.samples] for name in parts}
    lines["together"] = [(at / 60, sum(sample.values())) for at, sample in soak.samples]
    figures = [
        _count("edits", len(soak.edits)),
        _count("searches answered", len(soak.search_ms)),
        _count("questions answered", len(soak.answers)),
        _count("errors", len(soak.errors)),
        _count("findings of check", len(findings)),
        _count("notes missed", missed),
        _count("ghosts", ghosts),
        quantile("search, median", soak.search_ms, 0.5, " ms"),
        quantile("search, 95 %", soak.search_ms, 0.95, " ms"),
        *(_growth(name, [value for _, value in line]) for name, line in lines.items()),
        _growth("open files of the server", soak.files),
    ]
    notes = [
        f"{what}, seed {soak.seed}; edits by tests/living_vault.py, questions by the HTTP client.",
        "Growth is the median of the last fifth of the time over that of the second fifth; the interval is of both.",
        f"The load of the machine was {os.getloadavg()[0]:.1f} at the end.",
        *soak.errors[:5],
        *findings[:5],
    ]
    write_report("soak", "Soak", figures, notes, lines)
    draw("soak", Axes("Memory during the soak", "minutes", "MiB resident"), lines)


def _count(name: str, value: int) -> Figure:
    return Figure(name, value, value, value, 1)


def _growth(name: str, values: Sequence[float]) -> Figure:
    fifth = max(1, len(values) // FIFTH)
    early, late = statistics.median(values[fifth : 2 * fifth]), statistics.median(values[-fifth:])
    return Figure(f"growth: {name}", late / early, early, late, len(values))


if __name__ == "__main__":
    sys.exit(main())
