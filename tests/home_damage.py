"""A home with every file that one can hold, what can happen to a file, and what the commands then say."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests import flips
from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings
from vaultrag.domain import Analysis, JobBudget, Keep, Manner, Mode, Verdict, VerdictState
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.jobs.later import question_order
from vaultrag.records.analyses import AnalysisArchive
from vaultrag.records.queue import JobQueue
from vaultrag.store.endpoint import Endpoint, announce, ensure_token
from vaultrag.store.integrity.check_home import SET_ASIDE
from vaultrag.store.records import Kind, read_bodies
from vaultrag.workspace import Ownership, Workspace

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "vault"
FOLDERS = ("Проекты", "English notes")
ANALYSIS = Analysis("Проекты/Пчела/Пчела.md", "Пчела", "Пчела", "", "problem", "ru", (), (), 0)
QUERIES = ("осмотр ульев", "маяк бэкап", "phrases for code review", "сколько стоит датчик", "idioms")
QUESTION = "Когда осмотр ульев?"
SETTINGS = '[vault]\nmax_note_bytes = 4000000\n\n[search]\npassages = 7\n\n[answering]\nsave = false # "нет"\n'
NOBODY_LISTENS = Endpoint(2**22 + 1, "127.0.0.1", 9, "0.0.1", "gone")  # a process id that none can have


Damage: TypeAlias = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    error: dict[str, str]


def config_of(folder: Path) -> Config:
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())


def command(folder: Path, *arguments: str) -> Said:
    """Run one command as `vaultrag` would, without a server of its own."""
    places = ("--vault", str(folder / "vault"), "--home", str(folder / "home"), "--json")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*arguments, *places], _no_server)
    fault = json.loads(err.getvalue()) if code and err.getvalue() else {}
    return Said(code, out.getvalue(), fault)


def build(folder: Path) -> None:
    """Make a vault, and a home that holds every file there can be.

    An index, answers, a verdict, traces of a server, of a repair, and of a kill that left SQLite's log.
    """
    for name in FOLDERS:
        shutil.copytree(FIXTURE / name, folder / "vault" / name)
    (folder / "vault" / "English notes" / "Secret.md").write_text(
        "Nobody shall know of the walrus.\n", encoding="utf-8"
    )
    config = config_of(folder)
    config.home.mkdir(mode=0o700)
    (config.home / "config.toml").write_text(SETTINGS, encoding="utf-8")
    embedder, model = HashEmbedder(), ScriptedModel(["Осмотр был в мае."] * 2)
    with Workspace.with_models(config, Ownership.OWN, embedder, model) as workspace:
        workspace.index(_unwatched, DeletionPolicy.GUARD)
        workspace.forgetting.forget("English notes/Secret.md", _unwatched)
        workspace.index(_unwatched, DeletionPolicy.GUARD)
        list(workspace.ask(QUESTION, Keep(saved=True)))
        list(workspace.ask(QUESTION, Keep(chat="пчёлы")))
        workspace.archive.decide(Verdict("спор", VerdictState.DISMISSED, ("Проекты/Пчела/Пчела.md",)))
        later = question_order("Когда кормить пчёл?", Manner(mode=Mode.DEEP), JobBudget(30, 5000))
        JobQueue(workspace.config, workspace.database).submit(later)
        AnalysisArchive(workspace.config, workspace.database).keep("разбор", ANALYSIS, None)
        as_killed = {path: path.read_bytes() for path in config.home.glob("index.sqlite3*")}
    for path, content in as_killed.items():
        path.write_bytes(content)
    ensure_token(config.token_path)
    announce(config.home, NOBODY_LISTENS)
    config.log_path.write_text("2026-01-01 INFO vaultrag.server: serving\n", encoding="utf-8")
    state = config.states_path / "0123456789abcdef" / "feedface-00000000.state"
    state.parent.mkdir(parents=True, mode=0o700)
    state.write_bytes(os.urandom(4096))
    kept = config.home / SET_ASIDE / "20260101-000000" / "index.sqlite3"
    kept.parent.mkdir(parents=True, mode=0o700)
    kept.write_bytes(config.database_path.read_bytes())


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace_by_a_folder(path: Path) -> None:
    remove(path)
    (path / "чужое").mkdir(parents=True)


def replace_by_a_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("чужое", encoding="utf-8")


def remove(path: Path) -> None:
    path.unlink()


def overwrite(path: Path) -> None:
    """Put noise in the place of the whole content: another program's file under our name."""
    path.write_bytes(bytes((index * 89 + 13) % 256 for index in range(max(300, path.stat().st_size))))


def flip(share: float) -> Damage:
    """Flip one bit so far into the file."""

    def damage(path: Path) -> None:
        size = path.stat().st_size
        flips.flip(path, min(int(size * share), size - 1), 2)

    return damage


def flip_class(kind: str) -> Damage:
    """Flip a low bit of the last byte of a class."""

    def damage(path: Path) -> None:
        content = path.read_bytes()
        found = [at for at, byte in enumerate(content) if BYTE_CLASSES[kind](byte)]
        if not found:
            pytest.skip(f"the file has no {kind}")
        flips.flip(path, found[len(found) // 2], 0)

    return damage


BYTE_CLASSES: dict[str, Callable[[int], bool]] = {
    "digit": lambda byte: chr(byte) in "0123456789",
    "letter": lambda byte: chr(byte) in "abcdefghijklmnopqrstuvwxyz",
    "mark": lambda byte: chr(byte) in '{}[]":,=-',
    "line end": lambda byte: byte == 10,
    "Cyrillic": lambda byte: byte >= 128,
}
ANY_FILE = {"emptied": truncate, "halved": cut, "a folder": replace_by_a_folder, "gone": remove, "noise": overwrite}
BINARY = {"first bit": flip(0), "middle bit": flip(0.5), "last bit": flip(1)}
TEXT = {f"flipped {kind}": flip_class(kind) for kind in BYTE_CLASSES}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person sees of an index: passages with their scores, and what cannot be rebuilt."""

    passages: list[list[tuple[str, str, float]]]
    records: dict[str, dict[str, dict[str, Any]]]


def answers(folder: Path, embedder: HashEmbedder | None) -> Answers:
    """Ask everything, by meaning too where there is an embedder. Raises what reading raises."""
    config = config_of(folder)
    with Workspace.with_models(config, Ownership.READ, embedder, None) as workspace:
        passages = [
            [
                (found.chunk.path, found.chunk.text, round(found.score, 6))
                for found in workspace.search(query, 10).passages
            ]
            for query in QUERIES
        ]
        records = {str(kind): read_bodies(workspace.database, kind) for kind in Kind}
    return Answers(passages, records)


def findings(said: Said) -> list[str]:
    """Return what a check found, infos aside; an error that it ended with counts."""
    if said.error:
        return [said.error["error"]]
    return [one["invariant"] for one in json.loads(said.out)["findings"] if one["severity"] != "info"]


def _no_server(*_: object) -> None:
    raise AssertionError("no server is started here")


def _unwatched(_phase: str, _done: int, _total: int) -> None:
    """Nobody watches."""
