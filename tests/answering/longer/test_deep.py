"""Deep answers: what a first search leads to is found, and every end is a clear answer with a trace to read."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.answering.longer.jury import Juror
from tests.doubles import ScriptedModel
from vaultrag.answering.judging.calibration import Calibration, Thresholds
from vaultrag.config import Config, Settings
from vaultrag.domain import (
    Answer,
    AnswerReady,
    AnswerStatus,
    AnswerStyle,
    ChatModel,
    Generation,
    Manner,
    Message,
    Mode,
    Piece,
    Role,
    Sampling,
    StepTaken,
    Trace,
    unwatched,
)
from vaultrag.errors import ModelCrashed, UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.traces import find_trace, read_traces
from vaultrag.workspace import Ownership, Workspace

CLINIC, CAT, MARINA = "Дом/Ветклиника.md", "Дом/Бублик.md", "Люди/Марина.md"
NOTES = {
    CAT: "# Бублик\n\nКота подобрали у мусорного бака на улице Абашидзе. Лечим его в [[Ветклиника|этой клинике]].\n",
    CLINIC: "# Ветклиника\n\nПриём ведёт Нино Капанадзе, он стоит 60 лари.\n",
    MARINA: "# Марина\n\nМарина сняла студию в доме напротив.\n",
    "Лодка.md": "# Лодка\n\nЗелёную лодку купил [[Гиви]].\n",
    "Люди/Гиви.md": "# Гиви\n\nЖивёт у моря, мастерская общая с [[Вахтанг|Вахтангом]].\n",
    "Люди/Вахтанг.md": "# Вахтанг\n\nАнгар сторожит [[Сторож|его дядя]].\n",
    "Люди/Сторож.md": "# Сторож\n\nСпит до полудня.\n",
    "Storage/Kraken.md": "# Kraken\n\nThe Kraken array keeps its copies in the cellar.\n",
    "Servers/mayak.md": "# mayak\n\nThe restic backup of mayak runs every night at 03:30.\n",
    "Servers/hosts.md": "# hosts\n\nThe restic backup of mayak runs every night at 04:45.\n",
    **{
        f"Журнал/2024-01-{day:02}.md": f"# День {day}\n\nНичего особенного, дождь и {day} писем.\n"
        for day in range(1, 20)
    },
}
BRIDGE = "Кто врач у того, кого подобрали у мусорного бака на Абашидзе?"
DEEP = Manner(mode=Mode.DEEP, style=AnswerStyle.PROSE)


@dataclass(slots=True)
class LostModel(ScriptedModel):
    """A double whose process dies when it is asked to write."""

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        yield ""  # as while the prompt is read
        raise ModelCrashed(f"The model {self.name} ended.", "Ask again.")


@dataclass(slots=True)
class TalkingModel(ScriptedModel):
    """A double that goes on until it is stopped, and keeps how often it was."""

    closed: list[int] = field(default_factory=list)

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        try:
            for number in range(10_000):
                yield f"Приём ведёт Нино Капанадзе номер {number}. "
            yield Generation("", "stop", 0, 0, 0, 0.0, 0.0)
        finally:
            self.closed.append(1)


@dataclass(slots=True)
class HungryModel(ScriptedModel):
    """A double for which every text is long."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [1000 for _ in texts]


def opened(
    folder: Path,
    model: ScriptedModel,
    settings: dict[str, dict[str, object]] | None = None,
    others: Mapping[Role, ChatModel] | None = None,
) -> Workspace:
    config = Config(
        vault=folder / "vault",
        home=folder / "home",
        models=folder / "models",
        settings=Settings.model_validate(settings or {}),
    )
    for path, text in NOTES.items():
        (config.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (config.vault / path).write_text(text, encoding="utf-8")
    workspace = Workspace(config, Ownership.OWN, ModelPool.given(config, None, model, others=others))
    workspace.index(unwatched, DeletionPolicy.GUARD)
    return workspace


def asked(workspace: Workspace, question: str, manner: Manner = DEEP) -> tuple[Answer, list[StepTaken], Trace]:
    events = list(workspace.ask(question, manner=manner))
    last = events[-1]
    assert isinstance(last, AnswerReady)
    steps = [event for event in events if isinstance(event, StepTaken)]
    return last.answer, steps, find_trace(workspace.database, last.answer.trace)


def names(steps: Sequence[StepTaken]) -> list[str]:
    return [step.step for step in steps]


def test_note_that_the_question_does_not_name_is_read_and_cited(tmp_path: Path) -> None:
    model = ScriptedModel(["Приём ведёт Нино Капанадзе [1]."])
    with opened(tmp_path, model) as workspace:
        answer, steps, trace = asked(workspace, BRIDGE)
    assert answer.status is AnswerStatus.ANSWERED
    assert [citation.path for citation in answer.citations] == [CLINIC]
    assert answer.stopped == ""
    assert {"plan", "search", "follow", "evidence", "draft", "check"} <= set(names(steps))
    assert trace.ended
    assert (trace.mode, trace.question) == ("deep", BRIDGE)
    assert [(step.step, step.detail) for step in trace.steps][: len(steps)] == [(s.step, s.detail) for s in steps]
    evidence = "\n".join(step.detail for step in trace.steps if step.step == "evidence")
    assert f"named in {CAT} as “этой клинике”" in evidence
    assert "“Приём ведёт Нино Капанадзе, он стоит 60 лари.”" in evidence
    assert answer.tokens["all"] > 0


def test_what_was_led_to_leads_on(tmp_path: Path) -> None:
    with opened(tmp_path, ScriptedModel(["…"])) as workspace:
        _, steps, _ = asked(workspace, "Кому досталась зелёная лодка?")
    first, second, *_ = [step.detail for step in steps if step.step == "follow"]
    assert "Люди/Вахтанг.md: named in Люди/Гиви.md as “Вахтангом”" in first  # a search finds what a hit links to
    assert "Люди/Сторож.md: named in Люди/Вахтанг.md as “его дядя”" in second


def test_nothing_found_ends_in_the_word_that_the_notes_do_not_say(tmp_path: Path) -> None:
    with opened(tmp_path, ScriptedModel(["Never asked."])) as workspace:
        answer, _, trace = asked(workspace, "Quarterly zeppelin maintenance budget?")
    assert answer.status is AnswerStatus.NOT_IN_VAULT
    assert answer.text == "The notes do not say."
    assert answer.citations == ()
    assert trace.ended
    assert trace.steps[-1].detail.startswith("not_in_vault")


def test_what_a_draft_could_not_back_is_searched_for_and_the_draft_revised(tmp_path: Path) -> None:
    backed = "The restic backup of mayak runs every night at 03:30."
    replies = [f"{backed} It goes to the Kraken array.", f"{backed} Kraken keeps its copies in the cellar."]
    model = ScriptedModel(replies)
    with opened(tmp_path, model, {"answering": {"passages": 1}}) as workspace:
        answer, steps, trace = asked(workspace, "Where does the restic backup of mayak run to?")
    assert names(steps).count("draft") == 2
    assert "not backed: It goes to the Kraken array." in "\n".join(step.detail for step in trace.steps)
    assert any(step.step == "search" and step.detail.startswith("It goes to the Kraken array.") for step in steps)
    assert "revise" in names(steps)
    assert "cellar" in answer.text
    assert "Storage/Kraken.md" in {citation.path for citation in answer.citations}


def test_what_remains_unknown_is_said(tmp_path: Path) -> None:
    said = "The restic backup of mayak runs every night at 03:30. Aurora costs 900 euro."
    with opened(tmp_path, ScriptedModel([said])) as workspace:
        answer, _, trace = asked(workspace, "When does the restic backup of mayak run, and what does Aurora cost?")
    assert answer.status is AnswerStatus.PARTLY
    assert "900" not in answer.text
    assert answer.missing == ("what does Aurora cost",)
    assert answer.stopped == "Nothing more was found for what is missing."
    assert answer.stopped in trace.steps[-1].detail


def test_spent_tokens_end_in_the_notes_own_lines(tmp_path: Path) -> None:
    settings: dict[str, dict[str, object]] = {"answering": {"deep_tokens": 1000}}
    model, planner = ScriptedModel(["Never asked."]), HungryModel(['{"questions": []}'], name="planner")
    with opened(tmp_path, model, settings, {Role.PLAN: planner}) as workspace:
        answer, steps, trace = asked(workspace, BRIDGE)
    assert model.prompts == []
    assert "deep_tokens" in answer.stopped
    assert {citation.path for citation in answer.citations} & {CLINIC, CAT}
    assert "quotes" in names(steps)
    assert "deep_tokens" in trace.steps[-1].detail
    assert trace.ended


def test_spent_time_drafts_nothing_and_answers(tmp_path: Path) -> None:
    settings: dict[str, dict[str, object]] = {"answering": {"deep_seconds": 1e-6}}
    with opened(tmp_path, TalkingModel(["…"]), settings) as workspace:
        answer, steps, trace = asked(workspace, BRIDGE)
    assert "draft" not in names(steps)
    assert "deep_seconds" in answer.stopped
    assert {citation.path for citation in answer.citations} & {CLINIC, CAT}
    assert trace.ended
    assert "deep_seconds" in trace.steps[-1].detail


def test_lost_model_leaves_the_lines_that_were_found(tmp_path: Path) -> None:
    with opened(tmp_path, LostModel(["…"])) as workspace:
        answer, steps, trace = asked(workspace, BRIDGE)
    assert answer.citations
    assert any("scripted ended" in warning for warning in answer.warnings)
    assert "scripted ended" in answer.stopped
    assert "quotes" in names(steps)
    assert trace.ended


def test_evidence_that_disagrees_is_told_with_both_sides(tmp_path: Path) -> None:
    said = " ".join(f"The restic backup of mayak runs every night at {time}." for time in ("03:30", "04:45"))
    with opened(tmp_path, ScriptedModel([said])) as workspace:
        answer, _, trace = asked(workspace, "When does the restic backup of mayak run?")
    assert {citation.path for citation in answer.citations} == {"Servers/mayak.md", "Servers/hosts.md"}
    (dispute,) = answer.disputes
    assert "03:30.” (mayak" in dispute.said
    assert "04:45.” (hosts" in dispute.said
    assert len(dispute.citations) == 2
    assert "disputed: " in "\n".join(step.detail for step in trace.steps if step.step == "check")
    assert trace.ended


def test_side_that_the_draft_leaves_out_is_cited_too(tmp_path: Path) -> None:
    with opened(tmp_path, ScriptedModel(["The restic backup of mayak runs every night at 03:30."])) as workspace:
        answer, _, _ = asked(workspace, "When does the restic backup of mayak run?")
    (dispute,) = answer.disputes
    cited = {citation.number: citation.path for citation in answer.citations}
    assert {cited[number] for number in dispute.citations} == {"Servers/mayak.md", "Servers/hosts.md"}


def test_whoever_leaves_ends_the_trace_where_it_was(tmp_path: Path) -> None:
    model = TalkingModel(["…"])
    with opened(tmp_path, model) as workspace:
        events = workspace.ask(BRIDGE, manner=DEEP)
        for event in events:
            if isinstance(event, StepTaken) and event.step == "draft":
                next(events)
                next(events)
                break
        events.close()
        (trace,) = read_traces(workspace.database)
    assert trace.steps[-1].step == "stopped"
    assert not trace.ended


def test_killed_process_leaves_a_trace_up_to_its_last_step(tmp_path: Path) -> None:
    opened(tmp_path, ScriptedModel(["…"])).close()
    child = os.fork()
    if not child:
        workspace = opened(tmp_path, ScriptedModel(["Приём ведёт Нино Капанадзе [1]."]))
        for event in workspace.ask(BRIDGE, manner=DEEP):
            if isinstance(event, StepTaken) and event.step == "draft":
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    with opened(tmp_path, ScriptedModel(["…"])) as workspace:
        (trace,) = read_traces(workspace.database)
    assert trace.steps[-1].step == "draft"
    assert not trace.ended
    assert trace.question == BRIDGE


def test_scope_holds_for_what_links_lead_to(tmp_path: Path) -> None:
    with opened(tmp_path, ScriptedModel(["Приём ведёт Нино Капанадзе."])) as workspace:
        _, steps, _ = asked(workspace, BRIDGE, Manner("path:Бублик", AnswerStyle.PROSE, Mode.DEEP))
    assert CLINIC not in "\n".join(step.detail for step in steps)


def test_thinking_is_left_room_for_and_a_planner_is_asked(tmp_path: Path) -> None:
    model = ScriptedModel(["Приём ведёт Нино Капанадзе [1]."])
    planner = ScriptedModel(['{"questions": ["Где лечат кота Бублика?"]}'], name="planner")
    with opened(tmp_path, model, others={Role.PLAN: planner}) as workspace:
        _, steps, _ = asked(workspace, BRIDGE)
    assert model.samplings[0].thinking_tokens > 0
    assert planner.prompts[0][-1].content == BRIDGE
    assert any(step.step == "plan" and "Где лечат кота Бублика?" in step.detail for step in steps)


@pytest.mark.parametrize("mode", [Mode.AGREE, Mode.CASCADE])
def test_modes_of_two_models_are_refused_where_there_is_one(tmp_path: Path, mode: Mode) -> None:
    with opened(tmp_path, ScriptedModel(["…"])) as workspace, pytest.raises(UsageError, match="second model"):
        workspace.ask(BRIDGE, manner=Manner(mode=mode))


@pytest.mark.parametrize(
    ("question", "said", "status"),
    [
        ("When does the restic backup of mayak run?", "The backup of mayak runs at 03:30.", AnswerStatus.NOT_IN_VAULT),
        (BRIDGE, "Приём ведёт Нино Капанадзе.", AnswerStatus.ANSWERED),
    ],
)
def test_only_what_a_link_led_to_answers_where_no_passage_was_judged_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str, said: str, status: AnswerStatus
) -> None:
    doubting = Calibration(answerable={"": Thresholds(0.0, 9.0)}, support=Thresholds(-1.0, 1.0))
    monkeypatch.setattr(Workspace, "calibration", lambda *_: doubting)
    with opened(tmp_path, Juror([said], believes=("Statement:",))) as workspace:
        answer, _, _ = asked(workspace, question)
    assert answer.status is status
