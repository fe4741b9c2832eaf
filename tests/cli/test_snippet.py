"""What of a passage is shown, and what is marked in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultrag.cli.snippet import LENGTH, cut_snippet


def _marked(text: str, query: str) -> list[str]:
    snippet = cut_snippet(text, query)
    return [snippet.text[start:end] for start, end in snippet.marks]


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("Пароли от роутеров лежат в сейфе.", "где пароль от роутера", ["Пароли", "роутеров"]),
        ("Ёлку ставим у окна.", "елка", ["Ёлку"]),
        ("Backups run nightly; the backup host is mayak.", "backing up, backup", ["Backups", "backup"]),
        ("restic-бэкап на mayak-restic", "restic", ["restic", "restic"]),
        ("Ничего похожего.", "zebra", []),
    ],
)
def test_words_are_marked_in_any_inflection(text: str, query: str, marked: list[str]) -> None:
    assert _marked(text, query) == marked


def test_function_words_are_not_marked() -> None:
    assert _marked("Он был в доме на горе.", "что было на горе") == ["горе"]


def test_far_hit_is_brought_into_view() -> None:
    text = "начало " * 300 + "здесь пароль роутера " + "конец " * 300
    snippet = cut_snippet(text, "пароль роутера")
    assert snippet.text.startswith("… ")
    assert snippet.text.endswith(" …")
    assert [snippet.text[start:end] for start, end in snippet.marks] == ["пароль", "роутера"]


def test_stretch_with_most_distinct_words_wins() -> None:
    text = "пароль " + "слово " * 100 + "пароль роутера " + "слово " * 100
    assert "пароль роутера" in cut_snippet(text, "пароль роутера").text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One  line.\r\nTwo.", "One line. Two."),
        ("## Heading\n\nOne line. # no heading", "One line. # no heading"),
        ("## Only a heading", "## Only a heading"),
        ("#tag is no heading", "#tag is no heading"),
    ],
)
def test_short_text_is_shown_whole_but_for_its_heading(text: str, shown: str) -> None:
    assert cut_snippet(text, "x").text == shown


@pytest.mark.slow
@given(st.text(alphabet=st.characters(), max_size=900), st.text(max_size=40))
def test_any_text_gives_one_harmless_line_and_marks_inside_it(text: str, query: str) -> None:
    snippet = cut_snippet(text, query)
    assert len(snippet.text) <= LENGTH + 4
    assert "\n" not in snippet.text
    assert "\x1b" not in snippet.text
    ends = [0, *(border for mark in snippet.marks for border in mark)]
    assert ends == sorted(ends)
    assert ends[-1] <= len(snippet.text)
