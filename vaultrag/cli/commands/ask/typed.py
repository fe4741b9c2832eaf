"""`vaultrag search` and `vaultrag ask` as they are typed: their options, and what these mean."""

from __future__ import annotations

from typing import Annotated

import typer

from vaultrag.cli.options import (
    AgreeOption,
    CascadeOption,
    ChatOption,
    ComboOption,
    DeepOption,
    HomeOption,
    JsonOption,
    LaterOption,
    MinutesOption,
    NoChatsOption,
    NoServerOption,
    StyleOption,
    TokensOption,
    VaultOption,
    WithinOption,
    checked_chat,
    checked_later,
    checked_mode,
    checked_query,
    checked_question,
    checked_scope,
    session_of,
)
from vaultrag.domain import JobBudget, Keep, Manner
from vaultrag.wire import PASSAGES_MOST


def search(  # typer reads the options from the signature
    context: typer.Context,
    query: Annotated[
        str, typer.Argument(help="Words, or a question, in Russian or English, and filters: tag:work -has:task …")
    ],
    count: Annotated[
        int | None,
        typer.Option("-k", metavar="N", min=1, max=PASSAGES_MOST, help="Passages to show.", show_default=False),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print why each passage was found.")] = False,
    no_chats: NoChatsOption = False,
    no_server: NoServerOption = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Find passages by words, links and meaning.

    Filters stand among the words: tag:work, path:Projects/ (path:/Projects/ at the root), title:boiler, link:Mayak (to
    that note), says:boiler (in any form), property:status=done or [status:done], property:rating>=4 (pages=200..300,
    read=2024-05), has:task (link, code, table, image, footnote, property), task:open (done, cancelled, any) with
    due:<2024-06 (any; scheduled, done), date:2024-05 (2024, 2024-05-01, 2024-05..2024-06, >=2024), speaker:user
    (assistant, me). A minus excludes: -tag:old. OR between two filters means either: tag:book OR path:Books/. Values
    with spaces stand in quotes: tag:"a b". Filters alone list what meets them, the latest note first. A query that
    begins with a minus comes after --.
    """
    from vaultrag.cli.backend import ServerUse
    from vaultrag.cli.commands.ask.search import Search
    from vaultrag.retrieval.filters import without_chats

    session = session_of(context)
    config = session.config(vault, home)
    k = count or config.settings.search.passages
    asked = without_chats(checked_query(query)) if no_chats else checked_query(query)
    Search(config, session.terminal, asked, k, explain, ServerUse.of(no_server)).run()


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="A question, in Russian or English.")],
    within: WithinOption = None,
    style: StyleOption = None,
    deep: DeepOption = False,
    agree: AgreeOption = False,
    cascade: CascadeOption = False,
    no_server: NoServerOption = False,
    combo: ComboOption = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the answer: `vaultrag answers list` shows it.")] = False,
    chat: ChatOption = "",
    later: LaterOption = False,
    minutes: MinutesOption = None,
    tokens: TokensOption = None,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Answer a question from the notes: first their own lines, then sentences, each with its source.

    Without a model, or with `--style quotes`, the lines are the answer. With --combo in this process, by its models.
    `vaultrag traces show` tells how an answer of --deep, --agree or --cascade was come by. With --later it is left as a
    job, which goes on behind every other question and after a restart: `vaultrag jobs`.
    """
    from vaultrag.cli.backend import ServerUse
    from vaultrag.cli.commands.ask.ask import Ask

    session = session_of(context)
    server_use = ServerUse.of(no_server or combo is not None)  # a running server keeps the models that it began with
    keep, manner = (
        Keep(save, checked_chat(chat)),
        Manner(checked_scope(within), style, checked_mode(deep, agree, cascade)),
    )
    config = session.config(vault, home, combo)
    if checked_later(later, manner.mode, combo, minutes, tokens):
        from vaultrag.cli.commands.night.later import leave_question

        own = config.settings.jobs
        budget = JobBudget(own.minutes if minutes is None else minutes, own.tokens if tokens is None else tokens)
        leave_question(config, session.terminal, checked_question(question), keep, manner, budget, server_use)
        return
    Ask(config, session.terminal, checked_question(question), server_use, keep, manner).run()
