"""A placement as llama.cpp's own parameters. Only child processes import this."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from llama_cpp import _ggml
from llama_cpp import llama_cpp as native

from vaultrag.runtime.offload.placement import ALONE, CACHE_TYPES, SHARED_SEQUENCES, Placement


class _Override(ctypes.Structure):
    """`llama_model_tensor_buft_override`, which llama-cpp-python does not declare."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


@dataclass(slots=True)
class ModelParams:
    """`llama_model_params` with the arrays it points to, which must live until the model is loaded."""

    params: Any
    kept: tuple[object, ...]


def model_params(placement: Placement) -> ModelParams:
    """Return how the weights are loaded."""
    params = native.llama_model_default_params()
    params.n_gpu_layers = placement.gpu_layers
    params.load_mode = native.LLAMA_LOAD_MODE_MMAP if placement.use_mmap else native.LLAMA_LOAD_MODE_NONE
    params.use_extra_bufts = placement.repack
    kept: list[object] = []
    if placement.tensor_split:
        shares = (ctypes.c_float * native.llama_max_devices())(*placement.tensor_split)
        params.tensor_split = ctypes.cast(shares, ctypes.POINTER(ctypes.c_float))
        kept.append(shares)
    if placement.expert_cpu_layers:
        overrides = _overrides(placement.cpu_patterns)
        params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)
        kept.append(overrides)
    return ModelParams(params, tuple(kept))


def settle(model: Any, placement: Placement) -> Placement:
    """Return the placement as a slot of this loaded (or laid out) model makes it."""
    sequences = SHARED_SEQUENCES if has_past(model) else ALONE
    window = int(native.llama_model_n_swa(model))
    return placement.settled(int(native.llama_model_n_ctx_train(model)), window, sequences)


def has_past(model: Any) -> bool:
    """Whether what was read can be let go of again; the state of recurrent and hybrid models cannot go back."""
    return not (native.llama_model_is_recurrent(model) or native.llama_model_is_hybrid(model))


def context_params(placement: Placement) -> Any:
    """Return how a context is made by a settled placement: what is asked for memory, and what a slot makes.

    YaRN stays as the file has it: the C defaults are negative.
    """
    params = native.llama_context_default_params()
    params.n_ctx = placement.context
    params.n_batch, params.n_ubatch = placement.batch, placement.micro_batch
    params.n_threads, params.n_threads_batch = placement.threads, placement.threads_batch
    params.n_seq_max = placement.sequences
    params.n_outputs_max = placement.logit_rows
    params.kv_unified = True
    params.type_k, params.type_v = CACHE_TYPES[placement.key_type], CACHE_TYPES[placement.value_type]
    params.flash_attn_type = (
        native.LLAMA_FLASH_ATTN_TYPE_AUTO if placement.flash_attention else native.LLAMA_FLASH_ATTN_TYPE_DISABLED
    )
    params.swa_full = placement.swa_full
    return params


def _overrides(patterns: tuple[str, ...]) -> Any:
    """Return the list, ended by an empty entry, that keeps the named tensors in RAM."""
    function = _exported("ggml_backend_cpu_buffer_type")
    function.restype = ctypes.c_void_p
    in_ram = function()
    entries = [_Override(pattern.encode(), in_ram) for pattern in patterns]
    return (_Override * (len(entries) + 1))(*entries, _Override(None, None))


def _exported(name: str) -> Any:
    """Return a function of ggml that llama-cpp-python does not declare: it lies in one of two libraries."""
    return getattr(native._lib if hasattr(native._lib, name) else _ggml.libggml, name)  # noqa: SLF001  # no other way to it
