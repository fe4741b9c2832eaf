"""What an answer has to add: that the notes disagree, and which part of the question nothing answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vaultrag.answering.citations import overlap
from vaultrag.answering.evidence.disagreements import disagreements
from vaultrag.answering.evidence.lines import Line, states
from vaultrag.answering.evidence.missing import missing_parts
from vaultrag.answering.evidence.one_slot import other_values
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.answering.outcome.quoted import day_of, told
from vaultrag.domain import Answer, AnswerStatus, AnswerStyle, Citation, Dispute, Level, Passage, SentenceState

COMPARED = 12  # of the likeliest lines: further down a line answers something else
READ = 120  # of the likeliest lines: one that is another's copy but for a value is known by that, wherever it ranks
MOST_DISPUTES = 2

_BOTH = {"ru": "{0}, но {1}", "en": "{0}, but {1}"}
_CHANGED = {"ru": "раньше {0}, позже {1}", "en": "earlier {0}, later {1}"}


def with_remarks(answer: Answer, own: str, language: str, evidence: Evidence) -> Answer:
    """Return the answer with its disputes and the missing parts of `own`, the question in the user's own words.

    What is disputed is not called certain.
    """
    if answer.status is AnswerStatus.NOT_IN_VAULT:
        return answer
    told_lines = [quote.quote for quote in (*answer.citations, *answer.quotes)]
    if answer.style is AnswerStyle.PROSE:
        told_lines += [sentence.text for sentence in answer.sentences if sentence.state is not SentenceState.REMOVED]
    answer = _with_disputes(answer, language, evidence)
    return replace(answer, missing=missing_parts(own, told_lines))


def disputing_lines(question: str, evidence: Evidence) -> list[tuple[Line, Line]]:
    """Return the pairs of lines that disagree, each once, by whichever way it was found first."""
    texts = [passage.chunk.text for passage in evidence.passages]
    lines = [line for line in evidence.likely(READ) if states(line, texts[line.source.passage])]
    found = (*disagreements(question, lines[:COMPARED]), *other_values(question, lines, evidence.passages))
    return [(lines[pair.one], lines[pair.other]) for pair in dict.fromkeys(found)]


def _with_disputes(answer: Answer, language: str, evidence: Evidence) -> Answer:
    citations = list(answer.citations)
    disputes: list[Dispute] = []
    for pair in disputing_lines(answer.question, evidence)[:MOST_DISPUTES]:
        one, other = _in_time(*pair, evidence.passages)
        numbers = (_number(one, citations, evidence), _number(other, citations, evidence))
        disputes.append(Dispute(_said(one, other, language, evidence.passages), numbers))
    if not disputes:
        return answer
    level = Level.WEAK if answer.level is Level.BACKED else answer.level
    return replace(answer, disputes=tuple(disputes), citations=tuple(citations), level=level)


def _in_time(one: Line, other: Line, passages: Sequence[Passage]) -> tuple[Line, Line]:
    """Return two lines, the one of the earlier note first; in their order where the days are not known."""
    days = [day_of(passages[line.source.passage].chunk) for line in (one, other)]
    return (other, one) if all(days) and days[1] < days[0] else (one, other)


def _said(one: Line, other: Line, language: str, passages: Sequence[Passage]) -> str:
    known = "ru" if language == "ru" else "en"
    found = [passages[line.source.passage] for line in (one, other)]
    days = [day_of(passage.chunk) for passage in found]
    form = _CHANGED if all(days) and days[0] != days[1] else _BOTH
    quoted = [
        told(line.source.text, passage.chunk, passage.title, language)
        for line, passage in zip((one, other), found, strict=True)
    ]
    return form[known].format(*quoted)


def _number(line: Line, citations: list[Citation], evidence: Evidence) -> int:
    """Return the number under which a line is cited, having added it where it is not."""
    fresh = evidence.cite(line, len(citations) + 1)
    known = next((citation.number for citation in citations if overlap(citation, fresh)), None)
    if known is None:
        citations.append(fresh)
    return known or fresh.number
