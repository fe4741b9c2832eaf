"""Whatever stands in a file: it parses, spans hold their text, chunks cover the note, none is too long."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault.any_text import FRAGMENTS, LIMIT, check_note, check_spans, count_words
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.parse import parse_note

MARKDOWN = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=6)), max_size=40).map("".join)


@pytest.mark.slow
@settings(max_examples=700, deadline=None)
@given(MARKDOWN)
def test_any_text_is_covered_by_true_spans(text: str) -> None:
    check_note(parse_note("Папка/Note.md", text))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(MARKDOWN, st.sampled_from([len, count_words, lambda text: len(text.encode("utf-8", "surrogatepass")) // 3]))
def test_no_chunk_exceeds_the_limit_whatever_counts(text: str, count: object) -> None:
    assert callable(count)
    for chunk in chunk_note(parse_note("n.md", text), count, LIMIT // 2, LIMIT):
        assert count(chunk.embedded) <= LIMIT or len(chunk.text) < 2


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        MARKDOWN,
        st.recursive(
            st.none() | MARKDOWN | st.integers(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(["nodes", "edges", "text", "type", "file", "label"]), inner)
            ),
        ).map(str),
    )
)
def test_any_canvas_parses(text: str) -> None:
    check_spans(parse_note("Board.canvas", text))
