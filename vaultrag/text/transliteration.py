"""Names across scripts: how a Latin word would be written in Cyrillic and the other way round.

A person asks "Viktor's bees" of a note that says «Виктор». Several spellings are in use at once, so a word gives
several candidates; the index decides which of them is a word.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache

SHORTEST = 3  # letters; shorter words are rarely names and nearly always ambiguous
MOST_VARIANTS = 24  # a word of six ambiguous letters would give hundreds

# Of lower-cased words: with IGNORECASE `[a-z]` also takes the Turkish ı and the long ſ.
_CYRILLIC = re.compile(r"[а-яё]+")
_LATIN = re.compile(r"[a-z]+")

# Longest first: "shch" before "sh". Alternatives are the spellings that passports, BGN/PCGN and people use.
_TO_CYRILLIC: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("shch", ("щ",)),
    ("tch", ("ч",)),
    ("sch", ("щ", "ш")),
    ("zh", ("ж",)),
    ("kh", ("х",)),
    ("ts", ("ц", "тс")),
    ("tz", ("ц",)),
    ("ch", ("ч",)),
    ("sh", ("ш",)),
    ("ph", ("ф",)),
    ("ck", ("к",)),
    ("ya", ("я", "ья")),
    ("ia", ("ия", "я")),
    ("ja", ("я",)),
    ("yu", ("ю",)),
    ("iu", ("ю",)),
    ("yo", ("е", "йо")),
    ("ye", ("е",)),
    ("ee", ("и",)),
    ("oo", ("у",)),
    ("a", ("а",)),
    ("b", ("б",)),
    ("c", ("к", "ц")),
    ("d", ("д",)),
    ("e", ("е", "э")),
    ("f", ("ф",)),
    ("g", ("г",)),
    ("h", ("х",)),
    ("i", ("и",)),
    ("j", ("й", "дж")),
    ("k", ("к",)),
    ("l", ("л", "ль")),
    ("m", ("м",)),
    ("n", ("н",)),
    ("o", ("о",)),
    ("p", ("п",)),
    ("q", ("к",)),
    ("r", ("р",)),
    ("s", ("с",)),
    ("t", ("т",)),
    ("u", ("у",)),
    ("v", ("в",)),
    ("w", ("в",)),
    ("x", ("кс",)),
    ("y", ("й", "ы", "и")),
    ("z", ("з",)),
)
_TO_LATIN: dict[str, tuple[str, ...]] = {
    "а": ("a",), "б": ("b",), "в": ("v", "w"), "г": ("g",), "д": ("d",), "е": ("e", "ye"), "ё": ("e", "yo"),
    "ж": ("zh", "j"), "з": ("z",), "и": ("i",), "й": ("y", "i"), "к": ("k", "c"), "л": ("l",), "м": ("m",),
    "н": ("n",), "о": ("o",), "п": ("p",), "р": ("r",), "с": ("s",), "т": ("t",), "у": ("u",), "ф": ("f",),
    "х": ("kh", "h"), "ц": ("ts", "c"), "ч": ("ch",), "ш": ("sh",), "щ": ("shch",), "ъ": ("",), "ы": ("y",),
    "ь": ("",), "э": ("e",), "ю": ("yu",), "я": ("ya", "ia"),
}  # fmt: skip


@lru_cache(maxsize=4096)
def transliterations(word: str) -> tuple[str, ...]:
    """Return spellings of a word in the other script, the likeliest first; empty for short words and identifiers."""
    lowered = unicodedata.normalize("NFC", word).lower()
    if len(lowered) < SHORTEST:
        return ()
    if _LATIN.fullmatch(lowered):
        return _variants(_cyrillic_choices(lowered))
    if _CYRILLIC.fullmatch(lowered):
        return _variants([_TO_LATIN[letter] for letter in lowered])
    return ()


def _cyrillic_choices(word: str) -> list[tuple[str, ...]]:
    choices: list[tuple[str, ...]] = []
    position = 0
    while position < len(word):
        written, sounds = next(pair for pair in _TO_CYRILLIC if word.startswith(pair[0], position))
        choices.append(sounds)
        position += len(written)
    return choices


def _variants(choices: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Spell with the likeliest choice everywhere, then with one other choice, then with two."""
    likeliest = [options[0] for options in choices]
    others = [(place, option) for place, options in enumerate(choices) for option in options[1:]]
    changes = itertools.chain.from_iterable(itertools.combinations(others, count) for count in range(3))
    spelled = ("".join(_changed(likeliest, change)) for change in changes)
    return tuple(itertools.islice(dict.fromkeys(itertools.islice(spelled, 4 * MOST_VARIANTS)), MOST_VARIANTS))


def _changed(letters: list[str], change: tuple[tuple[int, str], ...]) -> list[str]:
    replaced = list(letters)
    for place, option in change:
        replaced[place] = option
    return replaced
