from __future__ import annotations

from pathlib import Path

import pytest

from tests.gguf_files import CHATML, model_metadata, write_gguf, write_tiny_model
from vaultrag.errors import ModelError
from vaultrag.runtime.gguf_facts import Part, Switch, find_switch, part_of, read_facts


def test_every_byte_of_a_file_is_counted_once(tmp_path: Path) -> None:
    facts = read_facts(write_tiny_model(tmp_path / "m.gguf"))
    layer = facts.layers[0]
    assert layer.attention == 4 * 64 * 64 * 4
    assert layer.feed_forward == 3 * 64 * 128 * 4
    assert layer.other == 2 * 64 * 4
    assert facts.weights == sum(tensor.size for tensor in facts.tensors)
    assert not facts.tied


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("blk.0.attn_q.weight", Part.ATTENTION),
        ("blk.0.attn_kv_a_mqa.weight", Part.ATTENTION),
        ("blk.0.ssm_in.weight", Part.ATTENTION),
        ("blk.0.attn_norm.weight", Part.OTHER),
        ("blk.0.ffn_gate_inp.weight", Part.OTHER),
        ("blk.0.ffn_down.weight", Part.FEED_FORWARD),
        ("blk.0.ffn_down_exps.weight", Part.EXPERTS),
        ("blk.0.ffn_gate_exps.bias", Part.EXPERTS),
        ("blk.0.ffn_gate_up_chexps.weight", Part.EXPERTS),
        ("blk.0.ffn_up_shexp.weight", Part.SHARED_EXPERTS),
    ],
)
def test_weights_are_sorted_by_what_they_do(name: str, part: Part) -> None:
    assert part_of(name) is part


@pytest.mark.parametrize(
    ("template", "switch"),
    [
        (CHATML, Switch.NONE),
        ("{% if enable_thinking is defined %}x{% endif %}", Switch.VARIABLE),
        ("say /no_think to stop", Switch.WORDS),
        ("{% if add_generation_prompt %}{{ '<|Assistant|><think>\\n' }}{% endif %}", Switch.OPENS),
        ("{{ m.content.split('<think>')[0] }}{% if add_generation_prompt %}{{ '<|A|>' }}{% endif %}", Switch.NONE),
    ],
)
def test_thinking_switches_are_found_in_the_template(template: str, switch: Switch) -> None:
    assert find_switch(template) is switch


def test_a_later_part_of_a_split_model_says_which_to_name(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m-00002-of-00003.gguf", {**model_metadata(), "split.count": 3, "split.no": 0})
    with pytest.raises(ModelError, match="one of 3 files"):
        read_facts(path)
