from __future__ import annotations

import json
import re

import pytest

from vaultrag.runtime.offload.placement import Placement

MIXED = Placement(
    context=8192,
    threads=8,
    threads_batch=16,
    gpu_layers=49,
    tensor_split=(0.6, 0.4),
    expert_cpu_layers=(1, 12),
    key_type="q8_0",
    value_type="q8_0",
    flash_attention=True,
    batch=2048,
    micro_batch=512,
    use_mmap=False,
)


@pytest.mark.parametrize("placement", [MIXED, Placement(context=512, threads=1, threads_batch=2)])
def test_a_placement_survives_json(placement: Placement) -> None:
    assert Placement.from_json(json.loads(json.dumps(placement.to_json()))) == placement


def test_unknown_keys_and_cache_types_are_refused() -> None:
    with pytest.raises(TypeError):
        Placement.from_json({**MIXED.to_json(), "n_cpu_moe": 3})
    with pytest.raises(ValueError, match="q3_k"):
        Placement.from_json({**MIXED.to_json(), "value_type": "q3_k"})


@pytest.mark.parametrize(
    ("tensor", "kept"),
    [
        ("blk.1.ffn_up_exps.weight", True),
        ("blk.1.ffn_gate_up_exps.weight", True),
        ("blk.12.ffn_down_chexps.weight", True),
        ("blk.11.ffn_down_exps.weight", False),
        ("blk.21.ffn_down_exps.weight", False),
        ("blk.1.ffn_up_shexp.weight", False),
        ("blk.1.attn_q.weight", False),
    ],
)
def test_only_the_experts_of_the_named_layers_stay_in_ram(tensor: str, kept: bool) -> None:
    assert any(re.search(pattern, tensor) for pattern in MIXED.cpu_patterns) is kept
