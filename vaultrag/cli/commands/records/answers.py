"""`vaultrag answers` and `vaultrag chats`: what was kept, straight from the index, whether a server runs or not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from vaultrag.cli.commands.records.reading import index_to_read
from vaultrag.cli.options import HomeOption, JsonOption, VaultOption, session_of
from vaultrag.cli.terminal import Terminal, local_time, one_line
from vaultrag.config import Config
from vaultrag.domain import Fate, QuoteState, SavedAnswer, SourceState, counted
from vaultrag.text.quotation_marks import set_off

if TYPE_CHECKING:
    from vaultrag.records.archive import Archive
    from vaultrag.wire import Answer

FATES = {
    QuoteState.CHANGED: "These words do not stand in the note any more.",
    QuoteState.GONE: "This note is gone.",
    QuoteState.UNREADABLE: "This note cannot be read now.",
}

answers_app = typer.Typer(help="The answers that were saved, by `ask --save` or in a chat.", no_args_is_help=True)
chats_app = typer.Typer(help="The conversations that `ask --chat NAME` keeps.", no_args_is_help=True)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="An answer's id, or the beginning of it.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A chat's name.")]


@answers_app.command("list", epilog="Example:  vaultrag answers list --json")
def list_answers(
    context: typer.Context,
    changed: Annotated[bool, typer.Option("--changed", help="Only those whose sources changed.")] = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the saved answers, the oldest first; with --changed those that no longer hold, or may not."""
    from vaultrag.wire.records import SavedAnswers

    session = session_of(context)
    with _reading(session.config(vault, home)) as archive:
        found = archive.answers()
        if changed:
            found = [saved for saved in found if archive.look_at(saved).fate is not Fate.HOLDS]
    if session.terminal.json:
        session.terminal.print_json(SavedAnswers.of(found))
        return
    session.terminal.print(*(_answer_line(saved) for saved in found))
    if not found:
        session.terminal.print(
            "Every saved answer holds." if changed else "No answer is saved; `vaultrag ask --save` saves one."
        )


@answers_app.command("check", epilog="Example:  vaultrag answers check --json")
def check_answers(
    context: typer.Context,
    beginning: Annotated[
        str, typer.Argument(metavar="[ID]", help="An answer's id, or the beginning of it. Default: all of them.")
    ] = "",
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Hold saved answers against the notes as they are now: which hold, which changed, and whose source is gone.

    No model is asked: words that must be understood are told as not judged until a night has judged them.
    """
    from vaultrag.cli.commands.records.fates import fate_line, source_lines
    from vaultrag.wire.records import CheckedAnswers

    session = session_of(context)
    with _reading(session.config(vault, home)) as archive:
        saved = [archive.answer(beginning)] if beginning else archive.answers()
        found = [archive.look_at(one) for one in saved]
    if session.terminal.json:
        session.terminal.print_json(CheckedAnswers.of(found))
        return
    for one in found:
        session.terminal.print(fate_line(one), *source_lines(one))
    if not found:
        session.terminal.print("No answer is saved; `vaultrag ask --save` saves one.")


@answers_app.command("show", epilog="Example:  vaultrag answers show 7f3a")
def show_answer(
    context: typer.Context,
    beginning: IdArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Print a saved answer, and say which of its sources do not stand in the notes any more."""
    from vaultrag.cli.commands.records.fates import fate_line
    from vaultrag.wire.records import ShownAnswer

    session = session_of(context)
    config = session.config(vault, home)
    with _reading(config) as archive:
        found = archive.show(beginning)
        looked = archive.look_at(found.saved)
    if session.terminal.json:
        session.terminal.print_json(ShownAnswer.of(found, fate=looked.fate))
        return
    _print_answer(session.terminal, config, found.saved, found.sources)
    if looked.fate is not Fate.HOLDS:
        session.terminal.print("", fate_line(looked))


@answers_app.command("delete", epilog="Example:  vaultrag answers delete 7f3a91bc")
def delete_answer(
    context: typer.Context,
    beginning: IdArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a saved answer."""
    from vaultrag.wire.records import Deleted

    session = session_of(context)
    with _writing(session.config(vault, home)) as archive:
        key = archive.delete_answer(beginning)
    if session.terminal.json:
        session.terminal.print_json(Deleted(deleted=1))
    else:
        session.terminal.print(f"Deleted {key}.")


@chats_app.command("list", epilog="Example:  vaultrag chats list")
def list_chats(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the chats, the one spoken in last at the end."""
    from vaultrag.wire.records import Chats

    session = session_of(context)
    with _reading(session.config(vault, home)) as archive:
        found = archive.chats()
    if session.terminal.json:
        session.terminal.print_json(Chats.of(found))
        return
    for chat in found:
        turns = f"  {counted(chat.turns, 'turn')}, the last {local_time(chat.last_at)}"
        session.terminal.print(Text.assemble((one_line(chat.name), "bold"), (turns, "dim")))
    if not found:
        session.terminal.print("There is no chat; `vaultrag ask --chat NAME` begins one.")


@chats_app.command("show", epilog='Example:  vaultrag chats show "Бойлер"')
def show_chat(
    context: typer.Context,
    name: NameArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Print the turns of a chat."""
    from vaultrag.wire.records import SavedAnswers

    session = session_of(context)
    config = session.config(vault, home)
    with _reading(config) as archive:
        turns = archive.chat(name)
        sources = [archive.sources(turn.answer.citations) for turn in turns]
    if session.terminal.json:
        session.terminal.print_json(SavedAnswers.of(turns))
        return
    for number, (turn, states) in enumerate(zip(turns, sources, strict=True)):
        if number:
            session.terminal.print("")
        _print_answer(session.terminal, config, turn, states)


@chats_app.command("delete", epilog='Example:  vaultrag chats delete "Бойлер"')
def delete_chat(
    context: typer.Context,
    name: NameArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a chat with all its turns."""
    from vaultrag.wire.records import Deleted

    session = session_of(context)
    with _writing(session.config(vault, home)) as archive:
        deleted = archive.delete_chat(name)
    if session.terminal.json:
        session.terminal.print_json(Deleted(deleted=deleted))
    else:
        session.terminal.print(f"Deleted {counted(deleted, 'turn')}.")


@contextlib.contextmanager
def _reading(config: Config) -> Iterator[Archive]:
    from vaultrag.records.archive import Archive

    with index_to_read(config) as database:
        yield Archive(config, database)


@contextlib.contextmanager
def _writing(config: Config) -> Iterator[Archive]:
    from vaultrag.records.archive import Archive, open_for_records

    with open_for_records(config) as database:
        yield Archive(config, database)


def _answer_line(saved: SavedAnswer) -> Text:
    chat = f"  ({one_line(saved.chat)})" if saved.chat else ""
    return Text.assemble(
        (saved.id, "bold cyan"),
        (f"  {local_time(saved.saved_at)}  ", "dim"),
        one_line(saved.answer.question),
        (chat, "dim"),
    )


def _print_answer(terminal: Terminal, config: Config, saved: SavedAnswer, sources: Sequence[SourceState]) -> None:
    from vaultrag.cli.render import answer_text, known_findings
    from vaultrag.wire import Answer

    answer = Answer.of(saved.answer)
    terminal.print(_answer_line(saved), "", answer_text(answer, config.vault.name))
    if answer.citations:
        terminal.print("", *_sources(answer, sources, config.vault.name))
    terminal.print(*known_findings(answer))


def _sources(answer: Answer, states: Sequence[SourceState], vault: str) -> Iterator[RenderableType]:
    from vaultrag.cli.render import source_list

    blocks = list(source_list(answer.citations, vault))
    for number, state in enumerate(states):
        yield from blocks[2 * number : 2 * number + 2]
        if said := _said_of(state):
            yield Text(f"    {said}", style="yellow")


def _said_of(state: SourceState) -> str:
    if state.state is QuoteState.MOVED and state.lines:
        first, last = state.lines
        where = f"in line {first}" if first == last else f"in lines {first}–{last}"
        return f"These words stand {where} now{f', under “{one_line(state.under)}”' if state.under else ''}."
    if state.state is QuoteState.CHANGED and state.now and state.lines:
        return f"This changed; line {state.lines[0]} now reads: {set_off(one_line(state.now))}"
    return FATES.get(state.state, "")
