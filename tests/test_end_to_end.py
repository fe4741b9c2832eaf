"""The whole product with the real small models: index, search, ask, cite, survive."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaultrag.config import Config, Settings
from vaultrag.domain import USUAL, Answer, AnswerReady, AnswerStatus, AnswerStyle, Manner, Role, TextPiece
from vaultrag.errors import ModelCrashed
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.pool import SPEEDS_NAME, ModelPool
from vaultrag.workspace import Ownership, Workspace

pytestmark = pytest.mark.models

PROSE = Manner(style=AnswerStyle.PROSE)  # by itself the small model lets the notes speak

NOTES = {
    "Дом/Маяк.md": "# Маяк\n\nДомашний сервер.\n\n## Железо\n\nС 14 сентября 2024 это Minisforum MS-01, 64 ГБ.\n\n"
    "## Порты\n\nHome Assistant слушает порт 8123, Grafana — 3000.\n",
    "Дом/Бойлер.md": "Картридж бойлера менял 12 марта 2025, хватает на полгода. Артикул BWT 812916.\n",
    "Work/Routing.md": "# Routing rewrite\n\nThe new service went live on 2025-06-03. It is written in Rust.\n",
    "Люди/Соня.md": "Соня занимается шахматами у Левана. Рейтинг сейчас 1385.\n",
    "Рецепты/Хлеб.md": "На буханку: 500 г муки, 340 г воды, 10 г соли. Печь 40 минут при 230 градусах.\n",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("real")
    for name, text in NOTES.items():
        path = root / "Мои заметки" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = Config(vault=root / "Мои заметки", home=root / "home", models=models_dir, settings=Settings())
    with Workspace.open(config, Ownership.OWN) as opened:
        report = opened.index(lambda *_: None, DeletionPolicy.GUARD)
        assert report.embedded == report.chunks > len(NOTES)
        yield opened


def answer(workspace: Workspace, question: str, manner: Manner = USUAL) -> Answer:
    *_, last = workspace.ask(question, manner=manner)
    assert isinstance(last, AnswerReady)
    return last.answer


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("Какие ингредиенты нужны для выпечки?", "Рецепты/Хлеб.md"),
        ("When did I last replace the water heater filter?", "Дом/Бойлер.md"),
        ("На каком языке переписан сервис маршрутов?", "Work/Routing.md"),
    ],
)
def test_meaning_finds_what_words_do_not(workspace: Workspace, question: str, path: str) -> None:
    found = workspace.search(question, 3)
    assert path in [passage.chunk.path for passage in found.passages]
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("question", "path", "fact"),
    [
        ("Какой порт у Home Assistant?", "Дом/Маяк.md", "8123"),
        ("Какой рейтинг у Сони по шахматам?", "Люди/Соня.md", "1385"),
        ("When did the routing rewrite go live?", "Work/Routing.md", "2025"),
    ],
)
def test_answers_are_cited_to_the_line(workspace: Workspace, question: str, path: str, fact: str) -> None:
    given = answer(workspace, question)
    assert given.status in (AnswerStatus.ANSWERED, AnswerStatus.PARTLY)
    assert fact in given.text
    cited = next(c for c in given.citations if c.path == path and fact in c.quote)
    line = NOTES[path].split("\n")[cited.span.first_line - 1]
    assert line[cited.span.first_column - 1 : cited.span.last_column] == cited.quote


def test_a_question_of_another_world_is_not_answered(workspace: Workspace) -> None:
    given = answer(workspace, "Who won the 1998 Winter Olympics curling final?")
    assert given.status is AnswerStatus.NOT_IN_VAULT
    assert given.tokens == {}


def test_asking_again_generates_again(workspace: Workspace) -> None:
    first, second = (answer(workspace, "Какой порт у Home Assistant?", PROSE) for _ in range(2))
    assert first.text == second.text
    assert second.tokens["completion"] > 0
    assert second.tokens["cached"] > 0


def test_a_killed_model_costs_one_answer_and_nothing_else(workspace: Workspace) -> None:
    model = workspace.models.chat(Role.ANSWER)
    assert isinstance(model, ChildModel)
    events = workspace.ask("Сколько соли в хлебе?", manner=PROSE)
    for event in events:
        if isinstance(event, TextPiece) and event.text and model.pid:
            os.kill(model.pid, signal.SIGKILL)
            break
    with pytest.raises(ModelCrashed):
        list(events)
    assert "8123" in answer(workspace, "Какой порт у Home Assistant?").text


def test_reading_speed_is_measured_once_and_only_ever_raised(tmp_path: Path, models_dir: Path) -> None:
    kept = tmp_path / "models"
    kept.mkdir()
    for name in ("qwen2.5-coder-0.5b-instruct", "multilingual-e5-small"):
        (kept / name).symlink_to(models_dir / name, target_is_directory=True)
    settings = Settings.model_validate({"roles": {"answer": "qwen2.5-coder-0.5b-instruct"}})
    models = ModelPool.of(Config(vault=tmp_path, home=tmp_path / "home", models=kept, settings=settings))
    budget = models.prompt_budget()
    assert budget > 0
    speeds = json.loads((kept / SPEEDS_NAME).read_text(encoding="utf-8"))
    (kept / SPEEDS_NAME).write_text(json.dumps(dict.fromkeys(speeds, 50.0)), encoding="utf-8")
    assert models.prompt_budget() == 50 * 30
    models.close()
