"""Whether two claims are of two things of a kind: two rows, two notes of one form, «VLAN 10» and «VLAN 30»."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vaultrag.contradictions.comparing.concepts import ClaimWord, WordSet, are_alike, read_words
from vaultrag.contradictions.comparing.labels import key_of
from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.comparing.reasons import Ground, Reason
from vaultrag.domain import Claim, ClaimContext, StatedKind, StatedValue, SubjectSource
from vaultrag.text.dates import find_date
from vaultrag.text.language import fold

LISTED = 3.5  # rarity of the words that two items of one list share, from which on they speak of one thing
TOLD_ALIKE = 8.0  # rarity of what two notes of one folder say in the same words: then they speak of one thing
_ITEMS = frozenset({ClaimContext.LIST, ClaimContext.TASK})
_OF_THE_NOTE = frozenset({ClaimContext.PROPERTY, ClaimContext.FIELD})
_ABOVE = frozenset({SubjectSource.TITLE, SubjectSource.HEADING})
_OF_ITS_OWN = re.compile(  # folders in which each note is of a thing, person or day that it is named for
    r"(?:recipes?|рецепты?|cooking|books?|reading|книги|чтение|people|люди|contacts|контакты|meetings?|встречи|movies"
    r"|films?|фильмы|adrs?|decisions)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?<![\w])(?P<name>[^\W\d_]{2,}\d{0,2}?)-?(?P<number>\d+[A-Za-zА-Яа-я]?)(?![\w])")
_CODE = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[^\W\d_]{2})[^\W\d_][\w-]*")  # "Qwen3-32B"
_DIGITS = re.compile(r"\d+")
_TIME_OF_TITLE = re.compile(r"[\d.,/–-]+|\b(?:копия|copy|старый|old|новый|new)\b", re.IGNORECASE)


def two_of_a_kind(one: ReadClaim, other: ReadClaim, own_shared: float) -> Reason | None:
    """Return why two claims are of two things of one kind; None where nothing says so."""
    first, second = one.claim, other.claim
    others = _is_row_of_another(one, other), _is_row_of_another(other, one)
    are_cells = first.context is second.context is ClaimContext.CELL
    if _are_rows(first, second, own_shared) or (all(others) if are_cells else any(others)):
        return Reason(Ground.ROW)
    if _are_sections_of_two(first, second) or _are_one_key_of_sections(first, second):
        return Reason(Ground.NAMES, first.heading_path[-1], second.heading_path[-1])
    told_alike = own_shared >= TOLD_ALIKE or _name_one_thing(one, other)
    are_two = _are_properties_of_two(one, other) or (not told_alike and _are_neighbours(one, other))
    if are_two or _are_of_their_own(one, other) or are_of_two_subjects(one, other):
        return Reason(Ground.NAMES, first.title, second.title)
    numbers = _other_number(first, second) or _numbered_apart(first, second)
    return Reason(Ground.MODIFIER, *numbers) if numbers else None


def are_editions(one: Claim, other: Claim) -> bool:
    """Tell whether two notes are one of two years or days by their titles: "Packing list", "Packing list 2024"."""
    bare, other_bare = (_TIME_OF_TITLE.sub(" ", claim.title).split() for claim in (one, other))
    return one.title != other.title and bare == other_bare and bool(bare)


def _are_rows(one: Claim, other: Claim, own_shared: float) -> bool:
    """Tell whether two claims are of different rows of one table, or are items of one list."""
    if one.path == other.path and one.context is other.context is ClaimContext.CELL:
        return one.span != other.span
    if one.path != other.path or one.heading_path != other.heading_path:
        return False
    if one.context not in _ITEMS or other.context not in _ITEMS or one.lead != other.lead:
        return False
    return own_shared < LISTED or (_has_day(one) and _has_day(other))


def _has_day(claim: Claim) -> bool:
    return any(value.kind is StatedKind.DATE for value in claim.values)


def _is_row_of_another(row: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether a claim is of a row that the other nowhere names."""
    claim = row.claim
    if claim.context is not ClaimContext.CELL or claim.subject_from is not SubjectSource.ROW:
        return False
    named = [word for word in read_words(claim.subject) if not word.is_number]
    told = [other.own_set.has(word) or other.frame_set.has(word) for word in named]
    if other.claim.context is ClaimContext.CELL and other.claim.subject_from is SubjectSource.ROW:
        return not all(told)  # two rows are one where either name holds the other
    return bool(named) and not any(told)


def _are_properties_of_two(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether claims are properties of two notes, neither of which the other's title names."""
    first, second = one.claim, other.claim
    if first.path == second.path or not (first.context in _OF_THE_NOTE or second.context in _OF_THE_NOTE):
        return False
    if not (first.subject_from in _ABOVE and second.subject_from in _ABOVE):
        return False
    if first.context is second.context is ClaimContext.PROPERTY:
        return not _is_part_of(first.title, second.title)
    titles = WordSet(read_words(first.title))
    return not any(titles.has(word) for word in read_words(second.title) if not word.is_number)


def _is_part_of(one: str, other: str) -> bool:
    """Tell whether one name says all that the other does."""
    short, long = sorted((read_words(name) for name in (one, other)), key=len)
    known = WordSet(long)
    return all(known.has(word) for word in short)


def _are_neighbours(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether claims are of two notes of one folder, each about what it is named for, as two recipes are."""
    first, second = one.claim, other.claim
    folder, _, _ = first.path.rpartition("/")
    if not folder or folder != second.path.rpartition("/")[0] or first.path == second.path:
        return False
    if any(fold(claim.title) == fold(folder.rpartition("/")[2]) for claim in (first, second)):
        return False  # a note named like its folder speaks of all that the folder is about
    return first.subject_from in _ABOVE and second.subject_from in _ABOVE and not titles_meet(one, other)


def _are_one_key_of_sections(one: Claim, other: Claim) -> bool:
    """Tell whether two sections of a note each give one key a value: "## Kruna … Price: 29", "## Zrno … Price: 25"."""
    if one.path != other.path or not one.heading_path or not other.heading_path:
        return False
    if one.heading_path[-1] == other.heading_path[-1] or any(
        find_date(claim.heading_path[-1]) for claim in (one, other)
    ):
        return False
    first, second = key_of(one), key_of(other)
    return bool(first) and [word.concept for word in first] == [word.concept for word in second]


def are_of_two_subjects(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether each claim names in its own words what it is of, one of which the other nowhere names."""
    if one.claim.language != other.claim.language:
        return False
    if not one.claim.subject_from is other.claim.subject_from is SubjectSource.WORDS:
        return False
    first, second = read_words(one.claim.subject), read_words(other.claim.subject)
    if not first or not second or any(are_alike(a, b) for a in first for b in second):
        return False
    return not (_names(other, first) and _names(one, second))


def _names(reading: ReadClaim, subject: Sequence[ClaimWord]) -> bool:
    return any(reading.own_set.has(word) or reading.frame_set.has(word) for word in subject)


def _are_sections_of_two(one: Claim, other: Claim) -> bool:
    """Tell whether claims stand under two headings that name two models or devices, and neither names the other's."""
    if one.path != other.path or not one.heading_path or not other.heading_path:
        return False
    first, second = (set(_CODE.findall(fold(claim.heading_path[-1]))) for claim in (one, other))
    if not first or not second or first & second:
        return False
    return not (first & set(_CODE.findall(fold(other.quote))) or second & set(_CODE.findall(fold(one.quote))))


def _name_one_thing(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether both claims themselves name the same, as a firm or by an acronym; then titles tell little."""
    names = (word for word in one.own if word.is_name and (not word.is_first or word.text.isupper()))
    return any(other.own_set.has(word) for word in names)


def _are_of_their_own(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether claims are of two notes of a folder such as one of recipes or of people."""
    folder, _, _ = one.claim.path.rpartition("/")
    is_two = one.claim.path != other.claim.path and folder == other.claim.path.rpartition("/")[0]
    if not is_two or not _OF_ITS_OWN.fullmatch(folder.rpartition("/")[2]):
        return False
    return not _is_part_of(one.claim.title, other.claim.title)


def _numbered_apart(one: Claim, other: Claim) -> tuple[str, str] | None:
    """Return two names of one series where each side names only its own: "ADR-003" and "ADR-007"."""
    for first, second in ((one.title, other.title), (_named_in(one), _named_in(other))):
        known, others = _numbered(first), _numbered(second)
        for name in known.keys() & others.keys():
            if known[name].isdisjoint(others[name]):
                return min(known[name]), min(others[name])
    return None


def _named_in(claim: Claim) -> str:
    names = (value.words for value in claim.values if value.kind is StatedKind.NAME)
    return " ".join((claim.subject, *names))


def _numbered(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for match in _NUMBERED.finditer(fold(text)):
        found.setdefault(match["name"], set()).add(match.group())
    return found


def titles_meet(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether two notes share a word of their titles, or one claim names the other's note."""
    named = [word for word in read_words(one.claim.title) if not word.is_number]
    others = [word for word in read_words(other.claim.title) if not word.is_number]
    return any(other.own_set.has(word) or other.frame_set.has(word) for word in named) or any(
        one.own_set.has(word) or one.frame_set.has(word) for word in others
    )


def _other_number(one: Claim, other: Claim) -> tuple[str, str] | None:
    """Return what tells one thing of a kind from another: «VLAN 10» and «VLAN 30», "camera 1" and "camera 2"."""
    for first, second in ((one.subject, other.subject), (one.attribute, other.attribute)):
        bare, other_bare = (_DIGITS.sub("#", fold(name)) for name in (first, second))
        if first and bare == other_bare and fold(first) != fold(second):
            return first, second
    named = [(value, _designated(value, one)) for value in one.values]
    others = [(value, _designated(value, other)) for value in other.values]
    return next(
        (
            (a.words, b.words)
            for a, name in named
            for b, known in others
            if name and name == known and a.words != b.words
        ),
        None,
    )


def _designated(value: StatedValue, claim: Claim) -> str:
    """Return the word of which a number is a part, as in a name; empty where it is an amount."""
    if value.kind is not StatedKind.NUMBER or value.unit or not value.label or not value.words.isdigit():
        return ""
    if claim.context is ClaimContext.CELL:
        return ""
    last = value.label.split()[-1]
    return fold(last) if re.search(rf"{re.escape(last)}[\s\[(#№]{{1,3}}{value.words}(?!\w)", claim.quote) else ""
