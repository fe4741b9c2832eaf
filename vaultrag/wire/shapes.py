"""What every JSON model is made of, and how it is written."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)  # built when first used: `status` needs two of them


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


WORDED = r"\S"  # something that is not white space


# DEL and C1 steer terminals, U+2028 and U+2029 end lines for some readers, and surrogates have no UTF-8
_ESCAPED = re.compile("[\u007f-\u009f\u2028\u2029\ud800-\udfff]")


def dumps(value: BaseModel | dict[str, Any], indent: int | None = None) -> str:
    """Write JSON that no terminal interprets: Cyrillic as it is, every control character escaped."""
    plain = value.model_dump() if isinstance(value, BaseModel) else value
    text = json.dumps(plain, ensure_ascii=False, indent=indent)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
