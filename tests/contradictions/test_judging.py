"""A judge proposes, code decides: what is asked, once each, and what becomes of a judge that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan

import pytest

from tests.contradictions.notes import claims_of, scanned
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.scan import scan
from vaultrag.domain import PairJudgement, PairVerdict
from vaultrag.errors import ModelError

HUT = {"Hut.md": "The walk to the hut takes 90 minutes.", "Weekend.md": "To the hut it's three hours of walk."}
QUEEN = {
    "Улей у забора.md": "Матка в улье у забора помечена синим маркером.",
    "Осмотр.md": "Матка в улье у забора ходит с зелёным пятном маркером.",
}


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
    notes = {
        "Роутер.md": "Роутер на даче стоит в кладовке у счётчика.",
        "Дача.md": "На даче роутер у счётчика мы повесили на чердаке.",
    }
    assert scanned(notes).found == ()
    found = scanned(notes, Judges(Scores(0.97))).found
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
    assert list(looked.judged.values()) == [None]


def test_pair_that_the_budget_does_not_reach_counts_as_not_judged() -> None:
    judge = Scores(0.9)
    looked = scanned(HUT, Judges(judge, goes_on=lambda: False))
    assert (judge.asked, looked.not_judged, looked.judged) == ([], 1, {})


def test_pair_that_was_judged_is_not_asked_again() -> None:
    judge = Scores(0.9)
    told = scanned(HUT, Judges(judge)).judged
    assert len(judge.asked) == 1
    known = {pair: judgement for pair, judgement in told.items() if judgement}
    again = scanned(HUT, Judges(judge, known=known))
    assert len(judge.asked) == 1
    assert (again.not_judged, len(again.found)) == (0, 1)


def test_veto_takes_back_what_follows() -> None:
    judges = Judges(Scores(0.9), veto=lambda pairs: [True] * len(pairs))
    assert scanned(HUT, judges).found == ()


def test_nothing_is_compared_where_nothing_changed() -> None:
    claims, judge = claims_of(HUT), Scores(0.9)
    looked = scan(claims, set(), lambda claim: claim.quote, Judges(judge))
    assert (looked.found, judge.asked, sum(looked.verdicts.values())) == ((), [], 0)
