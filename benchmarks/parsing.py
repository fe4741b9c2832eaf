"""Parsing a vault of 10,000 generated notes: parse, chunk and links, on one core and on two, beside obsidiantools.

usage: scripts/bench parsing [--notes N] [--obsidiantools PYTHON] [--sample N]
    --obsidiantools  the Python of an environment that has obsidiantools (or VAULTRAG_OBSIDIANTOOLS); never ours
    --sample         how many notes obsidiantools reads: its speed does not depend on it, and it is slow
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.datasets import work_folder
from benchmarks.products import config_for
from benchmarks.report import Figure, write_report
from vaultrag.config import Settings
from vaultrag.indexing.read import NoteReader, ReadNote, Recipe, read_and_cut, read_on_cores
from vaultrag.runtime.pool import ModelPool
from vaultrag.text.language import language_of, sentences
from vaultrag.vault.files import scan_vault
from vaultrag.vault.links import LinkResolver
from vaultrag.vault.parsing.parse import parse_note

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "vault"
VARIABLE = "VAULTRAG_OBSIDIANTOOLS"
SEED = 20261121
MEDIAN, MEAN, LARGEST = 800, 2000, 120_000  # bytes of a note in real vaults; 1 % lies above 15 kB
SIGMA = 1.354  # of the log-normal distribution with this median and mean
FOLDERS = ("Inbox", "Работа", "Projects/2024", "Дом/Ремонт", "Reading", "Журнал", "")
HALF_BLOCK = 240  # bytes: a note ends with a whole block, so its size lies above the one drawn by half a block
MOST_BYTES = 10_000_000
LINKED, WIKILINKS, TAGGED = 0.15, 0.7, 0.05  # shares of sentences, and of their links
RUNS = 3
BAR = 15.0  # times obsidiantools' notes a second

READ_BY_OBSIDIANTOOLS = """
import json, sys, time
from pathlib import Path
import obsidiantools.api as otools
started, used = time.perf_counter(), time.process_time()
vault = otools.Vault(Path(sys.argv[1])).connect().gather()
seconds, cpu = time.perf_counter() - started, time.process_time() - used
print(json.dumps({"seconds": seconds, "cpu": cpu, "notes": len(vault.md_file_index)}))
"""


def main() -> int:
    options = _options()
    vault = generate(options.notes, "parsing-vault")
    recipe, counted_by = _recipe(vault)
    sizes = [path.stat().st_size for path in vault.rglob("*.md")]
    one = [measure(vault, recipe, 1) for _ in range(RUNS)]
    two = [measure(vault, recipe, 2) for _ in range(RUNS)]
    figures = [
        _speed("notes/s, one core", [run.by_clock for run in one]),
        _speed("notes/s, two cores", [run.by_clock for run in two]),
        _speed("notes/CPU second, one process", [run.by_cpu for run in one]),
        _speed("notes/CPU second, two processes", [run.by_cpu for run in two]),
    ]
    notes = [
        f"{len(sizes):,} notes, median {statistics.median(sizes):,.0f} bytes, mean {statistics.mean(sizes):,.0f},"
        f" {sum(size > 15_000 for size in sizes) / len(sizes):.1%} above 15 kB, half Russian; seed {SEED}.",
        f"Parse, chunk and links; tokens counted by {counted_by}. The start of the pool is included.",
        f"Largest memory of this process {_peak_mib(resource.RUSAGE_SELF):.0f} MiB,"
        f" of a worker {_peak_mib(resource.RUSAGE_CHILDREN):.0f} MiB.",
        f"By the clock the figures hold for an idle machine; the load was {os.getloadavg()[0]:.1f} at the end."
        " CPU seconds hold on a busy one, too.",
    ]
    theirs = _measure_obsidiantools(options.obsidiantools, options.sample)
    if theirs is None:
        notes.append(f"obsidiantools was not measured: name its Python by --obsidiantools or {VARIABLE}.")
    else:
        figures += [
            _speed("notes/s, obsidiantools", [run.by_clock for run in theirs]),
            _speed("notes/CPU second, obsidiantools", [run.by_cpu for run in theirs]),
            _ratio("times obsidiantools by the clock, two cores", two, theirs, lambda run: run.by_clock),
            _ratio("times obsidiantools by CPU seconds, one process", one, theirs, lambda run: run.by_cpu),
            _ratio("times obsidiantools by CPU seconds, two cores", two, theirs, lambda run: run.by_cpu, 2),
        ]
        notes.append(
            f"obsidiantools (connect, gather: links, front matter, tags, text; no chunks) read {options.sample:,} notes"
            f" made the same way; it uses one core. The bar is {BAR:.0f} times on two cores."
        )
    write_report("parsing", "Parsing", figures, notes)
    return 0


def generate(count: int, name: str) -> Path:
    """Return a folder of `count` generated notes, always the same ones."""
    vault = work_folder() / name
    made = vault / ".obsidian" / f"{SEED}-{count}"
    if made.exists():
        return vault
    shutil.rmtree(vault, ignore_errors=True)
    generator = random.Random(SEED)
    speech = _sentences()
    names = [_name(generator, speech, number) for number in range(count)]
    for number, path in enumerate(names):
        text = "".join(_note(generator, speech["ru" if number % 2 else "en"], names, number))
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, encoding="utf-8")
    made.parent.mkdir(exist_ok=True)
    made.touch()
    return vault


@dataclass(frozen=True, slots=True)
class Run:
    """Notes a second by the clock, and by the CPU time of all processes."""

    by_clock: float
    by_cpu: float


def measure(vault: Path, recipe: Recipe, cores: int) -> Run:
    """Read every note of a vault, from the file to chunks and resolved links."""
    started, used = time.perf_counter(), _cpu_seconds()
    listing = scan_vault(vault, ())
    resolver = LinkResolver(listing.names)
    reader = NoteReader(read_and_cut, vault, MOST_BYTES, recipe)
    notes = reader.run(listing.notes) if cores == 1 else read_on_cores(reader, listing.notes, cores)
    resolved = 0
    for read in notes:
        assert isinstance(read, ReadNote)
        resolved += sum(resolver.resolve(link.target, read.note.path) is not None for link in read.note.links)
    assert resolved
    count = len(listing.notes)
    return Run(count / (time.perf_counter() - started), count / (_cpu_seconds() - used))


def _cpu_seconds() -> float:
    """Return what this process and its finished children have used."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench parsing")
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=1_000)
    parser.add_argument("--obsidiantools", default=os.environ.get(VARIABLE, ""))
    return parser.parse_args()


def _recipe(vault: Path) -> tuple[Recipe, str]:
    settings = Settings()
    count, tokenizer = ModelPool.of(config_for(vault, "parsing", settings)).token_counter()
    return Recipe(count, tokenizer, settings.index.chunk_tokens, settings.index.chunk_tokens_max), tokenizer


def _speed(name: str, values: Sequence[float]) -> Figure:
    """Return the median of a few runs, between the slowest and the fastest."""
    return Figure(name, statistics.median(values), min(values), max(values), len(values))


def _ratio(name: str, ours: Sequence[Run], theirs: Sequence[Run], of: Callable[[Run], float], cores: int = 1) -> Figure:
    mine, other = [of(run) * cores for run in ours], [of(run) for run in theirs]
    middle = statistics.median(mine) / statistics.median(other)
    return Figure(name, middle, min(mine) / max(other), max(mine) / min(other), len(mine))


def _peak_mib(who: int) -> float:
    peak = resource.getrusage(who).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _measure_obsidiantools(python: str, sample: int) -> list[Run] | None:
    if not python:
        return None
    vault = generate(sample, "parsing-sample")
    speeds = []
    for _ in range(RUNS):
        run = subprocess.run(
            [python, "-c", READ_BY_OBSIDIANTOOLS, str(vault)], capture_output=True, text=True, check=True
        )
        told = json.loads(run.stdout.splitlines()[-1])
        speeds.append(Run(told["notes"] / told["seconds"], told["notes"] / told["cpu"]))
    return speeds


def _sentences() -> dict[str, list[str]]:
    """Return the sentences of the fixture vault by language: words as people write them."""
    found: dict[str, list[str]] = {"ru": [], "en": []}
    for path in sorted(FIXTURE.rglob("*.md")):
        note = parse_note(path.name, path.read_text(encoding="utf-8"))
        for block in note.blocks:
            text = note.text[block.start : block.end]
            if block.kind == "paragraph" and (language := language_of(text)):
                found[language] += [" ".join(text[a:b].split()) for a, b in sentences(text)]
    return found


def _name(generator: random.Random, speech: dict[str, list[str]], number: int) -> str:
    words = [word for word in generator.choice(speech["ru" if number % 2 else "en"]).split() if word.isalpha()][:3]
    name = " ".join([*words, str(number)])
    return f"{generator.choice(FOLDERS)}/{name}.md".lstrip("/")


def _note(generator: random.Random, speech: Sequence[str], names: Sequence[str], number: int) -> Iterator[str]:
    """Yield the blocks of one note until it has its size."""
    left = min(LARGEST, int(generator.lognormvariate(0, SIGMA) * MEDIAN)) - HALF_BLOCK
    if number % 3 == 0:
        yield f"---\ntags: [проект/{number % 17}, note]\naliases:\n  - псевдоним {number}\n"
        yield f"date: 2024-05-{number % 28 + 1:02}\n---\n"
    writer = _Writer(generator, speech, names)
    while True:
        block = writer.block()
        left -= len(block.encode())
        yield f"{block}\n\n"
        if left <= 0:
            return


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes blocks of Markdown from sentences and the names of other notes."""

    generator: random.Random
    speech: Sequence[str]
    names: Sequence[str]

    def block(self) -> str:
        kinds = (self._paragraph,) * 6 + (self._heading,) * 2 + (self._list,) * 3
        return self.generator.choice((*kinds, self._callout, self._table, self._code))()

    def _said(self) -> str:
        sentence = self._sentence()
        if self.generator.random() < LINKED:
            path = self.generator.choice(self.names)
            wiki = self.generator.random() < WIKILINKS
            name = path.rpartition("/")[2].removesuffix(".md")
            sentence += f" [[{name}]]" if wiki else f" [x]({path.replace(' ', '%20')})"
        if self.generator.random() < TAGGED:
            sentence += f" #тег{self.generator.randrange(50)}"
        return sentence

    def _sentence(self) -> str:
        return self.generator.choice(self.speech)

    def _paragraph(self) -> str:
        return " ".join(self._said() for _ in range(self.generator.randint(1, 5)))

    def _heading(self) -> str:
        return f"{'#' * self.generator.randint(1, 4)} {' '.join(self._sentence().split()[:5])}"

    def _list(self) -> str:
        mark = self.generator.choice(("- ", "- [ ] ", "- [x] ", "1. ", "  - "))
        return "\n".join(f"{mark}{self._said()}" for _ in range(self.generator.randint(2, 6)))

    def _callout(self) -> str:
        return f"> [!note] {self._sentence()[:30]}\n> {self._paragraph()}"

    def _table(self) -> str:
        rows = [f"| {row} | {self._sentence().replace('|', ' ')} |" for row in range(self.generator.randint(2, 6))]
        return "\n".join(["| n | что |", "|---|---|", *rows])

    def _code(self) -> str:
        lines = [f"value_{line} = {self.generator.random()}  # [[no link]]" for line in range(5)]
        return "\n".join(["```python", *lines, "```"])


if __name__ == "__main__":
    sys.exit(main())
