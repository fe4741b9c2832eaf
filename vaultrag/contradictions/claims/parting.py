"""Pieces that state several things: parted where each part can stand alone, and where the stance changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from vaultrag.contradictions.claims.pieces import Fragment, shown, with_key
from vaultrag.contradictions.claims.stances import ASSERTED, Held, held
from vaultrag.contradictions.claims.times import is_only_time, times_in
from vaultrag.domain import ClaimContext, Stance
from vaultrag.text.language import words
from vaultrag.text.morphology import tells_of_past
from vaultrag.text.quantities.read import find_quantities

_COMMA = re.compile(r",\s+")
_JOINT = re.compile(r",\s+|\s[–—]\s|\.\s+|;\s+")
_LABELLED = re.compile(r"[^\W\d]+(?:[ -][^\W\d]+){0,2} ")
_DATED = re.compile(r"(?P<value>[^,()\d]{0,40}\d[^,()]{0,40}) \((?P<when>[^()]{3,30})\)")
_SHORT_KEY = re.compile(r"\S+(?: \S+)?")
_RELATIVE = re.compile(
    r"(?:котор|чтобы|чей|чья|чьё|чьи|что\b|где\b|which\b|who\b|whose\b|that\b|where\b)", re.IGNORECASE
)
LEAST_WORDS = 2  # of a part that stands alone


def parted(piece: Fragment, source: str) -> Iterator[tuple[Fragment, Held]]:
    """Yield a piece, or its parts, each with how it is held; `source` is the text of the chunk."""
    for one in _enumerated(piece, source):
        how = held(one.whole, one.box, one.lead)
        if how.stance is Stance.PLANNED and not one.box and held(one.key, "", one.lead).stance is not Stance.PLANNED:
            yield from _before_plan(one, source, how)
        else:
            yield one, how


def _enumerated(piece: Fragment, source: str) -> Iterator[Fragment]:
    """Part «рост 181, вес 77» and «рост: 118 (2023), 126 (2024)», where all parts are of one form."""
    if piece.context is ClaimContext.CELL:
        yield piece
        return
    dated = list(_DATED.finditer(piece.words))
    if len(dated) > 1 and not _DATED.sub("", piece.words).strip(" ,.;"):
        for match in dated:
            if is_only_time(match["when"], times_in(match["when"], None)):
                yield replace(piece, words=match["value"].strip(), when=match["when"])
        return
    if piece.context is not ClaimContext.FIELD and (named := _each_named(piece, source)):
        yield from named
        return
    if not piece.key:
        parts = _parts(piece, source, _COMMA)
        labelled = [_with_label(part) for part in parts]
        if len(parts) > 1 and all(part.key for part in labelled):
            yield from labelled
            return
    yield piece


def _each_named(piece: Fragment, source: str) -> list[Fragment]:
    """Part «atlas – 192.168.1.10, hermes – 192.168.1.12», where each part names what it is of by a dash or colon."""
    parts = [with_key(replace(part, key="")) for part in _parts(replace(piece, key=""), source, _COMMA)]
    return parts if len(parts) > 1 and all(part.key and _SHORT_KEY.fullmatch(part.key) for part in parts) else []


def _with_label(part: Fragment) -> Fragment:
    label = _LABELLED.match(part.words)
    rest = part.words[label.end() :] if label else ""
    quantities = find_quantities(rest)
    if label and len(quantities) == 1 and quantities[0].start == 0 and not rest[quantities[0].end :].strip(" .!"):
        return replace(part, key=label.group().strip(), words=rest)
    return part


def _before_plan(piece: Fragment, source: str, how: Held) -> Iterator[tuple[Fragment, Held]]:
    """Part what is so from what is to be: «без метки, | метить будем весной», «обещал 10 июля, | привёз 2 августа»."""
    parts = _parts(piece, source, _JOINT)
    first = next((number for number, part in enumerate(parts) if _is_planned(part)), None)
    if first is None:  # only a clause that describes something speaks of what is to come
        yield piece, how if len(parts) == 1 else ASSERTED
        return
    last = next((number for number in range(first + 1, len(parts)) if _is_done(parts[number])), len(parts))
    runs = [run for run in (parts[:first], parts[first:last], parts[last:]) if run]
    joined = [_joined(run, source, piece) for run in runs]
    if len(runs) == 1 or any(len(words(one.words)) < LEAST_WORDS for one in joined):
        yield piece, how
        return
    for one in joined:
        yield one, held(one.words, "", "")


def _is_planned(part: Fragment) -> bool:
    return not _RELATIVE.match(part.words) and held(part.words, "", "").stance is Stance.PLANNED


def _is_done(part: Fragment) -> bool:
    """Tell whether a clause says of its own that something was done."""
    return not _is_planned(part) and any(tells_of_past(word.text) for word in words(part.words)[:3])


def _parts(piece: Fragment, source: str, joint: re.Pattern[str]) -> list[Fragment]:
    """Cut the source of a piece at its joints, outside of brackets, code and links."""
    found: list[Fragment] = []
    start = piece.start
    for match in joint.finditer(source, piece.start, piece.end):
        part = source[start : match.start()]
        if part.count("(") == part.count(")") and part.count("`") % 2 == 0 and part.count("[[") == part.count("]]"):
            found.append(_cut(piece, source, start, match.start()))
            start = match.end()
    return [*found, _cut(piece, source, start, piece.end)]


def _joined(parts: list[Fragment], source: str, piece: Fragment) -> Fragment:
    return _cut(piece, source, parts[0].start, parts[-1].end)


def _cut(piece: Fragment, source: str, start: int, end: int) -> Fragment:
    """Return a part of a piece; the one that begins it holds its key."""
    part = replace(piece, start=start, end=end, words=shown(source[start:end]))
    return with_key(replace(part, key="")) if piece.key and start == piece.start else part
