"""`vaultrag init`: a settings file that explains itself."""

from __future__ import annotations

from rich.text import Text

from vaultrag.cli.models.recommend import advise
from vaultrag.cli.settings_file import settings_text, write_settings_file
from vaultrag.cli.terminal import Terminal
from vaultrag.config import CONFIG_NAME, Config, require_vault


def write_settings(config: Config, terminal: Terminal) -> None:
    """Write `config.toml` into the home unless there is one, and say what happens next. Raises VaultError."""
    require_vault(config)
    path = config.home / CONFIG_NAME
    if path.exists():
        terminal.print(f"The settings are in {path} already; nothing was changed.")
    else:
        write_settings_file(path, settings_text(config.vault))
        terminal.print(f"Settings for {config.vault} are in {path}.")
    terminal.print(*(Text(line, style="dim") for line in _promises(config)))
    advise(config, terminal)


def _promises(config: Config) -> tuple[str, ...]:
    return (
        f"It will read the notes below {config.vault}, keep its index in {config.home}, and answer on this machine.",
        "It will not write into the vault, send anything anywhere, or fetch anything but the models you ask for.",
        'Each night can end in a report: name its folder (`reports.folder = "VaultRAG/"`) and the hours of a server'
        ' that stays (`night.window = "01:00-06:00"`), or run: vaultrag nightly --install',
        "Next: vaultrag models pull, then vaultrag index, then vaultrag ask.",
    )
