"""What stands in the vault's notes now, at the places of claims: the first gate's evidence."""

from __future__ import annotations

from vaultrag.config import Config
from vaultrag.domain import Claim
from vaultrag.errors import VaultError
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.vault.files import read_note
from vaultrag.vault.parsing.lines import Lines


class NoteTexts:
    """Reads each note once, as it is when it is asked for first."""

    def __init__(self, config: Config, database: Database) -> None:
        self._config = config
        self._catalog = Catalog(database)
        self._texts: dict[str, str | None] = {}

    def at(self, claim: Claim) -> str | None:
        """Return what stands at a claim's span; None where its note is not there or has fewer lines."""
        text = self.whole(claim.path)
        if text is None:
            return None
        try:
            start, end = Lines(text).offsets(claim.span)
        except IndexError:
            return None
        return text[start:end]

    def whole(self, path: str) -> str | None:
        """Return what a note says; None where it is not there or cannot be read."""
        if path not in self._texts:
            self._texts[path] = self._text(path)
        return self._texts[path]

    def _text(self, path: str) -> str | None:
        stored = self._catalog.stored_file(path)
        if stored is None:
            return None
        try:
            return read_note(self._config.vault, stored.stat, self._config.settings.vault.max_note_bytes)
        except VaultError:
            return None
