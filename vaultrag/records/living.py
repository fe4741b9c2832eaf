"""Kept answers held against the notes as they are now, without a model: what still holds, changed, or is gone.

A citation whose words stand somewhere holds. Where they do not, what the edit did to the line decides, and of an answer
in a model's words whether all that its sentence took from the line is still there. What is left must be understood.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from vaultrag.answering.attribution import Bag, bag_of, bag_with_forms
from vaultrag.answering.citing.changed_words import Edit, LineEdit, LineWords, edit_of, is_set_aside
from vaultrag.answering.citing.same_subject import Wording, differ_in_negation, differ_in_unit
from vaultrag.domain import (
    Answer,
    AnswerStyle,
    Citation,
    Fate,
    LivingAnswer,
    LivingSource,
    QuoteState,
    SavedAnswer,
    SentenceState,
    SourceState,
)
from vaultrag.store.night.living import FateRow

DIGEST = 32  # hexadecimal digits
_CLAUSE = re.compile(r"[,;:.!?()](?!\d)|\s[–—-]\s|\n")
LEAST_WORDS = 5  # of a line that is looked for in other notes: a shorter one may stand there by chance

Looks: TypeAlias = Callable[[Sequence[Citation]], Sequence[SourceState]]
"""How citations stand in the notes now."""

Elsewhere: TypeAlias = Callable[[Citation], tuple[str, SourceState] | None]
"""The other note in which the words of a citation stand now, and how; None where none has them."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A citation beside what became of its line."""

    citation: Citation
    state: SourceState
    path: str
    edit: LineEdit

    @property
    def stands(self) -> bool:
        return self.edit.kind in (Edit.NOTHING, Edit.LONGER)

    @property
    def reads(self) -> str:
        """What the line says now; empty where it is gone."""
        return self.citation.quote if self.stands else self.state.now


_STANDING = (QuoteState.STANDS, QuoteState.MOVED)


def look_at(saved: SavedAnswer, looks: Looks, elsewhere: Elsewhere) -> LivingAnswer:
    """Return a kept answer with the fate of each of its citations."""
    answer = saved.answer
    held = [
        _held(citation, state, elsewhere)
        for citation, state in zip(answer.citations, looks(answer.citations), strict=True)
    ]
    stated = _stated(answer)
    sources = tuple(_fate(one, stated, {each.citation.number: each for each in held}) for one in held)
    return LivingAnswer(saved.id, answer.question, saved.saved_at, sources)


def _held(citation: Citation, state: SourceState, elsewhere: Elsewhere) -> _Held:
    if state.state in _STANDING:
        return _standing(citation, state, citation.path)
    if not state.now and state.state is not QuoteState.UNREADABLE and (moved := elsewhere(citation)) is not None:
        return _standing(citation, moved[1], moved[0])
    edit = edit_of(citation.quote, state.now) if state.now else LineEdit(Edit.OTHER, LineWords(citation.quote).words)
    return _Held(citation, state, citation.path, edit)


def _standing(citation: Citation, state: SourceState, path: str) -> _Held:
    """Take words that stand somewhere; what was written round them may turn them: "it is not true that …".

    So may the heading that they were moved under.
    """
    if is_set_aside(state.under) and not is_set_aside(" ".join(citation.heading_path)):
        now = f"{state.under}: {citation.quote}"
        return _Held(citation, replace(state, now=now), path, LineEdit(Edit.OTHER))
    edit = edit_of(citation.quote, state.within) if state.within else LineEdit(Edit.NOTHING)
    if edit.removed or edit.kind in (Edit.NOTHING, Edit.LONGER):
        return _Held(citation, state, path, LineEdit(Edit.NOTHING))
    return _Held(citation, replace(state, now=state.within), path, edit)


def _stated(answer: Answer) -> Mapping[int, list[tuple[str, Sequence[int]]]]:
    """Return for each citation the sentences in a model's words that stand on it, and what else they cite."""
    found: dict[int, list[tuple[str, Sequence[int]]]] = {}
    if answer.style is AnswerStyle.PROSE:
        for sentence in answer.sentences:
            for number in sentence.citations if sentence.state is SentenceState.CITED else ():
                found.setdefault(number, []).append((sentence.text, sentence.citations))
    return found


def _fate(one: _Held, stated: Mapping[int, list[tuple[str, Sequence[int]]]], held: Mapping[int, _Held]) -> LivingSource:
    citation, state = one.citation, one.state
    source = LivingSource(citation.number, one.path, Fate.HOLDS, citation.quote, state.now, state.lines)
    if one.stands:
        return source
    if state.state is QuoteState.UNREADABLE:
        return replace(source, fate=Fate.NOT_JUDGED)
    lost = Fate.CHANGED if state.now else Fate.GONE
    sentences = stated.get(citation.number)
    if not sentences:
        if one.edit.kind is Edit.OTHER:
            return replace(source, fate=lost)
        return replace(source, fate=Fate.NOT_JUDGED, doubtful=(citation.quote,))
    fates = [(text, _of_sentence(text, one, [held[n] for n in cited if n in held])) for text, cited in sentences]
    if any(fate is Fate.CHANGED for _, fate in fates):
        return replace(source, fate=lost)
    doubtful = tuple(text for text, fate in fates if fate is Fate.NOT_JUDGED)
    if doubtful and not state.now:
        return replace(source, fate=Fate.GONE)
    return replace(source, fate=Fate.NOT_JUDGED if doubtful else Fate.HOLDS, doubtful=doubtful)


def _of_sentence(text: str, one: _Held, cited: Sequence[_Held]) -> Fate:
    """Say whether a sentence still stands, whose line was edited and which may have other lines."""
    bag = bag_with_forms(text)
    if _turns_all(one.edit) or _is_denied_now(text, one, bag):
        return Fate.CHANGED
    before = bag.read(_words_of(each.citation.quote for each in cited)) & bag.distinct
    lost = before - bag.read(_words_of(each.reads for each in cited))
    still = {word.key for each in cited for word in LineWords(each.reads).words}
    taken = {word.key: word for word in one.edit.removed if word.key not in still}
    shared = [taken[own.key] for own in LineWords(text).words if own.key in taken]
    if lost & bag.exact or any(word.tells for word in shared):
        return Fate.CHANGED
    if lost or shared:
        return Fate.NOT_JUDGED
    is_carried = bool(before) and bag.distinct - before <= _words_of(_around(each.citation) for each in cited)
    return Fate.HOLDS if is_carried or _is_aside(bag, one) else Fate.NOT_JUDGED


def _is_denied_now(text: str, one: _Held, bag: Bag) -> bool:
    """Tell whether the line denies what the sentence states, or gives its number another unit, and did not before."""
    told, before, now = Wording(text), Wording(one.citation.quote), Wording(one.reads)
    if differ_in_negation(told, now, bag.read) and not differ_in_negation(told, before, bag.read):
        return True
    return differ_in_unit(told, now) and not differ_in_unit(told, before)


def _is_aside(bag: Bag, one: _Held) -> bool:
    """Tell whether only clauses were edited in which the sentence has no word, and the others stand whole."""
    now = [LineWords(clause).words for clause in _CLAUSE.split(one.reads)]
    whole = {tuple(word.key for word in words) for words in now}
    its_own = other = False
    for clause in _CLAUSE.split(one.citation.quote):
        keys = tuple(word.key for word in LineWords(clause).words)
        if bag.read(bag_of(clause).distinct) & bag.distinct:
            if keys not in whole:
                return False
            its_own = True
        else:
            other = other or keys not in whole
    return its_own and other


def _turns_all(edit: LineEdit) -> bool:
    """Tell whether an edit turns all that a line says: struck out, asked, in another tense or with names exchanged."""
    return edit.kind is Edit.OTHER and not edit.removed and all(word.text == "?" for word in edit.added)


def _words_of(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(stem for text in texts for stem in bag_of(text).distinct)


def _around(citation: Citation) -> str:
    """Return what names the subject of a cited line beside its own words: headings, and the note's name."""
    return " ".join((citation.path.removesuffix(".md").replace("/", " "), *citation.heading_path))


def line_digest(line: str) -> str:
    """Return what tells a line from others in a row that may hold no word of it; empty for none."""
    return hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST] if line else ""


def as_judged(looked: LivingAnswer, fates: Mapping[int, FateRow]) -> LivingAnswer:
    """Return an answer with what a night judged of its doubtful citations, where their lines are still the same."""

    def judged(source: LivingSource) -> LivingSource:
        row = fates.get(source.number)
        is_known = source.doubtful and row is not None and row.line == line_digest(source.now)
        return replace(source, fate=row.fate) if is_known and row else source

    return replace(looked, sources=tuple(map(judged, looked.sources)))
