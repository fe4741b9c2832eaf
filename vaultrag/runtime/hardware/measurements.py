"""Files of figures measured on this machine, by name. What is lost of them is measured again."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path


def read_figures(path: Path) -> dict[str, float]:
    """Return what was measured; what can be no measurement, in a damaged file, is left out."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): float(value) for key, value in values.items() if 0 < float(value) < math.inf}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def write_figures(path: Path, figures: Mapping[str, float]) -> None:
    """Write the file whole, or leave it as it was."""
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(figures, indent=1), encoding="utf-8")
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
