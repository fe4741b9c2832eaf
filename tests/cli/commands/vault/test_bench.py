"""`vaultrag bench` as typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import LeaningModel
from vaultrag.cli.answer_words import probe_words
from vaultrag.cli.main import main
from vaultrag.config import Config
from vaultrag.errors import ConfigError
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.endpoint import Endpoint
from vaultrag.wire import ProbeRecord

THINGS = ("Boiler", "Pump", "Gate", "Shed", "Well", "Cellar", "Grill", "Swing", "Porch", "Fence", "Attic", "Roof")
TEXT = "The {thing} was mended by Viktor for {price} euros, with all the parts."
QUESTION = "How much did it cost to mend the {thing}?"


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


TEXTS = [TEXT.format(thing=thing, price=100 + n) for n, thing in enumerate(THINGS)]
QUESTIONS = [QUESTION.format(thing=thing) for thing in THINGS]


@pytest.fixture
def model() -> LeaningModel:
    """Return a model that knows what each note answers."""
    leanings = {**dict.fromkeys(QUESTIONS, 4.0), "": -4.0}
    return LeaningModel(leanings, written=dict(zip(TEXTS, QUESTIONS, strict=True)))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: LeaningModel) -> Callable[..., int]:
    """Index twelve notes; run commands over them with the model."""
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, None, model))
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    (tmp_path / "vault").mkdir()
    for thing, text in zip(THINGS, TEXTS, strict=True):
        (tmp_path / "vault" / f"{thing}.md").write_text(text + "\n", encoding="utf-8")
    places = ["--vault", str(tmp_path / "vault"), "--home", str(tmp_path / "home")]

    def command(*arguments: str) -> int:
        return main([*arguments, *places], _refuse_to_serve)

    assert command("index") == 0
    return command


def test_bench_says_what_a_level_means_here(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("bench", "--quick", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["unanswerable"], told["refused"], told["answerable"]) == (12, 12, 12)
    assert told["said"].startswith("Of 12 probe questions without an answer 12 were refused; of 12 with a known place")
    assert not told["calibrated_before"]
    assert told["thresholds"][""]["low"] == pytest.approx(4.0)
    assert told["curve"][0]["coverage"] == 1.0


def test_what_bench_measured_of_a_model_is_known_afterwards(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("bench", "--quick") == 0
    first = capsys.readouterr().out
    assert "take no level for a promise" not in first
    assert "drawn on these questions" in first
    capsys.readouterr()
    assert run("bench", "--quick", "--json") == 0
    assert json.loads(capsys.readouterr().out)["calibrated_before"]


def test_bench_tells_what_it_found_where_a_newer_versions_file_keeps_it_from_keeping_that(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "models" / "calibrations.json").write_text('{"form": 2}', encoding="utf-8")
    assert run("bench", "--quick") == ConfigError.exit_code
    told = capsys.readouterr()
    assert "Of 12 probe questions without an answer 12 were refused" in told.out
    assert "does not understand" in told.err
    assert (tmp_path / "models" / "calibrations.json").read_text(encoding="utf-8") == '{"form": 2}'


def test_bench_says_what_finds_the_places_and_how_biased_its_questions_are(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("bench", "--quick") == 0
    told = capsys.readouterr().out
    assert "12 of 12" in told
    assert "of these questions' words stand in the sentence" in " ".join(told.split())


def test_bench_says_where_a_server_that_gives_no_probabilities_leaves_questions_unjudged(
    run: Callable[..., int], model: LeaningModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model.calibrated = False
    assert run("bench", "--quick") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "No probe question was judged." in told
    assert "24 questions could not be judged: leaning gives no probabilities." in told
    assert "names, links and times too 12 of 12" in told
    assert "in 50% of pairs" not in told


def test_words_tell_another_places_figures_from_this_vaults() -> None:
    here = ProbeRecord(unanswerable=40, refused=34, answerable=40, cited=31, of_this_vault=True)
    assert probe_words(here) == (
        "Of 40 probe questions without an answer 34 were refused; of 40 with a known place 31 cited it."
    )
    assert probe_words(here.model_copy(update={"of_this_vault": False})).startswith("Elsewhere, of 40")
