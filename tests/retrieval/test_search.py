"""Search over a real index with a deterministic embedder: what a user would see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.retrieval.indexed_vault import indexed_vault
from vaultrag.config import Config, Settings
from vaultrag.errors import IndexMissing, VaultError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Reach, Workspace

COPIED = "Одинаковый раздел про закваску и тёплую воду: сто граммов муки, сто граммов воды, ночь на окне."
NOTES = {
    "Маяк.md": "# Маяк\n\nДомашний сервер стоит в шкафу. См. [[Резервные копии]].\n",
    "Резервные копии.md": "---\naliases: [бэкапы]\n---\nКаждую ночь restic пишет в облако в 03:30.\n",
    "Сеть.md": "Роутер слушает порт 8123, ёлки и объёмы тут ни при чём.\n",
    "English/Backups.md": "Restic writes to the cloud every night at 03:30.\n",
    "Рецепты/Хлеб.md": "Закваска, мука и соль. " * 5 + "\n",
    "Copy A.md": f"{COPIED}\n",
    "Copy B.md": f"## Из журнала\n\n{COPIED}\n",
}


@pytest.fixture
def workspace(tmp_path: Path):  # type: ignore[no-untyped-def]
    with indexed_vault(tmp_path, NOTES) as opened:
        yield opened


def paths(workspace: Workspace, query: str, reach: Reach = Reach.FULL) -> list[str]:
    return [passage.chunk.path for passage in workspace.search(query, 8, reach).passages]


@pytest.mark.slow
def test_inflected_words_find_the_note_in_both_languages(workspace: Workspace) -> None:
    assert paths(workspace, "роутерам и портам", Reach.WORDS)[0] == "Сеть.md"
    assert paths(workspace, "writing nightly clouds", Reach.WORDS)[0] == "English/Backups.md"


@pytest.mark.slow
def test_yo_and_stress_marks_do_not_matter(workspace: Workspace) -> None:
    assert paths(workspace, "елка объем", Reach.WORDS)[0] == "Сеть.md"
    assert paths(workspace, "по\u0301рт ро\u0301утера", Reach.WORDS)[0] == "Сеть.md"


@pytest.mark.slow
def test_alias_names_a_note_that_does_not_say_the_word(workspace: Workspace) -> None:
    found = workspace.search("что с бэкапами", 8, Reach.WORDS).passages
    assert found[0].chunk.path == "Резервные копии.md"
    assert "name" in {share.lane for share in found[0].trace}


@pytest.mark.slow
def test_link_brings_the_linked_note_and_says_through_what(workspace: Workspace) -> None:
    found = workspace.search("шкаф", 8, Reach.WORDS).passages
    linked = next(passage for passage in found if passage.chunk.path == "Резервные копии.md")
    assert [share.via for share in linked.trace if share.lane == "link"] == ["Резервные копии"]


@pytest.mark.slow
def test_the_other_language_is_not_hidden(workspace: Workspace) -> None:
    found = paths(workspace, "restic в облако 03:30")
    assert found[0] == "Резервные копии.md"
    assert "English/Backups.md" in found[:4]


@pytest.mark.slow
def test_equal_sections_of_two_notes_are_one_passage_with_both_places(workspace: Workspace) -> None:
    found = workspace.search("раздел про закваску и тёплую воду", 8).passages
    places = [[passage.chunk.path, *(other.chunk.path for other in passage.also)] for passage in found]
    assert sorted(places[0]) == ["Copy A.md", "Copy B.md"]
    assert not any(path.startswith("Copy") for some in places[1:] for path in some)


@pytest.mark.slow
def test_every_passage_stands_in_its_note_where_it_says(workspace: Workspace) -> None:
    for passage in workspace.search("restic закваска роутер", 8).passages:
        text = (workspace.config.vault / passage.chunk.path).read_text(encoding="utf-8")
        line = text.split("\n")[passage.chunk.span.first_line - 1]
        assert passage.chunk.text.startswith(line[passage.chunk.span.first_column - 1 :][:10])


def test_words_alone_need_no_embedder(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "a.md").write_text("Порт 8123 у Home Assistant.\n", encoding="utf-8")
    config = Config(vault=vault, home=tmp_path / "home", models=tmp_path / "none", settings=Settings())
    with Workspace.open(config, Ownership.OWN) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        result = workspace.search("какой порт", 3)
        assert result.passages[0].chunk.path == "a.md"
        assert "vaultrag models pull" in " ".join(result.warnings)


def test_search_before_the_first_index_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path, settings=Settings())
    with Workspace.open(config, Ownership.OWN) as workspace, pytest.raises(IndexMissing) as caught:
        workspace.search("что угодно", 3)
    assert "vaultrag index" in caught.value.remedy


@pytest.mark.slow
@pytest.mark.parametrize(
    "query", ["", "   ", '"', 'NEAR("a" "b")', "a AND OR NOT *", "и в на", "🦊", "x" * 5000, "\x00"]
)
def test_odd_queries_are_answered_or_empty_but_never_fail(workspace: Workspace, query: str) -> None:
    assert len(workspace.search(query, 5).passages) <= 5


@pytest.mark.slow
def test_a_name_is_found_in_the_other_script(workspace: Workspace) -> None:
    assert "Маяк.md" in paths(workspace, "where is mayak", Reach.WORDS)[:3]


def test_a_vault_without_notes_says_so_instead_of_asking_for_an_index(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path, settings=Settings())
    with Workspace.open(config, Ownership.OWN) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        with pytest.raises(VaultError, match="holds no note"):
            workspace.search("что угодно", 3)


CROWDS = {
    "ru": ("Сервер kubernetes номер {}.\n", "A kubernetes in the cellar, near {}.\n", "сервер kubernetes"),
    "en": ("Server kubernetes number {}.\n", "Про kubernetes в подвале, рядом {}.\n", "server kubernetes"),
}


@pytest.mark.slow
@pytest.mark.parametrize("restriction", ["", " path:заметки"])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_crowd_of_near_texts_does_not_hide_the_other_language(
    tmp_path: Path, language: str, restriction: str
) -> None:
    near, other, question = CROWDS[language]
    notes = {f"заметки/near {n}.md": near.format(f"слово{n} word{n}") for n in range(240)}
    notes |= {f"заметки/other {n}.md": other.format(f"дом{n} house{n}") for n in range(3)}
    with indexed_vault(tmp_path, notes) as opened:
        found = opened.search(question + restriction, 9, lanes={"vector"}).passages
    assert {p.chunk.path for p in found} > {f"заметки/other {number}.md" for number in range(3)}


SIGNS = {
    "C заметки.md": "Про язык C и указатели.\n",
    "C++ заметки.md": "Про язык C++ и указатели.\n",
    "Шарп.md": "Про C# и .NET, отдел R&D.\n",
    "Сеть и net.md": "Чистый net доход без потерь.\n",
    "Огонь.md": "🔥 важное дело про крышу\n",
    "Семья.md": "Едем 👨🏽\u200d👩🏽\u200d👧🏽 в отпуск 🇬🇪, бюджет 100 ₽ → 5€\n",
    "日本.md": "今天的会议很长。讨论了预算。\n",
    "Пусто.md": "Здесь ничего такого нет...\n",
}


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with indexed_vault(tmp_path_factory.mktemp("signs"), SIGNS) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("C++", "C++ заметки.md"),
        ("c++", "C++ заметки.md"),
        ("язык C++", "C++ заметки.md"),
        ("C#", "Шарп.md"),
        (".NET", "Шарп.md"),
        ("r&d", "Шарп.md"),
        ("🔥", "Огонь.md"),
        ("где 🔥?", "Огонь.md"),
        ("👨\u200d👩\u200d👧", "Семья.md"),
        ("👧🏿", "Семья.md"),
        ("🇬🇪", "Семья.md"),
        ("₽", "Семья.md"),
        ("€", "Семья.md"),
        ("→", "Семья.md"),
        ("会议", "日本.md"),
        ("预算", "日本.md"),
        ("会", "日本.md"),
        ("日本", "日本.md"),
    ],
)
@pytest.mark.parametrize("reach", [Reach.WORDS, Reach.FULL])
def test_what_is_no_word_of_letters_is_found(signs: Workspace, query: str, first: str, reach: Reach) -> None:
    assert paths(signs, query, reach)[0] == first


@pytest.mark.parametrize("query", ["???", "… — !", "()", '"'])
def test_punctuation_alone_finds_nothing_and_says_so(signs: Workspace, query: str) -> None:
    result = signs.search(query, 5)
    assert not result.passages
    assert any("punctuation alone" in warning for warning in result.warnings)


def test_notes_stemmed_by_an_earlier_version_are_stemmed_anew_without_being_embedded_again(signs: Workspace) -> None:
    database = signs.database
    with database.atomic():  # as 55fe1f4 wrote them: letters alone
        database.run("UPDATE chunks SET stems = 'c' WHERE text LIKE '%C++%'")
        database.run("UPDATE notes SET recipe = '3/old' WHERE path LIKE 'C++%'")
        database.run("DELETE FROM names WHERE name LIKE 'C++%'")
        database.run(
            "INSERT INTO names (note_id, kind, name, stems)"
            " SELECT id, 'title', title, 'c заметк' FROM notes WHERE path LIKE 'C++%'"
        )
    report = signs.index(lambda *_: None, DeletionPolicy.GUARD)
    assert report.embedded == 0
    assert paths(signs, "C++", Reach.WORDS)[0] == "C++ заметки.md"
    assert database.column("SELECT stems FROM names WHERE name LIKE 'C++%'") == ["c++ c заметк"]
    assert "c++" in database.column("SELECT stems FROM chunks WHERE text LIKE '%C++%'")[0].split()


FLEETING = {
    "Встреча с Павлом.md": "Говорили с Павлом и Львом о дне города. Дни рождения отца и ребёнка рядом.\n",
    "Лев.md": "Карточка человека.\n",
    "Павел.md": "Карточка человека.\n",
    "Лавка.md": "На рынке нет ни окон, ни льда; сестёр не видно, друзья пришли.\n",
    "Пусто.md": "Ничего особенного тут не сказано.\n",
}


@pytest.fixture(scope="module")
def fleeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with indexed_vault(tmp_path_factory.mktemp("fleeting"), FLEETING) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("Павел", "Встреча с Павлом.md"),
        ("отец", "Встреча с Павлом.md"),
        ("ребёнок", "Встреча с Павлом.md"),
        ("день", "Встреча с Павлом.md"),
        ("лев", "Встреча с Павлом.md"),
        ("Павлу", "Павел.md"),
        ("львов", "Лев.md"),
        ("рынок", "Лавка.md"),
        ("окно", "Лавка.md"),
        ("лёд", "Лавка.md"),
        ("сестра", "Лавка.md"),
        ("друг", "Лавка.md"),
    ],
)
def test_a_word_is_found_in_forms_whose_stem_changes(fleeting: Workspace, query: str, path: str) -> None:
    result = fleeting.search(query, 5, Reach.WORDS)
    assert path in [passage.chunk.path for passage in result.passages]
    assert "Пусто.md" not in [passage.chunk.path for passage in result.passages]
    assert result.coverage == 1.0


@pytest.mark.slow
def test_two_forms_of_one_word_weigh_no_more_than_two_words(tmp_path: Path) -> None:
    notes = {
        "Оба.md": "Павел был на рынке вчера вечером поздно.\n",
        "Формы.md": "Павел видел Павла с Павлом вчера вечером.\n",
        **{f"Рынок {n}.md": "Про рынок сказано вчера вечером тут мало.\n" for n in range(9)},
        **{f"Павел {n}.md": "Про Павел сказано вчера вечером тут мало.\n" for n in range(9)},
        **{f"Шум {n}.md": "Совсем другие слова стоят вот тут рядом.\n" for n in range(30)},
    }
    with indexed_vault(tmp_path, notes) as workspace:
        found = workspace.search("рынок Павел", 8, Reach.WORDS, frozenset({"keyword"}))
        assert found.passages[0].chunk.path == "Оба.md"


@pytest.fixture
def diary(tmp_path: Path):  # type: ignore[no-untyped-def]
    notes = {
        "2024-01-05.md": "Ходили на каток.\n",
        "2024-01-06.md": "Спали.\n",
        "2024-02-10.md": "Вешали полку в ванной.\n",
        "2023-01-05.md": "Было холодно.\n",
        "Дневник 3-го марта.md": "3-го марта 2024 года купили холодильник. Было дорого: 1 500 ₽.\n",
        "Поход.md": "---\ndate: 2024-07-21\n---\nПалатка промокла.\n",
        "Trip.md": "On April 2nd we flew home; 0.5 litres each.\n",
    }
    with indexed_vault(tmp_path, notes) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("Что было 5 января 2024?", "2024-01-05.md"),
        ("What did we do on January 5th, 2024?", "2024-01-05.md"),
        ("05.01.2024", "2024-01-05.md"),
        ("03.03.2024", "Дневник 3-го марта.md"),
        ("2024-03-03", "Дневник 3-го марта.md"),
        ("March 3, 2024", "Дневник 3-го марта.md"),
        ("21 июля 2024", "Поход.md"),
        ("2 апреля", "Trip.md"),
        ("2024-04-02", "Trip.md"),
        ("сколько стоит 1500", "Дневник 3-го марта.md"),
        ("0,5 литра", "Trip.md"),
    ],
)
def test_dates_and_numbers_find_their_note_in_any_spelling(diary: Workspace, question: str, path: str) -> None:
    assert paths(diary, question, Reach.WORDS)[0] == path
    assert path in paths(diary, question)[:3]


@pytest.mark.slow
def test_a_month_finds_its_days_and_no_other(diary: Workspace) -> None:
    assert set(paths(diary, "январь 2024", Reach.WORDS)) == {"2024-01-05.md", "2024-01-06.md"}


@pytest.mark.slow
def test_a_date_says_through_which_day_a_note_was_found(diary: Workspace) -> None:
    [found] = diary.search("21.07.2024", 8, Reach.WORDS).passages
    assert [(share.lane, share.via) for share in found.trace] == [("name", "2024-07-21"), ("period", "2024-07-21")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("M&uuml;ller&nbsp;GmbH &mdash; поставщик.", "Müller"),
        ("Отдел R&amp;D, бюджет &lt;100&gt;.", "R&D"),
        ("&#1055;&#x440;ивет всем.", "привет"),
        ("Условие if (a<b && предохранитель>c) проверяет насос.", "предохранитель"),
        ("Клапан закрывается <t выше нормы, манометр показывает 5> бар.", "манометр"),
        ("Dear <first name>, call <the plumber>.", "plumber"),
        ("![](a.png 'Насос') <img src='b.png' alt='Коллектор'>", "коллектор"),
    ],
)
def test_words_are_found_as_a_reader_sees_them(tmp_path: Path, text: str, query: str) -> None:
    with indexed_vault(
        tmp_path, {"Заметка.md": f"Начало.\n\n{text}\n", "Другая.md": "Здесь ничего похожего.\n"}
    ) as opened:
        [found] = opened.search(query, 8, Reach.WORDS).passages
    assert found.chunk.path == "Заметка.md"
    assert text in found.chunk.text


# A dish whose properties say what is asked for, and a note whose text does, among other words; both of one language.
NEAR_PROPERTIES = {
    "en": ("restic cloud", "источник: {}\n---\nМука, сыр, яйца и тесто на кефире.", "Ночью пишет копии папки"),
    "ru": (
        "облако копии",
        "how to find the wikipedia page: {}\n---\nFlour, cheese, eggs and yoghurt.",
        "Nightly writes many old folders elsewhere",
    ),
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_properties_in_the_other_language_come_no_nearer_than_their_notes_text(tmp_path: Path, language: str) -> None:
    question, dish, service = NEAR_PROPERTIES[language]
    with indexed_vault(
        tmp_path, {"1.md": "---\n" + dish.format(question), "2.md": f"{service} {question}.\n"}
    ) as opened:
        found = [passage.chunk.path for passage in opened.search(question, 9, lanes={"vector"}).passages]
        assert found == ["2.md", "1.md", "1.md"]
        properties = opened.search(f"{question} has:properties", 9).passages
        assert [(passage.chunk.path, passage.chunk.span.first_line) for passage in properties] == [("1.md", 2)]
