"""Saved answers held against edited notes, in quotes and in a model's words, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vaultrag.domain import (
    Answer,
    AnswerStatus,
    AnswerStyle,
    Citation,
    Fate,
    LivingAnswer,
    SavedAnswer,
    Sentence,
    SentenceState,
    SourceState,
    Span,
)
from vaultrag.records.living import as_judged, line_digest, look_at
from vaultrag.records.sources import CitedNote
from vaultrag.store.night.living import FateRow

LINE = "Бойлер Ariston поставил Темур, вышло 620 лари, гарантия до 2027 года."
ENGLISH = "The backup goes to Backblaze at 03:30, and the drill is in May."


def saved(quotes: Sequence[str], sentences: Sequence[tuple[str, tuple[int, ...]]] = ()) -> SavedAnswer:
    citations = tuple(
        Citation(number, f"{number}.md", (), "", Span(3, 1, 3, len(quote)), quote, "verbatim", 1.0)
        for number, quote in enumerate(quotes, 1)
    )
    answer = Answer(
        question="?",
        status=AnswerStatus.ANSWERED,
        text="",
        sentences=tuple(
            Sentence(number, text, SentenceState.CITED, cited) for number, (text, cited) in enumerate(sentences, 1)
        ),
        citations=citations,
        passages=(),
        model="",
        timings={},
        tokens={},
        style=AnswerStyle.PROSE if sentences else AnswerStyle.QUOTES,
    )
    return SavedAnswer("a1", "2025-01-01T00:00:00+00:00", "", answer, ())


def looked(one: SavedAnswer, *lines: str, others: str = "") -> LivingAnswer:
    notes = {f"{number}.md": CitedNote(f"{number}.md", f"# N\n\n{line}\n") for number, line in enumerate(lines, 1)}
    moved = CitedNote("other.md", others)

    def elsewhere(citation: Citation) -> tuple[str, SourceState] | None:
        state = moved.state_of(citation)
        return ("other.md", state) if state.state in ("stands", "moved") else None

    return look_at(one, lambda citations: [notes[each.path].state_of(each) for each in citations], elsewhere)


@pytest.mark.parametrize(
    ("line", "fate"),
    [
        (LINE, Fate.HOLDS),
        ("- **Бойлер** Ariston поставил [[Темур]], вышло 620 лари, гарантия до 2027 года", Fate.HOLDS),
        (LINE.replace("620", "720"), Fate.CHANGED),
        (LINE.replace("поставил", "не поставил"), Fate.CHANGED),
        (f"~~{LINE}~~", Fate.CHANGED),
        (f"Неверно, что {LINE[0].lower()}{LINE[1:]}", Fate.CHANGED),
        (LINE.replace("поставил", "установил"), Fate.NOT_JUDGED),
        ("Сегодня дождь.", Fate.GONE),
    ],
)
def test_quoted_line_holds_changes_or_goes(line: str, fate: Fate) -> None:
    assert looked(saved([LINE]), line).fate is fate


def test_line_that_goes_on_is_no_quote_of_its_beginning() -> None:
    found = looked(saved(["Вышло 620"]), "Вышло 620 000")
    assert found.fate is Fate.CHANGED
    assert found.sources[0].now == "Вышло 620 000"


@pytest.mark.parametrize(
    ("sentence", "line", "fate"),
    [
        ("Бойлер поставил Темур.", LINE.replace("620", "720"), Fate.HOLDS),
        ("Бойлер вышел в 620 лари.", LINE.replace("620", "720"), Fate.CHANGED),
        ("Бойлер поставил Темур.", LINE.replace("Темур", "Гиорги"), Fate.CHANGED),
        ("Temur installed the boiler for 620 lari.", LINE.replace("620", "720"), Fate.CHANGED),
        ("Бойлер поставил Темур.", LINE.replace("поставил", "не поставил"), Fate.CHANGED),
        ("Бойлер поставил Темур.", LINE.replace("поставил", "установил"), Fate.NOT_JUDGED),
        ("Бойлер поставил Темур.", f"~~{LINE}~~", Fate.CHANGED),
        ("Бойлер поставил Темур.", "Сегодня дождь.", Fate.GONE),
    ],
)
def test_sentence_stands_while_what_it_took_from_the_line_does(sentence: str, line: str, fate: Fate) -> None:
    assert looked(saved([LINE], [(sentence, (1,))]), line).fate is fate


@pytest.mark.parametrize(
    ("sentence", "line", "fate"),
    [
        ("The drill is in May.", ENGLISH.replace("03:30", "04:30"), Fate.HOLDS),
        ("The backup goes to Backblaze.", ENGLISH.replace("May", "June"), Fate.HOLDS),
        ("The drill is in May.", ENGLISH.replace("May", "June"), Fate.CHANGED),
        ("Учения в мае.", ENGLISH.replace("goes", "went"), Fate.NOT_JUDGED),
    ],
)
def test_english_sentence_likewise(sentence: str, line: str, fate: Fate) -> None:
    assert looked(saved([ENGLISH], [(sentence, (1,))]), line).fate is fate


ASIDE = "Отопления нет, только радиатор, зимой выходит ещё 60 лари."


@pytest.mark.parametrize(
    ("quote", "sentence", "line", "fate"),
    [
        (ASIDE, "В мастерской отопления нет, греет радиатор.", ASIDE.replace("60", "90"), Fate.HOLDS),
        (ASIDE, "В мастерской отопления нет, греет радиатор.", ASIDE.replace("радиатор", "камин"), Fate.NOT_JUDGED),
        (ASIDE, "Зимой это стоит 60 лари.", ASIDE.replace("60", "90"), Fate.CHANGED),
        (ENGLISH, "The copy goes to Backblaze each night.", ENGLISH.replace("May", "June"), Fate.HOLDS),
        (ENGLISH, "The copy goes to Backblaze.", ENGLISH.replace("the drill is", "the party is"), Fate.HOLDS),
        (ENGLISH, "The drill comes in May.", ENGLISH.replace("May", "May or June"), Fate.NOT_JUDGED),
    ],
)
def test_edit_beside_what_a_sentence_speaks_of_leaves_it(quote: str, sentence: str, line: str, fate: Fate) -> None:
    assert looked(saved([quote], [(sentence, (1,))]), line).fate is fate


def test_sentence_that_never_agreed_with_its_line_in_words_is_not_denied_by_an_edit() -> None:
    line = "Отопление – ничего нет, только масляный радиатор, ещё 60 лари."
    sentence = "В мастерской нет отопления."
    assert looked(saved([line], [(sentence, (1,))]), line.replace("60", "90")).fate is Fate.HOLDS


def test_sentence_that_another_line_still_carries_holds() -> None:
    one = saved([LINE, "Бойлер поставил Темур в октябре."], [("Бойлер поставил Темур.", (1, 2))])
    assert looked(one, "Сегодня дождь.", "Бойлер поставил Темур в октябре.").fate is Fate.HOLDS


def test_line_that_moved_into_another_note_holds_there() -> None:
    found = looked(saved([LINE]), "Сегодня дождь.", others=f"# Вынесено\n\n{LINE}\n")
    assert (found.fate, found.sources[0].path) == (Fate.HOLDS, "other.md")


def test_what_a_night_judged_counts_while_the_line_is_the_same() -> None:
    line = LINE.replace("поставил", "установил")
    row = FateRow("a1", 1, Fate.HOLDS, line_digest(line), "model")
    assert as_judged(looked(saved([LINE]), line), {1: row}).fate is Fate.HOLDS
    assert as_judged(looked(saved([LINE]), line.replace("гарантия", "запас")), {1: row}).fate is Fate.NOT_JUDGED


@pytest.mark.parametrize(
    ("line", "heading", "fate"),
    [
        (LINE, "Отменено", Fate.CHANGED),
        (LINE, "Отклонённые варианты", Fate.CHANGED),
        (LINE, "Дом", Fate.HOLDS),
        (ENGLISH, "Rejected", Fate.CHANGED),
        (ENGLISH, "Servers", Fate.HOLDS),
    ],
)
def test_line_that_was_moved_under_a_heading_that_sets_it_aside_holds_no_more(
    line: str, heading: str, fate: Fate
) -> None:
    found = looked(saved([line]), f"Rain.\n\n## {heading}\n\n{line}")
    assert found.fate is fate
    assert fate is Fate.HOLDS or found.sources[0].now == f"N › {heading}: {line}"
