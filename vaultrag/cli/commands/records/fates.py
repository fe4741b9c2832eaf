"""What became of saved answers, in words."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from vaultrag.cli.terminal import local_time, one_line
from vaultrag.domain import Fate, LivingAnswer, LivingSource
from vaultrag.text.quotation_marks import set_off

SAID = {
    Fate.HOLDS: ("holds", "green"),
    Fate.CHANGED: ("changed", "red"),
    Fate.GONE: ("source gone", "red"),
    Fate.NOT_JUDGED: ("not judged", "yellow"),
}


def fate_line(answer: LivingAnswer) -> Text:
    """Return an answer on one line: its id, when it was kept, how it stands, and what it is about."""
    said, style = SAID[answer.fate]
    return Text.assemble(
        (answer.id, "bold cyan"),
        (f"  {local_time(answer.at)}  ", "dim"),
        (said, style),
        ("  ", ""),
        one_line(answer.about),
    )


def source_lines(answer: LivingAnswer) -> Iterator[Text]:
    """Yield, of each citation that is not what it was, what it said and what stands there now."""
    for source in answer.sources:
        if source.fate is not Fate.HOLDS:
            yield Text(f"  [{source.number}] {source.path} said: {set_off(one_line(source.said))}")
            yield Text(f"      {_now(source)}", style=SAID[source.fate][1])


def _now(source: LivingSource) -> str:
    if source.fate is Fate.GONE:
        return "These words stand nowhere any more."
    if not source.now:
        return "This note cannot be read now."
    lines = f"Line {source.lines[0]}" if source.lines else "It"
    unknown = " Whether that says the same was not judged." if source.fate is Fate.NOT_JUDGED else ""
    return f"{lines} reads now: {set_off(one_line(source.now))}{unknown}"
