"""The form in which analyses are kept: read as it was written, and from strangers only if it is one."""

from __future__ import annotations

import json

import pytest

from vaultrag.domain import Analysis, AnalysisEntry, AnalysisSection, AnswerStyle, Citation, KeptAnalysis, Span, Tie
from vaultrag.errors import IndexDamaged, IndexTooNew
from vaultrag.records.analyses import as_saved
from vaultrag.records.stored import is_sound, notes_of, retarget
from vaultrag.records.stored_analyses import kept_body, read_kept
from vaultrag.store.journal import Entry
from vaultrag.store.records import Kind

NOTE, LISTED = "Дом/Бойлер.md", "Дом/Счётчик.md"
CITED = Citation(1, LISTED, ("Счётчик",), "", Span(3, 1, 3, 20), "В феврале 214 кВт·ч.", "verbatim", 0.0)
KEPT = KeptAnalysis(
    "a1b2c3",
    "2026-11-30T02:00:00.000+00:00",
    "/home/me/analysed/Бойлер.md",
    Analysis(
        path=NOTE,
        title="Бойлер",
        heading="Анализ заметки {note}",
        role="инженер",
        template="problem",
        language="ru",
        sections=(
            AnalysisSection(
                "В чём суть",
                "Греет дольше [1]",
                (AnalysisEntry(LISTED, "Счётчик", Tie.LINKED, "цифры", 1, quoted=True),),
                AnswerStyle.QUOTES,
            ),
        ),
        citations=(CITED,),
        related=1,
        trace="a1b2c3",
    ),
    (NOTE, LISTED),
)


def test_analysis_is_read_as_it_was_kept() -> None:
    body = json.loads(json.dumps(kept_body(KEPT)))
    assert read_kept(KEPT.id, body) == KEPT
    assert notes_of(body) == {NOTE, LISTED}
    assert is_sound(Entry(Kind.ANALYSIS, KEPT.id, 1, json.dumps(body)))


def test_analysis_follows_the_notes_that_it_quotes() -> None:
    moved = read_kept(KEPT.id, retarget(kept_body(KEPT), [(LISTED, "Meter.md"), (NOTE, "Boiler.md")]))
    assert moved.analysis.path == "Boiler.md"
    assert moved.analysis.citations[0].path == moved.analysis.sections[0].notes[0].path == "Meter.md"
    assert set(moved.paths) == {"Boiler.md", "Meter.md"}


def test_analysis_is_looked_at_under_the_name_of_its_note() -> None:
    saved = as_saved(KEPT)
    assert saved.answer.question == "Анализ заметки Бойлер"
    assert saved.answer.citations == (CITED,)


def test_form_of_a_newer_version_asks_for_an_update() -> None:
    body = {**kept_body(KEPT), "form": 2}
    with pytest.raises(IndexTooNew):
        read_kept(KEPT.id, body)


@pytest.mark.parametrize("wrong", [{"answer": {"citations": []}}, {"analysis": {}}, {"request": {}}])
def test_what_is_no_analysis_is_refused(wrong: dict[str, object]) -> None:
    body = {**kept_body(KEPT), **wrong}
    with pytest.raises(IndexDamaged):
        read_kept(KEPT.id, body)
    assert not is_sound(Entry(Kind.ANALYSIS, KEPT.id, 1, json.dumps(body)))
