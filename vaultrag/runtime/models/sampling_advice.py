"""Sampling as a model's makers advise it, laid under what is asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from vaultrag.domain import Sampling


@dataclass(frozen=True, slots=True)
class Recommended:
    """Sampling as the model's makers recommend it."""

    temperature: Annotated[float, Field(ge=0, le=2)]
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


# What Qwen3 and the DeepSeek distills advise, for a model whose makers are not known: greedy thoughts go in circles.
USUAL_THOUGHT = Recommended(temperature=0.6, top_p=0.95, top_k=20)


@dataclass(frozen=True, slots=True)
class Advice:
    """What is advised without a thought (None: nothing), and with one."""

    plain: Recommended | None = None
    thinking: Recommended = USUAL_THOUGHT

    def answering(self, asked: Sampling) -> Sampling:
        """Return the sampling of an answer without a thought: greedy stays greedy, chance is drawn as advised."""
        if asked.temperature == 0 or self.plain is None:
            return asked
        return _drawn(asked, self.plain, asked.temperature)

    def thinking_aloud(self, asked: Sampling) -> Sampling:
        """Return the sampling of a thought and its answer, which is never greedy."""
        return _drawn(asked, self.thinking, asked.temperature or self.thinking.temperature)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Advice:
        plain = Recommended(**values["plain"]) if values["plain"] is not None else None
        return cls(plain, Recommended(**values["thinking"]))


def _drawn(asked: Sampling, advised: Recommended, temperature: float) -> Sampling:
    return replace(asked, temperature=temperature, top_p=advised.top_p, top_k=advised.top_k, min_p=advised.min_p)
