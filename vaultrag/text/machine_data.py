"""What stands in a note for programs alone: pictures as base64, keys, compressed JSON, settings of plugins.

Found by its form, never by its length alone: a word, an address or a line of Chinese may be as long as it likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

Stretch = tuple[int, int]

_DRAWING = ("Excalidraw Data", "Text Elements", "Element Links", "Embedded Files", "Drawing")
PLUGIN_HEADINGS = (("excalidraw-plugin", frozenset(_DRAWING)),)
"""Headings that a plugin writes into its notes, by the property that says whose a note is."""

LONGEST_GAP = 400  # characters without words inside a passage: a shorter stretch is only out of its words
_LONG = 64  # characters of a run: a line of PEM; keys that people compare by eye are shorter
_WRAPPED = 32  # characters of a line that is base64 where its neighbours are, too
_WRAPPED_LINES = 3
_DENSE = 200  # characters without a space: minified JSON, style sheets and scripts
_LONGEST_HASH = 128  # characters: SHA-512 in hexadecimal digits, which somebody may look for
_WORDLIKE = 0.4  # of a run stands in words; of random base64 it is a tenth on average
_PARTED = 0.12  # of a run are marks that part words; of random base64 it is a thirtieth
_FEW = 16  # characters without repetitions, of which nothing can be told
_AROUND = 500  # characters before and after an address in which it or its tag begins and ends

_DUMPED = 20  # characters of code for each space and colon in it, at most: dumps have three, beside text more

_TOKEN = re.compile(r"\S{64,}")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}")
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{64,}={0,2}")  # of an address: a slash parts its words
_WEB_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]{10,}+\.[\w-]{10,}+\.[\w-]{10,}+")  # JSON Web Token
_WORDLIKE_PART = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{5,}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")  # Git's names, a list of them line by line; dumps are 32, 60 or 64 wide
_NEWLINE = re.compile(r"\r\n|\r|\n")
_KINDS = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))
_REPEATED = re.compile(r"(.)\1{7,}")
_DATA_LINE = re.compile(r"[ \t>|]*([A-Za-z0-9+/_-]{32,}={0,2})[ \t]*")
_LAST_LINE = re.compile(
    r"[ \t>|]*+(?:[A-Za-z0-9+/_-]*={1,2}|=[A-Za-z0-9+/]{4}|(?=\S*\d)(?=\S*[A-Z])[A-Za-z0-9+/_-]+)[ \t]*"
)
_BEGIN = re.compile(r"-----BEGIN (?!PGP SIGNED)[A-Z0-9 ]{2,60}-----")
_END = re.compile(r"-----END [A-Z0-9 ]{2,60}-----")
_ADDRESS = re.compile(
    r"\bdata:(?:[a-z]+/[a-z0-9.+-]+(?:;[a-z0-9=_-]+)*|(?:;[a-z0-9=_-]+)+),[^\s)\"'<>\\]*", re.IGNORECASE
)
_ADDRESS_ENDS = re.compile(r"[\"'<>()\s]")
_TAG_BEFORE = re.compile(r"<[A-Za-z][^<>]*\Z")
_REST_OF_TAG = re.compile(r"[\"']?[^<>]*>")
_SAYS = re.compile(r"\b(?:alt|title)\s*=\s*(?P<sign>[\"'])(?P<said>[^\"'<>]*)(?P=sign)", re.IGNORECASE)
_SHAPE = re.compile(r"\s(?:d|points)=(?P<sign>[\"'])[\sMmZzLlHhVvCcSsQqTtAaEe0-9.,+-]{100,}(?P=sign)")
_HEX_DUMP = re.compile(r"(?:\b[0-9A-Fa-f]{2}[ :,]\s?){24,}(?:[0-9A-Fa-f]{2}\b)?")
_NUMBERS = re.compile(r"[\d.,;eE+\-\[\](){}]+")
_QUOTED_EDGES = re.compile(r"\A[\w'’.!?-]+(?=[,\"])|(?<=\")[\w'’.!?-]+\Z")
_LETTERS = re.compile(r"[^\W\d_]+")

_SIGNS = (  # of data that holds no long word: each is found far faster than what it is a sign of
    *(
        ":settings",
        "EXCALIDRAW VIEW",
        "TLDRAW_DATA",
        "compressed-json",
        "annotation-json",
        "🔐",
        "-ink",
        '"excalidraw"',
    ),
    *(' d="', " d='", "points=", ";base64,"),
)
_FENCE = re.compile(
    r"(?:^|(?<=[\r\n]))(?:#{1,2} Drawing\s++)?[ \t>]*+(?P<mark>`{3,}+)[ \t]*+"
    r"(?:(?:compressed-json|annotation-json|handdrawn-ink|handwritten-ink)\b"
    r"|json\s++(?:!!!_START_OF_TLDRAW_DATA|\{\s*+\"type\":\s*+\"excalidraw\"))"
)
_SECRET = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{16,}+={0,2}(?=\s{0,4}🔐)")  # Meld Encrypt; its hint is words
_FENCE_LINE = re.compile(r"(?:^|(?<=[\r\n]))[ \t>]*+(?:`{3,}|~{3,})")
_REST_OF_FENCE = re.compile(r"[ \t]*(?:\r\n|\r|\n)[ \t>]*(?:`{3,}|~{3,})[ \t]*(?=[\r\n]|\Z)")
_SETTINGS = re.compile(r"%%[ \t]*+[\w-]{1,60}:settings\b.*?(?:%%|\Z)", re.DOTALL)
_BANNER = re.compile(r"==⚠[ \t]+Switch to EXCALIDRAW VIEW[^\r\n]*")
_FILE_ID = re.compile(r"[0-9a-f]{40}:")
_EMBEDDED_FILE = re.compile(rf"\b{_FILE_ID.pattern}[ \t]+(?=\[\[|\$\$|https?:)")


def may_hold_machine_data(text: str) -> bool:
    """Tell whether a closer look at a text outside code could find any; most texts are told apart by their words."""
    tokens = text.split()
    longest = max(map(len, tokens), default=0)
    if longest >= _LONG or any(sign in text for sign in _SIGNS):
        return True
    if longest < _WRAPPED:
        return False
    long = [token for token in tokens if len(token) >= _WRAPPED]
    return len(long) >= _WRAPPED_LINES or any(map(_FILE_ID.match, long))


def machine_data(text: str, *, is_code: bool = False) -> list[Stretch]:
    """Return the stretches of a text that are no words of anybody, in order and apart; linear, whatever the text."""
    found = _dumps(text) if is_code else []
    if not may_hold_machine_data(text):
        return found
    found += [*_fences(text), *_spans(_SETTINGS, text), *_spans(_BANNER, text), *_spans(_SHAPE, text)]
    found += _spans(_SECRET, text)
    found += [*_wrapped(text), *_spans(_EMBEDDED_FILE, text), *_armoured(text), *_addresses(text)]
    found += [stretch for token in _TOKEN.finditer(text) for stretch in _in_token(token)]
    return _merged(found)


def without_machine_data(text: str, *, is_code: bool = False) -> str:
    """Return the text that people may have written."""
    found = machine_data(text, is_code=is_code)
    kept: list[str] = []
    for start, end in _others(found, len(text)):
        meets = start and text[start:end][:1].isalnum() and kept and kept[-1][-1:].isalnum()
        kept.append(f" {text[start:end]}" if meets else text[start:end])
    return "".join(kept)


def parts_between(text: str, *, is_code: bool = False) -> list[Stretch] | None:
    """Return the stretches between long machine data; None where the text holds none, not even a short one."""
    found = machine_data(text, is_code=is_code)
    if not found:
        return None
    long = [(start, end) for start, end in found if end - start >= LONGEST_GAP]
    return [(start, end) for start, end in _others(_with_fences(text, long), len(text)) if end > start]


def _with_fences(text: str, stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Take the end of a fence to the data that fills it: alone it would make code of all that follows."""
    at = 0
    is_open = False
    for start, end in stretches:
        is_open ^= len(_FENCE_LINE.findall(text, at, start)) % 2 == 1
        at = end
        if is_open and (rest := _REST_OF_FENCE.match(text, end)):
            is_open, at = False, rest.end()
        yield start, at


def _spans(pattern: re.Pattern[str], text: str) -> list[Stretch]:
    return [match.span() for match in pattern.finditer(text)]


def _fences(text: str) -> Iterator[Stretch]:
    """Yield the fences whose language says that a plugin wrote them, with what it keeps in them."""
    at = 0
    while opening := _FENCE.search(text, at):
        closing = text.find(opening["mark"], opening.end())
        at = len(text) if closing < 0 else closing + len(opening["mark"])
        yield opening.start(), at


def _armoured(text: str) -> Iterator[Stretch]:
    """Yield keys, certificates and encrypted messages; the line that says what begins stays."""
    at = 0
    while (begin := _BEGIN.search(text, at)) and (end := _END.search(text, begin.end())):
        yield begin.end(), end.end()
        at = end.end()


def _addresses(text: str) -> Iterator[Stretch]:
    """Yield `data:` addresses, which stand for what a file would hold."""
    if "data:" in text or "DATA:" in text:
        for match in _ADDRESS.finditer(text):
            yield from _with_markup(text, *match.span())


def _dumps(text: str) -> list[Stretch]:
    """Return where bytes stand one by one as hexadecimal digits: in words of a letter or two."""
    if len(text) > _DUMPED * (text.count(" ") + text.count(":")):
        return []
    return [match.span() for match in _HEX_DUMP.finditer(text) if _has_letters(match.group())]


def _has_letters(digits: str) -> bool:
    """Tell a dump of bytes from a timetable: a tenth of its digits are letters."""
    return sum(map(str.isalpha, digits)) * 10 >= sum(map(str.isalnum, digits))


def _wrapped(text: str) -> Iterator[Stretch]:
    """Yield runs of lines that are nothing but base64 or hexadecimal digits, with their shorter last line."""
    if sum(len(token) >= _WRAPPED for token in text.split()) < _WRAPPED_LINES:
        return
    lines: list[tuple[Stretch, str]] = []
    at = 0
    for end in (*(match.start() for match in _NEWLINE.finditer(text)), len(text)):
        line = _DATA_LINE.fullmatch(text, at, end)
        lines.append(((at, end), line.group(1) if line else ""))
        at = end + 2 if text.startswith("\r\n", end) else end + 1
    number = 0
    for is_data, group in groupby(lines, key=lambda line: bool(line[1])):
        run = list(group)
        number += len(run)
        contents = [content for _, content in run]
        if not is_data or len(run) < _WRAPPED_LINES or _reads_as_words("".join(contents)):
            continue
        if all(map(_COMMIT.fullmatch, contents)):
            continue
        last = lines[number][0] if number < len(lines) else None
        ends = last is not None and _LAST_LINE.fullmatch(text, *last)
        yield run[0][0][0], last[1] if last is not None and ends else run[-1][0][1]


def _in_token(token: re.Match[str]) -> Iterator[Stretch]:
    """Yield what of an unbroken run of characters is data."""
    text, base = token.group(), token.start()
    if len(text) < _LONG:
        return
    for run in _RUN.finditer(text):
        for match in _SEGMENT.finditer(text, *run.span()) if _is_in_address(text, run.start()) else (run,):
            if not _reads_as_words(match.group()) and not _is_hash(match.group()):
                yield base + match.start(), base + match.end()
    yield from ((base + match.start(), base + match.end()) for match in _WEB_TOKEN.finditer(text))
    if len(text) >= _DENSE and _is_dense(text):
        foreign = [word.span() for word in _LETTERS.finditer(text) if not word.group().isascii()]
        kept = _merged(foreign + _spans(_QUOTED_EDGES, text))
        yield from ((base + start, base + end) for start, end in _others(kept, len(text)) if end > start)


def _is_in_address(text: str, place: int) -> bool:
    scheme = text.rfind("://", max(0, place - _AROUND), place)
    return scheme >= 0 and not _ADDRESS_ENDS.search(text, scheme, place)


def _reads_as_words(run: str) -> bool:
    """Tell a path, an identifier or a very long word from random characters, which are of every kind."""
    varied = _REPEATED.sub("", run)
    if len(varied) < _FEW or not (_HEX.fullmatch(varied) or all(kind.search(varied) for kind in _KINDS)):
        return True
    parted = sum(map(varied.count, "/_+-"))
    return parted >= _PARTED * len(varied) or sum(map(len, _WORDLIKE_PART.findall(varied))) >= _WORDLIKE * len(varied)


def _is_hash(run: str) -> bool:
    return len(run) <= _LONGEST_HASH and bool(_HEX.fullmatch(run))


def _is_dense(token: str) -> bool:
    """Tell minified JSON, style sheets, scripts and rows of numbers, from their marks."""
    if token.count('":') >= 5:
        return True
    marks = {mark: token.count(mark) for mark in "{:;(="}
    if min(marks["{"], marks[":"], marks[";"]) >= 3 or min(marks[";"], marks["("], marks["="]) >= 5:
        return True
    return "," in token and bool(_NUMBERS.fullmatch(token))


def _with_markup(text: str, start: int, end: int) -> Iterator[Stretch]:
    """Yield a `data:` address with its link or its tag around it, save what that says to a reader."""
    if text.endswith("](", 0, start):
        opening = text.rfind("[", max(0, start - _AROUND), start)
        yield opening - (opening > 0 and text[opening - 1] == "!"), opening + 1
        yield start - 2, end + text.startswith(")", end)
        return
    before = _TAG_BEFORE.search(text, max(0, start - _AROUND), start)
    after = _REST_OF_TAG.match(text, end, end + _AROUND)
    if before is None or after is None:
        yield start, end
        return
    at = before.start()
    for part in ((before.start(), start), (end, after.end())):
        for said in _SAYS.finditer(text, *part):
            yield at, said.start("said")
            at = said.end("said")
    yield at, after.end()


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _others(stretches: Iterable[Stretch], length: int) -> Iterator[Stretch]:
    """Yield what lies between stretches, before them and after."""
    at = 0
    for start, end in stretches:
        yield at, start
        at = end
    yield at, length
