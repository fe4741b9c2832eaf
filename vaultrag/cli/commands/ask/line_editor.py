"""The line that a person types in `vaultrag chat`: history of this run, completion of commands and names of notes.

Where stdin is no terminal, its lines are taken as they come.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaultrag.config import Config
from vaultrag.errors import VaultragError
from vaultrag.text.language import fold
from vaultrag.text.steering import one_line

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document

SIGN = "› "
MOST_OFFERED = 50


@dataclass(frozen=True, slots=True)
class VaultNames:
    """What can be completed: the names of notes, and the places that a question can be limited to."""

    notes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config) -> VaultNames:
        """Read the index; where it cannot be read nothing is completed, and the question itself says why."""
        from vaultrag.store.database import Access
        from vaultrag.store.notes.catalog import Catalog
        from vaultrag.store.opening import open_database

        with suppress(VaultragError), open_database(config.database_path, Access.READ) as database:
            catalog = Catalog(database)
            paths = list(catalog.stored_files())
            folders = {f"{folder}/" for path in paths for folder in _folders(path)}
            tags = (f"#{tag}" for tag in catalog.tags())
            names = {path.rpartition("/")[2].removesuffix(".md") for path in paths}
            return cls(tuple(sorted(names)), (*sorted(folders), *sorted(tags)))
        return cls()

    def completions(self, before: str, commands: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield what may stand at the cursor, and how many characters before it that replaces."""
        if before.startswith("/in "):
            yield from _beginning_with(before[4:], self.places)
        elif before.startswith("/"):
            yield from _beginning_with(before, (command.split()[0] for command in commands))
        elif "[[" in before and "]]" not in before.rpartition("[[")[2]:
            yield from _holding(before.rpartition("[[")[2], self.notes)
        else:
            word = before.rpartition(" ")[2]
            if len(word) > 1:
                yield from _beginning_with(word, self.notes)


def typed_lines(names: VaultNames, commands: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines that are typed, until their end. Ctrl-C empties a line."""
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    session = _session(lambda before: names.completions(before, commands))
    while True:
        try:
            yield session.prompt(SIGN)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _session(complete: Callable[[str], Iterator[tuple[str, int]]]) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.history import InMemoryHistory  # questions are kept with the chat, nowhere else

    class Names(Completer):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
            del complete_event
            for text, replaced in complete(document.text_before_cursor):
                yield Completion(text, start_position=-replaced)

    return PromptSession(history=InMemoryHistory(), completer=Names(), complete_while_typing=False)


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        yield "/".join(parts[:depth])


def _beginning_with(typed: str, names: Iterable[str]) -> Iterator[tuple[str, int]]:
    wanted = fold(typed)
    found = (name for name in names if fold(name).startswith(wanted))
    for name, _ in zip(found, range(MOST_OFFERED), strict=False):
        yield one_line(name), len(typed)


def _holding(typed: str, names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield the names that hold what was typed, those that begin with it first, closed as a wikilink."""
    wanted = fold(typed)
    found = sorted((name for name in names if wanted in fold(name)), key=lambda name: not fold(name).startswith(wanted))
    for name in found[:MOST_OFFERED]:
        yield f"{one_line(name)}]]", len(typed)
