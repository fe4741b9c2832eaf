"""Stored citations find their lines again after edits, and say what became of them."""

from __future__ import annotations

import pytest

from vaultrag.domain import Citation, QuoteState, SourceState, Span
from vaultrag.records.sources import CitedNote

QUOTE = "Счётчик **воды** — «старый», менять в 2026."


def state(text: str, quote: str = QUOTE, line: int = 3) -> SourceState:
    cited = Citation(1, "Дом.md", (), "", Span(line, 1, line, len(quote)), quote, "verbatim", 1.0)
    return CitedNote("Дом.md", text).state_of(cited)


@pytest.mark.parametrize(
    "line",
    [
        QUOTE,
        "Счётчик воды — «старый», менять в 2026.",
        'Счётчик **воды** - "старый", менять в\u00a02026.',
        "- [ ] Счётчик ==воды== – “старый”, менять в 2026. ^meter",
        "> Счётчик [[Вода|воды]] — «старый», менять в 2026.",
    ],
)
def test_other_signs_round_the_same_words_change_nothing(line: str) -> None:
    assert state(f"# Дом\n\n{line}\n") == SourceState(1, QuoteState.STANDS, (3, 3))
    assert state(f"# Дом\n\nНовое.\n\n{line}\n") == SourceState(1, QuoteState.MOVED, (5, 5), under="Дом")


def test_moved_line_is_told_with_its_heading() -> None:
    text = "# Дом\n\n## Вода\n\nНовое.\n\n## Счётчики\n\n- Счётчик воды — «старый», менять в 2026.\n"
    assert state(text) == SourceState(1, QuoteState.MOVED, (9, 9), under="Дом › Счётчики")


def test_ye_for_yo_is_no_change() -> None:
    assert state("# Дом\n\nСчётчик стоит.\n", "Счетчик стоит.").state is QuoteState.STANDS


def test_words_that_were_wrapped_anew_stand_in_their_lines() -> None:
    moved = state("# Дом\n\nСчётчик **воды** — «старый»,\nменять в 2026.\n")
    assert (moved.state, moved.lines) == (QuoteState.MOVED, (3, 4))


def test_changed_line_is_found_and_told() -> None:
    text = "# Дом\n\nВода 95 лари.\n\nСчётчик воды — «новый», менять в 2032.\n"
    assert state(text) == SourceState(1, QuoteState.CHANGED, (5, 5), "Счётчик воды — «новый», менять в 2032.")


def test_of_lines_that_are_as_like_the_nearest_is_told() -> None:
    text = "Порт 22 закрыт.\n\n\n\n\nПорт 23 закрыт.\n"
    assert state(text, "Порт 80 закрыт.", 6).lines == (6, 6)


@pytest.mark.parametrize("line", ["Теперь о другом.", "Воды вчера опять не было до вечера."])
def test_nothing_is_told_where_no_line_is_like_it(line: str) -> None:
    assert state(f"# Счётчик воды\n\n{line}\n") == SourceState(1, QuoteState.CHANGED)


def test_changed_negation_is_a_change() -> None:
    assert state("# Дом\n\nКеш не чистить.\n", "Кеш чистить.").state is QuoteState.CHANGED


def test_nearest_of_equal_places_counts() -> None:
    assert state("Порт 22.\n\nПорт 22.\n\nПорт 22.\n", "Порт 22.", 4).lines == (3, 3)


@pytest.mark.parametrize(
    ("line", "quote"),
    [
        ("Заплатил 500 000.", "Заплатил 500"),
        ("Не кеш чистить, а диск.", "кеш чистить"),
        ("~~купить анод 22~~", "купить анод 22"),
        ("%%купить анод 22%%", "купить анод 22"),
        ("The port is open?", "The port is open."),
    ],
)
def test_words_that_are_cut_off_struck_or_hidden_do_not_stand(line: str, quote: str) -> None:
    assert state(f"# Дом\n\n{line}\n", quote).state is QuoteState.CHANGED


def test_sentence_that_a_quote_is_a_part_of_is_told() -> None:
    assert state("# N\n\nIt is not true that the port is open.\n", "the port is open.").within
    assert not state("# N\n\nThe port is open.\n", "The port is open.").within
