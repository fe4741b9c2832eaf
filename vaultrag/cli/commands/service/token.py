"""`vaultrag token`: what another program sends to be let in. Our own commands have a secret of each server's own."""

from __future__ import annotations

from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.store.endpoint import ensure_token, rotate_token


def print_token(config: Config, terminal: Terminal) -> None:
    """Print the token, made where there is none."""
    _print(config, terminal, ensure_token(config.token_path))


def replace_token(config: Config, terminal: Terminal) -> None:
    """Print a new token; a running server refuses the old one from now on."""
    _print(config, terminal, rotate_token(config.token_path))
    terminal.note("The old token opens nothing any more. Give the new one to each program that had it.")


def _print(config: Config, terminal: Terminal, token: str) -> None:
    if terminal.json:
        terminal.print_json({"token": token, "file": str(config.token_path)})
    else:
        terminal.print(token)
