"""Four times the text takes about four times as long: every expression, and all that is done with a note or an answer.

What grows with the square stops a server for hours at the 5 MB that a note may have. Growth is asserted, no time is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.growth import STEEP, Found, expressions, growth, inputs
from vaultrag.answering.attribution import Sources, same_sentence
from vaultrag.answering.citations import offered_numbers, source_sentences, with_marks
from vaultrag.answering.passage_block import passage_block
from vaultrag.answering.shown import as_read
from vaultrag.domain import Chunk, Passage, Span
from vaultrag.text.dates import canonical_dates
from vaultrag.text.language import sentences, stems
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.features import with_features
from vaultrag.vault.mentions import NameIndex, wanted_names
from vaultrag.vault.parsing.parse import parse_note

PACKAGES = ("vaultrag.vault", "vaultrag.answering", "vaultrag.text", "vaultrag.retrieval")
SHORT = {"vaultrag.text.language._LAST_WORD"}  # it is given the last 40 characters only
SIZES = (1000, 10_000)
QUADRATIC = {  # what was found by trying, as it was
    "callout": r"[ \t]*(?:>[ \t]*)+\[!(?P<type>[^\]|\r\n]+)[^\]\r\n]*\]",
    "backticks": r"(`+)(?!`)[^\r\n]*?[^`\r\n]\1(?!`)",
    "message": r">(?P<space>[ \t]?)\[!nexus_user\][+-]?[ \t]*(?:[ \t]*[-–—][ \t]*(?P<time>.{0,100}?))?[ \t]*$",
    "tag": r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?\s*/?>$",
    "comment": r"<!--.*?-->",
    "word": r"\S+@\S+",
    "exponential": r"(?:\w+\s?)+:",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUADRATIC)
def test_what_grows_with_the_square_is_found(name: str) -> None:
    found = Found(name, re.compile(QUADRATIC[name]), anchored=False)
    assert any(growth(found.run, make) >= STEEP for make in inputs(found.pattern))


@pytest.mark.slow
def test_no_expression_grows_with_the_square() -> None:
    known: set[tuple[str, int, bool]] = set()
    steep: list[str] = []
    for found in expressions(PACKAGES):
        key = found.pattern.pattern, found.pattern.flags, found.anchored
        if key not in known and found.place not in SHORT:
            known.add(key)
            worst = next((make for make in inputs(found.pattern) if growth(found.run, make) >= STEEP), None)
            steep.extend([f"{found.place}: {worst(40)!r}"] if worst else [])
    assert len(known) > 100, "they were not found"
    assert not steep


def count_tokens(text: str) -> int:
    return len(text) // 3 + 1


def index_note(text: str) -> None:
    """Do all that indexing does with the text of a note."""
    note = parse_note("Заметка.md", text)
    names = NameIndex(wanted_names([(1, "План дома", False), (2, "aaaa bbbb", False)]))
    for chunk in with_features(note, chunk_note(note, count_tokens, 300, 420)):
        stems(chunk.embedded)
        list(names.find(chunk.text))


def read_answer(text: str) -> None:
    """Do what is done with the text of a model, and of a passage as long."""
    for start, end in sentences(text):
        said, numbers = offered_numbers(text[start:end])
        with_marks(said, numbers)
    canonical_dates(text)
    source_sentences(0, text)
    as_read(text)
    same_sentence(text, f"{text}!")


def show_passage(text: str) -> None:
    """Do what is done to show a passage to a model: all of it, its last part, and as one of a canvas."""
    for path in ("Заметка.md", "Доска.canvas"):
        span = Span(1, 1, 1, max(1, len(text)))
        chunk = Chunk("1", path, ("a",), span, "", "", text, text, "ru", "1", lead=text, about="a")
        passage = Passage(chunk, "Заметка", 1.0, ())
        passage_block(1, passage, 0, len(text))
        passage_block(1, passage, len(text) - 10, len(text))


def repeated(stretch: str, before: str = "") -> Callable[[int], str]:
    return lambda size: before + stretch * (size // len(stretch))


def nested(opening: str, closing: str) -> Callable[[int], str]:
    return lambda size: opening * (size // 2 // len(opening)) + "x" + closing * (size // 2 // len(closing))


def growing(sign: str) -> Callable[[int], str]:
    """Make runs of one sign, each longer by one than the last."""
    return lambda size: " ".join(sign * length for length in range(1, int((2 * size) ** 0.5)))


def numbered(line: str) -> Callable[[int], str]:
    """Make lines that differ by their number only."""
    return lambda size: "".join(line.replace("N", str(number)) for number in range(size // len(line)))


def indented(line: str, step: str) -> Callable[[int], str]:
    return lambda size: "".join(
        f"{step * depth}{line}\n" for depth in range(int((2 * size / max(1, len(step))) ** 0.5))
    )


MAKERS: dict[str, Callable[[int], str]] = {
    "unclosed callout": repeated("a", "> [!"),
    "unclosed callouts": repeated("> [!"),
    "message and spaces": lambda size: f">[!nexus_user]{' ' * size}x",
    "runs of backticks": growing("`"),
    "runs of stars": growing("*"),
    "nested backticks": nested("`", "`"),
    "nested brackets": nested("[", "]"),
    "nested links": nested("![", "](x)"),
    "nested emphasis": nested("**", "**"),
    "nested quotes": repeated("> "),
    "nested lists": repeated("- "),
    "deeper lists": indented("- a", "  "),
    "deeper quotes": indented("a", "> "),
    "wikilinks": numbered("[[Заметка N]] "),
    "unclosed wikilinks": repeated("[["),
    "unclosed comments": repeated("<!-- "),
    "unclosed hidden text": repeated("%% "),
    "unclosed math": repeated("$$ "),
    "unclosed highlights": repeated("==a"),
    "unclosed strikes": repeated("~~a "),
    "strikes in paragraphs": repeated("~~a\n\n"),
    "strings": repeated('"text": "a\\\\", '),
    "embeds": numbered("![[a N|x]] ![a](b) "),
    "unclosed tags": repeated("<a b='"),
    "unclosed addresses": repeated("](<"),
    "unclosed footnotes": repeated("[^"),
    "unclosed fields": repeated("[key:: "),
    "stars": repeated("*a "),
    "lines": repeated("_a"),
    "headings": numbered("## h N\n\n"),
    "footnotes": numbered("[^N] a\n\n[^N]: b\n\n"),
    "block ids": numbered("a ^iN\n\n"),
    "tasks": numbered("- [ ] задача N 📅 2024-01-01\n"),
    "fields": numbered("поле N:: x\n"),
    "messages": numbered(">[!nexus_user] **U** - 1\n> a\n<!-- UID: N -->\n\n"),
    "names": numbered("**User:** N\n\n**ChatGPT:** ```\n\n"),
    "headings of messages": numbered("## User\nN\n## Claude\n- a\n\n"),
    "a name and spaces": lambda size: f"**User:** a\n**Bot:** a\n## {' ' * size}x\n**Bot**{' ' * size}x",
    "a word": repeated("a"),
    "spaces": repeated(" ", "a"),
    "dots": repeated(". "),
    "marks": repeated("!"),
    "paths": repeated("a/"),
    "numbers": repeated("1 000,5 "),
    "dates": repeated("3 марта 2024 "),
    "columns": lambda size: "\n".join(f"|{cell * (size // 6)}" for cell in ("a|", "-|", "b|")),
    "rows": repeated("| a |\n", "| a |\n|---|\n"),
    "properties": lambda size: f"---\n{numbered('kN: v' + chr(10))(size)}---\n",
    "open lists of properties": lambda size: f"---\na: {'[' * size}\n---\n",
    "deep lists of properties": lambda size: f"---\na: {'- ' * (size // 2)}x\n---\n",
    "aliases of properties": lambda size: (
        "---\na0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, size // 24)) + "---\n"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_indexing_grows_with_the_text(name: str) -> None:
    assert growth(index_note, MAKERS[name], SIZES) < STEEP


def nested_groups(size: int) -> str:
    """Make a canvas of groups in groups, each with a card."""
    count = size // 200
    nodes = [
        {"id": f"{kind}{n}", "type": kind, key: f"Группа {n}", "x": n, "y": n, "width": wide, "height": wide}
        for n in range(count)
        for kind, key, wide in (("group", "label", 2 * (2 * count - n)), ("text", "text", 1))
    ]
    return json.dumps({"nodes": nodes, "edges": []}, ensure_ascii=False)


@pytest.mark.slow
def test_a_canvas_of_nested_groups_grows_with_its_size() -> None:
    def index_canvas(text: str) -> None:
        note = parse_note("Доска.canvas", text)
        for chunk in chunk_note(note, count_tokens, 300, 420):
            stems(chunk.embedded)

    assert growth(index_canvas, nested_groups, (8000, 16_000)) < STEEP


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_reading_an_answer_grows_with_the_text(name: str) -> None:
    assert growth(read_answer, MAKERS[name], SIZES) < STEEP


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_showing_a_passage_grows_with_the_text(name: str) -> None:
    assert growth(show_passage, MAKERS[name], SIZES) < STEEP


@pytest.mark.parametrize("name", ["a word", "numbers", "dates", "spaces", "runs of stars"])
def test_attribution_grows_with_the_sources(name: str) -> None:
    def attribute(text: str) -> None:
        sources = Sources("Сколько стоит ремонт?", source_sentences(0, text), {0: "Дом"})
        sources.lexical("Ремонт стоит 1000.5 рублей.", [0])

    assert growth(attribute, MAKERS[name], SIZES) < STEEP
