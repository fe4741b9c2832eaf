"""Who judges pairs of claims: what the settings name. A judge that is not here, or fails, leaves pairs not judged."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from vaultrag.config import Config
from vaultrag.contradictions.judging import Veto
from vaultrag.contradictions.scan import Judges
from vaultrag.domain import PairJudge, PairJudgement, Role
from vaultrag.errors import ModelError
from vaultrag.runtime.cross_encoder.judge import CrossEncoderJudge, open_judge
from vaultrag.runtime.models.combinations import role_map


class PairJudges:
    """The judges of one look. `failure` is what the last one failed by, None where none did.

    The processes behind them start with the first pair, and end with `close`.
    """

    def __init__(self, config: Config, veto: Veto | None = None) -> None:
        self.failure: ModelError | None = None
        self._veto = veto
        self._opened: CrossEncoderJudge | None = None
        self._judge: PairJudge | None = None
        try:
            self._opened = open_judge(config)
            self._judge = self._opened
        except ModelError as error:
            self._judge = _Absent(role_map(config.settings, config.models).model_of(Role.SCAN), error)

    @property
    def name(self) -> str:
        """The judge's name, empty where the settings name none."""
        return self._judge.name if self._judge else ""

    @property
    def judges(self) -> Judges:
        return Judges(_Heard(self._judge, self) if self._judge else None, self._veto)

    def close(self) -> None:
        if self._opened is not None:
            with suppress(ModelError):
                self._opened.close()


class _Heard:
    """A judge whose failures are told to whoever asked for it."""

    def __init__(self, judge: PairJudge, told: PairJudges) -> None:
        self._judge, self._told = judge, told

    @property
    def name(self) -> str:
        return self._judge.name

    @property
    def fingerprint(self) -> str:
        return self._judge.fingerprint

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        try:
            return self._judge.judge_pairs(pairs)
        except ModelError as error:
            self._told.failure = error
            raise


class _Absent:
    """Stands for a judge whose files are not here: every pair is not judged, by its own reason."""

    def __init__(self, name: str, error: ModelError) -> None:
        self.name = name
        self.fingerprint = f"absent {name}"
        self._error = error

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:  # noqa: ARG002
        raise self._error
