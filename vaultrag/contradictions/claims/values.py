"""The values that a statement gives: quantities, dates, names, yes and no, as they are written and as they compare."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from vaultrag.contradictions.claims.pieces import Fragment
from vaultrag.contradictions.claims.times import NamedTime, is_value_of_key
from vaultrag.domain import Bound, ClaimContext, StatedKind, StatedValue
from vaultrag.text.language import Token, fold, is_function_word, language_of, stem, words
from vaultrag.text.morphology import grammar_of
from vaultrag.text.quantities.read import Quantity, find_quantities, masked
from vaultrag.text.times.periods import plain

Placed: TypeAlias = tuple[int, StatedValue]
"""A value and where it stands."""
MOST_LABEL_WORDS = 3
MOST_NAME_WORDS = 3  # between quotation marks: what is longer was said
MOST_TEXT_WORDS = 8  # of a value in words: what is longer is a sentence
_IDENTIFIER = re.compile(
    r"https?://\S+|(?<!\w)\+\d[\d ()-]{7,}\d(?!\w)"
    r"|[\w.-]+@[\w.-]+|(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?|(?<![\w/])(?:~|\.{0,2})/[A-Za-z][\w./-]+"
    r"|(?<![\w.])v?\d+\.\d+\.\d[\w.-]*"
    r"|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-zА-Яа-я])[A-Za-zА-ЯЁ][\w]*(?:-[\w]+)*(?![\w-])"
    r"|(?<!\d)\d{1,3}(?:/\d{1,3})+(?!\d)|(?<![\w-])--?[a-z][\w-]+(?:=\S+)?|\b[a-z]+(?:_[a-z0-9]+)+\b"
)
_DAY_OF_MONTH = re.compile(
    r"(?<!\d)(?P<day>[12]?\d|3[01])(?:-?(?:го|ое|е|му))? числ[ао]\w?|\bthe (?P<nth>[12]?\d|3[01])(?:st|nd|rd"
    r"|th)\b(?! (?:of )?[a-z]+uary)"
)
_WEEKDAYS = (
    r"понедельник\w*|пн|mon(?:days?)?", r"вторник\w*|вт|tue(?:s(?:days?)?)?", r"сред[ауыеам]\w?|ср|wed(?:nesdays?)?",
    r"четверг\w*|чт|thu(?:rs(?:days?)?)?", r"пятниц\w*|пт|fri(?:days?)?", r"суббот\w*|сб|sat(?:urdays?)?",
    r"воскресень\w*|вс|sun(?:days?)?",
)  # fmt: skip
_WEEKDAY = tuple(re.compile(rf"(?<![\w.])(?:{names})(?!\w)") for names in _WEEKDAYS)
_ORDINALS = (
    r"перв\w+|first", r"втор(?:ой|ая|ое|ую|ом|ого|ым|ые)|second", r"трет(?:ий|ья|ье|ью|ьем|ьего|ьим)|third",
    r"четверт(?:ый|ая|ое|ую|ом|ого)|fourth", r"пят(?:ый|ая|ое|ую|ом|ого)|fifth", r"шест(?:ой|ая|ое|ую|ом|ого)|sixth",
    r"седьм(?:ой|ая|ое|ую|ом|ого)|seventh", r"восьм(?:ой|ая|ое|ую|ом|ого)|eighth", r"девят(?:ый|ая|ое|ую|ом|ого)|ninth",
    r"десят(?:ый|ая|ое|ую|ом|ого)|tenth",
)  # fmt: skip
_ORDINAL = tuple(re.compile(rf"(?<!\w)(?:{forms})(?!\w)") for forms in _ORDINALS)
_ORDINAL_END = re.compile(r"-?(?:[ыо]?й|[ая]я|[оы]?е|го|ого|му|ому|м|ом|х|st|nd|rd|th)(?!\w)")
_DENIALS = frozenset(
    "не нет ни нельзя без никогда нету ничего никто нигде not no never cannot without none nor nothing nobody".split()
)
_YES = frozenset("да есть yes true on ok ✓ ✔ ✅ + вкл".split())
_NO = frozenset("нет no none never false off ✗ ✘ ❌ - – — никогда выкл не".split())
_NAME = re.compile(
    r"(?<![\w’'-])(?:[A-ZА-ЯЁ][\w’'+-]*|[A-Za-z]+\d[\w-]*)(?:(?: (?:de|van|von|der|of|&) "
    r"| )(?:[A-ZА-ЯЁ][\w’'+-]*|\d+[A-Z](?!\w)|\d+(?:\.\d+)?(?![\w.,:%]|\s?[%°²])))*"
)
_QUOTED = re.compile(r"«([^«»]{2,60})»|“([^“”]{2,60})”|\"([^\"]{2,60})\"")
_NO_NAMES = frozenset(
    """
    i я jan feb mar apr may jun jul aug sep oct nov dec january february march april june july august september october
    november december monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun
    """.split()
)
_KEY_UNIT = re.compile(r"[_ ](?P<unit>min|sec|ms|hours?|days?|kg|km|mb|gb|tb|usd|eur|gel|rub)\Z")
_FIRST_PART = re.compile(r"[^,;(.]+")
_HEADER_UNIT = re.compile(r"(?:,\s*|\()(?P<unit>[^\W\d_]{1,8}[²³]?|[%₽$€₾£°][A-Za-z]?)\)?\s*\Z")
_ARROW = re.compile(r"[^\d,;.]{0,12}?(?:→|->|=>)\s*")
_BARE_YEAR = re.compile(r"(?:19|20)\d\d")
_NO_NAME = frozenset({"PREP", "CONJ", "ADVB", "PRCL", "VERB", "INFN"})
_OPENINGS = frozenset("от see load плюс".split())
_BY = re.compile(r"\b(?:by|before|until|till|до|к|не позже|не позднее)(?: the)? ?\Z")
_YEARS = re.compile(r"(?P<first>1\d{3}|20\d\d)\s?[-–—]\s?(?P<last>1\d{3}|20\d\d)")
_NOT_COUNTED = frozenset("per more less fewer each times x since from until till with after before".split())
_BOUNDARY = re.compile(r"[,;:()–—.!?|→]|\s-\s")


def stated_values(piece: Fragment, times: Sequence[NamedTime], subject: str) -> tuple[StatedValue, ...]:
    """Return the values of a piece, in the order in which they stand; `times` are those that its words name."""
    found = sorted(_Reader(piece, times, subject).read(), key=lambda placed: placed[0])
    return tuple(value for at, value in found if not _is_replaced(piece.words, at, value, found))


class _Reader:
    """Reads one piece: what one kind of value takes is blank for the next."""

    def __init__(self, piece: Fragment, times: Sequence[NamedTime], subject: str) -> None:
        self._piece = piece
        self._text = piece.words
        self._times = times
        self._subject = fold(subject)
        self._rest = piece.words
        self._has_key = bool(piece.key)
        self._measured: list[tuple[int, int]] = []

    def read(self) -> Iterator[Placed]:
        measured = [*self._dates(), *self._identifiers(), *self._quantities(), *self._weekly()]
        yield from measured
        yield from self._of_key()
        names = list(self._names())
        yield from names
        denial = self._polarity()
        yield from denial
        if self._has_key and not denial:
            yield from self._words(measured, names)

    def _dates(self) -> list[Placed]:
        found = []
        beside = masked(self._text, [(time.start, time.end) for time in self._times]).strip(" .,;()")
        for time in self._times:
            if time.recurs or not (time.year_known or time.text.startswith("-")):
                self._take(time.start, time.end)
                continue
            bound = Bound.LEAST if time.first and not time.last else Bound.MOST if not time.first else Bound.EXACT
            said = self._text[time.start : time.end].strip(" .,")
            if any(name.fullmatch(_bare_day(said)) for name in _WEEKDAY):
                continue
            is_value = self._has_key and is_value_of_key(self._text, self._times[:1])
            is_frame = bool(beside) and not is_value and not time.is_deadline
            value = StatedValue(StatedKind.DATE, said, time.text, bound=bound, is_time_frame=is_frame)
            found.append((time.start, replace(value, label=self._label(time.start))))
            self._take(time.start, time.end)
        for match in _DAY_OF_MONTH.finditer(plain(self._rest)):
            day = int(match["day"] or match["nth"])
            bound = Bound.MOST if _BY.search(plain(self._text[: match.start()])) else Bound.EXACT
            value = StatedValue(StatedKind.DATE, self._text[slice(*match.span())], f"---{day:02}", bound=bound)
            found.append((match.start(), value))
            self._take(*match.span())
        return found

    def _weekly(self) -> list[Placed]:
        folded = plain(masked(self._text, self._measured))
        found = [
            (match.span(), StatedValue(StatedKind.DATE, self._text[slice(*match.span())], f"W{number}"))
            for number, name in enumerate(_WEEKDAY, start=1)
            for match in name.finditer(folded)
        ]
        found = [(place, value) for place, value in found if not self._is_beside_date(*place)]
        for place, _ in found:
            self._take(*place)
        return [(place[0], value) for place, value in found]

    def _is_beside_date(self, start: int, end: int) -> bool:
        """«27 ноября, ср.» names one day."""
        return any(
            (0 <= start - time.end <= len(", (") or 0 <= time.start - end <= len(", ")) and time.first == time.last
            for time in self._times
        )

    def _identifiers(self) -> list[Placed]:
        found = []
        for match in _IDENTIFIER.finditer(self._rest):
            found.append((match.start(), StatedValue(StatedKind.NAME, match.group(), fold(match.group()))))
            self._take(*match.span())
        return found

    def _quantities(self) -> list[Placed]:
        text = self._rest
        unit = self._unit_of_header()
        found = []
        for quantity in find_quantities(text):
            if unit and quantity.kind is StatedKind.NUMBER:
                quantity = _in_unit(text, quantity, unit)
            value = self._value(quantity)
            if years := _YEARS.fullmatch(value.words):
                said = f"{years['first']}-01-01/{years['last']}-12-31"
                value = StatedValue(StatedKind.DATE, value.words, said, label=value.label, is_time_frame=True)
            elif _is_year(value):
                value = StatedValue(StatedKind.DATE, value.words, value.words, label=value.label, is_time_frame=True)
            found.append((quantity.start, value))
            if value.unit or value.kind is not StatedKind.NUMBER:
                self._take(quantity.start, quantity.end)
                self._measured.append((quantity.start, quantity.end))
        folded = plain(text)
        for number, name in enumerate(_ORDINAL, start=1):
            for match in name.finditer(folded):
                counted, _ = self._counted(match.end())
                found.append(
                    (
                        match.start(),
                        StatedValue(
                            StatedKind.NUMBER, self._text[slice(*match.span())], magnitude=float(number), unit=counted
                        ),
                    )
                )
        return found

    def _value(self, quantity: Quantity) -> StatedValue:
        end, unit = quantity.end, quantity.unit
        if quantity.kind is StatedKind.NUMBER and not unit:
            ordinal = _ORDINAL_END.match(self._text, end)
            unit, end = self._counted(ordinal.end() if ordinal else end)
        label = "every" if quantity.repeats else self._label(quantity.start)
        return StatedValue(
            quantity.kind,
            self._text[quantity.start : max(end, quantity.end)].strip(),
            magnitude=quantity.low,
            until=quantity.high,
            unit=unit,
            bound=quantity.bound,
            label=label,
        )

    def _counted(self, at: int) -> tuple[str, int]:
        """Return the stem of what a number counts, which stands right behind it, and where that ends."""
        follows = words(self._text[at : at + 40])
        for word in follows[:2]:
            between = self._text[at : at + word.start]
            if self._text[at + word.end : at + word.end + 1] == "-":
                continue  # of a compound the last part says what is counted: «две топ-модели»
            if (
                between.strip(" -")
                or is_function_word(word.text)
                or fold(word.text) in _NOT_COUNTED
                or not word.text[0].isalpha()
            ):
                break
            if fold(word.text) in ("раз", "раза"):
                return word.stem, at + word.end
            readings = grammar_of(word.text)[:1]
            if readings and readings[0].pos in ("ADJF", "PRTF"):
                continue
            if word is follows[0] and len(follows) > 1 and _qualifies(word, follows[1]):
                continue
            if readings and readings[0].pos != "NOUN":
                break
            return word.stem, at + word.end
        return "", at

    def _label(self, at: int) -> str:
        """Return the words right before a value that say what it is of, within its part of the sentence."""
        before = self._text[:at]
        cuts = [match.end() for match in _BOUNDARY.finditer(before)]
        part = before[cuts[-1] :] if cuts else before
        kept = [word for word in words(part) if not is_function_word(word.text)]
        numbers = [place for place, word in enumerate(kept) if word.text[0].isdigit()]
        kept = kept[numbers[-1] + 1 :] if numbers else kept
        kept = [word for word in kept if not _bounds(word)][-MOST_LABEL_WORDS:]
        return part[kept[0].start : kept[-1].end] if kept else ""

    def _of_key(self) -> Iterator[Placed]:
        """Yield what a key such as "Page between 22 and 7" measures; a bare number in it is a part of its name."""
        if self._piece.context is ClaimContext.CELL:
            return
        for quantity in find_quantities(self._piece.key):
            if quantity.kind is not StatedKind.NUMBER:
                said = self._piece.key[quantity.start : quantity.end].strip()
                yield (
                    -1,
                    StatedValue(
                        quantity.kind,
                        said,
                        magnitude=quantity.low,
                        until=quantity.high,
                        unit=quantity.unit,
                        bound=quantity.bound,
                    ),
                )

    def _names(self) -> Iterator[Placed]:
        taken: set[str] = set()
        for match in _QUOTED.finditer(self._rest):
            name = next(filter(None, match.groups()))
            if not name.strip():
                continue
            taken.add(fold(name))
            kind = StatedKind.NAME if len(words(name)) <= MOST_NAME_WORDS else StatedKind.TEXT
            yield match.start(), StatedValue(kind, name, fold(name))
        for match in _NAME.finditer(self._rest):
            name = _without_opening(match.group().strip())
            folded = fold(name)
            if (
                len(name) < 2
                or folded.partition("'")[0] == "i"
                or is_function_word(name)
                or not any(map(str.isalpha, name))
            ):
                continue
            if folded in _NO_NAMES or folded in self._subject or any(folded in one for one in taken):
                continue
            if self._opens_sentence(match.start()) and not self._is_name_anywhere(name):
                continue
            yield match.start(), StatedValue(StatedKind.NAME, name, folded)

    def _opens_sentence(self, at: int) -> bool:
        before = self._rest[:at].rstrip(' «"“(*_')
        return not before or before[-1] in ".!?…:"

    def _is_name_anywhere(self, name: str) -> bool:
        first, _, rest = name.partition(" ")
        if rest and not any(map(str.isalpha, rest)):
            return self._is_name_anywhere(first)
        if rest or name.isupper() or any(map(str.isdigit, name)):
            return True
        if language_of(name) == "ru":
            return any(one.is_name for one in grammar_of(name)[:1])
        return self._has_key or language_of(self._text) == "ru"

    def _polarity(self) -> list[Placed]:
        bare = fold(self._text.strip(" .,!*_"))
        opening = re.split(r"[,;(.\s]", bare, maxsplit=1)[0]
        if self._has_key and (bare in _YES or (opening in _YES and bare[len(opening) :][:1] in (",", ";", ""))):
            return [(0, StatedValue(StatedKind.POLARITY, self._text[: len(opening)], "yes"))]
        if self._has_key and (bare in _NO or (opening in _NO and bare[len(opening) :][:1] in (",", ";", ""))):
            return [(0, StatedValue(StatedKind.POLARITY, self._text[: max(len(opening), 1)], "no"))]
        for word in words(self._text):
            folded = fold(word.text)
            is_part = "_" in (self._text[word.start - 1 : word.start], self._text[word.end : word.end + 1])
            if not is_part and (folded in _DENIALS or folded.endswith("n't")):
                return [(word.start, StatedValue(StatedKind.POLARITY, word.text, "no"))]
        shortened = re.search(r"\b\w+n['’]t\b", self._text)
        return [(shortened.start(), StatedValue(StatedKind.POLARITY, shortened.group(), "no"))] if shortened else []

    def _words(self, measured: Sequence[Placed], names: Sequence[Placed]) -> Iterator[Placed]:
        """Yield the words of what a key or header names, where its first part is no quantity, date or code."""
        part = _FIRST_PART.match(self._text)
        if part is None or any(at < part.end() for at, _ in measured):
            return
        if any(value.kind is StatedKind.NAME and value.words == part.group().strip(" *_.") for _, value in names):
            return
        said = part.group().strip(' *_"«»“”')
        if said and len(words(said)) <= MOST_TEXT_WORDS:
            yield 0, StatedValue(StatedKind.TEXT, said, fold(said))

    def _unit_of_header(self) -> str:
        match = _HEADER_UNIT.search(self._piece.key) or _KEY_UNIT.search(self._piece.key)
        return match["unit"] if match else ""

    def _take(self, start: int, end: int) -> None:
        self._rest = masked(self._rest, [(start, end)])


def _is_replaced(text: str, at: int, value: StatedValue, found: Sequence[Placed]) -> bool:
    """Tell whether an arrow leads from a value to another of its kind: "6.8 GB → 0.74 GB" gives the second."""
    arrow = _ARROW.match(text, at + len(value.words)) if value.magnitude is not None and at >= 0 else None
    return arrow is not None and any(
        at < place <= arrow.end() + 1 and other.kind is value.kind and other.unit == value.unit
        for place, other in found
    )


def _qualifies(word: Token, follows: Token) -> bool:
    """Tell whether an English word only says which: the "internal" of "6 internal callers"."""
    one, other = fold(word.text), fold(follows.text)
    plural = other.endswith("s") and not other.endswith("ss") and not is_function_word(other)
    return one.isascii() and plural and not one.endswith("s") and follows.start - word.end == 1


def _is_year(value: StatedValue) -> bool:
    return value.kind is StatedKind.NUMBER and not value.unit and bool(_BARE_YEAR.fullmatch(value.words))


def _without_opening(name: str) -> str:
    """Leave out a function word that is written large because it opens the sentence: "For 27", «От Кунгура»."""
    first, _, rest = name.partition(" ")
    opens = is_function_word(first) or fold(first) in _OPENINGS
    return rest if rest and (opens or any(one.pos in _NO_NAME for one in grammar_of(first)[:1])) else name


def _in_unit(text: str, quantity: Quantity, unit: str) -> Quantity:
    """Return a bare number of a column in the unit that its header names."""
    [*read] = find_quantities(f"{text[quantity.start : quantity.end].strip()} {unit}")
    return (
        replace(read[0], start=quantity.start, end=quantity.end, bound=quantity.bound) if len(read) == 1 else quantity
    )


def _bounds(word: Token) -> bool:
    return fold(word.text) in (
        "около",
        "примерно",
        "about",
        "around",
        "least",
        "most",
        "хотя",
        "максимум",
        "минимум",
        "почти",
        "больше",
        "меньше",
    )


def _bare_day(said: str) -> str:
    return plain(said).rpartition(" ")[2]


def words_of_value(values: Sequence[StatedValue]) -> frozenset[str]:
    """Return the stems of the words that values are written with."""
    return frozenset(word.stem for value in values for word in words(value.words)) | frozenset(
        stem(value.unit) for value in values if value.unit
    )
