"""Places in notes: the sentences of a passage, where they stand, and the marks that a model writes for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vaultrag.answering.citing.no_source import backs_nothing
from vaultrag.domain import Chunk, Citation, Span
from vaultrag.text.language import sentences
from vaultrag.vault.parsing.chats.marks import opens_message
from vaultrag.vault.parsing.lines import NEWLINE

_LEAD = re.compile(r"(?:[ \t]*(?:>|[-*+][ \t]|\d+[.)][ \t]|\[[ xX/-]\][ \t]|#{1,6}[ \t]|\[![^\]]*\][+-]?))*[ \t]*")
_NUMBERS = r"\d{1,3}(?:\s*[,;]\s*\d{1,3})*"
_PASSAGE = r"(?:passages?|sources?|notes?|отрыв(?:ок|к\w{1,3})|источник\w{0,3}|заметк\w{1,3})\s?[№#]?"
_MARKS = re.compile(  # `[[12]]` is a link to a note
    rf"(?:(?<![ \t])[ \t]++)?(?:(?<!\[)\[(?:{_PASSAGE})?({_NUMBERS})\](?!\])|\({_PASSAGE}({_NUMBERS})\))",
    re.IGNORECASE,
)
_OWN_NUMBER = re.compile(rf"(?<!\[)\[({_NUMBERS})\](?!\])")
# The line that opens a message of an imported chat says who spoke, not what: nothing to cite, nothing to read.
TURN_HEADER = re.compile(r"\s*(?:>\s*)*(?:\[!nexus_(?:user|agent)\].*|#{3,4} (?:User|Assistant), on .*)$")
_KEY_VALUE = re.compile(r"[\w.-]+\s?(?::|=)(?:\s|$)")
_MARKUP_ONLY = re.compile(r"^[\s>|:*_`~#+-]*$")
_CLOSED = re.compile(r"[.!?…][»”“’\"'][»”“’\"')]*+$")
_TERMINAL = re.compile(r"(?<![.!?…])[.!?…]++[»”“’\"')]*+$")


@dataclass(frozen=True, slots=True)
class SourceSentence:
    """A sentence of a passage: `passage` is its index among those offered, offsets are into the chunk's text.

    One that `backs` nothing says only what those after it speak of, as a heading does.
    """

    passage: int
    start: int
    end: int
    text: str
    backs: bool = True


def source_sentences(passage: int, text: str) -> list[SourceSentence]:
    """Split a chunk's text into the smallest places worth pointing at: sentences, list items, rows and lines.

    Leading list, quote and heading marks stay outside. Together they hold every word of the text.
    """
    found: list[SourceSentence] = []
    for first, last in sentences(text):
        for start, end in _lines(text, first, last):
            if TURN_HEADER.match(text[start:end]):
                continue
            lead = _LEAD.match(text, start, end)
            start = lead.end() if lead else start
            if start < end and not _MARKUP_ONLY.match(text[start:end]):
                backs = not backs_nothing(text, start, end)
                found.append(SourceSentence(passage, start, end, text[start:end], backs))
    return found


def without_lead(sentence: str) -> str:
    """Return a sentence without the list, quote or heading marks it begins with."""
    lead = _LEAD.match(sentence)
    return sentence[lead.end() :] if lead else sentence


def locate(chunk: Chunk, start: int, end: int) -> Span:
    """Return the note's span of `chunk.text[start:end]`; `end` is exclusive and greater than `start`."""
    first_line, first_column = _position(chunk, start)
    last_line, last_column = _position(chunk, end - 1)
    return Span(first_line, first_column, last_line, last_column)


def overlap(one: Citation, other: Citation) -> bool:
    """Tell whether two citations share a place."""
    return one.path == other.path and spans_meet(one.span, other.span)


def spans_meet(one: Span, other: Span) -> bool:
    """Tell whether two places of one note have a character in common."""
    first, second = sorted((one, other))
    return (second.first_line, second.first_column) <= (first.last_line, first.last_column)


def offered_numbers(sentence: str) -> tuple[str, tuple[int, ...]]:
    """Return the sentence without marks like `[2]`, `[1, 3]` or `(passage 2)`, and the numbers that stood in them."""
    numbers: list[int] = []
    for match in _MARKS.finditer(sentence):
        numbers.extend(int(number) for number in re.findall(r"\d+", match.group(1) or match.group(2)))
    return _MARKS.sub("", sentence).strip(), tuple(dict.fromkeys(numbers))


def with_marks(sentence: str, numbers: tuple[int, ...]) -> str:
    """Put citation numbers into a sentence, before its final stop, and behind a quotation that ends it.

    Numbers of its own, `[7]`, are no marks: `[ 7 ]`.
    """
    sentence = _OWN_NUMBER.sub(r"[ \1 ]", sentence)
    if not numbers:
        return sentence
    marks = "".join(f"[{number}]" for number in numbers)
    stop = _TERMINAL.search(sentence)
    if stop is None or stop.start() == 0 or _CLOSED.search(sentence):
        return f"{sentence} {marks}"
    return f"{sentence[: stop.start()]} {marks}{sentence[stop.start() :]}"


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut a sentence at line ends, unless the next line goes on in lower case as in hard-wrapped text."""
    cuts: list[tuple[int, int]] = []
    for match in NEWLINE.finditer(text, start, end):
        follows = text[match.end() : match.end() + 80].lstrip(" \t>")
        if follows[:1].islower() and not (_stands_alone(text[start : match.start()]) or _KEY_VALUE.match(follows)):
            continue
        cuts.append((start, match.start()))
        start = match.end()
    cuts.append((start, end))
    return [(a, b) for a, b in cuts if text[a:b].strip()]


def _stands_alone(line: str) -> bool:
    """Tell configuration, tables, code and headers of messages from prose, by the marks that such lines have."""
    closed = line.rstrip().endswith((":", ";", "{", "}", "|", "`", "\\"))
    return (
        closed
        or "`" in line[:3]
        or line.startswith("#!")
        or opens_message(line)
        or bool(TURN_HEADER.match(line) or _KEY_VALUE.match(line.lstrip(" \t>")))
    )


def _position(chunk: Chunk, offset: int) -> tuple[int, int]:
    line, column_start = chunk.span.first_line, None
    for match in NEWLINE.finditer(chunk.text, 0, offset):
        if match.end() > offset:
            break
        line, column_start = line + 1, match.end()
    if column_start is None:
        return line, chunk.span.first_column + offset
    return line, offset - column_start + 1
