"""`vaultrag models`: what is known, what is here, how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict
from rich.text import Text

from vaultrag.cli.models.bench import bench_command
from vaultrag.cli.models.download import fetch_model
from vaultrag.cli.models.plan import plan_command
from vaultrag.cli.models.recommend import recommend_command
from vaultrag.cli.models.use import use_command
from vaultrag.cli.options import HomeOption, JsonOption, VaultOption, session_of
from vaultrag.cli.terminal import Indented, one_line, size
from vaultrag.config import Settings, models_dir
from vaultrag.domain import Finding
from vaultrag.errors import ModelError

if TYPE_CHECKING:
    from vaultrag.runtime.models.catalogue import ModelEntry

models_app = typer.Typer(
    help="The models: one folder on this machine, shared by all vaults. Nothing is fetched but on your word.",
    no_args_is_help=True,
)
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Default: those that the settings name.", show_default=False),
]

models_app.command("bench", epilog="Example:  vaultrag models bench qwen2.5-coder-1.5b-instruct")(bench_command)
models_app.command(
    "plan",
    epilog="Example:  vaultrag models plan qwen3-32b --vram 24GB --ram 64GB --bandwidth 70",
)(plan_command)
models_app.command("recommend", epilog="Example:  vaultrag models recommend")(recommend_command)
models_app.command("use", epilog="Example:  vaultrag models use qwen3-4b --vault ~/Notes")(use_command)


class ListedModel(BaseModel):
    """One line of `models list --json`."""

    name: str
    kind: str
    bytes: int
    licence: str
    description: str
    present: bool
    configured: bool
    quant: str = ""
    roles: list[str] = []

    model_config = ConfigDict(defer_build=True)


class ListedModels(BaseModel):
    folder: str
    models: list[ListedModel]

    model_config = ConfigDict(defer_build=True)


class ListedCombination(BaseModel):
    """One combination of `models combos --json`."""

    name: str
    description: str
    roles: dict[str, str]
    chosen: bool

    model_config = ConfigDict(defer_build=True)


class ListedCombinations(BaseModel):
    combinations: list[ListedCombination]

    model_config = ConfigDict(defer_build=True)


@models_app.command("list", epilog="Example:  vaultrag models list")
def list_models(
    context: typer.Context, vault: VaultOption = None, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Show the known models, which are here, and which the settings name."""
    session = session_of(context)
    listed = _listed(session.settings(vault, home))
    if json:
        session.terminal.print_json(listed)
        return
    for model in listed.models:
        session.terminal.print(*_model_lines(model))
    session.terminal.print("", Text(f"✓ is in {listed.folder}; bold is what the settings name.", style="dim"))


@models_app.command("combos", epilog="Example:  vaultrag models combos")
def list_combinations(
    context: typer.Context, vault: VaultOption = None, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Show the combinations: models that are kept together, each with its roles."""
    from vaultrag.runtime.models.combinations import load_combinations

    session = session_of(context)
    chosen = session.settings(vault, home).models.combination
    listed = ListedCombinations(
        combinations=[
            ListedCombination(name=c.name, description=c.description, roles=dict(c.models), chosen=c.name == chosen)
            for c in load_combinations(models_dir()).values()
        ]
    )
    if json:
        session.terminal.print_json(listed)
        return
    for combination in listed.combinations:
        session.terminal.print(*_combination_lines(combination))
    session.terminal.print("", Text("The setting models.combination, or --combo, chooses one.", style="dim"))


@models_app.command("pull", epilog="Example:  vaultrag models pull multilingual-e5-small")
def pull_models(
    context: typer.Context, names: NamesArgument = None, vault: VaultOption = None, home: HomeOption = None
) -> None:
    """Fetch models and verify them. Can be stopped and run again: it goes on where it was."""
    from vaultrag.runtime.models.fetch import Word
    from vaultrag.runtime.models.installed import is_present

    session = session_of(context)
    word = Word(session.terminal.note)
    for entry in _chosen(names, session.settings(vault, home)):
        if is_present(entry, models_dir()):
            session.terminal.print(f"{entry.name} is here.")
            continue
        licence = f", licence: {one_line(entry.licence)}" if entry.licence else ""
        session.terminal.note(f"{entry.name}: {size(entry.to_fetch)} to fetch{licence}.")
        path = fetch_model(session.terminal, entry, word)
        session.terminal.print(f"{entry.name} is in {path}.")


@models_app.command("verify", epilog="Example:  vaultrag models verify")
def verify_models(
    context: typer.Context,
    names: NamesArgument = None,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Read every byte of the models and compare their checksums."""
    from vaultrag import wire
    from vaultrag.cli import render
    from vaultrag.runtime.models.installed import verify

    session = session_of(context)
    findings: list[Finding] = []
    for entry in _chosen(names, session.settings(vault, home)):
        with session.terminal.waiting(f"Reading {entry.name}"):
            found = verify(entry, models_dir())
        findings += found or [Finding(entry.name, "info", "Every byte is as it should be.", "")]
    if json:
        session.terminal.print_json(wire.Findings.of(findings))
    else:
        session.terminal.print(*render.finding_blocks(wire.Findings.of(findings).findings))
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(ModelError.exit_code)


def _model_lines(model: ListedModel) -> tuple[Text, Indented]:
    mark = ("✓ ", "green") if model.present else ("· ", "dim")
    name = (one_line(model.name), "bold" if model.configured else "")
    facts = [model.kind, size(model.bytes), model.quant, one_line(model.licence), *model.roles]
    about = Text.assemble(mark, name, ("  " + ", ".join(fact for fact in facts if fact), "dim"))
    return about, Indented(Text(one_line(model.description), style="dim"), 2)


def _combination_lines(combination: ListedCombination) -> tuple[Text | Indented, ...]:
    name = Text(one_line(combination.name), style="bold" if combination.chosen else "")
    roles = [Indented(Text(f"{role}: {one_line(model)}"), 2) for role, model in combination.roles.items()]
    return name, Indented(Text(one_line(combination.description), style="dim"), 2), *roles


def _listed(settings: Settings) -> ListedModels:
    from vaultrag.runtime.models.catalogue import find_model, load_catalogue
    from vaultrag.runtime.models.combinations import role_map
    from vaultrag.runtime.models.installed import is_present

    folder = models_dir()
    entries = load_catalogue(folder)
    wanted: dict[str, list[str]] = {}
    for model in role_map(settings, folder).local():
        entry = find_model(model.name, model.kind, folder)
        entries.setdefault(entry.name, entry)
        wanted.setdefault(entry.name, []).extend(model.roles)
    return ListedModels(
        folder=str(folder),
        models=[
            ListedModel(
                name=entry.name,
                kind=entry.kind.value,
                bytes=entry.bytes,
                licence=entry.licence,
                description=entry.description,
                present=is_present(entry, folder),
                configured=entry.name in wanted,
                quant=entry.quant,
                roles=wanted.get(entry.name, []),
            )
            for entry in entries.values()
        ],
    )


def _chosen(names: Sequence[str] | None, settings: Settings) -> list[ModelEntry]:
    from vaultrag.runtime.models.catalogue import ModelKind, find_model, load_catalogue
    from vaultrag.runtime.models.combinations import role_map

    folder = models_dir()
    if not names:
        return [find_model(model.name, model.kind, folder) for model in role_map(settings, folder).local()]
    known = load_catalogue(folder)
    return [known.get(name) or find_model(name, ModelKind.CHAT, folder) for name in names]
