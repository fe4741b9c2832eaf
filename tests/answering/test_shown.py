"""Markdown as a reader sees it: what only an app renders is told in words, what reads well stays."""

from __future__ import annotations

import pytest

from vaultrag.answering.shown import as_read, with_addresses


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("Цена ~~6500~~ 7000 ₽", "Цена (зачёркнуто: 6500) 7000 ₽"),
        ("Цена ~~6500 ~~ или 7000~~ ₽", "Цена (зачёркнуто: 6500  или 7000) ₽"),
        ("The price is ~~6500~~ 7000.", "The price is (crossed out: 6500) 7000."),
        ("Was <del>old</del>, <s class='x'>older</s> and <strike>oldest</strike>", "Was {old}, {older} and {oldest}"),
        ("~~See [[Plan|the plan]] and `~~code~~`~~", "{See the plan and `~~code~~`}"),
        ("~~one\ntwo~~ three", "{one\ntwo} three"),
        ("- ~~**bold** item~~\n- kept", "- {bold item}\n- kept"),
        ("| was | is |\n|---|---|\n| ~~1~~ | 2 |", "| was | is |\n| {1} | 2 |"),
    ],
)
def test_what_is_struck_out_is_told_as_struck(markdown: str, seen: str) -> None:
    assert as_read(markdown) == seen.replace("{", "(crossed out: ").replace("}", ")")


@pytest.mark.parametrize(
    "markdown",
    ["It costs ~~ 5 ~~ or so", "~5 km and ~6 km", "`~~x~~` is a sign", "a ~~b", "~~ends\n\nlater~~", "```\n~~x~~\n```"],
)
def test_what_only_looks_struck_is_not_told_as_struck(markdown: str) -> None:
    assert "crossed out" not in as_read(markdown)


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("Встреча с [[Люди/Anneke de Vries|Аней]] в [[Офис]]", "Встреча с Аней в Офис"),
        ("См. [[План#Этап 2]] и [сайт](https://a.example)", "См. План > Этап 2 и сайт"),
        ("Это ==важно==, **очень**, _правда_ и \\*звёздочка\\*", "Это важно, очень, правда и *звёздочка*"),
        ("M&uuml;ller&nbsp;GmbH, `&amp;`", "Müller GmbH, `&amp;`"),
        ("До <!-- скрыто --> и %%тоже\nскрыто%% после", "До  и  после"),
        ("Открой `<!-- a -->` и `%%b%%`", "Открой `<!-- a -->` и `%%b%%`"),
        ("%%\n```\nкод\n```\n%%\nВидно", "Видно"),
        ("Абзац. ^id-1", "Абзац."),
        ("Абзац\n\n^id-1\n\nВторой", "Абзац\n\nВторой"),
        ("Контекст 32k【4†L98-L104】.", "Контекст 32k."),
        ("| [[a\\|б]] | в |\n| :-- | --- |", "| б | в |"),
        ("# Дом\n\n1. раз\n2. два", "# Дом\n\n1. раз\n2. два"),
    ],
)
def test_links_marks_and_comments_are_what_they_show(markdown: str, seen: str) -> None:
    assert as_read(markdown) == seen


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("- [x] сделал бэкап", "- (сделано) сделал бэкап"),
        ("- [ ] сделать бэкап", "- (не сделано) сделать бэкап"),
        ("  2. [/] чиню насос", "  2. (в работе) чиню насос"),
        ("> - [-] ответить Соне", "- (отменено) ответить Соне"),
        ("* [X] pay the rent ✅ 2025-03-01", "* (done) pay the rent (done: 2025-03-01)"),
        ("- [ ] call Anneke 📅 2025-04-02", "- (not done) call Anneke (due: 2025-04-02)"),
        ("- [ ] позвонить [срок:: 2025-04-02]", "- (не сделано) позвонить (срок: 2025-04-02)"),
        ("- [k] key point", "- ([k]) key point"),
        ("цена:: 35 ₽", "цена: 35 ₽"),
        ("std::vector and a[0]", "std::vector and a[0]"),
    ],
)
def test_state_of_a_task_and_fields_are_told(markdown: str, seen: str) -> None:
    assert as_read(markdown) == seen


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("![[img/насос.png|300]]", "(изображение: насос.png)"),
        ("![[насос.png|Насос зимой]]", "(изображение: Насос зимой)"),
        ("![The pump|200x100](img/p.png)", "(image: The pump)"),
        ("![](img/p.png 'x')", "(image: p.png)"),
        ("![[Котёл#Насос]]", "(вставка: Котёл > Насос)"),
        ("![[Boiler.pdf]]", "(embedded: Boiler.pdf)"),
    ],
)
def test_pictures_and_embeds_are_told_as_such(markdown: str, seen: str) -> None:
    assert as_read(markdown) == seen


def test_callouts_show_their_title_and_quotes_lose_their_signs() -> None:
    assert as_read("> [!warning]- Осторожно\n> Горячо") == "Осторожно\nГорячо"
    assert as_read("> [!todo]\n>> deep") == "Todo\ndeep"
    assert as_read("> a\n> ```\n> > b\n> ```\n> c") == "a\n```\n> b\n```\nc"
    assert as_read("```\n> b\n~~c~~\n```\n> d") == "```\n> b\n~~c~~\n```\nd"


@pytest.mark.parametrize("fence", ["```", "~~~~"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_code_is_left_as_it_is_closed_or_not(fence: str, end: str) -> None:
    code = f"{fence}py\n__a__ = '~~b~~ [[c|d]]'  # %%e%%\n\n\n\n> f <!-- g -->"
    assert as_read(f"~~h~~\n{code}") == f"(crossed out: h)\n{code}"
    assert as_read(f"{code}\n{fence}{end}\n~~i~~") == f"{code}\n{fence}{end}\n(crossed out: i)"
    assert with_addresses(f"{code}\n[a](http://b)") == f"{code}\n[a](http://b)"


def test_three_backticks_inside_a_line_open_no_block() -> None:
    assert as_read("```a``` is ~~code~~\n~~b~~") == "```a``` is (crossed out: code)\n(crossed out: b)"


def test_addresses_of_the_web_stand_beside_their_words() -> None:
    text = "[Grafana](http://10.0.0.5:3000 'x'), [x](y.md), ![p](http://q), [http://c](http://c), `[a](http://b)`"
    assert with_addresses(text) == (
        "Grafana (http://10.0.0.5:3000), [x](y.md), ![p](http://q), http://c, `[a](http://b)`"
    )
    assert as_read("[Grafana](http://10.0.0.5:3000)") == "Grafana"


def test_footnotes_are_told_where_their_text_is_read_and_go_where_it_is_not() -> None:
    assert as_read("Высота 12 м[^1].\n\n[^1]: По *старой* карте.") == (
        "Высота 12 м (сноска 1).\n\nСноска 1: По старой карте."
    )
    assert as_read("It is 12 m[^map] high.") == "It is 12 m high."
    assert as_read("It is high.^[By the old map]") == "It is high. (By the old map)"


def test_words_are_of_the_language_that_is_asked_for() -> None:
    assert as_read("Цена ~~6500~~", "en") == "Цена (crossed out: 6500)"
    assert as_read("~~6500~~", "ru") == "(зачёркнуто: 6500)"
    assert as_read("~~6500~~", "de") == "(crossed out: 6500)"
    assert as_read("") == ""
