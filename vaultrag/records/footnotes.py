"""An answer as a note's body: its citations are footnotes that link to their places, as in the user's own notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from vaultrag.domain import Answer, Citation, Note
from vaultrag.vault.links import FilesNamed, shortest_link
from vaultrag.vault.parsing.subpaths import resolve_subpath

_MARK = re.compile(r"(?:(?<=\S) )?(?<!\[)\[(\d{1,4})\](?!\])")  # `[[12]]` is a link to a note
_NO_TARGET = re.compile(r"[\[\]|#^]")  # what ends the target of a wikilink
_NO_HEADING = re.compile(r"(?:[\[\]|#^:%\\]|\s)+")  # what a link to a heading leaves out, as the app writes it
_MARKUP = re.compile(r"[\\`*_\[\]<>~=#|$%^@&]|!(?=\[)|:(?=[:/])|(?<=www)\.")
_OPENS_ITEM = re.compile(r"\A(\d{0,9})([-+.)])(?=\s|\Z)")  # of a list
_OPENS_MARKUP = re.compile(r"[\\`*_\[\]<>~=#|$%^]")


@dataclass(frozen=True, slots=True)
class NoteLinks:
    """Writes links for a note at `source`. `read` gives a note as it is now, to tell headings of one name apart."""

    source: str
    files_named: FilesNamed
    read: Callable[[str], Note | None] = lambda _: None

    def to(self, citation: Citation) -> str:
        """Return a wikilink to a citation's block, else to its heading, else to its note."""
        return self.to_note(citation.path, self._subpath(citation))

    def to_note(self, path: str, subpath: str = "") -> str:
        """Return a wikilink to a note, or a place in it; a link of Markdown where no wikilink can name it."""
        target = shortest_link(path, self.source, self.files_named)
        if _NO_TARGET.search(target):
            return f"[{_OPENS_MARKUP.sub(' ', target)}](<{quote(path)}{f'#{quote(subpath)}' if subpath else ''}>)"
        return f"[[{target}{f'#{subpath}' if subpath else ''}]]"

    def to_heading(self, path: str, headings: Sequence[str], title: str = "") -> str:
        """Return a wikilink to a heading of a note, by the way to it; a first one that is its title is the note."""
        said = [name for heading in headings if (name := _NO_HEADING.sub(" ", heading).strip())]
        inside = said[1:] if said and said[0] == _NO_HEADING.sub(" ", title).strip() else said
        return self.to_note(path, "#".join(inside))

    def _subpath(self, citation: Citation) -> str:
        note = self.read(citation.path)
        for subpath in _subpaths(citation):
            place = resolve_subpath(note, subpath) if note else None
            if note is None or (place and place.first_line <= citation.span.first_line <= place.last_line):
                return subpath
        return ""


def plain(text: str) -> str:
    """Return words of a note as words: nothing of them is markup, a link, a tag or an address."""
    words = _MARKUP.sub(lambda match: f"\\{match.group()}", " ".join(text.split()))
    return _OPENS_ITEM.sub(r"\1\\\2", words)


class Footnotes:
    """The footnotes of one text: `marked` puts them in, `lines` are what stands below it."""

    def __init__(self, citations: Iterable[Citation], links: NoteLinks) -> None:
        self._cited = {citation.number: citation for citation in citations}
        self._links = links
        self._named: dict[int, None] = {}

    def marked(self, text: str) -> str:
        """Return a part of the text with its numbers as footnotes; one that stands for no citation stays as it is."""
        return _MARK.sub(self._mark, text)

    def lines(self) -> list[str]:
        """Return each footnote's link. Citations that no part has named are left out."""
        return [f"[^{number}]: {self._links.to(self._cited[number])}" for number in self._named]

    def _mark(self, match: re.Match[str]) -> str:
        number = int(match.group(1))
        if number not in self._cited:
            return match.group()
        self._named[number] = None
        return f"[^{number}]"


def answer_markdown(answer: Answer, links: NoteLinks) -> str:
    """Return the body of a note: the answer's text, its numbers as footnotes, and each footnote's link.

    A number that stands for no citation stays as it is. Citations that the text does not name are left out.
    """
    footnotes = Footnotes(answer.citations, links)
    text = footnotes.marked(answer.text.strip())
    notes = footnotes.lines()
    return "\n".join((text, *(["", *notes] if notes else []), ""))


def _subpaths(citation: Citation) -> Iterator[str]:
    """Yield what may name the place of a citation, the nearest and shortest first."""
    if citation.block_id:
        yield f"^{citation.block_id}"
    headings = [said for heading in citation.heading_path if (said := _NO_HEADING.sub(" ", heading).strip())]
    for first in range(len(headings) - 1, -1, -1):
        yield "#".join(headings[first:])
