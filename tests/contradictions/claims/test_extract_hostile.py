"""Whatever stands in a note is read in time that grows with its length, and no faster."""

from __future__ import annotations

import pytest

from tests.growth import STEEP, growth
from vaultrag.contradictions.claims.extract import claims_of_chunk
from vaultrag.domain import Chunk, Span
from vaultrag.text.language import language_of

SIZES = (500, 2_000)  # characters; four times as much is several times what a passage holds


def read(text: str) -> None:
    span = Span(1, 1, 1 + text.count("\n"), max(1, len(text) - text.rfind("\n") - 1))
    claims_of_chunk(Chunk("id", "a.md", (), span, "", "", text, text, language_of(text), "hash"), "Title")


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern",
    [
        *("1 ", "1,", "1-", "12:34 ", "1 000 ", "A1-", "--a ", "a_b_", "$1 ", "10 км/", "11 h 20 ", "12.12.2020 "),
        *("с 2020 ", "5 мая ", "до ", "every 2 ", "раз в ", "двадцать ", "1 and ", "( ", "(1 ", "«a ", "~~a ", "`"),
        *("| a ", "| - |\n", "- [ ] x\n", "\n> ", "[[a]] ", "? a ", "a: b ", "a – b ", "x; ", "A. ", "Aa ", "a b, "),
        *("говорит ", "Маша сказала ", "не ", "когда ", "http://a ", "#a "),
    ],
)
def test_repeated_pattern_does_not_swell(pattern: str) -> None:
    assert growth(read, lambda size: pattern * (size // len(pattern)), SIZES) < STEEP
