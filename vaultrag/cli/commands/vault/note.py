"""`vaultrag note`: what is understood of one note, for people who doubt us."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from vaultrag.cli.commands.vault.links import find_path
from vaultrag.cli.render import lines_label
from vaultrag.cli.terminal import Terminal, one_line
from vaultrag.config import Config
from vaultrag.domain import BlockKind, Link, Note, Span
from vaultrag.errors import VaultError
from vaultrag.indexing.read import ReadNote
from vaultrag.store.notes import graph
from vaultrag.store.notes.catalog import Catalog
from vaultrag.vault.files import read_note
from vaultrag.vault.links import LinkResolver
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.subpaths import resolve_subpath
from vaultrag.wire import notes as shapes
from vaultrag.workspace import Ownership, Workspace

WORDS_SHOWN = 60  # characters of a chunk's first line


def print_note(config: Config, terminal: Terminal, written: str) -> None:
    """Read a note anew and print everything that is understood of it."""
    with Workspace.open(config, Ownership.READ) as workspace:
        found = describe(workspace, find_path(workspace.database, config, written))
    if terminal.json:
        terminal.print_json(found)
    else:
        terminal.print(*_lines(found))


def describe(workspace: Workspace, path: str) -> shapes.Note:
    """Return what is understood of an indexed note, as its file says it now. Raises VaultError."""
    read = workspace.read_note(path)
    stored = Catalog(workspace.database).stored_files()[path]
    resolver = LinkResolver(graph.known_files(workspace.database))
    places = _Places(workspace, read.note)
    note, lines = read.note, Lines(read.note.text)
    return shapes.Note(
        path=note.path,
        title=note.title,
        aliases=list(note.aliases),
        tags=list(note.tags),
        properties=dict(note.properties),
        date=note.date,
        date_source=note.date_source,
        problems=list(note.problems),
        indexed=stored.content_hash == note.content_hash,
        headings=_headings(note, lines),
        blocks=_blocks(note, lines),
        links=[_link(link, resolver.resolve(link.target, path), places) for link in note.links],
        turns=_turns(note, lines),
        tasks=[shapes.Task.of(task, dates=dict(task.dates)) for task in note.tasks],
        fields=[shapes.Field.of(field) for field in note.fields],
        chunks=_chunks(read),
    )


class _Places:
    """Where anchors lead: the notes that they stand in are parsed once."""

    def __init__(self, workspace: Workspace, note: Note) -> None:
        self.workspace = workspace
        self.files = Catalog(workspace.database).stored_files()
        self.notes: dict[str, Note | None] = {note.path: note}

    def lines(self, path: str | None, anchor: str) -> tuple[int, int] | None:
        note = self._note(path) if path and anchor else None
        span = resolve_subpath(note, anchor) if note else None
        return (span.first_line, span.last_line) if span else None

    def _note(self, path: str) -> Note | None:
        if path not in self.notes:
            self.notes[path] = self._read(path) if path in self.files else None
        return self.notes[path]

    def _read(self, path: str) -> Note | None:
        config = self.workspace.config
        try:
            text = read_note(config.vault, self.files[path].stat, config.settings.vault.max_note_bytes)
        except VaultError:
            return None
        return parse_note(path, text)


def _link(link: Link, path: str | None, places: _Places) -> shapes.OwnLink:
    return shapes.OwnLink(
        target=link.target,
        path=path,
        kind=link.kind,
        anchor=link.anchor,
        text=link.text,
        line=link.line,
        column=link.column,
        anchor_lines=places.lines(path, link.anchor),
    )


def _headings(note: Note, lines: Lines) -> list[shapes.Heading]:
    return [
        shapes.Heading(
            level=block.level,
            text=block.heading_path[-1] if block.heading_path else "",
            line=lines.line_at(block.start) + 1,
        )
        for block in note.blocks
        if block.kind is BlockKind.HEADING
    ]


def _blocks(note: Note, lines: Lines) -> list[shapes.Block]:
    return [
        shapes.Block(
            kind=block.kind,
            lines=_line_pair(span),
            columns=_column_pair(span),
            heading=list(block.heading_path),
            id=block.block_id,
            callout=block.callout,
        )
        for block in note.blocks
        for span in (lines.span(block.start, max(block.end, block.start + 1)),)
    ]


def _turns(note: Note, lines: Lines) -> list[shapes.Turn]:
    return [
        shapes.Turn(
            speaker=turn.speaker,
            model=turn.model,
            time=turn.time,
            uid=turn.uid,
            lines=_line_pair(lines.span(turn.start, max(turn.end, turn.start + 1))),
        )
        for turn in note.turns
    ]


def _chunks(read: ReadNote) -> list[shapes.Chunk]:
    return [
        shapes.Chunk(
            id=chunk.id,
            lines=_line_pair(chunk.span),
            columns=_column_pair(chunk.span),
            heading=list(chunk.heading_path),
            block=chunk.block_id,
            speaker=chunk.speaker,
            language=chunk.language,
            features=list(chunk.features),
            text=chunk.text,
            embedded=chunk.embedded,
        )
        for chunk in read.chunks
    ]


def _line_pair(span: Span) -> tuple[int, int]:
    return span.first_line, span.last_line


def _column_pair(span: Span) -> tuple[int, int]:
    return span.first_column, span.last_column


def _lines(note: shapes.Note) -> Iterator[Text]:
    yield Text.assemble((one_line(note.title), "bold"), (f"  {one_line(note.path)}", "dim"))
    if not note.indexed:
        yield Text("The file has changed since it was indexed.", style="yellow")
    date = f"{note.date} (from its {note.date_source})" if note.date else ""
    properties = ", ".join(f"{name}: {value}" for name, value in note.properties.items())
    for name, value in (
        ("date", date),
        ("aliases", ", ".join(note.aliases)),
        ("tags", " ".join(f"#{tag}" for tag in note.tags)),
        ("properties", properties),
        ("problems", " ".join(note.problems)),
    ):
        if value:
            yield Text.assemble((f"{name}: ", "dim"), one_line(value))
    yield from _section("Headings", (f"line {h.line}  {'#' * h.level} {h.text}" for h in note.headings))
    yield from _section("Links", (_link_line(link) for link in note.links))
    yield from _section("Turns", (f"{lines_label(t.lines)}  {t.speaker} {t.model} {t.time}" for t in note.turns))
    yield from _section("Tasks", (f"line {t.line}  [{t.status}] {t.text}" for t in note.tasks))
    yield from _section("Fields", (f"line {field.line}  {field.key}: {field.value}" for field in note.fields))
    named = [block for block in note.blocks if block.id]
    yield from _section("Block ids", (f"{lines_label(block.lines)}  ^{block.id}" for block in named))
    yield from _section("Passages", (_chunk_line(chunk) for chunk in note.chunks))


def _section(title: str, rows: Iterator[str]) -> Iterator[Text]:
    for number, row in enumerate(rows):
        if number == 0:
            yield Text(title, style="bold cyan")
        yield Text(f"  {one_line(row)}")


def _link_line(link: shapes.OwnLink) -> str:
    anchor = f"#{link.anchor}" if link.anchor else ""
    meant = link.path if link.path is not None else "nothing"
    place = f", {lines_label(link.anchor_lines)}" if link.anchor_lines else ""
    return f"line {link.line}, column {link.column}  {link.kind} {link.target}{anchor} → {meant}{place}"


def _chunk_line(chunk: shapes.Chunk) -> str:
    words = one_line(chunk.text)
    words = words if len(words) <= WORDS_SHOWN else f"{words[:WORDS_SHOWN]}…"
    has = f" ({', '.join(chunk.features)})" if chunk.features else ""
    speaker = f"{chunk.speaker}: " if chunk.speaker else ""
    return f"{lines_label(chunk.lines)}{has}  {speaker}{words}"
