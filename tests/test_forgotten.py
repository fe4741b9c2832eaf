"""Forgetting through the commands: after every way to an answer no byte of a forgotten note stands in the home."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, LeaningModel
from tests.records.traces import CYRILLIC, FOLDER, LATIN, traces
from vaultrag.answering.judging.calibration import WORDING
from vaultrag.answering.judging.calibration_files import KnownCalibration, KnownThresholds, keep_calibration
from vaultrag.cli.main import main
from vaultrag.config import Config
from vaultrag.domain import Role
from vaultrag.errors import UsageError
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.endpoint import Endpoint

SECRET = f"{FOLDER}/Клад.md"
FACT = f"Клад под дубом закопал {CYRILLIC.capitalize()} вместе с {LATIN.capitalize()}."
NOTES = {
    SECRET: f"---\ntags: [клады]\nкогда: 2024-05-12\n---\n{FACT}\n\n- [ ] выкопать клад, пока {CYRILLIC} в отъезде\n",
    "Дом/Дуб.md": "---\ntags: [деревья]\n---\nДуб у калитки посадил дед в 1950 году, и дуб до сих пор цел.\n",
    "Дом/Карта.md": "Карта ведёт к месту, см. [[Клад]].\n",
    "Дом/Бойлер.md": "Картридж в бойлере поменяли 12 мая 2024 года.\n",
}
QUESTION = "Кто закопал клад под дубом?"
FOLLOW_UP = "а когда его посадили?"
LISTING = "Какие заметки с тегом клады?"
LINKED = "какие заметки ссылаются на Клад?"
UNSURE = "сколько заметок про клад?"
OTHER = "Когда поменяли картридж в бойлере?"
Run = Callable[..., int]


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path) -> Run:
    """Run commands over a vault with a secret; two measured models tell what the passages say."""
    first, second = (
        LeaningModel({"(empty)": 0.0, "": 4.0}, name=name, written={FACT: FACT, "1950": "Дуб посадил дед в 1950 году."})
        for name in ("leaning", "other")
    )
    others = {Role.FINAL: second, Role.JUDGE: second}
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, HashEmbedder(), first, others=others))
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    for name in ("leaning", "other"):
        lines = {"": KnownThresholds(-1.0, 1.0)}
        keep_calibration(
            tmp_path / "models", KnownCalibration(name, name, WORDING, lines, KnownThresholds(-1.0, 1.0), 8, 8)
        )
    for path, text in NOTES.items():
        (tmp_path / "vault" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "vault" / path).write_text(text, encoding="utf-8")
    places = ["--vault", str(tmp_path / "vault"), "--home", str(home)]

    def command(*arguments: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return main([*arguments, *places], _refuse_to_serve)

    assert command("index") == 0
    return command


WAYS: dict[str, list[tuple[str, ...]]] = {
    "saved": [("ask", QUESTION, "--save", "--no-server")],
    "quotes": [("ask", QUESTION, "--save", "--no-server", "--style", "quotes")],
    "listing": [("ask", LISTING, "--save", "--no-server")],
    "unsure listing": [("ask", UNSURE, "--save", "--no-server")],
    "listing by a link": [("ask", LINKED, "--save", "--in", "Дом/", "--no-server")],
    "deep": [("ask", QUESTION, "--deep", "--save", "--no-server")],
    "agree": [("ask", QUESTION, "--agree", "--save", "--no-server")],
    "cascade": [("ask", QUESTION, "--cascade", "--save", "--no-server")],
    "chat": [("ask", QUESTION, "--chat", "дуб", "--no-server"), ("ask", FOLLOW_UP, "--chat", "дуб", "--no-server")],
    "deep in a chat": [
        ("ask", QUESTION, "--chat", "дуб", "--no-server"),
        ("ask", FOLLOW_UP, "--deep", "--in", "Дом/", "--chat", "дуб", "--no-server"),
    ],
    "later": [("ask", QUESTION, "--deep", "--later", "--no-server"), ("jobs", "wait")],
    "later in a chat": [
        ("ask", QUESTION, "--chat", "дуб", "--no-server"),
        ("ask", FOLLOW_UP, "--agree", "--later", "--in", "Дом/", "--chat", "дуб", "--no-server"),
        ("jobs", "wait"),
    ],
    "later, not begun": [("ask", OTHER, "--deep", "--later", "--in", f"{FOLDER}/", "--no-server")],
    "nightly": [("nightly",)],
    "bench": [("bench", "--quick")],
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_no_byte_of_a_forgotten_note_is_left(run: Run, home: Path, way: str) -> None:
    for arguments in WAYS[way]:
        assert run(*arguments) == 0
    if way != "bench":
        assert any("index.sqlite3" in found for found in traces(home)), "the test would see nothing"
    assert run("forget", FOLDER, "--yes") == 0
    assert traces(home) == []


@pytest.mark.slow
def test_no_byte_is_left_of_a_conversation_that_leant_on_the_note(
    run: Run, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The deep answer stands on other notes; what was looked for holds names out of the answer before."""
    assert run("chat", "дуб", "--no-server", typed=f"{QUESTION}\n/in Дом/\n/deep {FOLLOW_UP}\n") == 0
    assert run("traces", "show") == 0
    assert LATIN.capitalize() in capsys.readouterr().out
    assert run("ask", OTHER, "--save", "--deep", "--in", "Дом/Бойлер.md", "--no-server") == 0
    assert run("forget", FOLDER, "--yes") == 0
    assert traces(home) == []
    capsys.readouterr()
    assert run("answers", "list") == 0
    left = capsys.readouterr().out
    assert OTHER in left
    assert QUESTION not in left
    assert run("traces", "list") == 0
    assert OTHER in capsys.readouterr().out


@pytest.mark.slow
def test_what_was_not_forgotten_is_not_forgotten(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("forget", "Нет такой", "--yes") == UsageError.exit_code
    assert run("ask", OTHER, "--save", "--no-server") == 0
    assert run("forget", FOLDER, "--yes") == 0
    capsys.readouterr()
    assert run("ask", QUESTION, "--no-server") == 0
    assert LATIN not in capsys.readouterr().out.lower()
