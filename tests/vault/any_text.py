"""Pieces that notes are made of, and what holds for every note that is parsed."""

from __future__ import annotations

import re

from vaultrag.domain import Chunk, Note
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.frontmatter import read_frontmatter
from vaultrag.vault.parsing.lines import Lines

LIMIT = 60
FRAGMENTS = [
    *" \t > - * + # ` $ % | [ ] ( ) ! ^ = ~ _ \\ : . , ; 1. 2) --- ``` ~~~ %% $$ <!-- --> [[ ]] ![[ ]( ) \r \r\n".split(
        " "
    ),
    *[
        "\n\n",
        "\n> ",
        "\n- ",
        "\n  - ",
        "\n1. ",
        "\n# ",
        "\n## Цель\n",
        "\n```py\n",
        "\n```\n",
        "\n%%\n",
        "\n$$\n",
        "\n\n",
    ],
    *[
        "---\n",
        "---\ntags: [a]\n---\n",
        "tags: a\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "[^1]: ",
        "[^1]",
        " ^id\n",
        "#тег",
        "#1",
    ],
    *[">[!nexus_user] **User** - 28.07.2025 at 12:46\n> ", ">[!nexus_agent] **Assistant · gpt-4o** - 6:41\n> "],
    *["\n**User:** ", "\n**ChatGPT:** ", "\n## You\n", "\n## Assistant (gpt-4o)\n", "\n> **Я:** ", "\n> **Бот:** "],
    *["\nYou said:\n", "\nChatGPT said:\n", "\n> [!user] ", "\n> [!ai]\n> "],
    *[
        "<!-- UID: 1 -->\n",
        "### User, on 01/02/2024 at 3:04 PM;\n> ",
        "> [!note]- Заголовок\n",
        "【1†L2-L3】",
        "[[Заметка#Раздел|имя]]",
    ],
    *[
        "Ёлка стоит. ",
        "The server is down! ",
        "и т. д. ",
        "слово",
        "word",
        "é",
        "й",
        "\u200b",
        "\u00a0",
        "\U0001f600",
        "\u2028",
        "\x0b",
        "\x85",
    ],
    *[
        "a" * 90,
        "б" * 90,
        "слово " * 40,
        "One two three. " * 20,
        "\x00",
        "\ufeff",
        "<div>",
        "</div>",
        "<br>",
        "===\n",
        "https://a.b/c#d",
    ],
]


def count_words(text: str) -> int:
    return sum(1 + len(word) // 6 for word in text.split())


def check_note(note: Note) -> None:
    chunks = check_spans(note)
    body = read_frontmatter(note.text).body
    covered = covered_offsets(note, chunks)
    hidden = {i for match in re.finditer(r"<!--(.*?)-->", note.text, re.DOTALL) for i in range(*match.span())}
    missing = [
        match.start()
        for match in re.finditer(r"[^\W_]", note.text)
        if match.start() >= body and match.start() not in covered and match.start() not in hidden
    ]
    assert not missing, note.text[max(0, missing[0] - 20) : missing[0] + 20]


def check_spans(note: Note) -> list[Chunk]:
    chunks = chunk_note(note, count_words, LIMIT // 2, LIMIT)
    lines = Lines(note.text)
    end = 0
    for chunk in chunks:
        start, stop = lines.offsets(chunk.span)
        assert note.text[start:stop] == chunk.text
        assert chunk.embedded.strip() or not chunk.text_hash
        assert start >= end, "chunks overlap or are out of order"
        end = stop
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    for turn in note.turns:
        assert 0 <= turn.start < turn.end <= len(note.text)
    return chunks


def covered_offsets(note: Note, chunks: list[Chunk]) -> set[int]:
    lines = Lines(note.text)
    return {i for chunk in chunks for i in range(*lines.offsets(chunk.span))}
