"""From notes as people write them to claims, in Russian and English."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vaultrag.contradictions.claims.extract import Dropped, Extraction, claims_of_chunk
from vaultrag.domain import AsOfSource, Bound, Chunk, Claim, ClaimContext, Holder, Stance, StatedKind, SubjectSource
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.features import with_features
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note


def chunks_of(text: str, path: str = "Заметка.md") -> tuple[str, list[Chunk]]:
    note = parse_note(path, text)
    return note.title, with_features(note, chunk_note(note, lambda words: len(words) // 4, 250, 480))


def extracted(text: str, path: str = "Заметка.md") -> list[Extraction]:
    title, chunks = chunks_of(text, path)
    return [claims_of_chunk(chunk, title) for chunk in chunks]


def claims(text: str, path: str = "Заметка.md") -> list[Claim]:
    return [claim for extraction in extracted(text, path) for claim in extraction.claims]


def dropped(text: str, path: str = "Заметка.md") -> set[Dropped]:
    return {reason for extraction in extracted(text, path) for reason in extraction.dropped}


def kinds(claim: Claim) -> list[tuple[StatedKind, float | str | None]]:
    return [(value.kind, value.text or value.magnitude) for value in claim.values]


def attributes(found: Sequence[Claim]) -> list[str]:
    return [claim.attribute for claim in found]


def test_quotes_stand_verbatim_at_their_spans() -> None:
    text = (
        "# Насос\n\nКуплен **в мае 2023**, 120 €; гарантия 2 года.\n\n| Деталь | Цена |\n|---|---|\n| фильтр | 12 € |\n"
    )
    note_lines = Lines(text)
    found = claims(text)
    assert len(found) >= 3
    for claim in found:
        start, end = note_lines.offsets(claim.span)
        assert text[start:end] == claim.quote


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("Договор: срок 3 года", "Договор", (StatedKind.DURATION, 3 * 365 * 86400.0)),
        ("notice: 60 days, in writing", "notice", (StatedKind.DURATION, 60 * 86400.0)),
        ("лицензия: MIT", "лицензия", (StatedKind.NAME, "mit")),
        ("Smoking: never", "Smoking", (StatedKind.POLARITY, "no")),
        ("Хозяйка – Нина Орлова, живёт в Твери", "Хозяйка", (StatedKind.NAME, "нина орлова")),
        ("декларация – до 15-го числа каждого месяца", "декларация", (StatedKind.DATE, "---15")),
        ("return: by the 20th of each month", "return", (StatedKind.DATE, "---20")),
        ("давление:: 7,5 бар", "давление", (StatedKind.MEASURE, 7.5)),
        ("занятия: вторник и пятница", "занятия", (StatedKind.DATE, "W2")),
    ],
)
def test_what_stands_before_a_colon_or_dash_is_the_attribute(
    text: str, attribute: str, value: tuple[StatedKind, float | str]
) -> None:
    [claim] = claims(f"- {text}\n")
    assert claim.attribute == attribute
    assert value in kinds(claim)
    assert (claim.subject, claim.subject_from) == ("Заметка", SubjectSource.TITLE)


def test_cells_stand_under_their_header_and_belong_to_their_row() -> None:
    found = claims(
        "| Tank | Size, l | Since |\n|---|---|---|\n| north | 300 | May 2021 |\n| south | 500 | |\n", "Farm.md"
    )
    size = [claim for claim in found if claim.attribute == "Size, l"]
    assert [(claim.subject, claim.values[0].magnitude, claim.values[0].unit) for claim in size] == [
        ("north", 300.0, "l"),
        ("south", 500.0, "l"),
    ]
    assert {claim.context for claim in found} == {ClaimContext.CELL}
    assert size[0].statement == "Farm: north, Size, l: 300"


def test_table_in_a_quote_with_points_in_its_rows_keeps_its_header() -> None:
    rows = "> | **Модель** | **Парам.** | **VRAM (4-бит)** |\n> |---|---|---|\n> | A-32 | 32B. Много. | ~21 ГБ |\n"
    found = claims(f"> Ниже таблица:\n>\n{rows}", "Модели.md")
    assert [(claim.subject, claim.attribute) for claim in found] == [("A-32", "Парам."), ("A-32", "VRAM (4-бит)")]
    assert {claim.quote for claim in found} == {"| A-32 | 32B. Много. | ~21 ГБ |"}


def test_rows_that_begin_with_a_date_hold_as_of_it() -> None:
    found = claims("| Год | Урожай, кг |\n|---|---|\n| 2023 | 96 |\n| 2024 | 131 |\n", "Сад.md")
    assert [(claim.as_of.first, claim.as_of.last) for claim in found if claim.as_of] == [
        ("2023-01-01", "2023-12-31"),
        ("2024-01-01", "2024-12-31"),
    ]


def test_row_that_begins_with_a_number_is_named_by_what_follows() -> None:
    found = claims("| VLAN | Name | Speed |\n|---|---|---|\n| 40 | guests | 20 Mbit/s |\n", "Net.md")
    assert [(claim.attribute, claim.subject) for claim in found] == [("Name", "VLAN 40"), ("Speed", "VLAN 40, guests")]


def test_enumerated_values_are_claims_of_their_own() -> None:
    assert attributes(claims("Рост 181, вес 77.\n")) == ["Рост", "вес"]


def test_dated_values_of_one_key_each_hold_at_their_time() -> None:
    found = claims("- вес: 61 (2023), 64 (2024), 63 (янв. 2026)\n")
    assert [(claim.values[0].magnitude, claim.as_of and claim.as_of.first) for claim in found] == [
        (61.0, "2023-01-01"),
        (64.0, "2024-01-01"),
        (63.0, "2026-01-01"),
    ]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("с мая 2023: 800 $", "2023-05-01", ""),
        ("until the end of 2024: two-week shifts", "", "2024-12-31"),
        ("В марте 2025 насос чинили дважды.", "2025-03-01", "2025-03-31"),
        ("He has lived in Porto since 2019.", "2019-01-01", ""),
        ("Дачу продали в мае 2020-го.", "2020-05-01", "2020-05-31"),
    ],
)
def test_time_of_a_statement_is_read_from_its_words(text: str, first: str, last: str) -> None:
    claim = claims(f"{text}\n", "Joel Costa.md")[0]
    assert claim.as_of is not None
    assert (claim.as_of.first, claim.as_of.last, claim.as_of.source) == (first, last, AsOfSource.TEXT)


def test_time_comes_from_the_heading_and_then_from_the_note() -> None:
    dated = "---\ndate: 2024-03-01\n---\n# Бойлер\n\nДавление 3 бар.\n\n## Ремонт, 5 июня 2024\n\nДавление 2 бар.\n"
    by_note, by_heading = (claim.as_of for claim in claims(dated))
    assert by_note is not None
    assert by_heading is not None
    assert (by_note.first, by_note.source) == ("2024-03-01", AsOfSource.NOTE)
    assert (by_heading.first, by_heading.source) == ("2024-06-05", AsOfSource.HEADING)


def test_day_of_a_diary_is_of_the_year_that_its_heading_names() -> None:
    text = (
        "# 2019\n\n## Январь 2019\n\n**9 января**, ср. −15, вес 79,6.\n\n## Ноябрь 2019\n\n**27 ноября**, ср. Вес 80.\n"
    )
    found = claims(text, "Архив 2019–2021.md")
    assert {claim.as_of.first for claim in found if claim.as_of} == {"2019-01-09", "2019-11-27"}
    assert {claim.subject for claim in found} <= {"я", "Вес", "вес"}


@pytest.mark.parametrize(
    "text", ["Доел вчерашний суп.", "Copied the list, so that next year I find it.", "Насос купили летом."]
)
def test_words_that_only_describe_are_no_time(text: str) -> None:
    [claim] = claims(f"{text}\n", "2024-02-01.md")
    assert claim.as_of is not None
    assert (claim.as_of.first, claim.as_of.source) == ("2024-02-01", AsOfSource.NOTE)


def test_yesterday_needs_a_day() -> None:
    dated, undated = (
        claims("Вчера сломался насос.\n", "2024-02-01.md"),
        claims("Вчера сломался насос.\n", "Архив 2019–2021.md"),
    )
    assert [claim.as_of and claim.as_of.first for claim in dated] == ["2024-01-31"]
    assert [claim.as_of and claim.as_of.source for claim in undated] == [AsOfSource.HEADING]


def test_days_without_a_year_lie_near_the_note() -> None:
    [claim] = claims("Anna takes over from 24 Nov.\n", "2025-11-20.md")
    assert claim.as_of is not None
    assert (claim.as_of.first, claim.as_of.year_known) == ("2025-11-24", False)
    assert claims("Anna takes over from 24 Nov.\n", "Plan.md")[0].as_of is None


def test_day_that_opens_a_paragraph_holds_for_all_of_it() -> None:
    diary = "**27 ноября 2020**, ср. За окном −3. Сон 5 ч.\n\nКошка весит 4 кг.\n\n**28 ноября 2020**\n\nСон 7 ч.\n"
    days = [claim.as_of.first if claim.as_of else "" for claim in claims(diary, "Дневник.md")]
    assert days == ["2020-11-27", "2020-11-27", "", "2020-11-28"]


@pytest.mark.parametrize("text", ["Лимон зимой стоит у батареи.", "In winter the lemon stands by the stove."])
def test_season_is_a_condition_and_no_time(text: str) -> None:
    [claim] = claims(f"{text}\n", "2024-02-01.md")
    assert claim.as_of is not None
    assert claim.as_of.source is AsOfSource.NOTE


def test_a_deadline_is_a_value_and_no_time_of_the_statement() -> None:
    [claim] = claims("- прививка – ревакцинация до 06.2027\n")
    assert claim.as_of is None
    assert (StatedKind.DATE, "2027-06") in kinds(claim)


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("Насос стоит в подвале.", Stance.ASSERTED),
        ("Собираюсь перенести насос в гараж.", Stance.PLANNED),
        ("- [ ] перенести насос в гараж", Stance.PLANNED),
        ("- [x] перенёс насос в гараж", Stance.ASSERTED),
        ("Если бы насос стоял в гараже, шума было бы меньше.", Stance.HYPOTHETICAL),
        ("Говорят, насос шумит на 60 дБ.", Stance.REPORTED),
        ("We will move the pump to the garage.", Stance.PLANNED),
        ("What if the pump stood in the garage.", Stance.HYPOTHETICAL),
        ("The pump allegedly needs 300 W.", Stance.REPORTED),
        ("Спросить у Олега, сколько стоит насос.", Stance.ASKED),
        ("Do not run the pump at night, no need to.", Stance.ASSERTED),
    ],
)
def test_stance_is_told_by_the_words(text: str, stance: Stance) -> None:
    assert [claim.stance for claim in claims(f"{text}\n", "Pump.md")] == [stance]


def test_sentence_is_parted_where_it_turns_to_a_plan() -> None:
    found = claims("Клапан без метки, метить будем весной.\n")
    assert [(claim.quote, claim.stance) for claim in found] == [
        ("Клапан без метки", Stance.ASSERTED),
        ("метить будем весной.", Stance.PLANNED),
    ]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Олег говорит, что насос берёт 300 Вт.", "Олег"),
        ("По словам мастера, насос берёт 300 Вт.", "мастера"),
        ("Maria said the pump takes 300 W.", "Maria"),
        ("According to Maria the pump takes 300 W.", "Maria"),
    ],
)
def test_what_somebody_else_says_is_theirs(text: str, speaker: str) -> None:
    [claim] = claims(f"{text}\n", "Pump.md")
    assert (claim.holder, claim.speaker, claim.stance) == (Holder.QUOTED, speaker, Stance.REPORTED)


def test_quoted_lines_are_not_the_users_but_callouts_are() -> None:
    quoted, own = claims(
        "> The pump takes 300 W.\n\nBetween them.\n\n> [!note] Mine\n> The pump takes 280 W.\n", "P.md"
    )
    assert (quoted.holder, own.holder) == (Holder.QUOTED, Holder.USER)


def test_messages_of_a_chat_are_held_by_who_wrote_them() -> None:
    asked, told = "**Я:** У меня насос на 300 Вт.", "**ChatGPT:** Такой насос берёт 280 Вт."
    chat = f"{asked}\n\n{told}\n\n**Я:** Понял, 300 Вт.\n\n**ChatGPT:** Да.\n"
    found = claims(chat)
    assert [(claim.holder, claim.speaker) for claim in found][:2] == [(Holder.USER, ""), (Holder.ASSISTANT, "ChatGPT")]
    assert [claim.attribute for claim in found if "ChatGPT" in claim.attribute] == []


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("Сколько ватт берёт насос?\n", "Насос.md", Dropped.QUESTION),
        ("Does the pump take 300 W?\n", "Pump.md", Dropped.QUESTION),
        ("Каким был насос до замены? (ответ в заметке 2019 года)\n", "Насос.md", Dropped.QUESTION),
        ("Мощность: {{мощность}} Вт\n", "Насос.md", Dropped.TEMPLATE),
        ("Мощность: 300 Вт\n", "Шаблоны/Насос.md", Dropped.TEMPLATE),
        ("Мощность: 300 Вт\n", "Насос (conflicted copy 2024-05-01).md", Dropped.COPY),
        ("---\nsource: 300 Вт\n---\nНасос?\n", "Насос.md", Dropped.ABOUT_THE_NOTE),
    ],
)
def test_what_states_nothing_gives_no_claim_and_is_counted(text: str, path: str, reason: Dropped) -> None:
    assert claims(text, path) == []
    assert reason in dropped(text, path)


def test_code_headings_embeds_and_struck_words_give_no_claim() -> None:
    text = (
        "# Мощность 300 Вт\n\n```\npower = 300\n```\n\n![[Насос.png]]\n\n~~Мощность 250 Вт.~~\n\n[[Другой насос]]\n\n"
    )
    assert claims(f"{text}- ~~кисти для Марины~~ (2023, попал)\n") == []


def test_what_replaces_struck_words_is_a_claim() -> None:
    [claim] = claims("~~99,5 %~~ → 99,9 % с 1 июля 2025.\n")
    assert (StatedKind.SHARE, 99.9) in kinds(claim)
    assert (StatedKind.SHARE, 99.5) not in kinds(claim)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Плавание бросила, рисует.", "Соня"),
        ("Зевает вилки, когда соперник вздыхает.", "Соня"),
        ("Смазал замок в подвале.", "Соня"),
        ("Сгорел первый шлюз.", "первый шлюз"),
        ("Лимон зимой держим в тепле.", "Лимон"),
        ("Фильтр насоса меняют раз в год.", "Фильтр насоса"),
        ("The filter of the pump lasts two years.", "filter of the pump"),
        ("3 комнаты, 84 м², двор виден из кухни.", "Соня"),
    ],
)
def test_subject_is_what_the_verb_speaks_of_and_no_object(text: str, subject: str) -> None:
    assert claims(f"{text}\n", "Соня.md")[0].subject == subject


@pytest.mark.parametrize(
    ("text", "path", "statement"),
    [
        ("Манана сдаёт квартиру. Она вычла 200 $.", "Ремонт.md", "Ремонт: Манана вычла 200 $."),
        ("The pump is Italian. It takes 300 W.", "Cellar.md", "Cellar: pump takes 300 W."),
        ("Переехал в 2019-м. Он пьёт чай без сахара.", "Дядя Олег.md", "Дядя Олег пьёт чай без сахара."),
    ],
)
def test_pronoun_gives_way_to_what_it_stands_for(text: str, path: str, statement: str) -> None:
    assert claims(f"{text}\n", path)[-1].statement == statement


@pytest.mark.parametrize("text", ["Это стоит 300 Вт.", "She pays €40 a month.", "This takes 40 minutes."])
def test_claim_whose_subject_is_uncertain_is_dropped_and_counted(text: str) -> None:
    assert claims(f"{text}\n", "Бумаги на 2024 год и прочее, разное.md") == []
    assert Dropped.UNRESOLVED in dropped(f"{text}\n", "Бумаги на 2024 год и прочее, разное.md")


def test_diary_speaks_of_its_writer_and_a_persons_note_of_that_person() -> None:
    diary = claims("Заплатил 950 за квартиру.\n", "2025-01-09.md")[0]
    person = claims("- не пьёт с 2011\n", "Дядя Олег.md")[0]
    assert (diary.subject, diary.subject_from) == ("я", SubjectSource.HOLDER)
    assert (person.subject, person.subject_from) == ("Дядя Олег", SubjectSource.TITLE)
    assert (StatedKind.POLARITY, "no") in kinds(person)


def test_key_outlives_another_line_and_folder_but_no_other_words() -> None:
    [claim] = claims("Насос берёт 300 Вт.\n", "А/Насос.md")
    [moved] = claims("\n\n\nНасос берёт 300 Вт.\n", "Б/Насос.md")
    [other] = claims("Насос берёт 310 Вт.\n", "А/Насос.md")
    assert claim.key == moved.key != other.key


def test_long_paragraph_keeps_its_day_and_what_its_pronouns_mean() -> None:
    filler = "Погода питерская, туман до обеда. " * 8
    text = f"**2 марта 2020**, пн. {filler}Насос купила Манана. Она заплатила 200 $.\n"
    last = claims(text, "Дневник.md")[-1]
    assert last.as_of is not None
    assert (last.as_of.first, last.subject, last.subject_from) == ("2020-03-02", "Манана", SubjectSource.EARLIER)


def test_days_of_an_event_are_its_value() -> None:
    [claim] = claims("Offsite: 9–13 March, Utrecht.\n", "2025-11-20.md")
    assert (StatedKind.DATE, "--03-09/--03-13") in kinds(claim)
    assert claims("2025-05-11 – HA 2025.5.1 runs.\n", "Log.md")[0].as_of is not None


def test_line_of_its_own_is_a_statement_of_its_own() -> None:
    found = claims("Пианино с Аней по средам в 17:00\nаллергия на орехи, носит лекарство\nплавание: суббота 11:00\n")
    assert [claim.quote for claim in found] == [
        "Пианино с Аней по средам в 17:00",
        "аллергия на орехи, носит лекарство",
        "плавание: суббота 11:00",
    ]


def test_wrapped_line_goes_on() -> None:
    text = (
        "The pump in the cellar was bought from the hardware store in the village and\nhas a warranty of two years.\n"
    )
    assert [claim.quote for claim in claims(text)] == [text.strip()]


def test_each_part_that_names_its_value_is_a_statement() -> None:
    assert attributes(claims("atlas – 192.168.1.10, hermes – 192.168.1.12.")) == ["atlas", "hermes"]


def test_phone_number_is_a_name_and_no_amount() -> None:
    [found] = claims("Vera: +381 64 555 01 20")
    assert kinds(found) == [(StatedKind.NAME, "+381 64 555 01 20")]


@pytest.mark.parametrize(
    "text", ["booster: done, refresh not later than June 2026", "прививка: повторить не позже июня 2026"]
)
def test_not_later_than_is_a_deadline_and_no_beginning(text: str) -> None:
    [found] = claims(text)
    assert found.as_of is None
    assert [value.bound for value in found.values if value.kind is StatedKind.DATE] == [Bound.MOST]
