"""Links between notes: written with their source, re-resolved when the set of files changes, walked for search."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from vaultrag.domain import Link, LinkKind
from vaultrag.store.database import Database, Row
from vaultrag.store.lists import AMONG, as_list, marks, parts
from vaultrag.store.notes.within import EVERYWHERE, rows_within
from vaultrag.text.paths import file_name, lower

Resolve: TypeAlias = Callable[[str, str], str | None]
"""What a target means in a source note: (target, source path) -> path, or None."""

# An alias in a link to nothing was meant as a link, though Obsidian does not follow it. Mentions are not searched over:
# the words that make one are found by the keyword lane already.
KIND_WEIGHT = {LinkKind.ALIAS: 0.5}


class WeightedLink(NamedTuple):
    """One note links to another. `weight` falls with the number of links in the source: a long list says little."""

    source_id: int
    target_id: int
    text: str
    weight: float


class StoredLink(NamedTuple):
    """A link as it stands in a note, and what it means now."""

    source_path: str
    target: str
    target_path: str | None
    kind: LinkKind
    anchor: str
    text: str
    line: int


def target_key(target: str) -> str:
    """Return what all targets share that can mean the same file: the last segment, lower-case, without `.md`."""
    spaced = unicodedata.normalize("NFC", target.replace("\u00a0", " ").replace("\u202f", " "))
    key = spaced.strip().replace("\\", "/").rstrip("/").rpartition("/")[2]
    key = lower(key)
    while key.endswith(".md"):
        key = key.removesuffix(".md")
    return key


def write_links(database: Database, source_id: int, source: str, links: Sequence[Link], resolve: Resolve) -> None:
    """Replace the outgoing links of a note."""
    database.run("DELETE FROM links WHERE source_id = ?", (source_id,))
    database.run_many(
        f"INSERT INTO links (source_id, {', '.join(LINK_COLUMNS)}) VALUES (?, {marks(LINK_COLUMNS)})",
        ((source_id, *link_row(link, source, resolve)) for link in links),
    )


LINK_COLUMNS = ("target", "target_key", "target_path", "kind", "anchor", "text", "line")


def link_row(link: Link, source: str, resolve: Resolve) -> tuple[str | int | None, ...]:
    """Return the values of `LINK_COLUMNS` for a link of the note at `source`."""
    return (
        link.target,
        target_key(link.target),
        resolve(link.target, source),
        str(link.kind),
        link.anchor,
        link.text,
        link.line,
    )


def known_files(database: Database, places: Sequence[str] = EVERYWHERE) -> set[str]:
    """Return the files at these places that the links were last resolved against."""
    return {row[0] for row in rows_within(database, "SELECT path FROM files", places)}


def files_named(database: Database, name: str) -> list[str]:
    """Return the files whose last segment, lower-case, is this name; sorted."""
    return database.column("SELECT path FROM files WHERE name = ? ORDER BY path", (name,))


def files_between(database: Database, first: str, end: str) -> list[str]:
    """Return the files from one path, in the order of their characters, up to another."""
    return database.column("SELECT path FROM files WHERE path >= ? AND path < ? ORDER BY path", (first, end))


def link_count(database: Database, files: Sequence[str], except_from: Sequence[int]) -> int:
    """Count the links to these files that stand in other notes than those with these ids."""
    return int(
        database.value(
            f"SELECT count(*) FROM links WHERE target_path {AMONG} AND source_id NOT {AMONG}",
            (as_list(files), as_list(except_from)),
        )
    )


def misnamed_files(database: Database) -> list[str]:
    """Return the files whose stored name is not the last segment of their path."""
    rows = database.rows("SELECT path, name FROM files ORDER BY path")
    return [path for path, name in rows if file_name(path) != name]


def change_files(database: Database, appeared: Iterable[str], vanished: Iterable[str], resolve: Resolve) -> int:
    """Note that files came or went, and re-resolve every link that this can touch. Returns how many changed."""
    appeared, vanished = list(appeared), list(vanished)
    with database.atomic():
        database.run_many("DELETE FROM files WHERE path = ?", ((path,) for path in vanished))
        database.run_many(
            "INSERT OR IGNORE INTO files (path, name) VALUES (?, ?)", ((path, file_name(path)) for path in appeared)
        )
        return _resolve_again(database, {target_key(path) for path in (*appeared, *vanished)}, resolve)


def embedding_notes(database: Database, paths: Sequence[str]) -> list[str]:
    """Return the notes that embed one of these files."""
    found: set[str] = set()
    for part in parts(paths):
        found.update(
            database.column(
                "SELECT DISTINCT path FROM links JOIN notes ON notes.id = source_id"
                f" WHERE kind = 'embed' AND target_path IN ({marks(part)})",
                part,
            )
        )
    return sorted(found)


def note_paths(database: Database) -> list[str]:
    return database.column("SELECT path FROM notes ORDER BY path")


def titles(database: Database) -> dict[str, str]:
    """Return every note's title by its path."""
    return dict(database.rows("SELECT path, title FROM notes ORDER BY path"))


def outgoing(database: Database, note_id: int) -> list[StoredLink]:
    """Return the links that a note holds, in order."""
    return _links(database, "links.source_id = ?", note_id)


def incoming(database: Database, note_id: int) -> list[StoredLink]:
    """Return the links elsewhere that point to a note (its backlinks)."""
    return _links(
        database,
        "links.target_path = (SELECT path FROM notes WHERE id = ?1) AND links.source_id <> ?1",
        note_id,
    )


def unresolved(database: Database) -> list[StoredLink]:
    """Return the links of notes that point to nothing."""
    return _links(database, "links.target_path IS NULL AND ? = 0", 0)


def all_links(database: Database) -> list[StoredLink]:
    """Return every link of every note."""
    return _links(database, "? = 0", 0)


def orphans(database: Database) -> list[str]:
    """Return the notes that no link leads to or from; a link to the note itself does not count."""
    return database.column(
        "SELECT path FROM notes WHERE"
        " NOT EXISTS (SELECT 1 FROM links JOIN notes AS target ON target.path = links.target_path"
        "  WHERE links.source_id = notes.id AND target.id <> notes.id)"
        " AND NOT EXISTS (SELECT 1 FROM links WHERE links.target_path = notes.path AND links.source_id <> notes.id)"
        " ORDER BY path"
    )


def neighbours(database: Database, note_ids: Sequence[int]) -> list[WeightedLink]:
    """Return the links from and to these notes, heaviest first; links within a note are left out."""
    edges: set[WeightedLink] = set()
    for part in parts(note_ids):
        some = marks(part)
        for where in (f"links.source_id IN ({some})", f"target.id IN ({some})"):
            edges.update(_edges(database, where, part))
        edges.update(_alias_edges(database, part))
    notes = list({note for edge in edges for note in (edge.source_id, edge.target_id)})
    paths: dict[int, str] = dict(database.rows(f"SELECT id, path FROM notes WHERE id {AMONG}", (as_list(notes),)))
    return sorted(edges, key=lambda e: (-e.weight, paths.get(e.source_id, ""), paths.get(e.target_id, ""), e.text))


def _alias_edges(database: Database, note_ids: Sequence[int]) -> list[WeightedLink]:
    rows = database.rows(
        "SELECT source_id, target_id, text FROM mentions"
        f" WHERE kind = 'alias' AND (source_id {AMONG} OR target_id {AMONG})",
        (as_list(note_ids), as_list(note_ids)),
    )
    return [WeightedLink(source, target, text, KIND_WEIGHT[LinkKind.ALIAS]) for source, target, text in rows]


def _edges(database: Database, where: str, note_ids: Sequence[int]) -> list[WeightedLink]:
    rows = database.rows(
        "SELECT links.source_id, target.id, links.text, links.kind,"
        " (SELECT count(*) FROM links AS others WHERE others.source_id = links.source_id)"
        " FROM links JOIN notes AS target ON target.path = links.target_path"
        f" WHERE {where} AND target.id <> links.source_id",
        note_ids,
    )
    return database.decoded(rows, _edge)


def _edge(row: Row) -> WeightedLink:
    source, target, text, kind, count = row
    return WeightedLink(source, target, text, KIND_WEIGHT.get(LinkKind(kind), 1.0) / max(count, 1) ** 0.5)


def _links(database: Database, where: str, note_id: int) -> list[StoredLink]:
    rows = database.rows(
        "SELECT notes.path, links.target, links.target_path, links.kind, links.anchor, links.text, links.line"
        f" FROM links JOIN notes ON notes.id = links.source_id WHERE {where} ORDER BY notes.path, links.line, links.id",
        (note_id,),
    )
    return database.decoded(rows, _stored_link)


def _stored_link(row: Row) -> StoredLink:
    source, target, path, kind, anchor, text, line = row
    return StoredLink(source, target, path, LinkKind(kind), anchor, text, line)


def _resolve_again(database: Database, keys: set[str], resolve: Resolve) -> int:
    rows = []
    for part in parts(sorted(keys)):
        rows += database.rows(
            "SELECT links.id, links.target, notes.path, links.target_path"
            " FROM links JOIN notes ON notes.id = links.source_id"
            f" WHERE links.target_key IN ({marks(part)}) AND links.target <> ''",
            part,
        )
    changed = [
        (meant, link_id) for link_id, target, source, before in rows if (meant := resolve(target, source)) != before
    ]
    database.run_many("UPDATE links SET target_path = ? WHERE id = ?", changed)
    return len(changed)
