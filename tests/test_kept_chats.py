"""Chats and traces through export, import, check and repair, as they are typed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, ScriptedModel
from tests.served import NOTES, write_notes
from vaultrag.cli.main import main
from vaultrag.config import Config
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.endpoint import Endpoint
from vaultrag.store.opening import open_database

pytestmark = pytest.mark.slow
QUESTION, FOLLOW_UP = "Когда поменяли картридж в бойлере?", "а сколько он стоил?"
BACKUP = "When does the restic backup of mayak run?"
SAID = "Картридж в бойлере поменяли 12 мая 2024 года."
Run = Callable[..., str]


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must end well, and return what it prints; the vault holds two chats and two traces."""
    model = ScriptedModel([SAID])
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, HashEmbedder(), model))
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    write_notes(tmp_path / "vault", NOTES)

    def command(*arguments: str, typed: str = "", home: str = "home") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        capsys.readouterr()
        places = ["--vault", str(tmp_path / "vault"), "--home", str(tmp_path / home)]
        code = main([*arguments, *places], _refuse_to_serve)
        shown = capsys.readouterr()
        assert code == 0, shown.err
        return shown.out

    command("index")
    command("chat", "дом", "--no-server", typed=f"{QUESTION}\n{FOLLOW_UP}\n/deep\n")
    command("chat", "servers", "--no-server", typed=f"{BACKUP}\n/deep\n")
    return command


def chats(run: Run, home: str = "home") -> dict[str, object]:
    """Return what is kept of both chats, whole."""
    return {name: json.loads(run("chats", "show", name, "--json", home=home)) for name in ("дом", "servers")}


def test_chats_arrive_whole_in_an_empty_home_and_traces_do_not(run: Run, tmp_path: Path) -> None:
    kept = chats(run)
    assert len(json.loads(run("traces", "list", "--json"))["traces"]) == 2
    file = tmp_path / "out.jsonl.gz"
    assert "5 answers" in run("export", str(file))
    assert "5 were added" in run("import", str(file), home="other")
    assert chats(run, "other") == kept
    assert json.loads(run("traces", "list", "--json", home="other"))["traces"] == []


def test_follow_up_leans_on_an_imported_chat(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl.gz"
    run("export", str(file))
    run("import", str(file), home="other")
    run("index", home="other")
    answer = json.loads(run("ask", "а почему?", "--chat", "дом", "--deep", "--json", "--no-server", home="other"))
    trace = json.loads(run("traces", "show", answer["trace"], "--json", home="other"))
    assert "картридж" in trace["steps"][0]["detail"]


def test_chats_outlive_an_index_that_is_noise_and_are_sound_afterwards(run: Run, tmp_path: Path) -> None:
    kept = chats(run)
    database = tmp_path / "home" / "index.sqlite3"
    database.write_bytes(b"noise" * 4000)
    run("repair")
    assert chats(run) == kept
    found = json.loads(run("check", "--deep", "--json"))["findings"]
    assert [finding for finding in found if finding["severity"] == "error"] == []
    answer = json.loads(run("ask", BACKUP, "--deep", "--json", "--no-server"))
    assert [one["id"] for one in json.loads(run("traces", "list", "--json"))["traces"]] == [answer["trace"]]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE trace_steps SET detail = detail || 'x' WHERE trace_id = ?",
        "UPDATE traces SET question = 'x' WHERE id = ?",
        "UPDATE trace_steps SET checksum = 0 WHERE trace_id = ?",
    ],
)
def test_damaged_trace_costs_neither_the_other_one_nor_the_chats(run: Run, tmp_path: Path, damage: str) -> None:
    kept = chats(run)
    sound, wrong = (one["id"] for one in json.loads(run("traces", "list", "--json"))["traces"])
    with open_database(tmp_path / "home" / "index.sqlite3") as database, database.atomic():
        database.run(damage, (wrong,))
    assert "trace" in run("repair")
    assert [one["id"] for one in json.loads(run("traces", "list", "--json"))["traces"]] == [sound]
    assert chats(run) == kept
