"""A judge proposes, code decides: what is asked, once each, and what becomes of a judge that fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import nan

import pytest

from tests.contradictions.notes import claims_of, scanned
from tests.doubles import ScriptedModel
from vaultrag.contradictions.comparing.reasons import Ground
from vaultrag.contradictions.decision import FOLLOWS
from vaultrag.contradictions.gates import Gate
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.reader import ClaimReader
from vaultrag.contradictions.scan import scan
from vaultrag.domain import PairJudgement, PairVerdict
from vaultrag.errors import ModelError

HUT = {"Hut.md": "The walk to the hut takes 90 minutes.", "Weekend.md": "To the hut it's three hours of walk."}
QUEEN = {
    "Улей у забора.md": "Матка в улье у забора помечена синим маркером.",
    "Осмотр.md": "Матка в улье у забора ходит с зелёным пятном маркером.",
}
PUMP = {"Насос.md": "Гарантия на насос: 24 месяца.", "Дача.md": "Гарантия на насос: 3 года."}
ROUTER = {
    "Роутер.md": "Роутер на даче стоит в кладовке у счётчика.",
    "Дача.md": "На даче роутер у счётчика мы повесили на чердаке.",
}


def form(verdict: str, sames: bool) -> str:
    same = dict.fromkeys(("same_subject", "same_attribute", "same_time"), sames)
    return json.dumps({**same, "verdict": verdict})


class Scores:
    """A judge that gives every pair the same scores, and remembers what it was asked."""

    name = fingerprint = "same for all"

    def __init__(self, contradiction: float, entailment: float = 0.0) -> None:
        self._told = PairJudgement(contradiction, entailment)
        self.asked: list[tuple[str, str]] = []

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        self.asked += pairs
        return [self._told] * len(pairs)


class Broken:
    name = fingerprint = "broken"

    def __init__(self, answer: Callable[[int], list[PairJudgement]]) -> None:
        self._answer = answer

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        return self._answer(len(pairs))


def _fails(count: int) -> list[PairJudgement]:
    raise ModelError("It died.", "Try again.")


def test_judge_that_sees_no_contradiction_takes_back_what_code_found() -> None:
    assert len(scanned(HUT).found) == 1
    looked = scanned(HUT, Judges(Scores(0.02, entailment=0.95)))
    assert looked.found == ()
    assert looked.verdicts[PairVerdict.CONSISTENT] >= 1


def test_what_only_the_judge_sees_is_possible() -> None:
    assert scanned(ROUTER).found == ()
    found = scanned(ROUTER, Judges(Scores(0.97))).found
    assert [finding.told.possible for finding in found] == [True]


def test_judge_cannot_make_a_contradiction_of_what_time_explains() -> None:
    notes = {
        "Стирка.md": "С мая 2022 стирка в прачечной стоит 300 рублей.",
        "Прачечная.md": "С марта 2024 стирка в прачечной стоит 450 рублей.",
    }
    found = scanned(notes, Judges(Scores(0.99))).found
    assert [finding.told.verdict for finding in found] == [PairVerdict.SUPERSEDED]


@pytest.mark.parametrize(
    "answer",
    [
        _fails,
        lambda count: [],
        lambda count: [PairJudgement(nan, 0.0)] * count,
        lambda count: [PairJudgement(7.0, 0)] * count,
    ],
)
def test_judge_that_fails_or_talks_nonsense_has_not_judged(answer: Callable[[int], list[PairJudgement]]) -> None:
    looked = scanned(HUT, Judges(Broken(answer)))
    assert looked.not_judged == 1
    assert [*looked.judged["broken"].values()] == [None]


def test_pair_that_the_budget_does_not_reach_counts_as_not_judged() -> None:
    judge = Scores(0.9)
    looked = scanned(HUT, Judges(judge, goes_on=lambda: False))
    assert (judge.asked, looked.not_judged, len(looked.owed)) == ([], 1, 2)


def test_pair_that_was_judged_is_not_asked_again() -> None:
    judge = Scores(0.9)
    told = scanned(HUT, Judges(judge)).judged[judge.fingerprint]
    assert len(judge.asked) == 1
    known = {pair: judgement for pair, judgement in told.items() if judgement}
    again = scanned(HUT, Judges(judge, known={judge.fingerprint: known}))
    assert len(judge.asked) == 1
    assert (again.not_judged, len(again.found)) == (0, 1)


@pytest.mark.parametrize("notes", [HUT, PUMP])
def test_veto_takes_back_what_follows_and_it_can_be_looked_at(notes: Mapping[str, str]) -> None:
    veto = Scores(0.0, entailment=FOLLOWS)
    looked = scanned(notes, Judges(veto=veto))
    assert (looked.found, len(veto.asked), looked.not_judged) == ((), 1, 0)
    [removed] = looked.removed
    assert removed.removal is not None
    assert (removed.removal.gate, removed.told.reason.ground) == (Gate.FOLLOWS, Ground.ENTAILED)


def test_veto_that_sees_no_contradiction_takes_nothing_back() -> None:
    assert len(scanned(HUT, Judges(veto=Scores(0.0, entailment=FOLLOWS - 0.01))).found) == 1


def test_veto_is_not_asked_about_what_code_explains() -> None:
    veto = Scores(0.0, entailment=1.0)
    notes = {"Насос.md": "Гарантия на насос: 24 месяца.", "Дача.md": "Гарантия на насос: 2 года."}
    assert scanned(notes, Judges(veto=veto)).removed == ()
    assert veto.asked == []


def test_veto_that_fails_leaves_the_finding_and_has_not_judged() -> None:
    looked = scanned(HUT, Judges(veto=Broken(_fails)))
    assert (len(looked.found), looked.not_judged, len(looked.owed)) == (1, 1, 2)


@pytest.mark.parametrize(
    ("verdict", "sames", "found", "gate"),
    [
        ("contradiction", True, 1, None),
        ("different", False, 0, Gate.READ),
        ("changed", False, 0, Gate.READ),
        ("entailed", True, 0, Gate.FOLLOWS),
    ],
)
@pytest.mark.parametrize("notes", [HUT, PUMP])
def test_model_that_reads_both_takes_back_where_it_sees_no_contradiction(
    notes: Mapping[str, str], verdict: str, sames: bool, found: int, gate: Gate | None
) -> None:
    looked = scanned(notes, Judges(reader=ClaimReader(ScriptedModel([form(verdict, sames)]), "scripted")))
    assert (len(looked.found), looked.not_judged) == (found, 0)
    assert [one.removal.gate for one in looked.removed if one.removal] == ([gate] if gate else [])


def test_model_that_reads_both_proposes_what_no_value_tells() -> None:
    reader = ClaimReader(ScriptedModel([form("contradiction", True)]), "scripted")
    assert [one.told.possible for one in scanned(ROUTER, Judges(reader=reader)).found] == [True]
    reader = ClaimReader(ScriptedModel([form("different", False)]), "scripted")
    assert scanned(ROUTER, Judges(reader=reader)).found == ()


@pytest.mark.parametrize("said", ["I think so.", form("contradiction", False)])
def test_form_that_means_nothing_leaves_the_finding_and_has_not_judged(said: str) -> None:
    looked = scanned(HUT, Judges(reader=ClaimReader(ScriptedModel([said]), "scripted")))
    assert (len(looked.found), looked.not_judged) == (1, 1)


def test_nothing_is_compared_where_nothing_changed() -> None:
    claims, judge = claims_of(HUT), Scores(0.9)
    looked = scan(claims, set(), lambda claim: claim.quote, Judges(judge))
    assert (looked.found, judge.asked, sum(looked.verdicts.values())) == ((), [], 0)
