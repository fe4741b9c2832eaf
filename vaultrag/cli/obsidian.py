"""Links that open a place in Obsidian."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

_LEFT_OUT = re.compile(r"[:#|^\\\r\n]|%%|\[\[|\]\]")  # what Obsidian itself leaves out of a link to a heading


def obsidian_link(vault: str, path: str, heading: Sequence[str], block: str) -> str:
    """Return the link that opens a note at its block, if that has an id, else under its heading."""
    anchor = f"#^{block}" if block else "".join(f"#{_linkable(name)}" for name in heading)
    file = path.removesuffix(".md") + anchor
    return f"obsidian://open?vault={_encoded(vault)}&file={_encoded(file)}"


def _linkable(heading: str) -> str:
    return " ".join(_LEFT_OUT.sub(" ", heading).split())


def _encoded(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe="")
