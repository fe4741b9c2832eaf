"""How a note is cut: what stays together, what is parted, and what the embedder reads."""

from __future__ import annotations

import json

import pytest

from tests.text.noise import noise
from vaultrag.domain import Chunk
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note

TARGET, LIMIT = 60, 90


def words(text: str) -> int:
    return len(text.split())


def cut(text: str, target: int = TARGET, limit: int = LIMIT, path: str = "n.md") -> list[Chunk]:
    chunks = chunk_note(parse_note(path, text), words, target, limit)
    assert all(words(chunk.embedded) <= limit for chunk in chunks)
    return chunks


def sentences(count: int, of: str = "Номер {} говорит о сервере и хлебе.") -> str:
    return " ".join(of.format(number) for number in range(count))


def test_small_neighbours_under_one_heading_are_one_chunk() -> None:
    [chunk] = cut("# Дом\n\nАбзац один.\n\n- пункт\n- второй\n\nАбзац два.\n")
    assert chunk.embedded == "Дом\nАбзац один.\nпункт\nвторой\nАбзац два."
    assert chunk.text.startswith("# Дом")
    assert chunk.language == "ru"


def test_sections_are_kept_apart() -> None:
    body = sentences(6)
    chunks = cut(f"# A\n\n## B\n\n{body}\n\n## C\n\n{body}\n")
    assert [chunk.heading_path for chunk in chunks] == [("A", "B"), ("A", "C")]
    assert chunks[0].text.startswith("# A\n\n## B")


def test_tiny_sibling_sections_join_under_their_parent_and_are_named() -> None:
    [chunk] = cut("# Костя\n\n## Телефон\n\n+7 900\n\n## Город\n\nПермь\n")
    assert chunk.heading_path == ("Костя",)
    assert chunk.embedded == "Костя\nТелефон\n+7 900\nГород\nПермь"


def test_a_heading_without_text_is_found_too() -> None:
    chunks = cut(f"# A\n\n{sentences(3)}\n\n# Пустой раздел\n")
    assert chunks[-1].embedded == "Пустой раздел"
    assert chunks[-1].text == "# Пустой раздел"


def test_a_block_up_to_the_limit_stays_whole_and_a_longer_one_is_cut_at_sentences() -> None:
    whole = sentences(12)
    assert [chunk.text for chunk in cut(whole)] == [whole]
    chunks = cut(sentences(40))
    assert len(chunks) > 3
    assert all(chunk.text.startswith("Номер") and chunk.text.endswith("хлебе.") for chunk in chunks)
    assert {chunk.span.first_line for chunk in chunks} == {1}
    assert " ".join(chunk.text for chunk in chunks) == sentences(40)
    assert max(words(c.text) for c in chunks) - min(words(c.text) for c in chunks) <= 6, "no crumb at the end"


def test_links_are_not_cut_at_a_stop_inside_them() -> None:
    text = " ".join(f"Слово [[Mr. A. Note {n}]] и ещё одно слово тут." for n in range(30))
    assert all(chunk.text.count("[[") == chunk.text.count("]]") for chunk in cut(text))


def test_lists_are_cut_at_items_with_their_children() -> None:
    items = "\n".join(f"- пункт {n}\n  - {sentences(2)}" for n in range(12))
    chunks = cut(items)
    assert len(chunks) > 1
    assert all(chunk.text.startswith("- пункт") for chunk in chunks)


def test_table_rows_stay_whole_and_the_header_is_repeated_in_what_is_embedded() -> None:
    rows = "\n".join(f"| сервер {n} | порт {n} |" for n in range(60))
    chunks = cut(f"| имя | порт |\n|---|---|\n{rows}\n")
    assert len(chunks) > 1
    assert all(chunk.embedded.startswith("имя | порт\n") for chunk in chunks)
    assert all(chunk.text.startswith("| сервер") and chunk.text.endswith("|") for chunk in chunks[1:])


def test_code_is_cut_at_blank_lines_and_kept_as_it_is() -> None:
    functions = "\n\n".join(f"def f_{n}(a, b):\n    x = a ** b  # [[no link]]\n    return x * {n}" for n in range(20))
    chunks = cut(f"```python\n{functions}\n```\n")
    assert len(chunks) > 1
    assert all(chunk.text.lstrip("`python\n").startswith("def") for chunk in chunks)
    assert "    x = a ** b  # [[no link]]" in chunks[0].embedded


def test_a_word_without_end_is_cut_hard() -> None:
    chunks = chunk_note(parse_note("n.md", "я" * 5000), len, 100, 150)
    assert "".join(chunk.text for chunk in chunks) == "я" * 5000
    assert all(len(chunk.embedded) <= 150 for chunk in chunks)


def test_a_long_heading_path_leaves_room_for_the_text() -> None:
    chunks = cut(f"# {sentences(30)}\n\n## Цель\n\n{sentences(20)}\n")
    assert all("Номер" in chunk.embedded.split("\n", 1)[-1] for chunk in chunks)


def test_a_heading_too_long_to_stand_above_its_text_is_said_whole() -> None:
    heading = sentences(20)
    chunks = cut(f"# {heading}\n\nТекст.\n\n## Ещё\n\nКонец.")
    said = " ".join(chunk.embedded for chunk in chunks)
    assert all(word in said for word in heading.split())
    assert chunks[-1].embedded.endswith("Ещё\nКонец.")


def test_messages_share_no_chunk() -> None:
    text = (
        ">[!nexus_user] **User** - 28.07.2025 at 12:46\n> Да\n<!-- UID: 1 -->\n\nМоя мысль.\n\n"
        ">[!nexus_agent] **Assistant** - 28.07.2025 at 12:47\n> # Итог\n> Готово【1†L2-L3】.\n<!-- UID: 2 -->\n\n---\n"
    )
    chunks = cut(text)
    assert [(chunk.speaker, chunk.embedded) for chunk in chunks] == [
        ("user", "Да"),
        ("", "Моя мысль."),
        ("assistant", "Итог\nГотово."),
    ]
    assert "【1†L2-L3】" in chunks[2].text


def test_markup_is_cleaned_from_what_is_embedded_only() -> None:
    text = (
        "> [!warning]- **Важно**\n> - [ ] ==срок== [[Люди/Костя|Косте]] и [[План#Цель]] [сайт](https://a.b)\n"
        "> %%тайна%% <!-- скрыто --> ![[Схема#Часть]] `a_b` x[^1] ^id-1\n"
    )
    [chunk] = cut(text)
    assert chunk.text == text.strip()
    assert chunk.embedded == "Важно\nсрок Косте и План > Цель сайт\nтайна  Схема > Часть a_b x"
    assert chunk.block_id == "id-1"


def test_block_ids_name_chunks() -> None:
    chunks = cut("- один\n- два ^item\n\n# B\n\n| a |\n|---|\n| 1 |\n\n^table\n")
    assert [chunk.block_id for chunk in chunks] == ["item", "table"]


def test_spans_count_lines_by_newlines_only() -> None:
    text = "первый\u2028\x0bстрока\r\n\r\n# Ёж\r\rвторой\u0085абзац"
    chunks = cut(text)
    assert [chunk.text for chunk in chunks] == ["первый\u2028\x0bстрока", "# Ёж\r\rвторой\u0085абзац"]
    assert (chunks[1].span.first_line, chunks[1].span.last_line, chunks[1].span.last_column) == (3, 5, 12)


def test_equal_sections_have_ids_of_their_own_and_one_text_hash() -> None:
    body = f"# A\n\n{sentences(5)}\n\n# A\n\n{sentences(5)}\n"
    first, second = cut(body)
    [other] = cut(f"# A\n\n{sentences(5)}\n", path="other.md")
    assert len({first.id, second.id, other.id}) == 3
    assert first.text_hash == second.text_hash == other.text_hash


def test_a_line_that_announces_a_list_goes_with_it() -> None:
    items = "\n".join(f"- {sentences(1)}" for _ in range(6))
    chunks = cut(f"{sentences(7)}\n\nНужно купить:\n\n{items}\n")
    assert chunks[1].embedded.startswith("Нужно купить:\n")


def test_comments_and_breaks_are_in_no_chunk() -> None:
    [chunk] = cut("---\ntags: [b]\n---\n\n---\n\n<!-- тайна -->\n\nТекст\n\n***\n")
    assert chunk.text == "Текст"


def test_properties_are_a_chunk_of_their_own_under_the_notes_title() -> None:
    text = (
        '---\ntags: [люди]\nphone: "+7 912 345-67-89"\nдень рождения: 1990-05-03\nдрузья:\n  - "[[Пётр|Петя]]"\n'
        "id: 6f9619ff-8b86-d011-b42d-00c04fc964ff\ncssclasses: wide\n---\nТело.\n"
    )
    properties, body = cut(text, path="Люди/Анна Петрова.md")
    assert properties.embedded == "Анна Петрова\nphone: +7 912 345-67-89\nдень рождения: 1990-05-03\nдрузья:\nПетя"
    assert properties.text.startswith("phone:")
    assert properties.text.endswith('"[[Пётр|Петя]]"')
    assert (properties.span.first_line, properties.span.last_line, properties.heading_path) == (3, 6, ())
    assert body.text == "Тело."


@pytest.mark.parametrize(
    "block",
    [
        "tags: [a]\naliases: [Б]", "date: 2024-01-05", "created: {{date}}", "cssclasses: wide\npublish: true",
        "status:\nlist: []", "uid: 6f9619ff-8b86-d011-b42d-00c04fc964ff", "прочитано: true",
        "key: AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKKKLLLLMMMM=", "# только примечание",
        "nexus: nexus-ai-chat-importer\nplugin_version: 1.6.3\nprovider: chatgpt\nmodels:\n  - gpt-4o",
        "provider: claude\nmodel: claude-3-7-sonnet\ndate: 2025-02-16",
        "provider: chatgpt\nмодель: gpt-4o",
    ],
)  # fmt: skip
def test_properties_that_say_nothing_to_a_reader_are_no_chunk(block: str) -> None:
    [chunk] = cut(f"---\n{block}\n---\nТело.\n")
    assert chunk.text == "Тело."


@pytest.mark.parametrize("block", ["model: gpt-4o", "provider: Vattenfall\nmodel: Octavia", "модель: Octavia"])
def test_model_of_what_is_no_chat_is_told(block: str) -> None:
    properties, _ = cut(f"---\n{block}\n---\nТело.\n")
    assert block.rpartition(": ")[2] in properties.embedded


@pytest.mark.parametrize("block", ["a: @x\nb: Ключ у Марии", "b: Ключ у Марии\nb: да", "b: Ключ: у Марии"])
def test_properties_that_cannot_be_read_are_found_as_text(block: str) -> None:
    properties, _ = cut(f"---\n{block}\n---\nТело.\n")
    assert properties.text == block
    assert "Ключ" in properties.embedded


@pytest.mark.parametrize(
    ("block", "words"),
    [("alias: Прозвище", "Прозвище"), ("tag: рецепты", "рецепты"), ("tags: дом, сад", "дом, сад"),
     ("# мои данные\nгород: Казань\nгород: Уфа", "Казань")],
)  # fmt: skip
def test_what_the_app_takes_for_no_name_and_no_tag_is_found_as_text(block: str, words: str) -> None:
    properties, _ = cut(f"---\n{block}\n---\nТело.\n")
    assert properties.text == block
    assert words in properties.embedded


def test_many_properties_are_cut_at_their_lines() -> None:
    block = "\n".join(f"поле{n}: значение номер {n}" for n in range(200))
    chunks = cut(f"---\n{block}\n---\n", path="Анкета.md")
    assert len(chunks) > 5
    assert all(chunk.embedded.startswith("Анкета\nполе") and words(chunk.embedded) <= LIMIT for chunk in chunks)
    assert "\n".join(chunk.text for chunk in chunks) == block


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("Пусто.md", "", ""), ("Пусто.md", "\n \n", ""), ("b.md", "---\ntags: [дом, сад]\n---\n", "дом\nсад"),
        ("Фильмы.md", "![[Movies.base]]\n", "Movies.base"),
        ("Два.md", "![[a.png|100]]\n\n![[Заметка]]", "a.png\nЗаметка"),
        ("x.canvas", '{"nodes": []}', ""), ("x.base", "", ""), ("c.md", "<!-- тайна -->", ""),
    ],
)  # fmt: skip
def test_a_note_without_text_has_one_chunk_that_is_not_embedded(path: str, text: str, said: str) -> None:
    [chunk] = cut(text, path=path)
    assert (chunk.text_hash, chunk.embedded) == ("", said)
    start, end = Lines(text).offsets(chunk.span)
    assert text[start:end] == chunk.text


def test_an_embed_beside_words_or_properties_stays_what_it_was() -> None:
    [chunk] = cut("Смотри:\n\n![[Movies.base]]\n")
    assert chunk.text_hash
    properties, embed = cut("---\nстатус: идёт\n---\n![[Movies.base]]\n")
    assert (bool(properties.text_hash), bool(embed.text_hash)) == (True, False)


def test_code_inside_a_list_or_a_callout_is_not_cut_while_it_fits() -> None:
    code = "\n".join(f"  - echo {n} > /dev/null" for n in range(12))
    item = f"- {sentences(9)}\n\n  ```sh\n{code}\n\n{code}\n  ```\n"
    for text in (item, "\n".join(f"> {line}" for line in f"[!tip] Совет\n{item}".split("\n"))):
        chunks = cut(text, 60, 160)
        assert len(chunks) > 1
        assert all(chunk.text.count("```") in (0, 2) for chunk in chunks)
        assert "- echo 3 > /dev/null" in "\n".join(chunk.embedded for chunk in chunks)


def test_a_fence_over_the_limit_is_cut_at_its_lines() -> None:
    code = "\n".join(f"  echo {n} {n}" for n in range(80))
    chunks = cut(f"- Шаг один.\n  ```sh\n{code}\n  ```\n- Шаг два.\n")
    assert len(chunks) > 2
    assert all(chunk.text.strip(" `sh\n").startswith(("- Шаг", "echo")) for chunk in chunks)


def test_a_part_of_a_list_names_the_items_above_it() -> None:
    items = "\n".join(f"    - Порт {n} слушает сервер номер {n}" for n in range(30))
    chunks = cut(f"- Серверы\n  - MS-01 **дома**\n{items}\n")
    assert len(chunks) > 2
    assert all(chunk.embedded.startswith("Серверы\nMS-01 дома\n") for chunk in chunks)
    assert chunks[1].text.startswith("- Порт")


def test_a_footnote_is_embedded_with_the_sentence_that_cites_it_and_stands_at_its_place() -> None:
    text = f"# Итог\n\nСервер быстрый.[^a]\n\n# Ещё\n\n{sentences(8)}\n\n[^A]: Замер [[Костя|Кости]] 5 мая\n"
    chunks = cut(text)
    assert chunks[0].embedded == "Итог\nСервер быстрый.\nЗамер Кости 5 мая"
    assert chunks[0].text == "# Итог\n\nСервер быстрый.[^a]"
    assert any("[^A]: Замер" in chunk.text for chunk in chunks[1:])
    [whole] = cut("Да.[^1]\n\n[^1]: Нет\n")
    assert whole.embedded == "Да.\nНет", "what the chunk holds itself is not said twice"


def test_an_embed_is_found_by_what_it_shows_and_cited_where_it_stands() -> None:
    shown = {("Рецепт", "Тесто"): "## Тесто\n\nМука и [[Вода|вода]].", ("Длинное", ""): sentences(60)}
    note = parse_note("n.md", "Сегодня: ![[Рецепт#Тесто]] и ![[Длинное]] и ![[Нет]]\n\n```\n![[Рецепт#Тесто]]\n```\n")
    [chunk] = chunk_note(note, words, TARGET, 200, lambda target, anchor: shown.get((target, anchor), ""))
    assert chunk.embedded.split("\n")[2:4] == ["Тесто", "Мука и вода."]
    assert "Мука" not in chunk.text
    assert words(chunk.embedded) < 110


def test_a_callout_without_a_title_is_named_by_its_type() -> None:
    [chunk] = cut("> [!warning]- \n> Не включать\n> > [!my-type|left] Сам\n> > x\n")
    assert chunk.embedded == "Warning\nНе включать\nСам\nx"
    block = parse_note("n.md", "> [!Warning|left]+ A\n").blocks[0]
    assert block.callout == "warning"


def test_a_sign_inside_a_line_is_no_quote() -> None:
    [chunk] = cut("> > если x > y\n\na -> b^[Сноска тут] > c\n")
    assert chunk.embedded == "если x > y\na -> b (Сноска тут) > c"


def test_a_picture_parts_passages_and_is_in_none() -> None:
    data = noise(200_000)
    for note in (f"Текст до.\n\n![]({{}}{data})\n\nТекст после.\n", f"Текст до. ![]({{}}{data}) Текст после."):
        chunks = cut(note.format("data:image/png;base64,"))
        assert [chunk.text for chunk in chunks] == ["Текст до.", "Текст после."]
        assert [chunk.embedded for chunk in chunks] == ["Текст до.", "Текст после."]


def test_of_a_drawing_only_its_own_text_is_left() -> None:
    lines = "\n\n".join(noise(256, seed) for seed in range(300))
    head = "---\nexcalidraw-plugin: parsed\n---\n==⚠  Switch to EXCALIDRAW VIEW in the MORE OPTIONS menu. ⚠==\n\n"
    own = "# Excalidraw Data\n\n## Text Elements\nСхема щитка ^abcd1234\n\n## Embedded Files\n"
    own = f"{own}{'0a' * 20}: [[Щиток.png]]\n\n"
    for note in (
        f"{head}{own}%%\n## Drawing\n```compressed-json\n{lines}\n```\n%%",
        f'{head}{own}# Drawing\n```json\n{{"type":"excalidraw","elements":["{noise(9000)}"]}}\n```\n%%',
    ):
        chunks = cut(note)
        assert [chunk.embedded for chunk in chunks] == ["Схема щитка", "Щиток.png"]
        assert chunks[0].heading_path == ("Excalidraw Data", "Text Elements")


def test_rows_and_items_after_data_keep_their_header_and_parents() -> None:
    rows = f"| имя | ключ |\n|---|---|\n| один | {noise(900)} |\n| два | нет |\n"
    assert cut(rows)[-1].embedded == "имя | ключ\nдва | нет"
    assert cut(f"- дом\n  - {noise(900)}\n  - насос\n")[-1].embedded == "дом\nнасос"


def test_the_fence_around_data_makes_no_code_of_what_follows() -> None:
    chunks = cut(f"- раз\n  ```\n  {noise(900)}\n  ```\n- [[Два|второй]] **пункт**\n")
    assert [chunk.embedded for chunk in chunks] == ["раз", "второй пункт"]


def test_a_comment_longer_than_a_passage_parts_passages() -> None:
    chunks = cut(f"До.\n\n<!-- {sentences(60)} -->\n\nПосле.\n")
    assert [chunk.text for chunk in chunks] == ["До.", "После."]


def test_data_in_a_card_of_a_canvas_is_in_no_passage() -> None:
    text = f"Насос ![]({{}}{noise(3000)}) и клапан".format("data:image/png;base64,")
    card = json.dumps({"nodes": [{"id": "a", "type": "text", "text": text, "x": 0, "y": 0, "width": 9, "height": 9}]})
    assert " ".join(chunk.embedded for chunk in cut(card, path="n.canvas")).split() == ["Насос", "и", "клапан"]


def test_a_message_has_its_moment_and_model_or_the_service_it_is_from() -> None:
    messages = (
        ">[!nexus_user] **User** - 10.06.2025 at 6:41\n> Вопрос\n<!-- UID: 1 -->\n"
        ">[!nexus_agent] **Assistant · o3** - 10.06.2025 at 6:42\n> Ответ\n<!-- UID: 2 -->\n"
        ">[!nexus_agent] **Assistant** - 11.06.2025\n> Ещё ответ\n<!-- UID: 3 -->\n"
    )

    def told(properties: str) -> list[tuple[str, str, str]]:
        chunks = chunk_note(parse_note("ч.md", f"---\n{properties}\n---\n{messages}"), words, 100, 150)
        return [(chunk.speaker, chunk.said, chunk.model) for chunk in chunks]

    assert told("provider: claude") == [
        ("user", "2025-06-10T06:41", ""),
        ("assistant", "2025-06-10T06:42", "o3"),
        ("assistant", "2025-06-11", "claude"),
    ]
    assert told("models: [gpt-4o]\nprovider: chatgpt")[-1][2] == "gpt-4o"
    assert told("models: [gpt-4o, o1]\nprovider: chatgpt")[-1][2] == "chatgpt"
    assert told("x: y")[-1][2] == ""


def test_a_passage_has_the_day_and_the_properties_of_its_note() -> None:
    text = "---\ndate: 2024-05-05\nstatus: '[[Готово|сделано]]'\ntags: [a]\ndone: true\n---\nТекст."
    note = parse_note("д.md", text)
    assert {(chunk.date, chunk.about) for chunk in chunk_note(note, words, 100, 150)} == {
        ("2024-05-05", "status: сделано")
    }


def test_many_properties_are_told_as_far_as_they_are_short() -> None:
    long = "x: " + "слово " * 20
    text = f"---\n{long}\n" + "".join(f"ключ{n}: значение {n}\n" for n in range(50)) + "---\nТекст."
    about = parse_note("д.md", text).about
    assert about.startswith("ключ0: значение 0; ключ1: значение 1")
    assert len(about) < 150


def test_names_on_a_canvas_are_found_by_words_at_their_places_and_not_embedded() -> None:
    def node(name: str, **more: object) -> dict[str, object]:
        return {"id": name, "x": 0, "y": 0, "width": 90, "height": 50, **more}

    nodes = [
        node("g", type="group", label="Сервер", width=900, height=900),
        node("a", type="text", text="Корпус для стойки куплен зимой и стоит в коридоре у двери, ждёт диски"),
        node("b", type="file", file="Servers/Маяк.md", subpath="#Now", x=5000),
        node("c", type="link", url="https://example.org/zigbee", x=5000),
        *(node(f"f{n}", type="file", file="Servers/Маяк.md", x=5000) for n in range(40)),
    ]
    edges = [{"id": "e", "fromNode": "a", "toNode": "b", "label": "питает"}]
    text = json.dumps({"nodes": nodes, "edges": edges}, ensure_ascii=False, indent=1)
    chunks = chunk_note(parse_note("План.canvas", text), words, 100, 150)
    names = [chunk for chunk in chunks if not chunk.text_hash]
    said = "\n".join(chunk.embedded for chunk in names).split("\n")
    assert said == ["Сервер", "Маяк", "Now", "https://example.org/zigbee", *["Маяк"] * 40, "питает"]
    assert len({chunk.id for chunk in names}) == len(names) > 3
    lines = Lines(text)
    assert all(text[slice(*lines.offsets(chunk.span))] == chunk.text for chunk in chunks)
    assert [chunk.span for chunk in chunks] == sorted(chunk.span for chunk in chunks)
