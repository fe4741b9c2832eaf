"""A model's text, to be read and never followed: in it no link, picture or tag is one.

A note can order the model to write an address that carries the notes' words away, and a picture is fetched as soon as
it is drawn. So addresses are shown as code, and broken (`https[:]//`) unless they stand in the notes just so; links,
pictures and tags stand there as they are written. What is code keeps its characters, save that plugins, which run some
code by the word behind its fence, are not told that word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set

BACKSLASH = "\\"
_COLON = r"(?:\\?:|&(?:#0*58|#x0*3a|colon);)"
_SLASHES = r"(?:\\?/|&(?:#0*47|#x0*2f|sol);){2}"
_FIRST = r"(?<![^\W_])"  # a word begins
_NO_ADDRESS = r"\s<>`|\[\]"  # characters that end an address
_ADDRESS_FORM = (
    rf"(?:[\w+.-]{{0,31}}{_COLON}{_SLASHES}|(?<![\w:/.\]])//(?=[\w-]+\.)|{_FIRST}(?:www\.|(?:mailto|xmpp):))[^{_NO_ADDRESS}]+"
    r"|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+(?:@[\w.-]+)*"
)
_ADDRESS = re.compile(_ADDRESS_FORM, re.IGNORECASE)
_ACTIVE = re.compile(
    rf"<(?P<auto>{_ADDRESS_FORM})>|(?P<tag><[a-z/!?][^<>`|\n]*>)|(?P<open><[a-z/!?][\w-]*)|(?P<address>{_ADDRESS_FORM})"
    r"|(?P<parted>\](?=\()|\](?=:\s*<?(?:[a-z][\w+.-]*:|[/\\&`]|www))|!(?=\[)|<(?=%))",
    re.IGNORECASE,
)
_ACTIVE_IN_CODE = re.compile(
    rf"(?P<address>{_ADDRESS_FORM})|(?P<parted>\](?=\(\s*<?[a-z][\w+.-]*:)|<(?=%))", re.IGNORECASE
)
_ACTIVE_WHILE_WRITTEN = re.compile(
    rf"(?P<address>{_ADDRESS_FORM})|(?P<parted>\](?=[(:])|!(?=\[)|<(?=[a-z/!?%]))", re.IGNORECASE
)
_BREAKS = (
    (re.compile(rf"{_COLON}{_SLASHES}", re.IGNORECASE), "[:]//"),
    (re.compile(r"\A//"), "[/]/"),
    (re.compile(r"www\.", re.IGNORECASE), "www[.]"),
    (re.compile(r"\A(mailto|xmpp):", re.IGNORECASE), r"\1[:]"),
    (re.compile(r"@"), "[@]"),
)
_AFTER_ADDRESS = ".,;:!?…»“”’\"'*_~"
_FENCE = re.compile(r"(`{3,}+(?=[^`\n]*\Z)|~{3,}+).*")
_DOUBTFUL = re.compile(r"^[ \t>*+\-\d.)]+(?:`{3}|~{3})", re.MULTILINE)  # a fence of a list, or in it, or none
_TOLD = re.compile(r"^([ \t>*+\-\d.)]*(?:`{3,}(?=[^`\n]*$)|~{3,})).*", re.MULTILINE)  # behind a fence
_NEWLINE = re.compile(r"\r\n?")
_RUN = re.compile(r"`+")
_SPAN = re.compile(r"(?<!`)(?P<mark>`+)(?!`)(?P<code>[^\n|]+?)(?<!`)(?P=mark)(?!`)")
_RUN_INLINE = re.compile(r"(?<=`)(\s*)\$=")  # code that Dataview would run


def inert(text: str, known: Set[str] = frozenset(), within: str = "") -> str:
    """Return a model's Markdown with nothing in it that a renderer would follow, fetch or run.

    `known` are the addresses of the notes that it was written from: they are shown whole. `within` is the text that
    this one is a part of.
    """
    text = _NEWLINE.sub("\n", text)
    pieces: list[tuple[str, bool]] = []
    for part, is_code in _parts(text):
        pieces.extend([(_inert_code(part, known), False)] if is_code else _inert_words(part, known))
    return _joined([piece for piece in pieces if piece[0]], _unused_mark(within or text))


def addresses(text: str) -> frozenset[str]:
    """Return the addresses in a text, as they are written there."""
    return frozenset(_parted(match.group())[0] for match in _ADDRESS.finditer(text))


class InertDraft:
    """A draft made inert while it is written. Nothing of it is shown as code: the whole text takes its place soon."""

    def __init__(self) -> None:
        self._pending = ""

    def add(self, piece: str) -> str:
        """Take a piece of text; return what can be shown by now: no word before its end."""
        self._pending += piece
        end = max(self._pending.rfind(space) for space in " \n\t") + 1
        ready, self._pending = self._pending[:end], self._pending[end:]
        return _broken_up(ready)

    def rest(self) -> str:
        """Return what was held back."""
        ready, self._pending = self._pending, ""
        return _broken_up(ready)


def _broken_up(text: str) -> str:
    def change(match: re.Match[str]) -> str:
        return _broken(match["address"]) if match["address"] else f"{match['parted']} "

    return _ACTIVE_WHILE_WRITTEN.sub(change, text)


def _inert_words(text: str, known: Set[str]) -> Iterator[tuple[str, bool]]:
    """Yield the text in pieces, and whether each is to be shown as code."""
    at = 0
    for match in _ACTIVE.finditer(text):
        yield text[at : match.start()], False
        at = match.end()
        if match["parted"]:
            yield f"{match['parted']} ", False
            continue
        code, after = _shown(match, known)
        yield code, True
        yield after, False
    yield text[at:], False


def _shown(match: re.Match[str], known: Set[str]) -> tuple[str, str]:
    """Return what is shown as code, and what follows it as text."""
    if address := match["auto"] or match["address"]:
        core, after = _parted(address)
        return (core if core in known else _broken(core)), after
    return _inert_code(match["tag"] or match["open"], known), ""


def _joined(pieces: Sequence[tuple[str, bool]], mark: str) -> str:
    """Join pieces; those shown as code stand apart from what would take their marks away."""
    made = ""
    for piece, as_code in pieces:
        if as_code:
            made += f"{' ' * made.endswith(('`', BACKSLASH))}{mark}{piece}{mark}"
        else:
            made += f"{' ' * (piece[0] == '`' and made.endswith(mark))}{piece}"
    return made


def _inert_code(text: str, known: Set[str]) -> str:
    def change(match: re.Match[str]) -> str:
        if match["parted"]:
            return f"{match['parted']} "
        core, after = _parted(match["address"])
        return match["address"] if core in known else _broken(core) + after

    return _RUN_INLINE.sub(r"\1$ =", _ACTIVE_IN_CODE.sub(change, text))


def _broken(address: str) -> str:
    for form, replacement in _BREAKS:
        address = form.sub(replacement, address)
    return address


def _parted(address: str) -> tuple[str, str]:
    """Part an address from the punctuation that follows it."""
    core = address.rstrip(_AFTER_ADDRESS)
    while core.endswith(")") and core.count("(") < core.count(")"):
        core = core[:-1].rstrip(_AFTER_ADDRESS)
    return core, address[len(core) :]


def _unused_mark(text: str) -> str:
    """Return the shortest run of backticks that a text does not hold: nothing else can close what it opens."""
    used = {length for run in _RUN.findall(text) for length in (len(run), len(run) - 1)}  # the first may be escaped
    return "`" * next(length for length in range(1, len(used) + 2) if length not in used)


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield a text in pieces that are code beyond doubt, or are taken for words."""
    if _DOUBTFUL.search(text):
        yield _TOLD.sub(r"\1", text), False
        return
    for block, is_fenced in _blocks(text):
        if is_fenced or not _is_plain(block):
            yield block, is_fenced
            continue
        at = 0
        for span in _SPAN.finditer(block):
            yield block[at : span.start()], False
            yield span.group(), True
            at = span.end()
        yield block[at:], False


def _blocks(text: str) -> Iterator[tuple[str, bool]]:
    """Yield a text in pieces that are fenced code or none; what stood behind a fence is left out."""
    words: list[str] = []
    fence = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        content = line.rstrip("\n")
        if fence:
            yield line, True
            if content.startswith(fence) and not content.strip(f"{fence[0]} \t"):
                fence = ""
        elif opening := _FENCE.fullmatch(content):
            yield "".join(words), False
            words = []
            fence = opening.group(1)
            yield fence + line[len(content) :], True
        else:
            words.append(line)
    yield "".join(words), False


def _is_plain(text: str) -> bool:
    """Tell whether each backtick of a text opens or closes code in its line: then there is no doubt what is code."""
    return "`" in text and "`" not in _SPAN.sub("", text) and "\\`" not in text
