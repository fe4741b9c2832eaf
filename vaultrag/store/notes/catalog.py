"""The catalogue: what each note of the vault says, as it was last read. One transaction a note."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaultrag.domain import Chunk, FileStat, Note, Span
from vaultrag.store import embeddings
from vaultrag.store.database import Database, Row, Value
from vaultrag.store.lists import AMONG, as_list, marks, parts
from vaultrag.store.notes import chunk_rows, graph, note_rows
from vaultrag.store.notes.graph import Resolve
from vaultrag.store.notes.within import EVERYWHERE, rows_within
from vaultrag.store.schema import FIRST_SEEN

_STORED_FILE = "SELECT path, fs_path, size, mtime_ns, inode, content_hash, recipe FROM notes"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What the catalogue knows of a note's file."""

    stat: FileStat
    content_hash: str
    recipe: str


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk with its row id and its note's title."""

    row_id: int
    title: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of `status`."""

    notes: int
    chunks: int
    links: int
    unresolved_links: int
    embedding_keys: int
    embedded: int
    owed: int
    problems: int
    last_indexed_at: float | None


class Catalog:
    """The notes, chunks and links of one index."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def stored_files(self, places: Sequence[str] = EVERYWHERE) -> dict[str, StoredFile]:
        """Return the files of the notes at these places, by path."""
        rows = rows_within(self.database, _STORED_FILE, places)
        return {row[0]: StoredFile(FileStat(*row[:5]), row[5], row[6]) for row in rows}

    def stored_file(self, path: str) -> StoredFile | None:
        """Return the file of one note."""
        return self.stored_files([path]).get(path)

    def files_with_content(self, content_hash: str) -> dict[str, StoredFile]:
        """Return the files of the notes that had this content when they were last read, by path."""
        rows = self.database.rows(f"{_STORED_FILE} WHERE content_hash = ?", (content_hash,))
        return {row[0]: StoredFile(FileStat(*row[:5]), row[5], row[6]) for row in rows}

    def tags(self) -> list[str]:
        """Return the tags that notes bear, each once, in order."""
        return [str(tag) for tag in self.database.column("SELECT DISTINCT tag FROM tags ORDER BY tag")]

    def note_count(self) -> int:
        return int(self.database.value("SELECT count(*) FROM notes"))

    def main_language(self) -> str:
        """Return the language that most notes are in; empty where there is none."""
        query = "SELECT language FROM notes WHERE language <> '' GROUP BY language ORDER BY count(*) DESC, language"
        return str(self.database.value(f"{query} LIMIT 1") or "")

    def has_notes(self) -> bool:
        return self.database.value("SELECT 1 FROM notes LIMIT 1") is not None

    def chunk_count(self, note_ids: Sequence[int]) -> int:
        """Count the chunks of these notes."""
        return int(self.database.value(f"SELECT count(*) FROM chunks WHERE note_id {AMONG}", (as_list(note_ids),)))

    def write_note(
        self,
        note: Note,
        stat: FileStat,
        chunks: Sequence[Chunk],
        *,
        resolve: Resolve,
        recipe: str = "",
        old_path: str | None = None,
        stems: Sequence[str] | None = None,
    ) -> int:
        """Write a note as it is now; return its id. `stems` are those of each chunk, where they are known already.

        Chunks that stand unchanged keep their rows. Every embedding key that came or went goes into the outbox.
        A note that lay at `old_path` before keeps its id, its chunks' rows and its embeddings.
        """
        database = self.database
        with database.atomic():
            if old_path is not None:
                database.run("UPDATE notes SET path = ? WHERE path = ?", (note.path, old_path))
            note_id = self._write_row(note, stat, chunks, recipe)
            changed_keys = chunk_rows.replace_chunks(database, note_id, chunks, stems)
            embeddings.queue(database, changed_keys)
            graph.write_links(database, note_id, note.path, note.links, resolve)
            self._write_names(note_id, note)
            self._write_tags(note_id, note_rows.tags_of(note))
            self._write_tasks(note_id, note_rows.tasks_of(note))
            self.database.run("INSERT OR REPLACE INTO mentions_owed (note_id) VALUES (?)", (note_id,))
            return note_id

    def remove_note(self, path: str) -> None:
        """Delete a note with everything of it; its embedding keys go into the outbox."""
        with self.database.atomic():
            keys = self.database.column(
                "SELECT DISTINCT text_hash FROM chunks WHERE note_id = (SELECT id FROM notes WHERE path = ?)", (path,)
            )
            embeddings.queue(self.database, keys)
            self.database.run("DELETE FROM notes WHERE path = ?", (path,))

    def touch(self, stats: Iterable[FileStat]) -> None:
        """Note that files were saved again with the same content."""
        stats = list(stats)
        if not stats:
            return
        with self.database.atomic():
            self.database.run_many(
                "UPDATE notes SET fs_path = ?, size = ?, mtime_ns = ?, inode = ? WHERE path = ?",
                ((stat.fs_path, stat.size, stat.mtime_ns, stat.inode, stat.path) for stat in stats),
            )

    def owe_reading(self, paths: Iterable[str]) -> None:
        """Note that these notes must be read again, though their own text stays."""
        with self.database.atomic():
            self.database.run_many("UPDATE notes SET recipe = '' WHERE path = ?", ((path,) for path in paths))

    def owed_readings(self) -> list[str]:
        """Return the notes that must be read again."""
        return self.database.column("SELECT path FROM notes WHERE recipe = '' ORDER BY path")

    def note_ids(self, paths: Sequence[str]) -> dict[str, int]:
        """Return the ids of these notes, as far as they are known."""
        found: dict[str, int] = {}
        for part in parts(paths):
            found.update(self.database.rows(f"SELECT path, id FROM notes WHERE path IN ({marks(part)})", part))
        return found

    def chunks_by_row_ids(self, row_ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Return chunks by row id, as the keyword search names them."""
        found: dict[int, StoredChunk] = {}
        for part in parts(row_ids):
            rows = self.database.rows(
                "SELECT chunks.id, title, chunk_id, path, heading_path, first_line, first_column, last_line,"
                " last_column, block_id, speaker, text, embedded, chunks.language, text_hash, features, lead, said,"
                f" model, CASE date_source WHEN '{FIRST_SEEN}' THEN '' ELSE date END, about"
                " FROM chunks JOIN notes ON notes.id = chunks.note_id"
                f" WHERE chunks.id IN ({marks(part)})",
                part,
            )
            found.update((stored.row_id, stored) for stored in self.database.decoded(rows, _stored_chunk))
        return found

    def problems(self) -> list[tuple[str, str]]:
        """Return (path, sentence) for everything the parser could not make sense of."""
        rows = self.database.rows("SELECT path, problems FROM notes WHERE problems <> '[]' ORDER BY path")
        decoded = self.database.decoded(rows, lambda row: [(row[0], str(sentence)) for sentence in json.loads(row[1])])
        return [problem for problems in decoded for problem in problems]

    def counts(self, fingerprint: str | None = None) -> Counts:
        """Count everything for `status`. `fingerprint` names the embedder; by default, the index's own."""
        value = self.database.value
        with self.database.snapshot():
            embedder = fingerprint or self.database.meta(embeddings.FINGERPRINT) or ""
            return Counts(
                notes=value("SELECT count(*) FROM notes"),
                chunks=value("SELECT count(*) FROM chunks"),
                links=value("SELECT count(*) FROM links"),
                unresolved_links=value("SELECT count(*) FROM links WHERE target_path IS NULL"),
                embedding_keys=value("SELECT count(DISTINCT text_hash) FROM chunks WHERE text_hash <> ''"),
                embedded=embeddings.embedding_count(self.database, embedder),
                owed=embeddings.owed_count(self.database),
                problems=value("SELECT coalesce(sum(json_array_length(problems)), 0) FROM notes"),
                last_indexed_at=value("SELECT max(indexed_at) FROM notes"),
            )

    def _write_row(self, note: Note, stat: FileStat, chunks: Sequence[Chunk], recipe: str) -> int:
        values: dict[str, Value] = {
            "path": note.path,
            "fs_path": stat.fs_path,
            "size": stat.size,
            "mtime_ns": stat.mtime_ns,
            "inode": stat.inode,
            "recipe": recipe,
            "indexed_at": time.time(),
            **note_rows.note_values(note, chunks),
        }
        values["date"] = values["date"] or time.strftime("%Y-%m-%d")
        names = ", ".join(values)
        updates = ", ".join(f"{name} = excluded.{name}" for name in values if name != "date")
        updates += (
            f", date = CASE WHEN excluded.date_source = '{FIRST_SEEN}' AND notes.date_source = '{FIRST_SEEN}'"
            " THEN notes.date ELSE excluded.date END"
        )
        self.database.run(
            f"INSERT INTO notes ({names}) VALUES ({marks(list(values))}) ON CONFLICT (path) DO UPDATE SET {updates}",
            tuple(values.values()),
        )
        return int(self.database.value("SELECT id FROM notes WHERE path = ?", (note.path,)))

    def _write_names(self, note_id: int, note: Note) -> None:
        wanted = [(kind, name, note_rows.stems_of(name)) for kind, name in note_rows.names_of(note)]
        standing = self.database.rows("SELECT kind, name, stems FROM names WHERE note_id = ? ORDER BY id", (note_id,))
        if standing == wanted:
            return
        self.database.run("DELETE FROM names WHERE note_id = ?", (note_id,))
        self.database.run_many(
            "INSERT INTO names (note_id, kind, name, stems) VALUES (?, ?, ?, ?)",
            ((note_id, *name) for name in wanted),
        )

    def _write_tags(self, note_id: int, tags: Sequence[str]) -> None:
        self.database.run("DELETE FROM tags WHERE note_id = ?", (note_id,))
        self.database.run_many("INSERT INTO tags (note_id, tag) VALUES (?, ?)", ((note_id, tag) for tag in tags))

    def _write_tasks(self, note_id: int, tasks: Sequence[Row]) -> None:
        columns = note_rows.TASK_COLUMNS
        self.database.run("DELETE FROM tasks WHERE note_id = ?", (note_id,))
        self.database.run_many(
            f"INSERT INTO tasks (note_id, {', '.join(columns)}) VALUES (?, {marks(columns)})",
            ((note_id, *task) for task in tasks),
        )


_CHUNK_TYPES = (int, *(str,) * 4, *(int,) * 4, *(str,) * 12)


def _stored_chunk(row: Row) -> StoredChunk:
    if tuple(map(type, row)) != _CHUNK_TYPES:
        raise TypeError  # SQLite keeps whatever a flipped bit makes of a column
    (
        row_id,
        title,
        chunk_id,
        path,
        heading_path,
        *place,
        block_id,
        speaker,
        text,
        embedded,
        lang,
        key,
        features,
        lead,
        said,
        model,
        date,
        about,
    ) = row
    chunk = Chunk(
        id=chunk_id,
        path=path,
        heading_path=tuple(json.loads(heading_path)),
        span=Span(*place),
        block_id=block_id,
        speaker=speaker,
        text=text,
        embedded=embedded,
        language=lang,
        text_hash=key,
        features=tuple(features.split()),
        lead=lead,
        said=said,
        model=model,
        date=date,
        about=about,
    )
    return StoredChunk(row_id=row_id, title=title, chunk=chunk)
