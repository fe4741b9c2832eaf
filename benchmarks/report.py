"""Figures with their intervals, and the files they are kept in: JSON and Markdown under `benchmarks/results/`."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from vaultrag.answering.judging.calibration import Scored, discrimination

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("chromadb", "llama-cpp-python", "llama-index-core", "sentence-transformers", "torch")
RESAMPLES = 2000  # of the bootstrap; the interval's third digit no longer moves
Z = 1.96  # 95 % of the normal distribution


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over n items with its 95 % interval."""

    name: str
    value: float
    low: float
    high: float
    n: int
    unit: str = ""


def mean(name: str, values: Sequence[float], unit: str = "") -> Figure:
    """Return the mean with a percentile bootstrap interval; shares of yes and no get Wilson's."""
    if not values:
        return Figure(name, math.nan, math.nan, math.nan, 0, unit)
    if set(values) <= {0.0, 1.0}:
        return share(name, int(sum(values)), len(values), unit)
    return change(name, values, unit)


def change(name: str, values: Sequence[float], unit: str = "") -> Figure:
    """Return the mean of differences, question by question, with a percentile bootstrap interval."""
    generator = random.Random(0)
    means = sorted(sum(generator.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES))
    low, high = means[int(RESAMPLES * 0.025)], means[int(RESAMPLES * 0.975)]
    return Figure(name, sum(values) / len(values), low, high, len(values), unit)


def share(name: str, hits: int, n: int, unit: str = "") -> Figure:
    """Return hits / n with Wilson's interval."""
    p = hits / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Figure(name, p, max(0.0, middle - half), min(1.0, middle + half), n, unit)


def area(name: str, scored: Sequence[Scored]) -> Figure:
    """Return how often a true one scores above an untrue one, with the interval of Hanley and McNeil."""
    value = discrimination(scored)
    true = sum(one.true for one in scored)
    untrue = len(scored) - true
    if not true or not untrue:
        return Figure(name, math.nan, math.nan, math.nan, len(scored))
    above, below = value / (2 - value), 2 * value**2 / (1 + value)
    variance = value * (1 - value) + (true - 1) * (above - value**2) + (untrue - 1) * (below - value**2)
    half = Z * math.sqrt(max(0.0, variance) / (true * untrue))
    return Figure(name, value, max(0.0, value - half), min(1.0, value + half), len(scored))


def quantile(name: str, values: Sequence[float], q: float, unit: str) -> Figure:
    """Return a quantile with the order statistics that bound it with 95 % confidence."""
    ordered = sorted(values)
    n = len(ordered)
    half = Z * math.sqrt(n * q * (1 - q))
    at = [min(n - 1, max(0, round(position))) for position in (n * q - 0.5, n * q - half - 0.5, n * q + half)]
    return Figure(name, ordered[at[0]], ordered[at[1]], ordered[at[2]], n, unit)


def write_report(
    name: str, title: str, figures: Sequence[Figure], notes: Sequence[str], details: object = None
) -> Path:
    """Write NAME.json and NAME.md; return the Markdown file, which is also printed."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    about = {"date": datetime.now(UTC).date().isoformat(), "commit": MEASURED, **machine(), **versions()}
    values: dict[str, object] = {
        "title": title,
        "about": about,
        "figures": [asdict(f) for f in figures],
        "notes": list(notes),
    }
    if details is not None:
        values["details"] = details
    (RESULTS / f"{name}.json").write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    path = RESULTS / f"{name}.md"
    path.write_text(_markdown(title, about, figures, notes), encoding="utf-8")
    print(path.read_text(encoding="utf-8"))
    return path


def commit() -> str:
    """Return the commit that is measured, marked when files differ from it."""
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=RESULTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout.strip() or "unknown"


MEASURED = commit()  # at the start: what is committed while a long run goes on is not what it measured


def machine() -> dict[str, str]:
    return {"machine": f"{os.cpu_count()} cores {platform.machine()}, {_cpu_name()}", "system": platform.system()}


def versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        found[package] = importlib.metadata.version(package)
    return found


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"


def _markdown(title: str, about: Mapping[str, str], figures: Sequence[Figure], notes: Sequence[str]) -> str:
    rows = [
        f"| {f.name} | {_number(f.value)}{f.unit} | {_number(f.low)} – {_number(f.high)} | {f.n} |" for f in figures
    ]
    stamp = ", ".join(f"{key} {value}" if key not in ("date", "machine") else value for key, value in about.items())
    lines = [f"# {title}", "", "| figure | value | 95 % interval | n |", "|---|---|---|---|", *rows, ""]
    return "\n".join([*lines, *(f"- {note}" for note in notes), "", f"Measured: {stamp}.", ""])


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
