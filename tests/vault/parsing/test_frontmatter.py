"""Properties are read as YAML 1.2, and damage costs only them."""

from __future__ import annotations

import pytest

from vaultrag.vault.parsing.frontmatter import Frontmatter, aliases, frontmatter_tags, read_frontmatter
from vaultrag.vault.parsing.parse import parse_note


def read(block: str) -> Frontmatter:
    return read_frontmatter(f"---\n{block}\n---\nТело\n")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("2024-07-21", "2024-07-21"),
        ("2024-05-25T15:17:00", "2024-05-25T15:17:00"),
        ("12:30", "12:30"),
        ("42", 42),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("-1.5e3", -1500.0),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        ("'42'", "42"),
        ('"true"', "true"),
        ("9" * 5000, "9" * 5000),
        ("!!python/name:os.system x", "x"),
        ("[[Note]]", [["Note"]]),
    ],
)
def test_values_have_the_types_of_yaml_1_2(written: str, value: object) -> None:
    assert read(f"key: {written}").properties == {"key": value}


def test_json_between_the_fences_is_read() -> None:
    assert read('{"tags": "journal", "publish": false}').properties == {"tags": "journal", "publish": False}


@pytest.mark.parametrize(
    "block",
    [
        "a: [1, 2",
        "a: 1\na: 2",
        "a: &x 1\nb: *x",
        "a: &a [x]\nb: [*a, *a]",
        "- a\n- b",
        "{{title}}: x",
        "a: " + "[" * 100 + "]" * 100,
        "a: " + "x" * 70_000,
        "a: \x01",
        "a: \ud800",
        "a: 1\n...\n--- \nb: 2\n",
    ],
)
def test_damage_costs_the_properties_and_not_the_body(block: str) -> None:
    note = parse_note("n.md", f"---\n{block}\n---\nТело и [[Ссылка]] #тег\n")
    if not note.properties:
        assert note.problems
    assert [link.target for link in note.links] == ["Ссылка"]
    assert note.tags == ("тег",)


@pytest.mark.parametrize(
    "text", ["+++\na: 1\n+++\n", "***\na: 1\n***\n", " ---\na: 1\n---\n", "---\na: 1\n", "x\n---\na: 1\n---\n"]
)
def test_other_fences_and_places_are_no_frontmatter(text: str) -> None:
    assert read_frontmatter(text) == Frontmatter()


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_line_ending_and_spaces_after_the_fence(newline: str) -> None:
    text = newline.join(["---", "a: 1", "---  ", "Тело"])
    front = read_frontmatter(text)
    assert front.properties == {"a": 1}
    assert text[front.body :].strip() == "Тело"


def test_tags_and_aliases_follow_obsidian_1_9() -> None:
    front = read("Tags: [a, '#b', 3, 'c d', null]\nALIASES: Один, два\ntag: x\nalias: y").properties
    assert frontmatter_tags(front) == ["a", "b"]
    assert aliases(front) == ["Один, два"]


def test_several_tags_on_one_line_are_reported() -> None:
    front = read("tags: a, b")
    assert frontmatter_tags(front.properties) == []
    assert "must be a list" in front.problems[0]
