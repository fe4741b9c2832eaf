"""The form in which answers and verdicts are kept: of its own, and every earlier one is read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vaultrag.config import Config, Settings
from vaultrag.domain import (
    Answer,
    AnswerFinding,
    AnswerStatus,
    AnswerStyle,
    AsOf,
    AsOfSource,
    Backing,
    Citation,
    Dispute,
    FindingKind,
    FindingSide,
    Holder,
    Level,
    Listing,
    ProbeRecord,
    SavedAnswer,
    Sentence,
    SentenceState,
    Span,
    Sureness,
    Verdict,
    VerdictState,
)
from vaultrag.errors import IndexDamaged, IndexTooNew
from vaultrag.records.archive import Archive
from vaultrag.records.stored import (
    FORM,
    answer_body,
    is_sound,
    notes_of,
    read_answer,
    read_verdict,
    retarget,
    verdict_body,
)
from vaultrag.store.journal import Entry, as_body
from vaultrag.store.opening import open_database
from vaultrag.store.records import Kind

BOILER = "Дом/Бойлер.md"
ANSWER = Answer(
    question="Когда поменяли картридж? When was it?",
    status=AnswerStatus.PARTLY,
    text="12 мая 2024 года [1]. Perhaps.",
    sentences=(
        Sentence(1, "12 мая 2024 года", SentenceState.CITED, (1,)),
        Sentence(2, "Perhaps.", SentenceState.UNCITED, ()),
    ),
    citations=(Citation(1, BOILER, ("Бойлер", "Ремонт"), "price", Span(3, 5, 4, 12), "12 мая 2024", "lexical", 0.75),),
    passages=(),
    model="qwen",
    timings={"total": 1250.5},
    tokens={"prompt": 900, "answer": 12},
    warnings=("Not every note can be found yet.",),
)
SAVED = SavedAnswer("7f3a91bc0d12", "2026-11-02T08:15:00.000+00:00", "дом", ANSWER, (BOILER, "Servers/mayak.md"))
FIRST_FORM_ANSWER = """
{"answer":{"citations":[{"block":"price","columns":[5,12],"heading":["Бойлер","Ремонт"],"lines":[3,4],"number":1,
"path":"Дом/Бойлер.md","quote":"12 мая 2024","score":0.75,"verified":"lexical"}],"model":"qwen","passages":[],
"question":"Когда поменяли картридж? When was it?","saved":"","sentences":[{"citations":[1],"number":1,"state":"cited",
"text":"12 мая 2024 года"},{"citations":[],"number":2,"state":"uncited","text":"Perhaps."}],"status":"partly",
"text":"12 мая 2024 года [1]. Perhaps.","timings":{"total":1250.5},"tokens":{"answer":12,"prompt":900},
"warnings":["Not every note can be found yet."]},"chat":"дом","paths":["Дом/Бойлер.md","Servers/mayak.md"],
"saved_at":"2026-11-02T08:15:00.000+00:00"}
"""  # as written before the form was named
SECOND_FORM_ANSWER = {
    "form": 2,
    "saved_at": "2026-11-02T08:15:00.000+00:00",
    "chat": "дом",
    "answer": {
        "question": "Когда поменяли картридж? When was it?",
        "status": "partly",
        "text": "12 мая 2024 года [1]. Perhaps.",
        "sentences": [
            {"number": 1, "text": "12 мая 2024 года", "state": "cited", "citations": [1]},
            {"number": 2, "text": "Perhaps.", "state": "uncited", "citations": []},
        ],
        "citations": [
            {
                "number": 1,
                "path": "Дом/Бойлер.md",
                "heading": ["Бойлер", "Ремонт"],
                "block": "price",
                "lines": [3, 4],
                "columns": [5, 12],
                "quote": "12 мая 2024",
                "verified": "lexical",
                "score": 0.75,
            }
        ],
        "model": "qwen",
        "timings": {"total": 1250.5},
        "tokens": {"prompt": 900, "answer": 12},
        "warnings": ["Not every note can be found yet."],
    },
    "paths": ["Дом/Бойлер.md", "Servers/mayak.md"],
}
AS_OF = AsOf("2024-05-11", "2024-05-11", AsOfSource.TEXT, year_known=False)
QUOTE = Citation(1, "Servers/mayak.md", (), "", Span(7, 1, 7, 11), "12 мая 2024", "verbatim", 1.0)
FULL_ANSWER = replace(
    ANSWER,
    sentences=(replace(ANSWER.sentences[0], support=Backing.BACKED), ANSWER.sentences[1]),
    level=Level.WEAK,
    style=AnswerStyle.QUOTES,
    quotes=(QUOTE,),
    sureness=Sureness(Level.WEAK, True, -0.5, 1.25, ProbeRecord(40, 34, 40, 31, of_this_vault=True)),
    disputes=(Dispute("11 мая или 12 мая", (1,)),),
    missing=("who did it",),
    listing=Listing("tag:дом", "notes with #дом", "1 note", 1, (QUOTE,), sure=False),
    stopped="length",
    trace="a1b2",
    findings=(
        AnswerFinding(
            "f1",
            FindingKind.CONTRADICTION,
            "Разные даты одного: «11 мая» и «12 мая».",
            FindingSide(BOILER, ("Ремонт",), Span(3, 5, 3, 15), "12 мая 2024", Holder.USER, "", None),
            FindingSide("Servers/mayak.md", (), Span(7, 1, 7, 11), "11 мая 2024", Holder.ASSISTANT, "qwen", AS_OF),
            (1,),
        ),
    ),
)
FULL = replace(SAVED, answer=FULL_ANSWER)
THIRD_FORM_PART = {
    "level": "weak",
    "style": "quotes",
    "quotes": [
        {
            "number": 1,
            "path": "Servers/mayak.md",
            "heading": [],
            "block": "",
            "lines": [7, 7],
            "columns": [1, 11],
            "quote": "12 мая 2024",
            "verified": "verbatim",
            "score": 1.0,
        }
    ],
    "sureness": {
        "level": "weak",
        "calibrated": True,
        "score": -0.5,
        "threshold": 1.25,
        "record": {"unanswerable": 40, "refused": 34, "answerable": 40, "cited": 31, "of_this_vault": True},
    },
    "disputes": [{"said": "11 мая или 12 мая", "citations": [1]}],
    "missing": ["who did it"],
    "stopped": "length",
    "trace": "a1b2",
}
FOURTH_FORM_FINDINGS = [
    {
        "key": "f1",
        "kind": "contradiction",
        "reason": "Разные даты одного: «11 мая» и «12 мая».",
        "one": {
            "path": BOILER,
            "heading": ["Ремонт"],
            "lines": [3, 3],
            "columns": [5, 15],
            "quote": "12 мая 2024",
            "holder": "user",
            "speaker": "",
            "as_of": None,
        },
        "other": {
            "path": "Servers/mayak.md",
            "heading": [],
            "lines": [7, 7],
            "columns": [1, 11],
            "quote": "11 мая 2024",
            "holder": "assistant",
            "speaker": "qwen",
            "as_of": {"first": "2024-05-11", "last": "2024-05-11", "source": "text", "year_known": False},
        },
        "citations": [1],
    }
]
FIRST_FORM_VERDICT = {"state": "snoozed", "paths": [BOILER], "note": "позже", "until": "2027-01-10"}
VERDICT = Verdict("спор", VerdictState.SNOOZED, (BOILER,), "позже", "2027-01-10")


def _third_form(added: dict[str, Any], support: list[str]) -> dict[str, Any]:
    """Return the third form's body: the second's with what is added to it."""
    answer: Any = SECOND_FORM_ANSWER["answer"]
    sentences = [sentence | {"support": how} for sentence, how in zip(answer["sentences"], support, strict=True)]
    return {**SECOND_FORM_ANSWER, "form": 3, "answer": answer | added | {"sentences": sentences}}


def test_kept_form_changes_only_with_its_number() -> None:
    """Homes hold bodies like these: what is written differently needs a new form, and this one stays readable."""
    assert FORM == 4
    body = answer_body(FULL)
    quote = THIRD_FORM_PART["quotes"]
    listing = {"query": "tag:дом", "said": "notes with #дом", "counted": "1 note", "count": 1, "sure": False}
    third = _third_form(THIRD_FORM_PART | {"listing": {**listing, "citations": quote}}, ["backed", "unchecked"])
    assert body == {**third, "form": 4, "answer": {**third["answer"], "findings": FOURTH_FORM_FINDINGS}}
    assert verdict_body(VERDICT) == {"form": 4, **FIRST_FORM_VERDICT}
    resolved = replace(VERDICT, state=VerdictState.RESOLVED, until="", right="claim")
    assert verdict_body(resolved)["right"] == "claim"
    assert read_verdict("спор", verdict_body(resolved)) == resolved


def test_what_form_three_adds_is_read_and_follows_moves() -> None:
    moved = read_answer(SAVED.id, retarget(answer_body(FULL), [("Servers/mayak.md", "Archive/mayak.md")]))
    listing = moved.answer.listing
    assert listing is not None
    assert {quote.path for quote in (*moved.answer.quotes, *listing.citations)} == {"Archive/mayak.md"}
    [finding] = moved.answer.findings
    assert (finding.one.path, finding.other.path) == ("Дом/Бойлер.md", "Archive/mayak.md")
    assert notes_of(answer_body(replace(FULL, paths=()))) >= {"Дом/Бойлер.md", "Servers/mayak.md"}
    assert read_answer(SAVED.id, answer_body(FULL)) == FULL


@pytest.mark.parametrize("body", [json.loads(FIRST_FORM_ANSWER), SECOND_FORM_ANSWER], ids=["first", "second"])
def test_answer_of_every_form_is_read(body: dict[str, Any]) -> None:
    assert read_answer(SAVED.id, body) == SAVED


@pytest.mark.parametrize("body", [FIRST_FORM_VERDICT, {"form": 2, **FIRST_FORM_VERDICT}], ids=["first", "second"])
def test_verdict_of_every_form_is_read(body: dict[str, Any]) -> None:
    assert read_verdict("спор", body) == VERDICT


def test_archive_reads_both_forms_and_makes_both_follow_a_move(tmp_path: Path) -> None:
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with open_database(config.database_path) as database:
        archive = Archive(config, database)
        archive.book.put(Kind.ANSWER, "first", json.loads(FIRST_FORM_ANSWER))
        archive.book.put(Kind.ANSWER, "second", SECOND_FORM_ANSWER)
        database.run("INSERT INTO moves (old_path, new_path) VALUES (?, 'Архив/Boiler.md')", (BOILER,))
        archive.follow_moves()
        found = archive.answers()
    assert [saved.id for saved in found] == ["first", "second"]
    assert {saved.answer.citations[0].path for saved in found} == {"Архив/Boiler.md"}


def test_answer_of_a_newer_form_asks_for_an_update() -> None:
    with pytest.raises(IndexTooNew, match="newer"):
        read_answer("abc", {"form": FORM + 1})
    with pytest.raises(IndexTooNew, match="newer"):
        read_verdict("abc", {"form": FORM + 1})


@pytest.mark.parametrize(
    "change",
    [{"status": "sure"}, {"citations": [{"number": 1}]}, {"sentences": "нет"}, {"text": None}],
    ids=["status", "citation", "sentences", "text"],
)
def test_body_that_is_no_answer_is_named(change: dict[str, Any]) -> None:
    body: dict[str, Any] = {**SECOND_FORM_ANSWER}
    body["answer"] = {**body["answer"], **change}
    with pytest.raises(IndexDamaged, match="abc"):
        read_answer("abc", body)
    assert not is_sound(Entry(Kind.ANSWER, "abc", 1, as_body(body)))


@pytest.mark.parametrize(
    ("moves", "path", "now"),
    [
        ([("a", "b")], "a", "b"),
        ([("a", "b"), ("b", "c")], "a", "c"),
        ([("a", "b"), ("c", "a")], "a", "b"),
        ([("a", "b"), ("c", "a")], "c", "a"),
        ([("a", "t"), ("b", "a"), ("t", "b")], "a", "b"),
        ([("a", "t"), ("b", "a"), ("t", "b")], "b", "a"),
        ([("a", "b"), ("b", "a")], "a", "a"),
        ([("a", "b"), ("a", "d")], "a", "b"),
    ],
)
def test_moves_are_followed_in_their_order(moves: list[tuple[str, str]], path: str, now: str) -> None:
    assert retarget({"paths": [path]}, moves)["paths"] == [now]
