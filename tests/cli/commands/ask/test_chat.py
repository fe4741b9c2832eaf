"""`vaultrag chat` at a pseudo-terminal, with a real server: follow-ups, commands, Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.served import GatedModel, Served, serving
from tests.typing import CTRL_C, CTRL_D, ENTER, TAB, Typist
from vaultrag.config import CONFIG_NAME
from vaultrag.domain import ChatModel
from vaultrag.errors import ReportFailed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal"),
]
ANSWERED = "12 мая 2024 года [1]"
PROMPT = "›"


def environment(served: Served, folder: Path) -> dict[str, str]:
    return {
        "VAULTRAG_VAULT": str(served.config.vault),
        "VAULTRAG_HOME": str(served.config.home),
        "VAULTRAG_MODELS": str(served.config.models),
        "PATH": f"{folder / 'programs'}:{os.environ['PATH']}",
    }


def chatting(served: Served, folder: Path, *arguments: str) -> Typist:
    command = [sys.executable, "-m", "vaultrag", "chat", *arguments]
    typist = Typist.start(command, Path(__file__).parents[4], environment(served, folder))
    typist.wait_for_prompt()
    return typist


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(["Картридж в бойлере поменяли 12 мая 2024 года."])


@pytest.fixture
def served(tmp_path: Path, model: ChatModel) -> Iterator[Served]:
    with serving(tmp_path, model) as running:
        yield running


def test_follow_up_is_asked_with_what_it_leans_on(served: Served, model: ScriptedModel, tmp_path: Path) -> None:
    with chatting(served, tmp_path, "Бойлер") as typist:
        typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
        typist.wait_for(ANSWERED)
        typist.wait_for_prompt()
        typist.type(f"а сколько он стоил?{ENTER}")
        typist.wait_for("[1]")
        typist.wait_for_prompt()
        typist.type(CTRL_D)
        assert typist.end() == 0
        assert "Saved:" not in typist.shown  # it was said as the chat began where it is kept
    asked = model.prompts[-1][-1].content
    assert "сколько он стоил (поменяли картридж в бойлере)?" in asked
    assert [turn.answer.question for turn in served.workspace.archive.chat("Бойлер")] == [
        "Когда поменяли картридж в бойлере?",
        "а сколько он стоил?",
    ]


def test_chat_of_yesterday_goes_on(served: Served, model: ScriptedModel, tmp_path: Path) -> None:
    served.events("/ask", {"question": "Когда поменяли картридж в бойлере?", "chat": "Бойлер"})
    with chatting(served, tmp_path, "Бойлер") as typist:
        typist.type(f"а сколько он стоил?{ENTER}")
        typist.wait_for("[1]")
    assert "сколько он стоил (поменяли картридж в бойлере)?" in model.prompts[-1][-1].content


def test_new_leans_on_nothing_said_before(served: Served, model: ScriptedModel, tmp_path: Path) -> None:
    with chatting(served, tmp_path, "Бойлер") as typist:
        typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
        typist.wait_for(ANSWERED)
        typist.wait_for_prompt()
        typist.type(f"/new{ENTER}")
        typist.wait_for_prompt()
        typist.type(f"а сколько стоил новый?{ENTER}")
        typist.wait_for("[1]")
        typist.wait_for_prompt()
    assert "Когда поменяли" not in model.prompts[-1][-1].content


def test_correction_does_not_overturn_what_the_notes_say(served: Served, model: ScriptedModel, tmp_path: Path) -> None:
    with chatting(served, tmp_path, "--private") as typist:
        typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
        typist.wait_for(ANSWERED)
        typist.wait_for_prompt()
        typist.type(f"нет, это было 3 июня 2023{ENTER}")
        typist.wait_for("Того, что вы говорите, в заметках нет.")
        typist.wait_for(ANSWERED)
        assert all("июня" not in prompt[-1].content for prompt in model.prompts)
    assert served.workspace.archive.chats() == []


def test_sources_are_listed_and_one_is_opened(served: Served, tmp_path: Path) -> None:
    programs, opened = tmp_path / "programs", tmp_path / "opened"
    programs.mkdir()
    (programs / "xdg-open").write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    (programs / "xdg-open").chmod(0o755)
    with chatting(served, tmp_path) as typist:
        typist.type(f"/open 1{ENTER}")
        typist.wait_for("Nothing has been answered yet.")
        typist.wait_for_prompt()
        typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
        typist.wait_for(ANSWERED)
        typist.wait_for_prompt()
        typist.type(f"/sources{ENTER}")
        typist.wait_for("Дом/Бойлер.md")
        typist.wait_for_prompt()
        typist.type(f"/open 7{ENTER}")
        typist.wait_for("The last answer has no source 7.")
        typist.wait_for_prompt()
        typist.type(f"/open 1{ENTER}")
        typist.wait_for("obsidian://open?vault=vault")
    assert opened.read_text().startswith("obsidian://open?vault=vault&file=")


def test_last_question_is_asked_again_in_depth(served: Served, model: ScriptedModel, tmp_path: Path) -> None:
    with chatting(served, tmp_path, "Бойлер") as typist:
        typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
        typist.wait_for(ANSWERED)
        typist.wait_for_prompt()
        typist.type(f"/deep{ENTER}")
        typist.wait_for_prompt()
    quick, deep = served.workspace.archive.chat("Бойлер")
    assert quick.answer.question == deep.answer.question
    assert deep.answer.trace
    assert not quick.answer.trace


def test_ctrl_c_stops_the_answer_and_not_the_program(tmp_path: Path) -> None:
    model = GatedModel()
    with serving(tmp_path, model) as served, chatting(served, tmp_path) as typist:
        typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
        typist.wait_for("Картридж")
        typist.type(CTRL_C)
        typist.wait_for("Stopped.")
        assert model.left.wait(20)
        typist.wait_for_prompt()
        typist.type(f"/help{ENTER}")
        typist.wait_for("/sources")
        typist.wait_for_prompt()
        typist.type(CTRL_D)
        assert typist.end() == 0


def test_unknown_command_and_place_are_told_and_the_chat_goes_on(served: Served, tmp_path: Path) -> None:
    with chatting(served, tmp_path) as typist:
        typist.type(f"/nonsense{ENTER}")
        typist.wait_for("`/nonsense` is no command here.")
        typist.wait_for_prompt()
        typist.type(f"/in Servers/{ENTER}")
        typist.wait_for("Only Servers/ is asked from now on.")
        typist.wait_for_prompt()
        typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
        typist.wait_for("Servers/mayak.md")
        typist.wait_for_prompt()
        typist.type(f"/help{ENTER}")
        typist.wait_for("/sources")
        assert "Дом/Бойлер.md" not in typist.shown


def test_names_of_notes_are_completed(served: Served, tmp_path: Path) -> None:
    with chatting(served, tmp_path) as typist:
        typist.type(f"что в [[бой{TAB}")
        typist.wait_for("[[Бойлер]]")


def test_answer_is_saved_as_a_note_into_the_folder_that_was_named_only(served: Served, tmp_path: Path) -> None:
    with chatting(served, tmp_path) as typist:
        typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
        typist.wait_for(ANSWERED)
        typist.wait_for_prompt()
        typist.type(f"/save{ENTER}")
        typist.wait_for("[reports] folder")
    (served.config.home / CONFIG_NAME).write_text('[reports]\nfolder = "Reports"\n', encoding="utf-8")
    with chatting(served, tmp_path) as typist:
        for _ in range(2):
            typist.type(f"Когда поменяли картридж в бойлере?{ENTER}")
            typist.wait_for(ANSWERED)
            typist.wait_for_prompt()
            typist.type(f"/save{ENTER}")
            typist.wait_for("Saved:")
            typist.wait_for_prompt()
    folder = served.config.vault / "Reports"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["Когда поменяли картридж в бойлере 2.md", "Когда поменяли картридж в бойлере.md"]
    text = (folder / names[1]).read_text(encoding="utf-8")
    assert "12 мая 2024 года[^1]" in text.replace(" [^1]", "[^1]")
    assert "[^1]: [[Бойлер#Бойлер]]" in text


def piped(served: Served, folder: Path, lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vaultrag", "chat", "--private"],
        input=lines,
        env={**os.environ, **environment(served, folder)},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_lines_of_a_pipe_are_answered_too(served: Served, tmp_path: Path) -> None:
    done = piped(served, tmp_path, "Когда поменяли картридж в бойлере?\n/sources\n")
    assert done.returncode == 0, done.stderr
    assert ANSWERED in done.stdout
    assert not done.stdout.startswith(PROMPT)


def test_a_pipe_is_told_by_the_exit_code_what_failed_though_the_rest_was_answered(
    served: Served, tmp_path: Path
) -> None:
    done = piped(served, tmp_path, "Когда поменяли картридж в бойлере?\n/save\n/sources\n")
    assert done.returncode == ReportFailed.exit_code
    assert "No folder is named" in done.stderr
    assert done.stdout.count("Дом/Бойлер.md") >= 2
