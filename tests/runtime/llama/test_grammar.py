from __future__ import annotations

import json
from typing import Any

import pytest

from vaultrag.errors import UsageError
from vaultrag.runtime.llama.grammar import grammar_of


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("{", "not JSON"),
        ("[" * 10_000, "not JSON"),
        ("5", "no object"),
        ({}, "`type` must be"),
        ({"type": ["string", "null"]}, "`type` must be"),
        ({"type": "string", "pattern": "^(a+)+$"}, "`pattern` is not supported"),
        ({"$ref": "https://example.org/schema"}, "`type` must be"),
        ({"type": "object"}, "no properties"),
        ({"type": "object", "properties": {"a": {"type": "null"}}, "required": []}, "lists that hold something"),
        ({"type": "object", "properties": {"a": {"type": "null"}}, "required": ["b"]}, "must stand in `required`"),
        ({"type": "array", "items": {"type": "null"}, "minItems": 5, "maxItems": 2}, "`maxItems` is lower"),
        ({"type": "array", "items": {"type": "null"}, "maxItems": 10**9}, "whole number"),
        ({"type": "array"}, "no object"),
        ({"type": "string", "maxLength": -1}, "whole number"),
        ({"enum": []}, "lists that hold something"),
        ({"enum": [["a"]]}, "plain values"),
        ({"const": "a\u202eb"}, "cannot be printed"),
        ({"const": "\ud800"}, "cannot be printed"),
        ({"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"], "additionalProperties": True},
         "can only be false"),
    ],
)  # fmt: skip
def test_what_is_no_schema_of_ours_is_refused_with_the_reason(schema: Any, why: str) -> None:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    with pytest.raises(UsageError, match=why):
        grammar_of(text)


def test_a_schema_too_deep_or_too_long_is_refused() -> None:
    deep: dict[str, Any] = {"type": "null"}
    for _ in range(40):
        deep = {"type": "array", "items": deep}
    with pytest.raises(UsageError, match="deeper"):
        grammar_of(json.dumps(deep))
    with pytest.raises(UsageError, match="characters"):
        grammar_of(json.dumps({"enum": ["слово" * 10_000]}))


def test_names_and_values_stand_as_they_are_written() -> None:
    text = grammar_of(json.dumps({"enum": ["да", 'a"b\\', 5, None, True]}))
    assert text.startswith(r'root ::= ("\"да\"" | "\"a\\\"b\\\\\"" | "5" | "null" | "true")')
