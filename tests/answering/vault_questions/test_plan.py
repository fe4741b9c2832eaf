"""Plans of questions about the vault itself, as queries; nothing is read but a vocabulary."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultrag.answering.vault_questions.plan import Aim, plan
from vaultrag.retrieval.written import written
from vaultrag.store.notes.vocabulary import PropertyUse, VaultVocabulary

TODAY = date(2026, 3, 11)
VOCABULARY = VaultVocabulary(
    tags=("book", "book/fiction", "проект", "проект/сад"),
    folders=("Встречи", "Люди", "Servers"),
    properties={
        "status": PropertyUse("status", ("read", "to-read", "accepted")),
        "оценка": PropertyUse("оценка", has_numbers=True),
        "finished": PropertyUse("finished", has_days=True),
        "author": PropertyUse("author", ("Лев Толстой", "Martin Kleppmann")),
    },
    names=(("Олег", "Люди/Олег.md"), ("Anna Karenina", "Books/Anna Karenina.md"), ("Сад", "Сад.md")),
    task_days=frozenset({"due", "done"}),
)


@pytest.mark.parametrize(
    ("question", "query", "aim"),
    [
        ("Какие книги я прочитал в 2023?", "tag:book property:finished=2023", Aim.LIST),
        ("How many books by Kleppmann are there?", 'tag:book property:author="Martin Kleppmann"', Aim.LIST),
        ("книги Толстого с оценкой не ниже 4", 'tag:book property:author="Лев Толстой" property:оценка>=4', Aim.LIST),
        ("what books did I finish last summer?", "tag:book property:finished=2025-06..2025-08", Aim.LIST),
        ("show books with status accepted", "tag:book property:status=accepted", Aim.LIST),
        ("перечисли книги со статусом to-read", "tag:book property:status=to-read", Aim.LIST),
        ("books without a rating", "tag:book -property:оценка", Aim.LIST),
        ("последние три встречи с Олегом", "path:/Встречи/ link:Люди/Олег OR says:Олег", Aim.LATEST),
        ("latest meetings with Oleg", "path:/Встречи/ link:Люди/Олег OR says:Олег", Aim.LATEST),
        ("сколько задач осталось в проекте Сад?", "task:open tag:проект/сад", Aim.LIST),
        ("overdue tasks", "task:open due:<2026-03-11", Aim.LIST),
        ("how many tasks are due?", "task:open due:any", Aim.LIST),
        ("tasks due by Friday", "task:open due:<2026-03-14", Aim.LIST),
        ("какие задачи я сделал на прошлой неделе", "task:done done:2026-03-02..2026-03-08", Aim.LIST),
        ("заметки с тегом #книги/новые за март", "tag:книги/новые date:2026-03", Aim.LIST),
        ("notes linked to «Anna Karenina»", 'link:"Books/Anna Karenina"', Aim.LIST),
        ("книга с наибольшей оценкой", "tag:book", Aim.LATEST),
        ("что я записывал позавчера?", "date:2026-03-09", Aim.LIST),
    ],
)
def test_question_is_planned(question: str, query: str, aim: Aim) -> None:
    planned = plan(question, VOCABULARY, TODAY)
    assert planned is not None
    assert (written(planned.filters), planned.aim, planned.sure) == (query, aim, True)


@pytest.mark.parametrize(
    "question",
    [
        "Сколько глав в книге Толстого?",
        "Which book explains consensus?",
        "What did Oleg say about the server?",
        "когда Олег приехал?",
        "Почему книга про сад лучше?",
        "list the steps to restart a server",
        "how many ports does the server have open?",
        "Что такое проект?",
        "Сколько лет Олегу?",
        "назови причины отказа сервера",
        "what is the status of the garden?",
        "последняя версия прошивки",
        "какие книги не про сад?",
        "which books are not about the garden?",
        "",
        "???",
    ],
)
def test_question_of_content_has_no_plan(question: str) -> None:
    planned = plan(question, VOCABULARY, TODAY)
    assert planned is None or not planned.sure


def test_number_and_property_say_what_comes_first_and_how_many() -> None:
    three, highest = (plan(text, VOCABULARY, TODAY) for text in ("последние три книги", "the highest rated book"))
    assert three is not None
    assert highest is not None
    assert (three.limit, three.by) == (3, "")
    assert (highest.limit, highest.by) == (1, "оценка")


@pytest.mark.parametrize("sign", ["²", "①", "٣", "9" * 30])
@pytest.mark.parametrize("asked", ["latest {} books", "последние {} книги"])
def test_any_digits_may_stand_where_a_number_is_expected(asked: str, sign: str) -> None:
    planned = plan(asked.format(sign), VOCABULARY, TODAY)
    assert planned is None or planned.limit > 0


def test_vault_without_days_of_tasks_is_asked_by_the_days_of_its_notes_and_that_is_a_guess() -> None:
    planned = plan("какие задачи я сделал на прошлой неделе", VaultVocabulary(), TODAY)
    assert planned is not None
    assert (written(planned.filters), planned.sure) == ("task:done date:2026-03-02..2026-03-08", False)


@given(
    st.lists(
        st.sampled_from(
            "сколько какие list книги tasks с про with #тег «Сад» last week самая highest rated не 5 > Олегом ?".split()
        ),
        max_size=9,
    )
)
def test_any_words_are_planned_or_not(words: list[str]) -> None:
    planned = plan(" ".join(words), VOCABULARY, TODAY)
    assert planned is None or written(planned.filters) is not None


@pytest.mark.parametrize("question", ["какие книги я прочитал в 2023?", "which books did I read in 2023?"])
def test_where_the_vault_does_not_say_when_a_thing_was_done_its_notes_date_is_a_guess(question: str) -> None:
    planned = plan(question, VaultVocabulary(tags=("book",)), TODAY)
    assert planned is not None
    assert (written(planned.filters), planned.sure) == ("tag:book date:2023", False)


@pytest.mark.parametrize(("count", "is_planned"), [(8, True), (9, False)])
def test_a_word_that_names_too_much_says_nothing(count: int, is_planned: bool) -> None:
    vocabulary = VaultVocabulary(tags=tuple(f"проект{number}/черновики" for number in range(count)))
    assert (plan("список черновиков", vocabulary, TODAY) is not None) is is_planned


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("open tasks that link to Oleg", "task:open says:Олег"),
        ("незакрытые задачи со ссылкой на Олега", "task:open says:Олег"),
        ("notes that link to Oleg", "link:Люди/Олег"),
    ],
)
def test_a_task_with_a_link_says_its_name(question: str, query: str) -> None:
    planned = plan(question, VOCABULARY, TODAY)
    assert planned is not None
    assert written(planned.filters).startswith(query)
