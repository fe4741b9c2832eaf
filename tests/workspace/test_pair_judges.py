"""The chat model's part in a look for contradictions: who takes part, and what becomes of failures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, LeaningModel, ScriptedModel
from vaultrag.answering.judging.calibration import WORDING
from vaultrag.answering.judging.calibration_files import (
    MEASURED_NAME,
    PAIR_WORDING,
    KnownCalibration,
    KnownPairLines,
)
from vaultrag.config import Config, Settings
from vaultrag.domain import ChatModel, Message, Piece, Role, Sampling
from vaultrag.errors import ModelCrashed
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace import Ownership, Workspace

NOTES = {
    "Сарай.md": "Гарантия на насос: 24 месяца, чек в папке.\n",
    "Дача.md": "Гарантия на насос: 3 года, чек в папке.\n",
    "Hut.md": "The walk to the hut takes 90 minutes.\n",
    "Weekend.md": "To the hut it's three hours of walk.\n",
}
RUSSIAN, ENGLISH = ("Дача.md", "Сарай.md"), ("Hut.md", "Weekend.md")
FORM = {"same_subject": True, "same_attribute": True, "same_time": True}


@dataclass
class FailingModel(ScriptedModel):
    """Dies at each question until it is told to answer."""

    replies: Sequence[str] = field(default_factory=lambda: [json.dumps({**FORM, "verdict": "entailed"})])
    is_dead: bool = True
    asked: int = 0

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        self.asked += 1
        if self.is_dead:
            raise ModelCrashed("The model's process ended.", "Run the command again.")
        return super().generate(messages, sampling)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    vault = tmp_path / "vault"
    vault.mkdir()
    for path, text in NOTES.items():
        (vault / path).write_text(text, encoding="utf-8")
    return Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())


def measured(config: Config, *, follows: dict[str, float]) -> None:
    """Have the leaning model's lines drawn on this machine."""
    config.models.mkdir()
    known = KnownCalibration("leaning", "leaning", WORDING, pairs=KnownPairLines(PAIR_WORDING, follows))
    (config.models / MEASURED_NAME).write_text(json.dumps([asdict(known)]), encoding="utf-8")


def opened(config: Config, answer: ChatModel | None, judge: ChatModel | None = None) -> Workspace:
    others = {Role.JUDGE: judge} if judge else {}
    made = Workspace(config, Ownership.OWN, ModelPool.given(config, HashEmbedder(), answer, others=others))
    made.index(lambda *_: None, DeletionPolicy.ACCEPT)
    made.findings.extract()
    return made


def test_measured_model_takes_back_what_follows_and_is_asked_once(config: Config) -> None:
    measured(config, follows={"ru": 1.0, "en": 1.0})
    model = LeaningModel({"насос": 2.0, "hut": 0.0})
    with opened(config, model) as made:
        made.findings.compare()
        assert [one.paths for one in made.findings.all()] == [ENGLISH]
        [removed] = made.findings.removed("ru")
        assert (removed.paths, removed.gate, removed.reason) == (RUSSIAN, "follows", "Одно следует из другого.")
        standing = made.findings.standing()
        assert (standing.judge, standing.is_whole, standing.removed) == ("leaning", True, 1)
        assert len(model.prompts) == 4  # both pairs, in both orders
        assert made.findings.compare() == 0
        (config.vault / "Weekend.md").write_text("To the hut it's four hours of walk.\n", encoding="utf-8")
        made.index(lambda *_: None, DeletionPolicy.ACCEPT)
        made.findings.extract()
        made.findings.compare()
        assert len(model.prompts) == 6  # only what changed is asked about again
        assert [one.paths for one in made.findings.removed()] == [RUSSIAN]


def test_model_that_nobody_measured_is_named_and_takes_nothing_back(config: Config) -> None:
    model = LeaningModel({"": 9.0})
    with opened(config, model) as made:
        made.findings.compare()
        assert len(made.findings.all()) == 2
        standing = made.findings.standing()
    assert (standing.unmeasured, standing.judge, standing.is_whole, model.prompts) == ("leaning", "", True, [])


def test_without_a_model_code_alone_compares(config: Config) -> None:
    with opened(config, None) as made:
        made.findings.compare()
        standing = made.findings.standing()
        assert (len(made.findings.all()), standing.unmeasured, standing.judge) == (2, "", "")
        assert standing.is_whole


def test_model_that_the_settings_name_as_judge_reads_both_claims(config: Config) -> None:
    reader = ScriptedModel([json.dumps({**FORM, "verdict": "changed"})], name="large")
    with opened(config, LeaningModel({}), reader) as made:
        made.findings.compare()
        assert made.findings.all() == []
        assert {one.gate for one in made.findings.removed()} == {"read"}
        assert made.findings.standing().judge == "large"
        assert len(reader.prompts) == 2
        assert made.findings.compare() == 0
        assert len(reader.prompts) == 2


def test_stronger_model_judges_again_what_was_judged(config: Config) -> None:
    measured(config, follows={"": 1.0})
    with opened(config, LeaningModel({"": 2.0})) as made:
        made.findings.compare()
        assert made.findings.all() == []
    reader = ScriptedModel([json.dumps({**FORM, "verdict": "contradiction"})], name="large")
    with opened(config, LeaningModel({"": 2.0}), reader) as made:
        assert made.findings.standing().claims_owed > 0
        made.findings.compare()
        assert len(made.findings.all()) == 2


def test_judge_that_dies_leaves_its_pairs_not_judged_until_it_lives(config: Config) -> None:
    reader = FailingModel(name="large")
    with opened(config, LeaningModel({}), reader) as made:
        with pytest.raises(ModelCrashed, match="2 pairs"):
            made.findings.compare()
        standing = made.findings.standing()
        assert (len(made.findings.all()), standing.not_judged, standing.is_whole) == (2, 2, False)
        reader.is_dead = False
        made.findings.compare()
        assert made.findings.standing().is_whole
        assert made.findings.all() == []
