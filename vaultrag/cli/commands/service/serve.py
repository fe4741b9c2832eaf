"""`vaultrag serve`: start the server here, or end the one that runs."""

from __future__ import annotations

import re

from vaultrag.cli.client import server_health, stop_server
from vaultrag.cli.options import Serve
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config, require_vault
from vaultrag.errors import IndexLocked, PortTaken, ServerBusy, UsageError, VaultError
from vaultrag.store.endpoint import ANY_PORT, Endpoint, free_port, read_endpoint

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def run_server(config: Config, terminal: Terminal, serve: Serve, port: int | None, idle: str | None) -> None:
    """Serve until stopped. Raises IndexLocked when a server for this vault runs already."""
    settings = config.settings.server
    if (endpoint := _running(config)) is not None:
        raise IndexLocked(
            f"A server for this vault runs already: {endpoint.url}, process {endpoint.pid}.",
            "Use it, or end it with `vaultrag serve --stop`.",
        )

    try:
        require_vault(config)
    except VaultError as error:
        terminal.warn(f"{error.message} What is indexed is served all the same. {error.remedy}")

    def say_ready(endpoint: Endpoint) -> None:
        if terminal.json:
            terminal.print_json({"url": endpoint.url, "pid": endpoint.pid, "version": endpoint.version})
            return
        terminal.print(f"Serving {config.vault} on {endpoint.url}")
        terminal.note(
            f"Other programs need the token in {config.token_path}; the log is {config.log_path}. Ctrl-C ends it."
        )

    idle_seconds = settings.idle_minutes * 60 if idle is None else seconds(idle)
    if port is not None or "port" in settings.model_fields_set:
        serve(config, settings.port if port is None else port, idle_seconds, say_ready)
        return
    try:
        serve(config, _free_port(settings.port, terminal), idle_seconds, say_ready)
    except PortTaken:  # since we looked: a server that starts at the same moment, perhaps for this very vault
        serve(config, ANY_PORT, idle_seconds, say_ready)


def _running(config: Config) -> Endpoint | None:
    """Return where a server for this vault runs, busy as it may be."""
    try:
        found = server_health(config)
    except ServerBusy:
        return read_endpoint(config.home)
    return found[0] if found else None


def _free_port(default: int, terminal: Terminal) -> int:
    """Return the first free port from the default on."""
    free = free_port(default)
    if free != default:
        terminal.note(f"Port {default} is taken, perhaps by another vault's server; taking another.")
    return free


def end_server(config: Config, terminal: Terminal) -> None:
    """End the running server and wait until it has gone."""
    with terminal.waiting("Waiting for the server to end"):
        process = stop_server(config)
    terminal.print(
        "No server runs for this vault." if process is None else f"The server (process {process}) has ended."
    )


def seconds(text: str) -> float:
    """Read a duration as `90s`, `15m` or `2h`. Raises UsageError."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"`{text}` is not a duration.", "Write it as 90s, 15m or 2h.")
    return float(match.group(1)) * _SECONDS[match.group(2)]
