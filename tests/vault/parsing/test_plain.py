"""Markdown to the words that a reader sees: what is markup goes, what only looks like it stays."""

from __future__ import annotations

import pytest

from vaultrag.domain import BlockKind
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.plain import plain_heading, plain_text


def words(text: str, kind: BlockKind = BlockKind.PARAGRAPH) -> str:
    return plain_text(text, kind)


def targets(text: str) -> list[str]:
    return [link.target for link in parse_note("n.md", text).links]


@pytest.mark.parametrize(
    "text",
    [
        "Условие if (a<b && предохранитель>c) проверяет насос.",
        "Клапан закрывается <t выше нормы сорока градусов, манометр показывает 5> бар.",
        "if a < b and c > d",
        "if a <b and c> d",
        "f(x<y>z)",
        "<Имя Фамилия>, ваш заказ",
        "Dear <first name>, your order",
        "git push <remote> <source>:<target>, then tell <address>",
        "Пиши на <foo@bar.example>",
        "См. <https://example.org/насос?a=1>",
        "Map<String, List<Integer>> и vector<int>, Promise<void>",
        "a <- b <= c <> d >= e -> f",
        "<3 и >_<",
        "2 <3 раза в день>",
        "Ввод: <ключ='значение'>",
        "<!doctype не о том",
    ],
)
def test_what_stands_between_angle_brackets_and_is_no_tag_is_kept(text: str) -> None:
    assert words(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("до <span class=\"a\" title='b'>слово</span> после", "до b слово после"),
        ("H<sub>2</sub>O, 10<sup>3</sup>, <b>жирный</b>, <kbd>Ctrl</kbd>", "H2O, 103, жирный, Ctrl"),
        ("строка<br>другая<br/>третья<BR />", "строка другая третья"),
        ("<font color=red>да</font> <input type=checkbox checked disabled> дело", "да  дело"),
        ("<a href='https://example.org/x'>сайт</a>", "сайт"),
        ('<img src="img/насос.png" alt="Схема насоса" width=300>', "Схема насоса"),
        ('<img src="img/насос.png"/>', "насос.png"),
        ("<time>12:00</time> и <label>имя</label>", "12:00 и имя"),
        ('![Схема](a.png "Насос зимой") и [сайт](https://a.b \'The "best"\')', 'Схема Насос зимой и сайт The "best"'),
    ],
)
def test_tags_go_and_what_they_show_stays(text: str, seen: str) -> None:
    assert words(text) == seen


def test_a_tag_over_several_lines_of_a_block_of_html_goes() -> None:
    text = '<div\n  class="box"\n  style="color: red">\nСлово\n</div>'
    assert words(text, BlockKind.HTML) == "Слово"
    assert words("<details><summary>Итог</summary>", BlockKind.HTML) == "Итог"


def test_links_between_angle_brackets_are_links_unless_those_are_a_tag() -> None:
    assert targets("<see [[alias]]> и <b [[alias]] >") == ["alias", "alias"]
    assert targets("<Имя [[Анна]]> и <x, [её](Анна.md)>") == ["Анна", "Анна.md"]
    assert targets("<span title=\"[[нет]]\" data-x='[[нет]]' hidden>[[да]]</span>") == ["да"]
    assert words("<see [[alias]]> и <b [[alias]] >") == "<see alias> и <b alias >"


def test_a_comment_in_code_is_no_comment() -> None:
    assert words("Открой `<!--`, закрой `-->`.") == "Открой <!--, закрой -->."
    assert words("- так:\n  ```html\n  <!-- меню -->\n  ```", BlockKind.LIST) == "так:\n  <!-- меню -->"
    assert words("а <!-- `нет` --> б `да` <!-- нет --> в ` <!-- нет -->") == "а  б да  в `"


def test_a_year_at_the_beginning_of_a_line_is_no_number_of_an_item() -> None:
    assert words("1. раз\n12) два", BlockKind.LIST) == "раз\nдва"
    assert words("1998. Родился сын\n- 2004) Переезд", BlockKind.LIST) == "1998. Родился сын\n2004) Переезд"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (
            "M&uuml;ller&nbsp;GmbH &mdash; поставщик. Отдел R&amp;D, бюджет &lt;100&gt;.",
            "Müller GmbH — поставщик. Отдел R&D, бюджет <100>.",
        ),
        ("> &laquo;Ёлка&raquo; &#8212; &#x201c;tree&#x201d;", "«Ёлка» — “tree”"),
        ("&lt;b&gt; и &#42;не курсив&#42;", "<b> и *не курсив*"),
        (r"\&amp; и `R&amp;D` и ``a ` &lt;``", "&amp; и R&amp;D и a ` &lt;"),
        ("[R&amp;D](x.md) ![M&uuml;ller](a.png) <b title='R&amp;D'>x</b>", "R&D Müller R&D x"),
        ("R&D, AT&T и ?a=1&copy=2", "R&D, AT&T и ?a=1&copy=2"),
    ],
)
def test_references_to_characters_are_the_characters_outside_code(text: str, seen: str) -> None:
    assert words(text) == seen


def test_references_are_read_in_headings_tables_and_html_and_not_in_code() -> None:
    assert plain_heading("R&amp;D") == "R&D"
    assert words("| R&amp;D | a&#124;b |\n|---|---|", BlockKind.TABLE) == "R&D | a|b"
    assert words("<p>M&uuml;ller</p>", BlockKind.HTML) == "Müller"
    assert words("```\n&amp;\n```", BlockKind.CODE) == "&amp;"


def test_an_escaped_sign_is_the_sign() -> None:
    assert words(r"\*не курсив\*, 2 \* 3 и \_init\_") == "*не курсив*, 2 * 3 и _init_"
