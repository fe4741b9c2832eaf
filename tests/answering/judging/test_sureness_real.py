"""The shipped thresholds with the model that they were drawn for: what anyone can tell apart, it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vaultrag.answering.judging.calibration import Calibration
from vaultrag.answering.judging.calibration_files import calibration_of
from vaultrag.answering.judging.support import Premise, Statement, judge_support
from vaultrag.answering.judging.sureness import Shown, judge_answerability
from vaultrag.config import Config, Settings
from vaultrag.domain import Backing, ChatModel, Level, Role
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace.judging import judge_key

pytestmark = pytest.mark.models
TEXTS = {
    "en": ("Boiler", "The boiler was repaired on 12 May 2024 by Viktor, for 4500 rubles. He changed the anode."),
    "ru": ("Бойлер", "Бойлер чинил Виктор 12 мая 2024 года, взял 4500 рублей. Заодно поменял анод."),
}


@pytest.fixture(scope="module")
def models(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelPool]:
    folder = tmp_path_factory.mktemp("nothing")
    pool = ModelPool.of(Config(vault=folder, home=folder / "home", models=models_dir, settings=Settings()))
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def judge(models: ModelPool) -> tuple[ChatModel, Calibration]:
    return models.chat(Role.ANSWER), calibration_of(judge_key(models), models.config.models)


@pytest.mark.parametrize(
    ("language", "answered", "unanswered"),
    [
        ("en", "Who repaired the boiler?", "What is the telephone number of the boiler's seller?"),
        ("ru", "Кто чинил бойлер?", "Какой номер телефона у продавца бойлера?"),
    ],
)
def test_a_note_that_answers_is_told_from_one_that_does_not(
    judge: tuple[ChatModel, Calibration], language: str, answered: str, unanswered: str
) -> None:
    model, calibration = judge
    note = Shown(*TEXTS[language])
    yes = judge_answerability(answered, [note], model, calibration).sureness
    no = judge_answerability(unanswered, [note], model, calibration).sureness
    assert yes.calibrated
    assert yes.level is not Level.NOT_IN_VAULT
    assert no.level is Level.NOT_IN_VAULT


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("en", "Viktor repaired the boiler in May 2024.", "The boiler was sold to Viktor."),
        ("ru", "Виктор чинил бойлер в мае 2024 года.", "Виктору продали бойлер."),
    ],
)
def test_lines_that_say_it_back_a_sentence_and_others_do_not(
    judge: tuple[ChatModel, Calibration], language: str, right: str, wrong: str
) -> None:
    model, calibration = judge
    premise = Premise(*TEXTS[language])
    backings = judge_support([Statement(right, (premise,)), Statement(wrong, (premise,))], model, calibration)
    assert backings[0] in (Backing.BACKED, Backing.PARTLY)
    assert backings[1] is Backing.NOT_BACKED
