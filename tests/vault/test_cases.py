"""The rules of `tests/cases/*.md`, read as documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vaultrag.domain import Link
from vaultrag.vault.parse import parse_note

CASES = Path(__file__).resolve().parents[1] / "cases"
_CASE = re.compile(r"^## (?P<name>.+)\n\n~~~~\n(?P<text>(?s:.*?))\n~~~~\n\n(?P<expected>(?:.+\n)+)", re.MULTILINE)


def cases(name: str) -> list[tuple[str, str, list[str]]]:
    text = (CASES / name).read_text(encoding="utf-8")
    found = [
        (match["name"], match["text"], [line[2:] for line in match["expected"].split("\n") if line.startswith("- ")])
        for match in _CASE.finditer(text)
    ]
    assert len(found) == text.count("\n## "), "a case is not of the form that the test reads"
    return found


def as_line(link: Link) -> str:
    anchor = f"#{link.anchor}" if link.anchor else ""
    return f"{link.kind.value} `{link.target}{anchor}` {link.text}"


@pytest.mark.parametrize(("name", "text", "expected"), cases("links.md"), ids=lambda value: str(value)[:40])
def test_links(name: str, text: str, expected: list[str]) -> None:
    assert [as_line(link) for link in parse_note("n.md", text).links] == expected, name


@pytest.mark.parametrize(("name", "text", "expected"), cases("tags.md"), ids=lambda value: str(value)[:40])
def test_tags(name: str, text: str, expected: list[str]) -> None:
    assert list(parse_note("n.md", text).tags) == expected, name
