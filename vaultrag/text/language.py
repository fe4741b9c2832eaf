"""Words and sentences of Russian and English text: folding, stems, function words, sentence borders.

Each token is stemmed by the Snowball stemmer of its own script, so one index serves both languages
and a mixed sentence needs no language setting. Identifiers, versions and paths are kept as they are, and so are names
with signs in them (`C++`, `C#`, `.NET`, `R&D`) and signs that stand alone (🔥, ₽, →). Chinese, Japanese and Korean text
is found by its pairs of characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

from vaultrag.text.cjk import holds_cjk, is_inside_run, pieces, runs
from vaultrag.text.symbols import SYMBOL, joined_symbols, plain_symbol

SOFT_MARKS = "\u00ad\u200b\u200c\u200d\ufeff"  # soft hyphens and zero-width marks split words for no reader

# What stands on or in a word: the marks of й and ё in NFD, stress, kana's, the vowels of Hebrew and Arabic.
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u3099\u309a"
    + SOFT_MARKS
)
_LETTERS = rf"[^\W_]+(?:[{_MARKS}][^\W_]*)*"
# What ends a name: C++, C++17, Google+, C#; `a+b` is joined by it, and «100+» is a number.
_SIGN = r"(?:(?<!\d)(?:\+\+(?!\+)|[+#](?![\w+#])))"
_UNIT = rf"{_LETTERS}{_SIGN}?"
_DOT = r"(?<![^\s(\[«“\"'/|,;])\.(?=[A-Za-z]{2})"  # begins a name: .NET, .gitignore
_AND = r"&(?=[^\W_]{1,3}(?![^\W_]))"  # R&D, AT&T; `&nbsp;` and a query string's `&page=` are none
_JOINED = rf"(?:(?:[-_.'’:/@+#‑]|{_AND}){_UNIT})*"
_WORD = re.compile(  # the look-aheads keep the rare from costing time at every letter
    rf"{_LETTERS}(?:(?=[-_.'’:/@+#&‑]){_SIGN}?{_JOINED})?"
    rf"|(?=[.\u00a2-\U0001faff])(?:{_DOT}{_UNIT}{_JOINED}|{SYMBOL})"
)
_PART = re.compile(_UNIT)
_SIGNED = re.compile(rf"{_SIGN}\Z")
_KANA_MARKS = "\u3099\u309a"  # が is no か
_CYRILLIC = re.compile(r"[\u0400-\u04ff]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_HAS_DIGIT = re.compile(r"\d")
_VERSION = re.compile(r"v(?=\d+\.[\d.]*\Z)", re.IGNORECASE)
# Letters that no decomposition parts from their stroke, and what a reader takes them for.
_PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
    | {"\u0640": "", " ": ""}  # Arabic's stretching; signs that stand for several words are one word
)
_ALIKE_CYRILLIC, _ALIKE_LATIN = "авекмнорстух", "abekmhopctyx"  # as capitals
_TO_LATIN = str.maketrans(_ALIKE_CYRILLIC, _ALIKE_LATIN)
_TO_CYRILLIC = str.maketrans(_ALIKE_LATIN, _ALIKE_CYRILLIC)
LONGEST_WORD = 50  # letters; what is longer is data, and would be stemmed in quadratic time
_STEMS_CACHED = 200_000  # words; a large vault's vocabulary, about 30 MB

_RUSSIAN = snowballstemmer.stemmer("russian")
_ENGLISH = snowballstemmer.stemmer("english")

FUNCTION_WORDS: frozenset[str] = frozenset(
    """
    ваш ваша ваше ваши вашего вашей вашем ваших вашу
    а без более бы был была были было быть в вам вас ведь весь во вот все всего всей всем всех вся вы да даже для до
    его ее ей ему если есть еще же за здесь и из или им ими их к как какая какие какой какого каком какую когда
    кого кому которая которые который которого которой которых которым кто куда ли либо лишь между меня мне мной
    мною мои мой моя моем моей моего моих моим мы на над нам нас наш наша наше наши не него нее ней нем нет ни них но
    ну о об однако он она они оно от перед по под при про с сам сама сами само свой своя свои своего своей своих
    себе себя со так такая также такие такой такое там тебе тебя тем то тогда того тоже той только том тот ту тут ты
    у уж уже чего чем чему что чтобы чье чей чья эта эти это этого этой этом этот эту этих этим я
    ли же бы сколько почему зачем где откуда какими каким какому насколько
    a about after all also am an and any are as at be because been before being but by can could did do does doing
    for from had has have having he her here hers him his how i if in into is it its just me my no nor not of off on
    or our ours out over own s she should so some such t than that the their theirs them then there these they this
    those through to too under until up us very was we were what when where which while who whom why will with would
    you your yours much many
    """.split()
)


class Token(NamedTuple):
    """A word, number or identifier. `start` and `end` are code-point offsets into the text it came from."""

    start: int
    end: int
    text: str
    stem: str

    @property
    def is_symbol(self) -> bool:
        """Whether it is a sign, with no letter or digit in it."""
        return not any(map(str.isalnum, self.text))


def fold(text: str) -> str:
    """Lower-case text as search sees it: ё→е, no stress marks, no Latin diacritics, `ﬁ` and `₂` as plain characters."""
    lowered = unicodedata.normalize("NFC", text).lower()
    if lowered.isascii():
        return lowered
    out: list[str] = []
    for char in unicodedata.normalize("NFKD", lowered.replace("ё", "е").replace("’", "'").replace("‑", "-")):
        if unicodedata.category(char) == "Mn":
            keeps = char == "\u0306" and out and out[-1] == "и"  # й is a letter of its own
            if not keeps and char not in _KANA_MARKS:
                continue
        if char in SOFT_MARKS:
            continue
        out.append(char)
    return unicodedata.normalize("NFC", "".join(out).lower())


def fold_word(word: str) -> str:
    """Fold one word, with the letters that look alike in one script.

    «1С», «В12» and «А4» are typed in either; a Latin letter inside of a Russian word is seen by nobody.
    """
    folded = fold(word).translate(_PLAIN_LETTERS)
    if folded.isascii():
        return folded
    cyrillic, latin = _CYRILLIC.findall(folded), _LATIN.findall(folded)
    if not cyrillic or not (latin or _HAS_DIGIT.search(folded)):
        return folded
    russian, english = "".join(cyrillic), "".join(latin)
    if len(russian) <= len(english) or not english:
        return folded.translate(_TO_LATIN) if set(russian) <= set(_ALIKE_CYRILLIC) else folded
    return folded.translate(_TO_CYRILLIC) if set(english) <= set(_ALIKE_LATIN) else folded


@lru_cache(maxsize=_STEMS_CACHED)
def stem(word: str) -> str:
    """Stem one word by the Snowball stemmer of its script; words with digits and very long ones stay as they are."""
    folded = fold_word(word)
    if len(folded) > LONGEST_WORD or _HAS_DIGIT.search(folded):
        return folded
    if _CYRILLIC.search(folded):
        return folded if _LATIN.search(folded) else _stem_russian(folded)
    return str(_ENGLISH.stemWord(folded))


def _stem_russian(word: str) -> str:
    """Stem until nothing changes: Snowball cuts `экран` to `экра`, but `экрану` to `экран` only."""
    while (shorter := str(_RUSSIAN.stemWord(word))) != word:
        word = shorter
    return word


def tokens(text: str) -> list[Token]:
    """Split text into words, numbers, identifiers and signs.

    A compound (`mayak-restic`, `gpt-4o`, `10.0.0.5`, `из-за`, `C++`) gives itself and then its parts.
    """
    found: list[Token] = []
    has_runs = holds_cjk(text)
    for match in _WORD.finditer(text):
        word, start = match.group(), match.start()
        if word.isalnum() and not has_runs:  # nearly all are: no mark in it that could part it
            found.append(Token(start, match.end(), word, stem(word)))
            continue
        parts = _parts(text, match)
        if not parts:
            found.extend(_symbols(word, start))
            continue
        is_single = (parts[0].start, parts[0].end) == match.span()
        found.append(parts[0] if is_single else Token(start, match.end(), word, fold_word(word)))
        if version := _VERSION.match(word):
            found.append(Token(start + version.end(), match.end(), word[version.end() :], word[version.end() :]))
        if not _is_number(word):
            found.extend(inner for part in parts for inner in _inner(part, match))
    return found


def stems(text: str) -> list[str]:
    """Return the stem of each token, in order. Indexing spends a good part of its time here."""
    found: list[str] = []
    has_runs = holds_cjk(text)
    for word in _WORD.findall(text):
        if word.isalnum() and not has_runs:
            found.append(stem(word))
        else:
            found.extend(token.stem for token in tokens(word))
    return found


def words(text: str) -> list[Token]:
    """Return the single words of a text: a compound gives its parts, not itself, and a sign is none."""
    found: list[Token] = []
    for match in _WORD.finditer(text):
        parts = _parts(text, match)
        if len(parts) > 1 and _is_number(match.group()):
            found.append(Token(match.start(), match.end(), match.group(), fold(match.group())))
        else:
            found.extend(parts)
    return found


def word_stems(text: str) -> list[str]:
    """Return the stems of `words`, without what else those tell."""
    found: list[str] = []
    for word in _WORD.findall(text):
        parts = [word] if word.isalnum() else _PART.findall(word)
        if len(parts) > 1 and _is_number(word):
            found.append(fold(word))
        else:
            found.extend(map(_stem_of_part, parts))
    return found


def _parts(text: str, match: re.Match[str]) -> list[Token]:
    """Return the words of a match, a sign at the end of each with it; none for a sign alone."""
    return [
        Token(part.start(), part.end(), part.group(), _stem_of_part(part.group()))
        for part in _PART.finditer(text, match.start(), match.end())
    ]


def _stem_of_part(part: str) -> str:
    return fold_word(part) if part[-1] in "+#" else stem(part)


def _inner(part: Token, match: re.Match[str]) -> Iterator[Token]:
    """Yield a part, unless it is the whole match, and what is inside: the name before a sign, pairs of ideographs."""
    if (part.start, part.end) != match.span():
        yield part
    bare = _SIGNED.sub("", part.text)
    if bare != part.text:
        yield Token(part.start, part.start + len(bare), bare, stem(bare))
    if not holds_cjk(bare):
        return
    for at, run in runs(bare):
        if run != bare and fold(run):
            yield Token(part.start + at, part.start + at + len(run), run, stem(run))
        if holds_cjk(run):
            for inside, piece in pieces(run):
                start = part.start + at + inside
                yield Token(start, start + len(piece), piece, fold(piece))


def _symbols(symbol: str, start: int) -> Iterator[Token]:
    yield Token(start, start + len(symbol), symbol, plain_symbol(symbol))
    for at, sign in joined_symbols(symbol):
        yield Token(start + at, start + at + len(sign), sign, plain_symbol(sign))


def content_tokens(text: str) -> list[Token]:
    """Return the tokens that carry meaning: no function words, and no single ideograph of several."""
    return [
        token
        for token in tokens(text)
        if not is_function_word(token.text) and not is_inside_run(text, token.start, token.end)
    ]


def content_stems(text: str) -> list[str]:
    """Return the distinct stems that carry meaning, in order; all stems where there are only function words."""
    kept = content_tokens(text) or tokens(text)
    return list(dict.fromkeys(token.stem for token in kept))


def is_function_word(word: str) -> bool:
    return fold(word) in FUNCTION_WORDS


LANGUAGES = frozenset({"ru", "en"})
"""What `language_of` tells apart."""


def language_of(text: str) -> str:
    """Return `ru` or `en` by the script that most letters are of; empty where there are no letters."""
    cyrillic, latin = (sum(map(len, letters.findall(text))) for letters in (_CYRILLIC, _LATIN))
    if cyrillic == latin == 0:
        return ""
    return "ru" if cyrillic * 2 >= latin else "en"  # Russian text about software is half Latin names


_BORDER = re.compile(
    r"(?P<mark>(?<![.!?…])[.!?…]++[)\]»”\"'’*_]*+(?=\s|\Z))"  # possessive, at a run's first mark only: linear
    r"|(?P<blank>\n\s*\n)"
    r"|(?P<heading>^#{1,6}[ \t][^\n]*(?:\n|\Z))"
    r"|(?P<item>\n(?=[ \t>]*(?:[-*+]|\d+[.)]|#{1,6}|\||>)\s))",
    re.MULTILINE,
)
_ABBREVIATIONS = frozenset(
    """
    г гг в вв т тт е к д п с стр рис см ср др пр им ул пл пер пос обл р руб коп тыс млн млрд мин сек ч мл кг шт кв
    проф акад доц инж тел напр англ рус лат ок кн гл ст табл абз изд ред сост
    mr mrs ms dr prof st vs etc e.g i.e jr sr inc ltd co approx cf al est dept
    """.split()
)
_BEFORE_NUMBERS = frozenset("no nos fig eq vol pp p ch sec".split())
_INITIALISM_ENDS = frozenset("едпкeg")  # т.е. и т.д. и т.п. т.к. i.e. e.g.
_LAST_WORD = re.compile(r"([^\W\d_][\w.]*)\.$")
_ITEM_NUMBER = re.compile(r"(?:^|\n)[ \t>]*\d+\.$")
_LOOK_BACK = 40  # characters before a full stop that can tell an abbreviation; keeps the scan linear
_SENTENCE_OPENS = re.compile(r"\s*+[«“\"'(\[*_>–—-]*+\s*+([^\W_])")


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the borders of the sentences: code-point offsets, end exclusive, whitespace trimmed.

    Together they hold every character that is not whitespace. Headings, list items and blank lines end one too.
    """
    borders: list[tuple[int, int]] = []
    start = 0
    for match in _BORDER.finditer(text):
        if match.end() <= start or not _ends_sentence(text, start, match):
            continue
        _append_trimmed(borders, text, start, match.end())
        start = match.end()
    _append_trimmed(borders, text, start, len(text))
    return borders


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if match.lastgroup != "mark":
        return True
    follows = _SENTENCE_OPENS.match(text, match.end())
    if follows and follows.group(1).islower():
        return False
    if match.group() != ".":
        return True
    before = text[max(start, match.end() - _LOOK_BACK) : match.end()]
    word = _LAST_WORD.search(before)
    if word and _is_abbreviation(word.group(1), follows):
        return False
    return not _ITEM_NUMBER.search(before)


def _is_abbreviation(word: str, follows: re.Match[str] | None) -> bool:
    lowered = word.lower()
    if lowered in _BEFORE_NUMBERS:
        return follows is not None and follows.group(1).isdigit()
    initials = word != "I" and all(len(part) == 1 and part.isupper() for part in word.split("."))
    return initials or lowered in _ABBREVIATIONS or ("." in word and lowered.rpartition(".")[2] in _INITIALISM_ENDS)


def _append_trimmed(borders: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        borders.append((start, end))


def _is_number(word: str) -> bool:
    return all(char.isdigit() or char in ".:/-" for char in word)
