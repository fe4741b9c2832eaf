"""Names of notes that stand in the text of others, in any inflection: guesses, guarded against false alarms.

A name of several words is sure enough. A single word counts where it is a proper noun (never written small in the
vault), an identifier, or a Latin word in Russian text: «Давление», «мать» and "Notes" are said without meaning a note.
What stands inside a link, code, a tag or an address never counts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import islice, pairwise, product

from vaultrag.text.entities import as_shown
from vaultrag.text.language import FUNCTION_WORDS, Token, fold, language_of, word_stems, words
from vaultrag.text.morphology import Term, forms_of, term_of
from vaultrag.vault.parsing.syntax import HTML_TAG

SHORTEST = 4  # letters of a single word: shorter ones are endings, abbreviations and first names of cats
LONGEST_NAME = 12  # words: a longer title is a sentence, said nowhere else
ENDING = 3  # letters that inflection may change at the end of a Russian word
BEGINNING = 4  # words of a name that are looked for first: dates and numbers come late in titles
WAYS = 64  # to read the words of one place as a name: few words are forms of two
KEPT_PER_NOTE = 5  # places of one name in one note: more say nothing new

# What is open stops at the next opening, and no stretch begins within a word: each place is read a few times at most.
_HIDDEN = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\r\n]*`|<!--(?:(?!<!--).)*?-->|!?\[\[[^\[\]\r\n]*\]\]"
    r"|!?\[(?:!\[[^\[\]\r\n]*\]\([^()\r\n]*\)|[^\[\]\r\n])*+\]\((?:[^()\r\n]|\([^()\r\n]*\))*+\)"
    r"|" + HTML_TAG + r"|\$[^$\r\n]+\$",
    re.DOTALL,
)
_SIGN = re.compile(r"[@/\\]|(?<!\S)#|(?<=\S)\.[a-z]{2,4}\b")  # what an address, a path, a tag or a file's name holds
_SPACE = re.compile(r"\s|\Z")
_ADDRESS = re.compile(r"(?<=\S)@(?=\S)|[/\\](?=\S)")
_FILE_ENDING = re.compile(r"(?<=\S)\.[a-z]{2,4}\b")
_GAP = re.compile(r"[ \t\u00a0\u202f]*+(?:[-‑–][ \t\u00a0\u202f]*+)?|[ \t]*+(?:\r\n|\r|\n)[ \t>]*+")
_JOINED_BEFORE, _JOINED_AFTER = re.compile(r"[^\W_][-‑]\Z"), re.compile(r"[-‑][^\W_]")  # «Маяк-202» is not «Маяк»
_CYRILLIC = re.compile(r"[а-я]")
_IDENTIFIER = re.compile(r"[^\W\d_]\d|\d[^\W\d_]|[a-zа-я][A-ZА-Я]|[^\W_]-\d")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class WantedName:
    """A name to look for. `owner` is whatever the caller knows its note by."""

    owner: int
    name: str
    is_alias: bool
    words: tuple[Token, ...]
    stems: tuple[str, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        """What each of its words is found by, in any form."""
        return tuple(term_of(word.text, word.stem, of_name=True) for word in self.words)

    @property
    def is_single(self) -> bool:
        """Whether only one of its words means something."""
        return sum(fold(word.text) not in FUNCTION_WORDS for word in self.words) < 2


@dataclass(frozen=True, slots=True)
class Found:
    """A name that stands in a text; `line` counts from 0 there. A Latin name in Russian text is foreign."""

    wanted: WantedName
    text: str
    line: int
    is_capital: bool
    is_foreign: bool


def wanted_names(names: Iterable[tuple[int, str, bool]]) -> list[WantedName]:
    """Return the names worth looking for, from (owner, name, is alias).

    A name that two notes bear means neither; numbers, dates and single short words are said without meaning a note.
    """
    owners: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    found = [_wanted(owner, name, alias) for owner, name, alias in names]
    for wanted in found:
        owners[wanted.stems].add(wanted.owner)
    kept: dict[tuple[int, tuple[str, ...]], WantedName] = {}
    for wanted in found:
        if len(owners[wanted.stems]) == 1 and _is_telling(wanted):
            kept.setdefault((wanted.owner, wanted.stems), wanted)
    return list(kept.values())


def terms_to_look_for(name: str) -> tuple[Term, ...]:
    """Return what a text must hold to say a name; nothing for a name that is not looked for."""
    wanted = _wanted(0, name, False)
    return wanted.terms if _is_telling(wanted) else ()


def _wanted(owner: int, name: str, is_alias: bool) -> WantedName:
    spoken = tuple(words(name))
    return WantedName(owner, name, is_alias, spoken, tuple(word.stem for word in spoken))


class NameIndex:
    """Finds many names in a text at once.

    The other forms of the names' words are looked up, or, where they are given, those of the words that are said in the
    texts: what is found is the same.
    """

    def __init__(self, names: Iterable[WantedName], said: Iterable[str] | None = None) -> None:
        self.names = {wanted.stems: wanted for wanted in names}
        spoken = {stem for stems in self.names for stem in stems}
        self._named_by = _by_forms_of_names(self.names.values()) if said is None else _by_words(said, spoken)
        self.lengths: dict[str, list[int]] = {}
        for length, first in sorted({(len(stems), stems[0]) for stems in self.names}, reverse=True):
            self.lengths.setdefault(first, []).append(length)  # «Дом у моря» before «Дом»
        borne = Counter(stem for stems in self.names for stem in set(stems))
        self._by_rarest: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        for stems in self.names:  # by the stem that the fewest names bear: «Как …» begins a thousand titles
            self._by_rarest[min(stems, key=lambda stem: borne[stem])].append(stems)
        self._beginnings = [
            {stems[:length] for stems in self.names if min(len(stems), BEGINNING) == length}
            for length in range(1, BEGINNING + 1)
        ]

    def may_hold(self, stems: set[str]) -> bool:
        """Tell from the stems of a text whether looking at it can find anything."""
        by_rarest = self._by_rarest
        changed = stems & self._named_by.keys()
        if changed:
            stems = stems.union(*(self._named_by[stem] for stem in changed))
        return any(stems.issuperset(name) for stem in stems & by_rarest.keys() for name in by_rarest[stem])

    def find(self, text: str) -> Iterator[Found]:
        """Yield the names in a text, the longest where several begin at one word."""
        text = as_shown(text)
        open_text = _without_addresses(_HIDDEN.sub(_blank, text))
        if not self._begins_in(word_stems(open_text)):
            return
        russian = language_of(text) == "ru"
        spoken = words(open_text)
        at = 0
        while at < len(spoken):
            wanted = self._longest(text, spoken, at)
            if wanted is None:
                at += 1
                continue
            first, last = spoken[at], spoken[at + len(wanted.words) - 1]
            line = len(re.findall(r"\r\n|\r|\n", text[: first.start]))
            foreign = russian and not _CYRILLIC.search(fold(wanted.name))
            yield Found(wanted, text[first.start : last.end], line, first.text[:1].isupper(), foreign)
            at += len(wanted.words)

    def _begins_in(self, stems: Sequence[str]) -> bool:
        """Tell whether a name may begin somewhere in these stems: most texts need no closer look."""
        if not self._named_by.keys().isdisjoint(stems):
            return True
        following: list[Sequence[str]] = []
        for beginnings in self._beginnings:
            following.append(stems[len(following) :])
            if not beginnings.isdisjoint(zip(*following, strict=False)):
                return True
        return False

    def _longest(self, text: str, spoken: Sequence[Token], at: int) -> WantedName | None:
        lengths = {length for stem in self._read(spoken[at]) for length in self.lengths.get(stem, ())}
        for length in sorted(lengths, reverse=True):
            said = spoken[at : at + length]
            for stems in islice(product(*map(self._read, said)), WAYS):
                wanted = self.names.get(stems)
                if wanted is not None and _says(text, said, wanted):
                    return wanted
        return None

    def _read(self, word: Token) -> tuple[str, ...]:
        """Return the stems that a word of a text may have in a name: its own, and those it is another form of."""
        return word.stem, *self._named_by.get(word.stem, ())


def is_mention(found: Found, is_proper: Callable[[WantedName], bool]) -> bool:
    """Decide about one place. `is_proper` tells whether a word is written with a capital wherever it stands."""
    wanted = found.wanted
    if not wanted.is_single or found.is_foreign or _IDENTIFIER.search(wanted.name):
        return True
    return found.is_capital and wanted.name[:1].isupper() and is_proper(wanted)


def _is_telling(wanted: WantedName) -> bool:
    if not 0 < len(wanted.words) <= LONGEST_NAME:
        return False
    meaning = [word for word in wanted.words if fold(word.text) not in FUNCTION_WORDS]
    letters = [word for word in meaning if _LETTER.search(word.text)]
    if len(meaning) >= 2:
        identifier = _IDENTIFIER.search(wanted.name) is not None
        return bool(letters) and sum(len(word.text) for word in (meaning if identifier else letters)) >= SHORTEST
    return bool(letters) and len(letters[0].text) >= SHORTEST


def _by_forms_of_names(names: Iterable[WantedName]) -> dict[str, tuple[str, ...]]:
    """Return for the stem of each other form of the names' words the stems that they have in the names."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for own, *others in {term for wanted in names for term in wanted.terms}:
        for other in others:
            found[other].add(own)
    return {stem: tuple(sorted(owns)) for stem, owns in found.items()}


def _by_words(said: Iterable[str], names: Set[str]) -> dict[str, tuple[str, ...]]:
    """Return for the stem of each of these words the stems of its other forms that stand in the names."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for own, *others in (term_of(word, of_name=True) for word in said):
        found[own].update(names & frozenset(others))
    return {stem: tuple(sorted(others)) for stem, others in found.items() if others}


def _blank(hidden: re.Match[str]) -> str:
    """Return what is no word and parts words, and is as long."""
    return "\0" * len(hidden.group())


def _without_addresses(text: str) -> str:
    """Blank tags, addresses and paths, each up to the next space, and files' names up to their ending."""
    parts: list[str] = []
    at = 0
    while sign := _SIGN.search(text, at):
        start = sign.start()
        while start > at and not text[start - 1].isspace():
            start -= 1
        space = _SPACE.search(text, sign.end())
        end = space.start() if space else len(text)
        parts.extend((text[at:start], _hidden_stretch(text[start:end])))
        at = end
    return "".join((*parts, text[at:]))


def _hidden_stretch(said: str) -> str:
    if (said[0] == "#" and len(said) > 1) or _ADDRESS.search(said):
        return "\0" * len(said)
    end = max((ending.end() for ending in _FILE_ENDING.finditer(said)), default=0)
    return "\0" * end + said[end:]


def _says(text: str, said: Sequence[Token], wanted: WantedName) -> bool:
    if any(not _GAP.fullmatch(text, left.end, right.start) for left, right in pairwise(said)):
        return False
    if _JOINED_BEFORE.search(text, max(0, said[0].start - 2), said[0].start) or _JOINED_AFTER.match(text, said[-1].end):
        return False
    return all(_is_form(word, name) for word, name in zip(said, wanted.words, strict=True))


def _is_form(word: Token, name: Token) -> bool:
    """Tell whether two words are forms of one word: those of one stem by their look, others by the dictionary."""
    one, other = fold(word.text), fold(name.text)
    if one == other:
        return True
    if word.stem != name.stem:
        return one in forms_of(other) and other in forms_of(one)  # «Павлов» is a surname, though there are many Павлов
    if not _CYRILLIC.search(one):
        return one.removesuffix("'s").removesuffix("s") == other.removesuffix("s")
    shared = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return shared >= max(3, min(len(one), len(other)) - ENDING + 1) and max(len(one), len(other)) - shared <= ENDING
