"""Notes of text and machine data in any mixture: what a person wrote is in a passage, the data in none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text.noise import noise, wrapped
from tests.vault.any_text import LIMIT, check_spans, count_words
from vaultrag.domain import Note
from vaultrag.text.machine_data import LONGEST_GAP
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.parse import parse_note

TEXT = [
    "{} {}.",
    "- {}\n- [ ] {}\n  1. {}",
    "> {}\n> {}",
    "> [!note] {}\n> {}",
    "## {}",
    "| {} | {} |\n|---|---|\n| {} | {} |",
    "если a<{} && {}>c",
    "<{} {}>, {}<{}>{}",
    "<b>{}</b> <span title='{}'>{}</span>",
    "{}&nbsp;{} &laquo;{}&raquo;",
    "[{}](x.md) ![{}](a.png) [[x|{}]]",
    "`{}` ==_{}_==",
    "```\n{}\n```",
    "%% {} %%",
    "<div>\n{}\n</div>",
    "{} https://example.org/{}/{}",
]
MIXED = [
    "{} ![{}](data:image/png;base64,[]) {}",
    "{} [] {}",
    "- {} []\n- {}",
    "> {}\n> []\n> {}",
    "| {} | [] |\n|---|---|\n| {} | [] |",
    "{} <img alt='{}' src='data:image/png;base64,[]' title='{}'/> {}",
    "```\n{}\n[]\n\n{}\n```",
    "<div>\n{}\n<img src='data:image/png;base64,[]'>\n</div>",
    "{}\n-----BEGIN CERTIFICATE-----\n[]\n-----END CERTIFICATE-----\n{}",
    '{}\n\n%% kanban:settings\n```\n{{"x":"[]"}}\n```\n%%\n\n{}',
    "{}\n\n%%\n## Drawing\n```compressed-json\n[]\n```\n%%\n\n{}",
    "[^1] {}\n\n[^1]: {} [] {}",
]
DATA: list[Callable[[int, int], str]] = [noise, lambda size, seed: wrapped(size, 64, seed)]
WORD = st.text(alphabet="абвгдежзийклмноптуabcdefghijklmnop", min_size=7, max_size=14)


@st.composite
def notes(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """Return a note, the words that a person wrote into it, and its data."""
    words: list[str] = []
    data: list[str] = []
    parts: list[str] = []
    for form in draw(st.lists(st.sampled_from([*TEXT, *MIXED]), min_size=1, max_size=8)):
        found = draw(st.lists(WORD, min_size=form.count("{}"), max_size=form.count("{}"), unique=True))
        words += found
        part = form.format(*found)
        while "[]" in part:
            make = draw(st.sampled_from(DATA if "\n[]" in form and form[0] != ">" else DATA[:1]))
            data.append(make(draw(st.integers(256, 2000)), draw(st.integers(0, 50))))
            part = part.replace("[]", data[-1], 1)
        parts.append(part)
    return "\n\n".join(parts), words, data


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(notes())
def test_every_word_of_a_person_is_in_a_passage_and_no_data_is(made: tuple[str, list[str], list[str]]) -> None:
    text, words, data = made
    note = parse_note("n.md", text)
    shown = " ".join(_embedded(note)).lower()
    assert [word for word in words if word not in shown] == []
    lines = [line for piece in data for line in piece.lower().split("\n") if len(line) > 24]
    assert [line for line in lines if line[:24] in shown or line[-24:] in shown] == []
    long = [piece for piece in data if len(piece) > LONGEST_GAP]
    assert all(piece not in chunk.text for chunk in check_spans(note) for piece in long)


def _embedded(note: Note) -> list[str]:
    return [chunk.embedded for chunk in chunk_note(note, count_words, LIMIT // 2, LIMIT)]
