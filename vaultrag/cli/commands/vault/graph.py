"""The commands that show links and notes. The work of each lies in `cli/notes.py` and `cli/note.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from vaultrag.cli.options import HomeOption, JsonOption, NoteArgument, VaultOption, session_of
from vaultrag.errors import UsageError

graph_app = typer.Typer()


@graph_app.command(epilog="Example:  vaultrag links Бойлер")
def links(
    context: typer.Context,
    note: NoteArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List where a note's links lead, and the notes that it names without a link."""
    from vaultrag.cli.commands.vault.links import print_links

    session = session_of(context)
    print_links(session.config(vault, home), session.terminal, note)


@graph_app.command(epilog='Example:  vaultrag backlinks "Projects/Garden.md" --json')
def backlinks(
    context: typer.Context,
    note: NoteArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List what links to a note, and where its name or alias is said without a link."""
    from vaultrag.cli.commands.vault.links import print_backlinks

    session = session_of(context)
    print_backlinks(session.config(vault, home), session.terminal, note)


@graph_app.command(epilog="Example:  vaultrag unresolved")
def unresolved(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the links that lead to no file."""
    from vaultrag.cli.commands.vault.links import print_unresolved

    session = session_of(context)
    print_unresolved(session.config(vault, home), session.terminal)


@graph_app.command(epilog="Example:  vaultrag orphans --json")
def orphans(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the notes that no link leads to or from."""
    from vaultrag.cli.commands.vault.links import print_orphans

    session = session_of(context)
    print_orphans(session.config(vault, home), session.terminal)


@graph_app.command(epilog="Example:  vaultrag graph --format graphml > vault.graphml")
def graph(
    context: typer.Context,
    form: Annotated[str, typer.Option("--format", help="json, graphml or mermaid.")] = "json",
    vault: VaultOption = None,
    home: HomeOption = None,
) -> None:
    """Print the graph of the vault: notes, attachments, missing notes, and the links between them."""
    from vaultrag.cli.commands.vault.links import GraphFormat, print_graph

    if form not in list(GraphFormat):
        raise UsageError(f"“{form}” is no format of a graph.", f"The formats are {', '.join(GraphFormat)}.")
    session = session_of(context)
    print_graph(session.config(vault, home), session.terminal, GraphFormat(form))


@graph_app.command(epilog="Example:  vaultrag note Бойлер --json")
def note(
    context: typer.Context,
    note: NoteArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Read one note anew and print what is understood of it: links, tags, headings, turns, tasks, passages."""
    from vaultrag.cli.commands.vault.note import print_note

    session = session_of(context)
    print_note(session.config(vault, home), session.terminal, note)
