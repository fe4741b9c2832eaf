"""A model of llama.cpp in this process: loading by a placement, devices. Only child processes import it."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llama_cpp
from llama_cpp import _ggml
from llama_cpp import llama_cpp as native

from vaultrag.errors import ModelError
from vaultrag.runtime.hardware.machine import BackendInfo, Device, DeviceKind
from vaultrag.runtime.llama.cpu_limit import HEADER_SECONDS, allowed, withdraw
from vaultrag.runtime.llama.load_progress import Report
from vaultrag.runtime.llama.vocabulary import Vocabulary
from vaultrag.runtime.offload.memory import Buffer, announced
from vaultrag.runtime.offload.native_params import has_past, model_params
from vaultrag.runtime.offload.placement import Placement

VERSION: str = llama_cpp.__version__
NO_REASON = "failed to load model"  # llama.cpp's last words on a file, after those that tell what is wrong with it
LOG_WARNING, LOG_ERROR = 3, 4  # GGML_LOG_LEVEL_WARN and _ERROR in ggml.h (llama_cpp's own table is out of date)


class NativeModel:
    """The weights and the vocabulary of one model file. Raises ModelError when llama.cpp refuses it."""

    def __init__(
        self, path: Path, placement: Placement, cancelled: threading.Event, report: Report = lambda _share: None
    ) -> None:
        native.llama_backend_init()
        prepared = model_params(placement)
        params = prepared.params

        def goes_on(share: float, _data: Any) -> bool:
            withdraw()  # the header is read: weights take as long as the disk does
            report(share)
            return not cancelled.is_set()

        going_on = native.llama_progress_callback(goes_on)
        params.progress_callback = going_on
        with allowed(HEADER_SECONDS):
            model = native.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise ModelError(
                f"llama.cpp could not load {path}: {log.last_error}.",
                "Check the file with `vaultrag models verify`, or name another model.",
            )
        self.model = model
        if native.llama_vocab_type(native.llama_model_get_vocab(model)) == native.LLAMA_VOCAB_TYPE_NONE:
            raise ModelError(f"The model {path} has no vocabulary, so it cannot write.", "Name another model.")
        self.vocabulary = Vocabulary(model)
        self.context_trained = int(native.llama_model_n_ctx_train(model))
        self.parameters = int(native.llama_model_n_params(model))
        self.size = int(native.llama_model_size(model))
        self.window = int(native.llama_model_n_swa(model))
        self.has_past = has_past(model)


class _Log:
    """Keeps llama.cpp's last complaint and the buffers it announces; passes warnings and errors to standard error."""

    def __init__(self) -> None:
        self.last_error = "it gave no reason"
        self.buffers: list[Buffer] = []
        self._callback = native.llama_log_callback(self._take)  # kept: C holds a bare pointer
        native.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _take(self, level: int, text: bytes, _data: Any) -> None:
        line = text.decode("utf-8", "replace").strip()
        if level not in (LOG_WARNING, LOG_ERROR):
            self.buffers += filter(None, [announced(line)])
            return
        if level == LOG_ERROR and line and not line.endswith(NO_REASON):
            self.last_error = line.rstrip(".")
        sys.stderr.write(line + "\n")


log = _Log()  # native logging is one for the process


def describe_backend() -> BackendInfo:
    """Return what the installed llama-cpp-python is, and the devices it sees."""
    native.llama_backend_init()
    return BackendInfo(
        version=VERSION,
        gpu_offload=bool(native.llama_supports_gpu_offload()),
        features=native.llama_print_system_info().decode("utf-8", "replace").strip(),
        devices=tuple(_device(index) for index in range(_ggml_call("ggml_backend_dev_count", ctypes.c_size_t)())),
    )


def _device(index: int) -> Device:
    pointer, size = ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)
    device = _ggml_call("ggml_backend_dev_get", pointer, ctypes.c_size_t)(index)
    name = _ggml_call("ggml_backend_dev_name", ctypes.c_char_p, pointer)(device)
    description = _ggml_call("ggml_backend_dev_description", ctypes.c_char_p, pointer)(device)
    kind = _ggml_call("ggml_backend_dev_type", ctypes.c_int, pointer)(device)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    memory = _ggml_call("ggml_backend_dev_memory", None, pointer, size, size)
    memory(device, ctypes.byref(free), ctypes.byref(total))
    return Device(
        name=name.decode("utf-8", "replace"),
        description=description.decode("utf-8", "replace"),
        kind=DeviceKind.of(kind),
        free=free.value,
        total=total.value,
    )


def _ggml_call(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """Declare a function of ggml that llama-cpp-python does not: it lies in one of two libraries, by platform."""
    library = native._lib if hasattr(native._lib, name) else _ggml.libggml  # noqa: SLF001  # no other way to it
    function: Callable[..., Any] = ctypes.CFUNCTYPE(result, *arguments)((name, library))
    return function
