"""The lines by which the notes that were found link to each other: what they say of the note they link to."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

from vaultrag.domain import Chunk, LinkingLine, LinkKind, Passage
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import StoredLink, outgoing
from vaultrag.store.notes.lookups import rows_of_note
from vaultrag.text.language import sentences
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import plain_line

MOST_LINES = 5  # of a passage: a note that is named in every line of a list is told nothing by the rest


def with_linking_lines(database: Database, passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Give each passage the lines of the other notes found that link to its note."""
    titles = {passage.chunk.path: passage.title for passage in passages}
    found: dict[str, list[LinkingLine]] = {}
    for path, note_id in sorted(Catalog(database).note_ids(list(titles)).items()):
        links = [link for link in outgoing(database, note_id) if _leads_to_another(link, titles.keys())]
        for target, text in _lines(database, note_id, links):
            line = LinkingLine(path, titles[path], text)
            if line not in found.setdefault(target, []):
                found[target].append(line)
    return tuple(replace(one, linked=tuple(found.get(one.chunk.path, ())[:MOST_LINES])) for one in passages)


def _leads_to_another(link: StoredLink, paths: Set[str]) -> bool:
    return link.target_path in paths and link.target_path != link.source_path and link.kind is not LinkKind.ALIAS


def _lines(database: Database, note_id: int, links: Sequence[StoredLink]) -> list[tuple[str, str]]:
    """Return the targets of these links of a note, each with the sentence in which the link stands."""
    if not links:
        return []
    stored = Catalog(database).chunks_by_row_ids(rows_of_note(database, note_id))
    return [
        (link.target_path, linking_sentence(link, there.chunk))
        for link in links
        for there in stored.values()
        if link.target_path and there.chunk.span.first_line <= link.line <= there.chunk.span.last_line
    ]


def linking_sentence(link: StoredLink, chunk: Chunk) -> str:
    """Return the sentence of a passage in which a link stands."""
    rows = NEWLINE.split(chunk.text)
    row = rows[min(link.line - chunk.span.first_line, len(rows) - 1)]
    named = link.text or link.target
    return plain_line(
        next((row[first:last] for first, last in sentences(row) if named in row[first:last]), row)
    ).strip()
