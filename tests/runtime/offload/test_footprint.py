"""What the header promises, held against what llama.cpp allocates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gguf_files import write_shape, write_sparse
from vaultrag.config import models_dir
from vaultrag.runtime.gguf.facts import ModelFacts, read_facts
from vaultrag.runtime.gguf.header import TensorInfo
from vaultrag.runtime.gguf.quantisation import Scheme, Traits, quantised
from vaultrag.runtime.gguf.shapes import ModelShape, facts_of_shape, load_shapes, metadata_of, tensor_shapes
from vaultrag.runtime.hardware.profiles import Hardware
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.offload.footprint import compute_bytes
from vaultrag.runtime.offload.kv_cache import cache_bytes, settled
from vaultrag.runtime.offload.memory import Buffer, Pretence, Purpose, ask_memory, with_true_compute
from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.offload.plan import budget_of, place
from vaultrag.runtime.run_settings import Running

PLACEMENT = Placement(context=3000, threads=1, threads_batch=1, micro_batch=64, batch=64, use_mmap=False)
DENSE = ModelShape("dense", "llama", 0, 6, 1024, 16, 16, 64, 8000, 8192, feed_forward=2816)
GROUPED = replace(DENSE, name="grouped", architecture="qwen3", kv_heads=4, head=128, tied=True)
BIASED = replace(DENSE, name="biased", architecture="qwen2", kv_heads=2, biases=True)
WINDOWED = replace(GROUPED, name="windowed", architecture="gemma3", layers=8, window=512)
FUSED = replace(DENSE, name="fused", architecture="falcon", kv_heads=1, gated=False, tied=True)
MIXTURE = replace(
    DENSE, name="mixture", architecture="qwen3moe", kv_heads=4, head=128, experts=8, used=2, expert_feed_forward=512
)
LATENT = replace(
    MIXTURE, name="latent", architecture="deepseek2", kv_heads=1, head=96, value_head=64, query_rank=256, kv_rank=256,
    rope=32, shared_feed_forward=512, dense_layers=1, heads=8,
)  # fmt: skip
HYBRID = replace(
    MIXTURE, name="hybrid", architecture="qwen35moe", layers=8, kv_heads=2, heads=4, head=128, shared_feed_forward=512,
    attention_interval=4, state_size=64, state_groups=4, state_heads=8,
)  # fmt: skip

CASES: Sequence[tuple[ModelShape, Scheme, Mapping[str, object]]] = (
    (DENSE, Scheme.Q4_0, {}),
    (DENSE, Scheme.F16, {"flash_attention": False}),
    (DENSE, Scheme.Q8_0, {"key_type": "q8_0", "value_type": "q8_0"}),
    (BIASED, Scheme.Q4_K_M, {"key_type": "q4_0", "value_type": "q4_0", "context": 8192}),
    (GROUPED, Scheme.Q4_K_M, {}),
    (GROUPED, Scheme.Q6_K, {"key_type": "q8_0", "context": 512}),
    (FUSED, Scheme.Q5_K_M, {}),
    (WINDOWED, Scheme.Q4_K_M, {"context": 8000}),
    (WINDOWED, Scheme.Q3_K_M, {"context": 8000, "swa_full": False}),
    (MIXTURE, Scheme.Q4_K_M, {}),
    (MIXTURE, Scheme.Q2_K, {"key_type": "q8_0", "value_type": "q8_0"}),
    (LATENT, Scheme.Q4_K_M, {}),
    (LATENT, Scheme.Q8_0, {"key_type": "q8_0", "value_type": "q8_0", "context": 8192}),
    (HYBRID, Scheme.Q4_K_M, {}),
    (HYBRID, Scheme.Q8_0, {"sequences": 4}),
)


def of(buffers: Sequence[Buffer], *purposes: Purpose) -> int:
    return sum(buffer.size for buffer in buffers if buffer.purpose in purposes)


def cache(facts: ModelFacts, placement: Placement) -> int:
    made = settled(facts, placement)
    return sum(cache_bytes(facts, layer, made) for layer in facts.layers)


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "scheme", "changes"), CASES)
def test_weights_and_cache_are_what_llama_cpp_allocates(
    tmp_path: Path, shape: ModelShape, scheme: Scheme, changes: Mapping[str, object]
) -> None:
    path = write_shape(tmp_path / "m.gguf", shape, scheme)
    placement = Placement.from_json({**PLACEMENT.to_json(), **changes})
    facts = read_facts(path)
    buffers = ask_memory(path, placement, Pretence.LOADED)
    assert of(buffers, Purpose.MODEL) == pytest.approx(facts.in_ram, rel=0.01)
    assert of(buffers, Purpose.CACHE, Purpose.STATE) == pytest.approx(cache(facts, placement), rel=0.01)
    repacked = sum(buffer.size for buffer in buffers if buffer.device == "CPU_REPACK")
    assert repacked == pytest.approx(facts.repacked, rel=0.01, abs=20_000)


@pytest.mark.slow
def test_heads_that_differ_between_layers_are_counted_one_by_one(tmp_path: Path) -> None:
    groups = (16, 8, 4, 4, 2, 2)
    metadata = metadata_of(replace(DENSE, architecture="deci"))
    metadata |= {"deci.attention.head_count": (16,) * 6, "deci.attention.head_count_kv": groups}
    metadata |= {"deci.feed_forward_length": (2816,) * 6}
    bare = [
        TensorInfo(
            name,
            (1024, 64 * groups[int(name.split(".")[1])]) if "attn_k." in name or "attn_v." in name else size,
            0,
            0,
            0,
        )
        for name, size in tensor_shapes(DENSE)
    ]
    path = write_sparse(tmp_path / "m.gguf", metadata, quantised(bare, Scheme.Q8_0, Traits(4, 0)))
    facts = read_facts(path)
    for placement in (PLACEMENT, replace(PLACEMENT, flash_attention=False)):
        buffers = ask_memory(path, placement, Pretence.LOADED)
        assert of(buffers, Purpose.MODEL) == pytest.approx(facts.in_ram, rel=0.01)
        assert of(buffers, Purpose.CACHE) == pytest.approx(cache(facts, placement), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", load_shapes())
def test_published_shapes_are_models_to_llama_cpp(tmp_path: Path, name: str) -> None:
    """Headers with the true shapes: up to 400 GB that take no room."""
    shape = load_shapes()[name]
    path = write_shape(tmp_path / "m.gguf", shape, shape.quantisation)
    facts = read_facts(path)
    assert facts.weights == facts_of_shape(shape, shape.quantisation).weights
    buffers = ask_memory(path, PLACEMENT)
    assert of(buffers, Purpose.CACHE, Purpose.STATE) == pytest.approx(cache(facts, PLACEMENT), rel=0.01)


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize("context", [2048, 8192])
@pytest.mark.parametrize("name", ["qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"])
def test_real_models_take_what_their_headers_promise(name: str, context: int) -> None:
    path = models_dir() / name / "model.gguf"
    facts = read_facts(path)
    for placement in (replace(PLACEMENT, context=context), replace(PLACEMENT, context=context, use_mmap=True)):
        buffers = ask_memory(path, placement, Pretence.LOADED)
        allowed = facts.in_ram + (facts.repacked if placement.use_mmap else 0)
        assert facts.in_ram * 0.99 <= of(buffers, Purpose.MODEL) <= allowed * 1.01
        assert of(buffers, Purpose.CACHE) == pytest.approx(cache(facts, placement), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"micro_batch": 512, "batch": 512}, {"flash_attention": False}])
@pytest.mark.parametrize("name", load_shapes())
def test_working_memory_is_within_a_quarter_of_what_llama_cpp_reserves(
    tmp_path: Path, name: str, changes: Mapping[str, object]
) -> None:
    shape = load_shapes()[name]
    placement = Placement.from_json({**PLACEMENT.to_json(), "context": 8192, **changes})
    path = write_shape(tmp_path / "m.gguf", shape, shape.quantisation)
    reserved = of(ask_memory(path, placement), Purpose.COMPUTE)
    facts = read_facts(path)
    assert compute_bytes(facts, settled(facts, placement)) == pytest.approx(reserved, rel=0.25, abs=64 << 20)


@pytest.mark.slow
def test_a_plan_takes_the_working_memory_that_llama_cpp_reserves(tmp_path: Path) -> None:
    path = write_shape(tmp_path / "m.gguf", GROUPED, Scheme.Q4_K_M)
    hardware = Hardware("m", "", 2, 16, 20)
    plan = place(read_facts(path), hardware, budget_of(hardware), 4096)
    assert plan is not None
    exact = with_true_compute(plan, path)
    buffers = ask_memory(path, plan.placement)
    assert exact.footprint.ram.compute == of(buffers, Purpose.COMPUTE, Purpose.OUTPUT)
    assert exact.footprint.ram.weights == plan.footprint.ram.weights
    assert with_true_compute(plan, tmp_path / "none.gguf") == plan


@pytest.mark.models
@pytest.mark.parametrize("batch", [32, 128, 512])
def test_a_worker_reserves_what_was_predicted_of_it(batch: int) -> None:
    """The params of the no-alloc load are those of the slot: same working memory, same cache, down to the byte."""
    path = models_dir() / "qwen2.5-coder-0.5b-instruct" / "model.gguf"
    placement = Placement(context=4096, threads=1, threads_batch=1, batch=batch, micro_batch=batch)
    predicted = ask_memory(path, placement)
    model = ChildModel(
        "coder", path, context=4096, threads=1, gpu_layers=0, spin_count=1000, timeout=60.0,
        running=Running(placement=placement),
    )  # fmt: skip
    try:
        made = model.load().buffers
    finally:
        model.close()
    assert of(made, Purpose.MODEL) >= read_facts(path).in_ram * 0.99
    for purpose in (Purpose.COMPUTE, Purpose.OUTPUT, Purpose.CACHE):
        assert of(made, purpose) == of(predicted, purpose) > 0
