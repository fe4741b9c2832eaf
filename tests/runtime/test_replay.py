"""A request that begins anew is not heard twice."""

from __future__ import annotations

from typing import Any

import pytest

from vaultrag.errors import ModelCrashed
from vaultrag.runtime.replay import Said


def begun_anew(*frames: dict[str, Any]) -> Said:
    """Return what was said by these frames, expected once more."""
    said = Said("qwen")
    for frame in frames:
        assert said.fresh(frame) == frame
    said.rewind()
    return said


def test_only_what_is_new_is_said_however_it_is_cut() -> None:
    said = begun_anew({"thought": "Хм."}, {"text": "Ключи "}, {"text": "у Анны"})
    frames: list[dict[str, Any]] = [{"thought": "Хм. "}, {"text": "Ключи у"}, {"text": " Анны."}, {"generation": {}}]
    assert [said.fresh(frame) for frame in frames] == [{"thought": " "}, {}, {"text": "."}, {"generation": {}}]


def test_what_was_said_twice_is_expected_a_third_time() -> None:
    said = begun_anew({"text": "The keys"})
    assert said.fresh({"text": "The keys are"}) == {"text": " are"}
    said.rewind()
    assert said.fresh({"text": "The keys are here"}) == {"text": " here"}


def test_scores_are_given_once() -> None:
    said = begun_anew({"logprobs": [-1.0]}, {"logprobs": [-2.0]})
    frames = [{"logprobs": [value]} for value in (-1.0, -2.0, -3.0)]
    assert [said.fresh(frame) for frame in frames] == [{}, {}, {"logprobs": [-3.0]}]


@pytest.mark.parametrize("frame", [{"text": "Ключи нет"}, {"generation": {}}])
def test_saying_something_else_is_an_error_that_names_the_model(frame: dict[str, Any]) -> None:
    said = begun_anew({"text": "Ключи у Анны"})
    with pytest.raises(ModelCrashed, match="qwen"):
        said.fresh(frame)
