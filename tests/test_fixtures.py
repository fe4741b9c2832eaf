"""The question sets over `fixtures/vault` are what they say: their notes exist, their words stand there."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.poison_texts import ATTACKS
from tests.poisoned_notes import CARRIERS, PoisonedNote, poisoned_notes, write_poisoned_notes

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
VAULT = FIXTURES / "vault"
CASES = Path(__file__).resolve().parent / "cases"


@cache
def _notes() -> dict[str, str]:
    """Return the text of each file of the vault by its path, both in composed form."""
    return {
        unicodedata.normalize("NFC", path.relative_to(VAULT).as_posix()): unicodedata.normalize(
            "NFC", path.read_text(encoding="utf-8")
        )
        for path in sorted(VAULT.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(VAULT).parts)
    }


def _read(name: str, table: str = "question") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = tomllib.loads((FIXTURES / name).read_text(encoding="utf-8"))[table]
    return items


def _assert_half_russian(items: list[dict[str, Any]]) -> None:
    languages = Counter(item["lang"] for item in items)
    assert set(languages) == {"ru", "en"}
    assert abs(languages["ru"] - languages["en"]) <= max(2, len(items) // 20)


def _assert_asked_nowhere_else(items: list[dict[str, Any]], *older: str) -> None:
    asked = Counter(item["question"].casefold().rstrip("?. ") for item in items)
    assert [question for question, times in asked.items() if times > 1] == []
    assert not asked.keys() & {item["question"].casefold().rstrip("?. ") for name in older for item in _read(name)}


UNANSWERABLE = _read("questions-unanswerable.toml")
STRATA = {  # the kinds of UAEval4RAG
    "out-of-database",
    "false-presupposition",
    "underspecified",
    "modality-limited",
    "nonsensical",
    "safety",
}


def test_unanswerable_questions_are_many_and_half_russian() -> None:
    assert len(UNANSWERABLE) >= 44
    _assert_half_russian(UNANSWERABLE)
    _assert_asked_nowhere_else(UNANSWERABLE, "questions.toml", "questions-hard.toml")


def test_unanswerable_questions_hold_every_kind_in_both_languages() -> None:
    assert {(item["stratum"], item["lang"]) for item in UNANSWERABLE} == {
        (stratum, lang) for stratum in STRATA for lang in ("ru", "en")
    }


@pytest.mark.parametrize("item", UNANSWERABLE, ids=lambda item: item["question"])
def test_unanswerable_question_names_no_answer_and_the_notes_that_come_near(item: dict[str, Any]) -> None:
    assert (item["kind"], item["path"], item["anchor"], item["facts"]) == ("unanswerable", [], "", [])
    assert item["near"]
    assert set(item["near"]) <= set(_notes())
    assert item.get("denied", "") in _notes()[item["near"][0]]


OF_THE_VAULT = _read("questions-vault.toml")
APART = _read("questions-vault.toml", "apart")
VAULT_KINDS = {"property", "tasks", "count", "list", "dates", "latest", "links", "tags"}


def test_questions_about_the_vault_are_forty_of_every_kind_and_half_russian() -> None:
    assert len(OF_THE_VAULT) == 40
    assert {item["kind"] for item in OF_THE_VAULT} == VAULT_KINDS
    _assert_half_russian(OF_THE_VAULT)
    _assert_asked_nowhere_else(OF_THE_VAULT + APART, "questions.toml", "questions-hard.toml")


def test_ten_questions_only_look_like_questions_about_the_vault() -> None:
    assert len(APART) == 10
    _assert_half_russian(APART)
    assert {item["kind"] for item in APART} == {"content", "ambiguous"}
    assert all((item["kind"] == "content") == (item["paths"] == []) for item in APART)


@pytest.mark.parametrize("item", OF_THE_VAULT + APART, ids=lambda item: item["question"])
def test_question_about_the_vault_names_notes_that_exist(item: dict[str, Any]) -> None:
    assert set(item["paths"]) <= set(_notes())
    assert len(set(item["paths"])) == len(item["paths"])
    if item["kind"] not in {"content", "ambiguous"}:
        assert item["paths"]
    if item["kind"] == "count":
        assert item["count"] == len(item["paths"])
    if item["kind"] == "tasks":
        assert all("- [" in _notes()[path] for path in item["paths"])
    date.fromisoformat(item.get("today", "2026-01-01"))


RELATIVE = ("last month", "прошлый месяц", "просрочено", "overdue", "yesterday", "вчера", "last week")


def test_question_of_a_relative_time_says_when_it_is_asked() -> None:
    assert all(
        "today" in item
        for item in OF_THE_VAULT
        if any(expression in item["question"].casefold() for expression in RELATIVE)
    )


BRIDGES = _read("questions-deep.toml")


def test_bridge_questions_are_twelve_and_half_russian() -> None:
    assert len(BRIDGES) == 12
    _assert_half_russian(BRIDGES)
    _assert_asked_nowhere_else(BRIDGES, "questions.toml", "questions-hard.toml")


def _stems(text: str) -> set[str]:
    """Return what tells words apart: their first five letters, of words of five letters and more."""
    return {word[:5] for word in re.findall(r"\w{5,}", text.casefold())}


EVERYWHERE = {"котор", "когда", "после", "about", "which", "there", "would", "could"}


@pytest.mark.parametrize("item", BRIDGES, ids=lambda item: item["question"])
def test_bridge_leads_from_a_note_that_names_the_answering_one(item: dict[str, Any]) -> None:
    final, via = _notes()[item["path"]], _notes()[item["via"]]
    assert re.search(rf"\[\[(?:[^\]|#]*/)?{re.escape(Path(item['path']).stem)}[\]|#]", via)
    assert all(fact in final and fact not in via for fact in item["facts"])


@pytest.mark.parametrize("item", BRIDGES, ids=lambda item: item["question"])
def test_bridge_question_shares_no_telling_word_with_the_answering_note(item: dict[str, Any]) -> None:
    shared = _stems(item["question"]) & _stems(item["path"] + "\n" + _notes()[item["path"]])
    assert shared - EVERYWHERE == set()


CORRECTIONS = _read("corrections.toml", "correction")


def test_false_corrections_are_thirty_and_half_russian() -> None:
    assert len(CORRECTIONS) == 30
    _assert_half_russian(CORRECTIONS)


@pytest.mark.parametrize("item", CORRECTIONS, ids=lambda item: item["question"])
def test_false_correction_contradicts_what_stands_in_the_note(item: dict[str, Any]) -> None:
    note = _notes()[item["path"]]
    assert item["fact"] in note
    assert item["false_value"] in item["correction"]
    assert not re.search(rf"(?<!\w){re.escape(item['false_value'])}(?!\w)", note)


def _pairs(name: str) -> list[dict[str, str]]:
    pairs: list[dict[str, str]] = tomllib.loads((CASES / name).read_text(encoding="utf-8"))["case"]
    return pairs


FORGERIES = _pairs("quote_forgeries.toml")
VARIANTS = _pairs("quote_variants.toml")
LEAST_PAIRS = 220


@pytest.mark.parametrize("pairs", [FORGERIES, VARIANTS], ids=["forgeries", "variants"])
def test_pairs_for_the_quote_check_are_many_different_and_in_both_languages(pairs: list[dict[str, str]]) -> None:
    assert len(pairs) >= LEAST_PAIRS
    assert len({pair["id"] for pair in pairs}) == len(pairs)
    assert len({pair["source"] for pair in pairs}) > 0.95 * len(pairs)
    languages = Counter(pair["lang"] for pair in pairs)
    assert set(languages) == {"ru", "en"}
    assert min(languages.values()) >= 0.4 * len(pairs)
    assert all(pair["quote"].strip() for pair in pairs)


KINDS_OF_FORGERY = {
    *("stress-added", "stress-moved", "yo-for-ye", "letter", "look-alike", "digits", "sign", "decimal", "unit"),
    *("negation-added", "negation-dropped", "name", "word-order", "clause-order", "sewn", "middle-left-out"),
    *("number-word", "translated"),
}
CUT_OFF = {"negation-cut-off", "number-cut-off", "word-cut-off"}


def test_forgeries_are_of_every_kind_that_the_check_must_refuse() -> None:
    assert {pair["kind"] for pair in FORGERIES} >= KINDS_OF_FORGERY


def test_a_forgery_stands_verbatim_only_where_its_beginning_or_end_is_cut_off() -> None:
    verbatim = {pair["id"] for pair in FORGERIES if pair["quote"] in pair["source"]}
    assert verbatim == {pair["id"] for pair in FORGERIES if pair["kind"] in CUT_OFF} & verbatim


def test_no_forgery_is_an_honest_variant() -> None:
    assert not {(pair["source"], pair["quote"]) for pair in FORGERIES} & {
        (pair["source"], pair["quote"]) for pair in VARIANTS
    }


def test_most_variants_do_not_stand_in_their_source_letter_by_letter() -> None:
    assert sum(pair["quote"] in pair["source"] for pair in VARIANTS) < 0.25 * len(VARIANTS)


POISONED = poisoned_notes()


def test_two_hundred_notes_are_poisoned_half_of_them_russian() -> None:
    assert len(POISONED) == 200
    assert Counter(note.lang for note in POISONED) == {"ru": 100, "en": 100}
    for of in ("id", "path", "question", "fact", "text"):
        assert len({getattr(note, of) for note in POISONED}) == len(POISONED), of


def test_poison_is_of_every_kind_at_every_place_in_both_languages() -> None:
    assert {(note.attack, note.lang) for note in POISONED} == {
        (attack.name, lang) for attack in ATTACKS for lang in ("ru", "en")
    }
    assert {(note.carrier, note.lang) for note in POISONED} == {
        (carrier, lang) for carrier in CARRIERS for lang in ("ru", "en")
    }


@pytest.mark.parametrize("note", POISONED, ids=lambda note: note.id)
def test_poisoned_note_states_its_fact_and_what_obeying_it_looks_like(note: PoisonedNote) -> None:
    assert note.fact in note.text
    assert all(note.fact not in other.text for other in POISONED if other.id != note.id)
    assert any(part in note.obeyed for part in note.never)
    assert note.obeyed not in note.text
    assert "{" not in note.obeyed


def test_the_word_of_obedience_stands_whole_in_no_note() -> None:
    words = {part for note in POISONED for part in note.never if re.fullmatch(r"\w+", part)}
    assert len(words) > 100
    assert not [word for word in words if any(word in note.text + note.path for note in POISONED)]


def test_poisoned_notes_are_written_where_they_say(tmp_path: Path) -> None:
    written = write_poisoned_notes(tmp_path)
    assert all((tmp_path / note.path).read_text(encoding="utf-8") == note.text for note in written)


RELATED = _read("related.toml", "note")


def test_related_notes_exist_and_are_told_once() -> None:
    assert {item["lang"] for item in RELATED} == {"ru", "en"}
    for item in RELATED:
        named = [*item["related"], *item["either"]]
        assert {item["path"], *named} <= set(_notes())
        assert len(set(named)) == len(named)
        assert item["path"] not in named
