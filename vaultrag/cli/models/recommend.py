"""`vaultrag models recommend`: the best general model that this machine could answer with, offered and never forced."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from vaultrag.cli.models.recommend_pages import recommendation_lines, shown
from vaultrag.cli.models.use import let_answer
from vaultrag.cli.options import HomeOption, JsonOption, VaultOption, session_of
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config, models_dir
from vaultrag.errors import ConfigError, ModelError, VaultError

if TYPE_CHECKING:
    from vaultrag.runtime.recommend import Recommendation


def recommend_command(
    context: typer.Context, vault: VaultOption = None, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Name the best general model that this machine could answer with: size, time to fetch, speed; fetch it on a yes.

    Bearable: 1,200 tokens are read before the first word (30 s, or `answering.first_token_seconds`), and 8 are written
    a second, as people read. Memory, measured speed and free disk count; the hub is asked whether it has the model.
    """
    from vaultrag.runtime.recommend import find_best, note_said

    session = session_of(context)
    settings = session.settings(vault, home)
    try:
        config: Config | None = session.config(vault, home)
    except VaultError:
        config = None  # there is advice without a vault, but nothing to write it into
    with session.terminal.waiting("Looking at the machine and for the hub"):
        found = find_best(settings, models_dir())
    if json:
        session.terminal.print_json(shown(found))
        return
    session.terminal.print(*recommendation_lines(found))
    note_said(models_dir(), found)
    if config is not None:
        offer(config, session.terminal, found)


def advise(config: Config, terminal: Terminal) -> None:
    """Name the best model by what is known without asking the hub, and fetch it on a yes.

    Nothing is said where llama.cpp is not there to be asked.
    """
    from vaultrag.runtime.recommend import note_said, recommend

    try:
        with terminal.waiting("Looking at the machine"):
            found = recommend(config.settings, config.models)
    except (ModelError, ConfigError):
        return
    terminal.print(*recommendation_lines(found))
    note_said(config.models, found)
    offer(config, terminal, found)


def hint(config: Config, terminal: Terminal, answered: str) -> None:
    """Below an answer of the floor model say once on this machine that a better one would fit, if one would."""
    from vaultrag.runtime.recommend import FLOOR, is_hint_due, note_said, recommend

    if answered != FLOOR or not is_hint_due(config.models):
        return
    try:
        found = recommend(config.settings, config.models)
    except (ModelError, ConfigError):
        return
    note_said(config.models, found)
    offered = found.offered
    if offered is not None:
        terminal.note(
            f"A better model would fit this machine: {offered.entry.name},"
            f" about {offered.decode:.0f} tokens/s. See: vaultrag models recommend"
        )


def offer(config: Config, terminal: Terminal, found: Recommendation) -> None:
    """Ask whoever sits at the terminal whether the model shall answer, and see to it on a yes."""
    if found.offered is None or not terminal.live or not sys.stdin.isatty():
        return
    what = "Let it answer from now on?" if found.offered.is_here else "Fetch it now, and let it answer from now on?"
    if typer.confirm(what):
        let_answer(config, terminal, found.offered.entry.name)
