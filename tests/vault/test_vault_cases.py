"""The rules of `tests/cases/*.md`, read as documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from vaultrag.domain import BlockKind, Link
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.links import LinkResolver
from vaultrag.vault.parsing.chats.models import model_of
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.plain import plain_text
from vaultrag.vault.parsing.subpaths import resolve_subpath

CASES = Path(__file__).resolve().parents[1] / "cases"
_TIE_BREAK = re.compile(r"`(.*)` in `(.+)` → (?:`(.+)`|nothing)")
_CASE = re.compile(r"^## (?P<name>.+)\n\n~~~~\n(?P<text>(?s:.*?))\n~~~~\n\n(?P<expected>(?:.+\n)+)", re.MULTILINE)


def cases(name: str) -> list[tuple[str, str, list[str]]]:
    text = (CASES / name).read_text(encoding="utf-8")
    found = [
        (match["name"], match["text"], [line[2:] for line in match["expected"].split("\n") if line.startswith("- ")])
        for match in _CASE.finditer(text)
    ]
    assert len(found) == text.count("\n~~~~\n") // 2, "a case is not of the form that the test reads"
    return found


def as_line(link: Link) -> str:
    anchor = f"#{link.anchor}" if link.anchor else ""
    return f"{link.kind.value} `{link.target}{anchor}` {link.text}"


def links(text: str) -> Iterator[str]:
    return map(as_line, parse_note("n.md", text).links)


def tags(text: str) -> Iterator[str]:
    yield from parse_note("n.md", text).tags


def frontmatter(text: str) -> Iterator[str]:
    note = parse_note("n.md", text)
    yield from (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in note.properties.items())
    yield from (f"alias {alias}" for alias in note.aliases)
    yield from (f"tag {tag}" for tag in note.tags)
    yield from (f"problem {problem}" for problem in note.problems)


def blocks(text: str) -> Iterator[str]:
    for block in parse_note("n.md", text).blocks:
        words = plain_text(text[block.start : block.end], block.kind).replace("\n", " / ")
        yield f"{block.kind.value}{' ' if block.callout else ''}{block.callout}: {words}"


def comments(text: str) -> Iterator[str]:
    note = parse_note("n.md", text)
    yield from (line.rstrip() for line in blocks(text))
    yield from (f"link {link.target}" for link in note.links)
    yield from (f"tag {tag}" for tag in note.tags)
    yield from (f"task {task.text}" for task in note.tasks)


def chunks(text: str, path: str = "n.md") -> Iterator[str]:
    for chunk in chunk_note(parse_note(path, text), lambda text: len(text.split()), 25, 50):
        if chunk.text_hash:
            yield chunk.embedded.replace("\n", " / ")


def canvas(text: str) -> Iterator[str]:
    yield from chunks(text, "n.canvas")
    for link in parse_note("n.canvas", text).links:
        yield f"link {link.target}{'#' if link.anchor else ''}{link.anchor}"


def chat(text: str) -> Iterator[str]:
    note = parse_note("n.md", text)
    yield f"title {note.title}"
    for turn in note.turns:
        yield " ".join(filter(None, (turn.speaker, turn.model or "·", turn.time, "·", turn.uid)))


def dialogue(text: str) -> Iterator[str]:
    note = parse_note("n.md", text)
    lines = Lines(text)
    for index, turn in enumerate(note.turns):
        words = text[turn.body : turn.end].lstrip()
        span = lines.span(turn.end - len(words), turn.end)
        place = f"{span.first_line}:{span.first_column}-{span.last_line}:{span.last_column}"
        details = ", ".join(filter(None, (model_of(turn, note.properties), turn.time)))
        assert all(turn.start <= block.start < block.end <= turn.end for block in note.blocks if block.turn == index)
        yield f"{turn.speaker}{f' ({details})' if details else ''} {place} {_on_one_line(words)}"
    for block in note.blocks:
        if block.turn is None and block.kind is not BlockKind.PROPERTIES:
            yield f"own {_on_one_line(text[block.start : block.end])}"


def _on_one_line(text: str) -> str:
    return " / ".join(line.strip() for line in text.split("\n") if line.strip())


def date(text: str) -> Iterator[str]:
    path, _, body = text.partition("\n")
    note = parse_note(path, body)
    yield from [f"{note.date} {note.date_source}"] if note.date else []


READERS: dict[str, Callable[[str], Iterable[str]]] = {
    "links.md": links,
    "tags.md": tags,
    "frontmatter.md": frontmatter,
    "callouts.md": blocks,
    "comments.md": comments,
    "footnotes.md": chunks,
    "chats.md": chat,
    "dialogues.md": dialogue,
    "canvas.md": canvas,
    "dates.md": date,
}
ALL = [(file, *case) for file in READERS for case in cases(file)]


@pytest.mark.parametrize(("file", "name", "text", "expected"), ALL, ids=[f"{case[0]}: {case[1]}" for case in ALL])
def test_case(file: str, name: str, text: str, expected: list[str]) -> None:
    assert list(READERS[file](text)) == [line.rstrip() for line in expected], name


@pytest.mark.parametrize(("name", "text", "expected"), cases("tie-breaks.md"), ids=lambda value: str(value)[:40])
def test_tie_breaks(name: str, text: str, expected: list[str]) -> None:
    resolver = LinkResolver(text.split("\n"))
    for line in expected:
        target, source, path = _TIE_BREAK.fullmatch(line).groups()  # type: ignore[union-attr]
        assert resolver.resolve(target, source) == path, line


@pytest.mark.parametrize(("name", "text", "expected"), cases("block-ids.md"), ids=lambda value: str(value)[:40])
def test_subpaths(name: str, text: str, expected: list[str]) -> None:
    note = parse_note("n.md", text)
    for line in expected:
        subpath, _, wanted = line.partition(" → ")
        span = resolve_subpath(note, subpath)
        start, end = Lines(text).offsets(span) if span else (0, 0)
        assert (text[start:end].replace("\n", " / ") or "nothing") == wanted, line


def test_every_file_of_cases_is_read() -> None:
    assert {file.name for file in CASES.glob("*.md")} == {*READERS, "tie-breaks.md", "block-ids.md"}
