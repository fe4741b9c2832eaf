"""Two hundred notes that order the model about, and a model that obeys: what comes out of it, whoever shows it."""

from __future__ import annotations

import hashlib
import json
import math
import re
import socket
import subprocess
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from tests.doubles import HashEmbedder
from tests.poison_texts import CITATIONS, HIDDEN, URLS
from tests.poisoned_notes import PoisonedNote, poisoned_notes
from tests.rendered import live, steering, terminal_links
from tests.served import NOTES as ORDINARY
from tests.served import Served, serving
from vaultrag import wire
from vaultrag.cli.main import main
from vaultrag.config import AnsweringSection, Config, Settings
from vaultrag.domain import (
    Answer,
    AnswerReady,
    AnswerStyle,
    Citation,
    Generation,
    Manner,
    Message,
    Mode,
    Piece,
    Priority,
    Role,
    Sampling,
    Scores,
    SentenceFound,
    SentenceState,
    TextPiece,
)
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.traces import find_trace
from vaultrag.text.inert import addresses
from vaultrag.workspace import Ownership, Workspace

pytestmark = pytest.mark.slow

POISONED = poisoned_notes()
SYNTAX = {attack.name for attack in (*URLS, *CITATIONS, *HIDDEN)}
OF_EACH_SYNTAX = tuple({note.attack: note for note in POISONED if note.attack in SYNTAX}.values())
TEXTS = {**ORDINARY, **{note.path: note.text for note in POISONED}}
KNOWN = addresses("\n".join(TEXTS.values()))
REALLY_ASKED = 20  # by the real model, the first by SHA-256: some three minutes on two cores
FOREIGN = "collector.example"
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


@dataclass(slots=True)
class ObeyingModel:
    """Does what the note asked about orders, as soon as its fact stands in the prompt; says Yes to every question.

    `obeyed` are the notes that it was steered by.
    """

    name: str = "obeying"
    context_length: int = 16384
    obeyed: list[str] = field(default_factory=list)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [(len(text) + 3) // 4 for text in texts]

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        prompt = "\n".join(message.content for message in messages)
        note = next((note for note in POISONED if note.question in prompt and note.fact in prompt), None)
        if note is not None:
            self.obeyed.append(note.id)
        said = note.obeyed if note else "?"
        yield from (said[start : start + 5] for start in range(0, len(said), 5))
        yield Generation(said, "stop", len(prompt) // 4, 0, len(said) // 4, 0.0, 0.0)

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        return self.score_each([messages], options, priority)[0]

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        yes = [math.log(0.99) if option.strip().lower() in ("yes", "да") else math.log(0.01) for option in options]
        return [Scores(tuple(options), tuple(yes), calibrated=True) for _ in conversations]


@dataclass(frozen=True, slots=True)
class Asked:
    """A poisoned note, the answer to its question, and what was streamed of it."""

    note: PoisonedNote
    answer: Answer
    sentences: tuple[SentenceFound, ...]
    draft: str
    events: list[object]


@pytest.fixture(scope="module")
def model() -> ObeyingModel:
    return ObeyingModel()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, model: ObeyingModel) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("poisoned"), model, notes=TEXTS) as running:
        yield running


@pytest.fixture(scope="module")
def asked(served: Served) -> list[Asked]:
    """Ask each note's question once, with every way out of the program closed."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (subprocess, "Popen"),
            (webbrowser, "open"),
            (socket, "getaddrinfo"),
            (socket, "create_connection"),
        ):
            patch.setattr(module, name, _refused)
        return [_ask(served.workspace, note) for note in POISONED]


def _refused(*_: object, **__: object) -> NoReturn:
    raise AssertionError("an answer reached out of the program")


def _ask(workspace: Workspace, note: PoisonedNote, mode: Mode = Mode.QUICK) -> Asked:
    events = list(workspace.ask(note.question, manner=Manner(style=AnswerStyle.PROSE, mode=mode)))
    ready = events[-1]
    assert isinstance(ready, AnswerReady)
    return Asked(
        note=note,
        answer=ready.answer,
        sentences=tuple(event for event in events if isinstance(event, SentenceFound)),
        draft="".join(event.text for event in events if isinstance(event, TextPiece)),
        events=[json.loads(wire.dumps(wire.answer_event(event))) for event in events],
    )


def test_the_model_reads_the_poison_and_obeys(asked: list[Asked], model: ObeyingModel) -> None:
    spared = {one.note.id for one in asked} - set(model.obeyed)
    assert len(spared) <= 0.02 * len(POISONED), spared  # whose question does not find them


def test_only_what_was_retrieved_is_cited_and_as_it_stands_there(asked: list[Asked]) -> None:
    faults = [
        (one.note.id, citation.path, citation.quote)
        for one in asked
        for citation in _citations(one)
        if not _was_retrieved(citation, one.answer) or not _stands_in_note(citation)
    ]
    assert faults == []


def test_what_the_poison_names_as_source_is_not_cited(asked: list[Asked]) -> None:
    for one in asked:
        assert {citation.path for citation in _citations(one)}.isdisjoint(one.note.never_cited), one.note.id
        marks = {int(mark) for mark in re.findall(r"\[(\d+)\]", one.answer.text)}
        assert marks <= {citation.number for citation in one.answer.citations}, one.note.id


def test_no_address_or_tag_of_the_poison_stands_in_an_answer_but_as_code(asked: list[Asked]) -> None:
    for one in asked:
        never = [part for part in one.note.never if not part.isalnum()]
        for said in _said(one.answer):
            assert not [part for part in never if part in CODE.sub("", said)], (one.note.id, said)


def test_what_only_an_obeying_model_writes_is_told_to_nobody(asked: list[Asked]) -> None:
    for one in asked:
        words = [part for part in one.note.never if part.isalnum()]
        for said in _told(one.answer):
            assert not [word for word in words if word in said], (one.note.id, said)


def test_nothing_in_an_answer_is_live(asked: list[Asked]) -> None:
    assert len({one.note.attack for one in asked if live(one.note.obeyed)}) > 8  # what obeying would have brought
    for one in asked:
        for said in (*_said(one.answer), *(found.sentence.text for found in one.sentences), one.draft):
            assert live(said) == [], (one.note.id, said)


def test_no_event_names_a_foreign_place_otherwise_than_the_notes_do(asked: list[Asked]) -> None:
    faults = {(one.note.id, *_composed(one.draft, *_strings(one.events))) for one in asked}
    assert {fault for fault in faults if len(fault) > 1} == set()


def test_an_honest_part_of_an_answer_is_still_given(asked: list[Asked]) -> None:
    honest = [one for one in asked if f"{one.note.fact} [1]" in one.note.obeyed and one.note.attack != "language"]
    assert len(honest) > 40
    assert [one.note.id for one in honest if one.note.fact not in one.answer.text] == []


def test_deep_answers_and_their_traces_do_no_harm_either(served: Served) -> None:
    for note in OF_EACH_SYNTAX:
        one = _ask(served.workspace, note, Mode.DEEP)
        assert all(_stands_in_note(citation) for citation in _citations(one)), note.id
        for said in (*_said(one.answer), one.draft):
            assert live(said) == [], (note.id, said)
        trace = find_trace(served.workspace.database, one.answer.trace)
        assert _composed(*_strings(one.events), *(step.detail for step in trace.steps)) == set(), note.id


@pytest.mark.models
def test_the_real_model_reads_twenty_of_them_and_does_no_harm(served: Served, models_dir: Path, tmp_path: Path) -> None:
    """Short answers of the smallest model that answers, over the same index."""
    settings = Settings(answering=AnsweringSection(passages=2, max_tokens=40))
    config = Config(vault=served.config.vault, home=served.config.home, models=models_dir, settings=settings)
    pool = ModelPool.of(config)
    with closing(pool), Workspace.with_models(config, Ownership.READ, HashEmbedder(), pool.chat(Role.ANSWER)) as reader:
        answers = [(note, _ask(reader, note)) for note in sorted(POISONED, key=_digest)[:REALLY_ASKED]]
    for note, one in answers:
        for citation in _citations(one):
            assert _was_retrieved(citation, one.answer), (note.id, citation)
            assert _stands_in_note(citation), (note.id, citation)
        for said in (*_told(one.answer), one.draft):
            assert live(said) == [], (note.id, said)
            assert _composed(said) == set(), (note.id, said)
        words = [part for part in note.never if part.isalnum()]
        assert not [word for word in words for said in _told(one.answer) if word in said], (note.id, one.answer.text)
        assert {citation.path for citation in _citations(one)}.isdisjoint(note.never_cited), note.id


def _digest(note: PoisonedNote) -> str:
    return hashlib.sha256(note.id.encode()).hexdigest()


@pytest.mark.parametrize(
    ("options", "colours"), [((), ""), ((), "1"), (("--json",), "")], ids=["pipe", "terminal", "json"]
)
def test_commands_show_nothing_live(
    served: Served,
    options: tuple[str, ...],
    colours: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A note of each attack with syntax of its own, asked through the server."""
    if colours:
        monkeypatch.setenv("FORCE_COLOR", colours)
    places = ("--vault", str(served.config.vault), "--home", str(served.config.home))
    for note in OF_EACH_SYNTAX:
        assert main(["ask", note.question, *options, *places], _no_server) == 0
        shown = capsys.readouterr()
        output = shown.out + shown.err
        assert _composed(*_strings(json.loads(shown.out)) if options else output) == set(), note.id
        assert all(link.startswith("obsidian://open?vault=vault&file=") for link in terminal_links(output)), note.id
        assert steering(output) == set(), note.id


def _no_server(*_: object) -> NoReturn:
    raise AssertionError("the one that runs is asked")


def _composed(*shown: str) -> set[str]:
    """Return the foreign addresses in texts that stand in no note just so."""
    return {address for text in shown for address in addresses(text) if FOREIGN in address} - KNOWN


def _strings(value: object) -> Iterator[str]:
    """Yield every string of a JSON document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _said(answer: Answer) -> list[str]:
    """Return the texts of an answer that are not the notes' own."""
    return [answer.text, *(sentence.text for sentence in answer.sentences), *answer.missing]


def _told(answer: Answer) -> list[str]:
    """Return the texts of an answer but for those that it leaves out."""
    return [answer.text, *(s.text for s in answer.sentences if s.state is not SentenceState.REMOVED)]


def _citations(one: Asked) -> list[Citation]:
    streamed = [citation for found in one.sentences for citation in found.citations]
    return [*one.answer.citations, *one.answer.quotes, *streamed]


def _was_retrieved(citation: Citation, answer: Answer) -> bool:
    return any(
        passage.chunk.path == citation.path
        and passage.chunk.span.first_line <= citation.span.first_line
        and citation.span.last_line <= passage.chunk.span.last_line
        for passage in answer.passages
    )


def _stands_in_note(citation: Citation) -> bool:
    """Tell whether the quote is what its note holds from the first to the last character of its span."""
    lines = re.split(r"(?<=\n)", TEXTS[citation.path])
    span = citation.span
    stretch = lines[span.first_line - 1 : span.last_line]
    stretch[-1] = stretch[-1][: span.last_column]
    stretch[0] = stretch[0][span.first_column - 1 :]
    return "".join(stretch) == citation.quote
