"""Whether this machine runs on its battery."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

SUPPLIES = Path("/sys/class/power_supply")
WAIT_SECONDS = 5.0


def on_battery(supplies: Path = SUPPLIES) -> bool:
    """Tell whether the machine runs on its battery; where that cannot be known, it does not."""
    if sys.platform == "win32":
        return _windows()
    return _mac() if sys.platform == "darwin" else _linux(supplies)


def _linux(supplies: Path) -> bool:
    """No mains is online, and a battery is being emptied; batteries of mice and the like do not count."""
    kinds: dict[str, list[Path]] = {}
    for supply in sorted(supplies.glob("*")):
        if _text(supply / "scope") != "Device":
            kinds.setdefault(_text(supply / "type"), []).append(supply)
    if any(_text(supply / "online") == "1" for kind in ("Mains", "USB") for supply in kinds.get(kind, [])):
        return False
    return any(_text(supply / "status") == "Discharging" for supply in kinds.get("Battery", []))


def _mac() -> bool:
    try:
        said = subprocess.run(
            ["pmset", "-g", "batt"], capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "'Battery Power'" in said


def _windows() -> bool:
    status = (ctypes.c_ubyte * 12)()  # SYSTEM_POWER_STATUS: its first byte is 0 on the battery, 1 on mains
    windll = getattr(ctypes, "windll", None)
    return windll is not None and bool(windll.kernel32.GetSystemPowerStatus(ctypes.byref(status))) and status[0] == 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
