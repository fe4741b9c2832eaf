"""`vaultrag history`: the chain as it is printed, as JSON, on a day, in a folder, and where nothing is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vaultrag.cli.commands.ask.history import checked_day
from vaultrag.cli.main import main
from vaultrag.errors import UsageError

NOTES = {
    "Дом/Насос.md": "# Насос\n\n## Мощность насоса\n\n- 2023-05-02: 300 Вт\n- 2024-06-11: 280 Вт\n\nПланирую 250 Вт.\n",
    "Work/Pump.md": "# Pump\n\n## Pump price\n\n- 2023-01-10: €120\n- 2025-01-12: €135\n",
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run `history` over the notes, in a machine without models."""
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "no models"))
    for path, text in NOTES.items():
        (tmp_path / "vault" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "vault" / path).write_text(text, encoding="utf-8")
    places = ("--vault", str(tmp_path / "vault"), "--home", str(tmp_path / "home"))
    assert main(["index", *places], lambda *_: None) == 0
    return lambda *arguments: main(["history", *arguments, "--no-server", *places], lambda *_: None)


def test_each_value_has_its_day_and_its_quote(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("мощность насоса") == 0
    printed = capsys.readouterr().out
    assert printed.index("2023-05-02") < printed.index("2024-06-11")
    assert "“2024-06-11: 280 Вт”" in " ".join(printed.split())


def test_json_says_what_held_on_the_day(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("pump price", "--as-of", "2024", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["day"], told["held"]["value"], told["held"]["since"]) == ("2024-12-31", "€120", "2023-01-10")
    assert [step["value"] for step in told["steps"] if step["is_own"]] == ["€120", "€135"]
    assert told["held"]["place"]["lines"] == [5, 5]


def test_folder_bounds_what_is_told(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pump price", "--in", "Дом/") == UsageError.exit_code
    assert run("pump price", "--in", "Work/") == 0


@pytest.mark.parametrize("arguments", [("квантовая хромодинамика",), ("pump price", "--as-of", "soon"), ("когда",)])
def test_what_cannot_be_told_is_refused(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(*arguments) == UsageError.exit_code
    assert "Error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "day"), [("2025-03-15", "2025-03-15"), ("2024-02", "2024-02-29"), ("2025", "2025-12-31"), ("", "")]
)
def test_day_is_the_last_one_of_what_is_typed(written: str, day: str) -> None:
    assert checked_day(written) == day
