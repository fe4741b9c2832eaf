"""Questions that were written for strangers' vaults before they were asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from tests.strangers_vault import FIRM, GARDEN, HOUSEHOLD, LABORATORY, STUDENT, WRITER, open_vault
from vaultrag.domain import Listing
from vaultrag.workspace import Workspace

TODAY = date(2025, 11, 20)
STUDENT_ASKED: list[tuple[str, list[str]]] = [
    ("сколько книг у меня на русском?", ["Мастер и Маргарита", "Пикник на обочине"]),
    ("какие книги на английском я ещё не прочитал?", ["Dune"]),
    ("покажи всю фантастику", ["Dune", "Пикник на обочине"]),
    ("какие экзамены у меня в январе?", ["История, экзамен", "Матан, экзамен"]),
    ("устные экзамены", ["История, экзамен"]),
    ("лекции Сафиной", ["История 1"]),
    ("сколько лекций по матанализу?", ["Матан 1", "Матан 2"]),
    ("какие курсовые я уже сдал?", ["Реферат о Польше"]),
    ("какие рецепты быстрее 30 минут?", ["Омлет", "Хумус"]),
    ("веганские рецепты", ["Хумус"]),
    ("просроченные задачи", ["Сессия"]),
    ("which books did I rate 5?", ["Мастер и Маргарита", "Пикник на обочине"]),
    ("сколько книг я прочитал в этом году?", ["Пикник на обочине"]),
    ("books in English", ["Dune", "Sapiens"]),
    ("сколько у меня романов?", ["Мастер и Маргарита"]),
    ("лекции за октябрь", ["История 1", "Матан 2"]),
    ("рецепты на завтрак", ["Омлет"]),
    ("какие книги я сейчас читаю?", ["Dune"]),
    ("сколько книг написал Булгаков?", ["Мастер и Маргарита"]),
    ("какие курсовые ещё в работе?", ["Рекурсия"]),
    ("Какие задачи у меня на следующую неделю?", ["Рекурсия"]),
]
FIRM_ASKED: list[tuple[str, list[str]]] = [
    ("how many active clients do we have?", ["Baltika", "Nordwind"]),
    ("which invoices are unpaid?", ["2025-014", "2025-016"]),
    ("неоплаченные счета", ["2025-014", "2025-016"]),
    ("list paid invoices", ["2025-015"]),
    ("invoices with amount over 1000", ["2025-014", "2025-015"]),
    ("clients from Germany", ["Nordwind"]),
    ("which contracts expire this year?", ["Nordwind support"]),
    ("contracts in German", ["Nordwind support"]),
    ("how many developers are there?", ["Ilze Kalna", "Tom Hale"]),
    ("employees hired in 2025", ["Ilze Kalna"]),
    ("meetings with Anna in November", ["2025-11-12 Nordwind kickoff", "2025-11-18 Board"]),
    ("lost clients", ["Acme"]),
    ("broken equipment", ["Printer"]),
    ("equipment assigned to Ilze", ["ThinkPad 7"]),
    ("signed contracts", ["Nordwind support"]),
    ("clients of Anna Weber", ["Baltika", "Nordwind"]),
    ("when was the last meeting?", ["2025-11-18 Board"]),
    ("invoices for Nordwind", ["2025-014", "2025-016"]),
    ("какие клиенты из Германии?", ["Nordwind"]),
    ("договоры на английском", ["Baltika audit"]),
    ("сколько у нас активных клиентов?", ["Baltika", "Nordwind"]),
    ("invoices due before December", ["2025-014", "2025-015"]),
    ("overdue tasks", ["2025-11-12 Nordwind kickoff"]),
]
STUDENT_CONTENT = [
    "о чём была лекция про переселение?",
    "как приготовить плов?",
    "кто сосед по комнате?",
    "на русском ли написан Dune?",
    "что такое рекурсия?",
    "какой предмет ведёт Королёв?",
    "сколько яиц в омлете?",
    "почему кот говорил?",
    "у кого из друзей день рождения в ноябре?",
    "лёгкие рецепты с низкой сложностью",
]
FIRM_CONTENT = [
    "why did we lose Acme?",
    "what does Anna speak?",
    "who fixed the printer?",
    "how many hours does the support contract include?",
    "what did the board decide?",
    "сколько стоит поддержка Nordwind?",
    "what is wrong with the printer?",
    "who is the manager of Nordwind?",
    "which warranties have expired?",
]
HOUSEHOLD_ASKED: list[tuple[str, list[str]]] = [
    ("какие счета не оплачены?", ["2025-11 Электричество"]),
    ("счета за ноябрь", ["2025-11 Интернет", "2025-11 Электричество"]),
    ("счета с суммой больше 3000", ["2025-10 Электричество", "2025-11 Электричество"]),
    ("покажи фильмы, которые мы ещё не посмотрели", ["Солярис"]),
    ("какие мультфильмы у нас есть?", ["Головоломка"]),
    ("фантастика с оценкой выше 7", ["Солярис"]),
    ("поездки в Турцию", ["Стамбул"]),
    ("когда была последняя поездка?", ["Батуми"]),
    ("какие врачи у нас записаны?", ["Гиоргадзе", "Ковалёва"]),
    ("список врачей из клиники Дента", ["Гиоргадзе"]),
    ("какая техника куплена до 2020?", ["Стиральная машина"]),
    ("самая дорогая техника", ["Холодильник"]),
    ("какие задачи на следующей неделе?", ["Дела"]),
    ("сколько всего коммуналки?", ["2025-10 Электричество", "2025-11 Электричество"]),
    ("поездки с Петей", ["Батуми"]),
    ("какие фильмы мы посмотрели в этом году?", ["Головоломка"]),
    ("сколько фильмов с оценкой 8 и выше?", ["Головоломка", "Солярис"]),
    ("фильмы после 2000 года", ["Головоломка", "Дюна"]),
    ("фильмы 1972 года", ["Солярис"]),
]
LABORATORY_ASKED: list[tuple[str, list[str]]] = [
    ("which papers haven't I read?", ["Scaling laws"]),
    ("unread papers", ["Scaling laws"]),
    ("papers from 2017", ["Attention is all you need"]),
    ("papers by Vaswani", ["Attention is all you need"]),
    ("list failed experiments", ["E12 warmup"]),
    ("which experiments are running?", ["E14 wiki"]),
    ("experiments on C4", ["E12 warmup", "E13 longer warmup"]),
    ("experiment with the highest accuracy", ["E13 longer warmup"]),
    ("experiments with accuracy above 0.7", ["E13 longer warmup"]),
    ("talks in German", ["Colloquium"]),
    ("talks by Mei", ["Seminar on scaling"]),
    ("how many papers were at NeurIPS?", ["Attention is all you need"]),
    ("people in the NLP lab", ["Mei Lin"]),
    ("доклады на немецком", ["Colloquium"]),
    ("какие статьи я не прочитал?", ["Scaling laws"]),
    ("experiments from October", ["E12 warmup", "E13 longer warmup"]),
    ("latest experiment", ["E14 wiki"]),
]
HOUSEHOLD_CONTENT = [
    "чего боится Петя?",
    "когда принимает педиатр?",
    "какая марка у холодильника?",
    "сколько стоила стиральная машина?",
    "кто любит рисовать?",
    "почему плакали на Головоломке?",
    "сколько я заплатил за электричество?",
    "какие счета больше 3000?",
]
LABORATORY_CONTENT = [
    "what happened at step 400?",
    "who runs marathons?",
    "why did E12 fail?",
    "what are scaling laws?",
    "which language does Mei speak?",
    "how long is the ERC grant?",
    "PhD students",
]
WRITER_ASKED: list[tuple[str, list[str]]] = [
    ("how many chapters are there?", ["Chapter 1", "Chapter 2"]),
    ("which chapters are still drafts?", ["Chapter 1"]),
    ("chapters with more than 3000 words", ["Chapter 1"]),
    ("list all characters", ["Ivo", "Marta"]),
    ("which notes link to Ostrava?", ["Ivo", "Marta"]),
    ("how many runs did I do in November?", ["Runs 2025-11-02", "Runs 2025-11-09"]),
    ("essays by Thoreau", ["On walking"]),
    ("which essays have I read?", ["On walking"]),
    ("essays I haven't read", ["On style"]),
    ("what did I write yesterday?", ["2025-11-19"]),
    ("notes tagged #slump", ["2025-11-19"]),
    ("open tasks for the novel", ["2025-11-18"]),
    ("tasks due tomorrow", ["2025-11-18"]),
    ("what's in the archive folder?", ["Old blog"]),
    ("notes with pov Marta", ["Chapter 1"]),
    ("daily notes of this week", ["2025-11-18", "2025-11-19"]),
    ("notes mentioning ink", ["2025-11-18"]),
    ("characters older than 50", ["Ivo"]),
]
GARDEN_ASKED: list[tuple[str, list[str]]] = [
    ("сколько у меня растений?", ["Смородина", "Томат Бычье сердце", "Яблоня Антоновка"]),
    ("растения с частым поливом", ["Смородина", "Томат Бычье сердце"]),
    ("какие растения посажены в 2025 году?", ["Томат Бычье сердце"]),
    ("какие растения посажены до 2020 года?", ["Яблоня Антоновка"]),
    ("какие работы ещё не сделаны?", ["Укрыть розы"]),
    ("сделанные работы", ["Обрезка"]),
    ("работы со сроком в ноябре", ["Укрыть розы"]),
    ("покупки дороже 5000", ["Насос"]),
    ("самая дорогая покупка", ["Насос"]),
    ("покупки в Озоне", ["Насос"]),
    ("список соседей", ["Галина Петровна", "Толя"]),
    ("просроченные задачи", ["2025-11-15"]),
    ("все незакрытые задачи", ["2025-11-15"]),
    ("заметки с тегом сезон", ["2025-11-15"]),
    ("растения с участка юг", ["Смородина"]),
    ("покупки с февраля по март", ["Секатор"]),
    ("последняя покупка", ["Насос"]),
]
WRITER_CONTENT = [
    "who lives in Ostrava?",
    "what does Marta do?",
    "what did Strunk say?",
    "how old is Ivo?",
    "where did Ivo grow up?",
]
GARDEN_CONTENT = [
    "когда плодоносит антоновка?",
    "чем укрыть розы?",
    "кто варит ворота?",
    "сколько стоил насос?",
    "как обрезать яблоню?",
    "какой сорт у смородины?",
]
# What a listing points at: the line that meets what was asked for, and not the one that tells the kind.
SHOWN = [
    ("which invoices are unpaid?", ["paid: false", "paid: false"]),
    ("invoices for Nordwind", ['client: "[[Nordwind]]"', 'client: "[[Nordwind]]"']),
    ("which contracts expire this year?", ["expires: 2025-12-31"]),
    ("meetings with Tom in November", ['attendees: ["[[Anna Weber]]", "[[Tom Hale]]"]']),
    ("сколько у нас активных клиентов?", ["status: active", "status: active"]),
]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("student"), STUDENT) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("firm"), FIRM) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("household"), HOUSEHOLD) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("laboratory"), LABORATORY) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("writer"), WRITER) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_vault(tmp_path_factory.mktemp("garden"), GARDEN) as workspace:
        yield workspace


def listed(listing: Listing | None) -> list[str]:
    found = {citation.path.rpartition("/")[2] for citation in listing.citations} if listing else set()
    return sorted(name.removesuffix(".md") for name in found)


@pytest.mark.parametrize(("question", "expected"), STUDENT_ASKED)
def test_students_vault_lists(student: Workspace, question: str, expected: list[str]) -> None:
    listing = student.list_notes(question, TODAY)
    assert (listed(listing), listing is not None and listing.sure) == (expected, True)


@pytest.mark.parametrize(("question", "expected"), FIRM_ASKED)
def test_firms_vault_lists(firm: Workspace, question: str, expected: list[str]) -> None:
    listing = firm.list_notes(question, TODAY)
    assert (listed(listing), listing is not None and listing.sure) == (expected, True)


@pytest.mark.parametrize(("question", "expected"), HOUSEHOLD_ASKED)
def test_households_vault_lists(household: Workspace, question: str, expected: list[str]) -> None:
    listing = household.list_notes(question, TODAY)
    assert (listed(listing), listing is not None and listing.sure) == (expected, True)


@pytest.mark.parametrize(("question", "expected"), LABORATORY_ASKED)
def test_laboratorys_vault_lists(laboratory: Workspace, question: str, expected: list[str]) -> None:
    listing = laboratory.list_notes(question, TODAY)
    assert (listed(listing), listing is not None and listing.sure) == (expected, True)


@pytest.mark.parametrize(("question", "expected"), WRITER_ASKED)
def test_writers_vault_lists(writer: Workspace, question: str, expected: list[str]) -> None:
    listing = writer.list_notes(question, TODAY)
    assert (listed(listing), listing is not None and listing.sure) == (expected, True)


@pytest.mark.parametrize(("question", "expected"), GARDEN_ASKED)
def test_gardeners_vault_lists(garden: Workspace, question: str, expected: list[str]) -> None:
    listing = garden.list_notes(question, TODAY)
    assert (listed(listing), listing is not None and listing.sure) == (expected, True)


@pytest.mark.parametrize("question", [*HOUSEHOLD_CONTENT, *LABORATORY_CONTENT, *WRITER_CONTENT, *GARDEN_CONTENT])
@pytest.mark.parametrize("vault", ["household", "laboratory", "writer", "garden"])
def test_question_of_content_is_left_to_search(request: pytest.FixtureRequest, vault: str, question: str) -> None:
    workspace: Workspace = request.getfixturevalue(vault)
    assert workspace.list_notes(question, TODAY) is None


def test_who_somebody_is_may_ask_for_more_than_a_list(student: Workspace, firm: Workspace) -> None:
    for workspace, question, expected in (
        (student, "кто из друзей живёт в Казани?", ["Лена"]),
        (firm, "who works in Riga?", ["Ilze Kalna", "Tom Hale"]),
    ):
        listing = workspace.list_notes(question, TODAY)
        assert listing
        assert (listed(listing), listing.sure) == (expected, False)


@pytest.mark.parametrize("question", STUDENT_CONTENT)
def test_students_question_of_content_is_left_to_search(student: Workspace, question: str) -> None:
    assert student.list_notes(question, TODAY) is None


@pytest.mark.parametrize("question", FIRM_CONTENT)
def test_firms_question_of_content_is_left_to_search(firm: Workspace, question: str) -> None:
    assert firm.list_notes(question, TODAY) is None


@pytest.mark.parametrize(("question", "quotes"), SHOWN)
def test_a_note_is_cited_where_it_meets_what_was_asked(firm: Workspace, question: str, quotes: list[str]) -> None:
    listing = firm.list_notes(question, TODAY)
    assert listing
    assert [citation.quote for citation in listing.citations] == quotes


def test_a_member_of_a_list_is_cited_and_not_the_name_above_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    notes = {f"Meetings/{n}.md": f"---\nattendees:\n  - Anna\n  - Tom {n}\n---\nx\n" for n in (1, 2)}
    with open_vault(tmp_path_factory.mktemp("list"), notes) as workspace:
        listing = workspace.list_notes("list meetings with Anna", TODAY)
    assert listing
    assert {citation.quote for citation in listing.citations} == {"- Anna"}
