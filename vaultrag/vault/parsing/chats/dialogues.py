"""Chats with an AI in the forms that people and other exporters write: headings, bold names, callouts, plain labels.

Told by form alone: marks of one form that name by turns a user and a machine. An interview has no machine, a list of
roles no turns, and code shows a chat without being one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from vaultrag.domain import Turn
from vaultrag.vault.parsing.chats.marks import CALLOUT, HEADING, LABEL, QUOTED, Mark, fence_behind, find_marks
from vaultrag.vault.parsing.chats.models import is_of_chat
from vaultrag.vault.parsing.chats.moments import holds_moment, moments_of, time_line
from vaultrag.vault.parsing.chats.speakers import (
    ASSISTANT,
    LIKELY,
    NAMED,
    USER,
    Speaker,
    may_name_machine,
    read_speaker,
)
from vaultrag.vault.parsing.lines import Lines

_IN_QUOTE = re.compile(r" {0,3}>")
_RULE = re.compile(r"[ \t>]*+(?:(?:-[ \t]*+){3,}+|(?:\*[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)?")
_ANY_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]++(\S.*)")
_OWN_WORDS = re.compile(
    r"(?:мо[йияё]|наши?|my|our) (?:\w+ )?(?:выводы?|заметк\w+|мысл\w+|комментари\w+|итоги?|резюме|пометк\w+"
    r"|notes?|thoughts?|takeaways?|conclusions?|comments?|summary|remarks?)",
    re.IGNORECASE,
)
_SURELY = re.compile(r"callout|\bsaid\b|сказал")  # what nobody but a page of chats or its exporter writes
_PERSON = re.compile(r"[^\W\d_][^\W\d_'-]+(?: [^\W\d_][^\W\d_'-]+){0,2}")
_FIRST_NAMES = frozenset(("claude",))  # of people, too: an interview with one is none with a model
HINT = 2  # what a note that calls itself a chat adds: as much as a likely name
MOST_LEVELS = 6  # of headings


def find_dialogue(text: str, lines: Lines, body: int, properties: Mapping[str, Any], created: str = "") -> list[Turn]:
    """Find the messages of a chat that stands in a note, in order; none where the note holds no such chat.

    The marks of one form make them: those of the first form that names two by turns. A message reaches to the next mark
    or, in quotes, to the end of its quote. `created` is the day the chat began, where the note says so.
    """
    if not may_name_machine(text[body:]):
        return []
    source = [text[start:end] for start, end in zip(lines.starts, lines.ends, strict=True)]
    found = list(find_marks(source, lines, lines.line_at(body)))
    known = HINT if found and is_of_chat(properties, text[: lines.starts[found[0].line]]) else 0
    for form in dict.fromkeys(mark.form for mark in found):
        marks = _with_named_person(_of_one_level([mark for mark in found if mark.form == form]))
        told = _without_doubtful([mark for mark in marks if mark.speaker])
        if told and _are_turns(told, marks, known):
            return _turns(source, lines, told, created)
    answers = [mark for mark in found if _is_answer(mark)]
    return _turns(source, lines, answers, created) if answers else []


def _is_answer(mark: Mark) -> bool:
    """Tell whether a callout says by its type that a machine wrote it, `> [!ChatGPT] …`: it needs no question."""
    kind = read_speaker(mark.label) if mark.form == CALLOUT else None
    return kind is not None and kind.role == ASSISTANT and kind.weight >= LIKELY


def _of_one_level(marks: list[Mark]) -> list[Mark]:
    """Leave out headings of other levels than most of a speaker's: each speaker has one, as `#####` and `######`."""
    usual = {
        role: Counter(mark.level for mark in marks if mark.role == role).most_common(1)[0][0]
        for role in {mark.role for mark in marks if mark.role}
    }
    return [mark for mark in marks if (mark.level == usual[mark.role] if mark.role else mark.level in usual.values())]


def _with_named_person(marks: list[Mark]) -> list[Mark]:
    """Read a name that takes turns with a model, the name first, as the user's: `**Даня:** …`, `**ChatGPT:** …`."""
    machines = [mark for mark in marks if mark.weight == NAMED and mark.label.strip("*_ :").lower() not in _FIRST_NAMES]
    if len(machines) < 2 or any(mark.role == USER for mark in marks):
        return marks
    for name in dict.fromkeys(mark.label for mark in marks if not mark.speaker and _PERSON.fullmatch(mark.label)):
        order = [mark.label == name for mark in marks if mark.label == name or mark in machines]
        if order[0] and sum(order) > 1 and all(one != other for one, other in pairwise(order)):
            return [replace(mark, speaker=Speaker(USER, LIKELY)) if mark.label == name else mark for mark in marks]
    return marks


def _without_doubtful(told: Sequence[Mark]) -> list[Mark]:
    """Leave out what may be a name where surer ones stand («Вопрос:» within an answer), and asides behind the first.

    Before the first question stand instructions to the model, which the user wrote.
    """
    best = {role: max((mark.weight for mark in told if mark.role == role), default=0) for role in (USER, ASSISTANT)}
    kept = [mark for mark in told if not mark.weight or mark.weight >= min(best[mark.role], LIKELY)]
    first = next((index for index, mark in enumerate(kept) if mark.weight), len(kept))
    return [mark for index, mark in enumerate(kept) if mark.weight or index < first or mark.role == ASSISTANT]


def _are_turns(told: Sequence[Mark], marks: Sequence[Mark], known: int) -> bool:
    """Tell whether marks name a user and a machine by turns, so that it can hardly be anything else.

    `known` is the weight of what the note says of itself.
    """
    speaking = [mark for mark in told if mark.weight]
    weights = [max((mark.weight for mark in speaking if mark.role == role), default=0) for role in (USER, ASSISTANT)]
    changes = sum(one.role != other.role for one, other in pairwise(speaking))
    if not all(weights) or changes * 2 < len(speaking):
        return False
    known += any(_SURELY.search(f"{mark.form} {mark.label}") for mark in told)
    weight = sum(weights) + known
    if len(speaking) == 2 and not known:
        is_plain = weight == LIKELY + LIKELY or told[0].form.lstrip(QUOTED) == HEADING
        return weight >= LIKELY + LIKELY and speaking[0].role == USER and (not is_plain or _is_whole_pair(told, marks))
    return weight >= LIKELY + LIKELY or (weight > LIKELY and len(speaking) > 3)


def _is_whole_pair(told: Sequence[Mark], marks: Sequence[Mark]) -> bool:
    """Tell whether a question and an answer are all that stands there, and not two of several headings or names."""
    until = [mark for mark in marks if mark.line <= told[-1].line]
    alone = told[0].form.lstrip(QUOTED) != LABEL or all(mark.alone for mark in told)
    return len(until) == len(told) == 2 and alone


def _turns(source: Sequence[str], lines: Lines, marks: Sequence[Mark], created: str) -> list[Turn]:
    ends = [after.line for after in marks[1:]] + [_end_of_chat(source, marks)]
    lasts = [_last_line(source, mark, end) for mark, end in zip(marks, ends, strict=True)]
    times = moments_of([_time_of(source, mark, last) for mark, last in zip(marks, lasts, strict=True)], created)
    return [
        Turn(speaker.role, speaker.model, time, "", lines.starts[mark.line], mark.body, lines.ends[last])
        for mark, last, time in zip(marks, lasts, times, strict=True)
        if (speaker := mark.speaker)
    ]


def _last_line(source: Sequence[str], mark: Mark, end: int) -> int:
    """Return the last line of a message that says something; in a quote that of the quote."""
    if mark.form.startswith((CALLOUT, QUOTED)):
        end = next((number for number in range(mark.line + 1, end) if not _IN_QUOTE.match(source[number])), end)
    last = end - 1
    while last > mark.line and _RULE.fullmatch(source[last]):
        last -= 1
    return last


def _end_of_chat(source: Sequence[str], marks: Sequence[Mark]) -> int:
    """Return the line behind the last message: where the user's own words go on under a heading of theirs.

    That is one that says so, or the next one of the outline in which the chat is a section.
    """
    level = _section_level(source, marks[0].line, marks[0].level or MOST_LEVELS + 1)
    fence = ""
    for number in range(marks[-1].line + 1, len(source)):
        fence = fence_behind(source[number], fence)
        heading = None if fence else _ANY_HEADING.fullmatch(source[number])
        if heading and (_OWN_WORDS.match(heading[2]) or len(heading[1]) <= level):
            return number
    return len(source)


def _section_level(source: Sequence[str], line: int, below: int) -> int:
    """Return the level of the heading that a chat stands under, 0 where that is the note's title or none."""
    levels = [len(heading[1]) for number in range(line) if (heading := _ANY_HEADING.fullmatch(source[number]))]
    outer = [level for level in levels if level < below]
    return outer[-1] if outer and outer[-1] > 1 else 0


def _time_of(source: Sequence[str], mark: Mark, last: int) -> str:
    """Return what says when a message was written: beside the name, below it, or at its end."""
    if mark.speaker and holds_moment(beside := mark.speaker.details.replace(mark.speaker.model or "\0", "")):
        return beside
    said = [line for line in source[mark.line + 1 : last + 1] if line.strip("> \t")]
    return (time_line(said[0]) or time_line(said[-1])) if said else ""
