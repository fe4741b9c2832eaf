"""What commands share: the session that they run in, and the options that many of them take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from vaultrag.cli.terminal import Terminal
from vaultrag.config import CONFIG_NAME, Config, Settings, load_config, read_settings
from vaultrag.domain import AnswerStyle, Mode, encodable
from vaultrag.errors import UsageError, VaultError
from vaultrag.store.endpoint import Endpoint
from vaultrag.wire import CHAT_NAME_LENGTH, QUESTION_LENGTH

EPILOG = (
    "Exit codes: 0 done · 1 unexpected error · 2 the command makes no sense · 3 settings · "
    "4 vault missing or unreadable · 5 index unreadable · 6 index in use · 7 index from a newer version · "
    "8 index damaged · 9 nothing indexed · 10 disk full · 11 model failed · 12 model not here · 13 model too large · "
    "14 no answer generated · 15 model crashed · 16 download failed · 17 server failed · 18 port taken · "
    "19 token unreadable · 20 model server failed · 21 exported file unusable · 22 server busy · "
    "23 note not written · 24 job stopped · 25 not scheduled · "
    "26 night not begun · 130 interrupted."
)

Serve: TypeAlias = Callable[[Config, int, float, Callable[[Endpoint], None]], None]


@dataclass(slots=True)
class CommandRun:
    """One run of the program: its terminal, its server, and what was said before the command's name."""

    serve: Serve
    terminal: Terminal = field(default_factory=Terminal)
    vault: Path | None = None
    home: Path | None = None

    def config(self, vault: Path | None, home: Path | None, combination: str | None = None) -> Config:
        """Read the settings of the vault that was named last, or that lies around this folder."""
        config = load_config(vault or self.vault, home or self.home)
        return config if combination is None else _combined(config, combination)

    def settings(self, vault: Path | None, home: Path | None) -> Settings:
        """Read the settings, where no vault is needed."""
        home = home or self.home
        try:
            return self.config(vault, home).settings
        except VaultError:
            return read_settings(home / CONFIG_NAME) if home else Settings()


def session_of(context: typer.Context) -> CommandRun:
    session = context.obj
    assert isinstance(session, CommandRun)
    return session


def _combined(config: Config, combination: str) -> Config:
    """Choose a combination. Raises ConfigError when it is not known."""
    from vaultrag.runtime.models.combinations import find_combination

    find_combination(combination, config.models)
    return config.with_combination(combination)


def checked_query(text: str) -> str:
    """Return words that can be searched for. Raises UsageError."""
    if not text.strip():
        raise UsageError("There is nothing to look for.", 'Put words in quotes: vaultrag search "garden gate".')
    return _of_usual_length(text)


def checked_question(text: str) -> str:
    """Return a question that can be answered. Raises UsageError."""
    if not text.strip():
        raise UsageError(
            "There is no question.", 'Put it in quotes: vaultrag ask "What did we decide about the router?"'
        )
    return _of_usual_length(text)


def _of_usual_length(text: str) -> str:
    if len(text) > QUESTION_LENGTH:
        raise UsageError(f"The question is longer than {QUESTION_LENGTH:,} characters.", "Ask a shorter one.")
    return encodable(text)  # the shell may hand over bytes that are no text


def checked_chat(name: str) -> str:
    """Return a chat's name as it is kept. Raises UsageError."""
    if len(name) > CHAT_NAME_LENGTH:
        raise UsageError(f"The chat's name is longer than {CHAT_NAME_LENGTH} characters.", "Give it a shorter one.")
    return encodable(name.strip())


def checked_mode(deep: bool, agree: bool, cascade: bool) -> Mode:
    """Return the way to an answer; at most one may be named. Raises UsageError."""
    named = [mode for mode, wanted in ((Mode.DEEP, deep), (Mode.AGREE, agree), (Mode.CASCADE, cascade)) if wanted]
    if len(named) > 1:
        raise UsageError(f"--{named[0]} and --{named[1]} are two ways to an answer.", "Name one of them.")
    return named[0] if named else Mode.QUICK


def checked_later(later: bool, mode: Mode, combo: str | None, minutes: float | None, tokens: int | None) -> bool:
    """Return whether a question is left for later. Raises UsageError for what cannot be, or would not count."""
    if not later and (minutes is not None or tokens is not None):
        raise UsageError("--minutes and --tokens bound a job.", "Say --later, too.")
    if later and mode is Mode.QUICK:
        raise UsageError("A quick answer comes at once.", "With --later say --deep, --agree or --cascade.")
    if later and combo is not None:
        raise UsageError("A job is done by the models of the settings.", "Name them by `models.combination` instead.")
    return later


def checked_scope(places: Sequence[str] | None) -> str:
    """Return the filters for places as they were named. Raises UsageError."""
    from vaultrag.retrieval.filters import parse_scope, scope_of

    scope = " ".join(scope_of(encodable(place)) for place in places or ())
    parse_scope(scope)
    return scope


def _note_json(context: typer.Context, value: bool) -> bool:
    session_of(context).terminal.json = value
    return value


VaultOption = Annotated[
    Path | None,
    typer.Option(
        "--vault",
        metavar="DIR",
        help="The vault. Default: the one around this folder.",
        show_default=False,
        readable=False,  # not for click to judge: it is an error with a code and a remedy of its own
    ),
]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Where index and settings lie. Default: one for each vault.",
        show_default=False,
        readable=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; errors too.", callback=_note_json, is_eager=True)
]
ComboOption = Annotated[
    str | None,
    typer.Option("--combo", metavar="NAME", help="A combination of models: `models combos`.", show_default=False),
]
NoServerOption = Annotated[
    bool, typer.Option("--no-server", help="Work in this process; neither use nor start a server.")
]
NoteArgument = Annotated[
    str, typer.Argument(metavar="NOTE", help="A note: its path, its name, or the end of its path.", show_default=False)
]
WithinOption = Annotated[
    list[str] | None,
    typer.Option(
        "--in", metavar="PLACE", help="Ask only a folder, note or `#tag`; repeated, what is in all.", show_default=False
    ),
]
NoChatsOption = Annotated[
    bool, typer.Option("--no-chats", help="Leave chats with an AI out, as the filter speaker:me does.")
]
StyleOption = Annotated[
    AnswerStyle | None,
    typer.Option(
        "--style", help="Who speaks: the model, or the notes' own lines. Else `answering.style`.", show_default=False
    ),
]
DeepOption = Annotated[
    bool,
    typer.Option("--deep", help="Take steps: parts, links, drafts, checks, within answering.deep_tokens and _seconds."),
]
AgreeOption = Annotated[
    bool, typer.Option("--agree", help="Ask two models (`answer`; `final` or `judge`), and compare.")
]
CascadeOption = Annotated[
    bool, typer.Option("--cascade", help="Ask the model of the role `final` where the answer fails its checks.")
]
LaterOption = Annotated[
    bool,
    typer.Option("--later", help="Leave it as a job, with --deep, --agree or --cascade: the answer is kept."),
]
MinutesOption = Annotated[
    float | None,
    typer.Option("--minutes", min=0, help="Work that the job may take. Else `jobs.minutes`.", show_default=False),
]
TokensOption = Annotated[
    int | None,
    typer.Option("--tokens", min=0, help="Tokens that the job may take. Else `jobs.tokens`.", show_default=False),
]
ChatOption = Annotated[
    str,
    typer.Option(
        "--chat", metavar="NAME", help="Keep the answer in the conversation of this name.", show_default=False
    ),
]
