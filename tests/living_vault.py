"""A small vault that lives: seeded notes in both languages, and the edits, moves and deletions of a working person."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SENTENCES = (
    "Картридж в бойлере поменяли весной, хватает на полгода.",
    "Насос в подвале шумит, когда ёмкость наполовину пуста.",
    "Пасека под Кунгуром пережила зиму, матка жива.",
    "Договор аренды продлён до сентября следующего года.",
    "Рейтинг Сони вырос после турнира в Казани.",
    "Сервер маяк переехал на новую плату без потерь.",
    "The nightly backup of the lighthouse server runs at half past three.",
    "Connection storms ended once the pool was bounded.",
    "The matcher outage was caused by a stale toll table.",
    "Queen bees decide nothing; the swarm votes by dancing.",
    "A restore that was never tried is no backup.",
    "Rust lifetimes inside a graph struct need an arena.",
)
NAMES = "Бойлер Пасека Маяк Договор Насос Турнир Backup Routing Matcher Swarm Restore Lifetimes".split()
FOLDERS = ("", "Дом", "Дом/Ремонт", "Work", "Work/ADR", "Журнал", "Reading")
FEWEST = 10  # notes that stay, whatever is deleted
OFTEN, SELDOM = 4, 1  # how much likelier a person edits than renames folders


@dataclass(slots=True)
class LivingVault:
    """The notes under `root`; every change is drawn from `random`, so a seed tells the whole story."""

    root: Path
    random: random.Random
    written: int = 0

    def create(self, count: int) -> None:
        """Write the first notes, and what Obsidian keeps beside them."""
        (self.root / ".obsidian").mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            self.add()

    def change(self, count: int) -> list[str]:
        """Make some changes; return their names."""
        kinds: list[tuple[Callable[[], None], int]] = [
            (self.edit, OFTEN),
            (self.rewrite, OFTEN),
            (self.add, OFTEN),
            (self.delete, OFTEN),
            (self.move, OFTEN),
            (self.rename, OFTEN),
            (self.copy, SELDOM),
            (self.swap, SELDOM),
            (self.save_again, SELDOM),
            (self.save_in_place, SELDOM),
            (self.attach, SELDOM),
            (self.rename_folder, OFTEN),
            (self.move_folder, SELDOM),
            (self.rename_case, SELDOM),
        ]
        chosen = self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds], k=count)
        for change in chosen:
            change()
        return [change.__name__ for change in chosen]

    def notes(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*.md") if path.is_file())

    def add(self) -> None:
        folder = self.root / self.random.choice(self._folder_names())
        folder.mkdir(parents=True, exist_ok=True)
        self._write(folder / f"{self._fresh_name()}.md", self._text())

    def edit(self) -> None:
        note = self._any_note()
        self._write(note, note.read_text(encoding="utf-8") + f"\n{self._paragraph()}\n")

    def rewrite(self) -> None:
        self._write(self._any_note(), self._text())

    def delete(self) -> None:
        notes = self.notes()
        if len(notes) > FEWEST:
            self.random.choice(notes).unlink()

    def move(self) -> None:
        note = self._any_note()
        folder = self.root / self.random.choice(self._folder_names())
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / note.name).exists():
            note.rename(folder / note.name)

    def rename(self) -> None:
        note = self._any_note()
        note.rename(note.with_name(f"{self._fresh_name()}.md"))

    def copy(self) -> None:
        note = self._any_note()
        shutil.copyfile(note, note.with_name(f"{self._fresh_name()}.md"))

    def swap(self) -> None:
        one, other = self.random.sample(self.notes(), 2)
        aside = one.with_name("aside.tmp")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)

    def save_again(self) -> None:
        note = self._any_note()
        written = note.stat().st_mtime_ns + self.random.choice((-3_600_000_000_000, 1, 1_000_000_000))
        os.utime(note, ns=(written, written))

    def save_in_place(self) -> None:
        """As some editors do: the file is empty for a moment."""
        note = self._any_note()
        text = self._text()
        note.write_bytes(b"")
        note.write_text(text, encoding="utf-8")

    def attach(self) -> None:
        (self.root / f"{self.random.choice(NAMES)}.png").write_bytes(b"\x89PNG")

    def rename_folder(self) -> None:
        folders = self._folders()
        if folders:
            folder = self.random.choice(folders)
            folder.rename(folder.with_name(f"{self._fresh_name()} folder"))

    def move_folder(self) -> None:
        folders = self._folders()
        if len(folders) > 1:
            folder, into = self.random.sample(folders, 2)
            if folder not in (into, *into.parents) and not (into / folder.name).exists():
                folder.rename(into / folder.name)

    def rename_case(self) -> None:
        note = self._any_note()
        other = note.with_name(note.stem.swapcase() + ".md")
        if not other.exists():
            note.rename(other)

    def _write(self, path: Path, text: str) -> None:
        """Half of the writes replace the file by one that was written beside it, as sync tools do."""
        if self.random.random() < 0.5:
            path.write_text(text, encoding="utf-8")
            return
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)

    def _text(self) -> str:
        head = ""
        if self.random.random() < 0.3:
            alias, tag = f"псевдоним {self.random.randrange(30)}", f"t{self.random.randrange(5)}"
            head = f"---\naliases: [{alias}]\ntags: [проба, {tag}]\n---\n"
        sections = [f"# {self.random.choice(NAMES)}\n", *(self._section() for _ in range(self.random.randrange(4)))]
        return head + "\n".join(sections)

    def _section(self) -> str:
        return f"## {self.random.choice(NAMES)} {self.random.randrange(9)}\n\n{self._paragraph()}\n"

    def _paragraph(self) -> str:
        said = " ".join(self.random.choices(SENTENCES, k=self.random.randint(1, 5)))
        link = self.random.choice(
            (
                "",
                f" [[{self._target()}]]",
                f" [[псевдоним {self.random.randrange(30)}]]",
                f"\n\n![[{self._target()}]]",
                f" ![[{self.random.choice(NAMES)}.png]]",
                f" #tag{self.random.randrange(9)}",
                f"\n\n- [ ] {self.random.choice(SENTENCES)} {self.random.randrange(1000)}",
            )
        )
        return said + link

    def _target(self) -> str:
        """Name a note that is there, was there, or will be."""
        return f"{self.random.choice(NAMES)} {self.random.randrange(self.written + 5)}"

    def _fresh_name(self) -> str:
        self.written += 1
        return f"{self.random.choice(NAMES)} {self.written}"

    def _any_note(self) -> Path:
        return self.random.choice(self.notes())

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*") if path.is_dir() and ".obsidian" not in path.parts)

    def _folder_names(self) -> list[str]:
        return [*FOLDERS, *(path.relative_to(self.root).as_posix() for path in self._folders())]
