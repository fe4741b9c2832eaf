"""`vaultrag models use`: a model is fetched, and this vault's settings name it for answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vaultrag.cli.models.download import fetch_model
from vaultrag.cli.models.recommend_pages import why_none
from vaultrag.cli.options import CommandRun, HomeOption, VaultOption, session_of
from vaultrag.cli.settings_file import name_answering_model, read_settings_file, settings_text, write_settings_file
from vaultrag.cli.terminal import Terminal, one_line, size
from vaultrag.config import CONFIG_NAME, Config, models_dir, require_vault
from vaultrag.errors import ConfigError, DiskFull, DownloadFailed
from vaultrag.store.endpoint import read_endpoint

if TYPE_CHECKING:
    from vaultrag.runtime.models.catalogue import ModelEntry
    from vaultrag.runtime.models.fetch import Word

AUTO = "auto"
ModelArgument = Annotated[
    str,
    typer.Argument(metavar="NAME|auto", help="A model of the catalogue, a GGUF file, or auto: what `recommend` names."),
]


def use_command(
    context: typer.Context, model: ModelArgument, vault: VaultOption = None, home: HomeOption = None
) -> None:
    """Let a model answer: fetch it unless it is here, then name it in the settings of this vault.

    Until it is here whole, the settings stay as they are. With auto a model that the settings name already stays, too.
    """
    session = session_of(context)
    config = session.config(vault, home)
    require_vault(config)
    if chosen := _chosen(session, config) if model == AUTO else model:
        let_answer(config, session.terminal, chosen)


def let_answer(config: Config, terminal: Terminal, name: str) -> None:
    """Fetch the model, then name it for answers. Raises DownloadFailed or DiskFull, the settings as they were."""
    from vaultrag.runtime.models.catalogue import ModelKind, find_model
    from vaultrag.runtime.models.fetch import Word

    if combination := config.settings.models.combination:
        raise ConfigError(
            f"The settings choose the combination {combination}, which names the answering model.",
            f"Take `combination` out of {config.home / CONFIG_NAME}, then run the command again.",
        )
    entry = find_model(name, ModelKind.CHAT, config.models)
    before = config.settings.roles.answer
    try:
        _fetch(terminal, entry, Word(terminal.note))
    except (DownloadFailed, DiskFull) as error:
        again = f"{before} goes on answering; `vaultrag models use {name}` tries it again."
        raise type(error)(error.message, f"{error.remedy} {again}") from error
    _name(config, terminal, str(entry.local_path or entry.name), before)


def _chosen(session: CommandRun, config: Config) -> str:
    """Return the model that is recommended; nothing, once it was said why, where another shall go on answering."""
    from vaultrag.runtime.recommend import FLOOR, find_best, note_said

    terminal = session.terminal
    named = config.settings.models.combination or config.settings.roles.answer
    if named != FLOOR:
        terminal.print(f"The settings choose {one_line(named)}; it goes on answering.")
        return ""
    with terminal.waiting("Looking at the machine and for the hub"):
        found = find_best(config.settings, config.models)
    note_said(config.models, found)
    if found.offered is None:
        terminal.print(why_none(found))
        return ""
    return found.offered.entry.name


def _fetch(terminal: Terminal, entry: ModelEntry, word: Word) -> None:
    from vaultrag.runtime.models.installed import is_present, require_model

    if entry.local_path is not None or is_present(entry, models_dir()):
        require_model(entry, models_dir())
        return
    licence = f", licence: {one_line(entry.licence)}" if entry.licence else ""
    terminal.note(f"{entry.name}: {size(entry.to_fetch)} to fetch{licence}.")
    fetch_model(terminal, entry, word)


def _name(config: Config, terminal: Terminal, name: str, before: str) -> None:
    """Write the settings, and say what they said before."""
    path = config.home / CONFIG_NAME
    text = read_settings_file(path) if path.exists() else settings_text(config.vault)
    write_settings_file(path, name_answering_model(text, name, path))
    was = "" if name == before else f" (it was {one_line(before)})"
    terminal.print(f"{one_line(name)} answers from now on, by {path}{was}.")
    if read_endpoint(config.home) is not None:
        terminal.note("A server that runs keeps its model until it is started anew: vaultrag serve --stop")
