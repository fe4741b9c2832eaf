"""Every command on a disk that is full, or full a little later: done, or refused whole, and done when there is room."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import home_damage
from tests.disks import BLOCK, Disk, mounted
from tests.doubles import ScriptedModel
from tests.faulty import DEADLINE, NO_FAULT, ran, started, until
from tests.following import following
from tests.home_damage import Answers, Said, answers, command
from vaultrag.cli.client import find_server, server_health
from vaultrag.cli.main import main
from vaultrag.config import Settings, WatchSection, read_settings
from vaultrag.domain import Answer, AnswerReady, Keep
from vaultrag.errors import DiskFull
from vaultrag.records.export import export_records
from vaultrag.runtime.pool import ModelPool
from vaultrag.store import opening
from vaultrag.store.opening import open_database
from vaultrag.store.schema import MIGRATIONS, SCHEMA_VERSION, Migration, Reparse
from vaultrag.workspace import Ownership, Workspace

pytestmark = pytest.mark.skipif(os.name != "posix", reason="mounts")

ROOM = "160m"  # what building Chroma asks for before it begins, and some more
NOTE = "Проекты/Пчела/Пчела.md"
QUICK = Settings(watch=WatchSection(quiet_seconds=0.05, longest_wait_seconds=1.0))
LEFT = (
    0,
    pytest.param(8_192, marks=pytest.mark.long),  # bytes: one page of SQLite's log
    pytest.param(65_536, marks=pytest.mark.long),  # what SQLite shares
    pytest.param(300_000, marks=pytest.mark.long),  # half an index
)
SHORT_LINE = 60  # bytes of the server's log for a request, at least
FULL = DiskFull.exit_code


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    home_damage.build(folder)
    other = folder / "other"
    shutil.copytree(folder / "home", other / "home")
    config = home_damage.config_of(other)
    with open_database(config.database_path) as database:
        export_records(config, database, folder / "kept.export")
    return folder


@pytest.fixture(autouse=True)
def words_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without an embedder."""
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, None, None))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk") as made:
        yield made


def edit(folder: Path) -> None:
    text = "\n\n".join(f"# Глава {number}\n\nГречишный мёд {number}." for number in range(200))
    (folder / "vault" / NOTE).write_text(text, encoding="utf-8")


def damage_index(folder: Path) -> None:
    with (folder / "home" / "index.sqlite3").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(bytes(range(256)) * 16)


def lose_records(folder: Path) -> None:
    for name in ("index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm", "journal.jsonl"):
        (folder / "home" / name).unlink()


def nothing(_: Path) -> None:
    """The home is as it was."""


@dataclass(frozen=True, slots=True)
class Action:
    """A command, and what comes before it while there is room. `{}` in an argument stands for the folder."""

    arguments: tuple[str, ...]
    before: Callable[[Path], None] = nothing


ACTIONS = {
    "search": Action(("search", "осмотр ульев", "--no-server")),
    "status": Action(("status",)),
    "check": Action(("check", "--deep")),
    "index": Action(("index",), edit),
    "ask later": Action(("ask", "Когда кормить пчёл?", "--deep", "--later", "--no-server")),
    "jobs wait": Action(("jobs", "wait")),
    "answers delete": Action(("chats", "delete", "пчёлы")),
    "export": Action(("export", "{}/home/backup.export")),
    "import": Action(("import", "{}/kept.export"), lose_records),
    "forget": Action(("forget", NOTE, "--yes")),
    "repair": Action(("repair",), damage_index),
}


def run(folder: Path, action: Action) -> Said:
    return command(folder, *(argument.replace("{}", str(folder)) for argument in action.arguments))


def prepared(base: Path, folder: Path, place: Path, action: Action) -> Path:
    """Lay out a vault, and a home at some place, ready for a command."""
    shutil.copytree(base / "vault", folder / "vault")
    shutil.copytree(base / "home", place / "home")
    (folder / "home").symlink_to(place / "home")
    shutil.copy(base / "kept.export", folder / "kept.export")
    action.before(folder)
    return folder


def seen(folder: Path) -> tuple[list[list[tuple[str, str, float]]], list[int]]:
    """Return what a search finds and how many records there are; their names are drawn anew each time."""
    command(folder, "index")
    found: Answers = answers(folder, None)
    return found.passages, [len(records) for records in found.records.values()]


@pytest.mark.slow
@pytest.mark.parametrize("leaving", LEFT)
@pytest.mark.parametrize("name", ACTIONS)
def test_command_on_a_full_disk(base: Path, disk: Disk, tmp_path: Path, name: str, leaving: int) -> None:
    action = ACTIONS[name]
    control = prepared(base, tmp_path / "control", tmp_path, action)
    assert run(control, action).code == 0
    folder = prepared(base, tmp_path / "trial", disk.resize(ROOM), action)
    disk.fill(leaving)
    said = run(folder, action)
    assert said.code in (0, FULL), said
    if said.code:
        assert (said.error["error"], bool(said.error["remedy"])) == ("DiskFull", True)
    disk.free()
    if said.code:
        (folder / "home" / "backup.export").unlink(missing_ok=True)
        assert run(folder, action).code == 0
    assert seen(folder) == seen(control)
    assert home_damage.findings(command(folder, "check", "--deep")) == []


def test_answer_that_cannot_be_saved_is_given_all_the_same(base: Path, disk: Disk, tmp_path: Path) -> None:
    folder = prepared(base, tmp_path, disk.resize(ROOM), ACTIONS["index"])

    def ask() -> Answer:
        with Workspace.with_models(
            home_damage.config_of(folder), Ownership.READ, None, ScriptedModel(["Осмотр был в мае."])
        ) as workspace:
            *_, last = workspace.ask("Когда осмотр ульев?", Keep(saved=True))
        assert isinstance(last, AnswerReady)
        return last.answer

    with open_database(home_damage.config_of(folder).database_path):  # so that what SQLite shares is there
        disk.fill()
        answer = ask()
        assert answer.text
        assert "could not be saved: There is no space left" in answer.warnings[-1]
        disk.free()
        assert ask().saved
    assert [len(records) for records in answers(folder, None).records.values()] == [3, 1, 1, 1, 1]


@pytest.mark.slow
def test_settings_that_find_no_room_are_not_half_written(
    disk: Disk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "vault").mkdir()
    home = disk.resize(ROOM) / "home"
    home.mkdir()
    init = ["init", "--vault", str(tmp_path / "vault"), "--home", str(home)]
    disk.fill(BLOCK)
    assert main(init, refuse_to_serve) == FULL
    assert "no space left" in capsys.readouterr().err
    assert list(home.iterdir()) == []
    disk.free()
    assert main(init, refuse_to_serve) == 0
    assert read_settings(home / "config.toml").vault.path == str(tmp_path / "vault")


def refuse_to_serve(*_: object) -> None:
    raise AssertionError("no server is started here")


@pytest.mark.slow
def test_migration_without_room_leaves_the_index_as_it_was(
    base: Path, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = prepared(base, tmp_path, disk.resize(ROOM), ACTIONS["index"])
    config = home_damage.config_of(folder)
    command(folder, "index")
    before = answers(folder, None)
    fat = "CREATE TABLE fat AS SELECT one.text FROM chunks AS one, chunks AS other, chunks AS third LIMIT 20000;"
    later = Migration(SCHEMA_VERSION + 1, fat, Reparse.KEEP)
    with monkeypatch.context() as newer:
        newer.setattr(opening, "MIGRATIONS", (*MIGRATIONS, later))
        newer.setattr(opening, "SCHEMA_VERSION", later.to)
        disk.fill(1_000_000)
        with pytest.raises(DiskFull), open_database(config.database_path):
            pass
        disk.free()
    assert answers(folder, None) == before
    assert home_damage.findings(command(folder, "check", "--deep")) == []
    monkeypatch.setattr(opening, "MIGRATIONS", (*MIGRATIONS, later))
    monkeypatch.setattr(opening, "SCHEMA_VERSION", later.to)
    with open_database(config.database_path) as database:
        assert database.value("SELECT count(*) FROM fat") == 20_000
    assert answers(folder, None) == before


def test_follower_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    base: Path, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaultrag.jobs.follow.TRY_SECONDS", 0.2)
    folder = prepared(base, tmp_path, disk.resize(ROOM), ACTIONS["search"])
    with following(home_damage.config_of(folder).model_copy(update={"settings": QUICK})) as followed:
        disk.fill()
        edit(folder)
        followed.until(lambda: followed.attention() == "DiskFull")
        assert followed.finds("прошивка")
        assert followed.finds("гречишный") == []
        disk.free()
        followed.until(lambda: followed.finds("гречишный") == [NOTE])
        followed.until(lambda: followed.attention() == "")


@pytest.mark.long
def test_server_on_a_full_disk_answers_and_says_so_and_goes_on(base: Path, disk: Disk, tmp_path: Path) -> None:
    folder = prepared(base, tmp_path, disk.resize(ROOM), ACTIONS["search"])
    config = home_damage.config_of(folder)
    with started(NO_FAULT, folder, "serve", "--port", "0") as process:
        try:
            until(lambda: server_health(config) is not None, process)
            client = find_server(config)
            assert client is not None
            with contextlib.closing(client):
                until(lambda: client.health().watching != "", process)
                disk.fill()
                edit(folder)
                until(lambda: client.health().attention == "DiskFull", process)
                attention = client.status().attention
                assert attention is not None
                assert "no space left" in attention.message
                shown = json.loads(ran(NO_FAULT, folder, "status")[1])
                assert shown["attention"]["kind"] == "DiskFull"
                for _ in range(BLOCK // SHORT_LINE):  # so that the log needs another block
                    assert client.search("прошивка", 5, "words").passages
                with pytest.raises(DiskFull):
                    client.index("guard", lambda *_: None)
                disk.free()
                until(lambda: NOTE in {hit.path for hit in client.search("гречишный", 5, "words").passages}, process)
                until(lambda: client.health().attention == "", process)
                client.ask_to_stop()
            assert process.wait(DEADLINE) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""
        finally:
            process.kill()
