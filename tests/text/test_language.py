from __future__ import annotations

import unicodedata
from typing import Literal, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultrag.text.language import (
    FUNCTION_WORDS,
    LONGEST_WORD,
    content_stems,
    fold,
    language_of,
    sentences,
    stem,
    stems,
    tokens,
    word_stems,
)
from vaultrag.text.language import words as spoken

Form: TypeAlias = Literal["NFC", "NFD"]
STRESS = "\u0301"
MANY = 20_000  # of a pattern: seconds where a scan were quadratic, milliseconds where it is linear

prose = st.text(alphabet=st.sampled_from("аяёйАЯ zZ09.!?…,;:«»\"'()[]-–—*_#>|\n\r\t\u0301\u0306\u00ad\u2028\x1f"))


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def words(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Ёжик", "ежик"),
        ("ещё", "еще"),
        ("за" + STRESS + "мок", "замок"),
        ("Йод", "йод"),
        ("Café", "cafe"),
        ("Wójcik", "wojcik"),
        ("don’t", "don't"),
        ("Wi‑Fi", "wi-fi"),
        ("при\u00adмер", "пример"),
        ("ABC", "abc"),
        ("ﬁnal oﬃce", "final office"),
        ("H₂O, x², Ⅷ", "h2o, x2, viii"),
        ("ｆｕｌｌ ５", "full 5"),
        ("مَرْحَبًا", "مرحبا"),
        ("שָׁלוֹם", "שלום"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_folding_ignores_case_stress_and_form(written: str, folded: str, form: Form) -> None:
    assert fold(unicodedata.normalize(form, written)) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [("1С", "1C"), ("1С:Предприятие", "1C:Предприятие"), ("В12", "B12"), ("А4", "A4"), ("МР3", "MP3"),
     ("10мм", "10mm"), ("Т34", "T34"), ("Mосквa", "Москва"), ("Рython", "Python"), ("Łódź", "Lodz"),
     ("Øresund", "Oresund"), ("Straße", "Strasse"), ("oﬀer", "offer"), ("CO₂", "CO2"), ("10 м²", "10 м2"),
     ("مَرْحَبًا", "مرحبا"), ("ســلام", "سلام"), ("שָׁלוֹם", "שלום")],
)  # fmt: skip
def test_words_that_look_alike_are_one(one: str, other: str) -> None:
    assert stems(one) == stems(other)


@pytest.mark.parametrize(
    "pair", ["1Г 1G", "мир mup", "СССР CCCP", "pdfка pdfk", "USB-кабель USB-kabel", "Ту154 Ty154а", "кот kot"]
)
def test_words_of_two_scripts_that_do_not_look_alike_stay_apart(pair: str) -> None:
    one, other = pair.split()
    assert stems(one) != stems(other)


def test_a_sign_that_stands_for_words_is_one_word() -> None:
    assert all(" " not in term for term in stems("قال ﷺ и ﷲ ½"))


@pytest.mark.parametrize(("written", "asked"), [("v1.2.3", "1.2.3"), ("V10.0", "10.0"), ("программа v2.50", "2.50")])
def test_a_version_is_found_without_its_letter(written: str, asked: str) -> None:
    assert set(stems(asked)) <= set(stems(written))


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "forms",
    [
        "Марина Марины Марине Марину Мариной",
        "Костя Кости Косте Костю Костей",
        "Леван Левана Левану Леваном Леване",
        "Виктор Виктора Виктору Виктором",
        "Сванетия Сванетии Сванетию Сванетией",
        "Пермь Перми Пермью",
        "сервер сервера серверу сервером серверов серверами",
        "экран экрана экрану экраном экраны",
        "пчела пчелы пчеле пчелу пчелой пчёлы",
        "чёрный черный чёрная чёрного черному",
        "backup backups",
        "restoring restored restores restore",
        "bee bees",
    ],
)
def test_declined_forms_share_their_stem(forms: str) -> None:
    assert len(set(stems(forms))) == 1


@pytest.mark.parametrize("pair", ["Марина Мария", "сервер север", "пчела чело", "day night"])
def test_different_words_keep_different_stems(pair: str) -> None:
    assert len(set(stems(pair))) == 2


@given(st.text(alphabet="абвгдеёжзийклмнопрстуфхцчшщъыьэюя", min_size=1, max_size=20))
def test_stem_of_a_russian_stem_is_itself(word: str) -> None:
    assert stem(stem(word)) == stem(word)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("text", ["район", "Ёлка и ёж", "naïve café", "за" + STRESS + "мок на горе" + STRESS])
def test_unicode_form_changes_no_stem(text: str, form: Form) -> None:
    assert stems(unicodedata.normalize(form, text)) == stems(text.replace(STRESS, ""))


def test_soft_hyphen_and_zero_width_marks_do_not_cut_words() -> None:
    assert stems("при\u00adмер backup\u200bs") == stems("пример backups")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mayak-restic", ["mayak-restic", "mayak", "restic"]),
        ("snake_case", ["snake_case", "snake", "case"]),
        ("user@example.org", ["user@example.org", "user", "example", "org"]),
        ("gpt-4o", ["gpt-4o", "gpt", "4o"]),
        ("10.0.0.5", ["10.0.0.5"]),
        ("2024-05-01 12:30", ["2024-05-01", "12:30"]),
        ("как-нибудь", ["как-нибудь", "как", "нибудь"]),
        ("«Пчела»", ["Пчела"]),
        ("“bee”, (hive)!", ["bee", "hive"]),
        ("**жирный** _курсив_", ["жирный", "курсив"]),
        ("№5 и 100%", ["5", "и", "100"]),
        ("…—!?", []),
        ("", []),
        ("C++, C# и F#.", ["C++", "C", "C#", "C", "и", "F#", "F"]),
        ("C++17, C#-код, Google+", ["C++", "C", "17", "C#-код", "C#", "C", "код", "Google+", "Google"]),
        (".NET, ASP.NET и .gitignore", [".NET", "NET", "ASP.NET", "ASP", "NET", "и", ".gitignore", "gitignore"]),
        ("R&D в AT&T", ["R&D", "R", "D", "в", "AT&T", "AT", "T"]),
        ("TCP/IP 24/7 v1.2", ["TCP/IP", "TCP", "IP", "24/7", "v1.2", "1.2", "v1", "2"]),
        ("О’Генри, 1С, R2-D2", ["О’Генри", "О", "Генри", "1С", "R2-D2", "R2", "D2"]),
        ("a+b, 100+, x#y, ...и так", ["a+b", "a", "b", "100", "x#y", "x", "y", "и", "так"]),
        ("a&nbsp;b ?x=1&page=2", ["a", "nbsp", "b", "x", "1", "page", "2"]),
        ("🔥 → 5€ и ₽", ["🔥", "→", "5", "€", "и", "₽"]),
        ("🇷🇺🇩🇪", ["🇷🇺", "🇩🇪"]),
        ("👩\u200d💻", ["👩\u200d💻", "👩", "💻"]),
        ("会议", ["会议", "会", "议"]),
        ("iPhone会议室", ["iPhone会议室", "iPhone", "会议室", "会议", "议室", "会", "议", "室"]),
        ("회의를", ["회의를", "회의", "의를", "회", "의", "를"]),
    ],
)
def test_tokens_are_words_numbers_and_identifiers(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_sign_is_found_in_any_colour() -> None:
    assert stems("👍🏽 ❤️ ☎\ufe0e") == stems("👍 ❤ ☎")
    assert set(stems("👩")) <= set(stems("👩🏾\u200d💻"))


def test_an_ideograph_alone_is_asked_for_by_itself_and_in_a_word_by_its_pairs() -> None:
    note = set(stems("今天的会议很长。がんばる"))
    assert content_stems("会议") == ["会议"]
    assert content_stems("会") == ["会"]
    assert set(content_stems("会议")) | set(content_stems("会")) | set(content_stems("んば")) <= note
    assert not set(content_stems("かんはる")) & note
    assert stems(unicodedata.normalize("NFD", "がんばる")) == stems("がんばる")


def test_words_of_a_name_are_no_signs_and_no_pairs() -> None:
    text = "🔥 C++ и .NET 会议室 mayak-restic 2024-05-01"
    assert [word.text for word in spoken(text)] == "C++ и NET 会议室 mayak restic 2024-05-01".split()
    assert [word.stem for word in spoken(text)] == word_stems(text)


@given(st.text(alphabet=st.sampled_from("aЯ1 +#.&/-_'🔥👩\u200d\ufe0f🏽🇷🇺会議が의\u0301€")))
def test_stems_are_those_of_the_tokens(text: str) -> None:
    assert stems(text) == [token.stem for token in tokens(text)]
    assert word_stems(text) == [word.stem for word in spoken(text)]
    assert all(text[token.start : token.end] == token.text for token in tokens(text))
    assert all(token.stem.strip() and len(token.stem.split()) == 1 for token in tokens(text))


def test_identifier_is_found_whole_and_by_its_parts() -> None:
    note = set(stems("Контейнер mayak-restic упал"))

    assert set(stems("mayak-restic")) <= note
    assert set(stems("restic")) <= note


def test_words_with_digits_are_not_stemmed() -> None:
    assert stems("4090s v2s") == ["4090s", "v2s"]


@given(prose)
def test_token_offsets_point_at_its_text(text: str) -> None:
    assert all(text[token.start : token.end] == token.text for token in tokens(text))


def test_function_words_are_folded_and_of_both_languages() -> None:
    assert all(fold(word) == word for word in FUNCTION_WORDS)
    assert {"и", "не", "the", "of"} <= FUNCTION_WORDS


@pytest.mark.parametrize(
    ("question", "meaning"),
    [
        ("Когда мы ездили в Сванетию?", "ездили Сванетию"),
        ("Where is the backup of mayak?", "backup mayak"),
        ("Что такое ПЧЕЛА и ещё раз пчела?", "пчела раз"),
    ],
)
def test_content_is_what_remains_without_function_words(question: str, meaning: str) -> None:
    assert set(content_stems(question)) == set(stems(meaning))


def test_question_of_function_words_only_keeps_them() -> None:
    assert content_stems("Кто ты?") == stems("кто ты")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Где лежит ключ?", "ru"),
        ("Where is the key?", "en"),
        ("Как обновить VictoriaMetrics на mayak?", "ru"),
        ("The word «дача» has no good translation", "en"),
        ("12:30 — 14:00", ""),
        ("", ""),
    ],
)
def test_language_is_told_by_script(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "expected",
    [
        ["Он пришёл.", "Мы ушли."],
        ["Что?!", "Не может быть!", "Да…", "Может."],
        ["Он сказал: «Иду».", "Потом ушёл."],
        ["«Зачем?» — спросил он.", "Я молчал."],
        ["Ну… да, т. е. нет.", "Так."],
        ["В 2019 г. мы уехали.", "Потом вернулись."],
        ["Живёт на ул. Ленина, д. 5.", "Рядом кафе."],
        ["А. С. Пушкин и Л.Н. Толстой.", "Оба писали."],
        ["Встреча 12.05.2024 в 10.30.", "Не опоздать."],
        ["Стоит 3.5 тыс. руб. за штуку.", "Дорого."],
        ["Версия 3.11.", "Потом 3.12."],
        ["Mr. Smith met Dr. Jones, e.g. at noon.", "They ate."],
        ["See fig. 3 and p. 5.", "The answer is no.", "We stay."],
        ["U.S. Army came.", "So did I.", "We left."],
        ["Node.js runs v1.2.", "Vue.js does not."],
        ["**Жирно.**", "*Курсив!*", "Дальше."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(expected: list[str]) -> None:
    assert split(" ".join(expected)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. Первое\n2. Второе\n10) Третье", ["1. Первое", "2. Второе", "10) Третье"]),
        ("- один\n- два\n  - внутри", ["- один", "- два", "- внутри"]),
        ("# Заголовок\nТекст. Ещё.", ["# Заголовок", "Текст.", "Ещё."]),
        ("Абзац\nна двух строках\n\nДругой", ["Абзац\nна двух строках", "Другой"]),
        ("Один.\r\n\r\nДва.", ["Один.", "Два."]),
        ("| а | б |\n| 1 | 2 |", ["| а | б |", "| 1 | 2 |"]),
        ("без точки", ["без точки"]),
        (" \n ", []),
        ("", []),
    ],
)
def test_lines_of_lists_headings_and_tables_are_sentences(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@given(prose)
def test_sentences_hold_all_text_in_order_and_only_once(text: str) -> None:
    borders = sentences(text)
    outside, position = "", 0
    for start, end in borders:
        assert position <= start < end
        outside += text[position:start]
        position = end
    outside += text[position:]

    assert not outside.strip()
    assert all(text[start:end] == text[start:end].strip() for start, end in borders)


@pytest.mark.parametrize(
    "pattern",
    [
        ".",
        " ",
        "а" + STRESS,
        "я-",
        ".)",
        "«",
        "\n ",
        "\n>",
        "1.",
        "A.",
        "*.",
        "\u00ad",
        "http://",
        "_",
        "#",
        "C++",
        "&a",
        "👩\u200d",
        "会",
    ],
)
def test_strange_text_is_read_without_delay(pattern: str) -> None:
    """A quadratic scan would take minutes here: the test ends because it is linear, no time is asserted."""
    text = f"x{pattern * MANY}." + " " * MANY + "%"

    assert split(text)
    assert all(token.start < token.end for token in tokens(text))


def test_word_too_long_to_be_one_is_kept_as_it_is() -> None:
    word = "а" * (LONGEST_WORD + 1)

    assert stems(word) == [word]
