"""Findings as a Markdown note: each with both quotes, links to their places, and what was decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from vaultrag.domain import (
    AsOf,
    AsOfSource,
    Citation,
    Claim,
    ClaimFinding,
    FindingKind,
    Holder,
    ScanStanding,
    VerdictState,
)
from vaultrag.records.footnotes import NoteLinks, plain

_SAID: dict[str, tuple[str, str]] = {
    "title": ("Where the notes disagree", "Где заметки расходятся"),
    "as_of": ("As of {day}, {count} among {claims} statements.", "На {day}: {count}, утверждений всего {claims}."),
    "open": ("open contradictions: {count}", "открытых противоречий: {count}"),
    "owed": (
        "Not looked at yet: {notes} notes still to be read, {claims} statements still to be compared, {pairs} pairs not"
        " judged. So what is missing here is not known to agree.",
        "Ещё не просмотрено: непрочитанных заметок — {notes}, несравнённых утверждений — {claims}, пар без суждения —"
        " {pairs}. Чего здесь нет, то ещё не значит, что сходится.",
    ),
    "nothing": ("Nothing.", "Ничего."),
    FindingKind.CONTRADICTION: ("Contradictions", "Противоречия"),
    FindingKind.SUPERSEDED: (
        "Superseded: the later one says that it replaces the earlier",
        "Заменено: позднее говорит, что заменяет прежнее",
    ),
    FindingKind.POSSIBLE: ("Possible: no value tells", "Возможно: значения не сравнить"),
    FindingKind.ASSISTANTS: ("Assistants disagree", "Ассистенты расходятся"),
    Holder.USER: ("you", "вы"),
    Holder.ASSISTANT: ("assistant {speaker}", "ассистент {speaker}"),
    Holder.QUOTED: ("quoted: {speaker}", "цитируется: {speaker}"),
    "somebody": ("quoted from somebody", "цитируется кто-то"),
    "undated": ("undated", "без даты"),
    "since": ("since {first}", "с {first}"),
    "until": ("until {last}", "до {last}"),
    AsOfSource.TEXT: ("as it says", "так сказано"),
    AsOfSource.HEADING: ("by its heading", "по заголовку"),
    AsOfSource.NOTE: ("the note's date", "дата заметки"),
    "line": ("line {line}", "строка {line}"),
    "sure": ("How sure: {sure:.2f}", "Уверенность: {sure:.2f}"),
    VerdictState.DISMISSED: ("Dismissed: no contradiction", "Отклонено: не противоречие"),
    VerdictState.SNOOZED: ("Put off until {until}", "Отложено до {until}"),
    VerdictState.RESOLVED: ("Resolved", "Решено"),
    VerdictState.ACCEPTED: ("Accepted: they do contradict", "Принято: противоречие есть"),
    "right": ("{state}: {number} is right", "{state}: верно {number}"),
}


def findings_markdown(
    findings: Sequence[ClaimFinding], standing: ScanStanding, links: NoteLinks, language: str, today: date
) -> str:
    """Return the note: each kind apart, in a language, with links as `links` writes them.

    Quotes are words there: nothing of them is a link, a tag or markup.
    """
    return "\n".join(_Page(links, _phrases(language), today).lines(findings, standing))


Say = Callable[..., str]


def _phrases(language: str) -> Say:
    place = 1 if language == "ru" else 0

    def say(name: str, **values: object) -> str:
        return _SAID[name][place].format(**values)

    return say


class _Page:
    def __init__(self, links: NoteLinks, say: Say, today: date) -> None:
        self._links, self._say, self._today = links, say, today

    def lines(self, findings: Sequence[ClaimFinding], standing: ScanStanding) -> Iterator[str]:
        say = self._say
        count = sum(one.kind is FindingKind.CONTRADICTION and one.is_open(self._today) for one in findings)
        told = say("open", count=count)
        yield from (f"# {say('title')}", "", say("as_of", day=self._today, count=told, claims=standing.claims), "")
        if not standing.is_whole:
            owed = {"notes": standing.notes_owed, "claims": standing.claims_owed, "pairs": standing.not_judged}
            yield from (say("owed", **owed), "")
        if not findings:
            yield from (say("nothing"), "")
        for kind in FindingKind:
            of_kind = [one for one in findings if one.kind is kind]
            if of_kind:
                yield from (f"## {say(kind)}", "")
            for finding in of_kind:
                yield from self._finding(finding)

    def _finding(self, finding: ClaimFinding) -> Iterator[str]:
        yield from (f"### {plain(finding.reason)}", "")
        for number, claim in enumerate((finding.one, finding.other), start=1):
            yield from (f"{number}. {self._place(claim)}", f"   > {plain(claim.quote)}", "")
        about = [self._say("sure", sure=finding.confidence), self._verdict(finding)]
        yield from (f"{'. '.join(filter(None, about))}. `{finding.key}`", "")

    def _place(self, claim: Claim) -> str:
        link = self._links.to(Citation(1, claim.path, claim.heading_path, "", claim.span, claim.quote, "verbatim", 1.0))
        line = self._say("line", line=claim.span.first_line)
        return f"{link}, {line} — {self._holder(claim)}, {self._when(claim.as_of)}"

    def _holder(self, claim: Claim) -> str:
        if claim.holder is Holder.QUOTED and not claim.speaker:
            return self._say("somebody")
        return self._say(claim.holder, speaker=plain(claim.speaker)).strip()

    def _when(self, as_of: AsOf | None) -> str:
        if as_of is None:
            return self._say("undated")
        if not as_of.last:
            day = self._say("since", first=as_of.first)
        elif not as_of.first:
            day = self._say("until", last=as_of.last)
        else:
            day = as_of.first if as_of.first == as_of.last else f"{as_of.first}…{as_of.last}"
        return f"{day} ({self._say(as_of.source)})"

    def _verdict(self, finding: ClaimFinding) -> str:
        verdict = finding.decided
        if verdict is None:
            return ""
        state = self._say(verdict.state, until=verdict.until)
        sides = {finding.one.key: 1, finding.other.key: 2}
        if verdict.right in sides:
            state = self._say("right", state=state, number=sides[verdict.right])
        return f"{state}: {plain(verdict.note)}" if verdict.note else state
