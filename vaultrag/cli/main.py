"""The command line: what can be typed, and what becomes of errors. Each command's work lies in its own module."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vaultrag import __version__
from vaultrag.cli.commands.ask import typed
from vaultrag.cli.commands.ask.chat import chat
from vaultrag.cli.commands.ask.history import history
from vaultrag.cli.commands.contradictions.command import contradictions_app
from vaultrag.cli.commands.night.analyse import analyse
from vaultrag.cli.commands.night.command import nightly
from vaultrag.cli.commands.night.jobs import jobs_app
from vaultrag.cli.commands.records.answers import answers_app, chats_app
from vaultrag.cli.commands.records.traces import traces_app
from vaultrag.cli.commands.vault.bench import bench_command
from vaultrag.cli.commands.vault.graph import graph_app
from vaultrag.cli.models.models import models_app
from vaultrag.cli.options import (
    EPILOG,
    ComboOption,
    CommandRun,
    HomeOption,
    JsonOption,
    Serve,
    VaultOption,
    session_of,
)
from vaultrag.cli.terminal import HarmlessStream, accept_any_text
from vaultrag.errors import DiskFull, UsageError, VaultragError, is_disk_full

INTERRUPTED = 130  # 128 + SIGINT, as shells count
TRACEBACK_VARIABLE = "VAULTRAG_TRACEBACK"


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"vaultrag {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="vaultrag",
    help="Ask your Obsidian vault, in Russian and English. Answers cite the exact place; nothing leaves this machine.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog='Example:  vaultrag chat "Бойлер" --in Дом/')(chat)
app.add_typer(graph_app)
app.command("bench", epilog="Example:  vaultrag bench --quick")(bench_command)
app.command(epilog='Example:  vaultrag analyse "Маяк" --as "системный архитектор"')(analyse)
app.add_typer(models_app, name="models")
app.add_typer(answers_app, name="answers")
app.add_typer(chats_app, name="chats")
app.add_typer(traces_app, name="traces")
app.add_typer(contradictions_app, name="contradictions")
app.add_typer(jobs_app, name="jobs")
app.command(epilog="Example:  vaultrag nightly --install --at 02:00")(nightly)


@app.callback()
def program(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    session = session_of(context)
    session.vault, session.home = vault, home


@app.command(epilog="Example:  vaultrag init ~/Notes")
def init(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The vault.", show_default=False, readable=False)
    ] = None,
    vault: VaultOption = None,
    home: HomeOption = None,
) -> None:
    """Write a settings file for a vault, every setting explained. Not needed: defaults work without it."""
    from vaultrag.cli.commands.vault.init import write_settings

    session = session_of(context)
    write_settings(session.config(folder or vault, home), session.terminal)


@app.command(epilog="Example:  vaultrag index --vault ~/Notes")
def index(
    context: typer.Context,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Go on even if a large part of the vault is gone.")
    ] = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Read what changed in the vault and embed it. Can be stopped and run again at any point."""
    from vaultrag.cli.commands.vault.index import bring_up_to_date

    session = session_of(context)
    bring_up_to_date(session.config(vault, home), session.terminal, "accept" if accept_deletions else "guard")


@app.command(epilog="Example:  vaultrag watch --vault ~/Notes")
def watch(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep the index up to the vault until Ctrl-C: a saved note is found within a second. `serve` does it, too."""
    from vaultrag.cli.commands.vault.watch import follow_vault

    session = session_of(context)
    follow_vault(session.config(vault, home), session.terminal)


app.command(epilog='Example:  vaultrag search "пароль от роутера" -k 5 --explain')(typed.search)
app.command(epilog='Example:  vaultrag ask "Когда я менял картридж в бойлере?"')(typed.ask)
app.command(epilog='Example:  vaultrag history "бюджет ремонта" --as-of 2025-03')(history)


@app.command("export", epilog="Example:  vaultrag export ~/vaultrag-backup.jsonl.gz")
def export_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, outside the vault.", readable=False)],
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write what cannot be rebuilt into one file: saved answers, chats, verdicts, jobs, exclusions, settings."""
    from vaultrag.cli.commands.records.export import export_to

    session = session_of(context)
    export_to(session.config(vault, home), session.terminal, file)


@app.command("import", epilog="Example:  vaultrag import ~/vaultrag-backup.jsonl.gz --dry-run")
def import_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `vaultrag export` wrote.", readable=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    accept_remote: Annotated[
        str, typer.Option("--accept-remote", metavar="URL", help="Take over settings that send notes to this server.")
    ] = "",
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Merge an exported file: the later state of each record counts, and doing it again changes nothing.

    Settings come along where the home has none. Those that would send notes to a model server are asked for first.
    """
    from vaultrag.cli.commands.records.export import import_from

    session = session_of(context)
    import_from(session.config(vault, home), session.terminal, file, dry_run, accept_remote)


@app.command(epilog='Example:  vaultrag forget "Private/Diary/"')
def forget(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A note, or a folder with all that is in it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Let it back in: the next index run reads it.")] = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Remove every trace of a note or folder from the index and from all that was kept, and leave it out from now on.

    Saved answers and chats for which it was read go with it. The vault is not touched, nor are links in other notes.
    A note that is renamed afterwards is another note.
    """
    from vaultrag.cli.commands.records.forget import forget_path, let_back_in

    session = session_of(context)
    config = session.config(vault, home)
    if undo:
        let_back_in(config, session.terminal, path)
    else:
        forget_path(config, session.terminal, path, yes)


@app.command(epilog="Example:  vaultrag status --json")
def status(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say what is indexed, and whether a server runs."""
    from vaultrag.cli.commands.vault.status import print_status

    session = session_of(context)
    print_status(session.config(vault, home), session.terminal)


@app.command(epilog="Example:  vaultrag check --deep")
def check(
    context: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every note again and compare; verify every checksum.")
    ] = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Verify the index: everything that must hold, and what to do where it does not."""
    from vaultrag.cli.commands.vault.check import check_deep, check_index

    session = session_of(context)
    examine = check_deep if deep else check_index
    raise typer.Exit(examine(session.config(vault, home), session.terminal))


@app.command(epilog="Example:  vaultrag repair --json")
def repair(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make anew whatever is damaged: the index from the notes, verdicts and saved answers from the journal.

    A running server is ended first. Damaged files are kept until a repair finds nothing to do. Can be run any time.
    """
    from vaultrag.cli.commands.vault.check import repair_index

    session = session_of(context)
    raise typer.Exit(repair_index(session.config(vault, home), session.terminal))


@app.command(epilog="Example:  vaultrag doctor")
def doctor(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Look at everything VaultRAG needs: what, why it matters, and the remedy."""
    from vaultrag.cli.commands.vault.check import examine_machine

    session = session_of(context)
    raise typer.Exit(examine_machine(session.config(vault, home), session.terminal))


@app.command(epilog="Example:  vaultrag serve --idle 2h")
def serve(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="0 takes any free one.", show_default=False)
    ] = None,
    idle: Annotated[
        str | None,
        typer.Option("--idle", metavar="TIME", help="End when so long idle: 90s, 15m, 2h.", show_default=False),
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the running server.")] = False,
    combo: ComboOption = None,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep index and models ready on 127.0.0.1, for Obsidian and for quick commands."""
    from vaultrag.cli.commands.service.serve import end_server, run_server

    session = session_of(context)
    config = session.config(vault, home, combo)
    if stop:
        end_server(config, session.terminal)
    else:
        run_server(config, session.terminal, session.serve, port, idle)


@app.command(epilog="Example:  vaultrag token --rotate")
def token(
    context: typer.Context,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new one; the old one opens nothing any more.")
    ] = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Print the bearer token that lets another program in. It stays the same until it is rotated."""
    from vaultrag.cli.commands.service.token import print_token, replace_token

    session = session_of(context)
    work = replace_token if rotate else print_token
    work(session.config(vault, home), session.terminal)


def main(arguments: Sequence[str], serve: Serve) -> int:
    """Run one command; return the exit code. What it writes to stderr past the console steers no terminal."""
    accept_any_text()
    session = CommandRun(serve)
    with contextlib.redirect_stderr(HarmlessStream(sys.stderr)):
        return _run(session, arguments)


def _run(session: CommandRun, arguments: Sequence[str]) -> int:
    try:
        code = typer.main.get_command(app).main(
            args=list(arguments), prog_name="vaultrag", standalone_mode=False, obj=session
        )
    except VaultragError as error:
        session.terminal.fail(error)
        return error.exit_code
    except typer.TyperException as error:
        message = error.format_message()
        if not message:
            return UsageError.exit_code  # there was no command, and the help has been printed
        command = getattr(getattr(error, "ctx", None), "command_path", "vaultrag")
        session.terminal.fail(UsageError(message, f"See: {command} --help"))
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the outermost loop of a command
        return _report_unknown(session, error)
    return code if isinstance(code, int) else 0


def _report_unknown(session: CommandRun, error: Exception) -> int:
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exception(error)
    if isinstance(error, OSError) and is_disk_full(error):
        full = DiskFull("There is no space left for what the command writes.", "Free some space, then run it again.")
        session.terminal.fail(full)
        return full.exit_code
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    session.terminal.fail(
        VaultragError(
            f"VaultRAG met an error that it does not know: {type(error).__name__} at {place}.",
            f"Please report it; with {TRACEBACK_VARIABLE}=1 the command prints where it came from.",
        )
    )
    return VaultragError.exit_code
