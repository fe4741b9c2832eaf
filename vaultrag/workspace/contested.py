"""What the notes are known to disagree on, told beside an answer that cites it: as a scan found it, no model asked."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TypeAlias

from vaultrag.answering.citations import spans_meet
from vaultrag.answering.evidence.translations import translated
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerFinding,
    AnswerReady,
    Citation,
    Claim,
    ClaimFinding,
    FindingKind,
    FindingSide,
    Span,
)
from vaultrag.text.language import is_function_word, word_stems, words

MOST_TOLD = 3  # beside an answer; `vaultrag contradictions` has all
TOLD = (FindingKind.CONTRADICTION, FindingKind.SUPERSEDED, FindingKind.ASSISTANTS)
"""A POSSIBLE one has no value that tells: it is looked at in its own list, not beside whatever is asked."""

Touching: TypeAlias = Callable[[Iterable[tuple[str, Span]]], Sequence[ClaimFinding]]
"""The open findings that touch places of notes."""


def with_findings(events: Generator[AnswerEvent, None, None], touching: Touching) -> Generator[AnswerEvent, None, None]:
    """Hand an answer's events through, the answer with the open findings that touch what it cites."""
    with closing(events):
        for event in events:
            yield AnswerReady(_contested(event.answer, touching)) if isinstance(event, AnswerReady) else event


def _contested(answer: Answer, touching: Touching) -> Answer:
    if not answer.citations:
        return answer
    found = touching([(citation.path, citation.span) for citation in answer.citations])
    wanted = [finding for finding in found if finding.kind in TOLD]
    asked = frozenset(word.stem for word in words(answer.question) if not is_function_word(word.text))
    asked |= translated(asked)
    wanted.sort(
        key=lambda one: (TOLD.index(one.kind), asked.isdisjoint(_stems_of(one)), -one.confidence, one.key)
    )  # what is asked for first: a citation of many lines is touched by much else
    told = [_of_answer(finding, answer.citations) for finding in wanted]
    news = [one for one in told if _is_news(one, answer) and not _is_disputed(one, answer)]
    return replace(answer, findings=tuple(news[:MOST_TOLD]))


def _stems_of(finding: ClaimFinding) -> list[str]:
    return word_stems(f"{finding.one.quote}\n{finding.other.quote}")


def _is_news(finding: AnswerFinding, answer: Answer) -> bool:
    """Tell whether a reader of the answer should know: of what is superseded only where the earlier one is cited."""
    if finding.kind is not FindingKind.SUPERSEDED or finding.one.as_of is None or finding.other.as_of is None:
        return bool(finding.citations)
    return any(_meets(citation, finding.one.path, finding.one.span) for citation in answer.citations)


def _of_answer(finding: ClaimFinding, citations: Sequence[Citation]) -> AnswerFinding:
    sides = (finding.one, finding.other)
    numbers = [one.number for one in citations if any(_meets(one, side.path, side.span) for side in sides)]
    one, other = map(_side, sides)
    return AnswerFinding(finding.key, finding.kind, finding.reason, one, other, tuple(numbers))


def _side(claim: Claim) -> FindingSide:
    return FindingSide(
        claim.path, claim.heading_path, claim.span, claim.quote, claim.holder, claim.speaker, claim.as_of
    )


def _is_disputed(finding: AnswerFinding, answer: Answer) -> bool:
    """Tell whether the answer says by itself that these two places disagree."""
    cited = {citation.number: citation for citation in answer.citations}
    return any(
        all(
            any(_meets(cited[number], side.path, side.span) for number in dispute.citations if number in cited)
            for side in (finding.one, finding.other)
        )
        for dispute in answer.disputes
    )


def _meets(citation: Citation, path: str, span: Span) -> bool:
    """Tell whether a citation and a place share words: lines alone say little where one holds 2,000 characters."""
    return citation.path == path and spans_meet(citation.span, span)
