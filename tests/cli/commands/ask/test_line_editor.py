"""What can be completed on a line of `vaultrag chat`."""

from __future__ import annotations

import pytest

from vaultrag.cli.commands.ask.line_editor import VaultNames

NAMES = VaultNames(("Бойлер", "Бойлерная", "Мой бойлер", "Router"), ("Дом/", "Дом/Котельная/", "Work/", "#дом"))
COMMANDS = ("/in [PLACE]", "/save [TITLE]", "/sources")


@pytest.mark.parametrize(
    ("before", "offered", "replaced"),
    [
        ("/in д", ["Дом/", "Дом/Котельная/"], 1),
        ("/in #", ["#дом"], 1),
        ("/s", ["/save", "/sources"], 2),
        ("Что про [[бойл", ["Бойлер]]", "Бойлерная]]", "Мой бойлер]]"], 4),
        ("Что про [[Бойлер]] и ro", ["Router"], 2),
        ("Что про б", [], 0),
    ],
)
def test_commands_places_and_names_are_offered_where_they_may_stand(
    before: str, offered: list[str], replaced: int
) -> None:
    found = list(NAMES.completions(before, COMMANDS))
    assert [text for text, _ in found] == offered
    assert all(length == replaced for _, length in found)
