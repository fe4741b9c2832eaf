"""What a note leaves open: tasks that have a day, and questions that nothing follows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from vaultrag.store.night.findings import NightFinding
from vaultrag.store.notes.open_tasks import OpenTask, OwnPassage

LONGEST = 200  # characters of what is quoted: a line or two
_ABOUT_QUESTIONS = re.compile(
    r"(?i)\b(?:questions?|unclear|to clarify|вопрос\w*|неясн\w*|непонятн\w*|выяснить|уточнить)\b"
)
_ITEM = re.compile(r"(?P<space>\s*)(?:[-*+]|\d{1,9}[.)])\s+(?:\[(?P<box>.)\]\s+)?(?P<text>.*\S)\s*")
_CALLOUT = re.compile(r"(?i)>\s*\[!(?:question|help|faq)\][+-]?\s*(?P<text>.*\S)\s*")


def dues_of(note_id: int, tasks: Iterable[OpenTask]) -> Iterator[NightFinding]:
    """Yield the tasks that name a day by which they are due, to be told from that day on."""
    for task in tasks:
        if day := task.dates.get("due", ""):
            yield NightFinding("task", note_id, text=_short(task.text), line=task.line, day=day)


def questions_in(note_id: int, passages: Sequence[OwnPassage]) -> Iterator[NightFinding]:
    """Yield the questions that nothing follows: items below a heading that speaks of questions, and bare callouts."""
    for passage in passages:
        lines = passage.text.splitlines()
        of_questions = any(map(_ABOUT_QUESTIONS.search, passage.headings))
        for number, line in enumerate(lines):
            after = lines[number + 1] if number + 1 < len(lines) else ""
            if text := _asked(line, after, of_questions):
                yield NightFinding("question", note_id, text=_short(text), line=passage.first_line + number)


def _asked(line: str, after: str, of_questions: bool) -> str:
    """Return the question on a line, empty where there is none or something answers it."""
    if callout := _CALLOUT.fullmatch(line):
        return "" if after.startswith(">") else callout["text"]
    item = _ITEM.fullmatch(line) if of_questions else None
    if item is None or not item["text"].endswith("?") or (item["box"] or " ") in "xX-":
        return ""
    deeper = after.strip() and len(after) - len(after.lstrip()) > len(item["space"])
    return "" if deeper else item["text"]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
