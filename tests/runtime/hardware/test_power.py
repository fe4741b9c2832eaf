"""Whether a machine runs on its battery, by the files that Linux shows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vaultrag.runtime.hardware.power import on_battery

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the files are Linux's")
BATTERY = {"type": "Battery", "status": "Discharging"}
MOUSE = {"type": "Battery", "status": "Discharging", "scope": "Device"}


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ({}, False),
        ({"BAT0": BATTERY, "AC": {"type": "Mains", "online": "0"}}, True),
        ({"BAT0": BATTERY, "AC": {"type": "Mains", "online": "1"}}, False),
        ({"BAT0": {**BATTERY, "status": "Charging"}}, False),
        ({"hidpp_battery_0": MOUSE}, False),
    ],
)
def test_battery_is_told_from_mains(tmp_path: Path, supplies: dict[str, dict[str, str]], expected: bool) -> None:
    for name, files in supplies.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(f"{text}\n")
    assert on_battery(tmp_path) is expected
