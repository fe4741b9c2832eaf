"""Calibrations as files: those we ship, those that were measured here."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from vaultrag.answering.judging.calibration import NO_LINES, UNCALIBRATED, WORDING, PairLines, Thresholds
from vaultrag.answering.judging.calibration_files import (
    MEASURED_NAME,
    PAIR_WORDING,
    KnownCalibration,
    KnownPairLines,
    KnownThresholds,
    calibration_of,
    keep_calibration,
    pair_lines_of,
    shipped_calibrations,
)
from vaultrag.errors import ConfigError, StoreError

MEASURED = KnownCalibration("a model", "0123", WORDING, {"ru": KnownThresholds(-1.5, 0.25)}, KnownThresholds(0, 1))


def test_shipped_calibrations_can_be_read_and_name_models_once() -> None:
    prints = [(one.fingerprint, one.wording) for one in shipped_calibrations()]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize("one", shipped_calibrations(), ids=lambda one: one.model)
def test_shipped_lines_hold_for_both_languages(one: KnownCalibration) -> None:
    for language in ("ru", "en"):
        lines = one.calibration.thresholds_for(language)
        assert lines is not None
        assert lines.low <= lines.high


def test_of_a_model_that_nobody_measured_nothing_is_known(tmp_path: Path) -> None:
    assert calibration_of("ffff", tmp_path) is UNCALIBRATED


def test_what_was_measured_here_is_used(tmp_path: Path) -> None:
    keep_calibration(tmp_path, MEASURED)
    keep_calibration(tmp_path, replace(MEASURED, fingerprint="4567"))
    assert calibration_of("0123", tmp_path).thresholds_for("ru") == Thresholds(-1.5, 0.25)
    keep_calibration(tmp_path, replace(MEASURED, support=KnownThresholds(7, 8)))
    assert calibration_of("0123", tmp_path).support == Thresholds(7, 8)
    assert calibration_of("4567", tmp_path).support == Thresholds(0, 1)


def test_what_was_measured_here_goes_before_what_is_shipped(tmp_path: Path) -> None:
    for one in shipped_calibrations():
        keep_calibration(tmp_path, replace(MEASURED, fingerprint=one.fingerprint))
        assert calibration_of(one.fingerprint, tmp_path).thresholds_for("ru") == Thresholds(-1.5, 0.25)


def test_lines_drawn_for_other_prompts_mean_nothing(tmp_path: Path) -> None:
    keep_calibration(tmp_path, replace(MEASURED, wording=WORDING + 1))
    assert calibration_of("0123", tmp_path) is UNCALIBRATED


@pytest.mark.parametrize("text", ["", "[{}]", "{", '[{"model": 1, "fingerprint": "0123", "wording": 1}]', "[NaN]"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / MEASURED_NAME).write_text(text, encoding="utf-8")
    assert calibration_of("0123", tmp_path) is UNCALIBRATED


NEWER = {"model": "of tomorrow", "fingerprint": "89ab", "wording": WORDING + 1, "answerable": {}, "by_domain": {"x": 1}}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([asdict(MEASURED), NEWER]),
        json.dumps({"form": 2, "calibrations": [NEWER]}),
        '[{"model": 1}]',
        "[NaN]",
    ],
)
def test_file_of_a_newer_version_is_not_written_over(tmp_path: Path, text: str) -> None:
    (tmp_path / MEASURED_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="does not understand") as caught:
        keep_calibration(tmp_path, replace(MEASURED, fingerprint="4567"))
    assert "newer VaultRAG" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == [MEASURED_NAME]
    assert (tmp_path / MEASURED_NAME).read_text(encoding="utf-8") == text


def test_of_a_newer_versions_file_is_used_what_is_understood(tmp_path: Path) -> None:
    text = json.dumps([NEWER, asdict(MEASURED)])
    (tmp_path / MEASURED_NAME).write_text(text, encoding="utf-8")
    assert calibration_of("0123", tmp_path).thresholds_for("ru") == Thresholds(-1.5, 0.25)
    assert calibration_of("89ab", tmp_path) is UNCALIBRATED


def test_file_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / MEASURED_NAME).mkdir()
    (tmp_path / MEASURED_NAME / "kept").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="could not be kept"):
        keep_calibration(tmp_path, MEASURED)
    assert (tmp_path / MEASURED_NAME / "kept").exists()


def test_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="could not be kept"):
        keep_calibration(tmp_path / "gone", MEASURED)


def test_lines_of_claims_are_those_measured_here_else_shipped_else_none(tmp_path: Path) -> None:
    [shipped] = [one for one in shipped_calibrations() if one.pairs]
    lines = pair_lines_of(shipped.fingerprint, tmp_path)
    assert lines.follows
    assert pair_lines_of("ffff", tmp_path) is NO_LINES
    measured = replace(MEASURED, fingerprint=shipped.fingerprint)
    keep_calibration(tmp_path, measured)  # tells nothing of claims
    assert pair_lines_of(shipped.fingerprint, tmp_path) == lines
    keep_calibration(tmp_path, replace(measured, pairs=KnownPairLines(PAIR_WORDING, {"ru": 3.0}, {"": 4.0})))
    assert pair_lines_of(shipped.fingerprint, tmp_path) == PairLines({"ru": 3.0}, {"": 4.0})


def test_lines_of_claims_drawn_for_other_questions_mean_nothing(tmp_path: Path) -> None:
    keep_calibration(tmp_path, replace(MEASURED, pairs=KnownPairLines(PAIR_WORDING + 1, {"ru": 3.0})))
    assert pair_lines_of("0123", tmp_path) is NO_LINES


def test_floor_models_lines_of_claims_hold_for_both_languages_and_across() -> None:
    [shipped] = [one for one in shipped_calibrations() if one.pairs]
    assert shipped.pairs is not None
    assert shipped.pairs.follows.keys() >= {"ru", "en", "across"}
