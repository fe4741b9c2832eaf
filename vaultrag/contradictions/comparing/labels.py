"""What a value is of, by the words around it: «рост 181», "32 GB of RAM", "500 g flour", «Столешница – дуб»."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

from vaultrag.contradictions.comparing.concepts import ClaimWord, are_alike, read_words
from vaultrag.contradictions.comparing.times import plain_spaces
from vaultrag.domain import Claim, ClaimContext, StatedKind, StatedValue
from vaultrag.text.language import fold, is_function_word, words
from vaultrag.text.morphology import grammar_of

GIVING = frozenset({ClaimContext.CELL, ClaimContext.PROPERTY, ClaimContext.FIELD})
"""Contexts in which a value stands right behind what it is of."""
MOST_BEHIND = 2  # words right behind an amount that say of what it is
LONGEST_BEHIND = 40  # characters in which they stand
_BETWEEN = re.compile(r"[,;.!?()]|[^\W\d_]{2,}\s[^\W\d_]{2,}\s")  # what stands there is more than "is about"
_KEYED = re.compile(r"[^:.!?]{1,60}(?::|\s[–—-]\s)")
_COPULA = re.compile(r"(?:the |our |my )?(?P<key>[^\W\d_][\w-]*(?: [\w-]+)?) (?:is|are) (?=\w)", re.IGNORECASE)
_BITS = re.compile(r"(?<![\d–-])(?P<bits>\d{1,2})[- \u00a0]?(?:bits?|бит)(?![а-яё])|\bB?FP?(?P<half>16)\b")
_PARTS = re.compile(r"[,;:]\s|\s(?:и|а|and|but|или|or)\s")
_OF = re.compile(r"\s*(?:of\s+)?")
_AMOUNTS = frozenset({StatedKind.MEASURE, StatedKind.SHARE})
_NOMINAL = frozenset({"NOUN", "ADJF"})


class Labels:
    """The words before a value that say of what it is, and those with the words right behind it.

    `case` is the width in bits that an amount is given for, as of a model's weights: "20 GB at 4 bits".
    """

    def __init__(self, claim: Claim, value: StatedValue) -> None:
        self.before = _before(claim, value)
        quote = plain_spaces(claim.quote)
        self.case = _case(claim.attribute if claim.context in GIVING else quote, value)
        self.all = (*self.before, *_behind(quote, value)) if claim.context not in GIVING else self.before

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def is_known(self) -> bool:
        """Whether the list of both languages has all its words."""
        return all(word.concept.startswith("=") for word in self.all)

    def meet(self, other: Labels) -> bool:
        if self.case and other.case:
            return self.case == other.case
        return any(are_alike(a, b) for a, b in product(self.all, other.all))

    def are_one(self, other: Labels) -> bool:
        """Tell whether one label says all that the other does: «грядка» and «грядка у забора», not two heads of it."""
        if self.case and other.case:
            return self.case == other.case
        return _is_part(self.before, other.before) or _is_part(self.all, other.all)


def are_equal(one: Labels, other: Labels) -> bool:
    """Tell whether two labels say the same, neither of them more."""
    return len(one.before) == len(other.before) and _is_part(one.before, other.before)


def is_case(claim: Claim, value: StatedValue) -> bool:
    """Tell whether a number only says at which width in bits an amount of the same claim holds."""
    quote = plain_spaces(claim.quote)
    is_width = value.kind is StatedKind.NUMBER and any(one["bits"] == value.words for one in _BITS.finditer(quote))
    return is_width and any(other.kind is StatedKind.MEASURE for other in claim.values)


def key_of(claim: Claim) -> tuple[ClaimWord, ...]:
    """Return the words that name what a claim gives a value of; empty where none is named."""
    if claim.context in GIVING or _KEYED.match(claim.quote):
        return read_words(claim.attribute)
    copula = _COPULA.match(claim.quote)
    return read_words(copula["key"]) if copula else ()


def follows_key(claim: Claim, value: StatedValue) -> bool:
    """Tell whether a value stands right behind the claim's attribute: «Рост 181», "Height: 184 cm"."""
    if claim.context in GIVING:
        return True
    if not value.words or not claim.attribute:
        return False
    _, key, rest = claim.quote.partition(claim.attribute)
    before, found, _ = rest.partition(value.words)
    return bool(key and found) and not _BETWEEN.search(before)


def _before(claim: Claim, value: StatedValue) -> tuple[ClaimWord, ...]:
    """The loose words of a sentence say nothing of the kind."""
    if label := read_words(value.label):
        return label
    return read_words(claim.attribute) if claim.attribute and follows_key(claim, value) else ()


@lru_cache(maxsize=20_000)
def _behind(quote: str, value: StatedValue) -> tuple[ClaimWord, ...]:
    """Return what an amount is of where that stands behind it."""
    at = quote.find(value.words) if value.kind in _AMOUNTS and value.words else -1
    if at < 0:
        return ()
    start = _OF.match(quote, at + len(value.words))
    behind = quote[start.end() if start else at :][:LONGEST_BEHIND]
    kept: list[str] = []
    end = 0
    for token in words(behind)[:MOST_BEHIND]:
        if behind[end : token.start].strip() or is_function_word(token.text) or not _may_be_of(token.text):
            break
        kept.append(token.text)
        end = token.end
    return read_words(" ".join(kept))


@lru_cache(maxsize=20_000)
def _case(text: str, value: StatedValue) -> str:
    """Return the width in bits that stands in one part of a sentence with an amount, if only one does."""
    if value.kind is not StatedKind.MEASURE or not _BITS.search(text):
        return ""
    for part in _PARTS.split(text):
        cases = {match["bits"] or match["half"] for match in _BITS.finditer(part)}
        if value.words in part:
            return cases.pop() if len(cases) == 1 else ""
    cases = {match["bits"] or match["half"] for match in _BITS.finditer(text)}
    return cases.pop() if len(cases) == 1 else ""


def _may_be_of(word: str) -> bool:
    if word.isascii():
        return word.isalpha() and not fold(word).endswith("ed")
    readings = grammar_of(word)[:1]
    return bool(readings) and readings[0].pos in _NOMINAL


def _is_part(one: Sequence[ClaimWord], other: Sequence[ClaimWord]) -> bool:
    short, long = sorted((one, other), key=len)
    return bool(short) and all(any(are_alike(a, b) for b in long) for a in short)
