"""The blind histories and contradictions: quotes stand there, dates are sound, and every kind is there."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pytest

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
VAULT = FIXTURES / "histories-blind" / "vault"
NOTES = {
    unicodedata.normalize("NFC", file.relative_to(VAULT).as_posix()): file.read_text(encoding="utf-8")
    for file in VAULT.rglob("*.md")
}

Item: TypeAlias = dict[str, Any]
Place: TypeAlias = dict[str, str]

HISTORIES: list[Item] = tomllib.loads((FIXTURES / "histories-blind.toml").read_text(encoding="utf-8"))["history"]
PAIRS: dict[str, list[Item]] = tomllib.loads((FIXTURES / "contradictions-blind.toml").read_text(encoding="utf-8"))
MUST_FIND, MUST_NOT = PAIRS["must_find"], PAIRS["must_not"]
NUMERIC = {"number", "date", "time", "unit"}
LOOKALIKES = (
    "changed restatement other-subject two-events other-holder reported question other-scope planned near-copy"
    " assistants part-whole hypothetical"
)
A_CHAT = "Nexus/Conversations/"


def _ask(history: Item) -> str:
    return str(history["ask"])


def _quotes(pair: Item) -> str:
    return f"{pair['a']['quote']} / {pair['b']['quote']}"


def _stands_once(place: Place) -> bool:
    return "\n" not in place["quote"] and NOTES[place["path"]].count(place["quote"]) == 1


def _is_russian(place: Place) -> bool:
    """Tell whether a quote has a Russian letter or stands among Russian words."""
    note = NOTES[place["path"]].casefold()
    most = len(re.findall("[а-яё]", note)) > len(re.findall("[a-z]", note))
    return most or bool(re.search("[а-яё]", place["quote"].casefold()))


def _is_structured(place: Place) -> bool:
    """Tell whether a quote stands in a table or among the note's properties."""
    note = NOTES[place["path"]]
    at = note.index(place["quote"])
    line = note[note.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    return line.startswith("|") or (note.startswith("---\n") and at < note.index("\n---", 4))


def _crosses(history: Item) -> bool:
    """Tell whether a value stands in another language than that of the question."""
    return any(_is_russian(value) != (history["lang"] == "ru") for value in history["value"])


def _day(text: str) -> date:
    return date.fromisoformat(text + "-01-01"[len(text) - 4 :])


@pytest.mark.parametrize("history", HISTORIES, ids=_ask)
def test_each_value_is_quoted_verbatim_and_once(history: Item) -> None:
    others = history.get("others", [])
    assert all(_stands_once(place) for place in [*history["value"], *others])
    assert all(value["value"] in value["quote"] for value in history["value"])
    places = [(place["path"], place["quote"]) for place in [*history["value"], *others]]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("history", HISTORIES, ids=_ask)
def test_values_follow_one_another_and_each_holds_on_its_day(history: Item) -> None:
    values = history["value"]
    assert all("since" in value for value in values[1:])
    for earlier, later in pairwise(values):
        assert earlier["value"] != later["value"]
        assert _day(earlier.get("since", "2000")) <= date.fromisoformat(earlier["on"]) < _day(later["since"])
    assert _day(values[-1]["since"]) <= date.fromisoformat(values[-1]["on"])


def test_chains_are_of_every_length_in_both_languages_and_across_them() -> None:
    assert {len(history["value"]) for history in HISTORIES} == {2, 3, 4, 5}
    assert Counter(history["lang"] for history in HISTORIES) == {"ru": 12, "en": 8}
    assert len({_ask(history) for history in HISTORIES}) == len(HISTORIES)
    assert sum(_crosses(history) for history in HISTORIES) >= 3
    assert sum(_is_structured(history["value"][0]) for history in HISTORIES) >= 3


def test_others_and_chats_speak_beside_the_user() -> None:
    others = [other for history in HISTORIES for other in history.get("others", [])]
    assert sum("others" in history for history in HISTORIES) >= 4
    assert sum(other["path"].startswith(A_CHAT) for other in others) >= 4
    values = [value["path"] for history in HISTORIES for value in history["value"]]
    assert [path for path in values if path.startswith(A_CHAT)] == []


@pytest.mark.parametrize("pair", MUST_FIND + MUST_NOT, ids=_quotes)
def test_both_sides_are_quoted_verbatim_and_name_their_languages(pair: Item) -> None:
    assert _stands_once(pair["a"])
    assert _stands_once(pair["b"])
    assert pair["langs"] == "-".join("ru" if _is_russian(pair[side]) else "en" for side in "ab")


def test_what_must_be_found_is_enough_of_every_kind() -> None:
    assert len(MUST_FIND) == 24
    assert sum(pair["langs"] in {"ru-en", "en-ru"} for pair in MUST_FIND) >= 8
    assert sum(pair["kind"] not in NUMERIC for pair in MUST_FIND) >= 8
    assert sum(_is_structured(pair["a"]) or _is_structured(pair["b"]) for pair in MUST_FIND) >= 3
    assert sum(pair["a"]["path"] == pair["b"]["path"] for pair in MUST_FIND) >= 3


def test_what_must_not_be_shown_is_of_every_kind() -> None:
    assert len(MUST_NOT) == 36
    assert {pair["kind"] for pair in MUST_NOT} == set(LOOKALIKES.split())


def test_no_pair_is_listed_twice() -> None:
    sides = [frozenset((pair[side]["path"], pair[side]["quote"]) for side in "ab") for pair in MUST_FIND + MUST_NOT]
    assert len(set(sides)) == len(sides)


def test_nothing_of_the_blind_lists_may_be_tuned_on() -> None:
    assert {item["split"] for item in HISTORIES + MUST_FIND + MUST_NOT} == {"test"}
