"""The other forms of a Russian word, for those whose stem changes: «день» and «дня», «Павел» and «Павлом».

Snowball cuts endings, and so a stem that changes parts the forms of one word. The index keeps Snowball's stems; what is
asked for is looked up in the dictionary of OpenCorpora (pymorphy3), and found by the stems of all its forms. So a later
dictionary needs no new index. It is loaded with the first Russian word that is asked for, in a tenth of a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from vaultrag.text.language import LONGEST_WORD, fold, is_function_word, stem

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer

Term: TypeAlias = tuple[str, ...]
"""What one word is found by: its stem, then the stems of its other forms."""

# Of the uses of a word's likeliest lemma: what another one must have to count.
ASKED_SHARE = 0.2  # «день» is hardly ever a form of «деть», whose forms would only disturb
SURE_SHARE = 0.4  # where a form is taken for a name: «Павлов» is a surname rather than many of the name «Павел»
CACHED = 50_000  # words: the titles of a large vault, and what is asked of it
# Forms that hardly anybody writes, or that begin otherwise: посильнее, наисильнейший, пойдёмте.
_RARE_FORMS = frozenset({"Cmp2", "Supr", "incl", "V-be", "V-ey", "Arch", "Erro", "Dist"})
_NOMINAL = frozenset({"NOUN", "ADJF", "ADJS", "NUMR", "NPRO"})  # of speech's parts: what names are made of
# Snowball cuts these off any word; where they are all that changes, the forms have one stem as it is.
_PLAIN_ENDINGS = frozenset(
    """
    а ев ов ие ье е иями ями ами еи ии и ией ей ой ий й иям ям ием ем ам ом о у ах иях ях ы ь ию ью ю ия ья я
    ее ые ое ими ыми ый им ым его ого ему ому их ых ую юю ая яя ою ею
    """.split()
) | {""}
MOST_READINGS = 6  # of a word: what comes behind is never meant
_RUSSIAN_LETTERS = re.compile(r"[а-я]+(?:-[а-я]+)*")
_RUSSIAN_WORD = re.compile(r"[а-я]{2,}(?:-[а-я]{2,})?")


def distinct_terms(terms: Iterable[Term]) -> list[Term]:
    """Return each term once, told by its first stem."""
    return list({term[0]: term for term in terms}.values())


def term_of(word: str, stemmed: str | None = None, *, of_name: bool = False) -> Term:
    """Return what a word is found by; of a name's word the forms of verbs are left out, which cost most and say least.

    A function word has no other forms: nobody looks for «его» to find «он».
    """
    own = stem(word) if stemmed is None else stemmed
    return own, *(other for other in _other_stems(fold(word), of_name) if other != own)


@lru_cache(maxsize=CACHED)
def forms_of(word: str) -> frozenset[str]:
    """Return all forms of a word, folded, as far as the dictionary is sure of it; at least the word itself."""
    folded = fold(word)
    return frozenset({folded, *(form for reading in _readings(folded, SURE_SHARE) for form in _forms(reading))})


@lru_cache(maxsize=CACHED)
def tells_of_past(word: str) -> bool:
    """Tell whether a Russian word says that something was done and is over: «купил», not «стоил»."""
    readings = _readings(fold(word), SURE_SHARE)
    return any(reading.tag.tense == "past" and reading.tag.aspect == "perf" for reading in readings)


@lru_cache(maxsize=CACHED)
def is_in_dictionary(word: str) -> bool:
    """Tell whether a Russian word is spelled as the dictionary has it; a word of another language never is."""
    folded = fold(word)
    return bool(_RUSSIAN_WORD.fullmatch(folded)) and (is_function_word(folded) or bool(_readings(folded, SURE_SHARE)))


class WordForm(NamedTuple):
    """How a Russian word is most likely meant: its part of speech and form as OpenCorpora names them, or empty."""

    lemma: str
    pos: str
    case: str
    gender: str
    number: str
    person: str
    tense: str
    is_animate: bool
    is_transitive: bool
    is_name: bool

    @property
    def is_noun(self) -> bool:
        return self.pos in ("NOUN", "NPRO")

    @property
    def is_finite(self) -> bool:
        """Whether it is a verb that says what somebody does or did, or its short participle: «закрыт»."""
        return self.pos in ("VERB", "PRTS")


_OF_NAMES = frozenset({"Name", "Surn", "Patr", "Geox", "Orgn"})


@lru_cache(maxsize=CACHED)
def grammar_of(word: str) -> tuple[WordForm, ...]:
    """Return the readings of a Russian word, the likeliest first, unknown words by their ending; of others none."""
    folded = fold(word)
    if len(folded) > LONGEST_WORD or not _RUSSIAN_LETTERS.fullmatch(folded):
        return ()
    return tuple(_grammar(reading.normal_form, reading.tag) for reading in _analyzer().parse(folded)[:MOST_READINGS])


def _grammar(lemma: str, tag: Any) -> WordForm:
    return WordForm(
        lemma=lemma.replace("ё", "е"),
        pos=str(tag.POS or ""),
        case=str(tag.case or ""),
        gender=str(tag.gender or ""),
        number=str(tag.number or ""),
        person=str(tag.person or ""),
        tense=str(tag.tense or ""),
        is_animate=tag.animacy == "anim",
        is_transitive=tag.transitivity == "tran",
        is_name=bool(_OF_NAMES & tag.grammemes),
    )


def stems_of_terms(terms: Iterable[Term]) -> list[str]:
    """Return every stem of some terms, each once."""
    return list(dict.fromkeys(stemmed for term in terms for stemmed in term))


def count_terms(terms: Sequence[Term], stems: Iterable[str]) -> int:
    """Return how many of the terms are said, in any form, where these stems stand."""
    said = frozenset(stems)
    return sum(not said.isdisjoint(term) for term in terms)


@lru_cache(maxsize=CACHED)
def _other_stems(folded: str, of_name: bool) -> Term:
    readings = (reading for reading in _readings(folded, ASKED_SHARE) if not of_name or reading.tag.POS in _NOMINAL)
    changing = [reading for reading in readings if not _is_plain(_paradigm(reading))]
    return tuple(dict.fromkeys(stem(form) for reading in changing for form in _forms(reading)))


def _readings(folded: str, share: float) -> list[Any]:
    """Return the dictionary's readings of a word, one for each lemma; none for a word that it does not know."""
    if len(folded) > LONGEST_WORD or not _RUSSIAN_WORD.fullmatch(folded) or is_function_word(folded):
        return []
    shares: dict[tuple[str, int], float] = {}
    first: dict[tuple[str, int], Any] = {}
    for reading in _analyzer().parse(folded):
        how, *further = reading.methods_stack
        if further or type(how[0]).__name__ != "DictionaryAnalyzer":  # a guess by its ending, or by a part of it
            continue
        lemma = (reading.normal_form, _paradigm(reading))
        shares[lemma] = shares.get(lemma, 0.0) + reading.score
        first.setdefault(lemma, reading)
    least = share * max(shares.values(), default=0.0)
    return [reading for lemma, reading in first.items() if shares[lemma] >= least]


def _forms(reading: Any) -> Iterator[str]:
    for form in reading.lexeme:
        if not _RARE_FORMS & form.tag.grammemes:
            yield form.word.replace("ё", "е")


def _paradigm(reading: Any) -> int:
    return int(reading.methods_stack[0][2])


@cache
def _is_plain(paradigm: int) -> bool:
    """Tell whether the words of a paradigm only change the endings that Snowball cuts."""
    endings = [
        ending for prefix, tag, ending in _analyzer().dictionary.build_paradigm_info(paradigm) if _is_usual(prefix, tag)
    ]
    return all(ending.replace("ё", "е") in _PLAIN_ENDINGS for ending in endings)


def _is_usual(prefix: str, tag: Any) -> bool:
    return not prefix and not _RARE_FORMS & tag.grammemes


@cache
def _analyzer() -> MorphAnalyzer:
    import pymorphy3  # 12 MB and a tenth of a second, for Russian alone
    import pymorphy3_dicts_ru

    return pymorphy3.MorphAnalyzer(path=pymorphy3_dicts_ru.get_path(), lang="ru")
