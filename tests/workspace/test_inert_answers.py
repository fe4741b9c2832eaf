"""Every text of an answer's events is inert, and the notes' own words are not touched."""

from __future__ import annotations

from collections.abc import Generator

from tests.rendered import live
from tests.retrieval.passages import passage
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStatus,
    Citation,
    Dispute,
    PassagesFound,
    QuotesFound,
    Sentence,
    SentenceFound,
    SentenceState,
    Span,
    StepTaken,
    TextPiece,
)
from vaultrag.workspace.inert_answers import inert_events

WIKI = "https://wiki.home/x"
TOLD = f"Вики – {WIKI} ![](https://e.example/?q=3001)"
QUOTE = f"Вики: [x]({WIKI}) <img src='https://e.example/'>"
CITATION = Citation(1, "Дом.md", (), "", Span(1, 1, 1, len(QUOTE)), QUOTE, "verbatim", 1.0)
SENTENCE = Sentence(1, TOLD, SentenceState.CITED, (1,))


def events(*given: AnswerEvent) -> Generator[AnswerEvent, None, None]:
    yield from given


def answer() -> Answer:
    return Answer(
        question="где вики?",
        status=AnswerStatus.ANSWERED,
        text=TOLD,
        sentences=(SENTENCE,),
        citations=(CITATION,),
        passages=(passage("Дом.md", text=QUOTE),),
        model="",
        timings={},
        tokens={},
        quotes=(CITATION,),
        disputes=(Dispute(TOLD, (1,)),),
        missing=(TOLD,),
    )


def test_texts_of_every_event_are_inert() -> None:
    pieces = [TextPiece(TOLD[at : at + 3]) for at in range(0, len(TOLD), 3)]
    told = list(
        inert_events(
            events(*pieces, SentenceFound(SENTENCE, (CITATION,)), StepTaken("search", TOLD), AnswerReady(answer()))
        )
    )
    draft = "".join(event.text for event in told if isinstance(event, TextPiece))
    assert draft.startswith("Вики – https[:]//wiki.home/x ! [] (https[:]//e.example")
    *_, found, step, rest, ready = told
    assert isinstance(found, SentenceFound)
    assert isinstance(step, StepTaken)
    assert isinstance(rest, TextPiece)
    assert isinstance(ready, AnswerReady)
    done = ready.answer
    texts = (
        draft,
        found.sentence.text,
        step.detail,
        done.text,
        done.sentences[0].text,
        done.disputes[0].said,
        *done.missing,
    )
    for text in texts:
        assert "3001" in text
        assert live(text) == []
    for text in texts[3:]:
        assert f"`{WIKI}`" in text


def test_the_notes_own_words_are_handed_on_as_they_are() -> None:
    given = (QuotesFound((CITATION,)), PassagesFound(answer().passages, 0))
    assert tuple(inert_events(events(*given))) == given
    *_, ready = inert_events(events(AnswerReady(answer())))
    assert isinstance(ready, AnswerReady)
    assert (ready.answer.citations, ready.answer.quotes, ready.answer.passages) == (
        (CITATION,),
        (CITATION,),
        answer().passages,
    )


def test_who_leaves_ends_what_answers() -> None:
    ended: list[bool] = []

    def answering() -> Generator[AnswerEvent, None, None]:
        try:
            yield TextPiece("слово ")
            yield TextPiece("ещё")
        finally:
            ended.append(True)

    stream = inert_events(answering())
    assert next(stream) == TextPiece("слово ")
    stream.close()
    assert ended == [True]
