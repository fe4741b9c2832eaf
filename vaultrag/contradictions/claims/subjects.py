"""What a statement speaks of: named in its own words, by its row, by a sentence before, or by what it stands under."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vaultrag.contradictions.claims.pieces import Fragment
from vaultrag.contradictions.claims.times import NamedTime, is_only_time, times_in, without_times
from vaultrag.domain import StatedKind, SubjectSource
from vaultrag.text.language import Token, fold, is_function_word, language_of, words
from vaultrag.text.morphology import WordForm, grammar_of
from vaultrag.text.quantities.read import Quantity, find_quantities, masked

LONGEST_CLAUSE = 9  # words in which a subject stands, if it is one
LONGEST_NAME = 60  # characters of a heading that is spoken of
MOST_NAME_WORDS = 5
MOST_SUBJECT_WORDS = 6  # of an English noun phrase before its verb; what is longer is no subject
_RU_THIRD = {"он": "masc", "она": "femn", "оно": "neut", "они": "plur"}
_EN_PERSON = frozenset("he she".split())
_EN_THING = frozenset("it they".split())
_DEMONSTRATIVE = frozenset("это этот эта эти то this that these those".split())
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
    if verb is None or verb.person in ("1per", "2per"):
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
    if pronoun in _EN_PERSON or pronoun in _EN_THING or (pronoun in _DEMONSTRATIVE and _is_verb(found, first + 1)):
        gender = {"he": "masc", "she": "femn"}.get(pronoun, "")
        number = "plur" if pronoun in ("they", "these", "those") else "sing"
        return NamedSubject(
            found[first].text,
            found[first].end,
            is_pronoun=True,
            is_person=pronoun in _EN_PERSON,
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


def _resolved(pronoun: NamedSubject, piece: Fragment, title: str) -> Subject | None:
    """Return what a pronoun stands for, as the sentences before it or the name it stands under tell."""
    if fold(pronoun.text) in _DEMONSTRATIVE:
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
        if fold(pronoun.text) in _EN_PERSON and not earlier.is_person:
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
