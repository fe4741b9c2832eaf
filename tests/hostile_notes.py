"""Parts of a vault as somebody who wishes us ill would make them."""

from __future__ import annotations

import json
from pathlib import Path


def write_filters(vault: Path, *rules: str) -> None:
    """Give a vault these filters of its own."""
    (vault / ".obsidian").mkdir(exist_ok=True)
    (vault / ".obsidian" / "app.json").write_text(json.dumps({"userIgnoreFilters": rules}), encoding="utf-8")
