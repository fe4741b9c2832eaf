from __future__ import annotations

import pytest

from tests.notes import write
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.keywords import search_keywords, search_names
from vaultrag.text.terms import question_terms


def found(catalog: Catalog, question: str) -> list[str]:
    hits = search_keywords(catalog.database, question_terms(question), 10)
    stored = catalog.chunks_by_row_ids([row_id for row_id, _ in hits])
    return [stored[row_id].chunk.text for row_id, _ in hits]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Ёлка стоит в углу, на ней шары.", "елки"),
        ("Встреча с Мариной прошла хорошо.", "Что сказала Марина?"),
        ("The matcher was rewritten.", "rewriting the matchers"),
        ("Резервные копии: restic на mayak-server.", "mayak-server"),
        ("Резервные копии: restic на mayak-server.", "mayak"),
        ("Адрес сервера 10.0.0.5, порт 8123", "10.0.0.5"),
        ("Пакет C++ и C# и node.js", "node.js"),
        ("Письмо на kostya@example.org", "kostya@example.org"),
        ("don't panic", "don't"),
        ("за́мок на двери", "замок"),
    ],
)
def test_words_are_found_in_any_form(catalog: Catalog, text: str, question: str) -> None:
    write(catalog, "other.md", ["Совсем о другом."])
    write(catalog, "a.md", [text])
    assert found(catalog, question) == [text]


def test_any_word_is_enough_and_more_words_rank_higher(catalog: Catalog) -> None:
    write(catalog, "a.md", ["кот", "кот и собака", "рыба"])
    assert found(catalog, "собака кот попугай") == ["кот и собака", "кот"]


def test_scores_fall_and_are_positive_for_rare_words(catalog: Catalog) -> None:
    write(catalog, "a.md", ["кот", "кот кот", *(f"слово{number}" for number in range(20))])
    scores = [score for _, score in search_keywords(catalog.database, [("кот",)], 10)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


@pytest.mark.parametrize("stem", ['"', "a OR b", "NEAR(", "*", "^a", "stems:x", "-", "'", '""""', "a\0b", "(", ")"])
def test_no_stem_is_read_as_syntax(catalog: Catalog, stem: str) -> None:
    write(catalog, "a.md", ["кот"])
    search_keywords(catalog.database, [(stem, "кот"), (stem,)], 10)
    search_names(catalog.database, [(stem,)], 10)


def test_no_stems_and_many_stems(catalog: Catalog) -> None:
    write(catalog, "a.md", ["кот"])
    assert search_keywords(catalog.database, [], 10) == []
    many = [("кот",), *((f"w{n}", f"v{n}") for n in range(5000))]
    assert len(search_keywords(catalog.database, many, 10)) == 1


def test_titles_and_aliases_are_found_once_a_note(catalog: Catalog) -> None:
    note_id = write(catalog, "Люди/Леван Т.md", ["пусто"], aliases=["Леван", "Levan"])
    write(catalog, "Other.md", ["пусто"])
    assert [(found_id, name) for found_id, _, name in search_names(catalog.database, question_terms("Леван"), 10)] == [
        (note_id, "Леван")
    ]
    write(catalog, "Люди/Леван Т.md", ["пусто"])
    assert not search_names(catalog.database, question_terms("Levan"), 10), "an alias that was taken away"


def test_forms_of_one_word_count_as_one_and_a_rare_form_weighs_as_the_word(catalog: Catalog) -> None:
    write(catalog, "a.md", ["день и рыба", "днями и только", *(f"день да {number}" for number in range(9))])
    write(catalog, "b.md", [f"вода {number}" for number in range(40)])
    assert found(catalog, "день рыба")[0] == "день и рыба"
    scores = dict(search_keywords(catalog.database, question_terms("день"), 20))
    assert len(scores) == 11
    assert max(scores.values()) - min(scores.values()) < 1e-9, "each passage says the word once, of three"


def test_equal_passages_lie_by_path_whatever_is_left_out(catalog: Catalog) -> None:
    for path in ("c.md", "a.md", "b.md"):
        write(catalog, path, ["одинаковый текст", "одинаковый текст"])
    hits = search_keywords(catalog.database, question_terms("текст"), 3)
    stored = catalog.chunks_by_row_ids([row_id for row_id, _ in hits])
    assert [stored[row_id].chunk.path for row_id, _ in hits] == ["a.md", "a.md", "b.md"]
