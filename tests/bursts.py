"""Bursts of changes while `vaultrag watch` runs: very many files at once, whole folders, another root."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vaultrag.config import Config, Settings
from vaultrag.domain import FileStat
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
from vaultrag.vault.files import note_suffixes, read_note, scan_vault
from vaultrag.vault.parsing.parse import content_hash

TEXTS = ("# Заметка {0}\n\nКартридж в бойлере, см. [[note-{1}]].\n", "# Note {0}\n\nThe backup of [[note-{1}]] ran.\n")
DEPTH = 4  # of the nested folders
WAITED_SECONDS = 900.0  # for the watcher to come up to a burst, on a busy machine
CHANGED, DELETED = 7, 23  # in the new root every so manieth note is another, or missing


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the bursts are. A folder that is moved out is no more than a fifth of the notes."""

    files: int
    folders: int
    moved: int


@dataclass(frozen=True, slots=True)
class Lack:
    """Notes whose text the index does not hold, and notes that it holds and the vault does not."""

    missed: int
    ghosts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the index lacked after a burst: by watching alone, `seconds` after it, and after one more `index`."""

    burst: str
    seconds: float
    watching: Lack
    reconciled: Lack


class Bursts:
    """A vault in `root`, and bursts over it. There are no models: words and links are indexed."""

    def __init__(self, root: Path, scale: Scale) -> None:
        self.scale = scale
        self.config = Config(vault=root / "vault", home=root / "home", models=root / "none", settings=Settings())
        self.outside = root / "outside"

    def run(self) -> Iterator[Outcome]:
        """Run every burst, one after the other."""
        vault, scale = self.config.vault, self.scale
        write_notes(vault, range(scale.files, scale.files + 10), 1)
        write_notes(self.outside / "folder", range(2 * scale.files, 2 * scale.files + scale.moved), 5)
        yield self._burst("many files at once", lambda: write_notes(vault, range(scale.files), scale.folders))
        yield self._burst("a folder moved in", lambda: _move(self.outside / "folder", vault / "moved in"))
        yield self._burst("a folder renamed", lambda: _move(vault / "moved in", vault / "глубже" / "Переименована"))
        yield self._burst("a folder moved out", lambda: _move(vault / "глубже", self.outside / "глубже"))
        yield self._burst("the root replaced", self._replace_root)

    def lack(self) -> Lack:
        """Compare the texts in the vault with those that the index was made from."""
        there = {stat.path: stat for stat in self._listing()}
        with open_database(self.config.database_path, Access.READ) as database:
            known: dict[str, str] = dict(database.rows("SELECT path, content_hash FROM notes"))
        most = self.config.settings.vault.max_note_bytes
        hashes = {path: content_hash(read_note(self.config.vault, stat, most)) for path, stat in there.items()}
        return Lack(sum(known.get(path) != digest for path, digest in hashes.items()), len(known.keys() - there.keys()))

    def _burst(self, name: str, burst: Callable[[], None]) -> Outcome:
        with self._watching() as lines:
            next(lines)  # it has looked at everything once
            burst()
            began = time.monotonic()
            for line in lines:
                if self._is_up_to_date(json.loads(line)):
                    break
            seconds, watching = time.monotonic() - began, self.lack()
        with self._run("index", "--accept-deletions") as reconcile:
            reconcile.communicate()
        return Outcome(name, seconds, watching, self.lack())

    def _is_up_to_date(self, told: dict[str, object]) -> bool:
        """Tell whether nothing more will come: all is there, or deletions are held back for the user to accept."""
        with open_database(self.config.database_path, Access.READ) as database:
            known = set(database.column("SELECT path FROM notes"))
        there = {stat.path for stat in self._listing()} if self.config.vault.is_dir() else set()
        return there <= known and (known == there or bool(told["attention"])) and not self.lack().missed

    @contextlib.contextmanager
    def _watching(self) -> Iterator[Iterator[str]]:
        """Run the watcher; yield its lines, which end with it when it takes too long."""
        with self._run("watch", "--json") as process:
            timer = threading.Timer(WAITED_SECONDS, process.kill)
            timer.start()
            try:
                assert process.stdout is not None
                yield iter(process.stdout)
            finally:
                timer.cancel()
                process.terminate()  # a shell's background jobs never hear SIGINT
                process.communicate()

    def _run(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "vaultrag", *arguments]
        places = ["--vault", str(self.config.vault), "--home", str(self.config.home)]
        environment = {**os.environ, "VAULTRAG_MODELS": str(self.config.models), "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            [*command, *places], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", env=environment
        )

    def _listing(self) -> list[FileStat]:
        section = self.config.settings.vault
        return scan_vault(self.config.vault, section.ignore, note_suffixes(section)).notes

    def _replace_root(self) -> None:
        """Put another folder in the vault's place: most notes are the same, some are changed, some are missing."""
        other, vault = self.outside / "other root", self.config.vault
        shutil.copytree(vault, other)
        for number, note in enumerate(sorted(other.rglob("*.md"))):
            if number % DELETED == 0:
                note.unlink()
            elif number % CHANGED == 0:
                note.write_text(f"# Другая заметка {number}\n\nAnother text.\n", encoding="utf-8")
        _move(vault, self.outside / "old root")
        _move(other, vault)


def write_notes(root: Path, numbers: Iterable[int], folders: int) -> None:
    """Write notes into so many nested folders, all as fast as it goes."""
    (root / ".obsidian").mkdir(parents=True, exist_ok=True)
    for number in numbers:
        place = number % folders
        folder = root.joinpath(*(f"папка {place // (level + 1)}" for level in range(place % DEPTH, -1, -1)))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"note-{number}.md").write_text(TEXTS[number % 2].format(number, number // 2), encoding="utf-8")


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
