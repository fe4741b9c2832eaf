"""Mutated notes keep every promise of the parser."""

from __future__ import annotations

import random

import pytest

from benchmarks.fuzz_parser import check_input, mutated, read_seeds

INPUTS = 800  # of a fixed seed; benchmarks/fuzz_parser.py runs as many as one likes


@pytest.mark.slow
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
