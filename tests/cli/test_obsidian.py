"""Links that Obsidian opens."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from vaultrag.cli.obsidian import obsidian_link


@pytest.mark.parametrize(
    ("path", "heading", "block", "file"),
    [
        ("Note.md", [], "", "Note"),
        ("Дом/Бойлер.md", ["Бойлер", "Ремонт 2024"], "", "Дом/Бойлер#Бойлер#Ремонт 2024"),
        ("Дом/Бойлер.md", ["Бойлер"], "price", "Дом/Бойлер#^price"),
        ("a & b?c=d%20.md", [], "", "a & b?c=d%20"),
        ("Board.canvas", [], "", "Board.canvas"),
        ("n.md", ["Что: [[Ссылка|имя]] #тег ^x"], "", "n#Что Ссылка имя тег x"),
        ("n.md", ["100%% готово"], "", "n#100 готово"),
    ],
)
def test_link_opens_the_place(path: str, heading: list[str], block: str, file: str) -> None:
    link = urlsplit(obsidian_link("Мои заметки & co", path, heading, block))
    assert (link.scheme, link.netloc) == ("obsidian", "open")
    assert parse_qs(link.query, strict_parsing=True) == {"vault": ["Мои заметки & co"], "file": [file]}


def test_link_is_plain_ascii_with_encoded_anchor() -> None:
    link = obsidian_link("v", "п.md", ["З"], "")
    assert link == "obsidian://open?vault=v&file=%D0%BF%23%D0%97"
    assert "%23%5Eid" in obsidian_link("v", "n.md", [], "id")


def test_name_that_is_no_text_breaks_nothing() -> None:
    assert obsidian_link("v\udcff", "n\udcff.md", [], "").isascii()
