"""A saved answer reads like one of the user's own notes, and its links lead to the cited places."""

from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt

from tests.rendered import live
from vaultrag.domain import Answer, AnswerStatus, Citation, Note, Span
from vaultrag.records.footnotes import NoteLinks, answer_markdown, plain
from vaultrag.text.paths import file_name
from vaultrag.vault.links import resolve_link
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.subpaths import resolve_subpath

TEXTS = {
    "Дом/Бойлер.md": "# Бойлер\n\nПоменяли 12 мая. ^swap\n",
    "Servers/mayak.md": "# mayak\n\n## Backups\n\nEvery night.\n\n## Plans\n\n### Backups\n\nTwice a night.\n",
    "Архив/mayak.md": "Старый.\n",
    "План C#.md": "Учить.\n",
}


def named(name: str) -> list[str]:
    return sorted(path for path in TEXTS if file_name(path) == name)


def read(path: str) -> Note | None:
    return parse_note(path, TEXTS[path]) if path in TEXTS else None


def cited(path: str, quote: str, number: int = 1, headings: tuple[str, ...] = (), block: str = "") -> Citation:
    line = TEXTS[path][: TEXTS[path].index(quote)].count("\n") + 1
    return Citation(number, path, headings, block, Span(line, 1, line, len(quote)), quote, "verbatim", 1.0)


def body(text: str, *citations: Citation) -> str:
    answer = Answer("?", AnswerStatus.ANSWERED, text, (), citations, (), "m", {}, {})
    return answer_markdown(answer, NoteLinks("Ответы/Ответ.md", named, read))


def test_numbers_become_footnotes_with_links_to_block_and_heading() -> None:
    boiler = cited("Дом/Бойлер.md", "Поменяли", 1, ("Бойлер",), "swap")
    backups = cited("Servers/mayak.md", "Every night", 2, ("mayak", "Backups"))
    assert body("Поменяли 12 мая [1]. Копии ночью [2][1].", boiler, backups) == (
        "Поменяли 12 мая[^1]. Копии ночью[^2][^1].\n\n[^1]: [[Бойлер#^swap]]\n[^2]: [[Servers/mayak#Backups]]\n"
    )


@pytest.mark.parametrize(
    ("quote", "headings"), [("Every night", ("mayak", "Backups")), ("Twice", ("mayak", "Plans", "Backups"))]
)
def test_links_lead_to_the_cited_place_among_headings_of_one_name(quote: str, headings: tuple[str, ...]) -> None:
    citation = cited("Servers/mayak.md", quote, headings=headings)
    link = NoteLinks("Ответы/Ответ.md", named, read).to(citation).strip("[]")
    target, _, subpath = link.partition("#")
    assert resolve_link(target, "Ответы/Ответ.md", named) == "Servers/mayak.md"
    place = resolve_subpath(parse_note("Servers/mayak.md", TEXTS["Servers/mayak.md"]), subpath)
    assert place
    assert place.first_line <= citation.span.first_line <= place.last_line


def test_note_whose_name_a_wikilink_cannot_say_gets_a_markdown_link() -> None:
    assert "](<" in body("Учить [1].", cited("План C#.md", "Учить"))


def test_heading_that_is_gone_is_not_linked_to() -> None:
    assert body("Да [1].", cited("Дом/Бойлер.md", "Поменяли", headings=("Другое",))).endswith("[^1]: [[Бойлер]]\n")


def test_signs_that_links_to_headings_leave_out_are_left_out() -> None:
    links = NoteLinks("О.md", lambda name: ["Дом/Бойлер.md"] if name == "бойлер.md" else [])
    assert links.to(cited("Дом/Бойлер.md", "Поменяли", headings=("Цена: 95 [лари]",))) == "[[Бойлер#Цена 95 лари]]"


def test_number_that_is_no_citation_stays_and_so_does_an_answer_without_any() -> None:
    assert body("Строка a[7] и сноска [9].") == "Строка a[7] и сноска [9].\n"


@pytest.mark.parametrize(
    "text",
    [
        "Бюджет: **450 000** ₽, см. [[Смета|смету]] и #ремонт",
        "- 64 GB <img src=x> ![](http://evil.example/a)",
        "1. atlas | 64 GB | `code` $x$ a_b_c ~~old~~ &lt;b&gt; \\ 10%",
        "www.evil.example and mailto:a@b.example, https://evil.example",
        "+ плюс = минус - и ^сноска",
    ],
)
def test_nothing_of_plain_words_acts_and_every_character_is_shown(text: str) -> None:
    quoted = f"> {plain(text)}\n"
    assert [part for part in live(quoted) if not part.startswith("text ")] == []
    assert not re.search(r"(?<!\\)://", quoted)
    shown = MarkdownIt("commonmark").render(quoted)
    inner = shown.replace("<blockquote>\n", "").replace("</blockquote>\n", "").replace("<p>", "").replace("</p>\n", "")
    assert html.unescape(inner) == text
