"""Who the mark of a message names: the user or a machine, in Russian and English, and what stands beside the name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vaultrag.vault.parsing.chats.moments import holds_moment

USER, ASSISTANT = "user", "assistant"
MAYBE, LIKELY, NAMED = 1, 2, 3  # how much a label says: «ответ» may be anything, "assistant" is one, "ChatGPT" names it
LONGEST_LABEL = 120  # characters of a mark with its model and time

_PRODUCT = (
    r"(?:(?:github|microsoft|google|openai|anthropic|meta|mistral|сбер|яндекс|yandex)[ /@:-])?"
    r"(?:chat[ -]?gpt|чат[ -]?гпт|чат[ -]?gpt|gpt|claude|gemini|gemma|copilot|deepseek|дипсик|grok|perplexity|mistral"
    r"|mixtral|le ?chat|llama|qwen|kimi|giga ?chat|гига ?чат|(?:yandex|яндекс) ?gpt|алиса (?:ai|ии|про)"
    r"|chatglm|glm|o[134]|command[ -]r"
    r"|notebooklm|cursor|codex|smart connections|khoj|meta ai|bing (?:chat|ai)|duck\.ai)"
)
_VERSION = (  # "GPT-4o mini", "Claude 3.5 Sonnet", "llama3.2:latest", "deepseek-r1", "claude-sonnet-4-20250514"
    r"(?:[.:-][\w.]+|\d[\w.]*| (?:v?\d[\w.]*|[a-z]\d[\w.]*|pro|plus|turbo|mini|nano|max|flash|lite|opus|sonnet|haiku"
    r"|preview|thinking|code|instruct|chat|coder|reasoner|advanced|large|small|medium|auto|deep research|ai)\b)*"
)
_MODEL = rf"(?:[\w.-]{{2,30}}[/@])?{_PRODUCT}{_VERSION}"
_SAID = (
    r"(?:'s)? ?(?:said|says|wrote|asked|asks|replied|answered|responded|response|reply|answer|question|prompt|query"
    r"|request|message|input|output|сказал\w?|спросил\w?|ответил\w?|написал\w?|пишет|отвечает|спрашивает)?"
)
_USERS = (
    rf"(?:you|user|human|me|myself|(?:my|your) (?:question|prompt|query|message)){_SAID}"
    rf"|(?:вы|ты|я|пользователь|юзер|человек)(?: (?:сказали|спросили|написали))?{_SAID}"
    r"|(?:мой |моя )?(?:промпт|промт|prompt)|мо[йёе] (?:вопрос|запрос|сообщение)"
    r"|(?:вопрос|запрос|сообщение|промпт) (?:пользователя|человека)"
)
_MACHINES = (
    rf"(?:the )?(?:(?:ai|a\.i\.|llm)(?:[ -](?:assistant|chat|bot|model|agent))?|assistant|chat ?bot|bot){_SAID}"
    rf"|(?:(?:ии|ai)[ -])?(?:ассистент|чат-?бот|бот)(?:[ -]ии)?{_SAID}|ии(?:[ -](?:помощник|модель|агент))?{_SAID}"
    rf"|(?:нейросеть|нейронка|нейро|языковая модель){_SAID}"
    r"|ответ (?:ии|ai|ассистента|бота|чат-?бота|нейросети|нейронки|модели|машины)"
)
_PERHAPS_USERS = r"q|question|query|request|input|вопрос|запрос|в"
_PERHAPS_MACHINES = r"a|answer|response|reply|output|model|agent|ответ|модель|агент|о"
_MAY_NAME = re.compile(  # of a text in small letters; far cheaper than reading each line
    r"^[\W_]{0,12}+(?:(?<=\[!)[^\]\n]{1,40}\][+-]?[\W_]{0,12}+)?"  # the sign of a callout, then its title
    r"(?:role::|ответ |the |(?:github|microsoft|google|openai|anthropic|meta|сбер|яндекс)[ /@:-])?"
    r"(?:chat|gpt|claude|gemini|gemma|copilot|deepseek|grok|perplexity|mi[sx]tral|le ?chat|llama|qwen|kimi|giga|yandex"
    r"|glm|command|notebooklm|cursor|codex|smart|khoj|bing|duck|дипсик|гига|чат|яндекс|алиса|assistant|ассистент|нейр"
    r"|[\w.-]{2,30}[/@]\w|(?:ai|a\.i\.|llm|bot|ии|бот|языковая|response|answer|reply|output|model|agent|ответ|модель"
    r"|агент|o[134])(?!\w)|[aао][:*])",
    re.MULTILINE,
)
_FORMS = (
    (USER, LIKELY, re.compile(_USERS)),
    (ASSISTANT, LIKELY, re.compile(_MACHINES)),
    (ASSISTANT, NAMED, re.compile(rf"(?:ответ |reply from |answer from |response from )?{_MODEL}{_SAID}")),
    (USER, MAYBE, re.compile(_PERHAPS_USERS)),
    (ASSISTANT, MAYBE, re.compile(_PERHAPS_MACHINES)),
    (USER, 0, re.compile(r"system(?: prompt| message)?|системный промпт")),
    (ASSISTANT, 0, re.compile(r"tools?(?: calls?| results?| outputs?)?|thinking|reasoning|рассуждения")),
)
_NAMES_MODEL = re.compile(rf"(?<![\w.-]){_MODEL}(?![\w-])")
_TAG = re.compile(r"<[^<>\n]{1,200}>")
_ORNAMENT = re.compile(r"[^\w\s.,:;()\[\]/@'·•|–—-]|[*_~`]+|(?:^|(?<=\s))role::")
_ORDINAL = re.compile(r"^(?:turn |ход )?\d{1,4}[.):] |(?<= )[#№]?\d{1,3}$")
_DETAILS = re.compile(  # of words with single spaces between
    r"(?P<label>[^()\[\]·•|,–—]{1,60}?) ?(?:[·•|,–—]| - | at | on |(?=[(\[])) ?(?P<details>.+)"
)
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]\.?m\.?)?")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who a label names, with what stands beside the name. `weight` says how surely.

    One without weight is an aside, written by neither of the two as a message: instructions, or what tools returned.
    """

    role: str
    weight: int
    model: str = ""
    details: str = ""


def read_speaker(label: str) -> Speaker | None:
    """Read the label of a mark, `🤖 **Assistant** (gpt-4o) · 12:31`; None where it names neither user nor machine."""
    if not label or len(label) > LONGEST_LABEL:
        return None
    words = " ".join(_ORNAMENT.sub(" ", _TAG.sub("", label)).split()).rstrip(" :;")
    parted = _DETAILS.fullmatch(words)
    name, details = (parted["label"], parted["details"].strip("()[] :;")) if parted else (words, "")
    if details and not _is_detail(details):
        return None
    name = name.strip(" :;-")
    found = _found(name.lower()) or _found(_ORDINAL.sub("", name.lower()).strip())
    if not found:
        return None
    role, weight = found
    if role == USER:
        return Speaker(role, weight, details=details)
    model = named_model(details) or (named_model(name) if weight == NAMED else "")
    return Speaker(role, NAMED if weight and model else weight, model, details)


def may_name_machine(text: str) -> bool:
    """Tell whether a line of a text begins as a machine is called, whatever signs stand before it."""
    return bool(_MAY_NAME.search(text.lower().replace("\r", "\n")))


def named_model(text: str) -> str:
    """Return the model or service that a text names, as it is written there; empty where it names none."""
    match = _NAMES_MODEL.search(text.lower())
    return text[match.start() : match.end()].strip() if match and len(text) == len(text.lower()) else ""


def _found(name: str) -> tuple[str, int] | None:
    return next(((role, weight) for role, weight, form in _FORMS if form.fullmatch(name)), None)


def _is_detail(text: str) -> bool:
    """Tell whether what stands beside a name is a model or a time: "User (admin)" is no mark."""
    return bool(named_model(text) or holds_moment(text) or _CLOCK.fullmatch(text.lower().strip()))
