"""Who answers where no model is installed: the notes' own lines, unless the model was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaultrag.answering.judging.calibration import UNCALIBRATED
from vaultrag.config import Config, Settings
from vaultrag.domain import USUAL, AnswerStyle, Manner, SearchResult
from vaultrag.errors import ModelNotFound
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace.asking import Asking

PROSE, QUOTES = Manner(style=AnswerStyle.PROSE), Manner(style=AnswerStyle.QUOTES)


def asking(folder: Path, style: str = "auto") -> Asking:
    settings = Settings.model_validate({"answering": {"style": style}})
    config = Config(vault=folder, home=folder / "home", models=folder / "models", settings=settings)
    return Asking(config, ModelPool.of(config), None, lambda _: UNCALIBRATED)


def _search(question: str, _: int) -> SearchResult:
    return SearchResult(question, (), (), (), {})


@pytest.mark.parametrize(("style", "manner"), [("auto", USUAL), ("quotes", USUAL), ("auto", QUOTES), ("prose", QUOTES)])
def test_the_notes_answer_and_say_how_a_model_is_got(tmp_path: Path, style: str, manner: Manner) -> None:
    answerer = asking(tmp_path, style).answerer(_search, manner)
    assert answerer.model is None
    (said,) = answerer.caution()
    assert "So the notes' own lines answer." in said
    assert "models pull" in said


@pytest.mark.parametrize(("style", "manner"), [("auto", PROSE), ("prose", USUAL), ("quotes", PROSE)])
def test_prose_that_was_asked_for_needs_its_model(tmp_path: Path, style: str, manner: Manner) -> None:
    with pytest.raises(ModelNotFound):
        asking(tmp_path, style).answerer(_search, manner)


def test_whoever_needs_the_model_is_told_that_it_is_not_here(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        asking(tmp_path).answerer(_search, USUAL, needed=True)
