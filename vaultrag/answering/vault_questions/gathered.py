"""What a question has asked for so far: the conditions that its words came to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.answering.vault_questions.conditions import either, topics
from vaultrag.answering.vault_questions.cursor import Cursor
from vaultrag.answering.vault_questions.phrases import FoundPhrase, Phrase
from vaultrag.answering.vault_questions.terms import Match, TermKind
from vaultrag.domain import Filter, FilterKind
from vaultrag.store.notes.vocabulary import VaultVocabulary

MOST_SAID = 3  # words after "about" that no name of the vault accounts for


@dataclass(slots=True)
class Gathered:
    """What a question has said so far: which `kinds` of things it asks for, whose `names`, what `action` was done.

    `is_structural` when something was asked that only a vault has: a tag, a folder, a link, a property's value.
    """

    cursor: Cursor
    vocabulary: VaultVocabulary
    opening: FoundPhrase | None
    filters: list[Filter] = field(default_factory=list)
    kinds: int = 0
    names: int = 0
    action: str = ""
    is_negated: bool = False
    by: str = ""
    dated_by: str = ""
    is_sum: bool = False
    is_structural: bool = False
    unsure: bool = False
    used: list[FoundPhrase] = field(default_factory=list)

    def has(self, *phrases: Phrase) -> bool:
        return any(one.phrase in phrases for one in self.cursor.phrases)

    def asks_for(self, *phrases: Phrase) -> bool:
        """Tell whether the question said one of these as what it wants, and not as a part of something else."""
        return any(one.phrase in phrases for one in self.used)

    @property
    def is_of_tasks(self) -> bool:
        return self.has(Phrase.TASKS, Phrase.WHAT_TASKS) or (self.has(Phrase.OVERDUE) and not self.has(Phrase.GENERIC))

    @property
    def has_subject(self) -> bool:
        return bool(self.kinds) or self.has(Phrase.GENERIC) or self.is_of_tasks

    def exactly(self, found: tuple[Filter, int] | None, *, excluded: bool = False) -> int:
        """Add a condition that only a vault can meet; return the word behind what said so."""
        if found is None:
            return 0
        self.is_structural = True
        self.filters.append(replace(found[0], excluded=excluded))
        return found[1]

    def named_behind(self, found: Sequence[Match], at: int) -> int:
        """Take the property's name behind its value, too: "Japanese cuisine"."""
        keys = {match.term.key for match in found}
        named = [match for match in self.cursor.matches(at, TermKind.PROPERTY) if match.term.name in keys]
        self.is_structural |= bool(named)
        return named[0].after if named else 0

    def topics(self, found: Iterable[Match]) -> list[Filter]:
        return [one for match in found for one in topics(match.term, of_tasks=self.is_of_tasks)]

    def topics_said(self, found: Sequence[Match]) -> list[Filter]:
        """Return what makes a task one of a name's: its place, or that it says the name."""
        held = self.topics(found)
        if self.is_of_tasks and not any(one.kind is FilterKind.SAYS for one in held):
            held.append(Filter(FilterKind.SAYS, self.cursor.written(found[0].first, found[0].after)))
        return held

    def meet(self, found: Sequence[Match]) -> int:
        after = self.add(self.topics(found), found)
        return self.named_behind(found, after) or after

    def add(self, alternatives: Iterable[Filter], found: Sequence[Match]) -> int:
        """Add the condition that one of these is met; return the word behind what said so."""
        self.filters += either(alternatives)
        return found[0].after if found else 0

    def say(self, at: int) -> int:
        """Take the words that follow, as far as nothing else accounts for them, as words that are said."""
        if quoted := self.cursor.quoted(at):
            self.filters.append(Filter(FilterKind.SAYS, quoted[0]))
            return quoted[1]
        after = at
        while after < min(at + MOST_SAID, len(self.cursor.words)) and self.cursor.is_free_word(after):
            after += 1
        if after == at:
            return 0
        self.filters.append(Filter(FilterKind.SAYS, self.cursor.written(at, after)))
        return after
