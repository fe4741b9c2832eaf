"""`vaultrag links`, `backlinks`, `unresolved`, `orphans` and `graph`: read straight from the index."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from rich.text import Text

from vaultrag.cli import graph_export
from vaultrag.cli.obsidian import obsidian_link
from vaultrag.cli.terminal import Terminal, one_line
from vaultrag.config import Config
from vaultrag.domain import LinkKind
from vaultrag.errors import UsageError, VaultError
from vaultrag.store.database import Access, Database
from vaultrag.store.notes import graph, mentions
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import StoredLink
from vaultrag.store.opening import open_database
from vaultrag.vault.files import note_suffixes, scan_vault
from vaultrag.vault.naming import find_note
from vaultrag.wire import notes as shapes

GUESSES = (LinkKind.ALIAS, LinkKind.MENTION)

Read = Callable[[Database, int], list[StoredLink]]


class GraphFormat(StrEnum):
    JSON = "json"
    GRAPHML = "graphml"
    MERMAID = "mermaid"


def print_links(config: Config, terminal: Terminal, written: str) -> None:
    """Print where a note's links lead, and which names of other notes it says."""
    found = _links_of(config, written, (graph.outgoing, mentions.mentions_in))
    _print_links(found, terminal, lambda link: _target_line(link, config.vault.name), "This note links to nothing.")


def print_backlinks(config: Config, terminal: Terminal, written: str) -> None:
    """Print what links to a note, and where its name is said."""
    found = _links_of(config, written, (graph.incoming, mentions.mentions_of))
    _print_links(found, terminal, lambda link: _source_line(link, config.vault.name), "Nothing links to this note.")


def print_unresolved(config: Config, terminal: Terminal) -> None:
    """Print the links that mean no file."""
    with open_database(config.database_path, Access.READ) as database:
        found = graph.unresolved(database)
    _print_links(found, terminal, lambda link: _source_line(link, config.vault.name), "Every link leads to a file.")


def print_orphans(config: Config, terminal: Terminal) -> None:
    """Print the notes that no link leads to or from."""
    with open_database(config.database_path, Access.READ) as database:
        paths = graph.orphans(database)
    if terminal.json:
        terminal.print_json(shapes.Paths(paths=paths))
        return
    terminal.print(*(_linked(path, obsidian_link(config.vault.name, path, (), "")) for path in paths))
    if not paths:
        terminal.print("Every note is linked.")


def print_graph(config: Config, terminal: Terminal, written: GraphFormat) -> None:
    """Print the whole graph in one of three formats."""
    whole = read_graph(config)
    match written:
        case GraphFormat.JSON:
            terminal.print_json(whole)
        case GraphFormat.GRAPHML:
            terminal.print_plain(graph_export.graphml(whole))
        case GraphFormat.MERMAID:
            terminal.print_plain(graph_export.mermaid(whole))


def read_graph(config: Config) -> shapes.Graph:
    """Return every note, every file or missing note that a link names, and the links between them, counted."""
    with open_database(config.database_path, Access.READ) as database, database.snapshot():
        titles = graph.titles(database)
        links = [*graph.all_links(database), *mentions.all_mentions(database)]
    edges = Counter((link.source_path, _end(link), link.kind) for link in links)
    named = sorted({_end(link): link for link in links if _end(link) not in titles}.items())
    return shapes.Graph(
        nodes=[
            *(shapes.Node(id=path, title=title, kind="note") for path, title in titles.items()),
            *(shapes.Node(id=end, title=link.target_path or link.target, kind=_kind(link)) for end, link in named),
        ],
        edges=[
            shapes.Edge(source=source, target=target, kind=kind, weight=weight)
            for (source, target, kind), weight in sorted(edges.items())
        ],
    )


def find_path(database: Database, config: Config, written: str) -> str:
    """Return the path of the note that is meant. Raises UsageError."""
    place = Path(written).expanduser()
    if place.is_absolute() and place.is_relative_to(config.vault):
        written = str(place.relative_to(config.vault))
    try:
        return find_note(graph.note_paths(database), written)
    except UsageError as error:
        raise _left_out(config, written) or error from error


def _left_out(config: Config, written: str) -> UsageError | None:
    """Return an error that says why a note that lies in the vault is not indexed; None where there is no such note."""
    with contextlib.suppress(VaultError, UsageError):
        listing = scan_vault(config.vault, config.settings.vault.ignore, note_suffixes(config.settings.vault))
        reasons = {place.path: place.reason for place in listing.skipped}
        path = find_note(list(reasons), written)
        return UsageError(f"{path} is not read: {reasons[path]}.", "`vaultrag status` counts what is left out.")
    return None


def _links_of(config: Config, written: str, readers: Sequence[Read]) -> list[StoredLink]:
    with open_database(config.database_path, Access.READ) as database, database.snapshot():
        path = find_path(database, config, written)
        note_id = Catalog(database).note_ids([path])[path]
        return [link for read in readers for link in read(database, note_id)]


def _print_links(
    links: Sequence[StoredLink], terminal: Terminal, line: Callable[[StoredLink], Text], nothing: str
) -> None:
    if terminal.json:
        terminal.print_json(shapes.Links(links=[_shape(link) for link in links]))
        return
    terminal.print(*map(line, _sorted(links)))
    if not links:
        terminal.print(nothing)


def _sorted(links: Iterable[StoredLink]) -> list[StoredLink]:
    return sorted(links, key=lambda link: link.kind in GUESSES)


def _shape(link: StoredLink) -> shapes.Link:
    return shapes.Link(
        source=link.source_path,
        target=link.target,
        path=link.target_path,
        kind=link.kind,
        anchor=link.anchor,
        text=link.text,
        line=link.line,
    )


def _target_line(link: StoredLink, vault: str) -> Text:
    anchor = f"#{link.anchor}" if link.anchor else ""
    if link.target_path is None:
        place = Text.assemble(one_line(link.target + anchor), (" (not there)", "yellow"))
    else:
        url = obsidian_link(vault, link.target_path, (), "")
        place = _linked(link.target_path, url).append(one_line(anchor), style="cyan")
    return Text.assemble((f"line {link.line}  ", "dim"), place, _note(link))


def _source_line(link: StoredLink, vault: str) -> Text:
    source = _linked(link.source_path, obsidian_link(vault, link.source_path, (), ""))
    target = Text(f"  → {one_line(link.target)}", style="yellow") if link.target_path is None else Text()
    return Text.assemble(source, (f", line {link.line}", "dim"), target, _note(link))


def _note(link: StoredLink) -> Text:
    """Return the link's kind where it is no plain one, and for a guess the words that it stands on."""
    if link.kind in GUESSES:
        what = "by its alias" if link.kind is LinkKind.ALIAS else "mentioned, not linked"
        return Text(f"  ({what}: “{one_line(link.text)}”)", style="dim")
    return Text("" if link.kind is LinkKind.WIKILINK else f"  ({link.kind})", style="dim")


def _linked(path: str, url: str) -> Text:
    return Text(one_line(path), style=f"bold link {url}")


def _end(link: StoredLink) -> str:
    return link.target_path or f"?{link.target}"  # apart from the notes: Windows and Obsidian allow no `?`


def _kind(link: StoredLink) -> str:
    return "file" if link.target_path else "missing"
