"""The large model is asked where the small one's answer fails its checks, and only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.answering.longer.jury import BACKUP, EARLY, Juror, asked, detail, opened
from vaultrag.answering.longer.cascade import failed_check
from vaultrag.domain import Answer, AnswerStatus, Backing, Level, Mode, Role, Sentence, SentenceState, Sureness
from vaultrag.errors import ModelCrashed


def test_large_model_is_asked_with_the_evidence_where_the_small_one_fails(tmp_path: Path) -> None:
    small = Juror(["Zeppelins are repaired in June."], name="small")
    large = Juror([EARLY], name="large")
    with opened(tmp_path, small, {Role.FINAL: large}) as workspace:
        answer, steps = asked(workspace, BACKUP, Mode.CASCADE)
    assert answer.model == "large"
    assert answer.status is AnswerStatus.ANSWERED
    assert "03:30" in answer.text
    assert "large is asked" in detail(steps, "hand over")
    asked_small, asked_large = (model.prompts[0][-1].content for model in (small, large))
    assert sorted(asked_small.splitlines()[1::3]) == sorted(asked_large.splitlines()[1::3])


def test_large_model_is_not_asked_where_every_check_holds(tmp_path: Path) -> None:
    small, large = Juror([EARLY], name="small"), Juror(["Never asked."], name="large")
    with opened(tmp_path, small, {Role.FINAL: large}) as workspace:
        answer, steps = asked(workspace, BACKUP, Mode.CASCADE)
    assert large.prompts == []
    assert answer.model == "small"
    assert "Every check holds" in detail(steps, "check")


def test_unsure_answer_of_a_measured_model_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = Juror([EARLY], name="small"), Juror([EARLY], name="large")
    with opened(tmp_path, small, {Role.FINAL: large}, monkeypatch) as workspace:
        answer, steps = asked(workspace, BACKUP, Mode.CASCADE)
    assert answer.level is Level.WEAK
    assert "It is not sure." in detail(steps, "hand over")
    assert len(large.prompts) == 1


def test_lost_large_model_leaves_the_small_ones_answer_with_a_warning(tmp_path: Path) -> None:
    small = Juror([f"{EARLY} Zeppelins are repaired in June."], name="small")
    with opened(tmp_path, small, {Role.FINAL: Juror([""], name="large", fails=ModelCrashed)}) as workspace:
        answer, _ = asked(workspace, BACKUP, Mode.CASCADE)
    assert "03:30" in answer.text
    assert any("large was to be asked and was lost" in warning for warning in answer.warnings)
    assert answer.stopped == "large was lost."


def test_lost_small_model_hands_over_at_once(tmp_path: Path) -> None:
    small = Juror([""], name="small", fails=ModelCrashed)
    with opened(tmp_path, small, {Role.FINAL: Juror([EARLY], name="large")}) as workspace:
        answer, _ = asked(workspace, BACKUP, Mode.CASCADE)
    assert "03:30" in answer.text
    assert any("small was lost" in warning for warning in answer.warnings)


def test_nothing_found_is_handed_to_nobody(tmp_path: Path) -> None:
    small, large = Juror(["…"], name="small"), Juror(["…"], name="large")
    with opened(tmp_path, small, {Role.FINAL: large}) as workspace:
        answer, _ = asked(workspace, "Quarterly zeppelin maintenance budget?", Mode.CASCADE)
    assert answer.status is AnswerStatus.NOT_IN_VAULT
    assert large.prompts == small.prompts == []


WHOLE = Answer(
    "", AnswerStatus.ANSWERED, "At 03:30.", (Sentence(1, "At 03:30.", SentenceState.CITED, ()),), (), (), "", {}, {}
)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (WHOLE, ""),
        (replace(WHOLE, missing=("and where to",)), "A part of the question has no answer."),
        (replace(WHOLE, status=AnswerStatus.PARTLY), "It is no whole answer."),
        (replace(WHOLE, sentences=()), "It is no whole answer."),
        (
            replace(WHOLE, sentences=(replace(WHOLE.sentences[0], support=Backing.NOT_BACKED),)),
            "Not every sentence has its source in the notes.",
        ),
        (replace(WHOLE, level=Level.WEAK, sureness=Sureness(Level.WEAK, calibrated=True)), "It is not sure."),
        (replace(WHOLE, level=Level.WEAK, sureness=Sureness(Level.WEAK)), ""),
        (replace(WHOLE, stopped="It reached answering.max_tokens."), "It reached answering.max_tokens."),
    ],
)
def test_the_check_that_fails_is_named(answer: Answer, why: str) -> None:
    assert failed_check(answer) == why
