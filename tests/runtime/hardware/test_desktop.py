"""Notices on the desktop: what shows them on each system, and that nothing of it can fail."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from vaultrag.runtime.hardware.desktop import SESSION, notice, tell_desktop

TITLE, TEXT = "Ночь 2024-05-01", 'New: 3"; rm -rf $HOME'


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_words_are_handed_over_as_they_are_and_never_as_a_script(platform: str) -> None:
    made = notice(platform, TITLE, TEXT)
    handed = [*made.command, *made.variables.values()]
    assert TITLE in handed
    assert TEXT in handed
    assert not any(TEXT in word for word in handed if word != TEXT)


def program(folder: Path, body: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "notify-send").write_text(f"#!{sys.executable}\n{body}\n", encoding="utf-8")
    (folder / "notify-send").chmod(0o755)


@pytest.mark.skipif(sys.platform != "linux", reason="its program is Linux's")
def test_desktop_is_told_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "said"
    program(tmp_path / "bin", f"import json, sys\nopen({str(said)!r}, 'w').write(json.dumps(sys.argv[1:]))")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in SESSION:
        monkeypatch.delenv(name, raising=False)
    assert not tell_desktop(TITLE, TEXT)
    assert not said.exists(), "no desktop is here"
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert tell_desktop(TITLE, TEXT)
    assert json.loads(said.read_text())[-2:] == [TITLE, TEXT]


@pytest.mark.skipif(sys.platform != "linux", reason="its program is Linux's")
@pytest.mark.parametrize("body", ["raise SystemExit(1)", "import os; os.kill(os.getpid(), 9)"])
def test_program_that_fails_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    program(tmp_path / "bin", body)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DISPLAY", ":0")
    assert not tell_desktop(TITLE, TEXT)


def test_missing_program_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    assert not tell_desktop(TITLE, TEXT)
