"""The command line as typed: help, exit codes, errors, start-up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from tests.served import REPLY, Served, serving, write_notes
from vaultrag import errors
from vaultrag.cli.commands.service.serve import seconds
from vaultrag.cli.main import app, main
from vaultrag.cli.options import EPILOG
from vaultrag.cli.settings_file import settings_text
from vaultrag.config import Config, Settings, read_settings
from vaultrag.store.endpoint import Endpoint

HEAVY = ("torch", "chromadb", "llama_cpp", "llama_index", "sentence_transformers", "fastapi", "uvicorn", "numpy")
ALL_ERRORS = {
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.VaultragError)
}
GROUPS = ("models", "answers", "chats", "traces", "jobs")
QUESTION = "Когда поменяли картридж в бойлере?"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run one command in a machine without models."""
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "no models"))
    return lambda *arguments: main([str(argument) for argument in arguments], _refuse_to_serve)


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


def _places(served: Served) -> tuple[str, ...]:
    return ("--vault", str(served.config.vault), "--home", str(served.config.home))


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["status"], ["status", "--json"], ["models", "list"]])
def test_light_commands_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    vault, home = tmp_path / "vault", tmp_path / "home"
    write_notes(vault)
    index = [sys.executable, "-m", "vaultrag", "index", "--vault", str(vault), "--home", str(home)]
    environment = {"VAULTRAG_MODELS": str(tmp_path / "none"), "PATH": ""}
    if "status" in arguments:
        subprocess.run(index, check=True, capture_output=True, env=environment)
        arguments = [*arguments, "--vault", str(vault), "--home", str(home)]
    script = (
        "import sys; from vaultrag.cli.main import main\n"
        f"code = main({arguments!r}, None)\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules], code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, encoding="utf-8", env=environment
    )
    assert "heavy: [] 0" in done.stdout


@pytest.mark.slow
def test_every_command_has_help_with_an_example(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    group = typer.main.get_command(app)
    names = [[name] for name in group.commands if name not in GROUPS]  # type: ignore[attr-defined]
    names += [[name, inner] for name in GROUPS for inner in group.commands[name].commands]  # type: ignore[attr-defined]
    names += [["contradictions", inner] for inner in group.commands["contradictions"].commands]  # type: ignore[attr-defined]
    assert ["models", "verify"] in names
    assert ["serve"] in names
    assert ["doctor"] in names
    for name in names:
        assert run(*name, "--help") == 0
        shown = capsys.readouterr().out
        assert "Example:" in shown, name
        assert "--vault" in shown, name
        assert "--home" in shown, name


def test_exit_codes_are_documented_and_distinct() -> None:
    codes = [kind.exit_code for kind in ALL_ERRORS]
    assert len(set(codes)) == len(codes)
    documented = {int(part.split()[0]) for part in EPILOG.removeprefix("Exit codes: ").split(" · ")}
    assert documented == {0, 130, *codes}


@pytest.mark.parametrize("arguments", [["search"], ["no-such-command"], ["status", "--no-such-option"]])
def test_senseless_command_is_one_sentence_and_exit_2(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Error: ")
    assert shown.err.count("\n") == 2
    assert f"See: vaultrag {arguments[0]} --help" in shown.err or arguments[0] == "no-such-command"


@pytest.mark.parametrize("command", ["search", "ask"])
@pytest.mark.parametrize("text", ["", "  \n", "слово " * 1000])
def test_empty_or_endless_question_is_refused(
    run: Callable[..., int], vault: Path, home: Path, command: str, text: str
) -> None:
    assert run(command, text, "--vault", vault, "--home", home) == 2


def test_nothing_indexed_is_said_with_its_remedy(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], vault: Path, home: Path
) -> None:
    for command in (["status"], ["search", "кот"], ["check"]):
        assert run(*command, "--vault", vault, "--home", home) == errors.IndexMissing.exit_code
        assert "vaultrag index" in capsys.readouterr().err


def test_json_error_is_one_json_object_on_stderr(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], vault: Path, home: Path
) -> None:
    assert run("status", "--json", "--vault", vault, "--home", home) == errors.IndexMissing.exit_code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert set(json.loads(shown.err)) == {"error", "message", "remedy"}


def test_no_vault_is_said(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("status") == errors.VaultError.exit_code
    assert "--vault DIR" in capsys.readouterr().err


@pytest.mark.slow
def test_places_may_stand_before_or_after_the_command(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("status", *_places(served)) == 0
    after = capsys.readouterr().out
    assert run(*_places(served), "status") == 0
    assert capsys.readouterr().out == after


def test_status_shows_counts_and_the_server(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("status", "--json", *_places(served)) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["notes"] == 3
    assert status["pending"] == 0
    assert status["server"]["pid"] == served.endpoint.pid
    with served.http() as http:
        live = http.get("/status").json()
    assert {**live, "bytes": 0} == {**status, "bytes": 0}


def test_search_goes_through_the_server(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("search", "картриджи", "-k", "2", "--explain", *_places(served)) == 0
    shown = capsys.readouterr()
    assert " 1. Дом/Бойлер.md › Бойлер, lines" in shown.out
    assert "vector" in shown.out
    assert shown.err == ""
    assert "\x1b" not in shown.out


def test_search_json_is_one_document(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("search", "--json", "картриджи", *_places(served)) == 0
    assert json.loads(capsys.readouterr().out)["passages"][0]["path"] == "Дом/Бойлер.md"


def test_ask_prints_the_final_answer_with_sources_into_a_pipe(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("ask", QUESTION, *_places(served)) == 0
    shown = capsys.readouterr()
    assert shown.out == (
        "Насколько это сказано в заметках:\n"
        "Картридж в бойлере поменяли 12 мая 2024 года [1].\n"
        "\n"
        "[1] Дом/Бойлер.md › Бойлер, line 3\n"
        "    “Картридж в бойлере поменяли 12 мая 2024 года.”\n"
        "    obsidian://open?vault=vault&file=%D0%94%D0%BE%D0%BC%2F%D0%91%D0%BE%D0%B9%D0%BB%D0%B5%D1%80%23%5Eprice\n"
    )
    assert "Рыбы" not in shown.out + shown.err  # no note says that


def test_ask_json_is_the_answer_alone(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("ask", QUESTION, "--json", *_places(served)) == 0
    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    assert REPLY.split(".")[0] in answer["text"]
    assert answer["citations"][0]["lines"] == [3, 3]
    assert shown.err == ""


def test_question_about_nothing_is_said_plainly_and_is_no_error(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("ask", "Which zebra won the chess olympiad?", *_places(served)) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("The notes do not say.\n\nWhat comes near:\n[1] ")


def test_index_goes_through_the_server(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("index", *_places(served)) == 0
    assert capsys.readouterr().out.startswith("3 notes, ")


@pytest.mark.slow
def test_check_goes_through_the_server_and_is_0_when_sound(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("check", *_places(served)) == 0
    assert run("check", "--json", *_places(served)) == 0
    assert run("check", "--deep", *_places(served)) == 0
    assert "findings" in capsys.readouterr().out


def test_second_server_for_a_vault_is_refused(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], served: Served
) -> None:
    assert run("serve", *_places(served)) == errors.IndexLocked.exit_code
    assert "--stop" in capsys.readouterr().err


@pytest.mark.slow
def test_server_is_stopped_by_command(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with serving(tmp_path) as running:
        assert run("serve", "--stop", *_places(running)) == 0
        running.thread.join(10)
        assert not running.thread.is_alive()
    assert "has ended" in capsys.readouterr().out
    assert run("serve", "--stop", *_places(running)) == 0
    assert "No server runs" in capsys.readouterr().out


def test_without_models_words_still_find_and_the_lack_is_said(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], vault: Path, home: Path
) -> None:
    write_notes(vault)
    places = ("--vault", vault, "--home", home)
    assert run("index", *places) == 0
    assert "vaultrag models pull" in capsys.readouterr().err
    assert run("search", "картриджи", *places) == 0
    shown = capsys.readouterr()
    assert " 1. Дом/Бойлер.md" in shown.out
    assert "Note: " in shown.err
    assert run("search", "картриджи", "--json", *places) == 0
    assert json.loads(capsys.readouterr().out)["warnings"]
    assert not (home / "server.json").exists()


@pytest.mark.parametrize("option", [[], ["--no-server"]])
def test_ask_without_a_model_answers_with_the_notes_own_lines(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], vault: Path, home: Path, option: list[str]
) -> None:
    write_notes(vault)
    assert run("index", "--vault", vault, "--home", home) == 0
    capsys.readouterr()
    assert run("ask", QUESTION, *option, "--json", "--vault", vault, "--home", home) == 0
    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    assert (answer["level"], answer["style"], answer["model"]) == ("weak", "quotes", "")
    assert answer["quotes"][0]["path"] == "Дом/Бойлер.md"
    assert "vaultrag models pull" in " ".join(answer["warnings"])
    assert not (home / "server.json").exists()


@pytest.mark.parametrize("option", [[], ["--no-server"]])
def test_prose_without_a_model_names_the_remedy_and_starts_nothing(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], vault: Path, home: Path, option: list[str]
) -> None:
    write_notes(vault)
    assert run("index", "--vault", vault, "--home", home) == 0
    capsys.readouterr()
    wanted = ("ask", QUESTION, "--style", "prose", *option)
    assert run(*wanted, "--vault", vault, "--home", home) == errors.ModelNotFound.exit_code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "vaultrag models pull" in shown.err
    assert not (home / "server.json").exists()


@pytest.mark.slow
def test_init_writes_explained_settings_once_and_nothing_into_the_vault(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], vault: Path, home: Path
) -> None:
    before = sorted(vault.rglob("*"))
    assert run("init", vault, "--home", home) == 0
    assert "will not write into the vault" in capsys.readouterr().out
    written = (home / "config.toml").read_text(encoding="utf-8")
    assert run("init", vault, "--home", home) == 0
    assert "already" in capsys.readouterr().out
    assert (home / "config.toml").read_text(encoding="utf-8") == written
    assert sorted(vault.rglob("*")) == before


@pytest.mark.parametrize("name", ["vault", 'Мои "заметки"', "back\\slash", "tab\there"])
def test_written_settings_are_the_defaults_and_the_vault(tmp_path: Path, name: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(settings_text(Path(name)), encoding="utf-8")
    settings = read_settings(path)
    assert settings.vault.path == name
    assert settings.model_copy(update={"vault": Settings().vault}) == Settings()
    uncommented = path.read_text(encoding="utf-8").replace("\n# ", "\n")
    for section, values in Settings().model_dump().items():
        assert f"[{section}]" in uncommented
        for key in values:
            assert f"\n{key} = " in uncommented


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1.5 M", 90), ("0s", 0)])
def test_durations_are_read(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "15", "m", "15min", "-5m", "1d", "1h30m"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(errors.UsageError, match="duration"):
        seconds(text)


def test_models_are_listed_with_what_is_here(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["models"]
    configured = {model["name"] for model in listed if model["configured"]}
    assert configured == {Settings().roles.answer, Settings().roles.embed}
    assert not any(model["present"] for model in listed)
    assert run("models", "list") == 0
    assert Settings().roles.answer in capsys.readouterr().out


def test_models_are_listed_with_their_roles(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "list", "--json") == 0
    listed = {model["name"]: model["roles"] for model in json.loads(capsys.readouterr().out)["models"]}
    assert listed[Settings().roles.answer] == ["answer", "plan", "extract", "judge", "final"]
    assert listed["qwen3-32b"] == []


def test_combinations_are_listed(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "combos", "--json") == 0
    (found,) = [c for c in json.loads(capsys.readouterr().out)["combinations"] if c["name"] == "final-word"]
    assert found["roles"]["final"] == "deepseek-r1-distill-llama-70b"
    assert not found["chosen"]
    assert run("models", "combos") == 0
    assert "final: deepseek-r1-distill-llama-70b" in capsys.readouterr().out


def test_an_unknown_combination_is_refused_before_anything_starts(
    run: Callable[..., int], vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ask", "Где ключи?", "--combo", "final-words", "--vault", vault) == errors.ConfigError.exit_code
    assert "`final-word`" in capsys.readouterr().err


def test_the_models_of_a_combination_answer(
    run: Callable[..., int], vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ask", "Где ключи?", "--combo", "final-word", "--vault", vault) == errors.ModelNotFound.exit_code
    assert "deepseek-r1-0528-qwen3-8b-q8 is not on this machine" in capsys.readouterr().err


def test_models_that_are_missing_fail_their_verification(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "verify") == errors.ModelError.exit_code
    assert "vaultrag models pull" in capsys.readouterr().out


def test_unknown_error_is_one_sentence_without_the_text_of_notes(
    capsys: pytest.CaptureFixture[str], vault: Path, home: Path
) -> None:
    def fail(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
        raise RuntimeError("text of a note")

    assert main(["serve", "--port", "0", "--vault", str(vault), "--home", str(home)], fail) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Error: VaultRAG met an error that it does not know: RuntimeError at test_main.py:")
    assert "text of a note" not in shown


@pytest.mark.slow
def test_interrupted_command_leaves_with_130(capsys: pytest.CaptureFixture[str], vault: Path, home: Path) -> None:
    def interrupt(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
        raise KeyboardInterrupt

    assert main(["serve", "--port", "0", "--vault", str(vault), "--home", str(home)], interrupt) == 130
    assert capsys.readouterr().err == ""
