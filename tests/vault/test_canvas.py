"""Canvases: cards, groups and edges, at their true places in the file."""

from __future__ import annotations

import json

import pytest

from vaultrag.domain import LinkKind, Note
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parse import parse_note

BOX = {"width": 100, "height": 50}
CANVAS = {
    "nodes": [
        {"id": "g", "type": "group", "x": 0, "y": 0, "width": 500, "height": 500, "label": "Маяк"},
        {"id": "a", "type": "text", "x": 10, "y": 10, **BOX, "text": '# План\n"Купить" [[Сервер|MS-01]] #покупки'},
        {"id": "b", "type": "file", "x": 900, "y": 10, **BOX, "file": "Люди/Костя.md", "subpath": "#Телефон"},
        {"id": "c", "type": "link", "x": 900, "y": 90, **BOX, "url": "https://example.com"},
    ],
    "edges": [{"id": "e", "fromNode": "a", "toNode": "b", "label": "спросить"}],
}


def chunks_of(note: Note) -> dict[str, str]:
    return {chunk.embedded: chunk.text for chunk in chunk_note(note, lambda text: len(text.split()), 300, 420)}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_cards_edges_and_groups_are_chunks_at_their_places(ascii_only: bool) -> None:
    text = json.dumps(CANVAS, ensure_ascii=ascii_only, indent="\t")
    note = parse_note("Доска.canvas", text)
    assert [(link.kind, link.target, link.anchor) for link in note.links] == [
        (LinkKind.WIKILINK, "Сервер", ""),
        (LinkKind.CANVAS, "Люди/Костя.md", "Телефон"),
    ]
    assert note.tags == ("покупки",)
    embedded = chunks_of(note)
    assert 'Маяк > План\n"Купить" MS-01 #покупки' in embedded
    assert "План → Костя\nспросить" in embedded
    assert all(raw in text for raw in embedded.values())
    assert json.loads(f'"{embedded[next(iter(e for e in embedded if "Купить" in e))]}"').startswith("# План\n")


def test_a_long_card_is_split_at_true_places() -> None:
    card = " ".join(f'Предложение "{n}" о сервере.' for n in range(200))
    canvas = {"nodes": [{"id": "a", "type": "text", "text": card, "x": 0, "y": 0, **BOX}]}
    note = parse_note("d.canvas", json.dumps(canvas))
    chunks = chunk_note(note, lambda text: len(text.split()), 100, 150)
    assert len(chunks) > 4
    assert " ".join(json.loads(f'"{chunk.text}"') for chunk in chunks) == card


@pytest.mark.parametrize("text", ["{", '{"nodes": [', "[1, 2]", '"x"', "[" * 100_000, "NaN" * 3])
def test_a_broken_canvas_is_reported_and_holds_nothing(text: str) -> None:
    note = parse_note("d.canvas", text)
    assert note.problems
    assert note.blocks == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "{}",
        '{"nodes": null, "edges": 3}',
        '{"nodes": [1, {}, {"type": "text"}, {"type": "text", "text": 5}, {"type": "file", "file": null}]}',
        '{"nodes": [{"type": "group", "x": 1e999, "label": "a"}, {"type": "text", "text": "\\ud83d x", "x": 1}]}',
        '{"nodes": [{"type": "file", "file": "a.md"}], "nodes": [{"type": "file"}]}',
    ],
)
def test_odd_canvases_are_read_as_far_as_they_go(text: str) -> None:
    note = parse_note("d.canvas", text)
    assert note.problems == ()
    chunks_of(note)
