"""Who judges pairs of claims: what the settings name. A judge that is not here, or fails, leaves pairs not judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from vaultrag.answering.judging.calibration import PairLines
from vaultrag.answering.judging.calibration_files import pair_lines_of
from vaultrag.config import Config
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.questions import QuestionJudge
from vaultrag.contradictions.reader import ClaimReader
from vaultrag.domain import ChatModel, PairJudge, PairJudgement, Role
from vaultrag.errors import ModelError, ModelNotFound
from vaultrag.runtime.cross_encoder.judge import CrossEncoderJudge, open_judge
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.combinations import role_map
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace.judging import judge_key

ASKING_SECONDS = 1_800.0  # of one look: what the judges are not asked by then stays owed to the next


class PairJudges:
    """The judges of one look. `failure` is what the last one failed by, None where none did.

    `unmeasured` names a chat model that would judge, if anybody had measured what its word on claims is worth. The
    processes behind them start with the first pair; those of networks end with `close`.
    """

    def __init__(self, config: Config, models: ModelPool) -> None:
        self.failure: ModelError | None = None
        self.unmeasured = ""
        self._opened: CrossEncoderJudge | None = None
        self._judge = self._of_settings(config)
        self._veto: PairJudge | None = None
        self._reader: ClaimReader | None = None
        self._add_chat_model(models)
        self._until = time.monotonic() + ASKING_SECONDS

    @property
    def name(self) -> str:
        """Who judges: the one that proposes, else the one that takes back. Empty where code alone compares."""
        judges = (self._judge, self._reader, self._veto)
        return next((judge.name for judge in judges if judge is not None), "")

    @property
    def judges(self) -> Judges:
        return Judges(
            judge=self._judge,
            veto=self._veto,
            reader=self._reader,
            goes_on=lambda: time.monotonic() < self._until,
            failed=self._note,
        )

    def _note(self, failure: ModelError) -> None:
        self.failure = failure

    def close(self) -> None:
        if self._opened is not None:
            with suppress(ModelError):
                self._opened.close()

    def _of_settings(self, config: Config) -> PairJudge | None:
        try:
            self._opened = open_judge(config)
        except ModelError as error:
            return _Absent(role_map(config.settings, config.models).model_of(Role.SCAN), error)
        return self._opened

    def _add_chat_model(self, models: ModelPool) -> None:
        """Have the model of `roles.judge` take part, if it is here: a large one reads, a measured one has a veto."""
        try:
            model = models.chat(Role.JUDGE)
            key = judge_key(models, Role.JUDGE)
        except ModelNotFound:
            return
        except ModelError as error:
            self._veto = _Absent(models.roles.model_of(Role.JUDGE), error)
            return
        if _reads(models, model):
            self._reader = ClaimReader(model, key)
            return
        lines = pair_lines_of(key, models.config.models)
        if lines.follows:
            self._veto = QuestionJudge(model, PairLines(follows=lines.follows), key)
        if lines.contradicts and self._judge is None:
            self._judge = QuestionJudge(model, lines, key)
        if not lines.follows and not lines.contradicts:
            self.unmeasured = model.name


def _reads(models: ModelPool, model: ChatModel) -> bool:
    """Tell whether a model is large enough to read two claims: the catalogue says so, or the user names it for that.

    A server that only answers is not named for it: claims of all notes would go there unasked.
    """
    if isinstance(model, ChildModel):
        entry = find_model(models.roles.model_of(Role.JUDGE), ModelKind.CHAT, models.config.models)
        return Role.JUDGE in entry.roles
    return bool(models.roles.models.get(Role.JUDGE))


class _Absent:
    """Stands for a judge whose files are not here: every pair is not judged, by its own reason."""

    def __init__(self, name: str, error: ModelError) -> None:
        self.name = name
        self.fingerprint = f"absent {name}"
        self._error = error

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:  # noqa: ARG002
        raise self._error
