"""Questions about the vault itself, asked of vaults that are kept in different ways; and others, left to search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from tests.strangers_vault import BY_FOLDER, BY_NUMBER, BY_PROPERTY, BY_TAG, open_vault
from vaultrag.domain import Answer, AnswerReady, Listing
from vaultrag.retrieval.filters import parse_query
from vaultrag.workspace import Reach, Workspace

TODAY = date(2025, 6, 4)
A_YEAR_BEFORE = date(2024, 6, 4)
BY_FOLDER_ASKED: list[tuple[str, set[str]]] = [
    ("какие книги я прочитал в 2023?", {"Солярис"}),
    ("сколько книг я прочитал?", {"Пикник", "Солярис"}),
    ("перечисли мои книги с оценкой 5", {"Солярис"}),
    ("книги с оценкой выше 3", {"Пикник", "Солярис"}),
    ("какие книги Стругацких у меня есть", {"Пикник"}),
    ("книга с самой высокой оценкой", {"Солярис"}),
    ("последняя встреча с Олегом", {"Бюджет"}),
    ("list my meetings with Oleg", {"Бюджет", "Планёрка"}),
    ("сколько у меня незакрытых задач по ремонту?", {"Ремонт"}),
    ("какие задачи просрочены?", {"Планёрка"}),
    ("что мне осталось сделать на даче?", {"Огород", "Ремонт"}),
    ("отменённые задачи", {"Бюджет"}),
    ("что я записал на прошлой неделе?", {"2025-05-26", "2025-05-28"}),
    ("какие заметки ссылаются на Ремонт", {"Огород"}),
    ("заметки в папке Дача", {"Огород", "Ремонт"}),
    ("какие дела я закрыл в феврале 2025", {"Ремонт"}),
    ("записи из дневника за май 2025", {"2025-05-26", "2025-05-28"}),
    ("notes between 2025-04-01 and 2025-05-31", {"2025-05-26", "2025-05-28", "Бюджет", "Огород"}),
    ("когда была последняя встреча?", {"Бюджет"}),
    ("Сколько встреч у меня было в марте 2025?", {"Планёрка"}),
    ("Покажи встречи, где был Олег", {"Бюджет", "Планёрка"}),
    ("какие книги получили оценку 3", {"Идиот"}),
    ("что лежит в папке Встречи?", {"Бюджет", "Планёрка"}),
    ("Which books are longer than 250 pages?", {"Идиот", "Солярис"}),
    ("книги длиннее 250 страниц", {"Идиот", "Солярис"}),
    ("незавершённые дела на даче", {"Огород", "Ремонт"}),
    ("есть ли у меня просроченные задачи?", {"Планёрка"}),
    ("which tasks were due in March 2025?", {"Планёрка"}),
    ("что записано в дневнике за последнюю неделю?", {"2025-05-28", "2025-06-02"}),
    ("дневник за июнь", {"2025-06-02"}),
    ("все книги Лема", {"Солярис"}),
    ("какие книги я ещё не прочитал?", {"Идиот"}),
    ("покажи последние две записи дневника", {"2025-05-28", "2025-06-02"}),
    ("задачи из встреч", {"Планёрка"}),
    ("list all completed tasks", {"Бюджет", "Ремонт"}),
    ("какие встречи прошли после 15 марта 2025 года?", {"Бюджет"}),
]
BY_FOLDER_CONTENT = [
    "почему океан мыслит?",
    "какие обои были в комнате?",
    "сколько стоила краска?",
    "что сказал Олег про бюджет?",
    "кто автор Соляриса?",
    "какая книга самая длинная?",
    "Кто прислал смету?",
    "какую краску купить?",
    "сколько яблонь сажаем?",
    "что я делал вчера?",
    "о чём говорили на встрече с Олегом?",
    "сколько стоит ремонт дачи?",
]
BY_TAG_ASKED: list[tuple[str, set[str]]] = [
    ("какие книги я прочитал в 2023?", {"The Left Hand of Darkness"}),
    ("which books did I read in 2023?", {"The Left Hand of Darkness"}),
    ("list my meetings with Steph", {"Retro", "Weekly sync"}),
    ("what books haven't I read?", {"Dune"}),
    ("list books with status to-read", {"Dune"}),
    ("books rated above 8", {"The Left Hand of Darkness"}),
    ("my highest rated book", {"The Left Hand of Darkness"}),
    ("what's left to do in Garden shed?", {"Garden shed"}),
    ("how many tasks are done?", {"Garden shed", "Tax return"}),
    ("list active projects", {"Garden shed"}),
    ("which projects are finished?", {"Tax return"}),
    ("unfinished projects", {"Garden shed"}),
    ("latest meeting", {"Retro"}),
    ("How many books have I finished?", {"Seeing Like a State", "The Left Hand of Darkness"}),
    ("show my fiction books", {"Dune", "The Left Hand of Darkness"}),
    ("list books I finished before 2023", {"Seeing Like a State"}),
    ("meetings from February 2025", {"Hiring", "Weekly sync"}),
    ("list everything that links to Steph", {"Retro", "Weekly sync"}),
    ("notes that mention Priya", {"Hiring", "Retro"}),
    ("how many open tasks are in my active projects?", {"Garden shed"}),
    ("which projects are in progress?", {"Garden shed"}),
    ("последние 2 встречи", {"Hiring", "Retro"}),
    ("сколько у меня книг?", {"Dune", "Seeing Like a State", "The Left Hand of Darkness"}),
    ("заметки с тегом history", {"Seeing Like a State"}),
    ("books with a rating of at least 7", {"Seeing Like a State", "The Left Hand of Darkness"}),
    ("what's the lowest rated book?", {"Seeing Like a State"}),
    ("first meeting of 2025", {"Weekly sync"}),
]
BY_TAG_CONTENT = [
    "what is Gethen?",
    "how many people live on Gethen?",
    "Which books do I still want to read?",
    "who did I meet in February?",
    "встречи со Стеф",
    "what was decided in the hiring meeting?",
    "how many roles are we hiring for?",
    "did Steph like the roadmap?",
    "which backend role is open?",
]
BY_PROPERTY_ASKED: list[tuple[str, set[str]]] = [
    ("какие книги я прочитал в 2023?", {"Stoner"}),
    ("which films did I watch in 2023?", {"Stalker"}),
    ("какие фильмы я посмотрел в 2023?", {"Stalker"}),
    ("list recipes under 60 minutes", {"Ramen"}),
    ("which books are there?", {"Stoner", "Мы"}),
    ("how many recipes do I have?", {"Borscht", "Ramen"}),
    ("какие у меня есть рецепты?", {"Borscht", "Ramen"}),
    ("recipes of Japanese cuisine", {"Ramen"}),
    ("recipes where cuisine is Ukrainian", {"Borscht"}),
    ("books read in 2021", {"Мы"}),
    ("films I watched last summer", {"Stalker"}),
    ("notes with type film", {"Stalker"}),
    ("перечисли заметки с type: recipe", {"Borscht", "Ramen"}),
    ("книги, прочитанные до 2022", {"Мы"}),
]
BY_PROPERTY_CONTENT = [
    "what recipes use beet?",
    "how long does the borscht take?",
    "which recipe takes the least minutes?",
    "how do I make broth?",
    "что такое интеграл?",
]

BY_NUMBER_ASKED: list[tuple[str, set[str]]] = [
    ("какие проекты сейчас активны?", {"Website", "🏡 Переезд"}),
    ("сколько у меня проектов?", {"Podcast", "Website", "🏡 Переезд"}),
    ("which projects have high priority?", {"Website"}),
    ("show projects with low priority", {"Podcast"}),
    ("what books did I read in 2024?", {"Sapiens"}),
    ("какие книги я прочитал прошлым летом?", {"Sapiens"}),
    ("какую книгу я сейчас читаю?", {"Piranesi"}),
    ("books by Harari", {"Sapiens"}),
    ("книги Харари", {"Sapiens"}),
    ("рецепты, где время меньше 60", {"Окрошка"}),
    ("рецепты узбекской кухни", {"Плов"}),
    ("все рецепты с тегом лето", {"Окрошка"}),
    ("какие заметки ссылаются на Анну Петрову?", {"2025-06-01", "2025-06-03"}),
    ("что я записал вчера?", {"2025-06-03"}),
    ("daily notes from June 2025", {"2025-06-01", "2025-06-03"}),
    ("какие задачи у меня просрочены?", {"🏡 Переезд"}),
    ("what tasks are due in July?", {"Website"}),
    ("сколько открытых задач в проекте Website?", {"Website"}),
    ("open tasks in my projects", {"Website", "🏡 Переезд"}),
    ("какие задачи я закрыл за последнюю неделю?", {"2025-06-01"}),
    ("notes in the folder Finance", {"Budget 2025"}),
    ("заметки с тегом health", {"Sleep"}),
    ("книга с максимальным рейтингом", {"Piranesi"}),
    ("latest daily note", {"2025-06-03"}),
    ("notes where mood is good", {"Sleep"}),
    ("list people", {"Yuval Noah Harari", "Анна Петрова"}),
    ("сколько людей записано?", {"Yuval Noah Harari", "Анна Петрова"}),
    ("list my active projects", {"Website", "🏡 Переезд"}),
]
BY_NUMBER_CONTENT = [
    "быстрые рецепты",
    "самая высоко оценённая книга",
    "what did Anna say about the launch?",
    "сколько стоит аренда?",
    "what is the rent?",
    "сколько варить плов?",
    "when is the launch?",
    "who is Harari?",
    "what tasks did Anna give me?",
    "какой рецепт плова лучше?",
]


@pytest.fixture(scope="module")
def by_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("folder"), BY_FOLDER) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def by_tag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("tag"), BY_TAG) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def by_property(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("property"), BY_PROPERTY) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def by_number(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("number"), BY_NUMBER) as workspace:
        yield workspace


def titles(listing: Listing | None) -> set[str]:
    assert listing is not None
    return {citation.path.rpartition("/")[2].removesuffix(".md") for citation in listing.citations}


@pytest.mark.parametrize(("question", "expected"), BY_FOLDER_ASKED)
def test_vault_of_folders_lists(by_folder: Workspace, question: str, expected: set[str]) -> None:
    assert titles(by_folder.list_notes(question, TODAY)) == expected


@pytest.mark.parametrize(("question", "expected"), BY_TAG_ASKED)
def test_vault_of_tags_lists(by_tag: Workspace, question: str, expected: set[str]) -> None:
    assert titles(by_tag.list_notes(question, TODAY)) == expected


@pytest.mark.parametrize(("question", "expected"), BY_PROPERTY_ASKED)
def test_vault_of_properties_lists(by_property: Workspace, question: str, expected: set[str]) -> None:
    assert titles(by_property.list_notes(question, A_YEAR_BEFORE)) == expected


@pytest.mark.parametrize(("question", "expected"), BY_NUMBER_ASKED)
def test_vault_of_numbered_folders_lists(by_number: Workspace, question: str, expected: set[str]) -> None:
    assert titles(by_number.list_notes(question, TODAY)) == expected


@pytest.mark.parametrize("question", BY_NUMBER_CONTENT)
def test_question_of_content_is_left_to_search_among_numbered_folders(by_number: Workspace, question: str) -> None:
    listing = by_number.list_notes(question, TODAY)
    assert listing is None or not listing.sure


@pytest.mark.parametrize("question", BY_FOLDER_CONTENT)
def test_question_of_content_is_left_to_search_among_folders(by_folder: Workspace, question: str) -> None:
    listing = by_folder.list_notes(question, TODAY)
    assert listing is None or not listing.sure


@pytest.mark.parametrize("question", [*BY_TAG_CONTENT, *BY_PROPERTY_CONTENT])
def test_question_of_content_is_left_to_search(by_tag: Workspace, by_property: Workspace, question: str) -> None:
    for workspace in (by_tag, by_property):
        listing = workspace.list_notes(question, TODAY)
        assert listing is None or not listing.sure


@pytest.mark.parametrize(
    "question",
    # A search has no latest and no best; and what a task must say, in a search its passage may say.
    [question for question, _ in BY_FOLDER_ASKED if not re.search("последн|сам|по ремонту", question)],
)
def test_shown_query_finds_the_listed_notes(by_folder: Workspace, question: str) -> None:
    listing = by_folder.list_notes(question, TODAY)
    assert listing is not None
    assert parse_query(listing.query).text == ""
    found = by_folder.search(listing.query, 50, Reach.WORDS)
    assert {passage.chunk.path for passage in found.passages} == {citation.path for citation in listing.citations}


def test_every_citation_stands_in_its_note_where_it_says(by_folder: Workspace) -> None:
    for question, _ in BY_FOLDER_ASKED:
        listing = by_folder.list_notes(question, TODAY)
        assert listing is not None
        for citation in listing.citations:
            span = citation.span
            line = BY_FOLDER[citation.path].split("\n")[span.first_line - 1]
            assert line[span.first_column - 1 : span.last_column] == citation.quote
            assert (span.first_line, citation.verified) == (span.last_line, "verbatim")


def test_note_is_cited_at_the_line_that_shows_why(by_folder: Workspace) -> None:
    read = by_folder.list_notes("какие книги я прочитал в 2023?", TODAY)
    assert read is not None
    assert [citation.quote for citation in read.citations] == ["прочитано: 2023-05-01"]
    linked = by_folder.list_notes("какие заметки ссылаются на Ремонт", TODAY)
    assert linked is not None
    assert [citation.quote for citation in linked.citations] == ["После [[Ремонт|ремонта]] сажаем яблони."]


def test_tasks_are_cited_one_by_one_and_counted(by_folder: Workspace) -> None:
    listing = by_folder.list_notes("сколько у меня незакрытых задач по ремонту?", TODAY)
    assert listing is not None
    assert [citation.quote for citation in listing.citations] == ["- [ ] купить краску", "- [ ] окна"]
    assert (listing.count, listing.counted, listing.sure) == (2, "Найдено 2 задачи.", True)
    assert listing.said == "Задачи: незакрытые; в Дача/Ремонт.md или где сказано «Ремонт»"


def test_nothing_found_is_an_answer_where_it_was_counted(by_folder: Workspace) -> None:
    listing = by_folder.list_notes("How many meetings did I have in 2019?", TODAY)
    assert listing is not None
    assert (listing.count, listing.counted, listing.citations) == (0, "0 notes.", ())
    assert listing.said == "Notes: in Встречи; dated 2019"


def test_numbers_of_a_property_are_summed(by_folder: Workspace) -> None:
    listing = by_folder.list_notes("сколько страниц я прочитал с 2023 по 2024?", TODAY)
    assert listing is not None
    assert listing.counted == "Всего 512: сумма свойства страниц в 2 заметках."


def test_guess_is_listed_beside_the_answer(by_folder: Workspace) -> None:
    listing = by_folder.list_notes("какая книга про океан?", TODAY)
    assert listing is not None
    assert (titles(listing), listing.sure) == ({"Солярис"}, False)


def test_scope_narrows_what_is_listed(by_folder: Workspace) -> None:
    scope = parse_query("path:Дача/").filters
    assert titles(by_folder.list_notes("все открытые задачи", TODAY, scope)) == {"Ремонт", "Огород"}


def test_every_note_is_counted(by_folder: Workspace) -> None:
    listing = by_folder.list_notes("сколько у меня заметок?", TODAY)
    assert listing is not None
    assert (listing.count, listing.query) == (len(BY_FOLDER), "")


def answered(workspace: Workspace, question: str) -> Answer:
    [answer] = [event.answer for event in workspace.ask(question) if isinstance(event, AnswerReady)]
    return answer


def test_ask_answers_with_the_listing_and_no_model(by_folder: Workspace) -> None:
    answer = answered(by_folder, "какие книги я прочитал в 2023?")
    assert answer.listing is not None
    assert answer.text == "Найдена 1 заметка.\n- Солярис: прочитано: 2023-05-01 [1]"
    assert (answer.citations, answer.model) == (answer.listing.citations, "")


def test_listed_lines_are_told_as_a_reader_sees_them(by_folder: Workspace, by_tag: Workspace) -> None:
    russian = answered(by_folder, "какие заметки ссылаются на Ремонт")
    assert russian.text == "Найдена 1 заметка.\n- Огород: После ремонта сажаем яблони [1]."
    english = answered(by_tag, "which notes link to Steph Ango?")
    assert "- Retro: With Steph and Priya" in english.text
    assert "[[" not in english.text


def test_ask_shows_a_guess_beside_its_answer(by_folder: Workspace) -> None:
    answer = answered(by_folder, "какая книга про океан?")
    assert answer.listing is not None
    assert not answer.listing.sure
    assert answer.text != answer.listing.counted


def test_ask_leaves_a_question_of_content_alone(by_folder: Workspace) -> None:
    assert answered(by_folder, "что сказал Олег про бюджет?").listing is None


def test_page_that_is_pasted_as_a_question_is_left_to_search(by_folder: Workspace) -> None:
    assert by_folder.list_notes("сколько книг " * 100, TODAY) is None


# Trips and books whose days stand in properties, beside a place that has none.
UNDATED = {
    "Поездки/Порту.md": "---\ntype: trip\nstart: 2024-05-03\nend: 2024-05-12\n---\nАзулежу.\n",
    "Поездки/Осло.md": "---\ntype: trip\nstart: 2025-07-12\nend: 2025-07-26\n---\nПаром.\n",
    "Books/Piranesi.md": "---\ntype: book\nfinished: 2025-03-09\n---\nThe house has tides.\n",
    "Рецепты/Плов.md": "---\ntype: recipe\n---\nРис.\n",
}


@pytest.fixture(scope="module")
def undated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("undated"), UNDATED) as workspace:
        yield workspace


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Какие поездки были в 2024 году?", {"Порту"}),
        ("сколько было поездок в 2025?", {"Осло"}),
        ("show my trips of 2025", {"Осло"}),
        ("trips in May 2024", {"Порту"}),
        ("сколько поездок было в 2019 году?", set()),
    ],
)
def test_undated_trips_are_of_the_time_when_they_began(undated: Workspace, question: str, expected: set[str]) -> None:
    listing = undated.list_notes(question, TODAY)
    assert listing is not None
    assert (titles(listing), listing.sure) == (expected, True)


@pytest.mark.parametrize("question", ["какие книги были в 2025 году?", "show my books of 2025"])
def test_day_of_something_else_is_a_guess(undated: Workspace, question: str) -> None:
    listing = undated.list_notes(question, TODAY)
    assert listing is not None
    assert (titles(listing), listing.sure) == ({"Piranesi"}, False)


@pytest.mark.parametrize("question", ["какие рецепты были в 2025 году?", "how many recipes were there in 2025?"])
def test_nothing_is_counted_by_days_that_no_note_has(undated: Workspace, question: str) -> None:
    assert undated.list_notes(question, TODAY) is None
