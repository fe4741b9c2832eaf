"""One conversation with a loaded model: its KV cache, evaluation that can be aborted, and sampling."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from llama_cpp import llama_cpp as native
from numpy.typing import NDArray

from vaultrag.domain import Sampling
from vaultrag.errors import DoesNotFit, GenerationFailed
from vaultrag.runtime.llamacpp import LoadedModel, log

CPU_BATCH = 128  # tokens evaluated at a time: on a CPU 256 or 512 read at most 4 % faster, and take 75 MB more each
GPU_BATCH = 512  # a GPU needs more at once; it heeds a cancelled request only between two batches
PENALTY_TOKENS = 64  # llama.cpp's own default: how far back a repetition is punished
ABORTED = 2  # llama_decode's status


class Aborted(Exception):
    """The request was cancelled while the model was computing."""


class Slot:
    """A KV cache. The whole batches that a prompt shares with the one before are not computed again.

    Only whole batches of a prompt: results differ in the last bits with the size of a batch, and so an answer would
    depend on what was asked before. Raises DoesNotFit when there is no memory for the context.
    """

    def __init__(self, model: LoadedModel, context: int, threads: int, batch: int) -> None:
        self.context = min(context, model.context_trained)
        self._model = model
        self._batch = min(batch, self.context)
        self._kept: list[int] = []
        self._cancelled = threading.Event()
        self._abort = native.ggml_abort_callback(lambda _data: self._cancelled.is_set())  # kept: C holds a bare pointer
        params = native.llama_context_default_params()
        params.n_ctx = self.context
        params.n_batch = params.n_ubatch = self._batch
        params.n_threads = params.n_threads_batch = threads
        params.abort_callback = self._abort
        ctx = native.llama_init_from_model(model.model, params)
        if not ctx:
            raise DoesNotFit(
                f"llama.cpp could not make a context of {self.context} tokens: {log.last_error}.",
                "Lower `runtime.context`, or name a smaller model.",
            )
        self._ctx = ctx
        self._memory = native.llama_get_memory(ctx)

    def keep_prefix(self, ids: Sequence[int]) -> int:
        """Drop what the cache holds beyond its common prefix with `ids`; return how many of `ids` need no computing.

        The last id is always computed anew: its logits are needed.
        """
        shared = common_prefix(self._kept, ids[:-1]) // self._batch * self._batch
        if native.llama_memory_seq_rm(self._memory, 0, shared, -1):
            del self._kept[shared:]
        else:  # a model whose state has no past, such as a recurrent one
            self.clear()
        return len(self._kept)

    def prefill(self, ids: Sequence[int], cancelled: threading.Event) -> Iterator[int]:
        """Append a prompt's ids by batches, yielding how many are done. Raises Aborted or GenerationFailed."""
        for start in range(0, len(ids), self._batch):
            batch = ids[start : start + self._batch]
            self.append(batch, cancelled)
            if len(batch) == self._batch:
                self._kept.extend(batch)
            yield start + len(batch)

    def append(self, ids: Sequence[int], cancelled: threading.Event) -> None:
        """Evaluate at most one batch of ids. Raises Aborted or GenerationFailed; `keep_prefix` then tidies up."""
        if cancelled.is_set():
            raise Aborted
        self._cancelled = cancelled
        array = (native.llama_token * len(ids))(*ids)
        status = native.llama_decode(self._ctx, native.llama_batch_get_one(array, len(ids)))
        if status == ABORTED or (status and cancelled.is_set()):
            raise Aborted
        if status:
            raise GenerationFailed(
                f"llama.cpp could not evaluate the prompt (status {status}).",
                "Ask again; if it stays so, lower `runtime.context` or name another model.",
            )

    def score(self, length: int, options: Sequence[Sequence[int]], cancelled: threading.Event) -> list[float]:
        """Return each option's log probability after the `length` tokens just evaluated."""
        first = self._logprobs()
        scores: list[float] = []
        for option in options:
            total = float(first[option[0]]) if option else 0.0
            for here, following in pairwise(option):
                self.append([here], cancelled)
                total += float(self._logprobs()[following])
            native.llama_memory_seq_rm(self._memory, 0, length, -1)
            scores.append(total)
        return scores

    def _logprobs(self) -> NDArray[np.float64]:
        logits = native.llama_get_logits_ith(self._ctx, -1)
        values = np.ctypeslib.as_array(logits, shape=(self._model.token_count,)).astype(np.float64)
        values -= values.max()
        logprobs: NDArray[np.float64] = values - np.log(np.exp(values).sum())
        return logprobs

    def clear(self) -> None:
        """Forget the conversation."""
        native.llama_memory_clear(self._memory, True)
        self._kept = []

    def sampler(self, sampling: Sampling) -> Sampler:
        return Sampler(self._ctx, self._model.token_count, sampling)


class Sampler:
    """Chooses tokens: penalty, then the likeliest (temperature 0) or top-k, top-p, temperature and chance."""

    def __init__(self, ctx: int, token_count: int, sampling: Sampling) -> None:
        self._ctx = ctx
        self._chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
        for part in _parts(token_count, sampling):
            native.llama_sampler_chain_add(self._chain, part)

    def __enter__(self) -> Sampler:
        return self

    def __exit__(self, *_raised: object) -> None:
        native.llama_sampler_free(self._chain)

    def choose(self) -> int:
        """Return the next token after what was evaluated last."""
        return int(native.llama_sampler_sample(self._chain, self._ctx, -1))


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many leading items are equal."""
    for index, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return index
    return min(len(first), len(second))


def _parts(token_count: int, sampling: Sampling) -> Iterator[int]:
    if sampling.repeat_penalty != 1.0:
        yield native.llama_sampler_init_penalties(token_count, PENALTY_TOKENS, sampling.repeat_penalty, 0.0, 0.0)
    if sampling.temperature <= 0:
        yield native.llama_sampler_init_greedy()
        return
    yield native.llama_sampler_init_top_k(sampling.top_k)
    yield native.llama_sampler_init_top_p(sampling.top_p, 1)
    yield native.llama_sampler_init_temp(sampling.temperature)
    yield native.llama_sampler_init_dist(sampling.seed)
