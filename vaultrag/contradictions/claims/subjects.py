"""What a statement speaks of: named in its own words, by its row, by a sentence before, or by what it stands under."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vaultrag.contradictions.claims.grammar_subject import (
    DEMONSTRATIVE,
    EN_PERSON,
    MOST_SUBJECT_WORDS,
    NamedSubject,
    own_subject,
)
from vaultrag.contradictions.claims.pieces import Fragment
from vaultrag.contradictions.claims.times import NamedTime, is_only_time, times_in, without_times
from vaultrag.domain import SubjectSource
from vaultrag.text.language import fold, language_of, words
from vaultrag.text.morphology import grammar_of

LONGEST_NAME = 60  # characters of a heading that is spoken of
MOST_NAME_WORDS = 5
_FULL_NAME = re.compile(r"(?<!\w)[A-ZА-ЯЁ][\w’-]+(?: [A-ZА-ЯЁ][\w’-]+)?")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_BARE_YEAR = re.compile(r"(?:19|20)\d\d")
_PREPOSITION_FIRST = re.compile(
    r"(?:для|о|об|про|к|на|в|из|с|что|как|где|когда|кто|for|about|how|what|where|why|to|on|in|from|notes?"
    r"|inbox|index|readme"
    r"|todo|untitled|без)(?=\s|\Z)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement speaks of, in the words of the note; `end` is behind them where they stand in its own."""

    text: str
    source: SubjectSource
    end: int = 0


def subject_of(
    piece: Fragment, title: str, times: Sequence[NamedTime], *, is_diary: bool, is_chat: bool = False
) -> Subject | None:
    """Return what a statement speaks of; None where only a pronoun names it and what it means is uncertain.

    In a chat the heading is nearer than its title, which is the question. Nothing is guessed: a pronoun stands for the
    subject of the sentence before where gender and number agree, or for the one person whom the passage has named.
    """
    under = _under(piece, title, is_diary=is_diary, is_chat=is_chat)
    if piece.row:
        name = _row_name(piece)
        return Subject(name, SubjectSource.ROW) if name else under
    if piece.key and not is_only_time(piece.key, times_in(piece.key, None)):
        return under
    found = own_subject(piece.words, times)
    if found is None:
        return under
    return _resolved(found, piece, title) if found.is_pronoun else Subject(found.text, found.source, found.end)


def _resolved(pronoun: NamedSubject, piece: Fragment, title: str) -> Subject | None:
    """Return what a pronoun stands for, as the sentences before it or the name it stands under tell."""
    if fold(pronoun.text) in DEMONSTRATIVE:
        return None
    earlier = own_subject(piece.before[-1]) if piece.before else None
    if earlier and not earlier.is_pronoun and earlier.source is not SubjectSource.HOLDER and _agree(pronoun, earlier):
        return Subject(earlier.text, SubjectSource.EARLIER, pronoun.end)
    if pronoun.is_person and pronoun.number != "plur" and (people := _people(piece.earlier, pronoun.gender)):
        return Subject(people[0], SubjectSource.EARLIER, pronoun.end) if len(people) == 1 else None
    for name in map(_as_name, (piece.lead, *reversed(piece.headings), title)):
        if name and len(words(name)) <= MOST_NAME_WORDS and _agree(pronoun, _named(name)):
            return Subject(name, SubjectSource.TITLE, pronoun.end)
    return None


def _people(sentences_before: Sequence[str], gender: str) -> list[str]:
    """Return the people whom sentences name who may be meant, each once, by the first way in which they are named."""
    found: dict[str, str] = {}
    for sentence in sentences_before:
        for match in _FULL_NAME.finditer(sentence):
            readings = [one for word in words(match.group()) for one in grammar_of(word.text)[:1]]
            fits = not readings or all(not (one.gender and gender) or one.gender == gender for one in readings[:1])
            is_russian_name = any(one.is_name for one in readings)
            if fits and (is_russian_name or (not readings and " " in match.group())):
                name = readings[0].lemma.title() if readings and " " not in match.group() else match.group()
                found.setdefault(fold(name.split()[0]), name)
    return list(found.values())


def _named(name: str) -> NamedSubject:
    readings = [one for word in words(name)[:2] for one in grammar_of(word.text)[:1] if one.pos == "NOUN"]
    if not readings:
        return NamedSubject(
            name, 0, is_person=len(words(name)) <= 3 and all(word.text[0].isupper() for word in words(name))
        )
    person = next((one for one in readings if one.is_name), readings[0])
    return NamedSubject(name, 0, is_person=person.is_name, gender=person.gender, number=person.number)


def _agree(pronoun: NamedSubject, earlier: NamedSubject) -> bool:
    if pronoun.text[:1].isascii():  # English: he and she are people, it is none
        if fold(pronoun.text) in EN_PERSON and not earlier.is_person:
            return False
        if fold(pronoun.text) == "it" and earlier.is_person and len(earlier.text.split()) == 2:
            return False
    if pronoun.number and earlier.number and pronoun.number != earlier.number:
        return False
    return not (pronoun.gender and earlier.gender) or pronoun.gender == earlier.gender


def _as_name(text: str) -> str:
    """Return a heading or title as what can be spoken of: short, without its date, no question."""
    bare = without_times(text.strip().rstrip(":"))
    return bare if bare and len(bare) <= LONGEST_NAME and "?" not in bare and re.search(r"[^\W\d_]{2}", bare) else ""


def _under(piece: Fragment, title: str, *, is_diary: bool, is_chat: bool) -> Subject:
    """Return what a statement that leaves its subject out stands under."""
    above = _as_name(piece.lead) if piece.lead and not piece.row else ""
    if above and len(words(above)) <= MOST_SUBJECT_WORDS:
        return Subject(above, SubjectSource.HEADING)
    if is_diary or _is_diary_below(title, piece.headings) or _PREPOSITION_FIRST.match(title):
        return Subject("я" if language_of(piece.whole) or language_of(title) == "ru" else "I", SubjectSource.HOLDER)
    if is_chat and piece.headings and (name := _as_name(piece.headings[-1].removeprefix("Title: "))):
        return Subject(name, SubjectSource.HEADING)
    return Subject(_as_name(title), SubjectSource.TITLE)


def _is_diary_below(title: str, headings: Sequence[str]) -> bool:
    """Tell whether a note of some years has headings that are days or months: an archive of a diary."""
    is_of_years = any(time.year_known and time.first[:7] != time.last[:7] for time in times_in(title, None))
    return is_of_years and bool(headings) and is_only_time(headings[-1], times_in(headings[-1], None))


def _row_name(piece: Fragment) -> str:
    """Return what a row speaks of: its first cell; where that is a date the second, if it is in words."""
    head, first = piece.row[0]
    if is_only_time(first, times_in(first, None)) or _BARE_YEAR.fullmatch(first.strip()):
        second = piece.row[1][1] if len(piece.row) > 2 and piece.column > 1 else ""
        return second if re.search(r"[^\W\d_]{2}", second) else ""
    if re.fullmatch(r"[\d.,\s]+", first):
        named = piece.row[1][1] if len(piece.row) > 2 and piece.column > 1 else ""
        return ", ".join(filter(None, (f"{head} {first}".strip(), named if _LETTERS.search(named) else "")))
    return first
