"""Attribution by words: inflected, reordered, numbers checked; never by the model's word alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaultrag.answering.attribution import Sources
from vaultrag.answering.citations import source_sentences
from vaultrag.vault.parsing.plain import plain_line

VAULT = Path(__file__).parent.parent.parent / "fixtures" / "vault"
FEWEST_WORDS = 4  # of a sentence that says something

PASSAGES = [
    "Сервер mayak — это Minisforum MS-01, куплен в сентябре. В нём 64 ГБ памяти. До этого был Intel NUC с 16 ГБ.",
    "Резервные копии делает restic каждую ночь в 03:30. Хранилище — Backblaze B2, bucket mayak-restic.",
    "The half marathon in Kutaisi took 1:52:40. David paced me for the first ten kilometres.",
]


def sources(question: str = "Что за сервер?") -> Sources:
    found = [s for i, text in enumerate(PASSAGES) for s in source_sentences(i, text)]
    return Sources(question, found, {0: "mayak server", 1: "Backup policy", 2: "Kutaisi"})


def quotes(sentence: str, offered: tuple[int, ...] = (), question: str = "Что за сервер?") -> list[str]:
    return [support.source.text for support in sources(question).lexical(sentence, offered)]


def test_inflected_and_reordered_words_find_their_sentence() -> None:
    assert quotes("Памяти в сервере теперь 64 ГБ.") == ["В нём 64 ГБ памяти."]
    assert quotes("Ночные копии restic запускает в 03:30.")[0].startswith("Резервные копии делает restic")


def test_a_form_whose_stem_changes_finds_its_sentence() -> None:
    text = "Вечером говорили с Павлом о дне города. Подарок отцу купили на рынке."
    known = Sources("Кто это?", source_sentences(0, text), {0: "Дневник"})
    assert known.lexical("С ним был Павел, речь шла про день города.", ())[0].source.text.startswith("Вечером")
    assert known.lexical("Отец получил подарок, его дал рынок.", ())[0].source.text.startswith("Подарок")
    assert known.lexical("Приходил Пётр, речь шла про день города.", ()) == ()


def test_a_number_that_no_passage_holds_is_never_cited() -> None:
    assert quotes("В нём 128 ГБ памяти.") == []
    assert quotes("Half marathon in Kutaisi took 1:45:00.", question="How fast?") == []


def test_a_number_from_another_sentence_does_not_move_the_quote() -> None:
    assert "16 ГБ" in quotes("Раньше у Intel NUC было 16 ГБ.")[0]


def test_repeating_the_question_supports_nothing() -> None:
    assert quotes("Сервер — это хороший вопрос.", question="Что за сервер?") == []


def test_a_sentence_from_two_places_cites_both() -> None:
    both = quotes("Это Minisforum MS-01, а копии restic уходят в Backblaze B2.")
    assert any("Minisforum" in quote for quote in both)
    assert any("Backblaze" in quote for quote in both)


def test_the_offered_passage_wins_a_tie_but_cannot_make_support() -> None:
    twice = ["Порт 8123 открыт.", "Порт 8123 открыт."]
    found = [s for i, text in enumerate(twice) for s in source_sentences(i, text)]
    supports = Sources("?", found, {}).lexical("Открыт порт 8123.", (1,))
    assert supports[0].source.passage == 1
    assert quotes("Кошку зовут Бублик.", (0, 1, 2)) == []


def test_verbatim_is_told_from_lexical() -> None:
    supports = sources().lexical("До этого был Intel NUC с 16 ГБ.", ())
    assert supports[0].verified == "verbatim"
    assert sources().lexical("Intel NUC имел 16 ГБ раньше.", ())[0].verified == "lexical"


def test_meaning_needs_nearness_and_the_numbers() -> None:
    cosines = [0.8] * 10
    cosines[1] = 0.93
    there = sources()
    assert there.semantic("It has 64 GB of RAM.", cosines)[0].source.text == "В нём 64 ГБ памяти."
    assert there.semantic("It has 99 GB of RAM.", cosines) == ()
    assert there.semantic("It has plenty of RAM.", [0.8] * 10) == ()


def test_a_date_in_another_spelling_is_the_same_date() -> None:
    found = source_sentences(0, "Went live on 2025-06-03 after two slips.")
    there = Sources("When did it go live?", found, {})
    assert there.lexical("It went live on June 3, 2025.", ())
    assert not there.lexical("It went live on March 31, 2025.", ())


def test_nearness_of_the_question_itself_is_no_support() -> None:
    found = source_sentences(0, "Позвал, не показывает.")
    there = Sources("Какую версию прошивки не ставить?", found, {})
    assert there.semantic("Версию прошивки не ставить.", [0.95]) == ()


def test_a_number_with_another_unit_is_another_number() -> None:
    found = source_sentences(0, "| RTX 4060 Ti 16 GB | 16 | 1,690 GEL |")
    assert not Sources("Сколько минут лежал matcher?", found, {}).lexical("16 минут", ())


def test_one_persons_fact_is_not_anothers() -> None:
    found = source_sentences(0, "Birthdays I forget: Mei 3 April, Lotte 22 Sept.")
    there = Sources("When is Farid's birthday?", found, {})
    assert not there.lexical("Farid's birthday is on September 22.", ())
    assert Sources("When is Lotte's birthday?", found, {}).lexical("Lotte's birthday is on September 22.", ())


def test_a_name_may_be_written_in_the_other_script() -> None:
    found = source_sentences(0, "Виктор купил 12 ульев в 2019.")
    there = Sources("How many hives did Viktor buy?", found, {})
    assert there.semantic("In 2019 Viktor bought 12.", [0.93])
    assert not there.semantic("In 2019 Dmitry bought 12.", [0.93])


def test_grouped_digits_are_one_number() -> None:
    found = source_sentences(0, "Аренда выросла до 1\u00a0200 лари.")
    assert Sources("аренда", found, {}).lexical("Аренда теперь 1200 лари.", ())


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("В нём 64 ГБ памяти.", "В нём 64ГБ памяти."),
        ("Мешок весит 1,5 кг.", "Мешок весит 1.5 кг."),
        ("Копия идёт в 03:30 ночью.", "Копия идёт в 3:30 ночью."),
        ("Куплен в 2024 году.", "Куплен в 2024-м году."),
        ("created: 2025-06-03T10:00 релиз", "Релиз 3 июня 2025."),
    ],
)
def test_a_number_in_another_spelling_is_the_same_number(note: str, said: str) -> None:
    assert Sources("?", source_sentences(0, note), {}).lexical(said, ())


@pytest.mark.parametrize("said", ["Мешок весит 15 кг.", "Мешок весит 1.6 кг.", "Мешок весит 1.5 тонны и 3 кг."])
def test_another_number_stays_another(said: str) -> None:
    assert not Sources("?", source_sentences(0, "Мешок весит 1,5 кг."), {}).lexical(said, ())


def test_repeated_headings_are_known() -> None:
    found = source_sentences(0, "## Порты и **доступ**\n\nПорт 22 закрыт.")
    there = Sources("?", found, {})
    assert there.repeats_heading("### Порты и **доступ**:")
    assert not there.repeats_heading("Порт 22 закрыт.")


@pytest.mark.slow
def test_what_a_note_says_cites_itself_when_it_is_said_again() -> None:
    said = cited = 0
    for path in sorted(VAULT.rglob("*.md"))[:40]:
        found = source_sentences(0, path.read_text(encoding="utf-8"))[:40]
        there = Sources("?", found, {0: path.stem})
        for sentence in found:
            words = plain_line(sentence.text)
            if sentence.backs and len(words.split()) >= FEWEST_WORDS:
                said += 1
                cited += any(support.source.text == sentence.text for support in there.lexical(words, ()))
    assert said > 300
    assert cited >= 0.99 * said
