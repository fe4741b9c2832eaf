"""One finding for what copies of notes say alike: whoever keeps a note twice has one contradiction with it, not two."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from vaultrag.domain import Claim
from vaultrag.text.language import fold, words

_COPY = re.compile(r"\bcop(?:y|ies)\b|копия|\(\d\)|backup|архив|archive|old|стар", re.IGNORECASE)


class _OfTwoClaims(Protocol):
    @property
    def one(self) -> Claim: ...
    @property
    def other(self) -> Claim: ...


Finding = TypeVar("Finding", bound=_OfTwoClaims)


def without_copies(
    findings: Sequence[Finding], is_preferred: Callable[[Finding], bool] = lambda _: False
) -> list[Finding]:
    """Return the findings in their order, of those between the same words one that is preferred or original."""
    alike: dict[frozenset[str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault(frozenset((_said(finding.one), _said(finding.other))), []).append(finding)
    kept = {id(min(group, key=lambda one: (not is_preferred(one), _rank(one)))) for group in alike.values()}
    return [finding for finding in findings if id(finding) in kept]


def _said(claim: Claim) -> str:
    told = " ".join(fold(word.text) for word in words(f"{claim.attribute} {claim.quote}"))
    return f"{claim.holder} {claim.speaker} {told}"


def _rank(finding: _OfTwoClaims) -> tuple[int, int, str]:
    paths = finding.one.path, finding.other.path
    return sum(bool(_COPY.search(path)) for path in paths), sum(map(len, paths)), " ".join(paths)
