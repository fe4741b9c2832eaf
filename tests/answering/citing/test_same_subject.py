"""What code refuses cheaply: the line of a sibling, a negated word, another unit, another name of an enumeration."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vaultrag.answering.attribution import Sources
from vaultrag.answering.citations import source_sentences

STATES = (
    "# Breaker\n\n- **Open**: requests fail fast and nothing is sent.\n"
    "- **Closed**: requests pass and failures are counted.\n- **Half-open**: one trial request passes.\n"
)
MAPS = "# Java\n\nHashMap has no order. TreeMap keeps its keys sorted and costs more.\n"
TABLE = "| Виза | Срок | Доход |\n|---|---|---|\n| D7 | 24 месяца | 920 евро |\n| Номад | 12 месяцев | 3680 евро |\n"
REFUSED = {
    "states reversed": (STATES, "What happens when it is closed?", "When Closed, requests fail fast."),
    "state of another": (STATES, "What does Open mean?", "In the Open state failures are counted."),
    "sibling class": (MAPS, "How does HashMap order keys?", "HashMap keeps its keys sorted."),
    "sibling row": (TABLE, "Какой доход для D7?", "Для D7 нужен доход 3680 евро."),
    "negation left out": ("Кеш не чистить после обновления.", "Что с кешем?", "Кеш надо чистить после обновления."),
    "negation added": ("Кеш чистить после обновления.", "Что с кешем?", "Кеш не чистить после обновления."),
    "English negation": (
        "The cache is not cleared on restart.",
        "What of the cache?",
        "The cache is cleared on restart.",
    ),
    "contraction": ("We don't rotate the keys monthly.", "What of keys?", "We rotate the keys monthly."),
    "never": ("The pump never stops at night.", "What of the pump?", "The pump stops at night."),
    "absent": ("Интернета на даче нет.", "Что на даче?", "На даче есть интернет."),
    "unit": ("Архив занимает 40 ГБ.", "Сколько занимает архив?", "Архив занимает 40 МБ."),
    "unit of time": ("Пекарь держит тесто 12 часов.", "Сколько держать тесто?", "Тесто держать 12 минут."),
    "currency": ("Билет стоит $40 с багажом.", "Сколько стоит билет?", "Билет стоит 40 евро с багажом."),
    "enumeration": (
        "Birthdays to remember: Mei 3 April, Lotte 22 Sept.",
        "When is Mei's birthday?",
        "Mei's birthday is on 22 September.",
    ),
    "another person": ("Виктор купил 12 ульев.", "Сколько ульев у Дмитрия?", "Дмитрий купил 12 ульев."),
    "heading alone": ("## Сервер переехал в шкаф\n\nСм. ниже.", "Где сервер?", "Сервер переехал в шкаф."),
    "header row": ("| Порт | Протокол |\n|---|---|\n| 22 | TCP |", "Что за порт?", "Порт и протокол."),
}
BACKED = {
    "states": (STATES, "What happens when it is closed?", "When Closed, requests pass and failures are counted."),
    "both states": (STATES, "How do they differ?", "Open lets requests fail fast, Closed counts failures."),
    "class": (MAPS, "What of TreeMap?", "TreeMap keeps its keys sorted."),
    "row": (TABLE, "Какой доход для D7?", "Для D7 нужен доход 920 евро."),
    "negation kept": ("Кеш не чистить после обновления.", "Что с кешем?", "После обновления кеш не чистят."),
    "negation of something else": (
        "Версию 2.1 не ставить: она ломает wifi.",
        "Что ломает wifi?",
        "Версия 2.1 ломает wifi.",
    ),
    "corrected": ("Берём не PostgreSQL 15, а PostgreSQL 16.", "Что берём?", "Берём PostgreSQL 16."),
    "never, and then something else": (
        "The club never officially named a winner, but in 2004 it asked Jeff to do so.",
        "Did the club name a winner?",
        "The club never officially named a winner.",
    ),
    "pronoun": (
        "Stevie Nicks came late. Dave Stewart met her there. She had broken up with Joe Walsh the night before.",
        "Whom had she broken up with?",
        "Stevie Nicks had broken up with Joe Walsh the night before.",
    ),
    "not only": ("The pump not only stops at night, it also cools.", "And the pump?", "The pump stops at night."),
    "double": ("Мы никогда не ездим без карты.", "Как ездим?", "Мы никогда не ездим без карты."),
    "absent": ("Интернета на даче нет.", "Есть ли интернет?", "На даче нет интернета."),
    "unit in the other language": ("В нём 64 ГБ памяти.", "How much memory?", "64 GB памяти."),
    "attribute by its label": ("- Сервер: MS-01\n- Память: 64 ГБ", "Сколько памяти в сервере?", "В сервере 64 ГБ."),
    "enumeration": (
        "Birthdays to remember: Mei 3 April, Lotte 22 Sept.",
        "When is Lotte's birthday?",
        "Lotte's birthday is on 22 September.",
    ),
    "enumeration of things": (
        "ChatGPT wanted lamps in VLAN 20 and guests in 50 ([[VLAN on MikroTik]]); I kept mine.",
        "Which VLAN did ChatGPT want?",
        "ChatGPT wanted lamps in VLAN 20 and guests in VLAN 50.",
    ),
    "subject before": ("Виктор держит пасеку. Купил 12 ульев в мае.", "Сколько ульев?", "Виктор купил 12 ульев в мае."),
    "subject in a heading": ("## Виктор\n\nКупил 12 ульев.", "Сколько ульев у Виктора?", "Виктор купил 12 ульев."),
    "subject of the list": ("Виктор купил:\n- 12 ульев\n- дымарь", "Что купил Виктор?", "Виктор купил 12 ульев."),
    "date in a heading": (
        "## 12 мая 2024\n\nЗаменили картридж.",
        "Когда меняли картридж?",
        "Картридж заменили 12 мая 2024.",
    ),
}


def cited(text: str, question: str, sentence: str) -> Sequence[str]:
    sources = Sources(question, source_sentences(0, text), {0: "Заметка"})
    return [support.source.text for support in sources.lexical(sentence, ())]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_line_about_something_else_backs_nothing(kind: str) -> None:
    assert cited(*REFUSED[kind]) == []


@pytest.mark.parametrize("kind", BACKED)
def test_a_line_about_the_same_backs_it(kind: str) -> None:
    assert cited(*BACKED[kind])


def test_nearness_in_meaning_proposes_no_line_about_something_else() -> None:
    found = source_sentences(0, MAPS)
    sources = Sources("How does HashMap order keys?", found, {0: "Java"})
    near = [0.95 if "TreeMap" in one.text else 0.5 for one in found]
    assert sources.semantic("HashMap has ordered entries.", near) == ()
    assert sources.semantic("TreeMap has ordered entries.", near)
