"""The renderings of the contradictions: the same pairs, said in other words, names or dates, each in a small vault."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from vaultrag.domain import Note
from vaultrag.vault.links import LinkResolver
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.subpaths import resolve_subpath

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
RENDERINGS = FIXTURES / "renderings"
VAULT = FIXTURES / "vault"
NAMES = ("renamed", "dates-shifted", "paraphrased")
TABLES = ("must_find", "must_not", "either")

Pair: TypeAlias = dict[str, Any]


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@cache
def _pairs(file: Path) -> list[tuple[str, Pair]]:
    """Return the pairs of a list in its order, each with the table it stands in."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    assert tuple(tables) == TABLES
    return [(table, pair) for table in TABLES for pair in tables[table]]


def _original() -> list[tuple[str, Pair]]:
    return _pairs(FIXTURES / "contradictions.toml")


def _rendered(name: str) -> list[tuple[str, Pair]]:
    return _pairs(RENDERINGS / f"{name}.toml")


@cache
def _notes(name: str) -> dict[str, Note]:
    folder = RENDERINGS / name
    texts = {
        _composed(file.relative_to(folder).as_posix()): _composed(file.read_text(encoding="utf-8"))
        for file in sorted(folder.rglob("*.md"))
    }
    return {path: parse_note(path, text) for path, text in texts.items()}


def _places(name: str) -> Iterator[tuple[str, str]]:
    for _, pair in _rendered(name):
        for side in "ab":
            yield pair[side]["path"], pair[side]["quote"]


def test_every_rendering_is_a_list_with_its_vault() -> None:
    assert {file.stem for file in RENDERINGS.glob("*.toml")} == set(NAMES)
    assert {folder.name for folder in RENDERINGS.iterdir() if folder.is_dir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_quote_stands_once_in_its_note(name: str) -> None:
    notes = _notes(name)
    assert [(path, quote) for path, quote in _places(name) if notes[path].text.count(quote) != 1] == []
    assert [quote for _, quote in _places(name) if "\n" in quote] == []


@pytest.mark.parametrize("name", NAMES)
def test_vault_holds_the_notes_of_the_list_and_no_others(name: str) -> None:
    assert set(_notes(name)) == {path for path, _ in _places(name)}


@pytest.mark.parametrize("name", NAMES)
def test_pairs_are_those_of_the_original(name: str) -> None:
    def form(table: str, pair: Pair) -> tuple[str, dict[str, str]]:
        return table, {key: pair[key] for key in ("kind", "langs", "split") if key in pair}

    assert [form(*one) for one in _rendered(name)] == [form(*one) for one in _original()]


@pytest.mark.parametrize("name", NAMES)
def test_one_place_of_the_original_is_one_place_here(name: str) -> None:
    """Sides that were one statement still are, and those that were two have not become one."""
    both = [
        tuple((pair[side]["path"], pair[side]["quote"]) for pair in (one, other))
        for (_, one), (_, other) in zip(_original(), _rendered(name), strict=True)
        for side in "ab"
    ]
    assert len(set(both)) == len({one for one, _ in both}) == len({other for _, other in both})
    paths = {(one[0], other[0]) for one, other in both}
    assert len(paths) == len({one for one, _ in paths}) == len({other for _, other in paths})


@pytest.mark.parametrize("name", NAMES)
def test_no_quote_lies_upon_another(name: str) -> None:
    notes = _notes(name)
    spans = sorted(
        (path, notes[path].text.index(quote), notes[path].text.index(quote) + len(quote))
        for path, quote in set(_places(name))
    )
    assert [(one, two) for one, two in pairwise(spans) if one[0] == two[0] and two[1] < one[2]] == []


def _language(note: Note, quote: str) -> str:
    text = note.text.casefold()
    russian = len(re.findall("[а-яё]", text)) > len(re.findall("[a-z]", text))
    return "ru" if russian or re.search("[а-яё]", quote.casefold()) else "en"


@pytest.mark.parametrize("name", NAMES)
def test_quotes_are_in_the_languages_that_the_list_names(name: str) -> None:
    notes = _notes(name)
    for _, pair in _rendered(name):
        told = "-".join(_language(notes[pair[side]["path"]], pair[side]["quote"]) for side in "ab")
        assert (pair["langs"], pair["a"]["quote"]) == (told, pair["a"]["quote"])


@pytest.mark.parametrize("name", NAMES)
def test_every_link_finds_its_note_and_its_place(name: str) -> None:
    notes = _notes(name)
    resolver = LinkResolver(notes)
    astray = []
    for path, note in notes.items():
        for link in note.links:
            if "://" in link.target:
                continue
            target = resolver.resolve(link.target, path)
            if target is None or (link.anchor and resolve_subpath(notes[target], link.anchor) is None):
                astray.append((path, link.target, link.anchor))
    assert astray == []


@pytest.mark.parametrize("name", NAMES)
def test_properties_can_be_read(name: str) -> None:
    assert [(path, note.problems) for path, note in _notes(name).items() if note.problems] == []


def test_renamed_notes_have_other_names() -> None:
    """All but the daily notes, whose names are days."""
    names = [
        (Path(one[side]["path"]).stem, Path(other[side]["path"]).stem)
        for (_, one), (_, other) in zip(_original(), _rendered("renamed"), strict=True)
        for side in "ab"
    ]
    assert {one for one, other in names if one == other and not re.fullmatch(r"\d{4}-\d\d-\d\d", one)} == set()


@cache
def _original_texts() -> dict[str, str]:
    return {
        _composed(file.relative_to(VAULT).as_posix()): _composed(file.read_text(encoding="utf-8"))
        for file in VAULT.rglob("*.md")
    }


SHIFT = timedelta(weeks=161)
DAY = re.compile(r"(?<![\d-])\d{4}-\d\d-\d\d(?!\d)")


def _days(path: str, text: str) -> set[date]:
    return {date.fromisoformat(day) for day in DAY.findall(path) + DAY.findall(text)}


def test_every_day_of_the_shifted_notes_lies_161_weeks_before_the_original() -> None:
    notes = _notes("dates-shifted")
    pairs = zip(_original(), _rendered("dates-shifted"), strict=True)
    paths = {(one[side]["path"], other[side]["path"]) for (_, one), (_, other) in pairs for side in "ab"}
    texts = _original_texts()
    days = {other: (_days(one, texts[one]), _days(other, notes[other].text)) for one, other in paths}
    assert sum(len(shifted) for _, shifted in days.values()) > 100
    astray = {path: shifted - {day - SHIFT for day in original} for path, (original, shifted) in days.items()}
    assert {path: beside for path, beside in astray.items() if beside} == {}


def test_daily_notes_are_named_by_the_shifted_days() -> None:
    named = {Path(path).stem for path in _notes("dates-shifted") if DAY.fullmatch(Path(path).stem)}
    original = {Path(pair[side]["path"]).stem for _, pair in _original() for side in "ab"}
    assert len(named) >= 18
    assert named <= {(date.fromisoformat(day) - SHIFT).isoformat() for day in original if DAY.fullmatch(day)}


def _statements() -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return each statement of the original, as path and quote, with the one that says it in other words."""
    pairs = zip(_original(), _rendered("paraphrased"), strict=True)
    return [
        ((one[side]["path"], one[side]["quote"]), (other[side]["path"], other[side]["quote"]))
        for (_, one), (_, other) in pairs
        for side in "ab"
    ]


def test_no_statement_is_said_in_the_words_of_the_original() -> None:
    texts = _original_texts()
    assert [quote for (path, _), (_, quote) in _statements() if quote in texts[path]] == []


def _is_row(text: str, quote: str) -> bool:
    at = text.index(quote)
    return text[text.rfind("\n", 0, at) + 1 :].lstrip("> ").startswith("|")


def test_rows_of_tables_are_rows_in_other_words() -> None:
    texts, notes = _original_texts(), _notes("paraphrased")
    rows = [_is_row(texts[path], quote) for (path, quote), _ in _statements()]
    assert sum(rows) > 30
    assert [_is_row(notes[path].text, quote) for _, (path, quote) in _statements()] == rows
