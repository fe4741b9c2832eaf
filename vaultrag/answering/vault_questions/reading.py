"""A question read word after word: what each of them asks of the notes; what is left over is not about the vault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.answering.vault_questions import values
from vaultrag.answering.vault_questions import words as said
from vaultrag.answering.vault_questions.conditions import either, linking, titled, topics
from vaultrag.answering.vault_questions.cursor import Cursor
from vaultrag.answering.vault_questions.kinds import CHAT
from vaultrag.answering.vault_questions.phrases import FoundPhrase, Phrase
from vaultrag.answering.vault_questions.terms import Match, TermKind, VaultTerm
from vaultrag.domain import Filter, FilterKind
from vaultrag.store.notes.vocabulary import VaultVocabulary
from vaultrag.text.language import is_function_word

MOST_SAID = 3  # words after "about" that no name of the vault accounts for
_UNNAMED = VaultTerm(TermKind.NOTE, "")
_UNASKED_NAMES = (Phrase.GENERIC, Phrase.WRITING, Phrase.ALL, Phrase.TASKS)
_ONLY_OF_TASKS = (Phrase.OVERDUE, Phrase.CANCELLED, Phrase.DUE)


@dataclass(slots=True)
class QuestionReading:
    """What a question has said so far. `kinds` are the things that it asks for, `action` what was done to them.

    `is_structural` when something was asked that only a vault has: a tag, a folder, a link, a property's value.
    """

    cursor: Cursor
    vocabulary: VaultVocabulary
    opening: FoundPhrase | None
    filters: list[Filter] = field(default_factory=list)
    kinds: int = 0
    action: str = ""
    is_negated: bool = False
    by: str = ""
    dated_by: str = ""
    is_sum: bool = False
    is_structural: bool = False
    unsure: bool = False
    used: list[FoundPhrase] = field(default_factory=list)

    def read(self) -> bool:
        """Account for every word; tell whether that was possible."""
        at = 0
        while at < len(self.cursor.words):
            after = at + 1 if self.cursor.taken[at] else self._step(at)
            if after <= at:
                return False
            at = after
        return True

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

    def _step(self, at: int) -> int:
        """Account for what begins at a word; return the word behind it, or 0 where nothing accounts for it."""
        return (
            self._asked(at)
            or self._negated(at)
            or self._related(at)
            or self._measured(at)
            or self._file(at)
            or self._compared(at, needs_value=True)
            or self._done_to_it(at)
            or self._bare(at)
            or self._phrase(at)
            or self._filler(at)
        )

    # Fixed phrases

    def _asked(self, at: int) -> int:
        """The phrase that a question begins with is one, whatever the vault's names are."""
        phrase = self.cursor.at_word.get(at)
        is_fixed = phrase is not None and (
            (phrase is self.opening and phrase.phrase not in (Phrase.OPEN, Phrase.DONE))
            or phrase.phrase in _UNASKED_NAMES
            or self.is_of_tasks
        )
        return self._phrase(at) if is_fixed else 0

    def _phrase(self, at: int) -> int:
        phrase = self.cursor.at_word.get(at)
        if phrase is None:
            return 0
        if phrase.phrase in (Phrase.DONE, Phrase.OPEN) and not self.is_of_tasks:
            wrote = self.cursor.says(said.WRITING, at)
            return self._undone(at) or (self.cursor.after(wrote.end()) if wrote else 0)
        if phrase.phrase in _ONLY_OF_TASKS and not self.is_of_tasks:
            return 0
        after = self.cursor.after(phrase.end)
        self.used.append(phrase)
        if phrase.phrase in (Phrase.HIGHEST, Phrase.LOWEST):
            return self._superlative(phrase.text, after)
        if phrase.phrase in (Phrase.LATEST, Phrase.EARLIEST) and after < len(self.cursor.words):
            word = self.cursor.words[after].text
            self.cursor.taken[after] |= word.isdigit() or word in said.NUMBERS
        return after

    def _done_to_it(self, at: int) -> int:
        """A verb: «прочитал», "watched"."""
        for action, (verbs, _) in said.ACTIONS.items():
            if match := self.cursor.says(verbs, at):
                self.action = action
                return self.cursor.after(match.end())
        return 0

    def _undone(self, at: int) -> int:
        """«Непрочитанные», "unfinished"."""
        for action, words in said.UNDONE.items():
            if match := self.cursor.says(words, at):
                self.action, self.is_negated = action, True
                return self.cursor.after(match.end())
        return 0

    def _negated(self, at: int) -> int:
        """ "Haven't read", «не прочитал»."""
        match = re.compile(said.NEGATED).match(self.cursor.text, self.cursor.words[at].start)
        if match is None:
            return self._undone(at)
        follows = self.cursor.after(match.end())
        if untrue := self._exactly(values.true_of(self.cursor, self.vocabulary, follows, said_not=match.group())):
            return untrue
        after = self._done_to_it(follows) if follows < len(self.cursor.words) else 0
        self.is_negated |= bool(after)
        return after

    def _superlative(self, phrase: str, at: int) -> int:
        """«С самой высокой оценкой», "the highest rated": what is compared follows, or is meant, «самая дорогая»."""
        for use, after in values.properties(self.cursor, self.vocabulary, at):
            if use.has_numbers or use.has_days:
                self.by = use.name
                return after
        self.by = values.implied(phrase, self.vocabulary)
        return at if self.by else 0

    def _filler(self, at: int) -> int:
        word = self.cursor.words[at].text
        is_skipped = word in said.SKIPPED or (is_function_word(word) and word not in said.NEVER_SKIPPED)
        return at + 1 if is_skipped else 0

    # Relations

    def _related(self, at: int) -> int:
        """Read a word such as "with", "tagged", «про», and what it relates to."""
        start = self.cursor.words[at].start
        for relation, expression in said.RELATIONS:
            if match := re.compile(rf"(?:{expression})").match(self.cursor.text, start):
                after = self._object(relation, self.cursor.behind_small(self.cursor.after(match.end())))
                if after:
                    return after
        return self._tagged(at) if self.cursor.question[start - 1 : start] == "#" else 0

    def _object(self, relation: str, at: int) -> int:
        if relation != said.IN and self.cursor.is_generic(at):  # "to the note X"
            at = self.cursor.after(self.cursor.at_word[at].end)
        if at >= len(self.cursor.words) or self.cursor.taken[at]:
            return 0
        if relation in (said.WITH, said.WITHOUT):
            excluded = relation == said.WITHOUT
            phrase = self.cursor.at_word.get(at)
            if phrase and phrase.phrase in (Phrase.HIGHEST, Phrase.LOWEST):
                return self._phrase(at)
            after = self._compared(at, needs_value=True, excluded=excluded)
            if after or (after := self._compared(at, needs_value=False, excluded=excluded)):
                return after
        return self._readers()[relation](at)

    def _readers(self) -> dict[str, Callable[[int], int]]:
        return {
            said.TAGGED: self._tagged,
            said.FOLDER: self._foldered,
            said.LINKED: self._linked,
            said.SAYING: self._saying,
            said.ABOUT: self._about,
            said.WITH: self._with,
            said.BY: self._by,
            said.IN: self._in,
            said.WITHOUT: self._without,
        }

    def _tagged(self, at: int) -> int:
        self.is_structural = True
        if quoted := self.cursor.quoted(at):
            self.filters.append(Filter(FilterKind.TAG, quoted[0].lstrip("#")))
            return quoted[1]
        return self._meet(self.cursor.matches(at, TermKind.TAG))

    def _foldered(self, at: int) -> int:
        self.is_structural = True
        if quoted := self.cursor.quoted(at):
            self.filters.append(Filter(FilterKind.PATH, f"{quoted[0].strip('/')}/"))
            return quoted[1]
        return self._meet(self.cursor.matches(at, TermKind.FOLDER))

    def _linked(self, at: int) -> int:
        """A link leads from a note; a task that has one says the name."""
        self.is_structural = True
        found = self.cursor.matches(at, TermKind.NOTE, parts=True)
        if self.is_of_tasks:
            return self._add((Filter(FilterKind.SAYS, match.term.name) for match in found), found) or self._say(at)
        if found:
            return self._add((linking(match.term) for match in found), found)
        if quoted := self.cursor.quoted(at):
            self.filters.append(Filter(FilterKind.LINK, quoted[0]))
            return quoted[1]
        return 0

    def _saying(self, at: int) -> int:
        self.is_structural = True
        return self._meet(self.cursor.matches(at, TermKind.NOTE)) or self._say(at)

    def _about(self, at: int) -> int:
        """A topic: a tag, a folder, a value, a note that is named; else words, which is a guess."""
        found = self.cursor.matches(at, TermKind.TAG, TermKind.FOLDER, TermKind.VALUE, TermKind.NOTE)
        if not found:
            self.unsure |= not self.is_of_tasks
            return self._say(at)
        held = self._topics(found)
        if self.is_of_tasks and not any(one.kind is FilterKind.SAYS for one in held):
            held.append(Filter(FilterKind.SAYS, self.cursor.written(found[0].first, found[0].after)))
        return self._add(held, found)

    def _with(self, at: int) -> int:
        """People, mostly: a value of some property, a note of theirs, or a name that is only said."""
        stated = self.cursor.matches(at, TermKind.VALUE)
        if stated and self._named_behind(stated, stated[0].after):  # "with low priority"
            return self._meet(stated)
        found = self.cursor.matches(at, TermKind.VALUE, TermKind.NOTE, TermKind.TAG, parts=True)
        if found:
            self.is_structural |= (
                self.kinds > 0 and found[0].whole and any(m.term.kind is TermKind.VALUE for m in found)
            )
            held = self._topics(found)
            if not any(one.kind is FilterKind.SAYS for one in held):
                held.append(Filter(FilterKind.SAYS, found[0].term.name))
            return self._add(held, found)
        if not self.cursor.is_name(at):
            return 0
        self.unsure = True
        return self._say(at)

    def _by(self, at: int) -> int:
        found = self.cursor.matches(at, TermKind.VALUE, parts=True)
        self.is_structural |= bool(found)
        return self._meet(found or self.cursor.matches(at, TermKind.NOTE, parts=True))

    def _in(self, at: int) -> int:
        if self.cursor.is_generic(at):
            return self.cursor.after(self.cursor.at_word[at].end)
        folders = self.cursor.matches(at, TermKind.FOLDER)
        after = folders[0].after if folders else len(self.cursor.words)
        if after < len(self.cursor.words) and self.cursor.words[after].text in said.FOLDER_BEHIND:
            self.is_structural = True
            return self._meet(folders) + 1
        if own := [match for match in folders if self.cursor.says_itself(match)]:
            self.is_structural |= "/" in self.cursor.written(own[0].first, own[0].after)
            return self._meet(own)
        found = self.cursor.matches(at, TermKind.FOLDER, TermKind.TAG, TermKind.VALUE)
        if found or not self.is_of_tasks:
            is_exact = any(match.term.kind is not TermKind.FOLDER for match in found)
            self.is_structural |= is_exact and (self.kinds > 0 or self.has(Phrase.WHO))
            return self._meet(found)
        notes = self.cursor.matches(at, TermKind.NOTE)
        return self._add((Filter(FilterKind.PATH, f"/{match.term.key}") for match in notes), notes)

    def _without(self, at: int) -> int:
        found = self.cursor.matches(at, TermKind.TAG)
        self.filters += [Filter(FilterKind.TAG, match.term.name, excluded=True) for match in found]
        return found[0].after if found else 0

    def _exactly(self, found: tuple[Filter, int] | None, *, excluded: bool = False) -> int:
        """Add a condition that only a vault can meet; return the word behind what said so."""
        if found is None:
            return 0
        self.is_structural = True
        self.filters.append(replace(found[0], excluded=excluded))
        return found[1]

    def _measured(self, at: int) -> int:
        return self._exactly(
            values.measured(self.cursor, self.vocabulary, at) or values.starred(self.cursor, self.vocabulary, at)
        )

    def _compared(self, at: int, *, needs_value: bool, excluded: bool = False) -> int:
        compared = values.compared(self.cursor, self.vocabulary, at, needs_value=needs_value)
        return self._exactly(compared, excluded=excluded)

    def _file(self, at: int) -> int:
        """Canvases, bases, PDFs: by the ends of their names."""
        if match := (self.cursor.says(said.OF_AI, at) or self.cursor.says(said.NESTED, at)):
            return self.cursor.after(match.end())
        self.kinds += bool(after := self._exactly(values.of_files(self.cursor, at)))
        return after

    # Names with nothing before them

    def _bare(self, at: int) -> int:
        """The kind of thing that is asked for, or what such things are."""
        found = self.cursor.matches(at, TermKind.TAG, TermKind.FOLDER, TermKind.VALUE)
        if CHAT in self.cursor.words[at].keys and not self.cursor.taken[at]:
            self.kinds += 1
            return self._add([Filter(FilterKind.SPEAKER, "assistant")], found or [Match(at, at + 1, _UNNAMED)])
        if not found and self.kinds and self.cursor.is_name(at):  # «книги Лема»
            found = self.cursor.matches(at, TermKind.VALUE, parts=True)
        if found:
            self._judge_kind(found)
            return self._meet(found)
        if after := self._exactly(values.true_of(self.cursor, self.vocabulary, at)) or self._dated(at):
            return after
        if after := self._titled(at) or self._summed(at):
            return after
        notes = self.cursor.matches(at, TermKind.NOTE)
        self.unsure |= bool(notes)
        return self._meet(notes) if self.has_subject else 0

    def _named_behind(self, found: Sequence[Match], at: int) -> int:
        """Take the property's name behind its value, too: "Japanese cuisine"."""
        keys = {match.term.key for match in found}
        named = [match for match in self.cursor.matches(at, TermKind.PROPERTY) if match.term.name in keys]
        self.is_structural |= bool(named)
        return named[0].after if named else 0

    def _judge_kind(self, found: Sequence[Match]) -> None:
        """A folder's name alone may be a word of the question that means something else."""
        self.kinds += 1
        self.is_structural |= self.kinds > 1
        is_kind = any(key.startswith("@") for key in self.cursor.words[found[0].first].keys)
        is_folder = all(match.term.kind is TermKind.FOLDER for match in found)
        if is_folder and not is_kind and not self.has(Phrase.IMPERATIVE):
            self.unsure = True

    def _titled(self, at: int) -> int:
        """A kind of thing that only the titles of notes say: `Meeting 2024-05-01 Steph`."""
        keys = {key for key in self.cursor.words[at].keys if key.startswith("@")}
        titles = [] if self.kinds or self.cursor.taken[at] else titled(keys, self.vocabulary)
        if not titles:
            return 0
        self.kinds += 1
        self.unsure = True
        return self._add(titles, [Match(at, at + 1, _UNNAMED)])

    def _dated(self, at: int) -> int:
        """A property of days, where the question names a time: "contracts that expire this year", «сданные в мае»."""
        if not self.cursor.has_times or self.is_of_tasks:
            return 0
        name, after = values.dated(self.cursor, self.vocabulary, at)
        self.dated_by, self.is_structural = name or self.dated_by, self.is_structural or after > 0
        return after

    def _summed(self, at: int) -> int:
        """«Сколько страниц я прочитал»: a property of numbers, to be summed."""
        if not self.has(Phrase.COUNT) or self.by or self.kinds:
            return 0
        for use, after in values.properties(self.cursor, self.vocabulary, at):
            if use.has_numbers:
                self.by, self.is_sum = use.name, True
                self.filters.append(Filter(FilterKind.PROPERTY, None, name=use.name))
                return after
        return 0

    # Conditions

    def _topics(self, found: Iterable[Match]) -> list[Filter]:
        return [one for match in found for one in topics(match.term, of_tasks=self.is_of_tasks)]

    def _meet(self, found: Sequence[Match]) -> int:
        after = self._add(self._topics(found), found)
        return self._named_behind(found, after) or after

    def _add(self, alternatives: Iterable[Filter], found: Sequence[Match]) -> int:
        """Add the condition that one of these is met; return the word behind what said so."""
        self.filters += either(alternatives)
        return found[0].after if found else 0

    def _say(self, at: int) -> int:
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
