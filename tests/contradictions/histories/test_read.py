"""How a thought changed, told from indexed notes: in order of time, with its quotes, and never in another's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import pytest

from tests.contradictions.histories.indexed import indexed
from vaultrag.contradictions.claims.kept import extract_owed
from vaultrag.contradictions.histories.read import history_of
from vaultrag.domain import History, Holder, Stance
from vaultrag.errors import UsageError
from vaultrag.workspace import Workspace

TODAY = date(2026, 3, 1)
NOTES = {
    "Дача/Забор.md": "# Забор\n\nБюджет забора: 900 €.\n\nДоски сосновые, крашены в зелёный.\n",
    "Дневник/2024-04-10.md": "Пересчитал: бюджет забора теперь 1300 €. Марина согласна.\n",
    "Дневник/2025-06-02.md": "Бюджет забора подняли до 1750 €, доски подорожали.\n",
    "Дневник/2025-07-15.md": "Бюджет забора всё тот же: 1750 €.\n",
    "Дневник/2025-12-01.md": "Собираюсь урезать бюджет забора до 1000 €.\n",
    "Chats/Fence.md": (
        "# Chat\n\n**User:** Сколько заложить на забор?\n\n"
        "**ChatGPT:** Бюджет забора такой длины – 4000 €, меньше не выйдет.\n"
    ),
    "House/Boiler.md": (
        "# Boiler\n\n## Pressure\n\n- 2023-02-01: 1.4 bar\n- 2024-02-03: 1.6 bar, after the valve\n"
        "- 2025-02-07: 1.2 bar\n"
        "\n## Model\n\n- 2022-01-01: bought the small one for 700 €\n"
    ),
    "Health/Scales.md": (
        "# Scales\n\n| Date | Weight, kg | Waist, cm |\n|---|---|---|\n"
        "| 2023-01-10 | 84.2 | 92 |\n| 2024-01-12 | 81.0 | 90 |\n"
    ),
    "Дом/Интернет.md": "# Интернет\n\nТариф: 300 Мбит/с за 25 €.\n\nС марта 2025 тариф 500 Мбит/с за 32 €.\n",
    "Journal/2022-03-04.md": "Наш педиатр – Анна Сергеевна, принимает по вторникам.\n",
    "Journal/2024-09-10.md": "Сменили педиатра, теперь Нино. Мама говорит, что педиатр – Тамара.\n",
    "Work/Team.md": "# Support team\n\nHead count: 3 in March 2023, 5 in January 2024, then 4.\n",
    "Idées/Heating.md": (
        "# Heating\n\n2024-05: decided to keep gas for the heating.\n\n2025-01: changed our mind, heat pump it is.\n"
    ),
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("histories")
    with indexed(folder, NOTES) as made:
        yield made


def told(workspace: Workspace, question: str, day: str = "") -> History:
    def find(words: str, count: int) -> Sequence[str]:
        return [passage.chunk.path for passage in workspace.search(words, count).passages]

    return history_of(workspace.database, question, find, TODAY, day)


def own(history: History) -> list[tuple[str, str]]:
    return [(step.as_of.first if step.as_of else "", step.value) for step in history.steps if step.is_own]


def test_values_of_several_notes_stand_in_order_of_time(workspace: Workspace) -> None:
    history = told(workspace, "бюджет забора")
    assert own(history) == [("2024-04-10", "1300 €"), ("2025-06-02", "1750 €"), ("", "900 €")]


def test_value_that_is_said_again_keeps_all_its_places(workspace: Workspace) -> None:
    [step] = [step for step in told(workspace, "бюджет забора").steps if step.value == "1750 €"]
    assert [place.path for place in step.also] == ["Дневник/2025-07-15.md"]


def test_plans_and_assistants_are_shown_and_never_held(workspace: Workspace) -> None:
    history = told(workspace, "бюджет забора", "2026-01-01")
    others = {(step.holder, step.stance) for step in history.steps if not step.is_own}
    assert (Holder.USER, Stance.PLANNED) in others
    assert Holder.ASSISTANT in {holder for holder, _ in others}
    assert history.held is not None
    assert history.held.value == "1750 €"


@pytest.mark.parametrize(
    ("question", "day", "value", "quote"),
    [
        ("бюджет забора", "2024-12-31", "1300 €", "Пересчитал: бюджет забора теперь 1300 €."),
        ("бюджет забора", "2023-01-01", "900 €", "Бюджет забора: 900 €."),
        ("каким был бюджет забора в июне 2025", "", "1750 €", "Бюджет забора подняли до 1750 €, доски подорожали."),
        ("boiler pressure", "2024-06-01", "1.6 bar", "2024-02-03: 1.6 bar, after the valve"),
        ("what was the boiler pressure in May 2023", "", "1.4 bar", "2023-02-01: 1.4 bar"),
        ("давление бойлера", "2025-03-01", "1.2 bar", "2025-02-07: 1.2 bar"),
        ("weight", "2023-06-01", "84.2", "| 2023-01-10 | 84.2 | 92 |"),
        ("waist", "2025-01-01", "90", "| 2024-01-12 | 81.0 | 90 |"),
        ("цена интернета", "2025-06-01", "32 €", "С марта 2025 тариф 500 Мбит/с за 32 €."),
        ("кто наш педиатр", "2023-01-01", "Анна Сергеевна", "Наш педиатр – Анна Сергеевна, принимает по вторникам."),
        ("кто наш педиатр", "2025-01-01", "", "Сменили педиатра, теперь Нино."),
        ("head count of the support team", "2024-02-01", "5", "5 in January 2024"),
    ],
)
def test_value_as_of_a_day_stands_with_its_quote(
    workspace: Workspace, question: str, day: str, value: str, quote: str
) -> None:
    held = told(workspace, question, day).held
    assert held is not None
    assert (held.value, held.place.quote) == (value, quote)
    assert quote in NOTES[held.place.path]


def test_choice_is_told_by_what_was_decided(workspace: Workspace) -> None:
    held = told(workspace, "gas or heat pump for the heating", "2024-12-31").held
    assert held is not None
    assert "keep gas" in held.place.quote
    held = told(workspace, "gas or heat pump for the heating", "2025-12-31").held
    assert held is not None
    assert "heat pump it is" in held.place.quote


def test_value_that_only_follows_is_the_last_and_of_no_day(workspace: Workspace) -> None:
    history = told(workspace, "head count of the support team")
    assert history.held is not None
    assert (history.held.value, history.held.as_of, history.held.follows) == ("4", None, True)


def test_day_before_all_values_has_none(workspace: Workspace) -> None:
    assert told(workspace, "boiler pressure", "2020-01-01").held is None


def test_kept_claims_tell_the_same(workspace: Workspace) -> None:
    before = told(workspace, "бюджет забора")
    extract_owed(workspace.database)
    assert told(workspace, "бюджет забора").steps == before.steps


@pytest.mark.parametrize("question", ["когда", "квантовая хромодинамика", "since when"])
def test_nothing_told_is_an_error_that_says_so(workspace: Workspace, question: str) -> None:
    with pytest.raises(UsageError):
        told(workspace, question)
