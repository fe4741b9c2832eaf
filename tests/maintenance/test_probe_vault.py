"""`bench`: questions made from the vault, asked of its own index and model; figures are kept, texts are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import LeaningModel
from vaultrag.answering.judging.calibration import WORDING, Thresholds
from vaultrag.answering.judging.calibration_files import KnownCalibration, KnownThresholds, keep_calibration
from vaultrag.config import Config, Settings
from vaultrag.domain import unwatched
from vaultrag.errors import GenerationFailed
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.maintenance.probe_results import FEWEST
from vaultrag.workspace import Ownership, Workspace

THINGS = {
    "ru": ["Бойлер", "Насос", "Калитка", "Теплица", "Колодец", "Погреб", "Мангал", "Качели", "Навес", "Скворечник"],
    "en": ["Boiler", "Pump", "Gate", "Shed", "Well", "Cellar", "Grill", "Swing", "Porch", "Fence"],
}
SENTENCES = {
    "ru": "{thing}: чинил Виктор, обошлось в {price} рублей вместе с деталями.",
    "en": "{thing}: Viktor mended it for {price} euros with all the parts.",
}
QUESTIONS = {"ru": "Во сколько обошёлся ремонт: {thing}?", "en": "How much did it cost to mend the {thing}?"}


def leaning(language: str, known: float = 3.0, unknown: float = -3.0) -> LeaningModel:
    """Return a model that writes each thing's question, and leans to Yes where a passage holds the thing asked for."""
    texts = dict(zip(THINGS[language], _texts(language), strict=True))
    written = {text: QUESTIONS[language].format(thing=thing) for thing, text in texts.items()}
    asked = {QUESTIONS[language].format(thing=thing): known for thing in texts}
    return LeaningModel({**asked, "": unknown}, written=written)


def _texts(language: str) -> list[str]:
    return [SENTENCES[language].format(thing=thing, price=100 + n) for n, thing in enumerate(THINGS[language])]


def opened(folder: Path, model: LeaningModel, access: Ownership = Ownership.OWN) -> Workspace:
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    (folder / "models").mkdir(exist_ok=True)
    return Workspace.with_models(config, access, None, model)  # words find these; no vector index has to start


@pytest.fixture(params=["ru", "en"])
def language(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Index a vault of ten things in one language."""
    (tmp_path / "vault").mkdir()
    language = str(request.param)
    for thing, text in zip(THINGS[language], _texts(language), strict=True):
        (tmp_path / "vault" / f"{thing}.md").write_text(text + "\n", encoding="utf-8")
    with opened(tmp_path, leaning(language)) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
    return language


def test_what_the_model_refuses_and_cites_is_counted(tmp_path: Path, language: str) -> None:
    with opened(tmp_path, leaning(language)) as workspace:
        found = workspace.probing.run(10, unwatched)
    assert (found.record.unanswerable, found.record.answerable) == (10, 10)
    assert found.record.refused == 10
    assert found.record.cited >= 9
    assert found.record.of_this_vault
    assert found.discrimination == 1.0
    assert 0 < found.shared <= 1
    assert [stage.name for stage in found.stages if stage.found == 10] == [
        "words",
        "both",
        "names, links and times too",
    ]


def test_a_model_that_says_yes_to_everything_is_found_out(tmp_path: Path, language: str) -> None:
    with opened(tmp_path, leaning(language, known=3.0, unknown=3.0)) as workspace:
        found = workspace.probing.run(10, unwatched)
    by_code = found.coined_refused  # names that no note holds, which need no model
    assert found.record.refused == by_code < found.record.unanswerable
    assert found.discrimination <= 0.5 + by_code / found.record.unanswerable / 2


def test_what_was_stopped_goes_on_without_asking_anew(tmp_path: Path, language: str) -> None:
    def stop_late(_phase: str, done: int, _total: int) -> None:
        if done == 6:
            raise GenerationFailed("stopped", "-")

    first, second = leaning(language), leaning(language)
    with opened(tmp_path, first) as workspace, pytest.raises(GenerationFailed):
        workspace.probing.run(10, stop_late)
    with opened(tmp_path, second) as workspace:
        whole = workspace.probing.run(10, unwatched)
    assert whole.record.answerable == 10
    assert len(second.prompts) < len(first.prompts)


def test_the_vault_moves_what_is_known_of_the_model(tmp_path: Path, language: str) -> None:
    (tmp_path / "models").mkdir(exist_ok=True)
    known = {"": KnownThresholds(-1.0, 1.0)}
    keep_calibration(tmp_path / "models", KnownCalibration("leaning", "leaning", WORDING, known))
    with opened(tmp_path, leaning(language, known=6.0, unknown=2.0)) as workspace:
        assert workspace.calibration().thresholds_for(language) == Thresholds(-1.0, 1.0)
        found = workspace.probing.run(10, unwatched)
        moved = workspace.calibration()
    assert found.moved > 0
    assert moved.thresholds_for(language) == Thresholds(-1.0, 1.0).moved(found.moved)
    assert moved.record == found.record


def test_few_questions_move_nothing(tmp_path: Path, language: str) -> None:
    (tmp_path / "models").mkdir(exist_ok=True)
    known = {"": KnownThresholds(-1.0, 1.0)}
    keep_calibration(tmp_path / "models", KnownCalibration("leaning", "leaning", WORDING, known))
    with opened(tmp_path, leaning(language, known=6.0, unknown=2.0)) as workspace:
        workspace.probing.run(FEWEST - 2, unwatched)
        assert workspace.calibration().thresholds_for(language) == Thresholds(-1.0, 1.0)


def test_a_server_that_gives_no_probabilities_teaches_nothing(tmp_path: Path, language: str) -> None:
    model = leaning(language)
    model.calibrated = False
    with opened(tmp_path, model) as workspace:
        found = workspace.probing.run(10, unwatched)
        assert workspace.calibration().answerable == {}
    assert found.unscored == 20
    assert found.record.answerable == 0


def test_figures_can_be_kept_while_a_server_has_the_vault(tmp_path: Path, language: str) -> None:
    with opened(tmp_path, leaning(language)), opened(tmp_path, leaning(language), Ownership.READ) as reader:
        found = reader.probing.run(10, unwatched)
    assert found.record.answerable == 10


def test_no_word_of_a_question_is_kept(tmp_path: Path, language: str) -> None:
    with opened(tmp_path, leaning(language)) as workspace:
        workspace.probing.run(10, unwatched)
        kept = str(workspace.database.rows("SELECT value FROM meta WHERE key LIKE 'probes%'"))
    assert kept.count("score") == 20
    for thing in THINGS[language]:
        assert thing not in kept
    assert "Viktor" not in kept


COPIED = {
    "ru": "{thing}: {number} раз приезжал Виктор, чинил всё до вечера, взял деньги, выпил чаю и уехал домой в Гори.",
    "en": "{thing}: Viktor came {number} times, mended it until evening, took the money, had tea and drove to Gori.",
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_place_is_found_and_cited_where_its_words_are_shown_under_another_place(tmp_path: Path, language: str) -> None:
    texts = [COPIED[language].format(thing=thing, number=n) for n, thing in enumerate(THINGS[language], 2)]
    questions = [QUESTIONS[language].format(thing=thing) for thing in THINGS[language]]
    model = LeaningModel({**dict.fromkeys(questions, 3.0), "": -3.0}, written=dict(zip(texts, questions, strict=True)))
    for folder in ("vault", "vault/Copies"):
        (tmp_path / folder).mkdir()
        for thing, text in zip(THINGS[language], texts, strict=True):
            (tmp_path / folder / f"{thing} {folder[-1]}.md").write_text(text + "\n", encoding="utf-8")
    with opened(tmp_path, model) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
        found = workspace.probing.run(20, unwatched)
    assert found.record.answerable == 20  # of which each half is a copy of the other
    assert found.record.cited >= 19
    assert {stage.name: stage.found for stage in found.stages}["words"] == 20


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Виктор починил насос и уехал в Гори на поезде.", "Чем занимались весной 2024 года?"),
        ("Viktor mended the pump and left for Gori by train.", "How were the days of spring 2024?"),
    ],
)
def test_questions_are_asked_as_answers_search(tmp_path: Path, text: str, question: str) -> None:
    """By times, too: no word of the question stands in its note."""
    model = LeaningModel({question: 3.0, "": -3.0}, written={text: question})
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "Насос.md").write_text(f"---\ndate: 2024-05-12\n---\n{text}\n", encoding="utf-8")
    with opened(tmp_path, model) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
        found = workspace.probing.run(1, unwatched)
    assert [stage.found for stage in found.stages] == [0, 0, 0, 1]
    assert found.record.cited == 1


def test_both_kinds_of_questions_without_an_answer_take_turns(tmp_path: Path, language: str) -> None:
    with opened(tmp_path, leaning(language)) as workspace:
        found = workspace.probing.run(10, unwatched)
    assert 1 < found.coined < found.record.unanswerable - 1
