"""Quotation marks round words that have such marks themselves: «он сказал „да“», “she said ‘yes’”."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

DEEPEST = 8  # quotations within one another; what opened further out is not looked for
# Of each language the outer marks and the inner ones; further in they take turns.
_BY_LANGUAGE = {"ru": ("«»", "„“"), "en": ("“”", "‘’")}
# What may close what, whoever wrote it: «…», German and Russian „…“, English “…”, and the forms that typists mix.
_CLOSING: Mapping[str, str] = {"«": "»", "„": "“”", "“": "”", "‘": "’", '"': '"'}
_MARK = re.compile('[«»„“”‘’"]')
_CODE = re.compile(r"[`{}=<>\\]|\[\[|\]\]")  # there a straight mark is a sign of its language
_SIDES = re.compile(r"\s|[«„“‘(\[—–-]")  # what a straight mark that opens stands behind


@dataclass(slots=True)
class _Mark:
    """A quotation mark of a text: where, how deep in others, and which side of its words it stands on."""

    place: int
    depth: int
    opens: bool


def quoted(text: str, language: str) -> str:
    """Return a text between the outer marks of a language, its own marks as marks within others are written.

    A quotation that begins or ends outside of the text keeps its one mark. Apostrophes, inches and code stay.
    """
    forms = _BY_LANGUAGE["ru" if language == "ru" else "en"]
    letters = list(text)
    for mark in _marks(text):
        letters[mark.place] = forms[mark.depth % len(forms)][not mark.opens]
    return f"{forms[0][0]}{''.join(letters)}{forms[0][1]}"


def set_off(text: str) -> str:
    """Return a text as it stands between marks that it does not begin or end with: ‘“Go,” she said’."""
    outer = "‘’" if re.search('["“”„]', text) else "“”"
    return f"{outer[0]}{text}{outer[1]}"


def _marks(text: str) -> Iterator[_Mark]:
    """Yield the marks that set something off; of single ones only those that have a partner."""
    found: list[_Mark] = []
    unpaired: list[_Mark] = []
    is_code = bool(_CODE.search(text))
    for match in _MARK.finditer(text):
        sign, place = match.group(), match.start()
        near = range(max(0, len(unpaired) - DEEPEST), len(unpaired))
        partner = next((n for n in reversed(near) if sign in _closing(text, unpaired[n])), None)
        if sign == '"' and is_code:
            continue
        if partner is not None and _may_close(text, place):
            del unpaired[partner + 1 :]
            found += [unpaired.pop(), _Mark(place, partner + 1, opens=False)]
        elif sign in _CLOSING and _may_open(text, place):
            unpaired.append(_Mark(place, len(unpaired) + 1, opens=True))
        elif sign in '»”"' and _may_close(text, place) and not _is_inches(text, place):
            found.append(_Mark(place, 1, opens=False))
    yield from found
    yield from (mark for mark in unpaired if text[mark.place] != "‘")


def _closing(text: str, opened: _Mark) -> str:
    return _CLOSING[text[opened.place]]


def _may_open(text: str, place: int) -> bool:
    """Tell a straight mark before a word from others; the rest open by their shape."""
    before, after = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    return text[place] != '"' or ((not before or bool(_SIDES.match(before))) and not (after or " ").isspace())


def _may_close(text: str, place: int) -> bool:
    """Tell a mark behind a word from an apostrophe, and a straight one from one that opens."""
    before, after = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    return text[place] not in '"’' or not (after.isalnum() or (before or " ").isspace())


def _is_inches(text: str, place: int) -> bool:
    return text[place] in '”"' and text[max(0, place - 1) : place].isdigit()
