"""Where calibrations are kept: shipped with the program, in the models folder, and what each vault's probes said."""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError

from vaultrag.answering.judging.calibration import NO_LINES, UNCALIBRATED, WORDING, Calibration, PairLines, Thresholds
from vaultrag.config import shipped
from vaultrag.domain import ProbeRecord
from vaultrag.errors import ConfigError, StoreError

SHIPPED_NAME = "calibrations.toml"
PAIR_WORDING = 1  # raise it when a question of contradictions/questions.py changes
MEASURED_NAME = "calibrations.json"  # in the models folder: what `vaultrag bench` measured


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a line lies at a finite score")
    return value


Line: TypeAlias = Annotated[float, AfterValidator(_finite)]


@dataclass(frozen=True, slots=True)
class KnownThresholds:
    """Thresholds as a file holds them."""

    low: Line
    high: Line

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """What the lines meant on the questions of `set`, which they were not drawn on."""

    set: str
    unanswerable: int
    refused: int
    answerable: int
    cited: int

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class KnownPairLines:
    """The lines of a model's word on pairs of claims, asked in `wording`."""

    wording: int
    follows: Mapping[str, Line] = field(default_factory=dict)
    contradicts: Mapping[str, Line] = field(default_factory=dict)

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class KnownCalibration:
    """One model's calibration as a file holds it. `fingerprint` tells the model, `model` names it for people."""

    model: str
    fingerprint: str
    wording: int
    answerable: Mapping[str, KnownThresholds] = field(default_factory=dict)
    support: KnownThresholds | None = None
    sentences: int = 0
    backed_sentences: int = 0
    record: KnownRecord | None = None
    pairs: KnownPairLines | None = None

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def calibration(self) -> Calibration:
        return Calibration(
            answerable={language: Thresholds(lines.low, lines.high) for language, lines in self.answerable.items()},
            support=Thresholds(self.support.low, self.support.high) if self.support else None,
            sentences=self.sentences,
            backed_sentences=self.backed_sentences,
            record=_record(self.record) if self.record else None,
        )


_STORED: TypeAdapter[list[KnownCalibration]] = TypeAdapter(list[KnownCalibration])


def calibration_of(fingerprint: str, models_dir: Path) -> Calibration:
    """Return what is known of a model: as measured on this machine, else as shipped, else nothing.

    What was measured with other prompts than today's is as good as nothing. Raises ConfigError for a faulty file of
    ours.
    """
    for stored in (*_measured(models_dir), *shipped_calibrations()):
        if stored.fingerprint == fingerprint and stored.wording == WORDING:
            return stored.calibration
    return UNCALIBRATED


def pair_lines_of(fingerprint: str, models_dir: Path) -> PairLines:
    """Return what is known of a model's word on pairs of claims, as measured on this machine, else as shipped.

    Raises ConfigError for a faulty file of ours.
    """
    for stored in (*_measured(models_dir), *shipped_calibrations()):
        known = stored.pairs
        if stored.fingerprint == fingerprint and known is not None and known.wording == PAIR_WORDING:
            return PairLines(known.follows, known.contradicts)
    return NO_LINES


def shipped_calibrations() -> Sequence[KnownCalibration]:
    """Return those of `config/`. Raises ConfigError."""
    path = shipped(SHIPPED_NAME)
    try:
        return _STORED.validate_python(tomllib.loads(path.read_text(encoding="utf-8")).get("calibration", []))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{path} cannot be used: {error}", "Install VaultRAG again.") from error


def keep_calibration(models_dir: Path, stored: KnownCalibration) -> None:
    """Keep what was measured of a model here, in place of what was known of it.

    Raises ConfigError where a newer version keeps there what this one cannot read, StoreError where the file cannot be
    read or written; then all that was known stays.
    """
    path = models_dir / MEASURED_NAME
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        others = [one for one in _known_whole(path) if one.fingerprint != stored.fingerprint]
        part.write_text(json.dumps([asdict(one) for one in (*others, stored)], indent=1), encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(
            f"What was measured could not be kept in {path}: {error.strerror}.",
            "Let this user read and write there, then run: vaultrag bench. What was asked is not asked again.",
        ) from error


def _known_whole(path: Path) -> Sequence[KnownCalibration]:
    """Return all that a file holds; nothing where it is no JSON, for that can be measured again.

    Raises OSError, and ConfigError where some of it is not understood.
    """
    try:
        return _STORED.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        raise ConfigError(
            f"{path} holds what this version does not understand, and is left as it is: nothing new is kept.",
            "Install the newer VaultRAG that wrote it; or move the file away, and measure your models again.",
        ) from error
    except ValueError:
        return ()


def _measured(models_dir: Path) -> Iterator[KnownCalibration]:
    """Yield what was measured here, as far as it is understood; nothing where the file is damaged."""
    try:
        values: Any = json.loads((models_dir / MEASURED_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for value in values if isinstance(values, list) else ():
        with suppress(ValidationError):
            yield from _STORED.validate_python([value])


def _record(stored: KnownRecord) -> ProbeRecord:
    return ProbeRecord(stored.unanswerable, stored.refused, stored.answerable, stored.cited, of_this_vault=False)
