"""What a level meant where it was tried, in words."""

from __future__ import annotations

from vaultrag.wire import ProbeRecord


def probe_words(record: ProbeRecord) -> str:
    """Say what became of questions whose answer is known, asked at the threshold that is used."""
    where = "Of" if record.of_this_vault else "Elsewhere, of"
    refused = f"{where} {record.unanswerable} probe questions without an answer {record.refused} were refused"
    return f"{refused}; of {record.answerable} with a known place {record.cited} cited it."
