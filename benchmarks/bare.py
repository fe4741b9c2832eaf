"""A bare llama.cpp loop in a process of its own: llama_decode and an argmax, nothing else. Prints JSON.

The waiting policy of OpenMP comes from the environment, as it must be set before the library is loaded.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
from llama_cpp import llama_cpp as native

THREADS = os.cpu_count() or 1
BATCH = 128
DECODED = 64
PROMPT = (
    "Запись о саде, доме и сервере: яблони посажены в мае у забора. " * 30 + "\nCount from 1 to 500, a number a line."
)


def main() -> int:
    speeds = measure(sys.argv[1])
    sys.stdout.write(json.dumps(speeds))
    return 0


def measure(path: str) -> dict[str, float]:
    """Return tokens a second read and written, and the processor time of both."""
    native.llama_backend_init()
    model = native.llama_model_load_from_file(path.encode(), native.llama_model_default_params())
    params = native.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = 4096, BATCH, BATCH
    params.n_threads = params.n_threads_batch = THREADS
    context = native.llama_init_from_model(model, params)
    vocabulary = native.llama_model_get_vocab(model)
    size = native.llama_vocab_n_tokens(vocabulary)
    data = PROMPT.encode()
    ids = (native.llama_token * len(data))()
    count = native.llama_tokenize(vocabulary, data, len(data), ids, len(data), False, False)
    _decode(context, list(ids[:1]))  # weights into memory
    native.llama_memory_clear(native.llama_get_memory(context), True)
    began, busy = time.perf_counter(), time.process_time()
    for start in range(0, count, BATCH):
        _decode(context, list(ids[start : min(start + BATCH, count)]))
    read = time.perf_counter()
    for _ in range(DECODED):
        logits = np.ctypeslib.as_array(native.llama_get_logits_ith(context, -1), shape=(size,))
        _decode(context, [int(logits.argmax())])
    written = time.perf_counter()
    spent = time.process_time() - busy
    return {"prefill": count / (read - began), "decode": DECODED / (written - read), "CPU seconds": spent}


def _decode(context: int, ids: list[int]) -> None:
    array = (native.llama_token * len(ids))(*ids)
    status = native.llama_decode(context, native.llama_batch_get_one(array, len(ids)))
    assert status == 0


if __name__ == "__main__":
    sys.exit(main())
