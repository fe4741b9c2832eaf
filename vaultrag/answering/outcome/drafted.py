"""What becomes of a draft beside the quotes: the one answer, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vaultrag.answering.citations import overlap, with_marks
from vaultrag.answering.draft import Draft, Prose
from vaultrag.answering.outcome.quoted import FRAMES, answer_of_quotes, nothing_said, quoted_sentences
from vaultrag.domain import (
    Answer,
    AnswerStatus,
    AnswerStyle,
    Backing,
    Citation,
    Generation,
    Level,
    SearchResult,
    Sureness,
    counted,
)


def answer_of_draft(
    draft: Draft,
    question: str,
    language: str,
    quotes: Sequence[Citation],
    found: SearchResult,
    sureness: Sureness,
    model: str,
    timings: Mapping[str, float],
) -> Answer:
    """Return what of the draft may be told, the quotes where some of it may not, and only they where nothing may.

    A model that says that the notes hold nothing is believed, unless it found before that a passage answers.
    """
    found = replace(found, warnings=(*found.warnings, *_endings(draft)))
    prose = draft.prose()
    if draft.refuses and sureness.level is not Level.BACKED:
        answer = nothing_said(question, language, quotes, found, sureness, timings)
    elif draft.refuses or not prose.told:
        answer = answer_of_quotes(question, language, quotes, found, replace(sureness, level=Level.WEAK), timings)
        answer = replace(answer, sureness=sureness, warnings=(*answer.warnings, *_withheld(prose)))
    else:
        answer = _told(prose, question, language, quotes, found, sureness, timings)
    return replace(answer, model=model, tokens=_tokens(draft.stats), stopped=_stopped(draft))


def _told(
    prose: Prose,
    question: str,
    language: str,
    quotes: Sequence[Citation],
    found: SearchResult,
    sureness: Sureness,
    timings: Mapping[str, float],
) -> Answer:
    is_whole = all(sentence.support is not Backing.NOT_BACKED for sentence in prose.sentences)
    beside = () if is_whole else _numbered_after(prose.citations, quotes)
    last = max((sentence.number for sentence in prose.sentences), default=0)
    sentences = quoted_sentences(beside, found.passages, language, last + 1)
    listed = [f"- {with_marks(sentence.text, sentence.citations)}" for sentence in sentences]
    head = [FRAMES[Level.WEAK]["ru" if language == "ru" else "en"]] if listed else []
    return Answer(
        question=question,
        status=AnswerStatus.ANSWERED if is_whole else AnswerStatus.PARTLY,
        text="\n".join((prose.text + ("\n" if listed else ""), *head, *listed)),
        sentences=(*prose.sentences, *sentences),
        citations=(*prose.citations, *beside),
        passages=found.passages,
        model="",
        timings=timings,
        tokens={},
        warnings=(*found.warnings, *_withheld(prose)),
        level=_level(prose, sureness),
        style=AnswerStyle.PROSE,
        quotes=tuple(quotes),
        sureness=sureness,
    )


def _level(prose: Prose, sureness: Sureness) -> Level:
    """Nothing is called backed that was not judged so, sentence by sentence."""
    backed = all(sentence.support is Backing.BACKED for sentence in prose.told)
    return Level.BACKED if backed and sureness.level is Level.BACKED else Level.WEAK


def _numbered_after(citations: Sequence[Citation], quotes: Sequence[Citation]) -> tuple[Citation, ...]:
    """Return the quotes that overlap none of the cited places, numbered on."""
    fresh = [quote for quote in quotes if not any(overlap(quote, cited) for cited in citations)]
    return tuple(replace(quote, number=len(citations) + number) for number, quote in enumerate(fresh, 1))


def _withheld(prose: Prose) -> tuple[str, ...]:
    """Say how many of the model's sentences are not told; repetitions are none."""
    unbacked = sum(sentence.support is Backing.NOT_BACKED for sentence in prose.sentences)
    if not unbacked:
        return ()
    whole = len(prose.told) + unbacked
    return (f"{unbacked} of {counted(whole, 'sentence')} of the draft had no source in the notes and were left out.",)


def _stopped(draft: Draft) -> str:
    """Say why a draft ended before its end."""
    if draft.stats is not None and draft.stats.finish == "length":
        return "It reached answering.max_tokens."
    if draft.copies:
        return "The model only copied its passages on."
    return "The model only repeated itself." if draft.repeats else ""


def _endings(draft: Draft) -> tuple[str, ...]:
    if draft.stats is not None and draft.stats.finish == "length":
        return ("The answer reached answering.max_tokens and may be cut short.",)
    return ()


def _tokens(stats: Generation | None) -> dict[str, int]:
    if stats is None:
        return {}
    return {
        "prompt": stats.prompt_tokens,
        "cached": stats.cached_tokens,
        "completion": stats.completion_tokens,
        "thought": stats.thought_tokens,
        "drafted": stats.drafted_tokens,
        "accepted": stats.accepted_tokens,
    }
