"""The judge of contradictions: how much two claims contradict each other, and whether one follows from the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaultrag.config import Config
from vaultrag.domain import PairJudgement, Role
from vaultrag.errors import ModelError
from vaultrag.runtime.cross_encoder.model import ChildCrossEncoder
from vaultrag.runtime.models.catalogue import ModelEntry, ModelKind, find_model
from vaultrag.runtime.models.combinations import role_map
from vaultrag.runtime.models.installed import RESTORE, fingerprint, require_model
from vaultrag.runtime.models.manifest import read_manifest, sha256_of

ENTAILMENT, CONTRADICTION = "entailment", "contradiction"
BASE_WEIGHTS = "model.safetensors"


class CrossEncoderJudge:
    """Judges pairs of claims by a network that knows entailment and contradiction. A domain.PairJudge.

    A contradiction of `threshold` or more is worth a second look.
    """

    def __init__(self, network: ChildCrossEncoder, threshold: float = 0.5) -> None:
        self._network = network
        self.threshold = threshold

    @property
    def name(self) -> str:
        return self._network.name

    @property
    def fingerprint(self) -> str:
        return self._network.fingerprint

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        """Judge each pair in both directions; what either says, the pair is. Raises ModelError or ModelCrashed."""
        entailment, contradiction = self._columns()
        rows = self._network.classify([*pairs, *((second, first) for first, second in pairs)])
        either = np.maximum(rows[: len(pairs)], rows[len(pairs) :])
        return [PairJudgement(float(row[contradiction]), float(row[entailment])) for row in either]

    def close(self) -> None:
        """End its process; a later pair starts it anew."""
        self._network.close()

    def _columns(self) -> tuple[int, int]:
        classes = self._network.classes
        if not {ENTAILMENT, CONTRADICTION} <= set(classes):
            raise ModelError(
                f"The model {self.name} does not say entailment and contradiction, but {', '.join(classes)[:100]}.",
                "Name another in the settings (roles.scan); `vaultrag models list` shows those of kind `judge`.",
            )
        return classes.index(ENTAILMENT), classes.index(CONTRADICTION)


def open_judge(config: Config) -> CrossEncoderJudge | None:
    """Return the judge that the settings name (`roles.scan`), None where they name none. Its process starts later.

    Raises ModelNotFound where its files or its embedder's are not here, ModelError where they are not those named.
    """
    name = role_map(config.settings, config.models).model_of(Role.SCAN)
    if not name:
        return None
    entry = find_model(name, ModelKind.JUDGE, config.models)
    return CrossEncoderJudge(open_cross_encoder(entry, config), entry.threshold)


def open_cross_encoder(entry: ModelEntry, config: Config) -> ChildCrossEncoder:
    """Return a network of the catalogue that reads pairs. Raises ModelNotFound or ModelError, as `open_judge` does."""
    path = require_model(entry, config.models)
    base = _base_of(entry, path, config.models) if entry.pinned else None
    runtime = config.settings.runtime
    return ChildCrossEncoder(entry.name, path, base, fingerprint(entry, path), runtime.threads, runtime.spin_count)


def _base_of(entry: ModelEntry, path: Path, models_dir: Path) -> Path:
    """Return the folder of the embedder that a network of ours stands on, both looked at."""
    if sha256_of(path) != entry.pinned:
        message = f"The file of the model {entry.name}, {path}, is not the one that the catalogue names."
        raise ModelError(message, RESTORE)
    base = require_model(find_model(entry.base, ModelKind.EMBED, models_dir), models_dir)
    manifest = read_manifest(base)
    known = {file.name: file.sha256 for file in manifest.files} if manifest else {}
    if known.get(BASE_WEIGHTS) != entry.base_sha256:
        raise ModelError(
            f"The model {entry.name} stands on {entry.base}, and {base} holds another file of that name.",
            f"Delete the folder {base}, then run: vaultrag models pull {entry.base}",
        )
    return base
