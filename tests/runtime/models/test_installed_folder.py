"""The files of the models folder, damaged: what was measured is measured again, what a person wrote is named."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.gguf_files import write_tiny_model
from tests.home_damage import ANY_FILE, TEXT, Damage, Said, command
from vaultrag.config import shipped
from vaultrag.errors import ConfigError, VaultragError
from vaultrag.runtime.hardware.detect import BANDWIDTH_NAME, USUAL_BANDWIDTH, known_bandwidth, ram_bandwidth
from vaultrag.runtime.hardware.machine import Machine
from vaultrag.runtime.hardware.measurements import read_figures
from vaultrag.runtime.models.manifest import write_manifest
from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.pool import SPEEDS_NAME
from vaultrag.runtime.run_settings import Speed
from vaultrag.runtime.tuning import TUNING_NAME, Result, Trial, keep, kept

MACHINE = Machine(1, 1 << 33, 1 << 32, "Linux x86_64")
CATALOGUE = """[[model]]
name = "tiny"
kind = "chat"
description = "Маленькая"
source = { type = "path", path = "PLACE" }
"""
BY_PEOPLE = ("models.toml", "profiles/machines.toml", "profiles/combinations.toml")
MEASURED = (SPEEDS_NAME, BANDWIDTH_NAME, TUNING_NAME, "tiny/manifest.json")
QUICK = ("halved", "noise")
COMMANDS = (("models", "list"), ("models", "combos"), ("models", "verify", "tiny"),
            ("models", "plan", "tiny", "--machine", "workstation"))  # fmt: skip


def cases(names: Sequence[str]) -> list[ParameterSet]:
    return [
        pytest.param(name, damage, id=f"{name} {kind}", marks=() if kind in QUICK else pytest.mark.long)
        for name in names
        for kind, damage in {**ANY_FILE, **TEXT}.items()
    ]


@pytest.fixture(scope="module")
def bandwidth_key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Under what a bandwidth is kept; measuring one takes a second."""
    models = tmp_path_factory.mktemp("models")
    ram_bandwidth(models, MACHINE)
    return str(next(iter(json.loads((models / BANDWIDTH_NAME).read_text(encoding="utf-8")))))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bandwidth_key: str) -> Path:
    """A models folder with every file that it can hold."""
    models = tmp_path / "models"
    (models / "tiny").mkdir(parents=True)
    path = write_tiny_model(models / "tiny" / "model.gguf")
    write_manifest(models / "tiny", "origin", {})
    (models / "models.toml").write_text(CATALOGUE.replace("PLACE", str(path)), encoding="utf-8")
    (models / "profiles").mkdir()
    for name in ("machines.toml", "combinations.toml"):
        (models / "profiles" / name).write_bytes(shipped(f"profiles/{name}").read_bytes())
    (models / SPEEDS_NAME).write_text('{"tiny, 2 cores": 100.5}', encoding="utf-8")
    (models / BANDWIDTH_NAME).write_text(json.dumps({bandwidth_key: 30.5}), encoding="utf-8")
    keep(models, "tiny", Result(Trial("the plan", Placement(512, 4, 4), 1000), Speed(9.0, 1.0), Speed(6.0, 0.5)))
    (tmp_path / "vault").mkdir()
    monkeypatch.setenv("VAULTRAG_MODELS", str(models))
    return tmp_path


def assert_clear(said: Said) -> None:
    assert said.error.get("error") != VaultragError.__name__, said
    assert said.error.get("remedy", "-"), said
    assert said.code == 0 or said.error or said.out, said


@pytest.mark.parametrize(("name", "damage"), cases(BY_PEOPLE))
def test_damaged_file_of_a_person_is_named_or_harmless(folder: Path, name: str, damage: Damage) -> None:
    path = folder / "models" / name
    damage(path)
    for arguments in COMMANDS:
        said = command(folder, *arguments)
        assert_clear(said)
        if said.code == ConfigError.exit_code:
            assert str(path) in said.error["message"]


@pytest.mark.parametrize(("name", "damage"), cases(MEASURED))
def test_damaged_file_of_what_was_measured_is_as_none(folder: Path, name: str, damage: Damage) -> None:
    models = folder / "models"
    damage(models / name)
    for arguments in COMMANDS:
        assert_clear(command(folder, *arguments))
    assert all(0 < speed < math.inf for speed in read_figures(models / SPEEDS_NAME).values())
    assert known_bandwidth(models, MACHINE) > 0
    best = kept(models, "tiny")
    assert best is None or isinstance(replace(best.trial.placement, threads=2), Placement)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1.5", "0", '"fast"', "[]", "null"])
def test_speed_that_none_can_be_is_measured_again(tmp_path: Path, bandwidth_key: str, value: str) -> None:
    (tmp_path / SPEEDS_NAME).write_text(f'{{"tiny": {value}}}', encoding="utf-8")
    assert read_figures(tmp_path / SPEEDS_NAME) == {}
    (tmp_path / BANDWIDTH_NAME).write_text(f"{{{json.dumps(bandwidth_key)}: {value}}}", encoding="utf-8")
    assert known_bandwidth(tmp_path, MACHINE) == USUAL_BANDWIDTH
