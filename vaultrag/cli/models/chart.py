"""Bar charts as SVG, for a browser or a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LABELS, BAR, GAP, TOP = 760, 240, 12, 10, 64  # pixels
COLOURS = ("#4078c0", "#d08a3c")


@dataclass(frozen=True, slots=True)
class Bars:
    """One line of a chart: its name and a value for each series."""

    name: str
    values: tuple[float, ...]
    best: bool = False


def bar_chart(title: str, series: Sequence[str], lines: Sequence[Bars], unit: str) -> str:
    """Return a chart with one group of bars a line; the best line's name is bold."""
    height = TOP + len(lines) * (len(series) * BAR + GAP) + GAP
    largest = max((value for line in lines for value in line.values), default=1.0) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{GAP}" y="24" font-size="16">{escape(title)}</text>',
        *_legend(series, unit),
    ]
    for index, line in enumerate(lines):
        parts += _group(line, TOP + index * (len(series) * BAR + GAP), largest)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(series: Sequence[str], unit: str) -> Iterator[str]:
    for index, name in enumerate(series):
        at = GAP + index * 180
        yield f'<rect x="{at}" y="38" width="10" height="10" fill="{COLOURS[index]}"/>'
        yield f'<text x="{at + 16}" y="47" font-size="11">{escape(name)}, {escape(unit)}</text>'


def _group(line: Bars, top: int, largest: float) -> Iterator[str]:
    weight = ' font-weight="bold"' if line.best else ""
    yield f'<text x="{GAP}" y="{top + BAR}" font-size="12"{weight}>{escape(line.name)}</text>'
    for index, value in enumerate(line.values):
        length = value / largest * (WIDTH - LABELS - 80)
        y = top + index * BAR
        yield f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS[index]}"/>'
        yield f'<text x="{LABELS + length + 6:.1f}" y="{y + BAR - 3}" font-size="10">{value:.1f}</text>'
