"""Who does a command's work: the running server, one started for it, or this process."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from vaultrag import wire
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import Keep, Manner, Role
from vaultrag.errors import IndexLocked
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.combinations import role_map
from vaultrag.runtime.models.installed import is_present

if TYPE_CHECKING:
    from vaultrag.cli.client import Client
    from vaultrag.cli.local import Local


BUSY = "The server is busy with something else: waiting for it"


class ServerUse(StrEnum):
    """AUTO uses the running server, and starts one where the settings allow; NONE works in this process."""

    AUTO = "auto"
    NONE = "none"

    @classmethod
    def of(cls, no_server: bool) -> ServerUse:
        return cls.NONE if no_server else cls.AUTO


class Backend(Protocol):
    """What `Client` and `Local` have in common."""

    def search(self, query: str, k: int, reach: str) -> wire.SearchResult: ...

    def ask(self, question: str, keep: Keep, manner: Manner) -> wire.Events: ...

    def close(self) -> None: ...


def find_backend(config: Config, use: ServerUse, on_busy: Callable[[], None]) -> Backend | None:
    """Return the running server, if there is one and it may be used; `on_busy` as for `find_server`."""
    if use is ServerUse.NONE:
        return None
    from vaultrag.cli.client import find_server  # httpx costs a tenth of a second

    return find_server(config, on_busy)


def announce_start(config: Config, terminal: Terminal, use: ServerUse) -> None:
    """Say that `open_backend` will start a server, if it will."""
    if not may_start_server(config, use):
        return
    idle = f"{config.settings.server.autostart_idle_minutes:g}"
    terminal.note(f"Starting a server in the background for the next questions (it ends after {idle} idle minutes).")


def open_backend(config: Config, use: ServerUse) -> Backend:
    """Start a server in the background where that helps, else open the vault in this process."""
    if not may_start_server(config, use):
        return open_quick(config)
    from vaultrag.cli.launch import start_server

    try:
        return start_server(config)
    except IndexLocked:
        return open_quick(config)  # another command writes the index just now; reading it is allowed


def open_quick(config: Config) -> Local:
    """Open the vault in this process, to read. Raises IndexMissing before the first index run."""
    from vaultrag.cli.local import open_for_reading  # brings the workspace, and numpy with it

    return open_for_reading(config)


def open_writer(config: Config) -> Client | Local:
    """Return the running server, or open the vault as its owner. Raises IndexLocked while another process owns it."""
    from vaultrag.cli.client import find_server  # httpx costs a tenth of a second

    server = find_server(config)
    if server is not None:
        return server
    from vaultrag.cli.local import open_as_owner  # brings the workspace, and numpy with it

    return open_as_owner(config)


def may_start_server(config: Config, use: ServerUse) -> bool:
    """Tell whether a server may be started for a command: the settings allow it, and the embedder is here."""
    return use is ServerUse.AUTO and config.settings.server.autostart and _embedder_is_here(config)


def _embedder_is_here(config: Config) -> bool:
    name = role_map(config.settings, config.models).model_of(Role.EMBED)
    return is_present(find_model(name, ModelKind.EMBED, config.models), config.models)
