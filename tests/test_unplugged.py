"""Anything may be missing, closed, damaged or stale: one sentence, a remedy, the documented code, and nothing lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, ScriptedModel
from tests.served import NOTES, Served, serving, write_notes
from vaultrag.child import environment_with
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings, load_config, require_vault
from vaultrag.errors import ConfigError, DiskFull, ModelCrashed, ServerError, UsageError, VaultError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.installed import is_present
from vaultrag.store import endpoint
from vaultrag.store.endpoint import announce, ensure_token
from vaultrag.workspace import Ownership, Workspace

needs_modes = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom modes stop")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    vault: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command on a vault of three notes, without any model; return code, stdout and stderr."""
    write_notes(vault)
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(["--vault", str(vault), "--home", str(home), *arguments], _no_server)
        out, err = capsys.readouterr()
        return code, out, err

    return command


def _no_server(*_: object) -> None:
    raise AssertionError("this command should not serve")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as running:
        yield running


def assert_one_sentence(err: str) -> None:
    """One line that says what happened, one with the remedy; nothing about exceptions."""
    error, remedy, *rest = [line for line in err.splitlines() if not line.startswith("Note: ")]
    assert error.startswith("Error: ")
    assert remedy.startswith("  → ")
    assert not rest
    assert "does not know" not in error


@pytest.mark.parametrize("command", [["index"], ["search", "кот", "--no-server"], ["status"], ["check"]])
@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda path: _set_version(path, 99), 7),
        (lambda path: path.write_bytes(b"\x07" * 50_000), 8),
        (lambda path: os.truncate(path, path.stat().st_size // 3), 8),
    ],
    ids=["newer", "garbage", "cut short"],
)
def test_unusable_index_is_named_by_every_command_and_left_alone(
    run: Run, home: Path, damage: Callable[[Path], object], code: int, command: list[str]
) -> None:
    assert run("index")[0] == 0
    path = home / "index.sqlite3"
    damage(path)
    before = path.read_bytes()

    found, _, err = run(*command)

    assert found == code
    assert_one_sentence(err)
    assert path.read_bytes() == before


def _set_version(path: Path, version: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {version:d}")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (f"{version} of a newer version",))
    connection.close()


def test_remedy_for_a_damaged_index_works(run: Run, home: Path) -> None:
    run("index")
    before = run("search", "кот", "--no-server")[1]
    (home / "index.sqlite3").write_bytes(b"\x07" * 50_000)
    code, _, err = run("index")
    assert code == 8
    assert "`vaultrag repair`" in err

    code, out, _ = run("repair")

    assert code == 0
    assert "is damaged" in out
    assert str(home / "damaged") in out
    assert run("search", "кот", "--no-server")[1] == before
    assert run("repair", "--json")[0] == 0
    assert not (home / "damaged").exists()


def test_log_left_by_a_killed_run_is_read(run: Run, home: Path, tmp_path: Path) -> None:
    run("index")
    connection = sqlite3.connect(home / "index.sqlite3")
    connection.execute("UPDATE notes SET title = 'из журнала'")
    connection.commit()
    killed = tmp_path / "killed"
    shutil.copytree(home, killed)  # while the connection is open, as a kill leaves it
    connection.close()
    assert (killed / "index.sqlite3-wal").stat().st_size

    assert run("--home", str(killed), "check")[0] == 0
    assert run("--home", str(killed), "index")[0] == 0


@pytest.mark.parametrize("command", [["index"], ["init"]])
def test_vault_that_is_gone_is_said_and_the_index_answers_on(run: Run, vault: Path, command: list[str]) -> None:
    run("index")
    vault.rename(vault.with_name("elsewhere"))

    code, _, err = run(*command)

    assert code == 4
    assert_one_sentence(err)
    assert "Тата" in run("search", "кормит кота", "--no-server")[1]


def test_file_is_no_vault(vault: Path, home: Path) -> None:
    note = vault / "note.md"
    note.write_text("text", encoding="utf-8")

    with pytest.raises(VaultError, match="is a file"):
        require_vault(load_config(note, home))


def test_links_in_a_circle_and_unknown_users_are_no_vault(tmp_path: Path, home: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for vault in (tmp_path / "a", Path("~no-such-user-here/vault")):
        with pytest.raises(VaultError, match="is not there"):
            require_vault(load_config(vault, home))


@needs_modes
def test_closed_vault_home_and_models_are_our_errors(run: Run, vault: Path, home: Path, tmp_path: Path) -> None:
    home.mkdir()
    (tmp_path / "models").mkdir()
    for folder, code in ((vault, 4), (home, 3), (tmp_path / "models", 0)):
        folder.chmod(0)
        try:
            found, _, err = run("index")
        finally:
            folder.chmod(0o700)
        assert found == code
        assert "does not know" not in err


@pytest.mark.parametrize("below", ["", "deeper"])
def test_home_that_is_a_file_is_refused(vault: Path, tmp_path: Path, below: str) -> None:
    (tmp_path / "home").write_text("", encoding="utf-8")

    with pytest.raises(ConfigError, match="is not a folder"):
        load_config(vault, tmp_path / "home" / below)


@pytest.mark.skipif(os.name != "posix", reason="a folder in use cannot be deleted")
def test_shell_in_a_deleted_folder_is_told_to_name_a_vault(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); from vaultrag.__main__ import main; main()"

    ended = _python(program, "status")

    assert ended.returncode == VaultError.exit_code
    assert "No vault was named" in ended.stderr.decode()


def test_folder_without_notes_is_questioned(run: Run, vault: Path) -> None:
    for path in NOTES:
        (vault / path).unlink()

    code, out, err = run("index")

    assert code == 0
    assert out.startswith("0 notes, ")
    assert "Is it the right folder?" in err


def test_vault_of_odd_files_is_indexed_and_says_what_was_left_out(run: Run, vault: Path) -> None:
    (vault / "круг.md").symlink_to(vault / "круг.md")
    (vault / "nowhere.md").symlink_to(vault / "gone.md")
    (vault / "binary.md").write_bytes(bytes(range(256)) * 100)
    (vault / "cp1251.md").write_bytes("Заметка в старой кодировке.".encode("cp1251"))
    (vault / "zero.md").write_bytes(b"")
    if os.name == "posix":
        os.mkfifo(vault / "pipe.md")

    code, out, err = run("index")

    assert code == 0, err
    assert out.startswith("4 notes, ")
    for name in ("круг.md", "nowhere.md", "binary.md", "cp1251.md"):
        assert name in out
    assert ("pipe.md" in out) == (os.name == "posix")


def test_what_rules_leave_out_is_counted_by_status_and_told_by_note(run: Run, vault: Path, home: Path) -> None:
    (vault / ".obsidian").mkdir(exist_ok=True)
    (vault / ".obsidian" / "app.json").write_text('{"userIgnoreFilters": ["Архив/"]}', encoding="utf-8")
    (vault / "Архив").mkdir()
    for name in ("Старое", "Письмо"):
        (vault / "Архив" / f"{name}.md").write_text("Слова.\n", encoding="utf-8")
    (vault / "Drafts").mkdir()
    (vault / "Drafts" / "one.md").write_text("Words.\n", encoding="utf-8")
    (vault / "связь").symlink_to(vault / "Архив")
    (home / "config.toml").parent.mkdir(exist_ok=True)
    (home / "config.toml").write_text('[vault]\nignore = ["Drafts/"]\n', encoding="utf-8")

    assert run("index")[0] == 0
    _, shown, _ = run("status")
    _, json_shown, _ = run("status", "--json")
    code, _, letter = run("note", "Письмо")
    _, _, draft = run("note", "Drafts/one.md")
    _, _, unknown = run("note", "Нет такой")

    assert "2 notes by the vault's own filters" in shown
    assert "1 note by `vault.ignore`" in shown
    assert "1 link to folders" in shown
    assert json.loads(json_shown)["left_out"] == {"filtered": 2, "ignored": 1, "linked": 1}
    assert code == UsageError.exit_code
    assert "Архив/Письмо.md is not read: the vault's own filters" in letter
    assert "Drafts/one.md is not read: `vault.ignore`" in draft
    assert "No note is called" in unknown

    (vault / ".obsidian" / "app.json").unlink()
    assert run("index")[0] == 0
    assert json.loads(run("status", "--json")[1])["left_out"] == {"filtered": 0, "ignored": 1, "linked": 1}


@pytest.mark.parametrize(("command", "remedy"), [("ask", "vaultrag ask "), ("search", "vaultrag search ")])
def test_an_empty_question_is_told_how_to_ask(run: Run, command: str, remedy: str) -> None:
    code, _, err = run(command, "  ")
    assert code == UsageError.exit_code
    assert remedy in err


@pytest.mark.slow
def test_wrong_content_type_and_broken_json_name_the_right_form(served: Served) -> None:
    with served.http() as http:
        for content, kind in (
            (b'{"query": "x"}', "text/plain"),
            (b"{", "application/json"),
            (b"[]", "application/json"),
        ):
            response = http.post("/search", content=content, headers={"Content-Type": kind})
            assert response.status_code in {400, 422}
            assert "application/json" in response.json()["remedy"]


@pytest.mark.slow
def test_query_of_white_space_is_refused_by_the_server_too(served: Served) -> None:
    with served.http() as http:
        assert http.post("/search", json={"query": " \n"}).status_code == 422
        assert http.post("/ask", json={"question": "\t"}).status_code == 422


def test_server_answers_on_when_the_vault_goes(served: Served) -> None:
    served.config.vault.rename(served.config.vault.with_name("elsewhere"))

    [(name, fault)] = served.events("/index", {})

    assert (name, fault["error"]) == ("error", "VaultError")
    with served.http() as http:
        assert http.post("/search", json={"query": "кормит кота"}).json()["passages"][0]["path"] == "Люди/Тата.md"


@pytest.mark.parametrize("replacement", ["nothing", "file", "empty folder"])
def test_lost_vector_index_is_built_again(vault: Path, home: Path, replacement: str) -> None:
    config = Config(vault=vault, home=home, models=home / "models", settings=Settings())
    write_notes(vault)
    _index(config)
    shutil.rmtree(config.chroma_path)
    if replacement == "file":
        config.chroma_path.write_text("", encoding="utf-8")
    elif replacement == "empty folder":
        config.chroma_path.mkdir()

    _index(config)

    assert (config.chroma_path / "current").is_file()


def _index(config: Config) -> None:
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), ScriptedModel([""])) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        assert not [finding for finding in workspace.upkeep.check() if finding.severity != "info"]


def test_full_disk_under_a_starting_server_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    home.mkdir()
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(DiskFull):
        ensure_token(home / "token")
    with pytest.raises(DiskFull):
        announce(home, endpoint.Endpoint(1, endpoint.LOOPBACK, 1, "0", "x"))


def test_home_that_takes_no_file_is_a_server_error(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="cannot be written to"):
        announce(tmp_path / "none", endpoint.Endpoint(1, endpoint.LOOPBACK, 1, "0", "x"))


def test_home_is_measured_while_files_vanish(home: Path, vault: Path) -> None:
    home.mkdir()
    (home / "stays").write_bytes(b"1234")
    (home / "goes").symlink_to(home / "gone")

    assert load_config(vault, home).home_bytes() == 4


def test_model_path_of_an_unknown_user_is_just_not_there(tmp_path: Path) -> None:
    entry = find_model("~no-such-user-here/model.gguf", ModelKind.CHAT, tmp_path)

    assert not is_present(entry, tmp_path)


def test_failing_embedder_keeps_the_words_and_what_is_owed(vault: Path, home: Path) -> None:
    config = Config(vault=vault, home=home, models=home / "models", settings=Settings())
    write_notes(vault)
    embedder = HashEmbedder(fails_after=0)
    with Workspace.with_models(config, Ownership.OWN, embedder, ScriptedModel([""])) as workspace:
        with pytest.raises(ModelCrashed):
            workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        assert workspace.status().pending
        embedder.fails_after = None
        assert workspace.index(lambda *_: None, DeletionPolicy.GUARD).embedded
        assert not workspace.status().pending


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_interrupt_while_modules_are_imported_is_clean() -> None:
    program = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job starts without
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from vaultrag.__main__ import main\n"
        "main()\n"
    )

    ended = _python(program, "status")

    assert ended.returncode == 128 + signal.SIGINT
    assert ended.stderr == b""


def _python(program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, check=False, capture_output=True, env=environment_with({}))


def test_program_without_a_command_prints_its_help_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], _no_server) == 2
    out, err = capsys.readouterr()
    assert "Usage" in out + err
    assert "Error" not in err


def test_error_as_json_has_three_fields(run: Run, vault: Path) -> None:
    vault.rename(vault.with_name("elsewhere"))

    code, out, err = run("index", "--json")

    assert (code, out) == (4, "")
    assert set(json.loads(err)) == {"error", "message", "remedy"}
