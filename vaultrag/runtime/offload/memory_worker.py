"""The memory probe's process: `python -m vaultrag.runtime.offload.memory_worker`, spoken to by `memory`."""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llama_cpp import llama_cpp as native

from vaultrag.child import Frame, serve
from vaultrag.runtime.gguf.header import read_header
from vaultrag.runtime.hardware.nvml import nvml_cards
from vaultrag.runtime.offload.memory import MEBIBYTE, Buffer, Pretence, Purpose, announced
from vaultrag.runtime.offload.native_params import context_params, model_params, settle
from vaultrag.runtime.offload.placement import Placement

LOG_ERROR = 4  # GGML_LOG_LEVEL_ERROR in ggml.h
_CACHE = re.compile(r"llama_kv_cache: size =\s*([\d.]+) MiB")  # the only word on it when laid out


class AllocationRefused(Exception):
    """llama.cpp did not make the model or the context; its first complaint says why."""


class Log:
    """Keeps the sizes of the buffers that llama.cpp announces, and its first complaint."""

    def __init__(self, *, laid_out: bool) -> None:
        self._laid_out = laid_out
        self.buffers: list[Buffer] = []
        self.reason = "it gave no reason"
        self._silent = True
        self._line = ""
        self._callback = native.llama_log_callback(self._take)  # kept: C holds a bare pointer
        native.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _take(self, level: int, text: bytes, _data: Any) -> None:
        self._line += text.decode("utf-8", "replace")
        if not self._line.endswith("\n"):
            return
        line, self._line = self._line.strip(), ""
        if buffer := announced(line):
            self.buffers.append(buffer)
        elif (found := _CACHE.search(line)) and self._laid_out:
            self.buffers.append(Buffer("all", Purpose.CACHE, round(float(found[1]) * MEBIBYTE)))
        elif level == LOG_ERROR and self._silent:
            self.reason, self._silent = line.rstrip("."), False


def buffers(request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    """Lay the model out, or load it, and yield what it takes."""
    path = Path(request.body["path"])
    read_header(path)
    placement = Placement.from_json(request.body["placement"])
    laid_out = request.body["pretence"] == Pretence.LAID_OUT
    log = Log(laid_out=laid_out)
    wanted = model_params(placement)
    if laid_out:
        wanted.params.no_alloc = True
        wanted.params.load_mode = native.LLAMA_LOAD_MODE_NONE  # it asserts that nothing is mapped then
    native.llama_backend_init()
    model = native.llama_model_load_from_file(str(path).encode(), wanted.params)
    if not model:
        raise AllocationRefused(log.reason)
    try:
        context = native.llama_init_from_model(model, context_params(settle(model, placement)))
        if not context:
            raise AllocationRefused(log.reason)
        native.llama_free(context)
    finally:
        native.llama_model_free(model)
    yield Frame({"buffers": [[buffer.device, buffer.purpose, buffer.size] for buffer in log.buffers]})


def cards(_request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    """Yield what NVIDIA's driver says of its cards."""
    yield Frame({"cards": [asdict(card) for card in nvml_cards()]})


if __name__ == "__main__":
    serve({"buffers": buffers, "cards": cards})
