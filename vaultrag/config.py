"""Settings: read once, checked whole, passed down as values.

Order, later wins: the defaults here (`config/default.toml` shows them all), `config.toml` in the home, the environment,
the command line. Unknown keys are refused with the nearest known one named.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
import tomllib
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vaultrag.errors import ConfigError, VaultError

CONFIG_NAME = "config.toml"
BOM = "\ufeff"  # which some editors of Windows write first
LOG_NAME = "server.log"
START_LOG_NAME = "server.start.log"  # what a server in the background says until it serves
MOVED_TO_ROLES = ("answer", "embed")  # they stood in [models] up to version 0.1, and are understood there


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class VaultSection(Section):
    path: str = ""
    ignore: list[str] = []
    max_note_bytes: int = Field(5_000_000, gt=0)
    pdf: bool = True


class IndexSection(Section):
    chunk_tokens: int = Field(300, ge=50, le=450)
    chunk_tokens_max: int = Field(420, ge=60, le=500)


class WatchSection(Section):
    mode: Literal["auto", "polling", "off"] = "auto"
    quiet_seconds: float = Field(0.5, gt=0, le=60)
    longest_wait_seconds: float = Field(5.0, gt=0, le=600)
    reconcile_seconds: float = Field(300.0, ge=1)
    poll_seconds: float = Field(10.0, ge=1)


class SearchSection(Section):
    passages: int = Field(8, ge=1, le=100)
    candidates: int = Field(100, ge=10, le=1000)
    per_note: int = Field(3, ge=1, le=100)


class AnsweringSection(Section):
    style: Literal["auto", "prose", "quotes"] = "auto"
    language: Literal["question", "ru", "en"] = "question"
    first_token_seconds: float = Field(0.0, ge=0)
    max_tokens: int = Field(500, ge=16)
    temperature: float = Field(0.0, ge=0, le=2)
    thinking_tokens: int = Field(0, ge=-1)
    passages: int = Field(8, ge=1, le=50)
    deep_tokens: int = Field(16_000, ge=1000)
    deep_seconds: float = Field(240.0, gt=0)
    floor_similarity: float = Field(0.82, ge=0, le=1)
    floor_coverage: float = Field(0.25, ge=0, le=1)
    save: bool = False


class RolesSection(Section):
    answer: str = Field("qwen2.5-coder-1.5b-instruct", min_length=1)
    plan: str = ""
    extract: str = ""
    judge: str = ""
    final: str = ""
    draft: str = ""
    embed: str = Field("multilingual-e5-small", min_length=1)
    rerank: str = ""
    scan: str = ""


class ModelsSection(Section):
    combination: str = ""


class RemoteSection(Section):
    url: str = ""
    model: str = ""
    api_key_env: str = Field("", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    context: int = Field(0, ge=0)


class RuntimeSection(Section):
    context: int = Field(8192, ge=1024)
    threads: int = Field(0, ge=0)
    gpu_layers: int = Field(-2, ge=-2)
    spin_count: int = Field(1000, ge=0)
    answer_timeout_seconds: float = Field(900.0, gt=0)
    unload_minutes: float = Field(30.0, ge=0)
    states_mb: int = Field(2000, ge=0)
    guess_ahead: bool = True
    ram_gib: float = Field(0.0, ge=0)
    vram_gib: float = Field(0.0, ge=0)


class ServerSection(Section):
    port: int = Field(27182, ge=0, le=65535)
    idle_minutes: float = Field(0.0, ge=0)
    autostart: bool = True
    autostart_idle_minutes: float = Field(15.0, gt=0)


class JobsSection(Section):
    minutes: float = Field(30.0, ge=0)
    tokens: int = Field(60_000, ge=0)


class NightSection(Section):
    window: str = Field("", pattern=r"^$|^([01]?\d|2[0-3]):[0-5]\d-([01]?\d|2[0-3]):[0-5]\d$")
    notify: bool = True
    minutes: float = Field(240.0, gt=0)
    language: Literal["auto", "ru", "en"] = "auto"
    on_battery: bool = False
    settle_seconds: float = Field(10.0, ge=0, le=600)
    stale_days: int = Field(180, ge=1)


class ReportsSection(Section):
    folder: str = ""


class Settings(Section):
    """Every setting. `config/default.toml` is its documentation."""

    vault: VaultSection = VaultSection()
    index: IndexSection = IndexSection()
    watch: WatchSection = WatchSection()
    search: SearchSection = SearchSection()
    answering: AnsweringSection = AnsweringSection()
    roles: RolesSection = RolesSection()
    models: ModelsSection = ModelsSection()
    remote: RemoteSection = RemoteSection()
    runtime: RuntimeSection = RuntimeSection()
    server: ServerSection = ServerSection()
    reports: ReportsSection = ReportsSection()
    jobs: JobsSection = JobsSection()
    night: NightSection = NightSection()


class Config(BaseModel):
    """Settings plus the three places they apply to."""

    model_config = ConfigDict(frozen=True)

    vault: Path
    home: Path
    models: Path
    settings: Settings

    def with_combination(self, name: str) -> Config:
        """Return these settings with another combination of models."""
        models = self.settings.models.model_copy(update={"combination": name})
        return self.model_copy(update={"settings": self.settings.model_copy(update={"models": models})})

    @property
    def reports_path(self) -> Path | None:
        """The one folder that reports and answers are written into, if the user named one; from the vault on."""
        folder = self.settings.reports.folder.strip()
        return _whole(self.vault / os.path.expanduser(folder)) if folder else None

    @property
    def database_path(self) -> Path:
        return self.home / "index.sqlite3"

    @property
    def journal_path(self) -> Path:
        return self.home / "journal.jsonl"

    @property
    def chroma_path(self) -> Path:
        return self.home / "chroma"

    @property
    def states_path(self) -> Path:
        return self.home / "states"

    @property
    def nights_path(self) -> Path:
        """Where reports of nights lie while the user has named no folder for them."""
        return self.home / "nights"

    @property
    def analysed_path(self) -> Path:
        """Where analyses lie that nobody waited for, while the user has named no folder for them."""
        return self.home / "analysed"

    @property
    def token_path(self) -> Path:
        return self.home / "token"

    @property
    def lock_path(self) -> Path:
        return self.home / "lock"

    @property
    def log_path(self) -> Path:
        return self.home / LOG_NAME

    def home_bytes(self) -> int:
        """Return how much the home holds; what another process removes meanwhile counts as nothing."""
        return sum(_file_bytes(Path(folder, name)) for folder, _, names in os.walk(self.home) for name in names)


def load_config(vault: Path | None = None, home: Path | None = None) -> Config:
    """Find the vault and its home, and read the settings.

    Raises ConfigError for bad settings, VaultError when no vault was named or found.
    """
    home = home or _path_from("VAULTRAG_HOME")
    settings = read_settings(home / CONFIG_NAME) if home else Settings()
    found = vault or _path_from("VAULTRAG_VAULT") or _configured_vault(settings) or _vault_around()
    if found is None:
        raise VaultError(
            "No vault was named, and no folder above this one holds `.obsidian`.",
            "Run the command inside a vault, or name one: --vault DIR.",
        )
    found = _whole(found)
    if home is None:
        home = default_home(found)
        settings = read_settings(home / CONFIG_NAME)
    home = _whole(home)
    _refuse_home_inside_vault(home, found)
    return _without_reports(Config(vault=found, home=home, models=models_dir(), settings=settings))


def require_vault(config: Config) -> None:
    """Raise VaultError unless the vault is a readable folder."""
    if os.path.isfile(config.vault):
        raise VaultError(f"The vault {config.vault} is a file.", "Name the folder that holds it: --vault DIR.")
    if not os.path.isdir(config.vault):
        raise VaultError(
            f"The vault {config.vault} is not there.",
            "Mount or restore the folder, or name another: --vault DIR. The index is kept.",
        )
    if not os.access(config.vault, os.R_OK | os.X_OK):
        raise VaultError(f"The vault {config.vault} cannot be read.", "Give this user the right to read it.")


def read_settings(path: Path) -> Settings:
    """Read one settings file; a missing file means the defaults. All faults are named at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _not_toml(path, error) from error
    except FileNotFoundError:
        return Settings()
    except NotADirectoryError as error:
        raise ConfigError(f"The home {path.parent} is not a folder.", "Name a folder: --home DIR.") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", "Give this user the right to read it."
        ) from error
    return parse_settings(text, path)


def parse_settings(text: str, path: Path) -> Settings:
    """Read the text of a settings file, which `path` names in errors. Raises ConfigError with all faults."""
    try:
        return Settings.model_validate(_with_roles(tomllib.loads(text.removeprefix(BOM))))
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, error) from error
    except ValidationError as error:
        faults = "; ".join(_describe(fault) for fault in error.errors())
        raise ConfigError(f"{path}: {faults}.", "Correct the settings; docs/settings.md lists them all.") from error


def _not_toml(path: Path, error: ValueError) -> ConfigError:
    return ConfigError(f"{path} is not valid TOML: {error}.", "Correct the line, or delete the file.")


def enclosing_vault(folder: Path) -> Path | None:
    """Return the nearest folder, from this one upwards, that Obsidian has opened as a vault."""
    for candidate in (folder, *folder.parents):
        if os.path.isdir(candidate / ".obsidian"):  # Path.is_dir raises where a folder may not be entered
            return candidate
    return None


def default_home(vault: Path) -> Path:
    """Return the home of a vault: one folder for each vault, named so that a person recognises it."""
    digest = hashlib.sha256(str(vault).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    name = "".join(c if c.isalnum() or c in "-_ " else "_" for c in vault.name)[:40].strip() or "vault"
    return data_dir() / "homes" / f"{name}-{digest}"


def data_dir() -> Path:
    return Path(platformdirs.user_data_dir("vaultrag", appauthor=False))


def models_dir() -> Path:
    return _path_from("VAULTRAG_MODELS") or data_dir() / "models"


def shipped(name: str) -> Path:
    """Return a file of `config/`, in a checkout or in an installed package."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / "config" / name
    return checkout if checkout.exists() else package / "_config" / name


def _vault_around() -> Path | None:
    try:
        return enclosing_vault(Path.cwd())
    except FileNotFoundError:
        return None  # the shell stands in a folder that was deleted


def _whole(path: Path) -> Path:
    """Return the real, absolute path. Unlike Path's own methods it takes unknown users and loops of links."""
    return Path(os.path.realpath(os.path.expanduser(path)))


def _file_bytes(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _path_from(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    return Path(value).expanduser() if value else None


def _configured_vault(settings: Settings) -> Path | None:
    return Path(settings.vault.path) if settings.vault.path else None


def _refuse_home_inside_vault(home: Path, vault: Path) -> None:
    if home == vault or vault in home.parents:
        raise ConfigError(
            f"The home {home} lies inside the vault; VaultRAG never writes there.",
            "Name a folder outside the vault: --home DIR or VAULTRAG_HOME.",
        )


def _without_reports(config: Config) -> Config:
    """Leave the folder of reports out of the index: what a model wrote is no witness. Raises ConfigError."""
    folder = config.reports_path
    if folder is None:
        return config
    if any(place == folder or folder in place.parents for place in (config.vault, config.home)):
        raise ConfigError(
            f"`reports.folder` is {folder}, which holds more than reports.", "Name a folder of its own for them."
        )
    if config.vault not in folder.parents:
        return config
    inside = f"{folder.relative_to(config.vault).as_posix()}/"
    section = config.settings.vault
    vault = section.model_copy(update={"ignore": [*section.ignore, inside]})
    return config.model_copy(update={"settings": config.settings.model_copy(update={"vault": vault})})


def _with_roles(values: dict[str, Any]) -> dict[str, Any]:
    """Move settings that older files hold in `[models]` to `[roles]`, unless they stand there too."""
    models, roles = values.get("models"), values.get("roles", {})
    if not isinstance(models, dict) or not isinstance(roles, dict):
        return values
    moved = {key: models[key] for key in MOVED_TO_ROLES if key in models and key not in roles}
    rest = {key: value for key, value in models.items() if key not in moved}
    return {**values, "models": rest, "roles": {**roles, **moved}}


def _describe(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"`{place}`: {fault['msg'].lower()}"
    nearest = difflib.get_close_matches(place, _known_keys(), n=1, cutoff=0.4)
    return f"unknown setting `{place}`" + (f" (did you mean `{nearest[0]}`?)" if nearest else "")


def _known_keys() -> list[str]:
    keys: list[str] = []
    for name, info in Settings.model_fields.items():
        keys.append(name)
        section = info.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            keys.extend(f"{name}.{key}" for key in section.model_fields)
    return keys
