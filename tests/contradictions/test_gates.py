"""What is not in the notes word for word, or what nobody asserts, is not shown, and is told apart."""

from __future__ import annotations

from dataclasses import replace

from tests.contradictions.notes import claims_of
from vaultrag.contradictions.gates import Gate, through_gates
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.scan import scan
from vaultrag.domain import Claim, Stance

NOTES = {"Hut.md": "The walk to the hut takes 90 minutes.", "Weekend.md": "To the hut it's three hours of walk."}


def both() -> tuple[Claim, Claim]:
    one, other = claims_of(NOTES)
    return one, other


def test_quotes_that_stand_pass() -> None:
    assert through_gates(*both(), lambda claim: claim.quote) is None


def test_quote_that_is_not_there_any_more_is_removed_with_what_stands_there() -> None:
    removal = through_gates(*both(), lambda claim: claim.quote.replace("90", "95"))
    assert removal is not None
    assert (removal.gate, removal.claim.path, "95 minutes" in removal.found) == (Gate.CHANGED, "Hut.md", True)


def test_note_that_is_gone_is_told() -> None:
    removal = through_gates(*both(), lambda claim: None)
    assert removal is not None
    assert removal.gate is Gate.GONE


def test_claim_that_nobody_asserts_is_removed() -> None:
    one, other = both()
    removal = through_gates(one, replace(other, stance=Stance.PLANNED), lambda claim: claim.quote)
    assert removal is not None
    assert (removal.gate, removal.claim.path) == (Gate.NOT_ASSERTED, "Weekend.md")


def test_scan_counts_what_gates_remove() -> None:
    claims = claims_of(NOTES)

    def text_at(claim: Claim) -> str | None:
        return claim.quote if claim.path == "Hut.md" else "To the hut it's two hours of walk."

    looked = scan(claims, {claim.key for claim in claims}, text_at, Judges())
    assert looked.found == ()
    assert [finding.removal.gate for finding in looked.removed if finding.removal] == [Gate.CHANGED]
