"""`vaultrag init`: a settings file that explains itself."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from rich.text import Text

from vaultrag.cli.terminal import Terminal
from vaultrag.config import CONFIG_NAME, Config, require_vault, shipped
from vaultrag.errors import ConfigError, DiskFull, is_disk_full

_SETTING = re.compile(r"^(?=[a-z_]+ = )", re.MULTILINE)
_VAULT_PATH = re.compile(r'^# path = ""$', re.MULTILINE)


def write_settings(config: Config, terminal: Terminal) -> None:
    """Write `config.toml` into the home unless there is one, and say what happens next. Raises VaultError."""
    require_vault(config)
    path = config.home / CONFIG_NAME
    if path.exists():
        terminal.print(f"The settings are in {path} already; nothing was changed.")
    else:
        _write(path, settings_text(config.vault))
        terminal.print(f"Settings for {config.vault} are in {path}.")
    terminal.print(*(Text(line, style="dim") for line in _promises(config)))


def settings_text(vault: Path) -> str:
    """Return the shipped settings with every line commented out but the vault's path."""
    text = shipped("default.toml").read_text(encoding="utf-8")
    head, _, body = text.partition("\n\n")
    head = "# Settings of VaultRAG for one vault. Every line below shows a default; remove its `# ` to change it."
    commented = _SETTING.sub("# ", body)
    path_line = f"path = {json.dumps(str(vault), ensure_ascii=False)}"
    return head + "\n\n" + _VAULT_PATH.sub(lambda _: path_line, commented, count=1)


def _write(path: Path, text: str) -> None:
    """Write the file whole, or not at all: half a file would be taken for the user's."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            part.write_text(text, encoding="utf-8")
            os.replace(part, path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(
                f"There is no space left for {path}.", "Free some space, then run the command again."
            ) from error
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", "Name another home: --home DIR.") from error


def _promises(config: Config) -> tuple[str, ...]:
    return (
        f"It will read the notes below {config.vault}, keep its index in {config.home}, and answer on this machine.",
        "It will not write into the vault, send anything anywhere, or fetch anything but the models you ask for.",
        "Next: vaultrag models pull, then vaultrag index, then vaultrag ask.",
    )
