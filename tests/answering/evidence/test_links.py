"""Questions about what a note links to: the line of the linked note answers, though it names nobody."""

from __future__ import annotations

import pytest

from tests.passages import passage
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.answering.judging.unsaid import unsaid_cost
from vaultrag.domain import Passage

NADIA = passage("Nadia.md", "Cellist in the city.\n\n- Lives on the hill.\n- Her workshop is [[Kiln House]].\n", 1.0)
KILN = passage("Kiln House.md", "An old hall, damp.\n\nThe side gate opens with 7719.\n", 0.3)
OTHER = passage("Loft.md", "The front gate opens with 1234.\n", 0.3)
PETYA = passage("Петя.md", "Виолончелист.\n\n- Живёт на горе.\n- Лечится у [[Ширяев|доктора Ширяева]].\n", 1.0)
DOCTOR = passage("Ширяев.md", "Ортопед.\n\nПринимает в кабинете 212.\n", 0.3)
DENTIST = passage("Громов.md", "Принимает в кабинете 310.\n", 0.3)


def first_quote(question: str, *passages: Passage) -> str:
    evidence = Evidence(question, passages, None)
    return evidence.cited(evidence.quotes())[0].quote


@pytest.mark.parametrize("last", [OTHER, KILN])
def test_the_line_of_the_linked_note_comes_before_that_of_another(last: Passage) -> None:
    passages = (NADIA, *(one for one in (KILN, OTHER) if one is not last), last)
    assert "7719" in first_quote("What opens the gate of Nadia's workshop?", *passages)


def test_a_linked_line_is_found_in_russian_and_under_another_name() -> None:
    question = "В каком кабинете принимает доктор, у которого лечится Петя?"
    assert "212" in first_quote(question, PETYA, DENTIST, DOCTOR)


def test_a_link_that_says_nothing_of_the_question_leads_nowhere() -> None:
    nadia = passage("Nadia.md", "Cellist.\n\nMet at [[Kiln House]].\n", 0.2)
    assert "1234" in first_quote("What opens the front gate of the loft?", OTHER, nadia, KILN)


def test_what_is_linked_is_the_first_that_a_model_reads_and_says_of_whom_it_speaks() -> None:
    question = "What opens the gate of Nadia's workshop?"
    first = Evidence(question, (NADIA, OTHER, KILN), None).excerpts()[0]
    assert first.title == "Kiln House (Nadia: Her workshop is Kiln House.)"
    assert unsaid_cost(question, f"{first.title}\n{first.text}") == 0.0


@pytest.mark.parametrize(
    ("question", "text", "wanted"),
    [
        (
            "Какой насос поставил Гоча?",
            "Гоча поставил насос в апреле: Grundfos на 25 литров, за 640 лари, чек в папке, гарантия два года,"
            " ставил сам. Про [[Крыша|крышу]] не спросил, спрошу потом.\n",
            "Grundfos",
        ),
        (
            "Which pump did Gocha put in?",
            "Gocha put the pump in on a Sunday in April, a Grundfos of 25 litres, 640 GEL, receipt in the folder and"
            " two years of warranty. I forgot to ask about the [[Крыша|roof]].\n",
            "Grundfos",
        ),
    ],
)
def test_a_line_that_mentions_a_note_beside_much_else_answers_itself(question: str, text: str, wanted: str) -> None:
    roof = passage("Крыша.md", "Зелёная черепица, 2019.\n\nТечёт у трубы.\n", 0.9)
    assert wanted in first_quote(question, roof, passage("Созвон.md", text, 0.6))
