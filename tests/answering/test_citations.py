"""Places: sentences of a passage, their spans, the marks a model writes."""

from __future__ import annotations

import pytest

from vaultrag.answering.citations import locate, offered_numbers, source_sentences, with_marks
from vaultrag.domain import Chunk, Span


def chunk(text: str, first_line: int = 1, first_column: int = 1) -> Chunk:
    span = Span(first_line, first_column, first_line + text.count("\n"), 1)
    return Chunk("id", "a.md", (), span, "", "", text, text, "ru", "h")


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in source_sentences(0, text)]


def test_list_quote_and_heading_marks_stay_outside() -> None:
    text = "# Сеть\n> [!note] Важно\n> Порт 8123.\n- [ ] купить кабель\n1. первое\n"
    assert texts(text) == ["Сеть", "Важно", "Порт 8123.", "купить кабель", "первое"]


def test_lines_of_configuration_are_places_of_their_own() -> None:
    assert texts("services:\n  image: restic\n  port: 8123\n") == ["services:", "image: restic", "port: 8123"]


def test_hard_wrapped_prose_stays_one_sentence() -> None:
    assert texts("Сервер переехал в шкаф и\nтеперь стоит там.") == ["Сервер переехал в шкаф и\nтеперь стоит там."]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_span_counts_lines_and_columns_from_one(newline: str) -> None:
    text = f"Первая строка.{newline}Вторая: порт 8123."
    start = text.index("порт")
    assert locate(chunk(text, first_line=7, first_column=3), start, start + 9) == Span(8, 9, 8, 17)
    assert locate(chunk(text, first_line=7, first_column=3), 0, 6) == Span(7, 3, 7, 8)


def test_other_line_separators_do_not_end_a_line() -> None:
    text = "a\u2028b\x0bc\x85d"
    assert locate(chunk(text), 6, 7) == Span(1, 7, 1, 7)


def test_marks_of_the_model_are_read_and_removed() -> None:
    assert offered_numbers("Порт 8123 [1], [2; 3].") == ("Порт 8123,.", (1, 2, 3))
    assert offered_numbers("Нет ссылки [[Маяк]] и [x].") == ("Нет ссылки [[Маяк]] и [x].", ())


@pytest.mark.parametrize("mark", ["[passage 2]", "(passage 2)", "[Source 2]", "(отрывок 2)", "[отрывок №2]"])
def test_marks_that_name_the_passage_are_marks(mark: str) -> None:
    assert offered_numbers(f"Порт 8123 {mark}.") == ("Порт 8123.", (2,))


@pytest.mark.parametrize("text", ["См. [[12]].", "Стоит (12) лари.", "План [2024]."])
def test_what_only_looks_like_a_mark_stays(text: str) -> None:
    assert offered_numbers(text) == (text, ())


def test_numbers_stand_before_the_final_stop() -> None:
    assert with_marks("Порт 8123.", (1, 2)) == "Порт 8123 [1][2]."
    assert with_marks("- порт 8123", (1,)) == "- порт 8123 [1]"
    assert with_marks("Нет источника.", ()) == "Нет источника."


@pytest.mark.parametrize("said", ["Вы писали ассистенту: «А духовка?»", "You wrote to an assistant: “And the oven?”"])
def test_marks_stand_behind_a_quotation_that_ends_the_sentence(said: str) -> None:
    assert with_marks(said, (2,)) == f"{said} [2]"


def test_numbers_of_a_quoted_note_are_no_marks() -> None:
    assert with_marks("“См. [2] и [7, 8], a[0], [[12]].” (Маяк)", (1,)) == (
        "“См. [ 2 ] и [ 7, 8 ], a[ 0 ], [[12]].” (Маяк) [1]"
    )
    assert with_marks("As [3] says.", ()) == "As [ 3 ] says."


def test_the_header_of_a_message_is_no_part_of_its_first_sentence() -> None:
    assert texts(">[!nexus_user] **User** - 10.06.2025 at 6:41\n>привет, как дела") == ["привет, как дела"]
