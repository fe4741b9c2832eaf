"""Answers on their way out of the vault: what a model wrote in them is inert, whoever shows it."""

from __future__ import annotations

from collections.abc import Generator, Set
from contextlib import closing
from dataclasses import replace

from vaultrag.domain import Answer, AnswerEvent, AnswerReady, Sentence, SentenceFound, StepTaken, TextPiece
from vaultrag.text.inert import InertDraft, addresses, inert


def inert_events(events: Generator[AnswerEvent, None, None]) -> Generator[AnswerEvent, None, None]:
    """Hand an answer's events through with nothing in their texts that a client would follow, fetch or run.

    Quotes and passages are the notes' own characters and stay as they are: clients print them as text.
    """
    draft = InertDraft()
    with closing(events):
        for event in events:
            match event:
                case TextPiece(text):
                    yield TextPiece(draft.add(text))
                case SentenceFound(sentence, citations):
                    known = addresses("\n".join(citation.quote for citation in citations))
                    yield SentenceFound(_sentence(sentence, known, sentence.text), citations)
                case StepTaken(step, detail):
                    yield StepTaken(step, inert(detail))
                case AnswerReady(answer):
                    if rest := draft.rest():
                        yield TextPiece(rest)
                    yield AnswerReady(inert_answer(answer))
                case _:
                    yield event


def inert_answer(answer: Answer) -> Answer:
    """Return an answer with its texts inert; the addresses of its question and its passages are shown whole."""
    known = addresses("\n".join((answer.question, *_read(answer))))
    return replace(
        answer,
        text=inert(answer.text, known),
        sentences=tuple(_sentence(sentence, known, answer.text) for sentence in answer.sentences),
        disputes=tuple(replace(dispute, said=inert(dispute.said, known)) for dispute in answer.disputes),
        missing=tuple(inert(part, known) for part in answer.missing),
        findings=tuple(replace(one, reason=inert(one.reason, known)) for one in answer.findings),
    )


def _read(answer: Answer) -> list[str]:
    """Return the notes' words that an answer was written from."""
    return [
        *(f"{passage.chunk.text}\n{passage.chunk.about}" for passage in answer.passages),
        *(citation.quote for citation in (*answer.citations, *answer.quotes)),
    ]


def _sentence(sentence: Sentence, known: Set[str], within: str) -> Sentence:
    return replace(sentence, text=inert(sentence.text, known, within))
