"""Which model is recommended, on machines that are told: by memory, speed and disk, and by what was measured."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from vaultrag.runtime import recommend as module
from vaultrag.runtime.hardware.measurements import write_figures
from vaultrag.runtime.hardware.profiles import find_machine
from vaultrag.runtime.models.catalogue import ModelEntry, load_catalogue
from vaultrag.runtime.models.reach import HubReach
from vaultrag.runtime.offload.plan import budget_of
from vaultrag.runtime.pool import SPEEDS_NAME, WRITTEN
from vaultrag.runtime.recommend import (
    FLOOR,
    LEAST_DECODE,
    LEAST_PROMPT,
    Considered,
    MeasuredPace,
    Recommendation,
    Room,
    is_hint_due,
    note_said,
    pace_here,
    weigh,
)

DISK = 1 << 40
UNMEASURED = MeasuredPace()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def room_of(machine: str, models: Path, pace: MeasuredPace = UNMEASURED, disk: int = DISK) -> Room:
    hardware = find_machine(machine, models)
    return Room(hardware, budget_of(hardware), disk, context=8192, pace=pace)


def general(models: Path) -> list[ModelEntry]:
    return sorted((entry for entry in load_catalogue(models).values() if entry.strength), key=lambda e: -e.strength)


def recommended(room: Room, models: Path, reach: HubReach | None = None) -> Recommendation:
    considered = tuple(weigh(entry, room, models) for entry in general(models))
    return Recommendation(FLOOR, considered, room, reach or HubReach("http://127.0.0.1:1", None, None, None))


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("workstation", "qwen3-32b"),
        ("4090-desktop", "qwen3-32b"),
        ("8gb-gpu", "qwen3-30b-a3b"),
        ("laptop", "qwen3-4b"),
        ("unified-laptop", "qwen3-32b"),
    ],
)
def test_the_strongest_model_that_a_machine_runs_in_bearable_time(models: Path, machine: str, name: str) -> None:
    best = recommended(room_of(machine, models), models).best
    assert best is not None
    assert best.entry.name == name
    assert best.decode >= LEAST_DECODE
    assert best.prefill * 30 >= LEAST_PROMPT


def test_general_models_are_instructed_ones_in_both_languages_and_no_coders(models: Path) -> None:
    names = [entry.name for entry in general(models)]
    assert not [name for name in names if "coder" in name]
    assert "llama-3.3-70b-instruct" not in names, "Russian is not among its trained languages"
    assert len({entry.strength for entry in general(models)}) == len(names)
    assert not load_catalogue(models)[FLOOR].strength


def test_a_slow_machine_keeps_the_small_model_and_says_what_is_too_slow(models: Path) -> None:
    room = replace(room_of("small", models), hardware=replace(find_machine("small", models), cores=1))
    found = recommended(room, models)
    assert found.best is None
    assert (
        "tokens in the 30 s before a first word, and 1,200 are the least to answer from" in found.considered[-1].lacks
    )


def test_what_reads_fast_but_writes_slower_than_people_read_is_no_advice(models: Path) -> None:
    room = room_of("laptop", models, MeasuredPace(read=10, written=0.1, by=FLOOR))
    lacks = {one.entry.name: one.lacks for one in recommended(room, models).considered}
    assert "a second, and people read 8" in lacks["qwen3-4b"]


def test_what_has_no_room_in_memory_is_no_advice(models: Path) -> None:
    room = room_of("laptop", models)
    room = replace(room, budget=replace(room.budget, ram=1 << 30))
    assert all("of memory are free" in one.lacks for one in recommended(room, models).considered)


def test_what_has_no_room_on_the_disk_is_passed_over_for_what_has(models: Path) -> None:
    found = recommended(room_of("4090-desktop", models, disk=3_000_000_000), models)
    assert found.best is not None
    assert found.best.entry.name == "qwen3-4b"
    assert "of disk, and 3.0 GB are free" in found.considered[0].lacks


@pytest.mark.slow
def test_what_was_measured_here_corrects_what_is_foretold(models: Path) -> None:
    laptop = find_machine("laptop", models)
    assert pace_here(FLOOR, laptop, 8192, models) == MeasuredPace()
    foretold = pace_of(models, read=1.0, written=1.0)
    twice = pace_of(models, read=2 / foretold.read, written=2 / foretold.written)
    assert twice.read == pytest.approx(2)
    assert twice.written == pytest.approx(2)
    assert twice.by == FLOOR
    plain, corrected = (
        recommended(room_of("laptop", models, pace), models).considered for pace in (MeasuredPace(), twice)
    )
    assert [one.prefill * 2 for one in plain] == pytest.approx([one.prefill for one in corrected])


def pace_of(models: Path, read: float, written: float) -> MeasuredPace:
    key = f"{FLOOR}, {os.cpu_count()} cores, 0 threads, 0 GPU layers"
    write_figures(models / SPEEDS_NAME, {key: read, f"{key}{WRITTEN}": written, "another, 64 cores": 9000.0})
    return pace_here(FLOOR, find_machine("laptop", models), 8192, models)


def test_a_model_server_and_an_unknown_file_tell_nothing_of_this_machine(models: Path) -> None:
    laptop = find_machine("laptop", models)
    assert pace_here("remote", laptop, 8192, models) == MeasuredPace()
    assert pace_here("remote:large", laptop, 8192, models) == MeasuredPace()


def test_a_silent_hub_offers_nothing_but_what_is_here(models: Path) -> None:
    room = room_of("laptop", models)
    silent = recommended(room, models, HubReach("http://127.0.0.1:1", None, 60.0, None))
    assert silent.best is not None
    assert silent.offered is None
    here = tuple(replace(one, is_here=True) for one in silent.considered)
    assert replace(silent, considered=here).offered == replace(silent, considered=here).best
    later = replace(silent, reach=HubReach("http://127.0.0.1:1", 30.0, 60.0, None))
    assert later.offered == later.best


def test_a_hint_is_due_until_somebody_was_told_and_once_a_day_where_nothing_fits(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Recommendation(FLOOR, (), room_of("small", models), HubReach("", None, None, None))
    one = Considered(general(models)[0], is_here=True)
    assert is_hint_due(models)
    note_said(models, nothing)
    assert not is_hint_due(models)
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", -1.0)
    assert is_hint_due(models)
    note_said(models, replace(nothing, considered=(one,)))
    assert not is_hint_due(models)
