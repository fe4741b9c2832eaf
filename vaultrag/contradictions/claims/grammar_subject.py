"""The grammatical subject of a sentence: before its verb in English, in the nominative in Russian."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vaultrag.contradictions.claims.times import NamedTime
from vaultrag.domain import StatedKind, SubjectSource
from vaultrag.text.language import Token, fold, is_function_word, language_of, words
from vaultrag.text.morphology import WordForm, grammar_of
from vaultrag.text.quantities.read import Quantity, find_quantities, masked

LONGEST_CLAUSE = 9  # words in which a subject stands, if it is one
MOST_SUBJECT_WORDS = 6  # of an English noun phrase before its verb; what is longer is no subject
_RU_THIRD = {"он": "masc", "она": "femn", "оно": "neut", "они": "plur"}
EN_PERSON = frozenset("he she".split())
_EN_THING = frozenset("it they".split())
DEMONSTRATIVE = frozenset("это этот эта эти то this that these those".split())
_EN_VERBS = frozenset(
    """
    is are was were am be been has have had does do did can could will would should must may might shall isn't aren't
    wasn't weren't hasn't haven't hadn't doesn't don't didn't can't couldn't won't wouldn't shouldn't mustn't needs need
    takes take took gives gave goes went comes came costs cost runs ran keeps kept holds held lives lived works worked
    uses used says said means meant gets got makes made stands stood sits sat lies lay pays paid swims swam writes wrote
    reads eats ate sleeps slept starts ends opens closes sends sent shows showed shuts moves moved became becomes began
    begins knows knew thinks thought wants wanted likes liked hates loves lost loses won wins left leaves sold sells
    bought buys built builds broke breaks found finds grew grows knows met meets put puts rides rode seems fell falls
    lasts last stays stayed supports supports allows requires contains includes returns expires remains weighs measures
    """.split()
)
_EN_PREPOSITIONS = frozenset(
    "in on at by for with from to of into over under about after before since until during as without"
    " within per via than".split()
)
_LEADS_IN = frozenset(
    "and but so then also still now today yesterday here there well ok а и но да ну вот еще потом".split()
)
_RU_NO_SUBJECT = frozenset(
    "нет раз год час день утро вечер ночь время дело пора жаль плюс минус итого правда факт".split()
)
_CLAUSE_ENDS = re.compile(r"[,;:.!?()–—=→|]|\s-\s")
_INTRODUCES = re.compile(
    r"(?:например|также|кроме того|(?:важно|стоит) отметить|при этом|то есть|во-(?:первых|вторых)|итак|конечно|зато"
    r"|однако|впрочем|for example|for instance|also|however|in addition|note that|moreover|of course|in fact)"
    r",?\s+(?:что\s|that\s)?",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(?:-[а-яёa-z]{1,3})? [^\W\d_]+")


@dataclass(frozen=True, slots=True)
class NamedSubject:
    """The grammatical subject of a sentence; `gender` and `number` as OpenCorpora names them, where they are known."""

    text: str
    end: int
    source: SubjectSource = SubjectSource.WORDS
    is_pronoun: bool = False
    is_person: bool = False
    gender: str = ""
    number: str = ""


def own_subject(text: str, times: Sequence[NamedTime] = ()) -> NamedSubject | None:
    """Return the subject that a sentence names itself: before its verb, or in Russian in the nominative.

    Times and quantities are none: «в 9 утра», «3 комнаты».
    """
    places = [(time.start, time.end) for time in times]
    counted = [_with_counted(text, one) for one in find_quantities(masked(text, places))]
    if _opens_with(text, counted):
        return None
    places += counted
    if opening := _INTRODUCES.match(text):
        places.append(opening.span())
    bare = masked(text, places)
    found = words(bare)
    if not found:
        return None
    return _russian(bare, found) if language_of(bare) == "ru" else _english(bare, found)


def _with_counted(text: str, quantity: Quantity) -> tuple[int, int]:
    """Return the place of a quantity with what it counts: «3 комнаты» are no subject."""
    counted = _COUNTED.match(text, quantity.end) if quantity.kind is StatedKind.NUMBER else None
    return quantity.start, counted.end() if counted else quantity.end


def _opens_with(text: str, counted: Sequence[tuple[int, int]]) -> bool:
    """Tell whether the first clause is nothing but quantities: «3 комнаты, двор виден из кухни» speaks of neither."""
    end = _CLAUSE_ENDS.search(text)
    first = text[: end.start()] if end else text
    return bool(counted) and bool(words(first)) and not words(masked(text, counted)[: len(first)])


def has_verb(text: str) -> bool:
    """Tell whether a sentence has a verb: what has none is a name or a note of something."""
    found = words(text)
    if language_of(text) == "ru":
        return any(one.is_finite or one.pos == "INFN" for word in found for one in grammar_of(word.text)[:1])
    return any(_is_verb(found, place) for place in range(len(found)))


def _russian(text: str, found: Sequence[Token]) -> NamedSubject | None:
    clause = _first_clause(text, found)
    for place, word in enumerate(clause):
        folded = fold(word.text)
        if folded in ("я", "мы"):
            return NamedSubject(word.text, word.end, SubjectSource.HOLDER)
        if folded in _RU_THIRD:
            gender = _RU_THIRD[folded]
            number = "plur" if gender == "plur" else "sing"
            return NamedSubject(
                word.text,
                word.end,
                is_pronoun=True,
                is_person=gender != "neut",
                gender="" if gender == "plur" else gender,
                number=number,
            )
        if folded in ("это", "то") and place == 0:
            return NamedSubject(word.text, word.end, is_pronoun=True)
        if place == 0 and _is_ordinal_subject(clause):
            return NamedSubject(word.text, word.end)
        if is_function_word(word.text) or folded in _RU_NO_SUBJECT or len(folded) < 3:
            continue
        reading = _nominative(clause, place)
        if reading is not None and _suits_verb(reading, place, clause):
            start, end = _start_of_group(clause, place), _end_of_group(text, clause, place)
            return NamedSubject(
                text[clause[start].start : clause[end].end],
                clause[end].end,
                is_person=reading.is_name,
                gender=reading.gender,
                number=reading.number,
            )
        if place == 0 and word.text[0].isupper() and re.fullmatch(r"[a-z][\w-]*", folded):
            end = _end_of_group(text, clause, place)
            return NamedSubject(text[word.start : clause[end].end], clause[end].end)
    return None


def _first_clause(text: str, found: Sequence[Token]) -> Sequence[Token]:
    """Return the words up to where another clause may begin."""
    for place in range(1, min(len(found), LONGEST_CLAUSE)):
        if _CLAUSE_ENDS.search(text[found[place - 1].end : found[place].start]):
            return found[:place]
    return found[:LONGEST_CLAUSE]


def _is_ordinal_subject(clause: Sequence[Token]) -> bool:
    """«Вторая смотрит на лестницу»: an adjective in the nominative with a verb right behind it."""
    if len(clause) < 2:
        return False
    first, second = (grammar_of(word.text)[:1] for word in clause[:2])
    return any(one.pos == "ADJF" and one.case == "nomn" for one in first) and any(one.pos == "VERB" for one in second)


def _suits_verb(noun: WordForm, place: int, clause: Sequence[Token]) -> bool:
    """Tell whether a noun may be what the clause's verb speaks of.

    «Плавание бросила» and «зевает вилки» leave their subject out, «смазал замок» has it as object. With a verb in the
    first person, or of whoever does it, the noun before it is what is spoken of: «лимон держим в тепле», «анод меняют».
    """
    verbs = ((at, one) for at, word in enumerate(clause) for one in grammar_of(word.text)[:1] if one.pos == "VERB")
    at, verb = next(verbs, (0, None))
    if verb is None or (verb.person in ("1per", "2per") and place < at):
        return True
    if verb.is_transitive and at < place and not noun.is_animate and not noun.is_name:
        return False
    if verb.number == "plur" and noun.number == "sing":
        return place < at  # «анод меняют»: whoever does it is not said
    if noun.number == "plur":
        return verb.number == "plur"
    return not (verb.gender and noun.gender) or verb.gender == noun.gender


def _nominative(found: Sequence[Token], place: int) -> WordForm | None:
    """Return the reading of a word as a noun in the nominative, where that is likely and no preposition governs it."""
    readings = grammar_of(found[place].text)
    if not readings or readings[0].pos != "NOUN" or _qualifies(found, place):
        return None
    before = place
    while before and _may_stand_between(found[before - 1]):
        before -= 1
    if before and _is_preposition(found[before - 1]):
        return None
    return next((one for one in readings[:4] if one.pos == "NOUN" and one.case == "nomn"), None)


def _is_preposition(word: Token) -> bool:
    return any(one.pos == "PREP" for one in grammar_of(word.text)[:1])


def _is_adjective(word: Token) -> bool:
    return any(one.pos in ("ADJF", "PRTF", "NUMR") for one in grammar_of(word.text)[:1])


def _qualifies(found: Sequence[Token], place: int) -> bool:
    """Tell whether a word that may be an adjective has its noun behind it: «второе место»."""
    may = any(one.pos == "ADJF" for one in grammar_of(found[place].text)[:2])
    return may and place + 1 < len(found) and any(one.pos == "NOUN" for one in grammar_of(found[place + 1].text)[:1])


def _may_stand_between(word: Token) -> bool:
    return any(one.pos in ("ADJF", "PRTF", "NUMR", "ADVB") for one in grammar_of(word.text)[:1])


def _start_of_group(found: Sequence[Token], place: int) -> int:
    while place and _is_adjective(found[place - 1]) and found[place].start - found[place - 1].end <= 1:
        place -= 1
    return place


def _end_of_group(text: str, found: Sequence[Token], place: int) -> int:
    """Take in the names and genitives right behind: «договор о…» no, «дядя Виктор», «бюджет ремонта», «гарантия на»."""
    while place + 1 < len(found) and text[found[place].end : found[place + 1].start] == " ":
        follows = grammar_of(found[place + 1].text)
        is_name = found[place + 1].text[0].isupper() and (not follows or follows[0].pos == "NOUN")
        is_genitive = bool(follows) and follows[0].pos == "NOUN" and any(one.case == "gent" for one in follows[:2])
        if not (is_name or is_genitive):
            break
        place += 1
    return place


def _english(text: str, found: Sequence[Token]) -> NamedSubject | None:
    first = next((place for place, word in enumerate(found) if fold(word.text) not in _LEADS_IN), None)
    if first is None:
        return None
    opening = fold(found[first].text)
    if opening.partition("'")[0] in ("i", "we"):
        return NamedSubject(found[first].text.partition("'")[0], found[first].end, SubjectSource.HOLDER)
    pronoun = opening.partition("'")[0]
    if pronoun in EN_PERSON or pronoun in _EN_THING or (pronoun in DEMONSTRATIVE and _is_verb(found, first + 1)):
        gender = {"he": "masc", "she": "femn"}.get(pronoun, "")
        number = "plur" if pronoun in ("they", "these", "those") else "sing"
        return NamedSubject(
            found[first].text,
            found[first].end,
            is_pronoun=True,
            is_person=pronoun in EN_PERSON,
            gender=gender,
            number=number,
        )
    for place in range(first + 1, min(first + 1 + MOST_SUBJECT_WORDS, len(found))):
        between = text[found[place - 1].end : found[place].start]
        if _CLAUSE_ENDS.search(between) or len(between) > 2:
            return None
        if fold(found[place].text) == "of":
            continue
        if fold(found[place].text) in _EN_PREPOSITIONS:
            return _phrase(text, found, first, place) if _is_verb_later(text, found, place) else None
        if _is_verb(found, place):
            return _phrase(text, found, first, place)
    return None


def _phrase(text: str, found: Sequence[Token], first: int, end: int) -> NamedSubject | None:
    while first < end and fold(found[first].text) in (
        "the",
        "a",
        "an",
        "our",
        "my",
        "this",
        "that",
        "these",
        "all",
        "both",
    ):
        first += 1
    if (
        first >= end
        or fold(found[first].text) in _EN_PREPOSITIONS
        or fold(found[first].text) in ("no", "if", "when", "there")
    ):
        return None
    phrase = text[found[first].start : found[end - 1].end]
    if fold(phrase) in ("you", "one", "nobody", "somebody", "everybody", "nothing", "everything", "all"):
        return None
    capital = all(word.text[0].isupper() for word in found[first:end])
    return NamedSubject(phrase, found[end - 1].end, is_person=capital and end - first <= 2)


def _is_verb(found: Sequence[Token], place: int) -> bool:
    if place >= len(found):
        return False
    folded = fold(found[place].text)
    return folded in _EN_VERBS or (folded.endswith("ed") and len(folded) > 4 and place > 0)


def _is_verb_later(text: str, found: Sequence[Token], place: int) -> bool:
    for later in range(place, min(place + 4, len(found))):
        if _CLAUSE_ENDS.search(text[found[later - 1].end : found[later].start]):
            return False
        if _is_verb(found, later):
            return True
    return False
