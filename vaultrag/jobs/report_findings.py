"""The part of a night's report on what disagrees: each finding once, with both quotes as the notes have them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from vaultrag.contradictions.grouping import FindingGroup, grouped, spread
from vaultrag.domain import AsOf, AsOfSource, Claim, ClaimFinding, FindingKind, Holder, ScanStanding
from vaultrag.records.footnotes import NoteLinks, plain
from vaultrag.store.database import Database
from vaultrag.store.night.findings import DISAGREEMENTS, told_keys

SHOWN = 10  # of a kind: the rest is counted, and stays in the list of the command
OF_ONE_PAIR = 3  # findings of the same two notes before others': two drafts of one text differ in every line
COPIES = 3  # places beside the first one
LONGEST = 300  # characters of a quote: a cell's is its whole row
CALLOUTS = {
    FindingKind.CONTRADICTION: ("danger", "+"),
    FindingKind.SUPERSEDED: ("success", "-"),
    FindingKind.ASSISTANTS: ("quote", "-"),
    FindingKind.POSSIBLE: ("question", "-"),
}


@dataclass(frozen=True, slots=True)
class ClaimNews:
    """What a night has to tell: findings that no report has told, how many are open besides, and what is owed."""

    findings: tuple[ClaimFinding, ...]
    earlier: int
    standing: ScanStanding

    @property
    def paths(self) -> set[str]:
        return {path for finding in self.findings for path in finding.paths}


def claim_news(database: Database, findings: Sequence[ClaimFinding], standing: ScanStanding, today: date) -> ClaimNews:
    """Gather what is open, and was told by no report while neither side changed."""
    told = told_keys(database, DISAGREEMENTS)
    waiting = [finding for finding in findings if finding.is_open(today)]
    fresh = tuple(finding for finding in waiting if finding.key not in told)
    old = sum(finding.kind is FindingKind.CONTRADICTION and finding.key in told for finding in waiting)
    return ClaimNews(fresh, old, standing)


@dataclass(frozen=True, slots=True)
class FindingBlocks:
    """Writes disagreements as callouts, in the words of a language."""

    phrases: Mapping[str, Any]
    links: NoteLinks

    def blocks(self, news: ClaimNews) -> Iterator[list[str]]:
        """Yield one callout for each kind that has findings."""
        for kind, (callout, fold) in CALLOUTS.items():
            groups = grouped(finding for finding in news.findings if finding.kind is kind)
            if groups:
                yield list(self._block(kind, f"[!{callout}]{fold}", groups, news))

    def owed(self, standing: ScanStanding) -> list[str]:
        """Return what is not judged yet, a line each: while there is such, nothing found means nothing."""
        counts = {"notes_owed": standing.notes_owed, "claims_owed": standing.claims_owed, "pairs": standing.not_judged}
        return [self._said(f"unjudged_{name}", count=count) for name, count in counts.items() if count]

    def _block(self, kind: FindingKind, callout: str, groups: list[FindingGroup], news: ClaimNews) -> Iterator[str]:
        shown = spread(groups, OF_ONE_PAIR, SHOWN)
        yield f"> {callout} {self._said(kind.value, count=len(groups))}"
        if kind is not FindingKind.CONTRADICTION:
            yield f"> {self._said(f'{kind.value}_about')}"
        for group in shown:
            yield f"> - **{plain(group.finding.reason)}**"
            yield from (f">     - {self._side(group, claim)}" for claim in _in_time(group.finding))
        if len(groups) > len(shown):
            yield f"> - {self._said('more_findings', count=len(groups) - len(shown))}"
        if kind is FindingKind.CONTRADICTION:
            name = "earlier_findings" if news.earlier else "review_findings"
            yield f"> - {self._said(name, count=news.earlier)}"

    def _side(self, group: FindingGroup, claim: Claim) -> str:
        places = group.places_of(claim)
        where = self._said("side", note=self._link(claim), line=claim.span.first_line)
        about = " · ".join(filter(None, (self._when(claim.as_of), self._who(claim))))
        also = [self._link(place) for place in places[1 : 1 + COPIES]]
        more = len(places) - 1 - len(also)
        others = self._said("copies_more", count=more) if more > 0 else ""
        copies = f"{self._said('copies', notes=', '.join(also))}{others})" if also else ""
        return f"{where} · {about}: {self._said('quote', text=plain(_shortened(claim)))}{copies}"

    def _link(self, claim: Claim) -> str:
        return self.links.to_heading(claim.path, claim.heading_path, claim.title)

    def _when(self, as_of: AsOf | None) -> str:
        if as_of is None:
            return self._said("undated")
        if not as_of.first or not as_of.last:
            return self._said("until" if as_of.last else "since", day=as_of.last or as_of.first)
        day = _stretch(as_of.first, as_of.last)
        return self._said("note_of", day=day) if as_of.source is AsOfSource.NOTE else day

    def _who(self, claim: Claim) -> str:
        if claim.holder is Holder.USER:
            return self._said("yours")
        who = plain(claim.speaker)
        return self._said(f"of_{claim.holder.value}{'' if who else '_unnamed'}", who=who)

    def _said(self, name: str, **values: object) -> str:
        return str(self.phrases["findings"][name]).format(**values)


def _stretch(first: str, last: str) -> str:
    """Return a day, month or year as one, and other stretches by their ends."""
    if first == last:
        return first
    if first.endswith("-01-01") and last == f"{first[:4]}-12-31":
        return first[:4]
    is_month = first[:7] == last[:7] and first.endswith("-01") and last[8:] == f"{_days_of(first)}"
    return first[:7] if is_month else f"{first} – {last}"


def _days_of(day: str) -> int:
    """Return how many days the month of a day has."""
    return monthrange(int(day[:4]), int(day[5:7]))[1]


def _in_time(finding: ClaimFinding) -> list[Claim]:
    """Return both sides, the later one last; one without a date stays where it is."""
    one, other = finding.one, finding.other
    if one.as_of and other.as_of and (other.as_of.first or other.as_of.last) < (one.as_of.first or one.as_of.last):
        return [other, one]
    return [one, other]


def _shortened(claim: Claim) -> str:
    """Return a quote of a few lines at most: of a longer one what stands round its first value."""
    quote = " ".join(claim.quote.split())
    if len(quote) <= LONGEST:
        return quote
    at = next((place for value in claim.values if (place := quote.find(value.words)) >= 0), 0)
    start = max(0, min(at - LONGEST // 3, len(quote) - LONGEST))
    cut = quote[start : start + LONGEST].strip()
    return f"{'…' if start else ''}{cut}{'…' if start + LONGEST < len(quote) else ''}"
