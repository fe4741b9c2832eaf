"""Which words in a text mean a note, and which are only words."""

from __future__ import annotations

import pytest

from vaultrag.text.language import stems, words
from vaultrag.vault.mentions import Found, NameIndex, is_mention, wanted_names


def found(text: str, *names: str, proper: bool = True) -> list[str]:
    """Return the mentions of notes with these names, by the forms of the names' words and by those of the text's."""
    wanted = wanted_names((number, name, False) for number, name in enumerate(names))
    said = {word.text for word in words(text)}
    by_names, by_text = (
        [place.text for place in index.find(text) if is_mention(place, lambda _: proper)]
        for index in (NameIndex(wanted), NameIndex(wanted, said))
    )
    assert by_names == by_text
    assert not by_names or NameIndex(wanted, said).may_hold(set(stems(text)))
    return by_names


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Дядя Виктор", "Были у дяди Виктора вчера.", "дяди Виктора"),
        ("Умный дом", "Занимался умным домом.", "умным домом"),
        ("Марина", "Спор с Мариной закрыт.", "Мариной"),
        ("Ёлка в углу", "стоит елка в углу", "елка в углу"),
        ("Restore runbook", "See the restore runbooks first.", "restore runbooks"),
        ("restic", "Бэкапы делает restic каждую ночь.", "restic"),
        ("MS-01", "Переехали на MS-01.", "MS-01"),
        ("Резервные копии", "про резервные\nкопии дальше", "резервные\nкопии"),
        ("Павел", "Говорили с Павлом вчера", "Павлом"),
        ("Птичий рынок", "были на птичьем рынке", "птичьем рынке"),
        ("Отец и дети", "говорили об отцах и детях", "отцах и детях"),
        ("День города", "ко дню города готовы", "дню города"),
        ("Письма друга", "нет ни писем друзей", "писем друзей"),
    ],
)
def test_names_are_found_in_any_inflection(name: str, text: str, said: str) -> None:
    assert found(text, name) == [said]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Умный дом", "Умный. Дом стоит."),
        ("Умный дом", "см. [[Умный дом]] и [[Умный дом|умном доме]] и [умный дом](x.md)"),
        ("Умный дом", "`умный дом` и\n```\nумный дом\n```"),
        ("restic", "Бэкапы: https://restic.net/x и #restic и /usr/bin/restic"),
        ("Маяк", "Приёмник Маяк-202 и радио-Маяк"),
        ("План", "Планер летит"),
        ("2024-05-01", "в 2024-05-01 было"),
        ("Кот", "Кот спит"),
        ("и не", "и не он"),
        ("notes", "she takes notes"),
        ("Мать", "без мата почти"),
        ("Павел", "Город Павлово и писатель Павлов"),
        ("День города", "дно города"),
    ],
)
def test_other_words_are_no_mention(name: str, text: str) -> None:
    assert found(text, name) == []


def test_common_noun_is_no_mention() -> None:
    assert found("Звонил маме: давление. Давление держит.", "Давление", proper=False) == []
    assert found("Костю ужалили, а костя он такой", "Костя") == ["Костю"]


def test_name_of_two_notes_means_neither() -> None:
    assert found("Умный дом", "Умный дом", "умный дом") == []


def test_longest_name_wins() -> None:
    assert found("Пасека под Кунгуром", "Пасека", "Пасека под Кунгуром") == ["Пасека под Кунгуром"]


def test_line_is_that_of_the_name() -> None:
    index = NameIndex(wanted_names([(1, "Умный дом", False)]))
    places: list[Found] = list(index.find("раз\r\nдва\rтри\n- умного дома"))
    assert [place.line for place in places] == [3]


def test_names_with_one_beginning_are_told_apart() -> None:
    """Titles that end in a date share all their words but the last ones."""
    days = [f"{stem} 2024-05-{day:02}" for day in range(1, 29) for stem in ("Встреча с отделом", "Weekly team meeting")]
    text = "Обсудили на встрече с отделом 2024-05-17.\n> See the weekly team meeting 2024-05-09; Weekly team meeting."
    assert found(text, *days) == ["встрече с отделом 2024-05-17", "weekly team meeting 2024-05-09"]


@pytest.mark.parametrize("between", ["`x`", "[[Умный дом]]", "#тег", "<b>", "https://x.y"])
def test_what_never_counts_parts_the_words_around_it(between: str) -> None:
    assert found(f"умный {between} дом. Умный дом!", "Умный дом") == ["Умный дом"]


def test_a_name_between_angle_brackets_counts_unless_those_are_a_tag() -> None:
    text = 'Когда <t выше умного дома, и x<умный дом>y; <b title="умный дом">нет</b>.'
    assert found(text, "Умный дом") == ["умного дома", "умный дом"]


@pytest.mark.parametrize("name", ["…", "???", "🎉", ""])
def test_name_without_a_word_is_found_nowhere(name: str) -> None:
    assert found(f"Умный дом … {name} smart", name, "Умный дом") == ["Умный дом"]


def test_a_name_is_found_where_the_text_names_its_characters() -> None:
    index = NameIndex(wanted_names([(1, "Müller Haus", False)]))
    assert [place.text for place in index.find("Сказал о M&uuml;ller&nbsp;Haus вчера.")] == ["Müller Haus"]
