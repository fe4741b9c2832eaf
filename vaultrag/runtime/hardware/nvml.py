"""What NVIDIA's management library knows of the cards: bandwidth and arithmetic, which ggml does not tell.

Called in a child process only. Source: the NVML reference; no card was at hand when this was written.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

LIBRARY = "libnvidia-ml.so.1"
NAME_BYTES = 96  # NVML_DEVICE_NAME_V2_BUFFER_SIZE
SM_CLOCK, MEMORY_CLOCK = 1, 2  # nvmlClockType_t
PER_CLOCK = 2  # transfers of memory, and multiply-adds of a core
TENSOR_GAIN = 2  # half precision on matrix units over plain arithmetic: RTX 3090 and 4090
DATACENTRE_GAIN = 15  # A100, H100 and their successors, whose compute capability ends in 0
DATACENTRE = ((8, 0), (9, 0), (10, 0))


@dataclass(frozen=True, slots=True)
class NvmlCard:
    """One card: memory in bytes, bandwidth in GB/s, half-precision TFLOPS. 0 where the driver does not say."""

    name: str
    total: int
    free: int
    bandwidth: float
    tflops: float


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def nvml_cards() -> list[NvmlCard]:
    """Return the cards in the driver's order; none where there is no driver."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return []
    if library.nvmlInit_v2() != 0:
        return []
    count = ctypes.c_uint()
    library.nvmlDeviceGetCount_v2(ctypes.byref(count))
    found = [_card(library, index) for index in range(count.value)]
    library.nvmlShutdown()
    return found


def _card(library: ctypes.CDLL, index: int) -> NvmlCard:
    handle = ctypes.c_void_p()
    library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle))
    name = ctypes.create_string_buffer(NAME_BYTES)
    library.nvmlDeviceGetName(handle, name, ctypes.c_uint(NAME_BYTES))
    memory = _Memory()
    library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
    width = _number(library, "nvmlDeviceGetMemoryBusWidth", handle)
    clock = _number(library, "nvmlDeviceGetMaxClockInfo", handle, ctypes.c_int(MEMORY_CLOCK))
    return NvmlCard(
        name=name.value.decode("utf-8", "replace"),
        total=memory.total,
        free=memory.free,
        bandwidth=width / 8 * clock * PER_CLOCK / 1000,
        tflops=_tflops(library, handle),
    )


def _tflops(library: ctypes.CDLL, handle: ctypes.c_void_p) -> float:
    cores = _number(library, "nvmlDeviceGetNumGpuCores", handle)
    clock = _number(library, "nvmlDeviceGetMaxClockInfo", handle, ctypes.c_int(SM_CLOCK))
    major, minor = ctypes.c_int(), ctypes.c_int()
    library.nvmlDeviceGetCudaComputeCapability(handle, ctypes.byref(major), ctypes.byref(minor))
    gain = DATACENTRE_GAIN if (major.value, minor.value) in DATACENTRE else TENSOR_GAIN
    return cores * clock * PER_CLOCK * gain / 1e6


def _number(library: ctypes.CDLL, function: str, handle: ctypes.c_void_p, *arguments: ctypes.c_int) -> int:
    """Return one whole number; 0 where the driver or the card does not know it."""
    value = ctypes.c_uint()
    try:
        status = getattr(library, function)(handle, *arguments, ctypes.byref(value))
    except AttributeError:
        return 0
    return value.value if status == 0 else 0
