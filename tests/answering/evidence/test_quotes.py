"""The lines that are quoted first: chosen by words, kind and place, and standing in the note as they are quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.doubles import HashEmbedder
from tests.passages import passage, text_at
from vaultrag.answering.evidence.quotes import MOST_CHARACTERS, MOST_QUOTES, Evidence
from vaultrag.domain import Citation, Feature, Passage

TABLE = """# Урожай

| Год | Мёд, кг | Почему |
|---|---|---|
| 2023 | 190 | тёплый май |
| 2024 | 131 | заморозки |
"""


def quoted(question: str, *passages: Passage) -> tuple[Citation, ...]:
    evidence = Evidence(question, passages, HashEmbedder())
    return evidence.cited(evidence.quotes())


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Когда купили насос?", "Насос куплен 3 мая 2024."),
        ("When was the pump bought?", "The pump was bought on May 3rd, 2024."),
        ("Сколько стоил насос?", "За насос отдали 4500."),
        ("How much did the pump cost?", "The pump cost 4500."),
        ("Почему сломался насос?", "Насос сломался из-за песка."),
        ("Why did the pump break?", "The pump broke because of sand."),
    ],
)
def test_a_line_that_gives_what_is_asked_for_comes_first(question: str, line: str) -> None:
    rest = "Насос внизу, в подвале.\n\nНасос синий.\n\nThe pump is in the cellar.\n\nThe pump is blue."
    evidence = Evidence(question, (passage("Насос.md", f"{rest}\n\n{line}"),), None)
    assert line in evidence.cited(evidence.quotes())[0].quote


def test_a_row_is_quoted_and_its_header_is_not() -> None:
    [first, *_] = quoted("Сколько мёда вышло в 2024?", passage("Пасека.md", TABLE))
    assert "| 2024 | 131 | заморозки |" in first.quote
    assert "Почему" not in first.quote


def test_a_task_is_quoted_with_its_state() -> None:
    [first, *_] = quoted("Что с лицензией?", passage("Дела.md", "- [x] оплатить лицензию\n"))
    assert first.quote == "[x] оплатить лицензию"


def test_headings_links_and_fences_alone_are_no_quotes() -> None:
    text = "# Маяк\n\n![[Маяк.png]]\n\n[[Маяк]]\n\n```bash\nsudo reboot\n```\n"
    assert [one.quote for one in quoted("Что такое Маяк?", passage("Маяк.md", text))] == ["sudo reboot"]


def test_of_a_canvas_only_what_its_reader_sees_is_quoted() -> None:
    text = 'Кот спит.",\n"x": -600,\n"id": "mayak",\n"text": "Сервер mayak стоит в шкафу'
    found = quoted("Где стоит сервер mayak?", passage("План.canvas", text))
    assert found[0].quote == '"text": "Сервер mayak стоит в шкафу'
    assert not [one for one in found if "-600" in one.quote and "Кот" not in one.quote]


def test_what_an_import_says_of_itself_is_no_quote() -> None:
    text = "Created: 01.08.2025 at 22:46:20\nChat URL: https://chat.example/c/1\nСоздан чат о карте.\n"
    found = quoted("Когда создан чат?", passage("chat.md", text))
    assert [one.quote for one in found] == ["Создан чат о карте."]


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("Какая духовка нужна?", "**Я:** Какая нужна духовка, чтобы печь хлеб в ней?", "Какая нужна духовка"),
        ("How hot is the oven?", "**Claude:** The oven is at 250 °C.\nThen turn it down.", "The oven is at 250 °C."),
    ],
)
def test_words_of_a_message_are_quoted_without_the_name_before_them(question: str, text: str, said: str) -> None:
    found = passage("chat.md", text)
    spoken = replace(found, chunk=replace(found.chunk, speaker="user"))
    [first, *_] = quoted(question, spoken)
    assert first.quote.startswith(said)
    assert text_at([spoken], first) == first.quote


def test_what_goes_on_below_belongs_to_the_quote() -> None:
    text = "Ошибка E61 значит сухой нагрев.\nСразу выключить и проверить воду.\n\nДругое дело.\n"
    [first, *_] = quoted("Что значит ошибка E61?", passage("Бойлер.md", text))
    assert first.quote.startswith("Ошибка E61 значит сухой нагрев.\nСразу выключить")


def test_quotes_are_few_and_short_save_the_first() -> None:
    long = "Сервер " + "очень " * 120 + "большой."
    for some in ((long,), ("Сервер тут.", "Сервер там.") * 20):
        found = quoted("Где сервер?", passage("Сервер.md", "\n\n".join(some)))
        assert len(found) <= MOST_QUOTES
        assert len(found) == 1 or sum(len(one.quote) for one in found) <= MOST_CHARACTERS


@pytest.mark.parametrize("question", ["Сколько мёда в 2023?", "Where is the cat?", "заморозки", "!"])
def test_every_quote_stands_in_its_note_at_its_span(question: str) -> None:
    others = passage("b.md", "> Кот спит.\n> Он чёрный, и `код` тоже.\n\n1. один\n2. два\n", 0.5, first_line=7)
    passages = (passage("Пасека.md", TABLE), others)
    found = quoted(question, *passages)
    assert found
    assert [text_at(passages, one) for one in found] == [one.quote for one in found]


def test_words_choose_alone_where_the_embedder_fails() -> None:
    evidence = Evidence("Где сервер?", (passage("a.md", "Сервер в шкафу.\n\nКот спит."),), HashEmbedder(fails_after=0))
    assert evidence.cited(evidence.quotes())[0].quote.startswith("Сервер в шкафу.")


def test_what_a_model_found_to_answer_goes_first() -> None:
    passages = (passage("a.md", "Сервер стоит в шкафу."), passage("b.md", "Сервер стоит в подвале.", 0.9))
    evidence = Evidence("Где стоит сервер?", passages, None)
    assert [quote.passage for quote in evidence.quotes()] == [0, 1]
    order = [shown.title for shown in evidence.excerpts()]
    assert order == ["a", "b"]
    assert [quote.passage for quote in evidence.quotes(evidence.judged((-3.0, 2.0)))] == [1, 0]


def test_no_passage_gives_no_quote() -> None:
    assert quoted("Где сервер?") == ()


def test_what_two_notes_say_in_the_same_words_is_quoted_once() -> None:
    passages = (passage("a.md", "Сервер стоит в шкафу слева."), passage("b.md", "Сервер стоит в шкафу слева.", 0.9))
    assert [one.path for one in quoted("Где стоит сервер?", *passages)] == ["a.md"]


def test_what_two_notes_say_of_themselves_is_quoted_of_both() -> None:
    passages = (passage("Мы.md", "оценка: 8"), passage("Улисс.md", "оценка: 8", 0.9))
    evidence = Evidence("Что я оценил на 8?", passages, None)
    assert [quote.passage for quote in evidence.quotes()] == [0, 1]


def test_a_weak_line_of_another_note_is_no_quote_beside_a_good_one() -> None:
    passages = (passage("a.md", "Сервер mayak стоит в шкафу."), passage("b.md", "Кот спит на шкафу.", 0.3))
    assert [one.path for one in quoted("Где стоит сервер mayak?", *passages)] == ["a.md"]


@pytest.mark.parametrize(
    ("question", "birthday", "other"),
    [
        (
            "When is Anna's birthday?",
            passage("Anna.md", "Her birthday is 3 September 1984."),
            passage("Cello.md", "Bought a used bow for Anna's girl.", 0.5),
        ),
        (
            "Когда день рождения у Анны?",
            passage("Анна.md", "день рождения: 3.09.1984"),
            passage("Виолончель.md", "Купили смычок дочке Анны 22 ноября."),
        ),
    ],
)
def test_a_line_that_only_names_whose_note_is_quoted_is_no_further_quote(
    question: str, birthday: Passage, other: Passage
) -> None:
    evidence = Evidence(question, (birthday, other), None)
    assert [quote.passage for quote in evidence.quotes()] == [0]


def test_a_pasted_error_gives_no_reason() -> None:
    text = "Error: SRSP ping after 6000ms\n\nHot to the touch.\n\nCause: the injector gave 17 V.\n"
    evidence = Evidence("SRSP ping after 6000ms, what was the cause?", (passage("Crash.md", text),), None)
    assert any("injector" in one.quote for one in evidence.cited(evidence.quotes()))


def test_a_property_that_the_question_does_not_name_comes_after_what_says_something() -> None:
    text = passage("Книга рецептов.md", "Спорили долго, решили: Literata.", 0.8)
    properties = passage("Книга рецептов.md", "дедлайн: к декабрю")
    chunk = replace(properties.chunk, features=(Feature.PROPERTY,))
    evidence = Evidence("Каким шрифтом набираем книгу рецептов?", (replace(properties, chunk=chunk), text), None)
    assert "Literata" in evidence.likely(1)[0].words


def test_a_further_quote_says_what_the_first_does_not() -> None:
    kirill = "Кирилл ушёл в банк.\n\n## Осень\n\nКирилл ушёл в отпуск.\n\n## Зима\n\nКирилл ушёл в поход."
    passages = (passage("Кирилл.md", kirill), passage("Дамир.md", "Уехал в Астану.", 0.9))
    evidence = Evidence("Куда ушёл Кирилл и куда Дамир?", passages, None)
    assert [quote.passage for quote in evidence.quotes()][:2] == [0, 1]


@pytest.mark.parametrize(
    ("question", "text", "wanted"),
    [
        ("Когда свадьба Кости?", "Проверить потом:\n\nКогда свадьба у Кости?\n\nСвадьба у него 12 июня.\n", "12 июня"),
        ("When is Kostya's wedding?", "To check:\n\nWhen is Kostya's wedding?\n\nThe wedding is June 12.\n", "June 12"),
    ],
)
def test_a_line_that_asks_the_same_is_no_answer(question: str, text: str, wanted: str) -> None:
    [first, *_] = quoted(question, passage("Экзамен.md", text))
    assert wanted in first.quote
    assert "?" not in first.quote.splitlines()[0]


def test_a_question_after_a_statement_is_one_line_with_it() -> None:
    [first, *_] = quoted(
        "Сколько стоили билеты?", passage("Поездка.md", "Билеты стоили 1940. В следующий раз поездом?\n")
    )
    assert first.quote == "Билеты стоили 1940. В следующий раз поездом?"
