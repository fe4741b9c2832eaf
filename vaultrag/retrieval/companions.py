"""What comes along with a hit: what it embeds, the footnotes that it marks, the other part of what was cut in two.

And with the first hit alone the note that its line sends to: "her studio: [[Loft]]", where Loft names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from itertools import chain

from vaultrag.domain import Chunk, Feature, LaneShare, LinkKind
from vaultrag.retrieval.fusion import Fused
from vaultrag.retrieval.lanes import Lanes, Question
from vaultrag.retrieval.linking import linking_sentence
from vaultrag.retrieval.neighbours import was_cut
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog, StoredChunk
from vaultrag.store.notes.graph import StoredLink, outgoing
from vaultrag.store.notes.lookups import embeds_within, rows_beside, rows_of_note
from vaultrag.text.morphology import count_terms
from vaultrag.text.terms import index_terms
from vaultrag.vault.parsing.subpaths import plain_subpath

EMBED_LANE, FOOTNOTE_LANE, PART_LANE, POINTED_LANE = "embed", "footnote", "part", "pointed"
ALONG = (EMBED_LANE, FOOTNOTE_LANE, PART_LANE, POINTED_LANE)
MOST_COMPANIONS = 2  # of all first hits together: of eight passages five are hits, and links want a place, too
MOST_POINTED = 2  # passages of the note that the first hit sends to: a short note is read whole
LONGEST_POINTER = 120  # characters of a sentence that sends to a note; a longer one says something itself

_FOOTNOTE_MARK = re.compile(r"\[\^([^\]\s]{1,100})\](?!:)")
_FOOTNOTE_TEXT = re.compile(r"^[ \t>]*\[\^([^\]\s]{1,100})\]:", re.MULTILINE)
_HEADING = re.compile(r"^[ \t>]*#{1,6}[ \t]+(.+)", re.MULTILINE)

Found = tuple[str, str, Sequence[int]]
"""A lane, the words that name what comes along, and the rows of it to choose from."""


def companions(lanes: Lanes, question: Question, hits: Sequence[tuple[Fused, StoredChunk]]) -> list[Fused]:
    """Return what comes along with these hits, that of the first hit first, and never one of them.

    Of an embedded note it is the passage that suits the question best, of an embedded section one of that section.
    """
    known = {item.chunk for item, _ in hits}
    found: dict[int, Fused] = {}
    for item, stored in hits:
        for lane, via, rows in _found(lanes.database, item, stored.chunk):
            best = lanes.best_of(question, rows)
            if best is not None and best.chunk not in known and best.chunk not in found:
                share = LaneShare(lane, len(found) + 1, best.score, 0.0, via, stored.chunk.path)
                found[best.chunk] = Fused(best.chunk, best.note, 0.0, (share,), best.order)
    along = list(found.values())[:MOST_COMPANIONS]
    pointed = [_pointed(lanes, question, hit, known | {item.chunk for item in along}) for hit in hits[:1]]
    return [*along, *chain.from_iterable(pointed)]


def comes_along(item: Fused) -> bool:
    """Tell whether something is there for a hit's sake."""
    return any(share.lane in ALONG for share in item.trace)


def _found(database: Database, item: Fused, chunk: Chunk) -> Iterator[Found]:
    return chain(
        _embedded(database, item, chunk), _footnotes(database, item, chunk), _other_part(database, item, chunk)
    )


def _embedded(database: Database, item: Fused, chunk: Chunk) -> Iterator[Found]:
    if "![" not in chunk.text:
        return
    for note, anchor, text in embeds_within(database, item.note, chunk.span.first_line, chunk.span.last_line):
        stored = Catalog(database).chunks_by_row_ids(rows_of_note(database, note))
        yield EMBED_LANE, text, [row for row, shown in stored.items() if not anchor or _is_at(shown.chunk, anchor)]


def _footnotes(database: Database, item: Fused, chunk: Chunk) -> Iterator[Found]:
    marked = dict.fromkeys(name.lower() for name in _FOOTNOTE_MARK.findall(chunk.text))
    if not marked:
        return
    stored = Catalog(database).chunks_by_row_ids(rows_of_note(database, item.note, Feature.FOOTNOTE))
    for name in marked:
        rows = [row for row, there in stored.items() if name in _defined(there.chunk)]
        yield FOOTNOTE_LANE, f"[^{name}]", rows[:1]


def _other_part(database: Database, item: Fused, chunk: Chunk) -> Iterator[Found]:
    stored = Catalog(database).chunks_by_row_ids(rows_beside(database, item.note, item.order[1]))
    parts = [row for row, there in stored.items() if was_cut(*sorted((there.chunk, chunk), key=lambda c: c.span))]
    yield PART_LANE, "", parts


def _pointed(lanes: Lanes, question: Question, hit: tuple[Fused, StoredChunk], known: Set[int]) -> Iterator[Fused]:
    """Yield those passages of the note to which a hit's line sends that suit the question best."""
    item, stored = hit
    link = _pointing(lanes.database, question, item.note, stored.chunk)
    if link is None or link.target_path is None:
        return
    target = Catalog(lanes.database).note_ids([link.target_path]).get(link.target_path)
    rows = rows_of_note(lanes.database, target) if target is not None else []
    left = [row for row in rows if row not in known]
    for rank in range(1, MOST_POINTED - (len(rows) - len(left)) + 1):
        best = lanes.best_of(question, left)
        if best is None:
            return
        left.remove(best.chunk)
        share = LaneShare(POINTED_LANE, rank, best.score, 0.0, link.text or link.target, stored.chunk.path)
        yield Fused(best.chunk, best.note, 0.0, (share,), best.order)


def _pointing(database: Database, question: Question, note: int, chunk: Chunk) -> StoredLink | None:
    """Return the link whose line says most of the question, of the lines that are short; None where none is."""
    links = [link for link in outgoing(database, note) if chunk.span.first_line <= link.line <= chunk.span.last_line]
    told = [
        (count_terms(question.terms, index_terms(sentence)), -place)
        for place, link in enumerate(links)
        if link.target_path and link.target_path != chunk.path and link.kind is not LinkKind.ALIAS
        if len(sentence := linking_sentence(link, chunk)) <= LONGEST_POINTER
    ]
    return links[-max(told)[1]] if told else None


def _is_at(chunk: Chunk, anchor: str) -> bool:
    """Tell whether a passage stands where an anchor leads: at a block's id, or below headings."""
    if anchor.startswith("^"):
        return bool(re.search(rf"(?<!\S){re.escape(anchor)}[ \t]*$", chunk.text, re.IGNORECASE | re.MULTILINE))
    if anchor.startswith("[^"):
        return anchor[2:].rstrip("]").lower() in _defined(chunk)
    above = [plain_subpath(heading) for heading in (*chunk.heading_path, *_HEADING.findall(chunk.text))]
    wanted = [plain_subpath(part) for part in anchor.split("#") if part.strip()]
    return bool(wanted) and wanted[-1] in above and set(wanted) <= set(above)


def _defined(chunk: Chunk) -> set[str]:
    return {name.lower() for name in _FOOTNOTE_TEXT.findall(chunk.text)}
