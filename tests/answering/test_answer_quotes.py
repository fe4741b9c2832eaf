"""Answers in the notes' own words: in the answer's language, attributed, with what disagrees and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.doubles import ScriptedModel
from tests.passages import text_at
from vaultrag.answering.answer import Answerer
from vaultrag.answering.judging.checks import UNCHECKED, Checks
from vaultrag.answering.judging.support import Statement
from vaultrag.answering.judging.sureness import Answerability, Shown
from vaultrag.config import AnsweringSection
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStatus,
    AnswerStyle,
    Backing,
    Chunk,
    Level,
    Manner,
    Passage,
    PassagesFound,
    ProbeRecord,
    QuotesFound,
    Refusal,
    SearchResult,
    SentenceFound,
    SentenceState,
    Span,
    Sureness,
    TextPiece,
)

RECORD = ProbeRecord(40, 34, 40, 31, of_this_vault=True)


def note(path: str, text: str, *, date: str = "", speaker: str = "", model: str = "", said: str = "") -> Passage:
    lines = text.split("\n")
    chunk = Chunk(
        path, path, (), Span(1, 1, len(lines), max(1, len(lines[-1]))), "", speaker, text, text, "ru", path,
        date=date, model=model, said=said,
    )  # fmt: skip
    return Passage(chunk, path.removesuffix(".md"), 1.0, (), similarity=0.9)


def answerer(
    passages: Sequence[Passage],
    model: ScriptedModel | None,
    checks: Checks = UNCHECKED,
    settings: AnsweringSection | None = None,
) -> Answerer:
    return Answerer(
        search=lambda query, _: SearchResult(query, tuple(passages), ("keyword",), (), {}, coverage=1.0),
        model=model,
        embedder=None,
        settings=settings or AnsweringSection(),
        prompt_budget=lambda: 4000,
        refusal=Refusal.WITHHELD,
        learn=lambda _: None,
        prepare=lambda: iter(()),
        caution=tuple,
        checks=lambda: checks,
    )


def finished(events: Iterator[AnswerEvent]) -> Answer:
    *_, last = events
    assert isinstance(last, AnswerReady)
    return last.answer


def judging(level: Level, backing: Backing = Backing.BACKED, style: AnswerStyle = AnswerStyle.PROSE) -> Checks:
    """Judge every question and every sentence alike."""

    def answers(_question: str, _excerpts: Sequence[Shown]) -> Answerability:
        sureness = Sureness(level, calibrated=True, score=1.0, threshold=0.0, record=RECORD)
        return Answerability(sureness, (1.0,))

    def supports(statements: Sequence[Statement]) -> tuple[Backing, ...]:
        return tuple(backing for _ in statements)

    return Checks(answers, supports, style)


MEMORY = note("Маяк.md", "В сервере 64 ГБ памяти.", date="2024-09-03")
RENT_OLD = note("Гараж 2024.md", "Аренда гаража стоит 300 лари.", date="2024-02-01")
RENT_NEW = note("Гараж 2025.md", "Аренда гаража теперь стоит 350 лари.", date="2025-03-05")


def test_the_first_quotes_come_before_the_model_has_read_a_token() -> None:
    model = ScriptedModel(["В сервере 64 ГБ памяти."])
    events = answerer([MEMORY], model).answer("Сколько памяти в сервере?")
    first = next(events)
    assert isinstance(first, QuotesFound)
    assert [quote.quote for quote in first.quotes] == ["В сервере 64 ГБ памяти."]
    assert model.prompts == []
    assert finished(events).status is AnswerStatus.ANSWERED
    assert len(model.prompts) == 1


def test_quotes_come_again_in_the_judged_order_with_how_sure_they_are() -> None:
    events = list(answerer([MEMORY], ScriptedModel(["В сервере 64 ГБ."]), judging(Level.BACKED)).answer("Сколько ГБ?"))
    shown = [event for event in events if isinstance(event, QuotesFound)]
    assert [event.sureness and event.sureness.level for event in shown] == [None, Level.BACKED]
    checked = [event.sentence.support for event in events if isinstance(event, SentenceFound)]
    assert checked == [Backing.UNCHECKED, Backing.BACKED]


@pytest.mark.parametrize(
    ("level", "frame"),
    [
        (Level.BACKED, {"ru": "В заметках сказано:", "en": "The notes say:"}),
        (Level.WEAK, {"ru": "Ближе всего в заметках", "en": "Nearest in the notes"}),
    ],
)
@pytest.mark.parametrize(
    ("question", "language"), [("Сколько памяти в сервере?", "ru"), ("How much memory does the server have?", "en")]
)
def test_quotes_stand_in_a_frame_in_the_questions_language(
    level: Level, frame: dict[str, str], question: str, language: str
) -> None:
    answer = finished(answerer([MEMORY], ScriptedModel([]), judging(level)).answer(question, QUOTED))
    assert answer.text.startswith(frame[language])
    assert "В сервере 64 ГБ памяти." in answer.text
    assert (answer.level, answer.style) == (level, AnswerStyle.QUOTES)
    assert answer.sureness is not None
    assert answer.sureness.record == RECORD


@pytest.mark.parametrize(
    ("wanted", "question", "frame"),
    [("en", "Сколько памяти в сервере?", "Nearest in"), ("ru", "What memory has the server?", "Ближе всего")],
)
def test_a_set_language_goes_before_the_questions(wanted: str, question: str, frame: str) -> None:
    settings = AnsweringSection.model_validate({"language": wanted})
    model = ScriptedModel(["64."])
    answer = finished(answerer([MEMORY], None, settings=settings).answer(question))
    assert answer.text.startswith(frame)
    list(answerer([MEMORY], model, settings=settings).answer(question))
    assert ("English" if wanted == "en" else "по-русски") in model.prompts[0][0].content


@pytest.mark.parametrize(
    ("note_text", "question", "reply"),
    [
        ("The server has 64 GB of memory.", "Сколько памяти у сервера?", "У сервера 64 ГБ памяти."),
        ("В сервере 64 ГБ памяти.", "How much memory has the server?", "The server has 64 GB of memory."),
    ],
)
def test_notes_of_the_other_language_are_answered_in_the_questions(note_text: str, question: str, reply: str) -> None:
    passage = note("a.md", note_text)
    model = ScriptedModel([reply])
    answer = finished(answerer([passage], model, judging(Level.BACKED)).answer(question))
    asked_in = "по-русски" if question.startswith("С") else "English"
    assert asked_in in model.prompts[0][0].content
    quoted = finished(answerer([passage], None).answer(question))
    assert note_text in quoted.text
    assert quoted.text.startswith("Ближе всего" if question.startswith("С") else "Nearest")
    assert answer.status is not AnswerStatus.NOT_IN_VAULT


def test_what_is_not_in_the_vault_is_never_drafted_and_its_near_misses_are_offered() -> None:
    model = ScriptedModel(["В сервере 64 ГБ памяти."])
    events = list(answerer([MEMORY], model, judging(Level.NOT_IN_VAULT)).answer("Какого цвета сервер?", PROSE))
    answer = finished(iter(events))
    assert (answer.status, answer.level) == (AnswerStatus.NOT_IN_VAULT, Level.NOT_IN_VAULT)
    assert answer.text == "В заметках этого нет."
    assert [quote.path for quote in answer.quotes] == ["Маяк.md"]
    assert model.prompts == []
    assert not [event for event in events if isinstance(event, TextPiece)]
    assert [event for event in events if isinstance(event, PassagesFound)]


@pytest.mark.parametrize("backing", [Backing.NOT_BACKED, Backing.PARTLY, Backing.BACKED])
def test_only_what_its_lines_say_is_told(backing: Backing) -> None:
    model = ScriptedModel(["В сервере 64 ГБ памяти."])
    answer = finished(answerer([MEMORY], model, judging(Level.BACKED, backing)).answer("Сколько памяти в сервере?"))
    told = [sentence for sentence in answer.sentences if sentence.state is SentenceState.CITED]
    if backing is Backing.NOT_BACKED:
        assert (answer.style, answer.level) == (AnswerStyle.QUOTES, Level.WEAK)
        assert "no source" in " ".join(answer.warnings)
    else:
        assert (answer.style, [one.support for one in told]) == (AnswerStyle.PROSE, [backing])
        assert answer.level is (Level.BACKED if backing is Backing.BACKED else Level.WEAK)


def test_nothing_is_certain_with_a_model_that_nobody_measured() -> None:
    answer = finished(answerer([MEMORY], ScriptedModel(["В сервере 64 ГБ памяти."])).answer("Сколько памяти?"))
    assert answer.level is Level.WEAK
    assert answer.sentences[0].support is Backing.UNCHECKED


def test_a_model_whose_prose_fails_too_often_leaves_the_word_to_the_notes() -> None:
    model = ScriptedModel(["В сервере 64 ГБ памяти."])
    checks = judging(Level.BACKED, style=AnswerStyle.QUOTES)
    assert finished(answerer([MEMORY], model, checks).answer("Сколько памяти?")).style is AnswerStyle.QUOTES
    assert model.prompts == []
    assert finished(answerer([MEMORY], model, checks).answer("Сколько памяти?", PROSE)).style is AnswerStyle.PROSE


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Какую карту взять?", "Ассистент сказал (gpt-4o, 2025-06-10): «Я взял бы карту RTX 4060.»"),
        ("Which card should I take?", "An assistant said (gpt-4o, 2025-06-10): “Я взял бы карту RTX 4060.”"),
    ],
)
def test_an_assistants_words_are_never_told_as_the_users(question: str, told: str) -> None:
    said = note("chat.md", "Я взял бы карту RTX 4060.", speaker="assistant", model="gpt-4o", said="2025-06-10T12:00")
    answer = finished(answerer([said], None).answer(question))
    assert answer.sentences[0].text == told
    assert all(line.startswith(("- Ассистент", "- An assistant")) for line in answer.text.split("\n")[1:])


@pytest.mark.parametrize(
    ("question", "text", "told"),
    [
        ("Какой картридж стоит?", "«Гейзер», картридж в бойлере.", "«„Гейзер“, картридж в бойлере.» (Бойлер)"),
        ("Что сказал Гоча про насос?", "Гоча сказал: “Насос цел”", "«Гоча сказал: „Насос цел“» (Бойлер)"),
        ("Which cartridge is in?", "“Geyser” is the cartridge.", "“‘Geyser’ is the cartridge.” (Бойлер)"),
        (
            "What did Gocha say of the pump?",
            "Gocha said: «the pump is fine»",
            "“Gocha said: ‘the pump is fine’” (Бойлер)",
        ),
    ],
)
def test_a_quote_that_has_marks_itself_has_no_double_ones(question: str, text: str, told: str) -> None:
    answer = finished(answerer([note("Бойлер.md", text)], None).answer(question))
    assert answer.sentences[0].text == told
    assert answer.citations[0].quote == text  # as it stands in the note


@pytest.mark.parametrize(
    ("question", "text", "told"),
    [
        ("Что с лицензией?", "- [x] оплатить лицензию\n", "«(сделано) оплатить лицензию» (Дела) [1]"),
        ("Is the licence paid?", "- [ ] pay the licence\n", "“(not done) pay the licence” (Дела) [1]"),
    ],
)
def test_a_task_that_is_quoted_first_is_told_with_its_state_in_words(question: str, text: str, told: str) -> None:
    written = note("Дела.md", text)
    language = "ru" if "лиц" in text else "en"
    found = replace(written, chunk=replace(written.chunk, language=language))
    assert told in finished(answerer([found], None).answer(question)).text


def test_the_marks_round_code_are_not_told() -> None:
    text = "Резервная копия запускается так:\n```sh\nrestic backup /srv\n```"
    answer = finished(answerer([note("Копии.md", text)], None).answer("Как запускается резервная копия restic?"))
    assert "restic backup /srv" in answer.text
    assert "```" not in answer.text


def test_both_sides_of_a_dispute_are_cited_with_their_days() -> None:
    model = ScriptedModel(["Аренда гаража стоит 300 лари."])
    question = "Сколько стоит аренда гаража?"
    for answer in (
        finished(answerer([RENT_NEW, RENT_OLD], None).answer(question)),
        finished(answerer([RENT_NEW, RENT_OLD], model, judging(Level.BACKED)).answer(question)),
    ):
        [dispute] = answer.disputes
        cited = {citation.number: citation for citation in answer.citations}
        assert [cited[number].path for number in dispute.citations] == ["Гараж 2024.md", "Гараж 2025.md"]
        assert dispute.said.startswith("раньше «Аренда гаража стоит 300 лари.» (Гараж 2024, 2024-02-01), позже «")
        assert answer.level is Level.WEAK


@pytest.mark.parametrize("style", [AnswerStyle.QUOTES, AnswerStyle.PROSE])
def test_notes_that_name_two_people_for_one_thing_disagree(style: AnswerStyle) -> None:
    notes = [note("Сарай.md", "Ключ от сарая у Анны."), note("Дача.md", "Ключ от сарая у Бориса.")]
    model = ScriptedModel(["Ключ от сарая у Анны."])
    answer = finished(
        answerer(notes, model, judging(Level.BACKED)).answer("У кого ключ от сарая?", Manner(style=style))
    )
    assert [dispute.said for dispute in answer.disputes] == [
        "«Ключ от сарая у Анны.» (Сарай), но «Ключ от сарая у Бориса.» (Дача)"
    ]
    cited = {citation.number: citation.path for citation in answer.citations}
    assert {cited[number] for number in answer.disputes[0].citations} == {"Сарай.md", "Дача.md"}
    assert answer.level is Level.WEAK


@pytest.mark.parametrize(
    ("form", "disputed"),
    [
        ("- [ ] {}", False),
        ("- [x] {}", False),
        ("```\n{}\n```", False),
        ("<!-- {} -->", False),
        ("- {}", True),
        ("```\nls\n```\n\n{}", True),
        ("[1] {}", True),
    ],
)
def test_tasks_code_and_comments_dispute_nothing(form: str, disputed: bool) -> None:
    for question, one, other in (
        ("Who gets the shed key?", "The shed key, Anna gets it.", "The shed key, Boris gets it."),
        ("Сколько литров краски для сарая?", "Краски для сарая 2 литра.", "Краски для сарая 3 литра."),
    ):
        notes = [note("a.md", form.format(one)), note("b.md", form.format(other))]
        assert bool(finished(answerer(notes, None).answer(question)).disputes) is disputed


def test_the_part_that_nothing_answers_is_named() -> None:
    answer = finished(answerer([MEMORY], None).answer("Сколько памяти в сервере и когда её купили?"))
    assert answer.missing == ("когда её купили",)


def test_of_a_follow_up_only_its_own_parts_are_missing_and_its_own_language_is_spoken() -> None:
    asked = "how much was it and who fitted it (поменяли картридж; Гоча)?"
    manner = Manner(own="and how much was it and who fitted it?")
    answer = finished(answerer([note("Бойлер.md", "Новый картридж стоил 95 лари.")], None).answer(asked, manner))
    assert answer.missing == ("who fitted it",)
    assert answer.sentences[0].text == "“Новый картридж стоил 95 лари.” (Бойлер)"


@pytest.mark.parametrize("style", [None, AnswerStyle.QUOTES, AnswerStyle.PROSE])
@pytest.mark.parametrize("level", list(Level))
def test_every_quote_of_an_answer_stands_in_its_note_at_its_span(style: AnswerStyle | None, level: Level) -> None:
    passages = [
        RENT_NEW,
        RENT_OLD,
        note("c.md", "- [x] аренда\n> цитата про аренду\n\n| а | б |\n|---|---|\n| 1 | гараж |"),
    ]
    model = ScriptedModel(["Аренда гаража стоит 300 лари. Её подняли до 900."])
    answer = finished(answerer(passages, model, judging(level)).answer("Сколько стоит аренда?", Manner(style=style)))
    shown = [*answer.quotes, *answer.citations]
    assert shown
    assert [text_at(passages, citation) for citation in shown] == [citation.quote for citation in shown]


def test_copying_without_end_is_stopped_and_said() -> None:
    text = "\n".join(f"- пункт {number} списка вещей в поездку" for number in range(60))
    model = ScriptedModel([text])
    answer = finished(answerer([note("Вещи.md", text)], model).answer("Какие вещи в поездку?"))
    assert "copied" in answer.stopped
    assert len(answer.sentences) < 30


QUOTED, PROSE = Manner(style=AnswerStyle.QUOTES), Manner(style=AnswerStyle.PROSE)


@pytest.mark.parametrize(
    ("level", "status"), [(Level.BACKED, AnswerStatus.PARTLY), (Level.WEAK, AnswerStatus.NOT_IN_VAULT)]
)
def test_a_draft_that_refuses_is_not_believed_against_the_models_own_judgement(
    level: Level, status: AnswerStatus
) -> None:
    model = ScriptedModel(["В заметках этого нет."])
    answer = finished(answerer([MEMORY], model, judging(level)).answer("Сколько памяти в сервере?"))
    assert answer.status is status
    assert [citation.quote for citation in answer.citations] == (
        ["В сервере 64 ГБ памяти."] if status is AnswerStatus.PARTLY else []
    )
