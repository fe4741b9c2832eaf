"""The judge of contradictions: how much two claims contradict each other, and whether one follows from the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaultrag.config import Config
from vaultrag.domain import PairJudgement, Role
from vaultrag.errors import ModelError, ModelNotFound
from vaultrag.runtime.cross_encoder.header import WeightsError, read_header
from vaultrag.runtime.cross_encoder.model import ChildCrossEncoder
from vaultrag.runtime.models.catalogue import ModelKind, find_model, load_catalogue
from vaultrag.runtime.models.combinations import role_map
from vaultrag.runtime.models.installed import fingerprint, is_present, model_path, require_model
from vaultrag.runtime.models.manifest import read_manifest

ENTAILMENT, CONTRADICTION = "entailment", "contradiction"
BASE_WEIGHTS = "model.safetensors"


class CrossEncoderJudge:
    """Judges pairs of claims by a network that knows entailment and contradiction. A domain.PairJudge."""

    def __init__(self, network: ChildCrossEncoder) -> None:
        self._network = network

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

    A name of the catalogue, the folder of a cross-encoder, or a file that `scripts/train-judge` made.
    Raises ModelNotFound where its files or its embedder's are not here, ModelError where the file is no network.
    """
    name = role_map(config.settings, config.models).model_of(Role.SCAN)
    return open_judge_named(name, config) if name else None


def open_judge_named(name: str, config: Config) -> CrossEncoderJudge:
    """Return a judge of the catalogue, or of a path. Raises as `open_judge` does."""
    entry = find_model(name, ModelKind.JUDGE, config.models)
    path = require_model(entry, config.models)
    base = _base_of(path, config.models) if path.is_file() else None
    runtime = config.settings.runtime
    of_files = fingerprint(entry, path)
    return CrossEncoderJudge(ChildCrossEncoder(entry.name, path, base, of_files, runtime.threads, runtime.spin_count))


def _base_of(path: Path, models_dir: Path) -> Path:
    """Return the folder of the embedder that a network of ours stands on, known by its SHA-256."""
    try:
        wanted = read_header(path).base_sha256
    except WeightsError as error:
        raise ModelError(f"{error}.", "Make it anew with scripts/train-judge, or name another (roles.scan).") from error
    for entry in load_catalogue(models_dir).values():
        if entry.kind is ModelKind.EMBED and is_present(entry, models_dir):
            manifest = read_manifest(folder := model_path(entry, models_dir))
            if manifest and wanted in {file.sha256 for file in manifest.files if file.name == BASE_WEIGHTS}:
                return folder
    raise ModelNotFound(
        f"The embedding model that {path.name} was made for is not on this machine.",
        "Run: vaultrag models pull multilingual-e5-small; if that changes nothing, make the file anew with it.",
    )
