"""Which model does what: the roles of the settings, and the named combinations that go before them."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaultrag.config import Settings, shipped
from vaultrag.domain import Role
from vaultrag.errors import ConfigError
from vaultrag.runtime.models.catalogue import ModelKind

PROFILES_FOLDER = "profiles"
REMOTE = "remote"  # a role's model is the server of `[remote]`; `remote:NAME` is another model of that server
ANSWERED_BY_DEFAULT = frozenset({Role.PLAN, Role.EXTRACT, Role.JUDGE, Role.FINAL})  # by the answering model
HERE_ONLY = (Role.DRAFT, Role.EMBED, Role.RERANK, Role.SCAN)  # they work inside this machine's own processes
KINDS = {Role.EMBED: ModelKind.EMBED, Role.RERANK: ModelKind.RERANK, Role.SCAN: ModelKind.JUDGE}


@dataclass(frozen=True, slots=True)
class Combination:
    """Models that are kept together: a role map with a name."""

    name: str
    description: str
    models: Mapping[Role, str]


@dataclass(frozen=True, slots=True)
class RoleMap:
    """The model of each role, as the settings and their combination name it."""

    models: Mapping[Role, str]

    def model_of(self, role: Role) -> str:
        """Return the role's model; empty where nothing has this role (draft, rerank and scan may have none)."""
        return self.models.get(role, "") or (self.models[Role.ANSWER] if role in ANSWERED_BY_DEFAULT else "")

    def local(self) -> list[LocalModel]:
        """Return each model that has to lie on this machine once, with its roles in their order."""
        found: dict[tuple[str, ModelKind], list[Role]] = {}
        for role in Role:
            name = self.model_of(role)
            if name and not is_remote(name):
                found.setdefault((name, kind_of(role)), []).append(role)
        return [LocalModel(name, kind, tuple(roles)) for (name, kind), roles in found.items()]


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model that the settings name, and what for."""

    name: str
    kind: ModelKind
    roles: tuple[Role, ...]


def role_map(settings: Settings, models_dir: Path) -> RoleMap:
    """Return who does what. Raises ConfigError for a combination that is not known or faulty."""
    chosen = {Role(name): model for name, model in settings.roles}
    if wanted := settings.models.combination:
        chosen |= find_combination(wanted, models_dir).models
    if far := [role for role in HERE_ONLY if is_remote(chosen[role])]:
        raise ConfigError(
            f"The role {far[0]} names a model server; that is only for models that write.",
            "Name a model of `vaultrag models list` for it.",
        )
    return RoleMap(chosen)


def find_combination(name: str, models_dir: Path) -> Combination:
    """Return the combination of this name. Raises ConfigError with the nearest one."""
    known = load_combinations(models_dir)
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
    hint = f" The nearest is `{nearest[0]}`." if nearest else ""
    raise ConfigError(f"No combination of models is called `{name}`.{hint}", "`vaultrag models combos` lists them.")


def load_combinations(models_dir: Path) -> dict[str, Combination]:
    """Return the shipped combinations and those of the models folder, which win, by name."""
    found: dict[str, Combination] = {}
    for folder in (shipped(PROFILES_FOLDER), models_dir / PROFILES_FOLDER):
        for path in sorted(folder.glob("*.toml")) if os.path.isdir(folder) else ():
            found |= {combination.name: combination for combination in _read(path)}
    return found


def is_remote(name: str) -> bool:
    """Whether a role's model is one of the server that `[remote]` names."""
    return name == REMOTE or name.startswith(f"{REMOTE}:")


def model_on_server(name: str) -> str:
    """Return the model that `remote:MODEL` means on its server; empty for plain `remote`."""
    return name.removeprefix(REMOTE).removeprefix(":")


def kind_of(role: Role) -> ModelKind:
    return KINDS.get(role, ModelKind.CHAT)


def _read(path: Path) -> Iterator[Combination]:
    """Read the table `combos` of one file; what else stands there is not ours."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("combos", {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _faulty(path, f"it cannot be read: {error}") from error
    if not isinstance(tables, dict):
        raise _faulty(path, "`combos` is not a table")
    for name, table in tables.items():
        yield _combination(path, name, table)


def _combination(path: Path, name: str, table: Any) -> Combination:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise _faulty(path, f"`combos.{name}` is not a table of names")
    models = {key: model for key, model in table.items() if key != "description"}
    if unknown := sorted(models.keys() - set(Role)):
        raise _faulty(path, f"`combos.{name}.{unknown[0]}` is no role; the roles are {', '.join(Role)}")
    if empty := sorted(key for key, model in models.items() if not model.strip()):
        raise _faulty(path, f"`combos.{name}.{empty[0]}` names no model")
    return Combination(name, table.get("description", ""), {Role(key): model for key, model in models.items()})


def _faulty(path: Path, fault: str) -> ConfigError:
    return ConfigError(
        f"The combinations in {path} have a fault: {fault}.", "config/profiles/combinations.toml shows the form."
    )
