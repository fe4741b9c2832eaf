"""Mutated notes keep every promise of the parser, and twice the text costs twice the work."""

from __future__ import annotations

import random
import sys
from types import FrameType

import pytest

from benchmarks.fuzz_parser import GROWTH, check_input, mutated, read_seeds
from tests.vault.test_any_text import count_words
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.parse import parse_note

INPUTS = 800  # of a fixed seed; benchmarks/fuzz_parser.py runs as many as one likes
SIZE = 6000  # characters of the smaller text; the benchmark doubles 20 kB


def test_mutated_notes_and_canvases_are_read() -> None:
    rng = random.Random(20260101)
    seeds = read_seeds(None)
    for _ in range(INPUTS):
        text = mutated(rng, seeds)
        try:
            check_input(text)
        except AssertionError as error:
            raise AssertionError(f"{text!r}") from error


@pytest.mark.parametrize("text", ["> - a\n>\n>     <!--\n> "])
def test_what_the_fuzzer_found_stays_mended(text: str) -> None:
    for end in ("", "\n", "\r", "\r\n"):
        check_input(text + end)


@pytest.mark.parametrize(
    "stretch",
    [
        "\ufeff\r\xa0>[!nexus_user] **User** - 28.07.2025 at 12:46\n> ```",
        "> ```\n> a\nb\n",
        "> # a\nb\n",
        "- a\n  - b [key:: (v\n",
        "`[[a](b ![[c|",
        "$a $$ <!-- %% ~~~\n",
        "[^1] [^1]: a ^[b\n\n",
        "| a | b\n|---|---\n",
        "**a _b ==c ~~d \\",
        "слово. Слово! ",
        "![[Заметка#Раздел]] ^id\n\n",
        "- [ ] 1. ```\n",
    ],
)
def test_twice_the_text_is_at_most_a_little_more_than_twice_the_work(stretch: str) -> None:
    small, large = (calls(stretch * (size // len(stretch))) for size in (SIZE, 2 * SIZE))
    assert large <= GROWTH * small


def calls(text: str) -> int:
    """Return how many calls it takes to parse and cut a text: a measure that no busy machine disturbs."""
    count = 0

    def tick(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    chunk_note(parse_note("warm.md", text[:500]), count_words, 300, 420)
    before = sys.getprofile()
    sys.setprofile(tick)
    try:
        chunk_note(parse_note("n.md", text), count_words, 300, 420)
    finally:
        sys.setprofile(before)
    return count
