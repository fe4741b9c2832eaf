"""Canvases: cards, groups and edges, at their true places in the file."""

from __future__ import annotations

import json

import pytest

from vaultrag.domain import LinkKind, Note
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.parse import parse_note

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
    chunks = chunk_note(note, lambda text: len(text.split()), 300, 420)
    return {chunk.embedded: chunk.text for chunk in chunks if chunk.text_hash}


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
    assert list(embedded) == ['Маяк > План\n"Купить" MS-01 #покупки\nспросить → Костя']
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


def board(*nodes: dict[str, object], edges: tuple[dict[str, object], ...] = ()) -> Note:
    return parse_note("Доска.canvas", json.dumps({"nodes": nodes, "edges": edges}, ensure_ascii=False))


def card(name: str, text: str, x: int = 10) -> dict[str, object]:
    return {"id": name, "type": "text", "x": x, "y": 10, **BOX, "text": text}


def test_a_card_of_a_few_words_is_no_chunk_of_its_own() -> None:
    group = {"id": "g", "type": "group", "x": 0, "y": 0, "width": 500, "height": 500, "label": "Маяк"}
    note = board(
        group,
        card("a", "Костя"),
        card("b", "Пароль 1234"),
        card("c", "# Срок\nдо пятницы мы должны закончить всё, что начали в понедельник и во вторник"),
        card("d", "# План\nСервер куплен, стоит в стойке и ждёт дисков, которые привезут в четверг", 900),
        card("e", "конец", 900),
    )
    chunks = chunk_note(note, lambda text: len(text.split()), 300, 420)
    assert [chunk.embedded for chunk in chunks if chunk.text_hash] == [
        "Маяк\nКостя\nПароль 1234\nСрок\nдо пятницы мы должны закончить всё, что начали в понедельник и во вторник",
        "План\nСервер куплен, стоит в стойке и ждёт дисков, которые привезут в четверг\nконец",
    ]
    assert all(chunk.text in note.text for chunk in chunks)


def test_file_cards_are_links_and_labels_between_them_are_found() -> None:
    files: list[dict[str, object]] = [
        {"id": name, "type": "file", "x": 0, "y": 0, **BOX, "file": f"Люди/{name}.md"} for name in ("Анна", "Ян")
    ]
    note = board(*files, edges=({"id": "e", "fromNode": "Анна", "toNode": "Ян", "label": "наняла"},))
    assert [link.target for link in note.links] == ["Люди/Анна.md", "Люди/Ян.md"]
    assert list(chunks_of(note)) == ["Анна → Ян\nнаняла"]
    assert chunks_of(board(*files)) == {}


def test_tasks_of_a_card_stand_at_their_line_of_the_file() -> None:
    text = json.dumps({"nodes": [card("a", "План\n- [ ] купить 📅 2025-05-01")]}, ensure_ascii=False, indent=1)
    [task] = parse_note("d.canvas", text).tasks
    assert (task.text, task.dates) == ("купить 📅 2025-05-01", (("due", "2025-05-01"),))
    assert "купить" in text.split("\n")[task.line - 1]
