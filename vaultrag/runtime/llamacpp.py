"""A model of llama.cpp in this process: loading, vocabulary, devices. Only child processes import it.

Low-level calls only: the high-level `Llama` loses tokens over 32 bytes and reads control tokens out of content.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
from llama_cpp import _ggml
from llama_cpp import llama_cpp as native

from vaultrag.errors import ModelError
from vaultrag.runtime.machine import BackendInfo, Device, DeviceKind
from vaultrag.runtime.template import PromptPart

LOG_WARNING, LOG_ERROR = 3, 4  # GGML_LOG_LEVEL_WARN and _ERROR in ggml.h (llama_cpp's own table is out of date)
PIECE_BYTES = 64  # longer pieces are asked for a second time with their true size


class LoadedModel:
    """The weights and the vocabulary of one model file. Raises ModelError when llama.cpp refuses it."""

    def __init__(self, path: Path, gpu_layers: int, cancelled: threading.Event) -> None:
        native.llama_backend_init()
        params = native.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        going_on = native.llama_progress_callback(lambda _share, _data: not cancelled.is_set())
        params.progress_callback = going_on
        model = native.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise ModelError(
                f"llama.cpp could not load {path}: {log.last_error}.",
                "Check the file with `vaultrag models verify`, or name another model.",
            )
        self.model = model
        self.vocab = native.llama_model_get_vocab(model)
        self.context_trained = int(native.llama_model_n_ctx_train(model))
        self.parameters = int(native.llama_model_n_params(model))
        self.size = int(native.llama_model_size(model))
        self._pieces: dict[int, bytes] = {}

    @property
    def token_count(self) -> int:
        return int(native.llama_vocab_n_tokens(self.vocab))

    @property
    def bos(self) -> str:
        return self._special(native.llama_vocab_bos(self.vocab))

    @property
    def eos(self) -> str:
        return self._special(native.llama_vocab_eos(self.vocab))

    def prompt_ids(self, parts: Sequence[PromptPart]) -> list[int]:
        """Tokenise a rendered prompt: control tokens come from the template's own text alone."""
        ids = [token for part in parts for token in (self.control_ids if part.control else self.content_ids)(part.text)]
        first = int(native.llama_vocab_bos(self.vocab))
        if native.llama_vocab_get_add_bos(self.vocab) and ids[:1] != [first]:
            ids.insert(0, first)
        return ids

    def content_ids(self, text: str) -> list[int]:
        """Return the ids of a text, none of which is a control token."""
        return self._ids(text, parse_special=False)

    def control_ids(self, text: str) -> list[int]:
        """Return the ids of a template's text, control tokens included."""
        return self._ids(text, parse_special=True)

    def piece(self, token: int) -> bytes:
        """Return all the bytes of a token; control tokens give none."""
        if token not in self._pieces:
            self._pieces[token] = self._read_piece(token, special=False)
        return self._pieces[token]

    def ends(self, token: int) -> bool:
        """Whether the model says by this token that it has finished."""
        return bool(native.llama_vocab_is_eog(self.vocab, token))

    def _ids(self, text: str, *, parse_special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8  # a token is at least a byte long
        while True:
            ids = (native.llama_token * room)()
            count = native.llama_tokenize(self.vocab, data, len(data), ids, room, False, parse_special)
            if count >= 0:
                return list(ids[:count])
            room = -count

    def _special(self, token: int) -> str:
        return self._read_piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def _read_piece(self, token: int, *, special: bool) -> bytes:
        room = PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(room)
            length = native.llama_token_to_piece(self.vocab, token, buffer, room, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            room = -length


class _Log:
    """Keeps llama.cpp's last complaint, and passes warnings and errors on to standard error."""

    def __init__(self) -> None:
        self.last_error = "it gave no reason"
        self._callback = native.llama_log_callback(self._take)  # kept: C holds a bare pointer
        native.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _take(self, level: int, text: bytes, _data: Any) -> None:
        if level not in (LOG_WARNING, LOG_ERROR):
            return
        line = text.decode("utf-8", "replace").strip()
        if level == LOG_ERROR and line:
            self.last_error = line.rstrip(".")
        sys.stderr.write(line + "\n")


log = _Log()  # native logging is one for the process


def describe_backend() -> BackendInfo:
    """Return what the installed llama-cpp-python is, and the devices it sees."""
    native.llama_backend_init()
    return BackendInfo(
        version=llama_cpp.__version__,
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
    library = native._lib if hasattr(native._lib, name) else _ggml.libggml
    function: Callable[..., Any] = ctypes.CFUNCTYPE(result, *arguments)((name, library))
    return function
