"""`vaultrag traces`: the steps to an answer, and where one was interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vaultrag.cli.main import main
from vaultrag.domain import StepTaken
from vaultrag.errors import UsageError
from vaultrag.store.opening import open_database
from vaultrag.store.traces import END, add_step, begin_trace


def _run(*arguments: str) -> int:
    return main(["traces", *arguments], lambda *_: None)


def test_interrupted_trace_says_where_it_ended(vault: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ("--vault", str(vault), "--home", str(home))
    with open_database(home / "index.sqlite3") as database:
        assert _run("show", *places) == UsageError.exit_code
        assert _run("list", *places) == 0
        assert "no trace" in capsys.readouterr().out
        done = begin_trace(database, "Сколько\x1b[2J их?", "agree")
        add_step(database, done, StepTaken(END, "both say three"))
        killed = begin_trace(database, "Кто чинит бойлер?", "deep")
        add_step(database, killed, StepTaken("search", "бойлер"))
    assert _run("list", *places) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[0].startswith(killed)
    assert listed[0].endswith("deep, 1 step, not ended")
    assert "\x1b[2J" not in listed[1]
    assert _run("show", *places) == 0
    said = capsys.readouterr().out
    assert "search" in said
    assert "interrupted here" in said
    assert _run("show", done[:6], *places, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["ended"], shown["steps"][0]["detail"]) == (True, "both say three")
