"""`vaultrag chat` as it is typed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from vaultrag.cli.options import (
    ComboOption,
    HomeOption,
    NoServerOption,
    VaultOption,
    WithinOption,
    checked_chat,
    checked_scope,
    session_of,
)
from vaultrag.domain import Keep, Manner

PrivateOption = Annotated[bool, typer.Option("--private", help="Keep nothing of this conversation.")]


def chat(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A chat to begin or to go on with. Default: one named by the time.")
    ] = "",
    private: PrivateOption = False,
    within: WithinOption = None,
    no_server: NoServerOption = False,
    combo: ComboOption = None,
    vault: VaultOption = None,
    home: HomeOption = None,
) -> None:
    """Ask one question after another: each may lean on the one before («а когда это было?», "and who was it?").

    /deep, /sources, /open N, /save, /in PLACE, /new and /help are commands. Tab completes names of notes after [[.
    Lines out of a pipe are taken one after the other; the exit code is that of the last one that failed.
    """
    from vaultrag.cli.backend import ServerUse
    from vaultrag.cli.commands.ask.chat_run import ChatRun, usual_name

    session = session_of(context)
    server_use = ServerUse.of(no_server or combo is not None)  # a running server keeps the models that it began with
    keep = (
        Keep() if private else Keep(saved=True, chat=checked_chat(name) or usual_name(datetime.now(UTC).astimezone()))
    )
    config, manner = session.config(vault, home, combo), Manner(checked_scope(within))
    ChatRun(config, session.terminal, server_use, keep, manner).run()
