"""What every JSON model is made of, and how it is written."""

from __future__ import annotations

import json
import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from vaultrag.text.steering import escaped


class Shape(BaseModel):
    """The JSON of a noun. Where a shape is wanted, within another one too, its noun may be given."""

    model_config = ConfigDict(frozen=True, defer_build=True)  # built when first used: `status` needs two of them

    @classmethod
    def of(cls, noun: object, **more: object) -> Self:
        """Return a noun's JSON model; `more` are fields that the noun does not know."""
        return cls.model_validate({**cls.values_of(noun), **more})

    @classmethod
    def values_of(cls, noun: Any) -> dict[str, object]:
        """Return the fields' values: the noun's attributes of these names. A shape that differs says how."""
        return {name: getattr(noun, name) for name in cls.model_fields if hasattr(noun, name)}

    @model_validator(mode="before")
    @classmethod
    def _take_noun(cls, value: object) -> object:
        return value if isinstance(value, dict | cls) else cls.values_of(value)


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


WORDED = r"\S"  # something that is not white space


_LINE_ENDS = re.compile("[\u2028\u2029]")  # for some readers


def dumps(value: BaseModel | dict[str, Any], indent: int | None = None) -> str:
    """Write JSON that no terminal interprets: Cyrillic as it is, escaped what steers one or reorders text."""
    plain = value.model_dump() if isinstance(value, BaseModel) else value
    text = json.dumps(plain, ensure_ascii=False, indent=indent)
    return _LINE_ENDS.sub(lambda match: f"\\u{ord(match.group()):04x}", escaped(text))
