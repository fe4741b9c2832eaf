"""Names of notes and folders that would steer a terminal do so nowhere, whichever command names them, and how."""

from __future__ import annotations

import ast
import contextlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import vaultrag
from vaultrag.api.server import _log_to
from vaultrag.cli.main import main
from vaultrag.errors import DiskFull
from vaultrag.runtime.pool import ModelPool

pytestmark = pytest.mark.skipif(os.name != "posix", reason="names that Windows does not allow")

FOLDER = "Личное\u2066\x1b[2J"
NOTE = "обед\u202eгпж.md"
NAMES = (f"{FOLDER}/{NOTE}", "pay\x1b]0;owned\x07roll.md", "c1\x9b31m.md", f"{FOLDER}/del\x7f\x08\x0b.md")
STEERING = set("\x1b\x07\x08\x0b\x7f\x9b\r\u202e\u2066")
COMMANDS = [
    ("index",),
    ("search", "бобры"),
    ("note", NOTE),
    ("links", NOTE),
    ("unresolved",),
    ("graph",),
    ("graph", "--format", "mermaid"),
    ("check", "--deep"),
    ("forget", f"{FOLDER}/"),
    ("forget", f"no\x1b[31m{NOTE}"),
    ("forget", f"{FOLDER}/", "--yes"),
    ("forget", f"{FOLDER}/", "--undo"),
    ("no\x1b[31mcommand",),
    ("import", "\x1b[31m.gz"),
]


def write_vault(vault: Path) -> None:
    for name in NAMES:
        (vault / name).parent.mkdir(parents=True, exist_ok=True)
        (vault / name).write_text(
            f"# Бобры\n\nБобры живут у реки. [[нет\x1b[31m такой\u202e]] [[{NOTE}]]\n", encoding="utf-8"
        )
    (vault / "broken\x1b[31m.md").write_bytes(b"---\nx: [\n---\n\xff\xfe")


@pytest.mark.slow
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_no_command_lets_a_name_steer_the_terminal(
    vault: Path, home: Path, form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, None, None))
    write_vault(vault)
    for command in COMMANDS:
        options = () if command[0] == "graph" else form
        if command[0] in {"search", "ask"}:
            options = (*options, "--no-server")
        main(["--vault", str(vault), "--home", str(home), *command, *options], lambda *_: None)
        out, err = capsys.readouterr()
        assert out or err
        assert not set(out + err) & STEERING, command
        if "--json" in options and out:
            json.loads(out)


@pytest.mark.slow
def test_forget_asks_on_a_terminal_without_being_steered(vault: Path, home: Path, tmp_path: Path) -> None:
    import pty

    write_vault(vault)
    program = [sys.executable, "-m", "vaultrag", "--vault", str(vault), "--home", str(home)]
    environment = {**os.environ, "VAULTRAG_MODELS": str(tmp_path / "no models"), "TERM": "xterm-256color"}
    subprocess.run([*program, "index"], env=environment, capture_output=True, check=True, timeout=120)
    shown = ""
    for command in (("forget", f"{FOLDER}/"), ("search", "бобры", "--no-server"), ("status",)):
        ours, theirs = pty.openpty()
        os.write(ours, b"n\n")
        with subprocess.Popen(
            [*program, *command], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        ) as process:
            os.close(theirs)
            shown += _all_of(ours)
            process.wait(60)
        os.close(ours)
    assert "Forget it?" in shown
    assert "Личное" in shown
    assert not set(shown) & (STEERING - set("\x1b\r")), "Rich's own colours are all that there is"
    for attack in ("\x1b[2J", "\x1b]0;", "owned\x07"):
        assert attack not in shown


def _all_of(descriptor: int) -> str:
    read = b""
    with contextlib.suppress(OSError):  # the other end has gone
        while piece := os.read(descriptor, 65_536):
            read += piece
    return read.decode("utf-8")


def test_what_goes_past_the_console_is_harmless_too(
    vault: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def warn(_: object) -> ModelPool:
        logging.getLogger("vaultrag.unheard").warning("%s cannot be read", NAMES[1])
        raise RuntimeError(NAMES[0])

    monkeypatch.setattr(ModelPool, "of", warn)
    monkeypatch.setenv("VAULTRAG_TRACEBACK", "1")
    write_vault(vault)
    assert main(["--vault", str(vault), "--home", str(home), "index"], lambda *_: None) == 1
    err = capsys.readouterr().err
    assert "RuntimeError" in err
    assert not set(err) & STEERING


def test_log_names_a_file_on_one_line_that_steers_nothing(tmp_path: Path) -> None:
    loggers = [logging.getLogger(name) for name in ("vaultrag", "uvicorn.error")]
    before = [(logger, logger.handlers, logger.level, logger.propagate) for logger in loggers]
    try:
        _log_to(tmp_path / "server.log")
        logging.getLogger("vaultrag.vault").warning("%s cannot be read", f"{NAMES[0]}\n2026-01-01 INFO forged")
        for handler in loggers[0].handlers:
            handler.close()
    finally:
        for logger, handlers, level, propagate in before:
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
    text = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert not set(text) & STEERING
    assert "\\u202e" in text


def test_nothing_but_the_terminal_writes_to_standard_output() -> None:
    """What passes the one place where text is made harmless is found here, before somebody reads it."""
    package = Path(vaultrag.__file__).parent
    for path in sorted((package / "cli").rglob("*.py")):
        if path.name == "terminal.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            written = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            assert written not in {"sys.stdout", "sys.stdout.write", "sys.stderr.write", "typer.secho"}, path
            assert not (isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "Console"}), path


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options that name an indexed vault, whose name no small encoding holds whole."""
    folder = tmp_path_factory.mktemp("places")
    vault = folder / "Заметки 🔥 é"
    (vault / ".obsidian").mkdir(parents=True)
    (vault / "Бобры.md").write_text("Бобры живут у реки.\n", encoding="utf-8")
    options = ["--vault", str(vault), "--home", str(folder / "home")]
    environment = {**os.environ, "VAULTRAG_MODELS": str(folder / "no models")}
    index = [sys.executable, "-m", "vaultrag", *options, "index"]
    subprocess.run(index, check=True, capture_output=True, env=environment)
    return options


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1251"])
def test_an_encoding_that_lacks_a_sign_costs_that_sign_alone(places: list[str], encoding: str) -> None:
    def printed(*command: str) -> str:
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        run = [sys.executable, "-m", "vaultrag", *places, *command]
        done = subprocess.run(run, capture_output=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode(encoding)

    kept = "Заметки" if encoding != "ascii" else "\\u0417"
    assert kept in printed("status")
    assert json.loads(printed("status", "--json"))["vault"] == places[1]


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk is made by Linux")
@pytest.mark.parametrize("command", [["status"], ["status", "--json"]])
def test_output_that_finds_no_room_is_one_sentence(places: list[str], command: list[str]) -> None:
    run = [sys.executable, "-m", "vaultrag", *places, *command]
    with open("/dev/full", "w") as full:
        done = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    assert done.returncode == DiskFull.exit_code
    assert "no space left" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "closed", "code"),
    [("status", ">&- 2>&-", 0), ("status --json", ">&-", 0), ("--help", ">&-", 0), ("note нет", "2>&-", 2)],
)
def test_a_closed_stream_is_written_to_without_a_word(places: list[str], closed: str, command: str, code: int) -> None:
    line = f'"$@" {command} {closed}'
    run = ["sh", "-c", line, "sh", sys.executable, "-m", "vaultrag", *places]
    done = subprocess.run(run, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
