"""Which questions a history answers: since when, how it changed, what it was or was thought; and which it does not."""

from __future__ import annotations

from datetime import date

import pytest

from vaultrag.contradictions.histories.questions import HistoryAsked, asks_for_history

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("С каких пор я плачу за садик 22 500?", HistoryAsked.SINCE),
        ("Since when is Dr. Holm Rex's vet?", HistoryAsked.SINCE),
        ("как давно я пью лозартан", HistoryAsked.SINCE),
        ("Как менялась аренда квартиры?", HistoryAsked.CHANGED),
        ("How did my weight change?", HistoryAsked.CHANGED),
        ("Что я думал о ребрендинге в июне 2024?", HistoryAsked.WAS),
        ("What did I think about the rebranding in June 2024?", HistoryAsked.WAS),
        ("Каким был бюджет ремонта в марте 2024?", HistoryAsked.WAS),
        ("What was the rent in 2023?", HistoryAsked.WAS),
        ("сколько весил Бублик летом 2023", HistoryAsked.WAS),
        ("Сколько я потратил в марте 2024?", None),
        ("How much did I run in March 2024?", None),
        ("What is our SLO now and what was it before July 2025?", None),
        ("Which Debian is mayak running now, and since when?", None),
        ("Какой у Сони рейтинг сейчас и какой был в 2023?", None),
        ("Что я думал о ребрендинге?", None),
        ("Сколько стоит садик?", None),
        ("Where was the meeting?", None),
    ],
)
def test_only_questions_of_how_it_was_are_histories(question: str, asked: HistoryAsked | None) -> None:
    assert asks_for_history(question, TODAY) == asked
