"""Renders a model's chat template around placeholders, so that no content is ever read as template or control text.

Templates come from model files and are not trusted: they run in a process of their own, under limits of time and
memory. What they write depends on who speaks in which order, never on what is said, and so is asked for once.
"""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from vaultrag.child import Child, ChildDied, ChildFailed
from vaultrag.domain import Message, encodable
from vaultrag.runtime.chat_format.known_templates import known_template

ROLES = ("system", "user", "assistant")
START_SECONDS = 60.0  # for a new interpreter on a busy machine
RENDER_SECONDS = 4.0  # the process ends itself after one or two of computing; a busy machine may need longer for less
PROBE = (Message("system", "s"), Message("user", "u"), Message("assistant", "a"), Message("user", "u"))

Run: TypeAlias = Callable[[str, dict[str, Any]], str]
"""Renders a template's source with values. Raises TemplateFailed."""


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A stretch of a prompt. Only the template's own text may hold control tokens."""

    text: str
    control: bool


class TemplateFailed(Exception):
    """The template could not render these messages; the message says why."""


class TemplateHung(TemplateFailed):
    """The template had to be ended: there is no use in trying it in another way."""


class TemplateProcess:
    """The process that templates are rendered in, started by the first and replaced where one ended it."""

    def __init__(self) -> None:
        self._child = Child("the process for chat templates", "vaultrag.runtime.chat_format.template_worker")

    def run(self, source: str, values: dict[str, Any]) -> str:
        """Return what the template writes. Raises TemplateFailed, soon whatever the template does."""
        try:
            self._child.call("ready", {}, START_SECONDS)
            answer = self._child.call("render", {"source": encodable(source), "values": values}, RENDER_SECONDS).body
        except ChildDied:
            raise TemplateHung("it takes too long or too much memory") from None
        except ChildFailed as failed:
            raise TemplateFailed(f"{failed.kind}: {failed.message[:200]}") from None
        if "failed" in answer:
            raise TemplateFailed(answer["failed"])
        text: str = answer["text"]
        return text

    def close(self) -> None:
        self._child.kill()  # it holds nothing


def run_once(source: str, values: dict[str, Any]) -> str:
    """Render in a process that is gone afterwards. Raises TemplateFailed."""
    process = TemplateProcess()
    try:
        return process.run(source, values)
    finally:
        process.close()


class ChatTemplate:
    """A model's chat template; what it wrote for one order of roles is kept for the day."""

    def __init__(self, source: str, bos: str = "", eos: str = "", run: Run = run_once) -> None:
        self._source = source
        self._tokens = {"bos_token": encodable(bos), "eos_token": encodable(eos)}
        self._run = run
        self._marks = _Marks()
        self._written: dict[tuple[object, ...], str] = {}

    def render(self, messages: Sequence[Message], enable_thinking: bool = False) -> list[PromptPart]:
        """Return the prompt as parts in order, ready for the assistant's turn. Raises TemplateFailed.

        `enable_thinking` is the value of the template's variable of this name, where it knows one.
        """
        roles = tuple(message.role for message in messages)
        if not set(roles) <= set(ROLES):
            raise TemplateFailed(f"a role is none of {', '.join(ROLES)}")
        key = (roles, enable_thinking, datetime.datetime.now().astimezone().date())  # some templates write the date
        if key not in self._written:
            self._written[key] = self._write(roles, enable_thinking)
        return self._marks.split(self._written[key], [message.content for message in messages])

    def _write(self, roles: Sequence[str], enable_thinking: bool) -> str:
        turns = [{"role": role, "content": self._marks.mark(index)} for index, role in enumerate(roles)]
        values = {"add_generation_prompt": True, "tools": None, "enable_thinking": enable_thinking, **self._tokens}
        try:
            return self._run(self._source, {**values, "messages": turns})
        except TemplateHung:
            raise
        except TemplateFailed:
            if len(roles) < 2 or roles[0] != "system":
                raise
            return self._run(self._source, {**values, "messages": _without_system(turns)})


@dataclass(frozen=True, slots=True)
class ChosenTemplate:
    """The template to use, the stop strings it needs, and why it is not the model's own (else empty)."""

    template: ChatTemplate
    stop: tuple[str, ...]
    warning: str


def choose_template(
    source: str, bos: str = "", eos: str = "", architecture: str = "", run: Run = run_once
) -> ChosenTemplate:
    """Try a model's template; a missing or broken one gives that of its family with a warning. Never raises."""
    try:
        if not source.strip():
            raise TemplateFailed("there is none")
        template = ChatTemplate(source, bos, eos, run)
        template.render(PROBE)
        return ChosenTemplate(template, (), "")
    except TemplateFailed as failed:
        known = known_template(architecture, eos)
        warning = f"The model's own chat template cannot be used ({failed}); {known.name} is used instead."
        return ChosenTemplate(ChatTemplate(known.source, bos, eos, run), known.stop, warning)


class _Marks:
    """Placeholders for contents: characters that no filter of a template changes, and that nobody can guess."""

    def __init__(self) -> None:
        self._nonce = str(secrets.randbits(64))
        self._pattern = re.compile(f"\ue000{self._nonce}\ue001([0-9]+)\ue002")

    def mark(self, index: int) -> str:
        return f"\ue000{self._nonce}\ue001{index}\ue002"

    def split(self, rendered: str, contents: Sequence[str]) -> list[PromptPart]:
        pieces = self._pattern.split(rendered)  # text, index, text, index, ... text
        if {int(index) for index in pieces[1::2]} != set(range(len(contents))):
            raise TemplateFailed("it loses a message")
        parts = [
            PromptPart(contents[int(piece)], control=False) if odd else PromptPart(piece, control=True)
            for position, piece in enumerate(pieces)
            for odd in (position % 2,)
        ]
        return [part for part in parts if part.text]


def _without_system(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """Put the system message before the first turn's words, for templates that know no system role."""
    system, first, *rest = turns
    return [{"role": first["role"], "content": f"{system['content']}\n\n{first['content']}"}, *rest]
