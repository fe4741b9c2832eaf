"""`ask` tells what a scan found about the lines that an answer cites, once, and with the other side."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contradictions.disagreeing import DACHA, HUT, NOTES, SHED, WEEKEND, write_disagreeing
from tests.contradictions.notes import scanned as pairs_of
from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.config import Config, Settings
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStatus,
    AnswerStyle,
    AsOf,
    AsOfSource,
    Citation,
    Claim,
    ClaimFinding,
    Dispute,
    FindingKind,
    Keep,
    Manner,
    Mode,
    VerdictState,
    unwatched,
)
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace
from vaultrag.workspace.contested import with_findings

QUOTES = Manner(style=AnswerStyle.QUOTES)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("contested")
    write_disagreeing(folder / "vault")
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    model = ScriptedModel(["Гарантия на насос: 24 месяца [1]."])
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), model) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
        workspace.findings.extract()
        workspace.findings.compare()
        yield workspace


def asked(workspace: Workspace, question: str, manner: Manner = QUOTES, keep: Keep | None = None) -> Answer:
    events = workspace.ask(question, keep, manner) if keep else workspace.ask(question, manner=manner)
    return next(event.answer for event in events if isinstance(event, AnswerReady))


@pytest.mark.parametrize(
    ("question", "paths", "kind", "reason"),
    [
        ("Где ключ от сарая?", {SHED, DACHA}, FindingKind.CONTRADICTION, "«24 месяца» и «3 года»"),
        ("How many minutes is the walk to the hut?", {HUT, WEEKEND}, FindingKind.CONTRADICTION, "Two lengths of time"),
    ],
)
def test_answer_tells_what_disagrees_with_what_it_cites(
    scanned: Workspace, question: str, paths: set[str], kind: FindingKind, reason: str
) -> None:
    answer = asked(scanned, question)
    [finding] = [one for one in answer.findings if {one.one.path, one.other.path} == paths]
    assert (finding.kind, reason in finding.reason) == (kind, True)
    cited = {citation.number: citation for citation in answer.citations}
    assert finding.citations
    assert all(cited[number].path in paths for number in finding.citations)


def test_longer_answer_tells_it_too(scanned: Workspace) -> None:
    answer = asked(scanned, "Какая гарантия на насос?", Manner(style=AnswerStyle.QUOTES, mode=Mode.DEEP))
    assert any({one.one.path, one.other.path} == {SHED, DACHA} for one in answer.findings)


def told(answer: Answer, *found: ClaimFinding) -> list[str]:
    """Return the keys of the findings that an answer tells, of those that touch it."""

    def events() -> Generator[AnswerEvent, None, None]:
        yield AnswerReady(answer)

    [event] = with_findings(events(), lambda _: found)
    assert isinstance(event, AnswerReady)
    return [one.key for one in event.answer.findings]


def finding() -> ClaimFinding:
    [found] = pairs_of({HUT: NOTES[HUT], WEEKEND: NOTES[WEEKEND]}).found
    return found.said("en")


def citing(*claims: Claim) -> Answer:
    citations = tuple(
        Citation(number, claim.path, (), "", claim.span, claim.quote, "verbatim", 1.0)
        for number, claim in enumerate(claims, start=1)
    )
    return Answer("How long?", AnswerStatus.ANSWERED, "90 minutes [1].", (), citations, (), "", {}, {})


def test_what_the_answer_disputes_itself_is_not_told_twice() -> None:
    found = finding()
    answer = citing(found.one, found.other)
    assert told(answer, found) == [found.key]
    assert told(replace(answer, disputes=(Dispute("90 minutes, but three hours", (1, 2)),)), found) == []
    assert told(replace(answer, disputes=(Dispute("of another thing", (1,)),)), found) == [found.key]


def test_only_words_that_are_cited_are_touched() -> None:
    found = finding()
    span = found.one.span
    beside = replace(found.one, span=replace(span, first_column=span.last_column + 1, last_column=span.last_column + 9))
    assert told(citing(beside), found) == []
    assert told(citing(replace(found.one, path="Other.md")), found) == []


def test_superseded_one_is_told_where_the_earlier_side_is_cited() -> None:
    found = replace(finding(), kind=FindingKind.SUPERSEDED)
    earlier = replace(found.one, as_of=AsOf("2024-05-01", "2024-05-01", AsOfSource.TEXT))
    later = replace(found.other, as_of=AsOf("2025-05-01", "2025-05-01", AsOfSource.TEXT))
    dated = replace(found, one=earlier, other=later)
    assert told(citing(earlier), dated) == [dated.key]
    assert told(citing(later), dated) == []
    assert told(citing(later), found) == [found.key]  # without days nobody knows which is the later one


def test_few_are_told_the_surest_first_and_none_that_is_only_possible() -> None:
    found = finding()
    many = [replace(found, key=f"{number}", confidence=number / 10) for number in range(5)]
    later = replace(found, key="superseded", kind=FindingKind.SUPERSEDED, confidence=1.0)
    assert told(citing(found.one), later, *many) == ["4", "3", "2"]
    assert told(citing(found.one), replace(found, kind=FindingKind.POSSIBLE)) == []
    assert told(citing(), found) == []


def test_what_was_decided_is_told_no_more_and_what_is_kept_follows_its_notes(scanned: Workspace) -> None:
    answer = asked(scanned, "Where does the walk lead?", keep=Keep(saved=True))
    [finding] = [one for one in answer.findings if {one.one.path, one.other.path} == {HUT, WEEKEND}]
    kept = scanned.archive.answer(answer.saved)
    assert kept.answer.findings == answer.findings
    assert {HUT, WEEKEND} <= set(kept.paths)
    scanned.findings.decide(finding.key, VerdictState.ACCEPTED)
    assert all(one.key != finding.key for one in asked(scanned, "Where does the walk lead?").findings)
    scanned.findings.reopen(finding.key)


def test_question_is_answered_where_nothing_was_ever_compared(tmp_path: Path) -> None:
    write_disagreeing(tmp_path / "vault")
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "m", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
        answer = asked(workspace, "How many minutes is the walk to the hut?")
    assert answer.citations
    assert answer.findings == ()


@pytest.mark.parametrize("question", ["How long is the walk?", "Сколько минут идти?"])
def test_what_is_asked_for_is_told_first(question: str) -> None:
    found = replace(finding(), confidence=0.5)
    beside = replace(
        found,
        key="beside",
        confidence=1.0,
        one=replace(found.one, quote="The key lies in the shed."),
        other=replace(found.other, quote="The key lies at home."),
    )
    asked_for = replace(citing(found.one), question=question)
    assert told(asked_for, beside, found) == [found.key, "beside"]
