"""Imported chats: every message with speaker, model, time and place, in all the forms that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaultrag.domain import BlockKind, Note
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.chats.search_marks import clean_text
from vaultrag.vault.parsing.parse import parse_note

SEEDS = Path(__file__).resolve().parents[5] / "shared" / "seeds"

CURRENT = """---
aliases: кода на Python
create_time: 2023-11-14T22:13:20.000Z
---
# Title: Анализ кода: Python и ёлка

Created: 11/14/2023 at 10:13:20 PM


>[!nexus_user] **User** - 11/14/2023 at 10:13:20 PM
> Что делает `f`?
>
>>[!nexus_attachment] **a.pdf** (application/pdf) - 12 KB
>>
>> [[files/a.pdf]]
<!-- UID: u1 -->
>[!nexus_agent] **Assistant · gpt-4o** - 11/14/2023 at 10:14:00 PM
> ## Ответ
> Складывает числа.
>
> ---
>
> ```python
> def f(a, b): return a + b
> ```
<!-- UID: a1 -->

---
>[!nexus_user] **User** - 11/15/2023 at 12:05:00 AM
> Спасибо
<!-- UID: u2 -->
"""

OLD = """### User, on 14.11.2023 at 22:13:20;
> Привет
> как дела

#### Assistant, on 14.11.2023 at 22:13:40;
>> Hello!
>> Fine.

Мой вывод вне чата.
"""


def turns(note: Note) -> list[tuple[str, str, str, str]]:
    return [(turn.speaker, turn.model, turn.time, turn.uid) for turn in note.turns]


def test_the_current_form() -> None:
    note = parse_note("кода на Python.md", CURRENT)
    assert turns(note) == [
        ("user", "", "2023-11-14T22:13:20", "u1"),
        ("assistant", "gpt-4o", "2023-11-14T22:14:00", "a1"),
        ("user", "", "2023-11-15T00:05:00", "u2"),
    ]
    assert note.title == "Анализ кода: Python и ёлка"
    assert (note.date, note.date_source) == ("2023-11-14", "property")
    assert [link.target for link in note.links] == ["files/a.pdf"]
    answer = note.turns[1]
    assert note.text[answer.start : answer.end].startswith(">[!nexus_agent]")
    assert note.text[answer.start : answer.end].endswith("<!-- UID: a1 -->")
    paths = {block.heading_path for block in note.blocks if block.turn == 1}
    assert ("Title: Анализ кода: Python и ёлка", "Ответ") in paths


def test_the_old_form() -> None:
    note = parse_note("x.md", OLD)
    assert turns(note) == [
        ("user", "", "2023-11-14T22:13:20", ""),
        ("assistant", "", "2023-11-14T22:13:40", ""),
    ]
    assert note.title == "Привет как дела"
    assert note.blocks[-1].turn is None
    assert (note.date, note.date_source) == ("2023-11-14", "turn")


def test_a_chat_shown_in_a_code_fence_or_quoted_in_a_message_has_no_turns_of_its_own() -> None:
    fenced = "```\n>[!nexus_user] **User** - 1.1.2025 at 1:11\n> x\n```\n"
    assert parse_note("n.md", fenced).turns == ()
    quoted = ">[!nexus_user] **User** - 1.1.2025 at 1:11\n> смотри:\n> [!nexus_agent] **Assistant** - 1.1.2025\n"
    assert len(parse_note("n.md", quoted).turns) == 1


def test_a_message_without_uid_ends_with_its_quote() -> None:
    text = ">[!nexus_user] **User** - 28.07.2025 at 6:41\n> Да\n\nМоё.\n\n>[!nexus_agent] **Assistant**\n> Нет\n"
    note = parse_note("n.md", text)
    assert [note.text[turn.start : turn.end].split("\n")[-1] for turn in note.turns] == ["> Да", "> Нет"]
    assert [turn.time for turn in note.turns] == ["2025-07-28T06:41", ""]


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_turns_do_not_depend_on_line_endings(newline: str) -> None:
    assert turns(parse_note("n.md", CURRENT.replace("\n", newline))) == turns(parse_note("n.md", CURRENT))


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (["03/04/2025 at 10:00:00"], "2025-04-03T10:00:00"),
        (["03/04/2025 at 10:00:00 PM"], "2025-03-04T22:00:00"),
        (["03/04/2025 at 10:00:00", "03/25/2025 at 10:00:00"], "2025-03-04T10:00:00"),
        (["2025/03/04 10:00:00"], "2025-03-04T10:00:00"),
        (["2025-03-04 10:00:00"], "2025-03-04T10:00:00"),
        (["04.03.2025 at 12:00:00"], "2025-03-04T12:00:00"),
        (["вчера"], "вчера"),
    ],
)
def test_times_are_read_in_the_order_the_note_writes_them(times: list[str], first: str) -> None:
    text = "\n".join(f">[!nexus_user] **User** - {time}\n> x\n<!-- UID: 1 -->" for time in times)
    assert parse_note("n.md", text).turns[0].time == first


@pytest.mark.parametrize(
    ("created", "time"), [("2025-03-04", "2025-03-04T10:00:00"), ("2025-04-03", "2025-04-03T10:00:00")]
)
def test_the_day_a_chat_began_settles_what_its_times_leave_open(created: str, time: str) -> None:
    text = f"---\ncreate_time: {created}T07:00:00.000Z\n---\n>[!nexus_user] **User** - 03/04/2025 at 10:00:00\n> x\n"
    assert parse_note("n.md", text).turns[0].time == time


def test_citation_marks_of_exports_are_dropped() -> None:
    text = "Модель быстра【1†L281-L288】【11:3†source】, да[3†source]. Yes citeturn0search1turn0view2. "
    text += "\ue200cite\ue202turn0search1\ue201Нет【важно】"
    assert clean_text(text) == "Модель быстра, да. Yes . Нет【важно】"


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the user's own notes (shared/seeds beside the checkout) are not here")
def test_the_users_own_notes() -> None:
    first, second = (parse_note(path.name, path.read_bytes().decode("utf-8")) for path in sorted(SEEDS.glob("*.md")))
    assert [turn[0::2] for turn in turns(first)] == [
        ("user", "2025-07-28T12:46"),
        ("assistant", "2025-07-28T12:47"),
        ("assistant", "2025-07-28T12:52"),
    ]
    assert [turn[0::2] for turn in turns(second)] == [
        ("user", "2025-06-10T06:41"),
        ("assistant", "2025-06-10T06:41"),
        ("assistant", "2025-06-10T06:50"),
    ]
    assert all(turn.uid for note in (first, second) for turn in note.turns)
    assert first.title.startswith("Анализ заметки")
    assert len(first.links) == first.text.count("[[") == 32
    footnotes = [block for block in first.blocks if block.kind is BlockKind.FOOTNOTE]
    assert len(footnotes) == 10
    assert {link.line for link in first.links} >= {first.text.count("\n", 0, note.start) + 1 for note in footnotes}
    assert second.links == ()
    assert all("†" not in chunk.embedded for note in (first, second) for chunk in chunk_note(note, len, 900, 1200))
    outside = [block for block in first.blocks if block.turn is None]
    assert first.text[outside[0].start : outside[-1].end].startswith("# Анализ заметки")
