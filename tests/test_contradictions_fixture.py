"""The contradictions and histories of `fixtures/vault`: quotes stand there, kinds are complete, hashes split them."""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pytest

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
VAULT = FIXTURES / "vault"
NOTES = {
    unicodedata.normalize("NFC", file.relative_to(VAULT).as_posix()): unicodedata.normalize(
        "NFC", file.read_text(encoding="utf-8")
    )
    for file in VAULT.rglob("*.md")
}

Pair: TypeAlias = dict[str, Any]
Place: TypeAlias = dict[str, str]


def _read(name: str) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = tomllib.loads((FIXTURES / name).read_text(encoding="utf-8"))
    return tables


TABLES = _read("contradictions.toml")
MUST_FIND, MUST_NOT, EITHER = TABLES["must_find"], TABLES["must_not"], TABLES["either"]
HISTORIES = _read("histories.toml")["history"]
NUMERIC = {"number", "date", "time", "unit"}
DIFFERENCES = NUMERIC | {"name", "place", "negation", "antonym", "decision", "modality", "status"}
FEWEST = {  # must-not pairs of each kind
    "changed": 20,
    "restatement": 30,
    "other-subject": 10,
    "two-events": 8,
    "other-holder": 10,
    "reported": 6,
    "question": 5,
    "other-scope": 6,
    "planned": 5,
    "near-copy": 5,
    "assistants": 2,
    "part-whole": 2,
    "hypothetical": 1,
}


def _quotes(pair: Pair) -> tuple[str, str]:
    return pair["a"]["quote"], pair["b"]["quote"]


def _name(item: Pair) -> str:
    return " / ".join(_quotes(item))


@pytest.mark.parametrize("pair", MUST_FIND + MUST_NOT + EITHER, ids=_name)
def test_both_quotes_stand_once_in_their_notes(pair: Pair) -> None:
    assert [NOTES[pair[side]["path"]].count(pair[side]["quote"]) for side in "ab"] == [1, 1]
    assert "\n" not in "".join(_quotes(pair))


def _language(place: Place) -> str:
    """Return the language of a quote: Russian where it has a Russian letter or stands among Russian words."""
    note = NOTES[place["path"]].casefold()
    russian = len(re.findall("[а-яё]", note)) > len(re.findall("[a-z]", note))
    return "ru" if russian or re.search("[а-яё]", place["quote"].casefold()) else "en"


def _crosses(pair: Pair) -> bool:
    return pair["langs"] in {"ru-en", "en-ru"}


@pytest.mark.parametrize("pair", MUST_FIND + MUST_NOT + EITHER, ids=_name)
def test_pair_names_its_languages(pair: Pair) -> None:
    assert pair["langs"] == f"{_language(pair['a'])}-{_language(pair['b'])}"


def _is_structured(place: Place) -> bool:
    """Tell whether a quote stands in a table or among the note's properties."""
    note = NOTES[place["path"]]
    at = note.index(place["quote"])
    line = note[note.rfind("\n", 0, at) + 1 : note.find("\n", at)]
    return line.startswith("|") or (note.startswith("---\n") and at < note.index("\n---", 4))


def test_what_must_be_found_is_enough_of_every_kind() -> None:
    assert len(MUST_FIND) >= 40
    assert {pair["kind"] for pair in MUST_FIND} == DIFFERENCES
    assert sum(_crosses(pair) for pair in MUST_FIND) >= 10
    assert sum(pair["a"]["path"] == pair["b"]["path"] for pair in MUST_FIND) >= 5
    assert sum(pair["kind"] not in NUMERIC for pair in MUST_FIND) >= 14
    assert sum(_is_structured(pair["a"]) or _is_structured(pair["b"]) for pair in MUST_FIND) >= 4


def test_what_must_not_be_shown_is_enough_of_every_kind() -> None:
    counts = Counter(pair["kind"] for pair in MUST_NOT)
    assert len(MUST_NOT) >= 60
    assert set(counts) == set(FEWEST)
    assert {kind: count for kind, count in counts.items() if count < FEWEST[kind]} == {}
    assert sum(_crosses(pair) for pair in MUST_NOT) >= 15


def _digest(quotes: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(quotes)).encode()).hexdigest()


def _drawn(quotes: Sequence[Sequence[str]]) -> set[str]:
    """Return the digests of the half that is the test's."""
    return set(sorted(_digest(one) for one in quotes)[: len(quotes) // 2])


@pytest.mark.parametrize("crosses", [True, False], ids=["across languages", "in one language"])
@pytest.mark.parametrize("pairs", [MUST_FIND, MUST_NOT], ids=["must find", "must not"])
def test_half_of_the_pairs_is_drawn_by_hash(pairs: list[Pair], crosses: bool) -> None:
    group = [pair for pair in pairs if _crosses(pair) == crosses]
    drawn = _drawn([_quotes(pair) for pair in group])
    assert len(drawn) == len(group) // 2
    assert [pair for pair in group if pair["split"] != ("test" if _digest(_quotes(pair)) in drawn else "tune")] == []


def test_both_halves_hold_contradictions_that_are_none_of_numbers() -> None:
    halves = Counter(pair["split"] for pair in MUST_FIND if pair["kind"] not in NUMERIC)
    assert min(halves["test"], halves["tune"]) >= 7


def _span(place: Place) -> tuple[str, range]:
    at = NOTES[place["path"]].index(place["quote"])
    return place["path"], range(at, at + len(place["quote"]))


def _meet(one: Place, other: Place) -> bool:
    (path, span), (other_path, other_span) = _span(one), _span(other)
    return path == other_path and max(span.start, other_span.start) < min(span.stop, other_span.stop)


def _same(pair: Pair, other: Pair) -> bool:
    straight = _meet(pair["a"], other["a"]) and _meet(pair["b"], other["b"])
    return straight or (_meet(pair["a"], other["b"]) and _meet(pair["b"], other["a"]))


def test_no_pair_stands_in_two_lists() -> None:
    """A finding is told by where its quotes lie: two pairs whose sides meet could not be told apart."""
    tables = (MUST_FIND, MUST_NOT, EITHER)
    apart = [
        (one, two) for at, first in enumerate(tables) for two_ in tables[at + 1 :] for one in first for two in two_
    ]
    assert [(_name(one), _name(two)) for one, two in apart if _same(one, two)] == []


def test_no_pair_is_listed_twice() -> None:
    for pairs in (MUST_FIND, MUST_NOT, EITHER):
        seen = Counter(frozenset((pair[side]["path"], pair[side]["quote"]) for side in "ab") for pair in pairs)
        assert [pair for pair, times in seen.items() if times > 1] == []


def _values(history: Pair) -> list[Place]:
    values: list[Place] = history["value"]
    return values


def test_histories_are_twenty_of_two_to_five_values_in_both_languages() -> None:
    assert len(HISTORIES) >= 20
    assert {len(_values(history)) for history in HISTORIES} == {2, 3, 4, 5}
    assert len({history["ask"] for history in HISTORIES}) == len(HISTORIES)
    assert min(Counter(history["lang"] for history in HISTORIES).values()) >= len(HISTORIES) // 4
    assert sum(len({value["path"] for value in _values(history)}) > 1 for history in HISTORIES) >= 4
    assert sum("others" in history for history in HISTORIES) >= 3


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history["ask"])
def test_history_quotes_each_value_where_it_stands(history: Pair) -> None:
    for value in _values(history):
        assert NOTES[value["path"]].count(value["quote"]) == 1
        assert value["value"] in value["quote"]
    others = [(other["path"], other["quote"]) for other in history.get("others", [])]
    assert all(NOTES[path].count(quote) == 1 for path, quote in others)
    assert not set(others) & {(value["path"], value["quote"]) for value in _values(history)}


def _day(text: str) -> date:
    return date.fromisoformat(text + "-01-01"[len(text) - 4 :])


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history["ask"])
def test_history_is_in_order_and_each_value_holds_on_its_day(history: Pair) -> None:
    values = _values(history)
    assert all("since" in value for value in values[1:])
    for earlier, later in pairwise(values):
        assert earlier["value"] != later["value"]
        assert _day(earlier.get("since", "2000")) <= date.fromisoformat(earlier["on"]) < _day(later["since"])
    assert _day(values[-1]["since"]) <= date.fromisoformat(values[-1]["on"])


def test_half_of_the_histories_is_drawn_by_hash() -> None:
    quotes = {history["ask"]: [value["quote"] for value in _values(history)] for history in HISTORIES}
    drawn = _drawn(list(quotes.values()))
    assert {history["ask"] for history in HISTORIES if history["split"] == "test"} == {
        ask for ask, of in quotes.items() if _digest(of) in drawn
    }
