"""`vaultrag chat` with its lines out of a pipe: the answers, and what is said beside them once and no more."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import LeaningModel
from tests.served import write_notes
from vaultrag.answering.judging.calibration import WORDING
from vaultrag.answering.judging.calibration_files import (
    KnownCalibration,
    KnownRecord,
    KnownThresholds,
    keep_calibration,
)
from vaultrag.cli.main import main
from vaultrag.config import Config
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.endpoint import Endpoint

QUESTION = "Когда поменяли картридж в бойлере?"
SAID = "Картридж в бойлере поменяли 12 мая 2024 года."
PRICE = "Новый стоил 95 лари."
DOUBT = (
    "На других заметках отказано верно: 34 из 40 пробных вопросов без ответа; "
    "место приведено: 31 из 40 вопросов, где оно известно."
)
Run = Callable[..., int]


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


@pytest.fixture
def answers() -> float:
    """How far the model leans to a Yes, where -1 and 1 are the lines."""
    return 0.0


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: float) -> Run:
    """Run commands over an indexed vault, with the lines to type; the model was measured elsewhere."""
    leanings = {"(empty)": 0.0, f"{QUESTION} ": -4.0, SAID: answers}  # two questions at once are answered by no passage
    model = LeaningModel(leanings, written={"стоил (": PRICE, SAID: SAID})
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, None, model))
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    lines, record = {"": KnownThresholds(-1.0, 1.0)}, KnownRecord("clapnq", 40, 34, 40, 31)
    keep_calibration(
        tmp_path / "models",
        KnownCalibration("leaning", "leaning", WORDING, lines, KnownThresholds(-1.0, 1.0), record=record),
    )
    write_notes(tmp_path / "vault")
    places = ["--vault", str(tmp_path / "vault"), "--home", str(tmp_path / "home")]

    def command(*arguments: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return main([*arguments, *places], _refuse_to_serve)

    assert command("index") == 0
    return command


def test_pipe_gets_the_answers_and_is_not_told_after_each_where_it_is_kept(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("chat", "дом", "--no-server", typed=f"{QUESTION}\n/deep\n{QUESTION}\n") == 0
    shown = capsys.readouterr()
    assert shown.out.count("12 мая 2024") >= 3
    assert "Saved" not in shown.err + shown.out
    assert "traces show" not in shown.err + shown.out
    assert run("chats", "show", "дом") == 0
    assert capsys.readouterr().out.count(QUESTION) == 3


def test_one_question_that_is_kept_says_where(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ask", QUESTION, "--no-server", "--deep", "--save") == 0
    said = capsys.readouterr().err
    assert "Saved: vaultrag answers show" in said
    assert "vaultrag traces show" in said


def test_what_a_doubt_is_worth_is_said_once_in_a_conversation(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("chat", "--no-server", typed=f"{QUESTION}\n{QUESTION}\n{QUESTION}\n") == 0
    shown = capsys.readouterr()
    assert (shown.out + shown.err).count(DOUBT) == 1


@pytest.mark.parametrize("answers", [-4.0])
def test_what_a_refusal_is_worth_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("ask", QUESTION, "--no-server") == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("В заметках")
    assert DOUBT in shown.err


@pytest.mark.parametrize("answers", [4.0])
def test_beside_an_answer_that_is_backed_nothing_is_said_of_doubt(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("ask", QUESTION, "--no-server") == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("В заметках сказано:")
    assert "пробных вопросов" not in shown.out + shown.err
    assert run("ask", QUESTION, "--no-server", "--json") == 0
    assert '"refused": 34' in capsys.readouterr().out


@pytest.mark.parametrize("answers", [4.0])
def test_follow_up_is_answered_where_a_passage_answers_it_alone(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is said to be missing that was answered before."""
    capsys.readouterr()
    assert run("chat", "--no-server", typed=f"{QUESTION}\nа сколько он стоил?\n") == 0
    shown = capsys.readouterr().out
    assert "95 лари" in shown.split("[1] Дом/Бойлер.md")[1]
    assert "В заметках этого нет" not in shown
    assert "Nothing found" not in shown
