"""One conversation with a loaded model: its KV cache, evaluation that can be aborted, and its state as bytes."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as native
from numpy.typing import NDArray

from vaultrag.errors import DoesNotFit, GenerationFailed
from vaultrag.runtime.llama.model import NativeModel, log
from vaultrag.runtime.offload.native_params import context_params, settle
from vaultrag.runtime.offload.placement import OUTPUTS, SHARED_SEQUENCES, Placement

TRUNK = 0  # the sequence that holds the conversation; the branches after it share its beginning
BRANCHES = SHARED_SEQUENCES // 2  # continuations scored side by side, with twice as many sequences for their options
MOST_OUTPUTS = OUTPUTS
ABORTED = 2  # llama_decode's status


class Aborted(Exception):
    """The request was cancelled while the model was computing."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a conversation: its tokens, how many of them stand in whole batches, and the cache's bytes."""

    ids: tuple[int, ...]
    whole: int
    data: bytes


@dataclass(frozen=True, slots=True)
class BatchToken:
    """A token of a batch that several sequences share. `wanted`: its logits are asked for."""

    token: int
    position: int
    sequence: int
    wanted: bool = False


class Slot:
    """A KV cache. The whole batches that a prompt shares with the one before are not computed again.

    Only whole batches of a prompt: results differ in the last bits with the size of a batch, and so an answer would
    depend on what was asked before. Raises DoesNotFit when there is no memory for the context.
    """

    def __init__(self, model: NativeModel, placement: Placement) -> None:
        settled = settle(model.model, placement)
        self.context, self.batch = settled.context, settled.batch
        # cells that branches share are never let go of: short windows would run full
        self.branches = BRANCHES if model.has_past and (settled.swa_full or not model.window) else 0
        self.ids: list[int] = []
        self.has_past = model.has_past
        self._whole = 0
        self._model = model
        self._cancelled = threading.Event()
        self._abort = native.ggml_abort_callback(lambda _data: self._cancelled.is_set())  # kept: C holds a bare pointer
        ctx = native.llama_init_from_model(model.model, self._params(settled))
        if not ctx:
            raise DoesNotFit(
                f"llama.cpp could not make a context of {self.context} tokens: {log.last_error}.",
                "Lower `runtime.context`, or name a smaller model.",
            )
        self._ctx = ctx
        self._memory = native.llama_get_memory(ctx)

    def _params(self, placement: Placement) -> Any:
        params = context_params(placement)
        params.abort_callback = self._abort
        return params

    def keep_prefix(self, ids: Sequence[int]) -> int:
        """Drop what the cache holds beyond its common prefix with `ids`; return how many of `ids` need no computing.

        The last id always does: its logits are needed.
        """
        self.cut(self.reusable(ids))
        return len(self.ids)

    def reusable(self, ids: Sequence[int]) -> int:
        """Return how many leading ids the cache holds in whole batches."""
        return min(common_prefix(self.ids, ids[:-1]), self._whole) // self.batch * self.batch

    def cut(self, length: int) -> None:
        """Keep only the first tokens. A model whose state has no past forgets everything instead."""
        if length == len(self.ids) and native.llama_memory_seq_pos_max(self._memory, TRUNK) == length - 1:
            return
        removed = native.llama_memory_seq_rm(self._memory, TRUNK, length, -1)
        if not removed or (self._model.window and not self._window_holds(length)):
            self.clear()
            return
        del self.ids[length:]
        self._whole = min(self._whole, length)

    def _window_holds(self, length: int) -> bool:
        """Whether a sliding window still holds what a token after the first `length` looks back to."""
        oldest = native.llama_memory_seq_pos_min(self._memory, TRUNK)  # -1 where nothing is left
        return length == 0 or 0 <= oldest <= max(0, length - self._model.window)

    def prefill(self, ids: Sequence[int], cancelled: threading.Event) -> Iterator[int]:
        """Append a prompt's ids by batches, yielding how many are done. Raises Aborted or GenerationFailed."""
        for start in range(0, len(ids), self.batch):
            batch = ids[start : start + self.batch]
            in_line = self._whole == len(self.ids)
            self.append(batch, cancelled)
            if in_line and len(batch) == self.batch:
                self._whole = len(self.ids)
            yield start + len(batch)

    def append(self, ids: Sequence[int], cancelled: threading.Event) -> None:
        """Evaluate at most one batch of ids, with the logits of the last. Raises Aborted or GenerationFailed."""
        array = (native.llama_token * len(ids))(*ids)
        self._decode(native.llama_batch_get_one(array, len(ids)), cancelled)
        self.ids.extend(ids)

    def append_all(self, ids: Sequence[int], cancelled: threading.Event) -> None:
        """Evaluate at most MOST_OUTPUTS ids, with the logits of each: `logits(i)` are those after `ids[i]`."""
        first = len(self.ids)
        self.evaluate([BatchToken(token, first + index, TRUNK, True) for index, token in enumerate(ids)], cancelled)
        self.ids.extend(ids)

    def evaluate(self, entries: Sequence[BatchToken], cancelled: threading.Event) -> None:
        """Evaluate at most one batch of tokens of any sequences. Raises Aborted or GenerationFailed."""
        batch = native.llama_batch_init(len(entries), 0, 1)
        batch.n_tokens = len(entries)
        for index, entry in enumerate(entries):
            batch.token[index], batch.pos[index] = entry.token, entry.position
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, entry.sequence
            batch.logits[index] = entry.wanted
        try:
            self._decode(batch, cancelled)
        finally:
            native.llama_batch_free(batch)

    def logits(self, index: int = -1) -> NDArray[np.float32]:
        """Return the logits after the token at that place of the batch evaluated last: a view, until the next one."""
        values = native.llama_get_logits_ith(self._ctx, index)
        view: NDArray[np.float32] = np.ctypeslib.as_array(values, shape=(self._model.vocabulary.size,))
        return view

    def fork(self, source: int, target: int) -> None:
        """Let one sequence begin with what another holds; nothing is copied."""
        native.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def drop(self, sequences: Sequence[int]) -> None:
        """Let go of branches."""
        for sequence in sequences:
            native.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def clear(self) -> None:
        """Forget the conversation."""
        native.llama_memory_clear(self._memory, True)
        self.ids = []
        self._whole = 0

    def snapshot_bytes(self) -> int:
        """Return how large a snapshot would be."""
        return int(native.llama_state_seq_get_size(self._ctx, TRUNK))

    def snapshot(self) -> Snapshot:
        """Return the conversation's state. Restored, it goes on with the very same logits."""
        buffer = (ctypes.c_uint8 * self.snapshot_bytes())()
        size = native.llama_state_seq_get_data(self._ctx, buffer, len(buffer), TRUNK)
        return Snapshot(tuple(self.ids), self._whole, bytes(memoryview(buffer)[:size]))

    def restore(self, snapshot: Snapshot) -> bool:
        """Put a state back; when llama.cpp refuses it, the slot is empty and the answer False."""
        self.clear()
        buffer = (ctypes.c_uint8 * len(snapshot.data)).from_buffer_copy(snapshot.data)
        if not native.llama_state_seq_set_data(self._ctx, buffer, len(buffer), TRUNK):
            self.clear()
            return False
        self.ids, self._whole = list(snapshot.ids), snapshot.whole
        return True

    def save(self, path: bytes) -> int:
        """Write the conversation's state to a file; return the bytes that llama.cpp wrote, 0 when it could not.

        The last of them may not have reached the disk: it does not look whether closing the file worked.
        """
        tokens = (native.llama_token * len(self.ids))(*self.ids)
        return int(native.llama_state_seq_save_file(self._ctx, path, TRUNK, tokens, len(self.ids)))

    def load(self, path: bytes, count: int) -> bool:
        """Read a state of `count` prompt tokens from a file; when llama.cpp refuses it, the slot is empty."""
        self.clear()
        tokens, read = (native.llama_token * count)(), ctypes.c_size_t()
        if not native.llama_state_seq_load_file(self._ctx, path, TRUNK, tokens, count, ctypes.byref(read)):
            self.clear()
            return False
        self.ids, self._whole = list(tokens[: read.value]), read.value // self.batch * self.batch
        return True

    def _decode(self, batch: Any, cancelled: threading.Event) -> None:
        if cancelled.is_set():
            raise Aborted
        self._cancelled = cancelled
        status = native.llama_decode(self._ctx, batch)
        if status == ABORTED or (status and cancelled.is_set()):
            raise Aborted
        if status:
            raise GenerationFailed(
                f"llama.cpp could not evaluate the prompt (status {status}).",
                "Ask again; if it stays so, lower `runtime.context` or name another model.",
            )


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many leading items are equal."""
    for index, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return index
    return min(len(first), len(second))
