"""What Apple's chips reach, which Metal does not tell: makers' figures, from memory; no Mac was at hand."""

from __future__ import annotations

from dataclasses import dataclass

MAKER = "Apple "


@dataclass(frozen=True, slots=True)
class Chip:
    """Bandwidth of the memory in GB/s, TFLOPS of the GPU with most cores."""

    bandwidth: float
    tflops: float


CHIPS = {
    "M1": Chip(68, 2.6), "M1 Pro": Chip(200, 5.2), "M1 Max": Chip(400, 10.4), "M1 Ultra": Chip(800, 21),
    "M2": Chip(100, 3.6), "M2 Pro": Chip(200, 6.8), "M2 Max": Chip(400, 13.5), "M2 Ultra": Chip(800, 27),
    "M3": Chip(100, 4.1), "M3 Pro": Chip(150, 7.4), "M3 Max": Chip(400, 14), "M3 Ultra": Chip(819, 28),
    "M4": Chip(120, 4.6), "M4 Pro": Chip(273, 9.3), "M4 Max": Chip(546, 18),
}  # fmt: skip


def chip_of(description: str) -> Chip | None:
    """Return what is known of the chip that a Metal device names, as `Apple M3 Max`."""
    return CHIPS.get(description.removeprefix(MAKER)) if description.startswith(MAKER) else None
