"""What makers advise is laid under what is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vaultrag.config import models_dir
from vaultrag.domain import Sampling
from vaultrag.runtime.models.catalogue import ModelKind, load_catalogue
from vaultrag.runtime.models.sampling_advice import USUAL_THOUGHT, Advice, Recommended

QWEN = Advice(Recommended(0.7, 0.8, 20), Recommended(0.6, 0.95, 20, 0.05))
GREEDY, WARM = Sampling(), Sampling(temperature=1.2)


def test_a_greedy_answer_stays_greedy() -> None:
    assert QWEN.answering(GREEDY) == GREEDY
    assert Advice().answering(WARM) == WARM


def test_chance_is_drawn_as_advised_at_the_temperature_asked_for() -> None:
    assert QWEN.answering(WARM) == replace(WARM, top_p=0.8, top_k=20)


def test_a_thought_is_drawn_as_advised_unless_another_temperature_is_asked_for() -> None:
    assert QWEN.thinking_aloud(GREEDY) == replace(GREEDY, temperature=0.6, top_p=0.95, top_k=20, min_p=0.05)
    assert QWEN.thinking_aloud(WARM).temperature == 1.2


@pytest.mark.parametrize("advice", [Advice(), QWEN])
def test_advice_survives_the_way_to_the_worker(advice: Advice) -> None:
    assert Advice.from_json(advice.to_json()) == advice


def test_no_thinking_model_of_the_catalogue_would_be_run_greedily() -> None:
    thinking = [entry for entry in load_catalogue(models_dir()).values() if entry.thinking]
    assert len(thinking) > 5
    for entry in thinking:
        assert entry.kind is ModelKind.CHAT
        assert entry.thinking_sampling is not None, entry.name
        assert entry.advice.thinking_aloud(GREEDY).temperature > 0
    assert Advice().thinking == USUAL_THOUGHT
