"""How computing time grows with the input: of every regular expression of some folders, and of any use of a text.

Inputs are made from each expression's own parse tree: what stands before a repeat, what it repeats, many times, and an
end that nothing expects. Times are the thread's own, and a slow moment of the machine is tried again.
"""

from __future__ import annotations

import ast
import gc
import importlib
import pkgutil
import random
import re
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as sre_parser  # type: ignore[import-not-found]
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

# Characters, until it can be measured: what doubles with each is seen before it hangs.
SIZES = (8, 16, 22, 60, 150, 400, 1000, 4000)
MEASURABLE = 0.004  # seconds; below it the clock says little
STEEP = 8.0  # times, at four times the size: linear is 4, with the square 16
SUDDEN = 4.0  # times, at a quarter more: what doubles with each character
TRIES = 4
FAMILIES = 3  # examples of one repeat
SIGNS = " \t\n>-*#|`:[]()!<{$%=~_\\\"'^.,0aя/&;@"
ENDS = ("", "\x00", "\n\x00")
METHODS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")

Use: TypeAlias = "Callable[[str], object]"


@dataclass(frozen=True, slots=True)
class Found:
    """An expression in the code, and how it is applied there."""

    place: str
    pattern: re.Pattern[str]
    anchored: bool

    def run(self, text: str) -> None:
        if self.anchored:
            self.pattern.match(text)
            self.pattern.fullmatch(text)
        else:
            for _ in self.pattern.finditer(text):
                pass


def expressions(packages: Iterable[str]) -> Iterator[Found]:
    """Yield every expression of these packages once: those of a module, and those written in a function."""
    for module in modules(packages):
        source = _source(module)
        named = dict(_named(vars(module)))
        for name, pattern in named.items():
            yield Found(f"{module.__name__}.{name}", pattern, _is_anchored(name.partition("[")[0], source))
        for line, pattern in _written(ast.parse(source), vars(module)):
            if pattern not in named.values():
                yield Found(f"{module.__name__}:{line}", pattern, False)


def modules(packages: Iterable[str]) -> Iterator[ModuleType]:
    for name in packages:
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            yield importlib.import_module(found.name)


def _source(module: ModuleType) -> str:
    assert module.__file__
    return Path(module.__file__).read_text(encoding="utf-8")


def _named(values: Mapping[str, Any]) -> Iterator[tuple[str, re.Pattern[str]]]:
    for name, value in values.items():
        yield from _inside(name, value, 3)


def _inside(name: str, value: object, depth: int) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield name, value
    elif depth and isinstance(value, list | tuple | frozenset):
        for index, member in enumerate(value):
            yield from _inside(f"{name}[{index}]", member, depth - 1)
    elif depth and isinstance(value, dict):
        for key, member in value.items():
            yield from _inside(f"{name}[{key!r}]", member, depth - 1)


def _written(tree: ast.Module, names: Mapping[str, Any]) -> Iterator[tuple[int, re.Pattern[str]]]:
    """Yield the expressions that functions of `re` are called with, `x` in the place of what is not known before."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        owner, first = call.func.value, call.args[0]
        if isinstance(owner, ast.Name) and owner.id == "re" and call.func.attr in (*METHODS, "compile"):
            text = _value(first, names)
            if text:
                yield call.lineno, re.compile(text, _flags(call))


def _flags(call: ast.Call) -> re.RegexFlag:
    found = re.RegexFlag(0)
    for node in ast.walk(call):
        if isinstance(node, ast.Attribute) and isinstance(getattr(re, node.attr, None), re.RegexFlag):
            found |= getattr(re, node.attr)
    return found


def _value(node: ast.expr, names: Mapping[str, Any]) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(part, names) for part in node.values)
    if isinstance(node, ast.Name) and isinstance(names.get(node.id), str):
        return str(names[node.id])
    return ""


def _part(node: ast.expr, names: Mapping[str, Any]) -> str:
    return _value(node.value, names) or "x" if isinstance(node, ast.FormattedValue) else _value(node, names)


def _is_anchored(name: str, source: str) -> bool:
    """Tell whether an expression is only ever tried at one place of a text, by its own name or in a loop over some."""
    loops = re.findall(rf"for (\w+) in \([^()]*\b{name}\b[^()]*\):", source)
    used = re.findall(rf"\b(?:{'|'.join((name, *loops))})\.({'|'.join(METHODS)})\(", source)
    return bool(used) and all(method in ("match", "fullmatch") for method in used)


def inputs(pattern: re.Pattern[str]) -> Iterator[Callable[[int], str]]:
    """Yield makers of texts of about a given size that an expression is likely to read more than once."""
    rng = random.Random(ascii(pattern.pattern))
    tree = sre_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    before = {""}
    pumps = set(SIGNS)
    for prefix, body in _repeats(tree, "", rng):
        before.add(prefix)
        for _ in range(FAMILIES):
            pumps.add(_example(body, rng) or "a")
    for _ in range(FAMILIES):
        whole = _example(tree, rng)
        before.update((whole[:1], whole[:-1], whole[: len(whole) // 2]))
    for start in sorted(before, key=len)[:24]:
        for pump in sorted(pumps):
            yield from (_Made(start, pump, end) for end in ENDS)
            if start:
                yield _Made("", start + pump, "")
        if start:
            yield _Made("", start, "\x00")


@dataclass(frozen=True, slots=True)
class _Made:
    """Makes texts of about a given size of one stretch many times, between others."""

    start: str
    pump: str
    end: str

    def __call__(self, size: int) -> str:
        return self.start + self.pump * (size // len(self.pump)) + self.end


def _repeats(tree: Any, before: str, rng: random.Random) -> Iterator[tuple[str, Any]]:
    """Yield each repeat's body with an example of what stands before it."""
    for op, value in tree:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            if value[1] > 8:
                yield before, value[2]
            yield from _repeats(value[2], before, rng)
        elif op is sre.SUBPATTERN:
            yield from _repeats(value[3], before, rng)
        elif op is sre.ATOMIC_GROUP:
            yield from _repeats(value, before, rng)
        elif op is sre.BRANCH:
            for branch in value[1]:
                yield from _repeats(branch, before, rng)
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            yield from _repeats(value[1], before, rng)
        before += _example([(op, value)], rng)


def _example(tree: Any, rng: random.Random) -> str:
    """Return a text that a part of an expression matches, look-arounds aside."""
    out = ""
    for op, value in tree:
        if op is sre.LITERAL:
            out += chr(value)
        elif op in (sre.NOT_LITERAL, sre.IN, sre.ANY):
            out += _character(op, value, rng)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            least, most, body = value
            out += "".join(_example(body, rng) for _ in range(max(least, min(most, rng.randrange(0, 3)))))
        elif op is sre.SUBPATTERN:
            out += _example(value[3], rng)
        elif op is sre.ATOMIC_GROUP:
            out += _example(value, rng)
        elif op is sre.BRANCH:
            out += _example(rng.choice(value[1]), rng)
    return out


def _character(op: Any, value: Any, rng: random.Random) -> str:
    usual = [sign for sign in SIGNS if _fits(op, value, sign)]
    if usual:
        return rng.choice(usual)
    others = [chr(code) for code in (*range(0x20, 0x500), *range(0x2000, 0x3100)) if _fits(op, value, chr(code))]
    return rng.choice(others) if others else ""


def _fits(op: Any, value: Any, sign: str) -> bool:
    if op is sre.ANY:
        return sign != "\n"
    if op is sre.NOT_LITERAL:
        return bool(ord(sign) != value)
    negated = value[0][0] is sre.NEGATE
    return bool(negated) != any(_is_member(kind, which, sign) for kind, which in value if kind is not sre.NEGATE)


def _is_member(kind: Any, which: Any, sign: str) -> bool:
    if kind is sre.LITERAL:
        return bool(ord(sign) == which)
    if kind is sre.RANGE:
        return bool(which[0] <= ord(sign) <= which[1])
    known = {
        sre.CATEGORY_DIGIT: sign.isdigit(),
        sre.CATEGORY_SPACE: sign.isspace(),
        sre.CATEGORY_WORD: sign.isalnum() or sign == "_",
    }
    opposite = {
        sre.CATEGORY_NOT_DIGIT: not sign.isdigit(),
        sre.CATEGORY_NOT_SPACE: not sign.isspace(),
        sre.CATEGORY_NOT_WORD: not (sign.isalnum() or sign == "_"),
    }
    return bool({**known, **opposite}.get(which, False))


def growth(run: Use, make: Callable[[int], str], sizes: Sequence[int] = SIZES) -> float:
    """Return how many times longer a text of four times the size takes; 0 where even a large one takes no time."""
    for size in sizes:
        if seconds(run, make(size)) >= MEASURABLE:
            break
    else:
        return 0.0
    if _ratio(run, make, size, size + max(2, size // 4), SUDDEN) >= SUDDEN:
        return SUDDEN * STEEP
    return _ratio(run, make, size, 4 * size, STEEP)


def _ratio(run: Use, make: Callable[[int], str], small: int, large: int, enough: float) -> float:
    """Return the ratio of two times, the smallest of some tries where it seems too much."""
    first = second = ratio = float("inf")
    for _ in range(TRIES):
        first, second = min(first, seconds(run, make(small))), min(second, seconds(run, make(large)))
        ratio = second / first
        if ratio < enough:
            break
    return ratio


def seconds(run: Use, text: str) -> float:
    gc.disable()  # its pauses depend on all that was made before
    began = time.thread_time()
    try:
        run(text)
        return time.thread_time() - began
    finally:
        gc.enable()
