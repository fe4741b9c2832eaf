"""`vaultrag chat`: a conversation at the prompt. Ctrl-C stops an answer, Ctrl-D the program."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import typer
from rich.text import Text

from vaultrag import wire
from vaultrag.cli import render
from vaultrag.cli.backend import BUSY, Backend, ServerUse, announce_start, find_backend, open_backend
from vaultrag.cli.commands.ask.ask import Ask
from vaultrag.cli.commands.ask.line_editor import VaultNames, typed_lines
from vaultrag.cli.obsidian import obsidian_link
from vaultrag.cli.options import checked_question
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import USUAL, Answer, AnswerStatus, Exchange, Keep, Manner, Mode
from vaultrag.errors import ServerError, UsageError, VaultragError
from vaultrag.retrieval.filters import scope_of

EXCHANGES_KEPT = 8  # of this run, for follow-ups; the chat itself keeps them all
COMMANDS = {
    "/deep [QUESTION]": "answer a question, or the last one again, in several searches: slower and more thorough",
    "/sources": "the places that the last answer stands on",
    "/open N": "open source N in Obsidian",
    "/save [TITLE]": "write the last answer as a note into the folder that `reports.folder` names",
    "/in [PLACE]": "ask a folder, note or #tag only; without one the whole vault again",
    "/new": "begin anew: the next question leans on nothing said before",
    "/help": "this list",
    "/quit": "end; so does Ctrl-D",
}


@dataclass(slots=True)
class ChatRun:
    """One run of `vaultrag chat`. `keep` names the chat that the exchanges are kept in, if they are."""

    config: Config
    terminal: Terminal
    server_use: ServerUse
    keep: Keep
    manner: Manner = USUAL
    last: wire.Answer | None = None
    _backend: Backend | None = None
    _earlier: list[Exchange] = field(default_factory=list)
    _is_anew: bool = False  # what the chat keeps of before is not leant on any more
    _failed: int = 0  # the exit code of what failed last

    def run(self) -> None:
        """Answer line after line until the last. Raises Exit where the lines came from a pipe and some failed."""
        self._greet()
        names = VaultNames.of(self.config)
        try:
            for line in typed_lines(names, COMMANDS):
                self._take(line.strip())
        except EOFError:
            pass
        finally:
            self._let_go()
        if self._failed and not sys.stdin.isatty():
            raise typer.Exit(self._failed)

    def _greet(self) -> None:
        if not sys.stdin.isatty():
            return
        kept = f"Kept as “{self.keep.chat}” (`vaultrag chats show`)." if self.keep.chat else "Nothing is kept."
        self.terminal.note(f"{kept} /help lists the commands; Ctrl-C stops an answer, Ctrl-D ends.")

    def _take(self, line: str) -> None:
        """Do what a line says; what fails is told, and the conversation goes on."""
        if not line:
            return
        try:
            if line.startswith("/"):
                self._command(line)
            else:
                self._ask(checked_question(line))
        except VaultragError as error:
            self.terminal.fail(error)
            self._failed = error.exit_code
            if isinstance(error, ServerError):
                self._let_go()  # the next question finds or starts another one
        except KeyboardInterrupt:
            self.terminal.note("Stopped.")

    def _ask(self, question: str, mode: Mode = Mode.QUICK) -> None:
        said = tuple(self._earlier[-EXCHANGES_KEPT:]) if self._earlier or self._is_anew else None
        manner = replace(self.manner, mode=mode, earlier=said)
        asking = Ask(self.config, self.terminal, question, self.server_use, self.keep, manner)
        answer = asking.ask(self._opened())
        self._earlier.append(Exchange(question, answer.text, _notes_of(answer)))
        self.last = answer

    def _opened(self) -> Backend:
        """Return the server, or the vault opened here: one and the same until it is lost."""
        if self._backend is None:
            found = find_backend(self.config, self.server_use, lambda: self.terminal.note(f"{BUSY} …"))
            if found is None:
                announce_start(self.config, self.terminal, self.server_use)
            self._backend = found or open_backend(self.config, self.server_use)
        return self._backend

    def _command(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        known: dict[str, Callable[[str], None]] = {
            "/deep": self._ask_deep,
            "/sources": lambda _: self._print_sources(),
            "/open": self._open,
            "/save": self._save,
            "/in": self._limit,
            "/new": lambda _: self._begin_anew(),
            "/help": lambda _: self._print_help(),
            "/quit": _end,
            "/exit": _end,
        }
        if name not in known:
            raise UsageError(f"`{name}` is no command here.", "/help lists them; a question begins without a stroke.")
        known[name](rest.strip())

    def _ask_deep(self, question: str) -> None:
        if question:
            self._ask(checked_question(question), Mode.DEEP)
            return
        again = self._answered().question
        if self._earlier:
            self._earlier.pop()  # what was asked leans on what was said before it, not on its own answer
        self._ask(again, Mode.DEEP)

    def _print_sources(self) -> None:
        answer = self._answered()
        if not answer.citations:
            self.terminal.note("The last answer stands on no place in the notes.")
        elif self.terminal.live:
            self.terminal.print(*render.source_list(answer.citations, self.config.vault.name))
        else:
            self.terminal.print(*render.source_lines(answer.citations, self.config.vault.name))

    def _open(self, number: str) -> None:
        found = [one for one in self._answered().citations if str(one.number) == number.strip("[]")]
        if not found:
            raise UsageError(f"The last answer has no source {number or '…'}.", "/sources lists them.")
        link = obsidian_link(self.config.vault.name, found[0].path, found[0].heading, found[0].block)
        if typer.launch(link):
            self.terminal.warn("Nothing here opens links; this is the one:")
        self.terminal.print(Text(link))

    def _save(self, title: str) -> None:
        from vaultrag.records.reports import save_as_note  # brings the store

        path = save_as_note(self.config, _noun(self._answered()), title)
        self.terminal.note(f"Saved: {path}")

    def _limit(self, place: str) -> None:
        self.manner = replace(self.manner, scope=scope_of(place) if place else "")
        self.terminal.note(f"Only {place} is asked from now on." if place else "The whole vault is asked again.")

    def _begin_anew(self) -> None:
        self._earlier.clear()
        self._is_anew = True
        self.terminal.note("The next question leans on nothing said before.")

    def _print_help(self) -> None:
        width = max(map(len, COMMANDS))
        for name, what in COMMANDS.items():
            self.terminal.print(Text.assemble((f"{name:<{width}}  ", "bold"), what))

    def _answered(self) -> wire.Answer:
        if self.last is None:
            raise UsageError("Nothing has been answered yet.", "Ask a question first.")
        return self.last

    def _let_go(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None


def _noun(answer: wire.Answer) -> Answer:
    """Return of an answer what a note is made of."""
    citations = tuple(citation.noun() for citation in answer.citations)
    return Answer(answer.question, AnswerStatus(answer.status), answer.text, (), citations, (), answer.model, {}, {})


def _notes_of(answer: wire.Answer) -> tuple[str, ...]:
    """Return the notes whose words an answer's text may hold."""
    listed = answer.listing.citations if answer.listing else []
    return tuple(dict.fromkeys(one.path for one in (*answer.citations, *answer.quotes, *listed)))


def usual_name(now: datetime) -> str:
    """Return the name that a chat is kept under when none is given: when it began."""
    return now.strftime("%Y-%m-%d %H:%M:%S")


def _end(_: str) -> None:
    raise EOFError
