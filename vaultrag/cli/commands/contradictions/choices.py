"""What can be chosen in words: decisions, and forms of a document."""

from __future__ import annotations

from enum import StrEnum


class Decided(StrEnum):
    """What can be decided; open takes back what was."""

    DISMISSED = "dismissed"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    ACCEPTED = "accepted"
    OPEN = "open"


class ExportFormat(StrEnum):
    MARKDOWN = "md"
    JSON = "json"
