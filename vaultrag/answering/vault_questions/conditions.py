"""The filters that the vault's own words and the times of a question come to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from vaultrag.answering.vault_questions import words as said
from vaultrag.answering.vault_questions.terms import TermKind, VaultTerm, question_words
from vaultrag.domain import Filter, FilterKind
from vaultrag.retrieval.written import written_days
from vaultrag.store.notes.vocabulary import PropertyUse, VaultVocabulary
from vaultrag.text.morphology import term_of
from vaultrag.text.times.periods import Period

YEAR_BEGINS = "-01-01"
FEWEST_TITLES = 2  # that say a kind's word, for titles to tell the kind


def either(alternatives: Iterable[Filter]) -> list[Filter]:
    """Return the condition that one of these is met, in a list; none where there are none."""
    held = tuple(dict.fromkeys(alternatives))
    return [Filter(FilterKind.ANY, any_of=held)] if len(held) > 1 else list(held)


def topics(term: VaultTerm, *, of_tasks: bool) -> list[Filter]:
    """Return what makes a note one of a name's: its tag, its folder, its property; of a note, what names it."""
    match term.kind:
        case TermKind.TAG:
            return [Filter(FilterKind.TAG, term.name)]
        case TermKind.FOLDER:
            return [Filter(FilterKind.PATH, f"/{term.name}/")]
        case TermKind.VALUE:
            return [Filter(FilterKind.PROPERTY, term.name, name=term.key)]
        case _ if of_tasks:
            return [Filter(FilterKind.PATH, f"/{term.key}"), Filter(FilterKind.SAYS, term.name)]
        case _:
            return [linking(term), Filter(FilterKind.SAYS, term.name)]


def titled(kinds: Collection[str], vocabulary: VaultVocabulary) -> list[Filter]:
    """Return the filters for notes whose titles say a kind of thing, where enough of them do."""
    saying = [
        [word.text for word in question_words(name) if not word.keys.isdisjoint(kinds)] for name, _ in vocabulary.names
    ]
    forms = {term_of(form)[0]: form for words in saying for form in words}
    is_usual = sum(map(bool, saying)) >= FEWEST_TITLES
    return [Filter(FilterKind.TITLE, form) for form in forms.values()] if is_usual else []


def linking(term: VaultTerm) -> Filter:
    """Return the filter for what links to a note."""
    return Filter(FilterKind.LINK, term.key.removesuffix(".md"))


def days(kind: FilterKind, period: Period, name: str = "") -> Filter:
    return Filter(kind, name=name, first_day=period.first_day, end_day=period.end_day)


def property_days(name: str, first_day: str, end_day: str) -> Filter:
    """Return the filter for a property whose days lie in a period."""
    if not end_day:
        return Filter(FilterKind.PROPERTY, first_day.removesuffix(YEAR_BEGINS), name=name, compare=">=")
    if not first_day:
        return Filter(FilterKind.PROPERTY, end_day.removesuffix(YEAR_BEGINS), name=name, compare="<")
    stretch = written_days(first_day, end_day)
    return Filter(FilterKind.PROPERTY, stretch, name=name, compare=".." if ".." in stretch else "")


def day_properties(action: str, vocabulary: VaultVocabulary) -> list[PropertyUse]:
    """Return the properties that say on which day something was done, in whatever language."""
    says = re.compile(said.ACTIONS[action][1])
    return [
        use
        for use in vocabulary.properties.values()
        if use.has_days and any(says.fullmatch(word.text) for word in question_words(use.name))
    ]


def done_values(action: str, vocabulary: VaultVocabulary) -> list[Filter]:
    """Return the filters for values such as `status: read` and ticks such as `read: true`, that say it was done."""
    says = re.compile(said.ACTIONS[action][1])
    return [
        Filter(FilterKind.PROPERTY, value, name=use.name)
        for use in vocabulary.properties.values()
        for name, value in (*((value, value) for value in use.values), *[(use.name, "true")] * use.has_truths)
        if len(words := question_words(name)) == 1 and says.fullmatch(words[0].text)
    ]


def without_implied(filters: Iterable[Filter]) -> list[Filter]:
    """Leave out a tag above another one that is asked for as well, and what is said twice."""
    held = list(dict.fromkeys(filters))
    tags = [one.value or "" for one in held if one.kind is FilterKind.TAG and not one.excluded]
    return [
        one for one in held if not (one.kind is FilterKind.TAG and any(tag.startswith(f"{one.value}/") for tag in tags))
    ]
