from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.gguf_files import write_tiny_model
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings
from vaultrag.domain import Role
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.installed import fingerprint
from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.pool import ModelPool
from vaultrag.runtime.run_settings import Speed
from vaultrag.runtime.tuning import TUNING_NAME, Result, Trial, better, keep, kept, merged, rounds, winner

PLAN = Trial("the plan", Placement(512, 4, 4), 1000)
BEST = Result(PLAN, Speed(100.0, 10.0), Speed(60.0, 6.0))


def slower(result: Result, factor: float) -> Result:
    return replace(result, idle=Speed(result.idle.prefill / factor, result.idle.decode / factor))


def test_what_was_measured_is_remembered_for_its_model_alone(tmp_path: Path) -> None:
    assert kept(tmp_path, "one") is None
    keep(tmp_path, "one", BEST)
    keep(tmp_path, "other", slower(BEST, 2))
    assert kept(tmp_path, "one") == BEST
    assert kept(tmp_path, "none") is None


@pytest.mark.parametrize("damage", ["", "[]", '{"KEY": {"trial": {}}}', '{"KEY": 7}'])
def test_a_damaged_memory_is_as_none(tmp_path: Path, damage: str) -> None:
    keep(tmp_path, "one", BEST)
    key = next(iter(json.loads((tmp_path / TUNING_NAME).read_text(encoding="utf-8"))))
    (tmp_path / TUNING_NAME).write_text(damage.replace('"KEY"', json.dumps(key)), encoding="utf-8")
    assert kept(tmp_path, "one") is None


def test_only_a_clearly_better_neighbour_replaces_the_plan() -> None:
    assert better(BEST, slower(BEST, 0.99)) == BEST
    assert better(BEST, slower(BEST, 0.5)) != BEST
    assert better(BEST, slower(BEST, 2)) == BEST


def test_a_moments_load_does_not_cost_the_plan_its_place() -> None:
    lucky = replace(BEST, trial=replace(PLAN, name="another", spin_count=0))
    disturbed = slower(BEST, 3)
    assert winner(merged([disturbed, lucky])) == lucky
    again = merged([disturbed, lucky, BEST, lucky])
    assert again == [BEST, lucky]
    assert winner(again) == BEST


def test_a_busy_machine_counts_too() -> None:
    proud = replace(BEST, busy=Speed(5.0, 0.5))
    assert proud.cost > BEST.cost


@pytest.mark.parametrize(
    "placement",
    [
        PLAN.placement,
        replace(PLAN.placement, gpu_layers=20),
        replace(PLAN.placement, gpu_layers=-1, expert_cpu_layers=(0, 1, 2)),
    ],
)
def test_each_neighbour_differs_in_one_thing(placement: Placement) -> None:
    start = replace(PLAN, placement=placement)
    tried = [trial for neighbours in rounds(4, 36) for trial in neighbours(start)]
    assert len(tried) >= 6
    for trial in tried:
        before, after = asdict(placement), asdict(trial.placement)
        changed = {name for name in before if before[name] != after[name]}
        assert changed | ({"spin"} if trial.spin_count != start.spin_count else set()) in (
            {"threads"},
            {"spin"},
            {"batch", "micro_batch"},
            {"gpu_layers"},
            {"expert_cpu_layers"},
            {"key_type", "value_type"},
            {"repack"},
        )
        assert trial.placement.threads >= 1


@pytest.mark.slow
def test_a_model_is_loaded_as_it_was_measured_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path))
    path = write_tiny_model(tmp_path / "tiny.gguf", context=2048)
    entry = find_model(str(path), ModelKind.CHAT, tmp_path)
    roles = Settings().roles.model_copy(update={"answer": str(path)})
    settings = Settings().model_copy(update={"roles": roles})
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path, settings=settings)
    keep(tmp_path, fingerprint(entry, path), BEST)
    models = ModelPool.of(config)
    try:
        model = models.chat(Role.ANSWER)
        assert isinstance(model, ChildModel)
        loaded = model.load()
        assert (loaded.gpu_reason, loaded.context) == ("as planned", 2048)
    finally:
        models.close()


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: object) -> None:
    raise AssertionError("no server is started here")


@pytest.mark.slow
def test_bench_measures_and_keeps_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = write_tiny_model(tmp_path / "tiny.gguf", context=1024)
    assert main(["models", "bench", str(path), "--json"], _refuse_to_serve) == 0
    shown = json.loads(capsys.readouterr().out)
    assert next(way["name"] for way in shown["tried"]) == "the plan"
    assert sum(way["best"] for way in shown["tried"]) == 1
    assert all(way["decode"] > 0 and way["decode_busy"] > 0 for way in shown["tried"] if not way["failed"])
    assert not list(tmp_path.rglob("*.svg"))
    entry = find_model(str(path), ModelKind.CHAT, tmp_path)
    assert kept(tmp_path, fingerprint(entry, path)) is not None
    assert main(["models", "plan", str(path)], _refuse_to_serve) == 0
    assert "Measured here" in capsys.readouterr().out
