"""What a question names that a passage does not: another year, another person, another number.

The nearest note is often about the subject in another year, or about somebody else, and a small model takes that for an
answer. Names, years and numbers can be looked for by code; words cannot, for a note has its own.
"""

from __future__ import annotations

import re

from vaultrag.text.language import Token, content_tokens, fold, stem, tokens
from vaultrag.text.morphology import term_of
from vaultrag.text.terms import index_terms, question_parts
from vaultrag.text.transliteration import transliterations

# In units of the score, as fitted on questions that nothing is reported on, 152 to a passage each, beside two wordings.
# Beside the one that is left they gain about .02 of the area in English, and in Russian nothing that is sure.
NUMBER_COST = 0.8
NAME_COST = 0.3
SHORTEST_NAME = 3  # letters; "Я", "Он", "No" are not names
FEWEST_ALIKE = 4  # first letters by which a name is known in a form that no dictionary has: «Мананой», "Indian"

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# English writes them with a capital, and a note with a number or not at all.
_TIMES = re.compile(
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|christmas|easter"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?",
    re.IGNORECASE,
)
_OPENS = re.compile(r"(?:^|[.!?…])\W*$")


def unsaid_cost(question: str, passage: str) -> float:
    """Return what the score of a passage loses by what the question names and it does not.

    A name is a capitalised word that opens no sentence; it is found in any form and in either script.
    """
    return NUMBER_COST * bool(_unsaid_numbers(question, passage)) + NAME_COST * bool(unsaid_names(question, passage))


def unsaid_names(text: str, passage: str) -> list[str]:
    """Return the proper names of a text that a passage does not hold."""
    held = frozenset(index_terms(passage))
    written = {fold(token.text) for token in tokens(passage)}
    return [name.text for name in _names(text) if not _is_said(name, held, written)]


def _unsaid_numbers(question: str, passage: str) -> list[str]:
    """A year counts as said wherever its four digits stand: in a day, a file's name, a version."""
    held = frozenset(index_terms(passage))
    found = []
    for part in question_parts(question):
        written = question[part.start : part.end]
        years = _YEAR.findall(written)
        said = all(year in passage for year in years) if years else not held.isdisjoint(part.terms)
        if not said and any(map(str.isdigit, written)):
            found.append(written)
    return found


def _names(text: str) -> list[Token]:
    return [
        token
        for token in content_tokens(text)
        if len(token.text) >= SHORTEST_NAME
        and token.text.isalpha()
        and token.text[0].isupper()
        and not _OPENS.search(text[: token.start])
        and not _TIMES.fullmatch(token.text)
    ]


def _is_said(name: Token, held: frozenset[str], written: set[str]) -> bool:
    folded = fold(name.text)
    spellings = transliterations(folded)
    terms = {*term_of(name.text, name.stem, of_name=True), *spellings, *map(stem, spellings)}
    beginning = folded[: max(FEWEST_ALIKE, len(folded) - 2)]
    return not held.isdisjoint(terms) or any(word.startswith(beginning) for word in written)
