"""What the file of a network that reads pairs says of itself, read without torch.

It is a safetensors file with the network's upper layers and head. Header: `base_sha256` of the embedder's
model.safetensors that it stands on, `lower_layers` taken from there, `classes` in the order of the logits, `tokens` a
pair is cut to, `templates` that the two texts are put into.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LENGTH = struct.Struct("<Q")  # of the JSON at the beginning of a safetensors file
LONGEST = 10_000_000  # bytes of JSON: a larger number means another kind of file


class WeightsError(ValueError):
    """The file is no network of this form, or does not stand on this embedder."""


@dataclass(frozen=True, slots=True)
class WeightsHeader:
    """What the file says of itself."""

    base_sha256: str
    lower_layers: int
    classes: tuple[str, ...]
    tokens: int
    templates: tuple[str, str] = ("{}", "{}")

    def as_metadata(self) -> dict[str, str]:
        """Return it as safetensors keeps it."""
        return {
            "base_sha256": self.base_sha256,
            "lower_layers": str(self.lower_layers),
            "classes": json.dumps(self.classes),
            "tokens": str(self.tokens),
            "templates": json.dumps(self.templates),
        }


def read_header(path: Path) -> WeightsHeader:
    """Read what a weights file stands on. Raises WeightsError for a file of another form, OSError for none."""
    with path.open("rb") as file:
        start = file.read(LENGTH.size)
        size = LENGTH.unpack(start)[0] if len(start) == LENGTH.size else LONGEST + 1
        text = file.read(size) if size <= LONGEST else b""
    try:
        return _header(json.loads(text)["__metadata__"])
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path.name} is not the file of a network that reads pairs") from error


def _header(said: Mapping[str, str]) -> WeightsHeader:
    first, second = json.loads(said["templates"])
    return WeightsHeader(
        said["base_sha256"],
        int(said["lower_layers"]),
        tuple(json.loads(said["classes"])),
        int(said["tokens"]),
        (str(first), str(second)),
    )
