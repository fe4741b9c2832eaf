"""The text of a PDF, a page a line: line 3 of its note is page 3, so that a citation names the page.

A PDF can keep a processor busy for hours, or unpack to all memory, so each is read in a process that may be ended.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import cache
from typing import Any

from vaultrag.child import Child, ChildDied, ChildFailed
from vaultrag.domain import Block, BlockKind, Note
from vaultrag.errors import VaultError
from vaultrag.vault.parsing.lines import Lines

PDF_SUFFIX = ".pdf"
MAX_PDF_BYTES = 50_000_000  # a scanned book; its text is a hundredth of that
MAX_PAGES = 2000
MAX_PAGE_LENGTH = 200_000  # characters: fifty times a full page
MAX_LENGTH = 20_000_000  # of all pages: a hundred times a long book
OPEN_SECONDS = 20  # of computing, for the table of the file and the tree of its pages
PAGE_SECONDS = 10  # for one page; usual ones take some 30 ms
FRAME_SECONDS = 90.0  # for either, on a busy machine
MAX_SECONDS = 600.0  # for one file
MOST_BAD = 3  # pages that end the process: a file that has more was made to
UNREAD = "\ufffd"
"""Stands for a page that could not be read."""
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[^\W\d_])")
_SPACE = re.compile(r"\s+")


def is_pdf(path: str) -> bool:
    return path.lower().endswith(PDF_SUFFIX)


def pdf_text(content: bytes, name: str) -> str:
    """Return the text of a PDF, a page a line; `UNREAD` in the place of a page that takes too long, or is damaged.

    Raises VaultError where there is none to be had.
    """
    return "\n".join(_bounded(_Reader(content, name).pages()))


def one_line(page: str) -> str:
    """Return a page's text on one line: words parted at line ends are joined, and it has an end."""
    whole = _SPACE.sub(" ", _HYPHEN.sub("", page)).strip()[:MAX_PAGE_LENGTH]
    return whole.encode("utf-8", "replace").decode("utf-8")


def parse_pages(path: str, text: str, content_hash: str) -> Note:
    """Parse what `pdf_text` gave: each page is a paragraph."""
    lines = Lines(text)
    places = list(zip(lines.starts, lines.ends, strict=True))
    blocks = tuple(
        Block(BlockKind.PARAGRAPH, start, end, ())
        for start, end in places
        if text[start:end].strip() not in ("", UNREAD)
    )
    title = path.rpartition("/")[2].rpartition(".")[0]
    unread = [number for number, (start, end) in enumerate(places, 1) if text[start:end] == UNREAD]
    problems = (
        *(() if blocks else ("The PDF holds no text; pictures of text are not read.",)),
        *((_unread_pages(unread),) if unread else ()),
    )
    return Note(path=path, title=title, text=text, blocks=blocks, content_hash=content_hash, problems=problems)


def _unread_pages(numbers: list[int]) -> str:
    more = f" and {len(numbers) - MOST_BAD} more" if len(numbers) > MOST_BAD else ""
    named = ", ".join(map(str, numbers[:MOST_BAD]))
    return f"Pages that took too long, or are damaged, are not read: {named}{more}."


def _bounded(pages: Iterable[str]) -> Iterator[str]:
    """Leave out what is beyond the length of any book."""
    length = 0
    for page in pages:
        length += len(page)
        yield page if length <= MAX_LENGTH else UNREAD


class _Reader:
    """Reads one file. A page that ends the process is `UNREAD`, and the next process begins behind it."""

    def __init__(self, content: bytes, name: str) -> None:
        self.content = content
        self.name = name
        self.found: list[str] = []
        self.count = 1
        self.deadline = time.monotonic() + MAX_SECONDS

    def pages(self) -> list[str]:
        died = 0
        while died < MOST_BAD and len(self.found) < self.count and time.monotonic() < self.deadline:
            try:
                self._go_on()
            except ChildDied:
                died += 1
                self.found.append(UNREAD)
            except ChildFailed as failed:
                raise _failure(self.name, failed.kind) from failed
        if not died and self.found and all(page == UNREAD for page in self.found):
            raise _failure(self.name, "no page of it")
        return [*self.found, *(UNREAD for _ in range(self.count - len(self.found)))]

    def _go_on(self) -> None:
        limits = {"most": MAX_PAGES, "open_seconds": OPEN_SECONDS, "page_seconds": PAGE_SECONDS}
        _make_ready()
        with closing(
            _process().stream("pages", {"first": len(self.found), **limits}, FRAME_SECONDS, self.content)
        ) as frames:
            for frame in frames:
                self._take(frame.body)
                if time.monotonic() > self.deadline:
                    return

    def _take(self, body: Mapping[str, Any]) -> None:
        if body.get("locked"):
            raise VaultError(
                f"{self.name} is locked by a password.", "Save it without the password, or leave it as it is."
            )
        if "text" in body:
            self.found.append(UNREAD if body["text"] is None else body["text"])
            return
        self.count = body["pages"]
        if self.count > MAX_PAGES:
            raise VaultError(
                f"{self.name} has more than {MAX_PAGES} pages.", "Split it, or exclude it: `vault.ignore`."
            )


@cache
def _process() -> Child:
    """Return this process's reader of PDFs; it leaves when nothing was asked for a while, and is started anew."""
    return Child("the process that reads PDFs", "vaultrag.vault.pages_worker")


def _make_ready() -> None:
    try:
        _process().call("ready", {}, FRAME_SECONDS)
    except ChildDied:  # it left just now
        _process().call("ready", {}, FRAME_SECONDS)


def _failure(name: str, reason: str) -> VaultError:
    if reason in ("ImportError", "ModuleNotFoundError"):
        return VaultError(
            f"{name} cannot be read: the package pypdf is not installed.", "Run scripts/quickstart again."
        )
    return VaultError(
        f"{name} cannot be read as a PDF ({reason}).",
        "Open and save it anew, or exclude it: `vault.ignore`, `vault.pdf`.",
    )
