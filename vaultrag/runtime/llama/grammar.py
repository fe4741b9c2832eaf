"""JSON by a schema: a small, closed part of JSON Schema becomes a llama.cpp grammar, applied only where it must be.

Native code never sees a grammar that a user wrote: an invalid one ends the process.
"""

from __future__ import annotations

import ctypes
import json
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as native
from numpy.typing import NDArray

from vaultrag.errors import GenerationFailed, UsageError

MOST_CHARACTERS = 20_000  # of a schema; ours have some hundreds
DEEPEST = 12  # levels; llama.cpp's parser recurses
MOST_REPEATED = 500  # of characters or items: llama.cpp writes a repetition out in full
CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # llama_token_data
ANNOTATIONS = {"title", "description", "$schema"}
KEYWORDS = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"maxLength"},
    "integer": set(),
    "number": set(),
    "boolean": set(),
    "null": set(),
}
PRIMITIVES = r"""
space ::= | " " | "\n" [ \t]{0,20}
character ::= [^"\\\x7F\x00-\x1F] | "\\" ["\\/bfnrt]
string ::= "\"" character* "\""
integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
number ::= integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,3})?
boolean ::= "true" | "false"
null ::= "null"
"""


def grammar_of(schema: str) -> str:
    """Return the grammar of a JSON schema. Raises UsageError for what is no schema, or one that we do not know."""
    if len(schema) > MOST_CHARACTERS:
        raise _refused(f"it has {len(schema):,} characters, and {MOST_CHARACTERS:,} are allowed")
    try:
        parsed = json.loads(schema)
    except (ValueError, RecursionError) as error:
        raise _refused("it is not JSON") from error
    return f"root ::= {_rule(parsed, 1)}\n{PRIMITIVES}"


class Grammar:
    """Follows one answer and says whether a token may come next. Asking of one token costs next to nothing."""

    def __init__(self, vocabulary: int, token_count: int, schema: str) -> None:
        self._sampler = native.llama_sampler_init_grammar(vocabulary, grammar_of(schema).encode(), b"root")
        if not self._sampler:  # part of a chain, it would end the process
            raise GenerationFailed("llama.cpp refuses the grammar of this schema.", "Ask for a simpler schema.")
        self._all = np.zeros(token_count, CANDIDATE)

    def allows(self, token: int) -> bool:
        """Whether the token fits. The end of the answer fits once the JSON is whole."""
        one = np.zeros(1, CANDIDATE)
        one["id"] = token
        self._apply(one)
        return bool(one["logit"][0] == 0.0)

    def restrict(self, values: NDArray[np.float32]) -> None:
        """Give all tokens that do not fit minus infinity. Costs some 30 ms for a large vocabulary."""
        self._all["id"], self._all["logit"] = np.arange(len(values)), values
        self._apply(self._all)
        values[:] = self._all["logit"]

    def take(self, token: int) -> None:
        """Go on by a token, which must be allowed."""
        native.llama_sampler_accept(self._sampler, token)

    def close(self) -> None:
        native.llama_sampler_free(self._sampler)

    def _apply(self, candidates: NDArray[np.void]) -> None:
        array = candidate_array(candidates)
        native.llama_sampler_apply(self._sampler, ctypes.byref(array))


def candidate_array(candidates: NDArray[np.void]) -> Any:
    """Return llama.cpp's view of candidates, which must outlive it."""
    data = candidates.ctypes.data_as(native.llama_token_data_p)
    return native.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)


def _rule(schema: Any, depth: int) -> str:
    if not isinstance(schema, dict):
        raise _refused("a schema in it is no object")
    if depth > DEEPEST:
        raise _refused(f"it is deeper than {DEEPEST} levels")
    keys = set(schema) - ANNOTATIONS
    if keys == {"anyOf"}:
        return _any_of([_rule(option, depth + 1) for option in _list(schema["anyOf"])])
    if keys - {"type"} == {"enum"}:
        return _any_of([_literal(value) for value in _list(schema["enum"])])
    if keys - {"type"} == {"const"}:
        return _literal(schema["const"])
    return _typed(schema, keys - {"type"}, depth)


def _typed(schema: dict[str, Any], keys: set[str], depth: int) -> str:
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in KEYWORDS:
        raise _refused(f"`type` must be one of {', '.join(KEYWORDS)}")
    if unknown := keys - KEYWORDS[kind]:
        raise _refused(f"`{min(unknown)}` is not supported for the type {kind}")
    match kind:
        case "object":
            return _object(schema, depth)
        case "array":
            return _array(schema, depth)
        case "string" if "maxLength" in schema:
            return rf'"\"" character{{0,{_count(schema["maxLength"])}}} "\""'
    return kind


def _object(schema: dict[str, Any], depth: int) -> str:
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        raise _refused("an object in it has no properties")
    if set(_list(schema.get("required"))) != set(properties):
        raise _refused("every property of an object must stand in `required`; give it the type null as well instead")
    if schema.get("additionalProperties", False) is not False:
        raise _refused("`additionalProperties` can only be false")
    pairs = [f'{_literal(name)} ":" space {_rule(value, depth + 1)}' for name, value in properties.items()]
    return '"{" space ' + ' "," space '.join(f"{pair} space" for pair in pairs) + ' "}"'


def _array(schema: dict[str, Any], depth: int) -> str:
    item = f"({_rule(schema.get('items'), depth + 1)}) space"
    least, most = _count(schema.get("minItems", 0)), schema.get("maxItems")
    if most is not None and (_count(most) < max(least, 1)):
        raise _refused("`maxItems` is lower than `minItems`, or 0")
    further = f"{{{max(least - 1, 0)},{_count(most) - 1 if most is not None else ''}}}"
    items = f'{item} ("," space {item}){further}'
    return f'"[" space {items if least else f"({items})?"} "]"'


def _any_of(rules: list[str]) -> str:
    return "(" + " | ".join(rules) + ")"


def _literal(value: Any) -> str:
    """Return a rule for one JSON value, its letters as they are: models do not write them as escapes."""
    if isinstance(value, dict | list):
        raise _refused("only plain values can stand in `enum` and `const`")
    text = json.dumps(value, ensure_ascii=False)
    if not text.isprintable():
        raise _refused("a name or value in it holds a character that cannot be printed")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value or len(value) > MOST_REPEATED:
        raise _refused("`required`, `enum` and `anyOf` must be lists that hold something")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_REPEATED:
        raise _refused(f"a length in it is not a whole number up to {MOST_REPEATED}")
    return value


def _refused(why: str) -> UsageError:
    return UsageError(f"This JSON schema cannot be used: {why}.", "Correct the schema.")
