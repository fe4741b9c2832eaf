"""Claims of notes as people write them, for the tests of what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping

from vaultrag.contradictions.claims.extract import claims_of_chunk
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.scan import PairScan, scan
from vaultrag.domain import Claim
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.features import with_features
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note


def claims_of(notes: Mapping[str, str]) -> list[Claim]:
    """Return the claims of notes, by path."""
    found: dict[str, Claim] = {}
    for path, text in notes.items():
        note = parse_note(path, text)
        for chunk in with_features(note, chunk_note(note, lambda words: len(words) // 4, 250, 480)):
            found.update((claim.key, claim) for claim in claims_of_chunk(chunk, note.title).claims)
    return list(found.values())


def scanned(notes: Mapping[str, str], judges: Judges | None = None) -> PairScan:
    """Look for contradictions in notes, all of which are new."""
    claims = claims_of(notes)

    def text_at(claim: Claim) -> str | None:
        start, end = Lines(notes[claim.path]).offsets(claim.span)
        return notes[claim.path][start:end]

    return scan(claims, {claim.key for claim in claims}, text_at, judges or Judges())
