"""`vaultrag answers show`: what became of the sources of a saved answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.served import NOTES, REPLY, write_notes
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings
from vaultrag.domain import AnswerReady, Keep
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace

BOILER = "Дом/Бойлер.md"


@pytest.fixture
def note(tmp_path: Path) -> Path:
    write_notes(tmp_path / "vault")
    return tmp_path / "vault" / BOILER


@pytest.fixture
def show(tmp_path: Path, note: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Save an answer about a note; return how to print it."""
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, None, ScriptedModel([REPLY])) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        *_, last = workspace.ask("Когда поменяли картридж в бойлере?", Keep(saved=True))
    assert isinstance(last, AnswerReady)
    places = ("--vault", str(config.vault), "--home", str(config.home))

    def refuse(*_: object) -> None:
        raise AssertionError("no server is started here")

    def printed() -> str:
        assert main(["answers", "show", last.answer.saved, *places], refuse) == 0
        return " ".join(capsys.readouterr().out.split())

    return printed


@pytest.fixture
def checked(tmp_path: Path, show: Callable[[], str], capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return how to hold the saved answer against its note."""
    places = ("--vault", str(tmp_path / "vault"), "--home", str(tmp_path / "home"))

    def printed(*arguments: str) -> str:
        assert main([*arguments, *places], lambda *_: None) == 0
        return " ".join(capsys.readouterr().out.split())

    return printed


def test_check_tells_old_and_new_words(note: Path, checked: Callable[..., str]) -> None:
    assert "holds" in checked("answers", "check")
    assert "Every saved answer holds." in checked("answers", "list", "--changed")
    note.write_text(NOTES[BOILER].replace("12 мая 2024", "3 июня 2025"), encoding="utf-8")
    told = checked("answers", "check")
    assert "changed" in told
    assert "12 мая 2024" in told
    assert "Line 3 reads now: “Картридж в бойлере поменяли 3 июня 2025 года.”" in told
    assert "бойлере" in checked("answers", "list", "--changed")
    answer = json.loads(checked("answers", "check", "--json"))["answers"][0]
    assert (answer["fate"], answer["sources"][0]["fate"]) == ("changed", "changed")
    note.unlink()
    assert "cannot be read now" in checked("answers", "check")
    checked("index")
    assert "source gone" in checked("answers", "check")
    assert "source gone" in checked("answers", "show", answer["id"])


def test_cosmetic_edits_are_no_change(note: Path, show: Callable[[], str]) -> None:
    note.write_text(NOTES[BOILER].replace("12 мая", "**12\u00a0мая**"), encoding="utf-8")
    assert "now" not in show()


def test_moved_line_is_told(note: Path, show: Callable[[], str]) -> None:
    note.write_text("Новая строка.\n\n" + NOTES[BOILER], encoding="utf-8")
    assert "stand in line 5 now, under “Бойлер”" in show()


def test_changed_line_is_told_with_what_it_says_now(note: Path, show: Callable[[], str]) -> None:
    note.write_text(NOTES[BOILER].replace("12 мая 2024", "3 июня 2025"), encoding="utf-8")
    assert "line 3 now reads: “Картридж в бойлере поменяли 3 июня 2025 года.”" in show()


def test_vanished_line_is_told(note: Path, show: Callable[[], str]) -> None:
    note.write_text("Теперь о другом.\n", encoding="utf-8")
    assert "do not stand in the note any more" in show()
