"""Findings as a Markdown note: both quotes, links, and nothing of a note that would act in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from tests.contradictions.notes import scanned
from tests.rendered import live
from vaultrag.contradictions.report import findings_markdown
from vaultrag.domain import (
    AsOf,
    AsOfSource,
    ClaimFinding,
    FindingKind,
    Holder,
    ScanStanding,
    Verdict,
    VerdictState,
)
from vaultrag.records.footnotes import NoteLinks

TODAY = date(2026, 3, 5)
WHOLE = ScanStanding(claims=12, notes_owed=0, claims_owed=0, not_judged=0, removed=0)
NOTES = {"Hut.md": "The walk to the hut takes 90 minutes.", "Weekend.md": "To the hut it's three hours of walk."}
LINKS = NoteLinks("x.md", lambda name: [f"{name}.md"])


def finding(language: str = "en") -> ClaimFinding:
    [found] = scanned(NOTES).found
    return found.said(language)


def page(found: list[ClaimFinding], standing: ScanStanding = WHOLE, language: str = "en") -> str:
    return findings_markdown(found, standing, LINKS, language, TODAY)


def test_kinds_stand_apart_and_only_contradictions_count() -> None:
    one = finding()
    others = [replace(one, key=kind, kind=kind) for kind in FindingKind]
    told = page(others)
    assert "open contradictions: 1 among 12 statements" in told
    headings = [line for line in told.split("\n") if line.startswith("## ")]
    assert len(headings) == 4
    assert headings[0] == "## Contradictions"


@pytest.mark.parametrize(("language", "words"), [("en", "Not looked at yet: 2 notes"), ("ru", "Ещё не просмотрено")])
def test_what_was_not_looked_at_is_said(language: str, words: str) -> None:
    told = page([], replace(WHOLE, notes_owed=2, not_judged=1), language)
    assert words in told
    assert words not in page([], WHOLE, language)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ru", ["ассистент qwen3, с 2025-01-02 (так сказано)", "цитируется: Тата, без даты", "Отложено до 2026-04-01"]),
        ("en", ["assistant qwen3, since 2025-01-02 (as it says)", "quoted: Тата, undated", "Put off until 2026-04-01"]),
    ],
)
def test_holder_day_and_verdict_are_told(language: str, said: list[str]) -> None:
    found = finding(language)
    as_of = AsOf("2025-01-02", "", AsOfSource.TEXT)
    one = replace(found.one, holder=Holder.ASSISTANT, speaker="qwen3", as_of=as_of)
    other = replace(found.other, holder=Holder.QUOTED, speaker="Тата", as_of=None)
    verdict = Verdict(found.key, VerdictState.SNOOZED, (), "потом", "2026-04-01")
    told = page([replace(found, one=one, other=other, decided=verdict)], language=language)
    for words in said:
        assert words in told


def test_quote_reason_and_note_of_a_verdict_cannot_act() -> None:
    found = finding()
    evil = "![](https://evil.example/a) <script> [x](javascript:1) [[Note]] #tag"
    verdict = Verdict(found.key, VerdictState.DISMISSED, (), evil)
    told = page([replace(found, reason=evil, one=replace(found.one, quote=evil), decided=verdict)])
    assert [part for part in live(told) if not part.startswith("text ")] == []
    assert not re.search(r"(?<!\\)://", told)  # a colon that is escaped makes no link for any renderer
