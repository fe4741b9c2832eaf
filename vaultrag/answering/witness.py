"""Who said a passage: the user's own note, the user in a chat, or an assistant; told wherever its words go.

What an assistant said is never what the user knows or decided.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vaultrag.domain import Chunk

DAY = 10  # characters of a moment: `2025-06-10`
_ASSISTANT = {"en": "an assistant said", "ru": "сказал ассистент"}
_USER = {"en": "the user wrote to an assistant", "ru": "пользователь написал ассистенту"}
_BEFORE = {  # a sentence of an answer, to the user
    ("assistant", "en"): "An assistant said",
    ("assistant", "ru"): "Ассистент сказал",
    ("user", "en"): "You wrote to an assistant",
    ("user", "ru"): "Вы написали ассистенту",
}
_NAMES_ONE = re.compile(r"\b(?:assistant|ассистент|chat ?gpt|claude|gpt-\d|чат-?бот|chatbot)", re.IGNORECASE)


def told_by(chunk: Chunk) -> str:
    """Return who said a message of a chat, with the model and the day where they are known; empty for the user's notes.

    In the message's own language: "an assistant said, gpt-4o, 2025-06-10".
    """
    if not chunk.speaker:
        return ""
    said = (_USER if chunk.speaker == "user" else _ASSISTANT)[_known(chunk.language)]
    return ", ".join((said, *_details(chunk)))


def attributed(sentence: str, backing: Sequence[Chunk], language: str) -> str:
    """Return a sentence of an answer as what it is: where only chats back it, with who said it before it.

    "An assistant said (gpt-4o, 2025-06-10): …"; a sentence that speaks of an assistant itself stays as it is, and so
    does one that a note of the user backs.
    """
    if not backing or not all(chunk.speaker for chunk in backing) or _NAMES_ONE.search(sentence):
        return sentence
    said = next((chunk for chunk in backing if chunk.speaker != "user"), backing[0])
    before = _BEFORE["user" if said.speaker == "user" else "assistant", _known(language)]
    details = ", ".join(_details(said))
    return f"{before}{f' ({details})' if details else ''}: {sentence}"


def _known(language: str) -> str:
    return "ru" if language == "ru" else "en"


def _details(chunk: Chunk) -> list[str]:
    return list(filter(None, (chunk.model, chunk.said[:DAY])))
