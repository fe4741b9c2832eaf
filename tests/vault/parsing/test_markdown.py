"""The rule that looks ahead for the end of a quote changes no structure; it only spares reading the rest again."""

from __future__ import annotations

import pytest

from vaultrag.vault.parsing.markdown import block_parser

TEXTS = (
    "> цитата\nпродолжение\n",
    "> # Раздел\nтекст\n",
    "> ---\nтекст\n",
    "> a\nb\n> ---\nc\n",
    "> a\nb\n>     c\nd\n",
    "> <!-- UID: 1 -->\nтекст\n",
    "> <div>\nтекст\n",
    "> | a | b |\n> |---|---|\nтекст\n",
    ">     code\nтекст\n",
    "> ```\n> code\nтекст\n",
    "> ```\n> code\n> ```\nтекст\n",
    "> - пункт\nпродолжение\n",
    "> - # a\nb\n",
    "> - > # a\nb\n",
    "- > a\nb\n",
    "- > ---\n  b\n  c\n",
    "> > a\n> b\nc\n",
    "> a\n> > ---\n> b\nc\n",
    "> [^1]: сноска\nтекст\n",
    "> %%\n> скрыто\n> %%\nтекст\n",
    "> $$\n> x\n> $$\nтекст\n",
    ">\tтаб\nпродолжение\n",
    ">\nтекст\n",
)


@pytest.mark.parametrize("text", TEXTS)
def test_looking_ahead_changes_no_structure(text: str) -> None:
    slow = block_parser.__wrapped__()
    slow.block.ruler.disable("quote_end")
    for repeated in (text, text * 3):
        found, wanted = (
            [(t.type, t.map, t.content) for t in parser.parse(repeated)] for parser in (block_parser(), slow)
        )
        assert found == wanted
