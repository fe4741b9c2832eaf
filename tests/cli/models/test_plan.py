"""`vaultrag models plan` as typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vaultrag.cli.main import main
from vaultrag.config import Config
from vaultrag.store.endpoint import Endpoint


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run one command in a machine without models."""
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: main([str(argument) for argument in arguments], _refuse_to_serve)


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_combination_is_planned_on_a_machine_that_is_not_here(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("models", "plan", "--combo", "final-word", "--machine", "workstation", "--context", 16384, "--json")
    shown = printed(capsys)
    assert code == 0
    assert shown["machine"] == "workstation"
    assert {model["name"] for model in shown["models"]} >= {"deepseek-r1-distill-llama-70b"}
    assert all(model["stays"] and model["from_shape"] for model in shown["models"])
    assert sum(place["total"] for model in shown["models"] for place in model["places"][:1]) < 95.6 * 2**30


def test_a_machine_told_on_the_command_line_is_planned_for(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    told = ("--machine", "4090-desktop", "--vram", "8GB", "--ram", "32GB", "--bandwidth", 100, "--card-bandwidth", 448)
    assert run("models", "plan", "qwen3-30b-a3b", *told) == 0
    out = capsys.readouterr().out
    assert "card of 8 GiB" in out
    assert "experts of the first" in out
    assert "tokens/s written" in out


def test_another_quantisation_can_be_asked_for(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    run("models", "plan", "qwen3-32b:Q8_0", "--machine", "workstation", "--json")
    model = printed(capsys)["models"][0]
    assert model["quantisation"] == "Q8_0"
    assert model["bytes"] == pytest.approx(34.8e9, rel=0.01)


def test_a_context_longer_than_the_trained_one_is_cut_and_said_to_be(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run("models", "plan", "qwen3-235b-a22b", "--machine", "workstation", "--context", 100_000)
    assert "context 40,960, all that it was trained for" in capsys.readouterr().out
    run("models", "plan", "qwen3-235b-a22b-thinking", "--machine", "workstation", "--context", 100_000, "--json")
    assert printed(capsys)["models"][0]["placement"]["context"] == 100_000


@pytest.mark.slow
def test_what_more_memory_gives_says_where_it_is_put(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for machine, place in (("workstation", "more on the card"), ("3x3090", "more on the last card")):
        run("models", "plan", "qwen3-235b-a22b", "--machine", machine, "--json")
        assert any(place in change for change in printed(capsys)["changes"])
    run("models", "plan", "qwen3-32b", "--machine", "laptop", "--json")
    assert any("more of RAM" in change for change in printed(capsys)["changes"])


def test_one_speed_is_shown_as_one_number(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    run("models", "plan", "devstral-small-2505", "--machine", "laptop", "--context", 8192)
    shown = capsys.readouterr().out
    assert "2.7 tokens/s written" in shown
    assert "fits with a context of 4,096: 2.7 tokens/s" in shown


def test_the_speeds_that_are_taken_for_a_told_machine_are_shown(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run("models", "plan", "qwen3-8b", "--machine", "laptop", "--vram", "12GB", "--json")
    assert "RAM at 50 GB/s, cards at 600" in printed(capsys)["description"]


@pytest.mark.slow
def test_what_does_not_fit_is_refused_with_what_does(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "plan", "qwen3-235b-a22b", "--machine", "big-ram-small-gpu", "--json") == 13
    model = printed(capsys)["models"][0]
    assert not model["fits"]
    assert [instead["quantisation"] for instead in model["instead"]] == ["Q2_K", "Q4_K_M"]
    assert all(instead["decode"] > 0 for instead in model["instead"])
    assert run("models", "plan", "qwen3-235b-a22b", "--machine", "big-ram-small-gpu") == 13
    assert "It does not fit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("qwen9-900b",), "qwen9-900b"),
        (("qwen3-32b", "--machine", "worksation"), "workstation"),
        (("qwen3-32b", "--machine", "laptop", "--vram", "much"), "size of memory"),
        (("qwen3-32b", "--machine", "laptop", "--ram", "0"), "without RAM"),
        (("qwen3-32b", "--machine", "laptop", "--combo", "final-word"), "only one of them"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert run("models", "plan", *arguments) != 0
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
