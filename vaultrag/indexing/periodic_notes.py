"""How the app names notes after their days: the settings of its daily notes and of the plugin "Periodic Notes"."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vaultrag.text.times.moment_format import PeriodicNotes
from vaultrag.vault.filters import obsidian_settings

DAILY = "daily-notes.json"
PERIODIC = "plugins/periodic-notes/data.json"
USUAL = "YYYY-MM-DD"  # the app's own format: such a name is read as a date in any folder
MOST_KINDS = 50  # calendar sets have five each
# The plugin's keys, in its settings until 0.0.17 and in the calendar sets after it, with the formats it has for each.
_FORMATS = {
    "daily": USUAL,
    "weekly": "gggg-[W]ww",
    "monthly": "YYYY-MM",
    "quarterly": "YYYY-[Q]Q",
    "yearly": "YYYY",
    "day": USUAL,
    "week": "gggg-[W]ww",
    "month": "YYYY-MM",
    "quarter": "YYYY-[Q]Q",
    "year": "YYYY",
}


def periodic_notes(vault: Path) -> tuple[PeriodicNotes, ...]:
    """Return the kinds of notes whose names say their day by a format of the user's."""
    plugin = obsidian_settings(vault, PERIODIC)
    sets = plugin.get("calendarSets")
    places = [plugin, *(one for one in sets if isinstance(one, dict))] if isinstance(sets, list) else [plugin]
    kinds = [
        *_kind({"enabled": True, **obsidian_settings(vault, DAILY)}, USUAL),
        *(kind for place in places for key, usual in _FORMATS.items() for kind in _kind(place.get(key), usual)),
    ]
    return tuple(dict.fromkeys(kind for kind in kinds if kind.format != USUAL))[:MOST_KINDS]


def _kind(section: Any, usual: str) -> Iterator[PeriodicNotes]:
    if isinstance(section, Mapping) and section.get("enabled") is True:
        folder, written_as = (section.get(key) for key in ("folder", "format"))
        yield PeriodicNotes(
            folder=unicodedata.normalize("NFC", folder).strip("/") if isinstance(folder, str) else "",
            format=unicodedata.normalize("NFC", written_as) if isinstance(written_as, str) and written_as else usual,
        )
