"""Which model wrote a message: as its name says, or as the note's properties do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vaultrag.domain import Turn
from vaultrag.vault.parsing.chats.speakers import ASSISTANT, named_model

MODEL_KEYS = ("models", "model", "modelkey", "model_key", "modelname", "llm", "модель")
SOURCE_KEYS = ("source", "источник", "platform", "service", "url", "link", "ссылка", "ai")
SERVICES = {  # whose addresses name no model
    "chat.openai.com": "ChatGPT",
    "chatgpt.com": "ChatGPT",
    "claude.ai": "Claude",
    "gemini.google.com": "Gemini",
    "chat.deepseek.com": "DeepSeek",
    "copilot.microsoft.com": "Copilot",
    "grok.com": "Grok",
    "perplexity.ai": "Perplexity",
    "chat.mistral.ai": "Mistral",
    "chat.qwen.ai": "Qwen",
    "kimi.com": "Kimi",
    "giga.chat": "GigaChat",
}
_ADDRESS = re.compile(rf"(?:^|//|\.|\()(?P<host>{'|'.join(map(re.escape, SERVICES))})/")
_CHAT_TAG = re.compile(
    r"(?:ai|ии|llm|chat-?gpt|gpt|claude|gemini|copilot)[-_/]?(?:chats?|conversations?|dialog\w*|чат\w*|диалог\w*)"
    r"|(?:chats?|чаты?)/(?:ai|ии|llm|gpt|chat-?gpt|claude|gemini)",
    re.IGNORECASE,
)


def model_of(turn: Turn, properties: Mapping[str, Any]) -> str:
    """Return which model wrote a message: by its own name, else the chat's only model, else the service it is from.

    A name without a version, as "ChatGPT", gives way to a model that the properties name.
    """
    if turn.speaker != ASSISTANT or any(sign.isdigit() for sign in turn.model):
        return turn.model
    return _only_model(properties) or turn.model or service_of(properties)


def service_of(properties: Mapping[str, Any]) -> str:
    """Return the service that a note's properties say a chat is from; empty where none does."""
    for value in _held(properties, ("provider",)):
        return value.strip()
    for value in _held(properties, SOURCE_KEYS):
        address = _ADDRESS.search(value)
        if address or named_model(value):
            return SERVICES[address["host"]] if address else value.strip()
    return ""


def is_of_chat(properties: Mapping[str, Any], before: str) -> bool:
    """Tell whether a note says of itself that it is a chat: by service, model or tag, or an address above the chat."""
    tags = str(properties.get("tags") or "")
    return bool(_only_model(properties) or service_of(properties) or _ADDRESS.search(before) or _CHAT_TAG.search(tags))


def _only_model(properties: Mapping[str, Any]) -> str:
    several = properties.get("models")
    if isinstance(several, list):
        return several[0].strip() if len(several) == 1 and isinstance(several[0], str) else ""
    told = (value.partition("|")[0].strip() for value in _held(properties, MODEL_KEYS))  # "gpt-4o|openai"
    return next((name for name in told if named_model(name)), "")


def _held(properties: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    spelled = {key.lower(): value for key, value in properties.items()}
    return [value for key in keys if isinstance(value := spelled.get(key), str)]
