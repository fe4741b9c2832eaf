from __future__ import annotations

from pathlib import Path

import pytest

from tests.gguf_files import model_metadata, write_gguf, write_shape, write_sparse, write_tiny_model
from vaultrag.errors import ModelError
from vaultrag.runtime.gguf.facts import Part, part_of, read_facts
from vaultrag.runtime.gguf.quantisation import Scheme
from vaultrag.runtime.gguf.shapes import ModelShape, facts_of_shape, load_shapes, metadata_of


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


def test_a_later_part_of_a_split_model_says_which_to_name(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m-00002-of-00003.gguf", {**model_metadata(), "split.count": 3, "split.no": 0})
    with pytest.raises(ModelError, match="one of 3 files"):
        read_facts(path)


@pytest.mark.parametrize("shape", load_shapes().values(), ids=lambda shape: shape.name)
def test_published_shapes_have_the_parameters_that_their_makers_name(shape: ModelShape) -> None:
    facts = facts_of_shape(shape, shape.quantisation)
    assert facts.parameters == pytest.approx(shape.parameters, rel=0.001)


@pytest.mark.parametrize(
    ("name", "scheme", "size"),  # of the files that the makers and llama.cpp's own people published
    [
        ("qwen3-4b", Scheme.Q4_K_M, 2_497_280_256),
        ("qwen3-32b", Scheme.Q4_K_M, 19_762_149_024),
        ("gemma-3-27b-it", Scheme.Q4_K_M, 16_546_404_736),
        ("llama-3.3-70b-instruct", Scheme.Q4_K_M, 42_520_395_584),
    ],
)
def test_quantised_sizes_are_those_of_published_files(name: str, scheme: Scheme, size: int) -> None:
    assert facts_of_shape(load_shapes()[name], scheme).size == pytest.approx(size, rel=0.002)


def test_a_sparse_file_of_140_gigabytes_is_read_by_its_header(tmp_path: Path) -> None:
    shape = load_shapes()["qwen3-235b-a22b"]
    path = write_shape(tmp_path / "m.gguf", shape, Scheme.Q4_K_M)
    facts = read_facts(path)
    assert path.stat().st_size > 140e9
    assert (facts.experts, facts.experts_used, len(facts.layers)) == (128, 8, 94)
    assert facts.layers[0].experts == pytest.approx(1.45e9, rel=0.1)
    assert facts.active_parameters == pytest.approx(21.6e9, rel=0.01)


def test_a_model_in_several_files_is_counted_whole(tmp_path: Path) -> None:
    shape = load_shapes()["qwen3-0.6b"]
    whole = facts_of_shape(shape, Scheme.Q8_0)
    for number, part in enumerate((whole.tensors[:100], whole.tensors[100:])):
        metadata = {**(metadata_of(shape) if number == 0 else {}), "split.no": number, "split.count": 2}
        write_sparse(tmp_path / f"m-{number + 1:05}-of-00002.gguf", metadata, part)
    facts = read_facts(tmp_path / "m-00001-of-00002.gguf")
    assert facts.weights == whole.weights
    assert len(facts.tensors) == len(whole.tensors)
