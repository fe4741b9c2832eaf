"""The pairs that a judge of contradictions reports on are many, of every kind, and in the languages they name."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

PAIRS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).resolve().parent.parent / "fixtures" / "judge-pairs.toml").read_text(encoding="utf-8")
)["pair"]
CONTRADICTIONS = [pair for pair in PAIRS if pair["label"] == "contradiction"]
OTHERS = [pair for pair in PAIRS if pair["label"] == "not"]

DIFFERENCES = {
    *("number", "date", "time", "unit", "name", "place", "negation", "antonym", "decision", "quantifier", "order"),
    *("ownership", "modality", "status"),
}
REASONS = {
    *("restatement", "other-subject", "other-attribute", "other-time", "other-scope", "other-holder", "planned-done"),
    *("question", "part-whole", "precision", "two-events", "alike-words", "topic-neighbour"),
}
KEYS = {"a", "b", "title_a", "title_b", "date_a", "date_b", "kind", "langs", "label"}


def test_pairs_are_enough_to_report_on() -> None:
    assert len(PAIRS) >= 170
    assert len(CONTRADICTIONS) >= 65
    assert len(OTHERS) >= 100
    assert sum(pair["kind"] == "restatement" for pair in OTHERS) >= 35


def test_pairs_are_of_every_kind() -> None:
    assert {pair["kind"] for pair in CONTRADICTIONS} == DIFFERENCES
    assert {pair["kind"] for pair in OTHERS} == REASONS


def test_half_of_each_label_is_russian_and_a_quarter_crosses_languages() -> None:
    for pairs in (CONTRADICTIONS, OTHERS):
        shares = {langs: count / len(pairs) for langs, count in Counter(pair["langs"] for pair in pairs).items()}
        assert set(shares) == {"ru-ru", "en-en", "ru-en", "en-ru"}
        assert 0.45 <= shares["ru-ru"] <= 0.55
        assert 0.2 <= shares["ru-en"] + shares["en-ru"] <= 0.3


def _language(text: str) -> str:
    return "ru" if len(re.findall("[а-яё]", text.casefold())) > len(re.findall("[a-z]", text.casefold())) else "en"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['a']} / {pair['b']}")
def test_pair_is_in_the_languages_it_names(pair: dict[str, Any]) -> None:
    assert set(pair) <= KEYS
    assert pair["langs"] == f"{_language(pair['a'])}-{_language(pair['b'])}"
    for day in ("date_a", "date_b"):
        date.fromisoformat(pair.get(day, "2026-01-01"))


def test_no_statement_is_used_twice() -> None:
    said = Counter(pair[side].casefold() for pair in PAIRS for side in ("a", "b"))
    assert [text for text, times in said.items() if times > 1] == []


def test_no_two_pairs_differ_in_their_numbers_alone() -> None:
    masked = Counter(re.sub(r"\d+", "#", f"{pair['a']} / {pair['b']}".casefold()) for pair in PAIRS)
    assert [text for text, times in masked.items() if times > 1] == []


def test_no_contradiction_has_two_dates() -> None:
    """A contradiction with two different dates could be a change, and would then be none."""
    for pair in CONTRADICTIONS:
        assert pair.get("date_a") == pair.get("date_b")
