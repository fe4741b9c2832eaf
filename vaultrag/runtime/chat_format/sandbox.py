"""Runs a chat template from a model file: sandboxed, without the operations that take all memory in one step.

Only `template_child` imports it: what the sandbox cannot stop, the limits of that process do.
"""

from __future__ import annotations

import datetime
import json
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import Template, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_RENDERED = 200_000  # characters around the contents; real templates write a few thousand
MAX_SOURCE = 2_000_000  # characters; the longest real template has some 30,000


class EndlessText(Exception):
    """The template writes more than any template needs."""


def render(source: str, values: dict[str, Any]) -> str:
    """Return what the template writes with these values. Raises whatever an untrusted template can bring about."""
    pieces: list[str] = []
    length = 0
    for piece in _compiled(source).generate(**values, raise_exception=_raise_exception, strftime_now=_strftime_now):
        length += len(piece)
        if length > MAX_RENDERED:
            raise EndlessText("it writes without end")
        pieces.append(piece)
    return "".join(pieces)


@lru_cache(maxsize=4)
def _compiled(source: str) -> Template:
    if len(source) > MAX_SOURCE:
        raise EndlessText("it has no end")
    return _Environment().from_string(source)


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


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(layout: str) -> str:
    return datetime.datetime.now().astimezone().strftime(layout)


def _tojson(value: Any, indent: int | None = None, **_options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
