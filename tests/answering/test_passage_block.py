"""What the model is shown of a passage: place, day, speaker, properties, and its text as a reader sees it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from vaultrag.answering.passage_block import passage_block
from vaultrag.answering.prompt import pack
from vaultrag.domain import Chunk, Passage, Refusal
from vaultrag.text.language import language_of
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.parse import parse_note


def count_words(text: str) -> int:
    return len(text.split())


def chunks_of(path: str, text: str, target: int = 300) -> tuple[str, list[Chunk]]:
    note = parse_note(path, text)
    return note.title, chunk_note(note, count_words, target, target + target // 2)


def blocks_of(path: str, text: str, target: int = 300) -> list[str]:
    title, chunks = chunks_of(path, text, target)
    return [passage_block(1, Passage(chunk, title, 1.0, ()), 0, len(chunk.text)) for chunk in chunks]


CHAT = """---
provider: chatgpt
---
# Title: Хлеб

>[!nexus_user] **User** - 10.06.2025 at 6:41
> Сколько воды в хлеб?
<!-- UID: 1 -->
>[!nexus_agent] **Assistant{model}** - 11.06.2025 at 6:42
> Воды ~~340~~ **315** г.
<!-- UID: 2 -->
"""


def test_what_an_assistant_said_is_told_as_such_with_model_and_day() -> None:
    *_, asked, said = blocks_of("Хлеб.md", CHAT.replace("{model}", " · gpt-4o"))
    assert "(пользователь написал ассистенту, 2025-06-10)\nСколько воды" in asked
    assert "(сказал ассистент, gpt-4o, 2025-06-11)\nВоды (зачёркнуто: 340) 315 г." in said
    assert "(сказал ассистент, chatgpt, 2025-06-11)" in blocks_of("Хлеб.md", CHAT.replace("{model}", ""))[-1]


@pytest.mark.parametrize(
    ("path", "text", "first_line"),
    [
        ("Пароль.md", "---\ndate: 2025-03-18\n---\nПароль лежит в сейфе.", "[1] Пароль (заметка от 2025-03-18)"),
        ("Go-live.md", "# Slip 2025-03-18\n\nWe slip by a week.", "[1] Go-live › Slip 2025-03-18 (note of 2025-03-18)"),
        ("Log 2025-03-18.md", "We slip by a week.", "[1] Log 2025-03-18"),
        ("Undated.md", "We slip by a week.", "[1] Undated"),
        ("План.md", "## [[Дом|О доме]]\nКрышу чиним летом.", "[1] План › О доме"),
    ],
)
def test_place_tells_the_day_of_the_note(path: str, text: str, first_line: str) -> None:
    assert blocks_of(path, text)[-1].splitlines()[0] == first_line


def test_a_heading_that_the_place_names_is_not_repeated_and_others_stay() -> None:
    [block] = blocks_of("Дом.md", "# Крыша\n\nЧиним летом.\n")
    assert block == "[1] Дом › Крыша\nЧиним летом.\n\n"
    [block] = blocks_of("Дом.md", "# Дом\n\n## А\n\nраз\n\n## Б\n\nдва\n")
    assert "## Б\n\nдва" in block


def test_properties_are_told_once_for_each_note_and_not_beside_themselves() -> None:
    text = "---\nstatus: rejected\nsuperseded_by: '[[ADR-007|HTTP]]'\ntags: [adr]\n---\nWe use gRPC between services.\n"
    title, (properties, body) = chunks_of("ADR-003.md", text)
    properties = replace(properties, features=("property",))
    shown = passage_block(1, Passage(body, title, 1.0, ()), 0, len(body.text))
    assert shown.startswith("[1] ADR-003 (status: rejected; superseded_by: HTTP)\nWe use gRPC")
    assert passage_block(1, Passage(properties, title, 1.0, ()), 0, 16).startswith("[1] ADR-003\nstatus: rejected")
    passages = [Passage(body, title, 1.0, ()), Passage(replace(body, id="2"), title, 1.0, ())]
    packed = pack("?", "en", passages, 2000, lambda texts: [len(t) // 4 for t in texts], Refusal.OFFERED)
    assert packed.messages[1].content.count("status: rejected") == 1


ROWS = "".join(f"| насос {n} | {n} бар |\n" for n in range(40))


def test_rows_of_a_long_table_are_shown_under_its_header() -> None:
    title, chunks = chunks_of("Насосы.md", f"| что | ~~сколько~~ давление |\n|---|---|\n{ROWS}", 60)
    assert len(chunks) > 2
    for chunk in chunks:
        shown = passage_block(1, Passage(chunk, title, 1.0, ()), 0, len(chunk.text))
        assert shown.splitlines()[1] == "| что | (зачёркнуто: сколько) давление |"
    whole = chunks_of("Насосы.md", f"| что | давление |\n|---|---|\n{ROWS}", 500)[1][0]
    later = whole.text.index("| насос 30")
    excerpt = passage_block(1, Passage(whole, title, 1.0, ()), later, len(whole.text)).splitlines()
    assert excerpt[1:3] == ["| что | давление |", "| насос 30 | 30 бар |"]


def test_rows_after_the_first_passage_of_a_table_keep_their_header_in_an_excerpt() -> None:
    title, chunks = chunks_of("Насосы.md", f"| что | давление |\n|---|---|\n{ROWS}", 60)
    later = chunks[1].text.rindex("| насос")
    shown = passage_block(1, Passage(chunks[1], title, 1.0, ()), later, len(chunks[1].text))
    assert shown.splitlines()[1].startswith("| насос"), "what stands above it is no table's beginning"


@pytest.mark.parametrize("sign", ["", "> "])
def test_code_that_goes_on_is_shown_as_code(sign: str) -> None:
    body = "".join(f"{sign}def __init__(self, **kwargs): # ~~{n}~~\n" for n in range(60))
    title, chunks = chunks_of("Код.md", f"{sign}```python\n{body}{sign}```\n", 60)
    assert len(chunks) > 2
    for chunk in chunks:
        shown = passage_block(1, Passage(chunk, title, 1.0, ()), 0, len(chunk.text)).splitlines()
        assert shown[1] == "```python"
        assert shown[2].startswith("def __init__(self, **kwargs): # ~~")
        later = chunk.text.rindex(f"{sign}def")
        excerpt = passage_block(1, Passage(chunk, title, 1.0, ()), later, len(chunk.text)).splitlines()
        assert excerpt[1] == "```python"
        assert excerpt[2].startswith("def __init__(self, **kwargs): # ~~")


def test_a_base_is_shown_as_it_is() -> None:
    text = 'filters: a=="b" && c=="d"\nviews:\n  - name: __all__\n'
    assert blocks_of("x.base", text) == [f"[1] x\n{text.strip()}\n\n"]


def test_part_of_a_list_is_shown_under_its_items() -> None:
    items = "".join(f"    - [x] шаг {n} сделан как надо\n" for n in range(40))
    _, *later = blocks_of("План.md", f"- Ремонт **бани**\n{items}", 60)
    assert later
    for block in later:
        assert block.splitlines()[1] == "- Ремонт бани"
        assert block.splitlines()[2].strip().startswith("- (сделано) шаг")


def test_cards_of_a_canvas_are_shown_without_its_machinery() -> None:
    def card(name: str, **more: Any) -> dict[str, Any]:
        return {"id": name, "x": 10, "y": 10, "width": 90, "height": 50, **more}

    nodes = [
        card("a", type="text", text='**Купить**\n- корпус на 10" стойку\n- [ ] [[Патч|панель]] \\o/'),
        card("b", type="text", text="Да"),
        card("c", type="file", file="Servers/mayak server.md", subpath="#Now"),
    ]
    raw = json.dumps({"nodes": nodes, "edges": []}, ensure_ascii=False, indent="\t")
    title, chunks = chunks_of("План.canvas", raw)
    cards, names = (passage_block(1, Passage(chunk, title, 1.0, ()), 0, len(chunk.text)) for chunk in chunks)
    assert cards == '[1] План\nКупить\n- корпус на 10" стойку\n- (не сделано) панель \\o/\n\nДа\n\n'
    assert names == "[1] План\nServers/mayak server.md\n\n#Now\n\n"


def test_a_part_of_a_canvas_passage_is_read_wherever_it_is_cut() -> None:
    card = {"type": "text", "text": 'Первое "да". Второе.', "x": 1}
    other = {"type": "text", "text": "Третье", "id": "text"}
    raw = json.dumps({"nodes": [card, other]}, ensure_ascii=False)
    title, [chunk] = chunks_of("d.canvas", raw)
    for start in range(len(chunk.text)):
        shown = passage_block(1, Passage(chunk, title, 1.0, ()), start, len(chunk.text))
        assert "Третье"[-1] in shown
        assert not {"{", ":", "x"} & set(shown.partition("\n")[2])


def test_addresses_of_links_are_kept_beside_their_words() -> None:
    text = "Панель: [Grafana](http://10.0.0.5:3000), `[a](http://b)`, [http://c.d](http://c.d), [x](y.md)."
    [block] = blocks_of("Порты.md", text)
    assert "Grafana (http://10.0.0.5:3000), `[a](http://b)`, http://c.d, x." in block


def test_a_comment_is_not_shown_beside_text_and_is_where_it_was_found_alone() -> None:
    assert "тайна" not in blocks_of("а.md", "Текст %%тайна%% дальше")[0]
    assert blocks_of("а.md", "%%\nтайна\n%%\n") == ["[1] а\nтайна\n\n"]


def test_language_of_a_block_is_that_of_its_text() -> None:
    [block] = blocks_of("a.md", "---\ndate: 2024-01-02\n---\nThe price is ~~6~~ 7.")
    assert block == "[1] a (note of 2024-01-02)\nThe price is (crossed out: 6) 7.\n\n"
    assert language_of("The price") == "en"
