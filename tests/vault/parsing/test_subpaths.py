"""What the part of a link after `#` points to."""

from __future__ import annotations

import pytest

from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.subpaths import resolve_subpath

TEXT = """---
a: b
---
# Цель
Первое.
## Foo: **bar**
Второе.[^Note]
- один
- два
  ещё ^Item-1
- три
# Прочее
## Foo: **bar**
Третье. ^para

| a |
|---|
| 1 |

^table

[^note]: Сноска
# C#
Последнее.
"""


@pytest.mark.parametrize(
    ("subpath", "expected"),
    [
        ("цель", "# Цель\nПервое.\n## Foo: **bar**\nВторое.[^Note]\n- один\n- два\n  ещё ^Item-1\n- три"),
        ("foo bar", "## Foo: **bar**\nВторое.[^Note]\n- один\n- два\n  ещё ^Item-1\n- три"),
        ("Прочее#Foo bar", "## Foo: **bar**\nТретье. ^para\n\n| a |\n|---|\n| 1 |\n\n^table\n\n[^note]: Сноска"),
        ("Foo bar#Прочее", ""),
        ("^item-1", "- два\n  ещё ^Item-1"),
        ("^PARA", "Третье. ^para"),
        ("^table", "| a |\n|---|\n| 1 |\n\n^table"),
        ("[^NOTE]", "[^note]: Сноска"),
        ("C", "# C#\nПоследнее."),
        ("нет", ""),
        ("^нет", ""),
        ("", ""),
        ("##", ""),
    ],
)
def test_subpath_names_its_place(subpath: str, expected: str) -> None:
    note = parse_note("n.md", TEXT)
    span = resolve_subpath(note, subpath)
    start, end = Lines(note.text).offsets(span) if span else (0, 0)
    assert note.text[start:end] == expected


def test_headings_inside_a_message_are_no_targets() -> None:
    text = "# Вопрос\n\n>[!nexus_user] **User** - 28.07.2025 at 6:41\n> ## Ответ\n> Да\n"
    note = parse_note("n.md", text)
    assert resolve_subpath(note, "Ответ") is None
    assert resolve_subpath(note, "Вопрос") is not None
