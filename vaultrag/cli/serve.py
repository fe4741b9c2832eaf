"""`vaultrag serve`: start the server here, or end the one that runs."""

from __future__ import annotations

import re
from contextlib import closing

from vaultrag.cli.client import find_server, server_health
from vaultrag.cli.options import Serve
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.endpoint import Endpoint
from vaultrag.errors import IndexLocked, UsageError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def run_server(config: Config, terminal: Terminal, serve: Serve, port: int | None, idle: str | None) -> None:
    """Serve until stopped. Raises IndexLocked when a server for this vault runs already."""
    settings = config.settings.server
    running = server_health(config)
    if running is not None:
        endpoint, _ = running
        raise IndexLocked(
            f"A server for this vault runs already: {endpoint.url}, process {endpoint.pid}.",
            "Use it, or end it with `vaultrag serve --stop`.",
        )

    def say_ready(endpoint: Endpoint) -> None:
        terminal.print(f"Serving {config.vault} on {endpoint.url}")
        terminal.note(f"The bearer token is in {config.token_path}, the log in {config.log_path}. Ctrl-C ends it.")

    serve(
        config,
        settings.port if port is None else port,
        settings.idle_minutes * 60 if idle is None else seconds(idle),
        say_ready,
    )


def stop_server(config: Config, terminal: Terminal) -> None:
    """End the running server and wait until it has gone."""
    server = find_server(config)
    if server is None:
        terminal.print("No server runs for this vault.")
        return
    with closing(server), terminal.waiting("Waiting for the server to end"):
        server.stop()
    terminal.print(f"The server (process {server.endpoint.pid}) has ended.")


def seconds(text: str) -> float:
    """Read a duration as `90s`, `15m` or `2h`. Raises UsageError."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"`{text}` is not a duration.", "Write it as 90s, 15m or 2h.")
    return float(match.group(1)) * _SECONDS[match.group(2)]
