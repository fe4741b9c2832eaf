"""Renders a model's chat template around placeholders, so that no content is ever read as template or control text.

Templates come from model files and are not trusted: they run sandboxed, under a size cap and a time limit.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import secrets
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vaultrag.domain import Message

ROLES = ("system", "user", "assistant")
MAX_RENDERED = 200_000  # characters around the contents; real templates write a few thousand
RENDER_SECONDS = 2.0  # real templates take milliseconds
PROBE = (Message("system", "s"), Message("user", "u"), Message("assistant", "a"), Message("user", "u"))

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHATML_STOP = "<|im_end|>"


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A stretch of a prompt. Only the template's own text may hold control tokens."""

    text: str
    control: bool


class TemplateFailed(Exception):
    """The template could not render these messages; the message says why."""


class ChatTemplate:
    """A compiled chat template. Raises TemplateFailed when the source does not compile."""

    def __init__(self, source: str, bos: str = "", eos: str = "") -> None:
        self._tokens = {"bos_token": bos, "eos_token": eos}
        try:
            with _time_limit(RENDER_SECONDS):
                self._template = _Environment().from_string(source)
        except Exception as error:  # an untrusted file: anything may come out of the compiler
            raise TemplateFailed(_reason(error)) from error

    def render(self, messages: Sequence[Message], enable_thinking: bool = False) -> list[PromptPart]:
        """Return the prompt as parts in order, ready for the assistant's turn. Raises TemplateFailed.

        `enable_thinking` is the value of the template's variable of this name, where it knows one.
        """
        if not all(message.role in ROLES for message in messages):
            raise TemplateFailed(f"a role is none of {', '.join(ROLES)}")
        marks = _Marks(len(messages))
        turns = [{"role": m.role, "content": marks.mark(i)} for i, m in enumerate(messages)]
        try:
            rendered = self._run(turns, enable_thinking)
        except TemplateFailed:
            if not messages or messages[0].role != "system" or len(messages) < 2:
                raise
            rendered = self._run(_without_system(turns), enable_thinking)
        return marks.split(rendered, [message.content for message in messages])

    def _run(self, turns: list[dict[str, str]], enable_thinking: bool) -> str:
        values = {
            "messages": turns,
            "add_generation_prompt": True,
            "tools": None,
            "enable_thinking": enable_thinking,
        }
        pieces: list[str] = []
        length = 0
        try:
            with _time_limit(RENDER_SECONDS):
                for piece in self._template.generate(
                    **values, **self._tokens, raise_exception=_raise_exception, strftime_now=_strftime_now
                ):
                    pieces.append(piece)
                    length += len(piece)
                    if length > MAX_RENDERED:
                        raise TemplateFailed("it writes without end")
        except TemplateFailed:
            raise
        except Exception as error:  # an untrusted file: anything may come out of it
            raise TemplateFailed(_reason(error)) from error
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class ChosenTemplate:
    """The template to use, the stop strings it needs, and why it is not the model's own (else empty)."""

    template: ChatTemplate
    stop: tuple[str, ...]
    warning: str


def choose_template(source: str, bos: str = "", eos: str = "") -> ChosenTemplate:
    """Compile and try a model's template; a missing or broken one gives ChatML with a warning. Never raises."""
    try:
        if not source.strip():
            raise TemplateFailed("there is none")
        template = ChatTemplate(source, bos, eos)
        template.render(PROBE)
        return ChosenTemplate(template, (), "")
    except TemplateFailed as failed:
        warning = f"The model's own chat template cannot be used ({failed}); ChatML is used instead."
        return ChosenTemplate(ChatTemplate(CHATML), (CHATML_STOP,), warning)


class _Marks:
    """Placeholders for contents: characters that no filter of a template changes, and that nobody can guess."""

    def __init__(self, count: int) -> None:
        self._nonce = str(secrets.randbits(64))
        self._count = count
        self._pattern = re.compile(f"\ue000{self._nonce}\ue001([0-9]+)\ue002")

    def mark(self, index: int) -> str:
        return f"\ue000{self._nonce}\ue001{index}\ue002"

    def split(self, rendered: str, contents: Sequence[str]) -> list[PromptPart]:
        pieces = self._pattern.split(rendered)  # text, index, text, index, ... text
        if {int(index) for index in pieces[1::2]} != set(range(self._count)):
            raise TemplateFailed("it loses a message")
        parts = [
            PromptPart(contents[int(piece)], control=False) if odd else PromptPart(piece, control=True)
            for position, piece in enumerate(pieces)
            for odd in (position % 2,)
        ]
        return [part for part in parts if part.text]


class _GenerationTag(Extension):
    """Hugging Face's `{% generation %}` marks what is trained on; it renders as its body."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> Node | list[Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox as chat templates expect it, less the arithmetic that could take all memory in one step."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, loopcontrols])
        self.filters["tojson"] = _tojson

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("it computes powers")
        if not all(isinstance(value, int | float) for value in (left, right)):  # repeats a text, or pads one
            raise SecurityError("it multiplies or formats text")
        return super().call_binop(context, operator, left, right)


def _without_system(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """Put the system message before the first turn's words, for templates that know no system role."""
    system, first, *rest = turns
    return [{"role": first["role"], "content": f"{system['content']}\n\n{first['content']}"}, *rest]


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """End the body after that many seconds where the system can; elsewhere the parent's deadline stands."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _out_of_time(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise TemplateFailed("it takes too long")


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(layout: str) -> str:
    return datetime.datetime.now().astimezone().strftime(layout)


def _tojson(value: Any, indent: int | None = None, **_options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
