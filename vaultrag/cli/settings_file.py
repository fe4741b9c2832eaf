"""The settings file of one vault: written with every setting explained, and changed one line at a time."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from vaultrag.config import BOM, parse_settings, shipped
from vaultrag.errors import ConfigError, DiskFull, is_disk_full

_SETTING = re.compile(r"^(?=[a-z_]+ = )", re.MULTILINE)
_VAULT_PATH = re.compile(r'^# path = ""$', re.MULTILINE)
NEWLINE = "\n"
MOVED_TO_ROLES_FROM = ("models",)  # where files of version 0.1 name it
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\r\n#"'])*"""
_ANSWER = re.compile(rf"^[ \t]*answer[ \t]*={_VALUE}(?<![ \t])", re.MULTILINE)  # a comment behind it stays
_COMMENTED = re.compile(r"^#[ \t]*answer[ \t]*=[^\r\n]*", re.MULTILINE)


def settings_text(vault: Path) -> str:
    """Return the shipped settings with every line commented out but the vault's path."""
    text = shipped("default.toml").read_text(encoding="utf-8")
    head, _, body = text.partition("\n\n")
    head = "# Settings of VaultRAG for one vault. Every line below shows a default; remove its `# ` to change it."
    commented = _SETTING.sub("# ", body)
    path_line = f"path = {json.dumps(str(vault), ensure_ascii=False)}"
    return head + "\n\n" + _VAULT_PATH.sub(lambda _: path_line, commented, count=1)


def name_answering_model(text: str, name: str, path: Path) -> str:
    """Return the settings with another `roles.answer`, and not a letter of the rest changed. Raises ConfigError."""
    line = f"answer = {json.dumps(name, ensure_ascii=False)}"
    body = text.removeprefix(BOM)
    changed = text[: len(text) - len(body)] + _with_answer(body, line, "\r\n" if "\r\n" in body else NEWLINE)
    before, wanted = parse_settings(text, path), _unless_faulty(changed, path)
    roles = before.roles.model_copy(update={"answer": name})
    if wanted != before.model_copy(update={"roles": roles}):
        raise ConfigError(
            f"{path} is written in a way that no command changes.", f"Write `{line}` there yourself, below [roles]."
        )
    return changed


def read_settings_file(path: Path) -> str:
    """Return the text to its last sign: the ends of its lines are the user's, too."""
    return path.read_bytes().decode("utf-8")


def write_settings_file(path: Path, text: str) -> None:
    """Write the file whole, or not at all: half a file would be taken for the user's.

    Where it is a link, what it leads to is written; who may read it stays as it was.
    """
    path = Path(os.path.realpath(path))
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            part.write_bytes(text.encode("utf-8"))
            if path.exists():
                shutil.copymode(path, part)
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


def _with_answer(text: str, line: str, newline: str) -> str:
    """Put the line where an answering model is named, else where the default stands, else below [roles]."""
    places = [(table, setting) for setting in (_ANSWER, _COMMENTED) for table in ("roles", *MOVED_TO_ROLES_FROM)]
    for table, setting in places:
        start, end = _body(text, table)
        if found := setting.search(text, start, end):
            return text[: found.start()] + line + text[found.end() :]
    start, _ = _body(text, "roles")
    if not start:
        return f"{text.rstrip()}{newline}{newline}[roles]{newline}{line}{newline}".lstrip()
    head = text[:start]
    return f"{head}{'' if head.endswith(NEWLINE) else newline}{line}{newline}{text[start:]}"


def _body(text: str, table: str) -> tuple[int, int]:
    """Return where a table's own lines begin and end; two zeros where it is not there."""
    head = re.search(rf"^[ \t]*\[[ \t]*{table}[ \t]*\][^\n]*\n?", text, re.MULTILINE)
    if head is None:
        return 0, 0
    following = _TABLE.search(text, head.end())
    return head.end(), following.start() if following else len(text)


def _unless_faulty(text: str, path: Path) -> object:
    """Return the settings; None where the change made them unreadable."""
    try:
        return parse_settings(text, path)
    except ConfigError:
        return None
