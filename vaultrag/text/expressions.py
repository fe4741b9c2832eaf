"""Regular expressions as Obsidian's, which are JavaScript's, in bounded time and memory: nobody vouches for them.

The `regex` package runs them: it looks at the clock, and lets other threads run meanwhile. What is written otherwise in
JavaScript (no `u` flag, `i` set) is translated, and what could swell while it is compiled is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import regex

LONGEST = 1000  # characters of an expression; those of real vaults have some fifty
DEEPEST = 30  # groups in groups
MOST_REPEATS = 4096  # bytes of a path on Linux: nothing in one is there more often
LARGEST = 20_000  # parts once counted repeats are written out, as the library does for nested ones: 10 ms and 5 MB

_ANY = r"[^\n\r\u2028\u2029]"
_SPACES = r"\t\n\x0b\x0c\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NO_SPACES = (
    r"\x00-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff"
    r"\u3001-\ufefe\uff00-\U0010ffff"
)
_SETS = {
    "d": "0-9",
    "D": r"\x00-/:-\U0010ffff",
    "w": "0-9A-Z_a-z",
    "W": r"\x00-/:-@\[-\^`{-\U0010ffff",
    "s": _SPACES,
    "S": _NO_SPACES,
}
_AT_WORD = "(?:(?<=[0-9A-Z_a-z])(?![0-9A-Z_a-z])|(?<![0-9A-Z_a-z])(?=[0-9A-Z_a-z]))"
_IN_WORD = "(?:(?<=[0-9A-Z_a-z])(?=[0-9A-Z_a-z])|(?<![0-9A-Z_a-z])(?![0-9A-Z_a-z]))"
_SIGNS = {"t": "\t", "n": "\n", "v": "\x0b", "f": "\x0c", "r": "\r"}
_OPENING = re.compile(r"\((?:\?(?::|=|!|<=|<!|<(?P<name>[^\W\d]\w*)>))?")
_COUNT = re.compile(r"\{(?P<least>[0-9]+)(?:(?P<more>,)(?P<most>[0-9]*))?\}")
_CAPTURING = re.compile(r"\\.|\[(?:\\.|[^\]\\])*+(?:\]|\Z)|\((?:(?!\?)|\?<(?P<name>[^\W\d]\w*)>)", re.DOTALL)
_CODE = re.compile(
    r"x(?P<x>[0-9A-Fa-f]{2})|u(?P<high>[dD][89ABab][0-9A-Fa-f]{2})\\u(?P<low>[dD][C-Fc-f][0-9A-Fa-f]{2})"
    r"|u(?P<u>[0-9A-Fa-f]{4})|c(?P<c>[A-Za-z])"
)
_OCTAL = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?")
_NUMBER = re.compile(r"[1-9][0-9]*")
_NAME = re.compile(r"k<(\w+)>")


class NotUsable(Exception):
    """The expression is none, or one that is not run; the message says why."""


class Expression:
    """An expression without regard to case. Raises NotUsable."""

    def __init__(self, source: str) -> None:
        try:
            self._pattern = regex.compile(translated(source), regex.IGNORECASE | regex.VERSION0)
        except regex.error as error:
            raise NotUsable("it is no valid expression") from error

    def is_in(self, text: str, seconds: float) -> bool:
        """Tell whether it matches anywhere in a text. Raises TimeoutError after about so many seconds of computing."""
        return self._pattern.search(text, timeout=seconds, concurrent=True) is not None


def translated(source: str) -> str:
    """Return a JavaScript expression as one of the `regex` package. Raises NotUsable."""
    if len(source) > LONGEST:
        raise NotUsable(f"it has more than {LONGEST} characters")
    return _Translation(source).read()


@dataclass(slots=True)
class _Group:
    """A group that is still open: where it began in what is written, its number, and its size so far."""

    start: int = 0
    number: int = 0
    is_behind: bool = False
    size: int = 1


@dataclass(slots=True)
class _Translation:
    """One pass over an expression. `last` is where what a quantifier would repeat begins, None where nothing is."""

    source: str
    at: int = 0
    out: list[str] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=lambda: [_Group()])
    last: int | None = None
    last_size: int = 1
    opened: int = 0
    closed: set[int] = field(default_factory=set)
    count: int = 0
    names: Mapping[str, int] = field(default_factory=dict)

    def read(self) -> str:
        self.count, self.names = _numbered(self.source)
        while self.at < len(self.source):
            self._step(self.source[self.at])
        if len(self.groups) > 1:
            raise NotUsable("a bracket is not closed")
        return "".join(self.out)

    def _step(self, sign: str) -> None:
        if sign == "(":
            self._open()
        elif sign == ")":
            self._close()
        elif sign == "[":
            self._atom(self._set())
        elif sign == "\\":
            self.at += 1
            self._escape()
        elif sign in "*+?" or (sign == "{" and _COUNT.match(self.source, self.at)):
            self._repeat(sign)
        elif sign in _BETWEEN:
            self.at += 1
            self._between(_BETWEEN[sign])
        else:
            self.at += 1
            self._atom(_ANY if sign == "." else regex.escape(sign))

    def _atom(self, written: str) -> None:
        self.last, self.last_size = len(self.out), 1
        self.out.append(written)
        self._grow(1)

    def _between(self, written: str) -> None:
        self.last = None
        self.out.append(written)
        self._grow(1)

    def _grow(self, size: int) -> None:
        self.groups[-1].size += size
        if self.groups[-1].size > LARGEST:
            raise NotUsable("its repeats are too many")

    def _open(self) -> None:
        opening = _OPENING.match(self.source, self.at)
        assert opening is not None  # a bracket alone is one
        if len(self.groups) > DEEPEST:
            raise NotUsable(f"more than {DEEPEST} brackets are in each other")
        captures = opening.group() == "(" or opening["name"]
        self.opened += bool(captures)
        self.groups.append(_Group(len(self.out), self.opened if captures else 0, opening.group() in _BEHIND))
        self.out.append("(" if opening["name"] else opening.group())
        self.at = opening.end()
        self.last = None

    def _close(self) -> None:
        if len(self.groups) == 1:
            raise NotUsable("a bracket is not open")
        group = self.groups.pop()
        self.out.append(")")
        self.at += 1
        self.closed.add(group.number)
        self.last, self.last_size = None if group.is_behind else group.start, group.size
        self._grow(group.size)

    def _repeat(self, sign: str) -> None:
        if self.last is None:
            raise NotUsable("nothing stands before a sign of repetition")
        written, times = self._quantifier(sign)
        if self.source.startswith("?", self.at):
            self.at += 1
            written += "?"
        self.out.append(written)
        self._grow(self.last_size * times)
        self.last = None

    def _quantifier(self, sign: str) -> tuple[str, int]:
        """Return it as it is written, and how often at most the library writes out what it repeats."""
        if sign != "{":
            self.at += 1
            return sign, 1
        count = _COUNT.match(self.source, self.at)
        assert count is not None
        self.at = count.end()
        least = int(count["least"])
        most = int(count["most"]) if count["most"] else None if count["more"] else least
        if least > MOST_REPEATS:
            raise NotUsable(f"it asks for more than {MOST_REPEATS} of one thing")
        if most is None or most > MOST_REPEATS:
            return f"{{{least},}}", least + 1
        if most < least:
            raise NotUsable("a repetition ends before it begins")
        return f"{{{least},{most}}}", most + 1

    def _escape(self) -> None:
        """Read what follows a backslash, outside a set."""
        sign = self.source[self.at : self.at + 1]
        number = _NUMBER.match(self.source, self.at)
        name = _NAME.match(self.source, self.at) if self.names else None
        if sign in _SETS and sign:
            self.at += 1
            self._atom(f"[{_SETS[sign]}]")
        elif sign in ("b", "B"):
            self.at += 1
            self._between(_AT_WORD if sign == "b" else _IN_WORD)
        elif number and len(number.group()) < 4 and int(number.group()) <= self.count:
            self.at = number.end()
            self._reference(int(number.group()))
        elif name:
            self.at = name.end()
            self._reference(self.names.get(name.group(1), 0))
        else:
            self._atom(regex.escape(self._character()))

    def _reference(self, group: int) -> None:
        if not group:
            raise NotUsable("it names a group that is not there")
        # What has matched nothing, or is still open, is found everywhere.
        self._atom(rf"(?:(?({group})\{group}|))" if group in self.closed else "(?:)")

    def _character(self) -> str:
        """Read an escape that stands for one character."""
        sign = self.source[self.at : self.at + 1]
        if not sign:
            raise NotUsable("it ends in a backslash")
        code, octal = _CODE.match(self.source, self.at), _OCTAL.match(self.source, self.at)
        if code:
            self.at = code.end()
            return _coded(code)
        if octal:
            self.at = octal.end()
            return chr(int(octal.group(), 8))
        self.at += 1
        return _SIGNS.get(sign, sign)

    def _set(self) -> str:
        """Read a set such as `[^a-z]`."""
        negated = self.source.startswith("[^", self.at)
        self.at += 2 if negated else 1
        members: list[str] = []
        while not self.source.startswith("]", self.at):
            first = self._member()
            if self.source.startswith("-", self.at) and not self.source.startswith("-]", self.at):
                self.at += 1
                members.append(_span(first, self._member()))
            else:
                members.append(first if len(first) > 1 else _in_set(first))
        self.at += 1
        if not members:
            return r"[\x00-\U0010ffff]" if negated else "(?!)"
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _member(self) -> str:
        """Read a character of a set, or what `\\d` and its like stand for, which is longer."""
        sign = self.source[self.at : self.at + 1]
        if not sign:
            raise NotUsable("a square bracket is not closed")
        self.at += 1
        if sign != "\\":
            return sign
        escaped = self.source[self.at : self.at + 1]
        if escaped in _SETS and escaped:
            self.at += 1
            return _SETS[escaped]
        if escaped == "b":
            self.at += 1
            return "\b"
        return self._character()


_BEHIND = ("(?<=", "(?<!")  # not to be repeated
_BETWEEN = {"|": "|", "^": r"\A", "$": r"\Z"}  # `$` is the end only, where Python's takes a line's end before it, too


def _numbered(source: str) -> tuple[int, dict[str, int]]:
    """Return how many groups capture, and the numbers of those with a name."""
    names: dict[str, int] = {}
    count = 0
    for match in _CAPTURING.finditer(source):
        if match.group()[0] != "(":
            continue
        count += 1
        if match["name"]:
            if match["name"] in names:
                raise NotUsable("two groups have one name")
            names[match["name"]] = count
    return count, names


def _coded(code: re.Match[str]) -> str:
    if code["c"]:
        return chr(ord(code["c"]) % 32)
    if code["high"]:
        return chr(0x10000 + ((int(code["high"], 16) - 0xD800) << 10) + int(code["low"], 16) - 0xDC00)
    return chr(int(code["x"] or code["u"], 16))


def _span(first: str, last: str) -> str:
    if len(first) > 1 or len(last) > 1:  # `[\w-.]`: the hyphen is one
        return "".join(part if len(part) > 1 else _in_set(part) for part in (first, "-", last))
    if first > last:
        raise NotUsable("a range in a set ends before it begins")
    return f"{_in_set(first)}-{_in_set(last)}"


def _in_set(sign: str) -> str:
    return f"\\U{ord(sign):08x}"
