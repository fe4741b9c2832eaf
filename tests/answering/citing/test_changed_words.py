"""What an edit did to a line, in both languages: nothing, words put in, other words, or another statement."""

from __future__ import annotations

import pytest

from vaultrag.answering.citing.changed_words import Edit, edit_of


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("Бойлер стоит 45 000 ₽.", "**Бойлер** стоит 45000 рублей"),
        ("Встреча 3 июня 2025 с Темуром", "Встреча 2025-06-03 с [[Темур|Темуром]]"),
        ("Звонил [[Темур|мастер]] вчера", "Звонил [[Люди/Темур|Темур]] вчера"),
        ("Ёлка стоит «до марта» — всё", 'елка стоит "до марта" - все'),
        ("заменили аннод на новый", "заменили анод на новый"),
        ("| CPU | Ryzen 7 5700X | had it |", "| CPU | RYZEN 7 5700X | had it |"),
        ("It takes 2 hours", "It takes 120 minutes"),
        ("cron runs at 03:00", "cron runs at 3:00"),
        ("The disk failed once in August", "the *disk* failed once  in August."),
    ],
)
def test_what_a_reader_takes_for_the_same_is_no_edit(before: str, now: str) -> None:
    assert edit_of(before, now).kind is Edit.NOTHING


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("Бойлер стоит 45 000 ₽.", "Бойлер стоит 45 000 ₽, доставка в подарок."),
        ("The disk failed in August", "The old disk failed in August, said the log"),
    ],
)
def test_words_beside_are_told_apart_from_other_words(before: str, now: str) -> None:
    assert edit_of(before, now).kind is Edit.LONGER


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("купили диван", "приобрели диван"),
        ("Порт 8123 открыт", "Порт 8123 закрыт"),
        ("The disk failed", "The disk broke"),
        ("Бойлер стоит 45 000 ₽", "Бойлер стоит 45 000 ₽, скидка 5 000 ₽"),
        ("The disk failed", "The disk would have failed"),
    ],
)
def test_other_words_must_be_understood(before: str, now: str) -> None:
    assert edit_of(before, now).kind is Edit.REWORDED


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("Бойлер стоит 45 000 ₽.", "Бойлер стоит 54 000 ₽."),
        ("Бойлер стоит 45 000 ₽.", "Бойлер стоил 45 000 ₽."),
        ("Кеш чистить раз в неделю.", "Кеш не чистить раз в неделю."),
        ("Встреча 3 июня 2025 с Темуром", "Встреча 4 июня 2025 с Темуром"),
        ("Встреча с Темуром", "Встреча с Гиорги"),
        ("Темур ставил бойлер", "Гиорги ставил бойлер"),
        ("Анна старше Марины", "Марина старше Анны"),
        ("купили диван", "~~купили диван~~"),
        ("сдать до 5 марта", "сдать после 5 марта"),
        ("Диск работает", "Диск работает — не так: отменено"),
        ("The backup disk failed once", "The backup disk failed once?"),
        ("version 2.5.1", "version 2.5.2"),
        ("The drill is in May", "The drill is not in May"),
        ("It costs 5 kg of ice", "It costs 5 g of ice"),
        ("The drill is in May", "It is not true that the drill is in May"),
    ],
)
def test_another_statement_is_told(before: str, now: str) -> None:
    assert edit_of(before, now).kind is Edit.OTHER
