"""A quote stands in a note or it does not: what a reader would call the same words at the same place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.growth import STEEP, growth
from vaultrag.answering.quotation import QuotedText, find_quote, places_of_quote
from vaultrag.domain import Span
from vaultrag.vault.parsing.parse import parse_note

CASES = Path(__file__).parent.parent / "cases"
FEWEST = 220  # cases of a set, of both languages

SAME = {
    "as it is": ("В нём 64 ГБ памяти.", "В нём 64 ГБ памяти."),
    "a part": ("Сервер — Minisforum, в нём 64 ГБ памяти.", "в нём 64 ГБ памяти"),
    "missing stress": ("За\u0301мок на двери\u0301 закрыт.", "Замок на двери закрыт."),
    "missing grave stress": ("Зѐмли и пра\u0300ва.", "Земли и права."),
    "stress kept": ("За\u0301мок закрыт.", "За\u0301мок закрыт."),
    "е for ё": ("Всё ещё идёт ЁЖ.", "Все еще идет ЕЖ."),
    "no-break spaces": ("Цена 1\u00a0500\u202f₽ за\u2009штуку.", "Цена 1 500 ₽ за штуку."),
    "several spaces": ("Цена  1 500   ₽.", "Цена 1 500 ₽."),
    "guillemets": ("Он сказал «хватит».", 'Он сказал "хватит".'),
    "curly quotes": ("He said “enough”, don’t ask.", 'He said "enough", don\'t ask.'),
    "low quotes": ("Er heißt „Turm“.", "Er heißt “Turm”."),
    "en dash": ("Часы 9–17, зима.", "Часы 9-17, зима."),
    "em dash": ("Сервер — шкаф.", "Сервер - шкаф."),
    "em dash for a hyphen": ("Сервер - шкаф.", "Сервер — шкаф."),
    "two hyphens": ("The box -- a closet.", "The box — a closet."),
    "minus": ("Ночью −5 градусов.", "Ночью -5 градусов."),
    "no-break hyphen": ("Вай\u2011фай включён.", "Вай-фай включен."),
    "ellipsis": ("Ну… ладно.", "Ну... ладно."),
    "bold": ("В нём **64 ГБ** памяти.", "В нём 64 ГБ памяти."),
    "bold kept": ("В нём **64 ГБ** памяти.", "В нём **64 ГБ** памяти."),
    "emphasis": ("Это *очень* и _весьма_ важно.", "Это очень и весьма важно."),
    "bold in a word": ("под**чёрк**нуто тут", "подчеркнуто тут"),
    "highlight": ("Порт ==8123== открыт.", "Порт 8123 открыт."),
    "struck through": ("Оклад ~~6500~~ 7000.", "Оклад 6500 7000."),
    "code": ("Команда `restic backup` ночью.", "Команда restic backup ночью."),
    "wikilink": ("Сервер [[Servers/mayak|Маяк]] дома.", "Сервер Маяк дома."),
    "plain wikilink": ("Сервер [[mayak]] дома.", "Сервер mayak дома."),
    "wikilink with a folder": ("Сервер [[Servers/mayak]] дома.", "Сервер mayak дома."),
    "wikilink kept": ("Сервер [[Servers/mayak|Маяк]] дома.", "Сервер [[Servers/mayak|Маяк]] дома."),
    "link": ("See [the docs](https://example.org/a_(b)) now.", "See the docs now."),
    "footnote mark": ("Вода 95 лари[^2] в месяц.", "Вода 95 лари в месяц."),
    "footnote text": ("[^2]: Счёт за май.", "Счёт за май."),
    "inner footnote": ("Вода^[по счёту] дорогая.", "Вода дорогая."),
    "words of an inner footnote": ("Вода^[по счёту за май] дорогая.", "по счёту за май"),
    "list mark": ("- [ ] купить кабель\n- [x] продать стол", "купить кабель"),
    "number of an item": ("1. первое\n2. второе", "второе"),
    "list kept": ("* первое дело\n* второе дело", "- первое дело\n- второе дело"),
    "items in one line": ("- кабель\n- розетка", "кабель розетка"),
    "quote marks": ("> Порт открыт\n> для всех.", "Порт открыт для всех."),
    "callout": ("> [!note] Важно\n> Порт открыт.", "Важно Порт открыт."),
    "heading": ("## Сеть\nПорт.", "Сеть"),
    "hard-wrapped": ("Сервер переехал\nв шкаф.", "Сервер переехал в шкаф."),
    "broken anew": ("Сервер переехал в шкаф.", "Сервер переехал\nв шкаф."),
    "entities": ("Müller&nbsp;GmbH &mdash; R&amp;D", "Müller GmbH — R&D"),
    "soft hyphen": ("элек\u00adтро\u00adстанция", "электростанция"),
    "zero width": ("элек\u200bтро", "электро"),
    "decomposed": ("Йога в кафе\u0301, cafe\u0301.", "Йога в кафе, café."),
    "decomposed й": ("и\u0306ога е\u0308лка", "йога ёлка"),
    "escaped": (r"Цена 5\* за штуку\.", "Цена 5* за штуку."),
    "row": ("| Порт | 22 |\n|---|---|\n| Вид | TCP |", "Вид | TCP"),
    "row without bars": ("| a | b |\n|---|---|\n| Вид | TCP |", "Вид TCP"),
    "cell": ("| a | b |\n|---|---|\n| RTX 4060 | 1,690 GEL |", "1,690 GEL"),
    "tags of HTML": ("Вода <b>95</b> лари<br>в месяц", "Вода 95 лари\nв месяц"),
    "index": ("H<sub>2</sub>O", "H2O"),
    "block id": ("Порт открыт. ^port\n\nДа.", "Порт открыт.\n\nДа."),
    "hidden comment": ("Порт %%какой?%%открыт.", "Порт открыт."),
    "code block": ("```sh\nrestic  backup **x**\n```", "restic backup **x**"),
    "task without its bullet": ("- [x] купить кабель", "[x] купить кабель"),
    "link in a property": ('---\nauthor: "[[Люди/Ли|Ли]]"\n---\nТекст', 'author: "Ли"'),
    "property": ("---\nstart: 2023-09-12\n---\nТекст", "start: 2023-09-12"),
    "identifier": ("The `max_note_bytes` and __init__.", "max_note_bytes"),
    "carriage returns": ("Первая\r\nвторая строка.", "Первая вторая строка."),
    "negation within": ("Мы не переходили на 16.", "не переходили на 16"),
    "dialogue": ("— Привет, — сказал он.", "- Привет, - сказал он."),
    "after a sentence that negates": ("Нет. Порт открыт.", "Порт открыт."),
    "marks of a chat": ("Вес 71 %【2†L10-L18】, и хватит.", "Вес 71 %, и хватит."),
    "joined long dash": ("годы 2019—2023, слово—слово", "годы 2019-2023, слово–слово"),
    "long dash apart": ("слово—слово тут", "слово — слово тут"),
    "long dash joined": ("слово — слово тут", "слово—слово тут"),
    "formula": ("Сумма $a_1 + b$ верна.", "Сумма a_1 + b верна."),
    "money": ("Стоит $5, или 6$ за два.", "Стоит $5, или 6$ за два."),
    "field": ("срок:: май, [[План]]", "срок: май"),
    "cells kept": ("| a | b |\n|---|---|\n| 22 | нет |\n| 80 | да |", "22 | нет\n80 | да"),
    "negation with its adverb": ("It is not really open.", "not really open"),
    "first letter": ("Врач сказал, что гипс снимут.", "Гипс снимут."),
    "full stop": ("- Ключ под **ступенькой** ^key", "Ключ под ступенькой."),
    "link by reference": ("As [the manual][m] says.", "As the manual says."),
    "escaped stars": (r"Скидка \*не\* суммируется.", "Скидка *не* суммируется."),
    "part of a link's text": ("См. [[a|большой план работ]].", "большой план"),
}
OTHER = {
    "stress added": ("Замок закрыт.", "За\u0301мок закрыт."),
    "stress moved": ("За\u0301мок закрыт.", "Замо\u0301к закрыт."),
    "ё for е": ("Все знают.", "Всё знают."),
    "digits": ("Порт 8123.", "Порт 8132."),
    "cut number": ("Порт 8123.", "Порт 812"),
    "cut decimal": ("Вес 3,14 кг.", "Вес 3"),
    "cut decimal in front": ("Вес 3.14 кг.", "14 кг"),
    "cut group": ("Цена 1 500 ₽.", "500 ₽."),
    "cut group behind": ("Цена 1 500 ₽.", "Цена 1"),
    "cut scale": ("Цена 5 млн ₽.", "Цена 5"),
    "sign": ("Ночью −5 градусов.", "Ночью +5 градусов."),
    "lost sign": ("Ночью −5 градусов.", "Ночью 5 градусов."),
    "lost sign in front": ("Ночью −5 градусов.", "5 градусов."),
    "percent": ("Рост 12%.", "Рост 12"),
    "currency": ("Costs $500 now.", "500 now"),
    "exponent": ("10<sup>2</sup> раз", "102 раз"),
    "negation left out": ("Мы не переходили на PostgreSQL 16.", "Мы переходили на PostgreSQL 16."),
    "negation cut off": ("Мы никогда не переходили на PostgreSQL 16.", "переходили на PostgreSQL 16."),
    "English negation cut off": ("We did not move to Oslo.", "move to Oslo"),
    "contraction cut off": ("We don't open it.", "open it"),
    "contraction in two": ("We can't open it.", "We can"),
    "negation behind": ("Интернета на даче нет.", "Интернета на даче"),
    "negation added": ("Мы переходили на PostgreSQL 16.", "Мы никогда не переходили на PostgreSQL 16."),
    "prefix cut off": ("Неверно, что порт открыт.", "верно, что порт открыт."),
    "compound cut": ("A non-blocking call.", "blocking call"),
    "name": ("Павел купил дом.", "Петр купил дом."),
    "order": ("Павел дал Петру книгу.", "Петру дал Павел книгу."),
    "case of a name": ("State is Open.", "State is open."),
    "look-alike": ("Сервер Маяк.", "Сервер Mаяк."),
    "sewn": ("Порт 22 закрыт. Это давно. Порт 80 открыт.", "Порт 22 закрыт. Порт 80 открыт."),
    "elision": ("Порт 22 всегда был закрыт.", "Порт 22 … закрыт."),
    "elision in brackets": ("Порт 22 всегда был закрыт.", "Порт 22 [...] закрыт."),
    "sewn of two items": ("- Порт 22 закрыт\n- Порт 80 открыт", "закрыт Порт 80"),
    "negation behind emphasis": ("Мы **не** переходили на 16.", "переходили на 16"),
    "negation before a link": ("Порт не [[a|открыт всем]].", "открыт всем"),
    "negation with an adverb": ("It is not really open to all.", "open to all"),
    "doubt": ("Вряд ли порт открыт всем.", "порт открыт всем"),
    "forbidden": ("Нельзя ставить версию 2.1.", "ставить версию 2.1"),
    "comparison cut off": ("Нужно ≥ 5 баллов.", "5 баллов"),
    "question cut off": ("Порт 22 открыт?", "Порт 22 открыт"),
    "sewn of two rows": ("| a | b |\n|---|---|\n| 22 | нет |\n| 80 | да |", "нет 80"),
    "sewn of two rows with a bar": ("| a | b |\n|---|---|\n| 22 | нет |\n| 80 | да |", "нет | 80"),
    "sewn of header and row": ("| Порт | Открыт |\n|---|---|\n| 22 | нет |", "Открыт 22"),
    "compound for a dash": ("северо-запад тут", "северо — запад тут"),
    "sewn of two cells": ("| a | b | c |\n|---|---|---|\n| x 22 | открыт да | нет |", "22 открыт"),
    "sewn over a heading": ("Цена: 5\n# Вес в граммах\nмного", "5 Вес в"),
    "space lost": ("Порт 64 ГБ.", "Порт 64ГБ."),
    "target of a link": ("Сервер [[Servers/mayak|Маяк]].", "Сервер [[Servers/other|Маяк]]."),
    "address of a link": ("See [docs](https://a.org).", "See [docs](https://b.org)."),
    "state of a task": ("- [ ] купить кабель", "- [x] купить кабель"),
    "state of a task without its bullet": ("- [ ] купить кабель", "[x] купить кабель"),
    "number of an item": ("1. первое\n2. второе", "1. второе"),
    "struck through anew": ("Оклад 6500.", "Оклад ~~6500~~."),
    "footnote": ("Вода 95[^2].", "Вода 95[^3]."),
    "accent of a name": ("Café Résumé", "Cafe Resume"),
    "й": ("мой дом", "мои дом"),
    "superscript": ("10² раз", "102 раз"),
    "inches": ("5″ доска", "5' доска"),
    "product": ("2*3*4 раз", "234 раз"),
    "comparison": ("if a == b then", "if a b then"),
    "identifier": ("a_b и c", "ab и c"),
    "nothing": ("Порт.", " — "),
    "stop added": ("Порт открыт, но не всем.", "Порт открыт."),
    "full stop for a question mark": ("Порт открыт?", "Порт открыт."),
    "link by another reference": ("As [the manual][m] says.", "As [the manual][n] says."),
    "per cent cut off": ("Рост на 5 %.", "Рост на 5"),
    "path cut off": ("`rm -rf /tmp/old`", "rm -rf /"),
    "fraction cut off": ("Вес 3.5 кг.", ".5 кг"),
    "range": ("в 2019–2023 годах", "2023 годах"),
    "word cut": ("Порт открыт.", "Порт откр"),
}


@pytest.mark.parametrize("kind", SAME)
def test_what_a_reader_calls_the_same_is_found(kind: str) -> None:
    text, quote = SAME[kind]
    assert find_quote(quote, f"Начало.\n\n{text}\n\nКонец.\n" if not text.startswith("---") else text), kind


@pytest.mark.parametrize("kind", OTHER)
def test_what_says_something_else_is_not_found(kind: str) -> None:
    text, quote = OTHER[kind]
    assert not find_quote(quote, f"Начало.\n\n{text}\n\nКонец.\n"), kind


@pytest.mark.parametrize(
    ("text", "quote", "stretch"),
    [
        ("В нём **64 ГБ** памяти.", "64 ГБ", "**64 ГБ**"),
        ("В нём **64 ГБ** памяти.", "нём 64 ГБ памяти", "нём **64 ГБ** памяти"),
        ("См. [[a/b|план]] и всё.", "См. план", "См. [[a/b|план]]"),
        ("См. [план](x.md) и всё.", "план и", "[план](x.md) и"),
        ("Ключ `a b`.", "a b", "`a b`"),
        ("За\u0301мок закрыт.", "Замок", "За\u0301мок"),
        ("Цена  1\u00a0500 ₽", "1 500 ₽", "1\u00a0500 ₽"),
        ("~~6500~~ 7000", "6500 7000", "~~6500~~ 7000"),
        ("R&amp;D отдел", "R&D", "R&amp;D"),
        ("См. [[a|большой план работ]].", "план работ", "план работ"),
    ],
)
def test_place_is_exact_and_holds_the_marks_around_it(text: str, quote: str, stretch: str) -> None:
    (match,) = find_quote(quote, text)
    assert text[match.start : match.end] == stretch


def cases(name: str) -> list[dict[str, str]]:
    """Return cases written by somebody who did not know how quotes are matched."""
    found: list[dict[str, str]] = tomllib.loads((CASES / name).read_text(encoding="utf-8"))["case"]
    return found


def test_no_forged_quote_of_the_set_is_found() -> None:
    forged = cases("quote_forgeries.toml")
    assert len(forged) >= FEWEST
    assert [case["id"] for case in forged if find_quote(case["quote"], case["source"])] == []


def test_every_honest_quote_of_the_set_is_found() -> None:
    honest = cases("quote_variants.toml")
    assert len(honest) >= FEWEST
    assert [case["id"] for case in honest if not find_quote(case["quote"], case["source"])] == []


def test_every_place_is_found_once_and_in_order() -> None:
    text = "Порт 22.\n\n**Порт** 22.\n\n- Порт\u00a022."
    assert [text.count("\n", 0, match.start) for match in find_quote("Порт 22.", text)] == [0, 2, 4]


def test_cells_of_a_row_are_no_two_items() -> None:
    assert find_quote("| Порт 80. | Закрыт. |", "| Порт 80. | Закрыт. |\n| --- | --- |\n| да | нет |")
    assert not find_quote("| Порт 80. | Закрыт. |", "- Порт 80.\n- Закрыт.\n")


def test_one_text_serves_many_quotes() -> None:
    text = QuotedText("# Сеть\n\nПорт **22** закрыт.")
    assert [len(text.find(quote)) for quote in ("Порт 22", "22 закрыт", "Порт 23", "Сеть")] == [1, 1, 0, 1]


def test_place_has_lines_columns_heading_and_block() -> None:
    note = parse_note("Сеть.md", "# Сеть\n\n## Порты\n\n- порт **22** закрыт ^p22\n- порт 80\n\nВсё\nтут. ^all\n")
    (item,) = places_of_quote(note, "порт 22 закрыт")
    assert (item.span, item.heading_path[-1], item.block_id) == (Span(5, 3, 5, 20), "Порты", "p22")
    (paragraph,) = places_of_quote(note, "Все тут.")
    assert (paragraph.span, paragraph.block_id, paragraph.quote) == (Span(8, 1, 9, 4), "all", "Всё\nтут.")


HOSTILE = {
    "one letter": ("а", "а" * 60 + "б"),
    "many matches": ("а ", "а а а а"),
    "ё at the end": ("е ", "е " * 50 + "ё"),
    "ё throughout": ("ё е ", "ё е " * 50 + "е ё"),
    "stars": ("**a ", "a a a"),
    "brackets": ("[[a|", "a a"),
    "open links": ("[a](", "a"),
    "items": ("- a\n", "a a"),
    "quotes": ("> ", "a"),
    "fences": ("```\na\n", "a"),
    "comments": ("%% a <!-- ", "a"),
    "backticks": ("`a ``b ", "a"),
    "bars": ("|a", "a a"),
    "marks": ("а\u0301", "а"),
    "dashes": ("— ", "-"),
    "spaces": (" \u00a0", "a"),
    "emphasis": ("_a *b ", "a b"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_matching_grows_with_the_text(name: str) -> None:
    stretch, quote = HOSTILE[name]
    assert growth(lambda text: find_quote(quote, text), lambda n: stretch * (n // len(stretch)), (4000, 20_000)) < STEEP


@pytest.mark.parametrize("name", HOSTILE)
def test_matching_grows_with_the_quote(name: str) -> None:
    stretch, _ = HOSTILE[name]
    text = stretch * 2000
    assert (
        growth(lambda quote: find_quote(quote, text), lambda n: stretch * (n // len(stretch)), (4000, 20_000)) < STEEP
    )
