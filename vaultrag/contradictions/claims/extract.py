"""From a passage to its claims, by code alone: nothing is guessed, and what is left out is counted by its reason."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from vaultrag.answering.citations import locate
from vaultrag.contradictions.claims.days import ParagraphDays, is_aside
from vaultrag.contradictions.claims.grammar_subject import has_verb
from vaultrag.contradictions.claims.parting import parted
from vaultrag.contradictions.claims.pieces import Fragment, pieces_of
from vaultrag.contradictions.claims.stances import Held, asks, is_question
from vaultrag.contradictions.claims.subjects import Subject, subject_of
from vaultrag.contradictions.claims.times import (
    NamedTime,
    as_day,
    as_of_above,
    as_of_time,
    day_of,
    day_written,
    is_only_time,
    is_value_of_key,
    times_in,
    without_times,
    written_first,
)
from vaultrag.contradictions.claims.values import stated_values, words_of_value
from vaultrag.domain import (
    AsOf,
    AsOfSource,
    Chunk,
    Claim,
    ClaimContext,
    Holder,
    StatedKind,
    StatedValue,
    SubjectSource,
)
from vaultrag.text.language import fold, is_function_word, language_of, stems, words
from vaultrag.text.morphology import grammar_of
from vaultrag.text.quantities.read import masked
from vaultrag.vault.files import is_conflict_copy
from vaultrag.vault.parsing.plain import plain_line

EXTRACTOR = "11"
"""Raise it whenever the same passage would give other claims: what was extracted before is extracted anew."""
LEAST_WORDS = 2  # with meaning, of a statement without a value
LEAST_UNSAID = 4  # of one without a verb either
LONGEST = 600  # characters of a sentence or cell: what is longer is none, and is not read
MOST_WORDS = 70  # of a sentence: what has more is no short statement
MOST_ATTRIBUTE_WORDS = 5
LONGEST_TITLE = 60  # characters of one that is a name, and no message
LONGEST_STATEMENT = 320  # characters
_TEMPLATE_FOLDER = re.compile(r"(?:\A|/)[_\s]*(?:templates?|шаблон\w*|templater)/", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{[^{}]{1,200}\}\}|<%[^<>]{1,200}%>")
_OPENING_CLAUSE = re.compile(r"[^,:]{3,60}?(?:[,:]\s*(?:что\s|будто\s)?|\sthat\s)")
_LINK = re.compile(r"\[\[[^\[\]\n]{1,300}\]\]")
_NO_CLAIMS = (".canvas", ".base")
_OF_THE_NOTE = frozenset(
    """
    tags tag aliases alias cssclasses cssclass date created updated modified reviewed title id uid uuid publish template
    created_at updated_at дата создано обновлено теги алиасы source url link links ссылка related up parent type kind
    """.split()
)
_DATES_A_ROW = frozenset(
    "since from date when month year day start started с от дата когда месяц год день начало".split()
)
_LETTERS = re.compile(r"[^\W\d_]{2}")


class Dropped(StrEnum):
    """Why a part of a passage gives no claim."""

    QUESTION = "question"
    TEMPLATE = "template"
    COPY = "conflict copy"
    FORMAT = "format that holds no sentences"
    ABOUT_THE_NOTE = "property of the note itself"
    TOO_SHORT = "too short to state anything"
    TOO_LONG = "too long to be one statement"
    UNRESOLVED = "a pronoun whose meaning is uncertain"
    STRUCK = "struck out"


@dataclass(frozen=True, slots=True)
class Extraction:
    """The claims of a passage, in its order, and how many parts of it gave none, by the reason."""

    claims: tuple[Claim, ...]
    dropped: Mapping[Dropped, int]


def claims_of_chunk(chunk: Chunk, title: str) -> Extraction:
    """Return what a passage of the note with this title states. Questions, code, templates and copies state nothing."""
    if reason := _gives_nothing(chunk):
        return Extraction((), {reason: 1})
    return _Extractor(chunk, title).extract()


def _gives_nothing(chunk: Chunk) -> Dropped | None:
    if is_conflict_copy(chunk.path):
        return Dropped.COPY
    if chunk.path.lower().endswith(_NO_CLAIMS) or not chunk.text_hash:
        return Dropped.FORMAT
    if _TEMPLATE_FOLDER.search(chunk.path) or _TEMPLATE.search(chunk.text):
        return Dropped.TEMPLATE
    return None


class _Extractor:
    """Reads one passage."""

    def __init__(self, chunk: Chunk, title: str) -> None:
        self._chunk = chunk
        self._title = title
        self._note_day = as_day(chunk.said or chunk.date)
        self._is_diary = is_only_time(title, times_in(title, None))
        self._dropped: Counter[Dropped] = Counter()
        self._seen: Counter[str] = Counter()
        self._days = ParagraphDays()

    def extract(self) -> Extraction:
        claims: list[Claim] = []
        for piece in pieces_of(self._chunk, self._title):
            if len(piece.whole) > LONGEST:
                self._dropped[Dropped.TOO_LONG] += 1
                continue
            self._days.see(piece, self._day_above(piece) or self._in_year(piece))
            for part, how in parted(piece, self._chunk.text):
                if claim := self._claim(part, how):
                    claims.append(claim)
        return Extraction(tuple(claims), dict(self._dropped))

    def _claim(self, piece: Fragment, how: Held) -> Claim | None:
        today = self._today(piece)
        times = times_in(_without_links(piece, self._chunk.text), today)
        if reason := self._states_nothing(piece, times):
            self._dropped[reason] += 1
            return None
        said, is_chat = _without_speaker(piece, how), bool(self._chunk.speaker)
        subject = subject_of(said, self._title, times, is_diary=self._is_diary, is_chat=is_chat)
        if subject is None:
            self._dropped[Dropped.UNRESOLVED] += 1
            return None
        values = stated_values(piece, times, subject.text)
        attribute = _attribute(piece, subject, values, times)
        as_of = self._as_of(piece, times, today)
        if not values and not _says_enough(piece) and not _is_dated_act(piece, as_of):
            self._dropped[Dropped.TOO_SHORT] += 1
            return None
        return self._keyed(piece, how, subject, attribute, values, as_of)

    def _states_nothing(self, piece: Fragment, times: Sequence[NamedTime]) -> Dropped | None:
        if piece.context is ClaimContext.PROPERTY and fold(piece.key) in _OF_THE_NOTE:
            return Dropped.ABOUT_THE_NOTE
        if is_question(piece.words) or (piece.key.endswith("?") and (asks(piece.words) or piece.words[:1] == "(")):
            return Dropped.QUESTION
        if not piece.words.strip():
            return Dropped.STRUCK
        if not piece.key and not piece.when and is_only_time(piece.words, times):
            return Dropped.TOO_SHORT
        is_dated_number = bool(piece.when and (piece.headings or piece.lead) and re.search(r"\d", piece.words))
        says = bool(_LETTERS.search(piece.words)) or is_dated_number  # «31 (осень 2023)» under "Shoe size"
        if not piece.key and (not says or self._only_links(piece)):
            return Dropped.TOO_SHORT
        if len(words(piece.words)) > MOST_WORDS:
            return Dropped.TOO_LONG
        return None

    def _only_links(self, piece: Fragment) -> bool:
        source = self._chunk.text[piece.start : piece.end]
        return bool(piece.targets) and not piece.row and not _LETTERS.search(_LINK.sub("", source))

    def _as_of(self, piece: Fragment, times: Sequence[NamedTime], today: date | None) -> AsOf | None:
        dating = [cell for place, (name, cell) in enumerate(piece.row) if not place or fold(name) in _DATES_A_ROW]
        for text in (piece.when, *dating, "" if piece.row else piece.key):
            named = times_in(text, today)
            if named and (not piece.row or is_only_time(text, named)):
                return as_of_time(written_first(named)[0], AsOfSource.TEXT)
        is_value = bool(piece.key) and is_value_of_key(piece.words, times)
        for time in () if is_value else written_first(times):
            if time.is_deadline or is_aside(piece.words, time) or not self._is_of_statement(time, piece):
                continue
            if (as_of := as_of_time(time, AsOfSource.TEXT)) and not self._is_ahead(as_of, piece):
                return as_of
        if said := self._days.of(piece):
            return said
        return as_of_above((*piece.headings, "" if piece.row else piece.lead), today) or self._as_of_note()

    def _today(self, piece: Fragment) -> date | None:
        return self._day(piece) or self._in_year(piece)

    def _in_year(self, piece: Fragment) -> date | None:
        return day_of((self._title, *piece.headings))

    def _is_of_statement(self, time: NamedTime, piece: Fragment) -> bool:
        """Tell whether a time is one of the statement: words such as «вчера» need a day, and lie not behind it.

        "So that next year …" says what for, and no time.
        """
        if time.year_known or time.text.startswith("-"):
            return True
        day = self._day(piece)
        return day is not None and (not time.first or time.first <= day.isoformat())

    def _is_ahead(self, as_of: AsOf, piece: Fragment) -> bool:
        """Tell whether a time lies behind the day of a log's entry: «11 января. Пока снимаем, вернуться в 2027»."""
        opening = self._days.of(piece)
        return opening is not None and bool(as_of.last) and as_of.first > (opening.last or as_of.first)

    def _day(self, piece: Fragment) -> date | None:
        """Return the very day that a piece was written on, as far as that is known."""
        opening = self._days.of(piece)
        if opening and opening.first == opening.last:
            return as_day(opening.first)
        return self._day_above(piece)

    def _day_above(self, piece: Fragment) -> date | None:
        return day_written((self._title, *piece.headings)) or self._note_day

    def _as_of_note(self) -> AsOf | None:
        if self._note_day is None:
            return as_of_above((self._title,), None)
        return AsOf(self._note_day.isoformat(), self._note_day.isoformat(), AsOfSource.NOTE)

    def _keyed(
        self,
        piece: Fragment,
        how: Held,
        subject: Subject,
        attribute: str,
        values: tuple[StatedValue, ...],
        as_of: AsOf | None,
    ) -> Claim:
        chunk = self._chunk
        quote = chunk.text[piece.start : piece.end]
        holder, speaker = self._holder(piece, how)
        key = _digest(
            self._title,
            *piece.headings,
            piece.lead,
            quote,
            piece.key,
            piece.words,
            subject.text,
            holder,
            speaker,
            how.stance,
            str(as_of),
        )
        self._seen[key] += 1
        return Claim(
            key=key if self._seen[key] == 1 else _digest(key, str(self._seen[key])),
            chunk_id=chunk.id,
            path=chunk.path,
            title=self._title,
            heading_path=piece.headings,
            lead=piece.lead,
            span=locate(chunk, piece.start, piece.end),
            quote=quote,
            statement=_statement(piece, subject, self._title, is_diary=self._is_diary, is_chat=bool(chunk.speaker)),
            subject=subject.text,
            attribute=attribute,
            values=values,
            holder=holder,
            speaker=speaker,
            stance=how.stance,
            as_of=as_of,
            language=language_of(piece.whole) or chunk.language,
            context=piece.context,
            subject_from=subject.source,
            targets=tuple(sorted(piece.targets)),
        )

    def _holder(self, piece: Fragment, how: Held) -> tuple[Holder, str]:
        if self._chunk.speaker == "assistant":
            return Holder.ASSISTANT, self._chunk.model
        if how.speaker:
            return Holder.QUOTED, how.speaker
        if (piece.is_quoted and not self._chunk.speaker) or self._chunk.path.lower().endswith(".pdf"):
            return Holder.QUOTED, ""
        return Holder.USER, ""


def _without_speaker(piece: Fragment, how: Held) -> Fragment:
    """Return what is passed on, its place kept: «Мама говорит, дед служил на Балтике» speaks of him, not of her."""
    opening = _OPENING_CLAUSE.match(piece.words) if how.speaker else None
    if opening is None or how.speaker not in opening.group():
        return piece
    return replace(piece, words=masked(piece.words, [opening.span()]))


def _says_enough(piece: Fragment) -> bool:
    """Tell whether a piece without a value states something: by a verb, by its key, or by its length."""
    count = len(_content(piece.whole))
    if count < LEAST_WORDS or piece.key or count >= LEAST_UNSAID:
        return count >= LEAST_WORDS
    return has_verb(piece.words)


def _is_dated_act(piece: Fragment, as_of: AsOf | None) -> bool:
    """Tell whether a single word says what was decided or done on a day of its own: «2024-04-18. Отменяем.»"""
    is_own = as_of is not None and as_of.source is not AsOfSource.NOTE
    return is_own and any(one.is_finite for word in words(piece.words) for one in grammar_of(word.text)[:1])


def _without_links(piece: Fragment, source: str) -> str:
    """Return a piece's words with the names of other notes blank: what they are called dates nothing."""
    text = piece.words
    for link in _LINK.findall(source[piece.start : piece.end]):
        name = plain_line(link)
        at = text.find(name)
        if at >= 0 and not is_only_time(name, times_in(name, None)):
            text = masked(text, [(at, at + len(name))])
    return text


def _attribute(piece: Fragment, subject: Subject, values: tuple[StatedValue, ...], times: Sequence[NamedTime]) -> str:
    if piece.row:
        return piece.key
    if piece.key and not is_only_time(piece.key, times_in(piece.key, None)):
        return without_times(piece.key).rstrip("?") if fold(piece.key) != fold(subject.text) else ""
    if piece.key or (len(values) == 1 and not _content(_beside(piece.words, values, times))):
        above = (piece.lead, *reversed(piece.headings))
        return next((name for name in above if name and fold(name) != fold(subject.text)), "")
    said = words_of_value(values) | frozenset(stems(subject.text))
    kept = [
        word.text
        for word in words(_beside(piece.words, values, times))
        if not is_function_word(word.text) and word.stem not in said
    ]
    return " ".join([word for word in kept if _LETTERS.search(word)][:MOST_ATTRIBUTE_WORDS])


def _beside(text: str, values: tuple[StatedValue, ...], times: Sequence[NamedTime]) -> str:
    for time in reversed(times):
        text = text[: time.start] + " " * (time.end - time.start) + text[time.end :]
    for value in values:
        if value.kind is not StatedKind.POLARITY:
            text = text.replace(value.words, " ", 1)
    return text


def _statement(piece: Fragment, subject: Subject, title: str, *, is_diary: bool, is_chat: bool) -> str:
    """Return the piece so that it can be read alone: with its subject in the place of a pronoun, under its names."""
    said = piece.words
    if subject.source is SubjectSource.EARLIER or (subject.end and subject.source is SubjectSource.TITLE):
        said = f"{subject.text}{said[subject.end :]}"
    if piece.key:
        said = f"{piece.key}: {said}"
    if piece.when:
        said = f"{said} ({piece.when})"
    if piece.row:
        first = piece.row[0][1]
        dated = first if is_only_time(first, times_in(first, None)) else ""
        said = ", ".join(filter(None, (subject.text, dated, said)))
    names = [] if is_diary or (is_chat and piece.headings) or len(title) > LONGEST_TITLE else [title]
    names += [
        name.removeprefix("Title: ") for name in piece.headings[-1:] if not is_only_time(name, times_in(name, None))
    ]
    names += [piece.lead] if piece.lead and not piece.row and len(piece.lead) <= 80 else []
    held = frozenset(stems(said))
    missing = [name for name in dict.fromkeys(names) if not frozenset(stems(name)) <= held]
    return f"{' › '.join(missing)}: {said}"[:LONGEST_STATEMENT] if missing else said[:LONGEST_STATEMENT]


def _content(text: str) -> list[str]:
    return [word.stem for word in words(text) if not is_function_word(word.text) and _LETTERS.search(word.text)]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
