"""What is to be forgotten, and where it could still stand."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

from tests.doubles import ScriptedModel
from vaultrag.config import Config
from vaultrag.workspace import Ownership, Workspace

LATIN, CYRILLIC = "zqwombat", "щъёжак"
FOLDER = f"Личное {LATIN}"
REPLY = f"Сокровище по имени {CYRILLIC} лежит под старым дубом, и знает об этом только {LATIN}."


def opened(config: Config) -> Workspace:
    return Workspace.with_models(config, Ownership.OWN, None, ScriptedModel([REPLY]))


def traces(home: Path) -> list[str]:
    """Return where a marker stands in the home: in names, and in the bytes of files, however it is written."""
    return [
        f"{path.relative_to(home)}: {how}"
        for path in sorted(home.rglob("*"))
        for content in [path.name.encode() + b"\0" + (path.read_bytes() if path.is_file() else b"")]
        for how, needle in _needles().items()
        if needle in content
    ]


def _needles() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for marker in (LATIN, CYRILLIC, "Показ", "показ "):
        spellings = {marker, marker.upper(), marker.capitalize(), unicodedata.normalize("NFD", marker)}
        for word in spellings if "оказ" not in marker else ():
            for encoding in ("utf-8", "utf-16-le", "utf-16-be", "cp1251"):
                found[f"{word} in {encoding}"] = word.encode(encoding, "ignore")
            found[f"{word} escaped"] = json.dumps(word).strip('"').encode()
            found[f"{word} escaped in capitals"] = (
                word.encode("ascii", "backslashreplace").upper().replace(b"\\U", b"\\u")
            )
    return {how: needle for how, needle in found.items() if len(needle) >= len(CYRILLIC)}
