"""Lines that open a message, told from lines that say something."""

from __future__ import annotations

import pytest

from vaultrag.vault.parsing.chats.marks import opens_message


@pytest.mark.parametrize("line", ["**ChatGPT**", "You said:", "> [!user]+", "## Assistant (gpt-4o)", "Вы сказали:"])
def test_a_name_above_a_message_says_who_spoke(line: str) -> None:
    assert opens_message(line)


@pytest.mark.parametrize("line", ["**ChatGPT:** 15 минут.", "Вопрос:", "Порты:", "## Выводы", "> [!note] Важно", ""])
def test_other_lines_say_something(line: str) -> None:
    assert not opens_message(line)
