"""Names, years and numbers that a question names and a passage does not."""

from __future__ import annotations

import pytest

from vaultrag.answering.judging.unsaid import NAME_COST, NUMBER_COST, unsaid_cost

NOTE = "2024-10-06\nMarathon: I cheered for David at km 35. Manana and Viktor came, ERR_12 on the watch, 1 500 people."
RUSSIAN_NOTE = "Соня › Рост\nСоня и Манана: 118 (2023), 126 см в ноябре 2024. Приезжал Павел, бегал в Steam Deck."


@pytest.mark.parametrize(
    ("question", "passage", "cost"),
    [
        ("At which kilometre did I cheer in 2024?", NOTE, 0),
        ("At which kilometre did I cheer in 2023?", NOTE, NUMBER_COST),
        ("When did David run past?", NOTE, 0),
        ("When did Kostya run past?", NOTE, NAME_COST),
        ("When did Kostya run past in 2019?", NOTE, NAME_COST + NUMBER_COST),
        ("Where did 1500 people stand?", NOTE, 0),
        ("Where did 1600 people stand?", NOTE, NUMBER_COST),
        ("what does ERR_13 mean?", NOTE, NUMBER_COST),
        ("Когда бежал Виктор?", NOTE, 0),
        ("Какой рост был у Сони в 2023 году?", RUSSIAN_NOTE, 0),
        ("Какой рост был у Сони в 2021 году?", RUSSIAN_NOTE, NUMBER_COST),
        ("Какой рост у Бублика?", RUSSIAN_NOTE, NAME_COST),
        ("Какой рост был у Сони в ноябре 2024?", RUSSIAN_NOTE, 0),
        ("Что сказали Манане и Павлу?", RUSSIAN_NOTE, 0),
        ("What did Pavel play?", RUSSIAN_NOTE, 0),
        ("Бублик где спит?", RUSSIAN_NOTE, 0),
        ("какой рост у бублика?", RUSSIAN_NOTE, 0),
        ("When in January 2024 was it?", "2024-01-05\nIt was on 2024-01-05.", 0),
    ],
)
def test_a_passage_loses_by_what_the_question_names_in_vain(question: str, passage: str, cost: float) -> None:
    """A name is known in other forms and in the other script; one that opens a sentence may be any word."""
    assert unsaid_cost(question, passage) == pytest.approx(cost)
