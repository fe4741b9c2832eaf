"""Curves as pictures beside the tables, drawn where matplotlib is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import RESULTS

INCHES = (7.0, 4.2)
DOTS_PER_INCH = 110


@dataclass(frozen=True, slots=True)
class Axes:
    """What a picture shows. With `logarithmic` both axes are."""

    title: str
    across: str
    up: str
    logarithmic: bool = False


def draw(name: str, axes: Axes, curves: Mapping[str, Sequence[tuple[float, float]]]) -> Path | None:
    """Write `results/NAME.png` with one line for each curve of (x, y); None where matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, layout="constrained")
    plot = figure.add_subplot()
    for label, points in curves.items():
        plot.plot([x for x, _ in points], [y for _, y in points], marker="o", markersize=3, label=label)
    if axes.logarithmic:
        plot.set_xscale("log")
        plot.set_yscale("log")
    else:
        plot.set_ylim(bottom=0)
    plot.set(title=axes.title, xlabel=axes.across, ylabel=axes.up)
    plot.grid(visible=True, alpha=0.3)
    plot.legend(fontsize="small")
    path = RESULTS / f"{name}.png"
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})
    return path
