"""What an analysis says by code, in the language of the note."""

from __future__ import annotations

from collections.abc import Mapping

from vaultrag.domain import Tie

OWN_LINES_SAY = {"ru": "Сама заметка говорит об этом:", "en": "The note itself says of this:"}
SAYS_NOTHING = {"ru": "Сама заметка об этом не говорит.", "en": "The note itself says nothing of this."}
QUOTED_ABOVE = {
    "ru": "Ближе всего к этому вопросу в самой заметке то, что процитировано выше.",
    "en": "The lines of the note that come nearest to this question are quoted above.",
}
OF_NOTE = {"ru": "О заметке «{title}»:", "en": "Of the note “{title}”:"}
LIST_HEAD = {"ru": "Список релевантных заметок:", "en": "Relevant notes:"}
FOUND_NOTHING = {"ru": "Других заметок об этом не нашлось.", "en": "No other note was found for this."}
SOURCES = {"ru": "Источники", "en": "Sources"}
SEEN_AS = {"ru": "Роль: {role}.", "en": "Seen as: {role}."}
TIES: Mapping[Tie, Mapping[str, str]] = {
    Tie.LINKED: {"ru": "на неё ведёт ссылка из этой заметки", "en": "this note links to it"},
    Tie.LINKING: {"ru": "сама ссылается на эту заметку", "en": "it links to this note"},
    Tie.NAMED: {"ru": "она названа в этой заметке", "en": "this note names it"},
    Tie.NAMING: {"ru": "в ней названа эта заметка", "en": "it names this note"},
    Tie.ALIKE: {"ru": "в ней речь о том же", "en": "it speaks of the same"},
}
_MARKS = "«„“\"'‘"


def reason_of(tie: Tie, quote: str, language: str) -> str:
    """Return why a note is listed: what binds it, and its own line; `quote` has its marks, or names who said it."""
    bound = TIES[tie]["ru" if language == "ru" else "en"]
    return f"{bound}: {quote}" if quote.startswith(tuple(_MARKS)) else f"{bound}. {quote}"
