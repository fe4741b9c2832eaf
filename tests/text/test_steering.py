"""What steers a terminal or reorders a line is dropped or written out; everything else stays."""

from __future__ import annotations

import pytest

from vaultrag.text.steering import escaped, escaped_line, harmless, one_line, without_steering


@pytest.mark.parametrize("code", [*range(9), *range(11, 32), *range(127, 160), 0x202A, 0x202E, 0x2066, 0xD800])
def test_no_steering_character_is_harmless(code: int) -> None:
    if chr(code) != "\r":
        assert harmless(f"a{chr(code)}b") == "ab"


def test_harmless_keeps_text() -> None:
    assert harmless("ё\tй\r\nnext\rlast é 日本 🐝") == "ё    й\nnext\nlast é 日本 🐝"
    assert one_line(" a\n\n b\tc ") == "a b c"


def test_only_what_steers_is_dropped() -> None:
    assert without_steering("ё\tй\nnext\x1b[31m\u202eгпж.md\u2069 é 日本 🐝") == "ё\tй\nnext[31mгпж.md é 日本 🐝"


def test_written_out_it_can_be_told_from_another_name() -> None:
    assert escaped("обед\u202e\x1b]0;x\x07\n") == "обед\\u202e\\u001b]0;x\\u0007\n"
    assert escaped_line("обед\n2026 INFO\u2028\x9b") == "обед\\u000a2026 INFO\\u2028\\u009b"
