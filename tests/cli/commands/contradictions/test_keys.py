"""A key is the same key on a Russian keyboard."""

from __future__ import annotations

import pytest

from vaultrag.cli.commands.contradictions.keys import key_of


@pytest.mark.parametrize(
    ("typed", "key"),
    [("d", "d"), ("D", "d"), ("в", "d"), ("В", "d"), ("я", "z"), ("щ", "o"), ("г", "u"), ("1", "1"), ("й", "q")],
)
def test_letter_is_what_a_latin_keyboard_has_there(typed: str, key: str) -> None:
    assert key_of(typed) == key


@pytest.mark.parametrize(("typed", "key"), [("\r", "enter"), (" ", "space"), ("\x1b", "escape")])
def test_keys_that_are_no_letter_have_names(typed: str, key: str) -> None:
    assert key_of(typed) == key


@pytest.mark.parametrize("typed", ["\x1b[A", "dd", "вв", ""])
def test_arrows_and_what_was_typed_ahead_decide_nothing(typed: str) -> None:
    assert key_of(typed) == ""
