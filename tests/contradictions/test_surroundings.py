"""The lines around a quote: enough to judge it, and never those of another place."""

from __future__ import annotations

import pytest

from tests.contradictions.notes import claims_of
from vaultrag.contradictions.surroundings import LEAD, surroundings
from vaultrag.domain import Claim

NOTE = "# Ремонт\n\nСмету обсуждали.\n\nБюджет кухни: 450 000 ₽. Плитка в марте.\nПотом ванная.\n\nЕщё строка.\n"


def claim_with(words: str, text: str) -> Claim:
    return next(claim for claim in claims_of({"Ремонт.md": text}) if words in claim.quote)


def test_quote_stands_among_its_lines() -> None:
    around = surroundings(claim_with("450 000", NOTE), NOTE)
    assert around.stands
    assert f"{around.lead}{around.quote}{around.rest}" == "Бюджет кухни: 450 000 ₽. Плитка в марте."
    assert around.before == ("Смету обсуждали.",)
    assert around.after == ("Потом ванная.",)


def test_row_of_a_table_is_seen_with_the_rows_beside_it() -> None:
    text = "| box | RAM |\n|---|---|\n| atlas | 64 GB |\n| mayak | 16 GB |\n"
    around = surroundings(claim_with("64 GB", text), text)
    assert around.before == ("| box | RAM |", "|---|---|")
    assert around.after == ("| mayak | 16 GB |",)


def test_long_line_is_cut_on_both_sides_of_the_quote_and_the_quote_is_whole() -> None:
    text = f"{'Шли дальше. ' * 200}Бюджет кухни: 450 000 ₽. {'Шли дальше. ' * 200}\n"
    around = surroundings(claim_with("450 000", text), text)
    assert around.quote == "Бюджет кухни: 450 000 ₽."
    assert around.lead.startswith("… ")
    assert around.rest.endswith(" …")
    assert max(len(around.lead), len(around.rest)) <= LEAD + 2


@pytest.mark.parametrize("now", [None, "", NOTE.replace("450", "460"), "Раньше.\n" + NOTE])
def test_note_that_says_otherwise_by_now_shows_the_quote_alone(now: str | None) -> None:
    claim = claim_with("450 000", NOTE)
    around = surroundings(claim, now)
    assert not around.stands
    assert (around.quote, around.before, around.after) == (claim.quote, (), ())
