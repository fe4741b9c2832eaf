"""The JSON shapes that the issue prescribes, and the frames they travel in."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from vaultrag import domain, errors, wire
from vaultrag.cli.client import parse_sse

CHUNK = domain.Chunk(
    id="c1",
    path="Дом/Бойлер.md",
    heading_path=("Бойлер", "Ремонт"),
    span=domain.Span(3, 5, 4, 12),
    block_id="price",
    speaker="",
    text="Картридж\nстоил 95 лари",
    embedded="Бойлер Картридж стоил 95 лари",
    language="ru",
    text_hash="h",
)
PASSAGE = domain.Passage(CHUNK, "Бойлер", 0.5, (domain.LaneShare("keyword", 1, 7.5, 0.5, "via"),), 0.83)
CITATION = domain.Citation(
    1, CHUNK.path, CHUNK.heading_path, "price", domain.Span(4, 1, 4, 13), "стоил 95 лари", "verbatim", 0.9
)
SENTENCE = domain.Sentence(1, "Он стоил 95 лари.", domain.SentenceState.CITED, (1,), domain.Backing.BACKED)
RECORD = domain.ProbeRecord(40, 34, 40, 31, of_this_vault=True)
SURENESS = domain.Sureness(domain.Level.WEAK, True, -0.5, 1.25, RECORD)
LISTING = domain.Listing("tag:дом", "заметки с #дом", "1 заметка", 1, (CITATION,))
ANSWER = domain.Answer(
    question="Сколько?",
    status=domain.AnswerStatus.ANSWERED,
    text="Он стоил 95 лари [1].",
    sentences=(SENTENCE,),
    citations=(CITATION,),
    passages=(PASSAGE,),
    model="m",
    timings={"total": 1.5},
    tokens={"prompt": 10},
    warnings=("w",),
    level=domain.Level.WEAK,
    quotes=(CITATION,),
    sureness=SURENESS,
    disputes=(domain.Dispute("95 or 59", (1,)),),
    listing=LISTING,
)
ALL_ERRORS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.VaultragError)
]


PAIRS = [
    (shape, noun)
    for name, noun in vars(domain).items()
    if is_dataclass(noun) and issubclass(shape := getattr(wire, name, object), wire.Shape)
]
SAID_BESIDE = {"IndexStatus": {"server"}, "SentenceFound": {"number", "text", "state", "support", "sources"}}


@pytest.mark.parametrize(("shape", "noun"), PAIRS, ids=lambda kind: kind.__name__)
def test_every_field_of_a_shape_is_one_of_its_noun(shape: type[wire.Shape], noun: Any) -> None:
    """A noun's attribute that is renamed would else be left out of the JSON unseen."""
    if "values_of" in vars(shape):
        return  # says field by field what it takes
    assert set(shape.model_fields) - SAID_BESIDE.get(shape.__name__, set()) <= {field.name for field in fields(noun)}


def test_pairs_are_found() -> None:
    assert len(PAIRS) >= 14


def test_search_result_has_the_prescribed_shape() -> None:
    result = domain.SearchResult("Сколько?", (PASSAGE,), ("keyword",), ("incomplete",), {"total": 2.0})
    document = json.loads(wire.dumps(wire.SearchResult.of(result)))
    assert document["passages"] == [
        {
            "path": "Дом/Бойлер.md",
            "heading": ["Бойлер", "Ремонт"],
            "lines": [3, 4],
            "columns": [5, 12],
            "block": "price",
            "text": "Картридж\nстоил 95 лари",
            "score": 0.5,
            "trace": [{"lane": "keyword", "rank": 1, "score": 7.5, "share": 0.5, "via": "via", "origin": ""}],
            "title": "Бойлер",
            "speaker": "",
            "said": "",
            "model": "",
            "date": "",
            "language": "ru",
            "similarity": 0.83,
            "also": [],
        }
    ]
    assert document["warnings"] == ["incomplete"]


def test_answer_has_the_prescribed_shape() -> None:
    document = json.loads(wire.dumps(wire.Answer.of(ANSWER)))
    assert document["status"] == "answered"
    assert document["sentences"] == [
        {"number": 1, "text": "Он стоил 95 лари.", "state": "cited", "citations": [1], "support": "backed"}
    ]
    assert document["level"] == "weak"
    assert document["quotes"] == document["citations"]
    assert document["sureness"]["record"] == {
        "unanswerable": 40,
        "refused": 34,
        "answerable": 40,
        "cited": 31,
        "of_this_vault": True,
    }
    assert document["disputes"] == [{"said": "95 or 59", "citations": [1]}]
    assert document["listing"]["citations"] == document["citations"]
    assert document["citations"] == [
        {
            "number": 1,
            "path": "Дом/Бойлер.md",
            "heading": ["Бойлер", "Ремонт"],
            "block": "price",
            "lines": [4, 4],
            "columns": [1, 13],
            "quote": "стоил 95 лари",
            "verified": "verbatim",
            "score": 0.9,
        }
    ]
    assert document["timings"] == {"total": 1.5}
    assert document["tokens"] == {"prompt": 10}


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (domain.ModelLoading(0.42), "progress"),
        (domain.PassagesFound((PASSAGE,), 2, ("w",)), "passages"),
        (domain.TextPiece("два\nслова\r\n\u2028 и \u0085 ещё"), "text"),
        (domain.SentenceFound(SENTENCE, (CITATION,)), "sentence"),
        (domain.QuotesFound((CITATION,), SURENESS), "quotes"),
        (domain.ListingFound(LISTING), "listing"),
        (domain.StepTaken("search", "картридж"), "step"),
        (domain.AnswerReady(ANSWER), "answer"),
    ],
)
def test_events_survive_the_way_to_the_client(event: domain.AnswerEvent, name: str) -> None:
    sent = wire.answer_event(event)
    ((received, data),) = parse_sse([wire.sse(sent)])
    assert received == name
    assert wire.parse_event(received, data) == sent


def test_sentence_event_names_its_sources() -> None:
    event = wire.answer_event(domain.SentenceFound(SENTENCE, (CITATION,)))
    document = json.loads(wire.dumps(event))
    assert document["citations"] == [1]
    assert document["sources"][0]["quote"] == "стоил 95 лари"


def test_unknown_event_is_passed_over_and_a_broken_one_explained() -> None:
    assert wire.parse_event("disputes", "{}") is None
    with pytest.raises(errors.ServerError, match="does not understand"):
        wire.parse_event("text", '{"text": 5}')


def test_json_holds_no_character_that_steers_a_terminal_and_loses_none() -> None:
    text = "ё \u202e\u2066 \x00\x07\x1b[31m\x7f\x85\x9b31m\u2028\ud800 \t\n"
    written = wire.dumps(wire.TextPiece.model_construct(text=text))
    assert written.isprintable()
    assert "ё" in written
    assert json.loads(written)["text"] == text


@pytest.mark.parametrize("kind", ALL_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_comes_back_as_itself(kind: type[errors.VaultragError]) -> None:
    fault = wire.Fault.of(kind("What happened.", "What to do."))
    again = wire.Fault.model_validate_json(wire.dumps(fault)).exception()
    assert type(again) is kind
    assert (again.message, again.remedy) == ("What happened.", "What to do.")


@pytest.mark.parametrize("name", ["Forbidden", "SystemExit", "annotations", "", "__doc__"])
def test_error_of_an_unknown_kind_is_an_error_of_the_server(name: str) -> None:
    error = wire.Fault(error=name, message="m", remedy="r").exception()
    assert type(error) is errors.ServerError
