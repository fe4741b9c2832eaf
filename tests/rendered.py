"""What a client makes of a text: the parts of its Markdown that are live, and the links of a terminal's output."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

_ACTIVE = {"link_open", "image", "html_inline", "html_block"}
_LINKIFIED = re.compile(r"(?:https?|ftp)://|(?<![^\W_])www\.|[\w.+-]+@[\w-]+\.\w", re.IGNORECASE)  # GFM's autolinks
_FOREIGN = re.compile(r"[a-z][\w+.-]*:|[\\/]{2}", re.IGNORECASE)
_OSC_8 = re.compile(r"\x1b\]8;[^;\x07\x1b]*;([^\x07\x1b]*)(?:\x07|\x1b\\)")
_CONTROL_SEQUENCE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")  # colours, and where the cursor goes


def _parser(*extensions: str) -> MarkdownIt:
    """Return a parser that takes any address for one."""
    made = MarkdownIt("commonmark").enable(list(extensions))
    made.validateLink = lambda url: True  # type: ignore[method-assign]
    return made


_PARSERS = (_parser(), _parser("table", "strikethrough"))


def live(markdown: str) -> list[str]:
    """Return what a renderer would follow, fetch or run in a text, places relative to it apart."""
    return [part for parser in _PARSERS for token in _tokens(parser, markdown) if (part := _live_part(token))]


def terminal_links(output: str) -> set[str]:
    """Return the addresses that a terminal opens by a click."""
    return {link for link in _OSC_8.findall(output) if link}


def steering(output: str) -> set[str]:
    """Return what a terminal acts upon in an output, its links, colours and movements of the cursor apart."""
    return set(
        re.findall(r"\x1b.{0,8}|[\u202a-\u202e\u2066-\u2069]", _CONTROL_SEQUENCE.sub("", _OSC_8.sub("", output)))
    )


def _tokens(parser: MarkdownIt, markdown: str) -> list[Token]:
    return [token for block in parser.parse(markdown) for token in (block, *(block.children or ()))]


def _live_part(token: Token) -> str:
    if token.type in _ACTIVE:
        target = str(token.attrs.get("href") or token.attrs.get("src") or "")
        is_relative = token.type in ("link_open", "image") and not _FOREIGN.match(target)
        return "" if is_relative else f"{token.type} {token.content}{target}"
    if token.type == "text" and _LINKIFIED.search(token.content):
        return f"text {token.content}"
    return f"fence {token.info}" if token.type == "fence" and token.info else ""
