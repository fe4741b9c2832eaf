"""What may be told of a draft: what a note's own line says, with what leads to it, and nothing else."""

from __future__ import annotations

import pytest

from tests.doubles import AlikeEmbedder
from vaultrag.answering.draft import COPIED, Draft
from vaultrag.answering.prompt import Offered
from vaultrag.domain import Backing, Chunk, Passage, SentenceState, Span

NOTE = (
    "# Маяк\n\n## Память и диски\n\nВ сервере 64 ГБ памяти.\n\n## Сеть\n\nПорт 22 закрыт.\n\n## Оклад\n\n"
    "Оклад был ~~6500~~, теперь 7000 в [[Контора|конторе]].\n\n## План работ\n\nПереехать в шкаф.\n"
)


def draft(text: str, question: str = "Сколько памяти в сервере?", *, note: str = NOTE) -> Draft:
    chunk = Chunk("id", "Маяк.md", (), Span(1, 1, note.count("\n") + 1, 1), "", "", note, note, "ru", "hash")
    made = Draft(question, [Offered(Passage(chunk, "Маяк", 1.0, ()), 0, len(note))])
    for start in range(0, len(text), 7):
        list(made.add(text[start : start + 7]))
        if made.loops:
            break
    list(made.finish(None))
    return made


def removed(made: Draft) -> list[str]:
    return [sentence.text for sentence in made.prose().sentences if sentence.state is SentenceState.REMOVED]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Вот ответ по-русски:\n\nВ сервере 64 ГБ памяти.", "Вот ответ по-русски:\n\nВ сервере 64 ГБ памяти [1]."),
        ("Вот ответ по-русски:\n\nВ сервере 512 ГБ памяти.", ""),
        ("Конечно! В сервере 64 ГБ памяти. Надеюсь, это поможет!", "В сервере 64 ГБ памяти [1]."),
        ("Сколько памяти в сервере? В сервере 64 ГБ памяти.", "В сервере 64 ГБ памяти [1]."),
    ],
)
def test_what_says_nothing_is_told_only_where_it_leads_to_something(text: str, told: str) -> None:
    assert draft(text).prose().text == told


def test_a_lead_in_needs_no_source_and_is_missed_by_nobody() -> None:
    prose = draft("Вот ответ по-русски:\n\nВ сервере 64 ГБ памяти.").prose()
    assert [sentence.support for sentence in prose.sentences] == [Backing.UNCHECKED]


@pytest.mark.parametrize(
    "text",
    [
        "[not provided in the passage]",
        "Вот ответ:\n\nНе указано в заметках.",
        "Объём памяти не указан в отрывках.",
    ],
)
def test_an_admission_is_a_refusal(text: str) -> None:
    assert draft(text, "Сколько памяти в ноутбуке?").refuses


def test_an_admission_beside_a_fact_makes_the_answer_partial() -> None:
    made = draft("В сервере 64 ГБ памяти. Цена памяти не указана в заметках.")
    assert not made.refuses
    assert Backing.NOT_BACKED in [sentence.support for sentence in made.prose().sentences]


def test_copied_headings_end_the_draft_and_are_not_told() -> None:
    made = draft("## Память и диски\n\n## Сеть\n\n## Оклад\n\n## План работ\n\nВ сервере 64 ГБ памяти.")
    assert made.copies
    assert made.prose().text == ""


def test_prose_is_told_as_a_reader_sees_it() -> None:
    made = draft("Оклад был ~~6500~~, теперь 7000 в [[Контора|конторе]] [1].", "Какой оклад?")
    assert made.prose().text == "Оклад был (зачёркнуто: 6500), теперь 7000 в конторе [1]."


@pytest.mark.parametrize(
    ("backing", "is_told"),
    [(Backing.UNCHECKED, False), (Backing.NOT_BACKED, False), (Backing.PARTLY, True), (Backing.BACKED, True)],
)
def test_likeness_alone_backs_nothing(backing: Backing, is_told: bool) -> None:
    note = "В сервере стоит много оперативки.\n"
    made = draft("It holds plenty.", "How much RAM has it?", note=note)
    assert made.statements() == []
    list(made.finish(AlikeEmbedder()))
    assert [statement.text for statement in made.statements()] == ["It holds plenty."]
    list(made.judged([backing]))
    assert bool(made.prose().told) is is_told
    assert bool(removed(made)) is not is_told


@pytest.mark.parametrize("form", ["- Шланг номер {} лежит в сарае.", "- Hose number {} lies in the shed."])
def test_lines_that_are_copied_on_and_on_end_the_draft(form: str) -> None:
    lines = [form.format(number) for number in range(COPIED)]
    note = "\n".join(lines) + "\n"
    assert not draft("\n".join(lines[:-1]), "Что в сарае?", note=note).copies
    assert draft(note, "Что в сарае?", note=note).copies
