"""What a level meant where it was tried, in words."""

from __future__ import annotations

from vaultrag.wire import Answer, ProbeRecord


def probe_words(record: ProbeRecord) -> str:
    """Say what became of questions whose answer is known, asked at the threshold that is used."""
    told = []
    if record.unanswerable:
        told.append(f"{record.unanswerable} probe questions without an answer {record.refused} were refused")
    if record.answerable:
        told.append(f"{record.answerable} with a known place {record.cited} cited it")
    if not told:
        return "No probe question was judged."
    return f"{'Of' if record.of_this_vault else 'Elsewhere, of'} {'; of '.join(told)}."


def doubt_words(answer: Answer) -> str:
    """Say what a level meant where it was tried, of an answer that is in doubt; nothing of one that is backed."""
    record = answer.sureness.record if answer.sureness else None
    return probe_words(record) if record and answer.level != "backed" else ""
