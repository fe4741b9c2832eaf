"""Which note a person means: by its path, its name, or the end of its path."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from vaultrag.errors import UsageError
from vaultrag.text.paths import lower, normalize_path

CANDIDATES_SHOWN = 10
LIKENESS = 0.6  # of difflib: a letter or two wrong in a short name


def find_note(paths: Sequence[str], written: str) -> str:
    """Return the one path that is meant; case and a final `.md` may be left out. Raises UsageError."""
    wanted = normalize_path(written.strip())
    if wanted in paths:
        return wanted
    keys = {path: lower(path) for path in paths}
    for name in (lower(wanted), f"{lower(wanted)}.md"):
        exact = [path for path, key in keys.items() if key == name]
        ending = exact or [path for path, key in keys.items() if key.endswith(f"/{name}")]
        if len(ending) == 1:
            return ending[0]
        if ending:
            raise UsageError(f"“{written}” names {len(ending)} notes: {_listed(ending)}.", "Give more of the path.")
    raise UsageError(f"No note is called “{written}”.", _nearest(keys, lower(wanted)))


def _nearest(keys: dict[str, str], wanted: str) -> str:
    names = {path: key.rpartition("/")[2].removesuffix(".md") for path, key in keys.items()}
    name = wanted.rpartition("/")[2].removesuffix(".md")
    near = difflib.get_close_matches(name, list(names.values()), 3, LIKENESS)
    found = [path for path, key in names.items() if key in near]
    return f"Near to it: {_listed(found)}." if found else "`vaultrag index` reads notes that are new."


def _listed(paths: Sequence[str]) -> str:
    shown = sorted(paths, key=lambda path: (len(path), path))[:CANDIDATES_SHOWN]
    more = f" and {len(paths) - len(shown)} more" if len(paths) > len(shown) else ""
    return ", ".join(shown) + more
