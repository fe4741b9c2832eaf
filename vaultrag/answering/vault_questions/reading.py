"""A question read word after word: what each of them asks of the notes; what is left over is not about the vault."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from vaultrag.answering.vault_questions import values
from vaultrag.answering.vault_questions import words as said
from vaultrag.answering.vault_questions.conditions import linking, titled
from vaultrag.answering.vault_questions.gathered import Gathered
from vaultrag.answering.vault_questions.kinds import CHAT
from vaultrag.answering.vault_questions.phrases import Phrase
from vaultrag.answering.vault_questions.terms import Match, TermKind, VaultTerm
from vaultrag.domain import Filter, FilterKind
from vaultrag.text.language import is_function_word

_UNNAMED = VaultTerm(TermKind.NOTE, "")
_UNASKED_NAMES = (Phrase.GENERIC, Phrase.WRITING, Phrase.ALL, Phrase.TASKS)
_ONLY_OF_TASKS = (Phrase.OVERDUE, Phrase.CANCELLED, Phrase.DUE)


class QuestionReading(Gathered):
    """Reads a question word after word and gathers what each of them asks."""

    def read(self) -> bool:
        """Account for every word; tell whether that was possible."""
        at = 0
        while at < len(self.cursor.words):
            after = at + 1 if self.cursor.taken[at] else self._step(at)
            if after <= at:
                return False
            at = after
        return True

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
        if untrue := self.exactly(values.true_of(self.cursor, self.vocabulary, follows, said_not=match.group())):
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
            if after := (
                self._compared(at, needs_value=True, excluded=excluded)
                or self._measured(at)
                or self._dated(at)
                or self._compared(at, needs_value=False, excluded=excluded)
            ):
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
        return self._placed(at, TermKind.TAG, lambda name: Filter(FilterKind.TAG, name.lstrip("#")))

    def _foldered(self, at: int) -> int:
        return self._placed(at, TermKind.FOLDER, lambda name: Filter(FilterKind.PATH, f"{name.strip('/')}/"))

    def _placed(self, at: int, kind: TermKind, written: Callable[[str], Filter]) -> int:
        self.is_structural = True
        if quoted := self.cursor.quoted(at):
            self.filters.append(written(quoted[0]))
            return quoted[1]
        return self.meet(self.cursor.matches(at, kind))

    def _linked(self, at: int) -> int:
        """A link leads from a note; a task that has one says the name."""
        self.is_structural = True
        found = self.cursor.matches(at, TermKind.NOTE, parts=True)
        if self.is_of_tasks:
            return self.add((Filter(FilterKind.SAYS, match.term.name) for match in found), found) or self.say(at)
        if found:
            return self.add((linking(match.term) for match in found), found)
        if quoted := self.cursor.quoted(at):
            self.filters.append(Filter(FilterKind.LINK, quoted[0]))
            return quoted[1]
        return 0

    def _saying(self, at: int) -> int:
        self.is_structural = True
        return self.meet(self.cursor.matches(at, TermKind.NOTE)) or self.say(at)

    def _about(self, at: int) -> int:
        """A topic: a tag, a folder, a value, a note that is named; else words, which is a guess."""
        found = self.cursor.matches(at, TermKind.TAG, TermKind.FOLDER, TermKind.VALUE, TermKind.NOTE)
        if not found:
            self.unsure |= not self.is_of_tasks
            return self.say(at)
        return self.add(self.topics_said(found), found)

    def _with(self, at: int) -> int:
        """People, mostly: a value of some property, a note of theirs, or a name that is only said."""
        stated = self.cursor.matches(at, TermKind.VALUE)
        if stated and self.named_behind(stated, stated[0].after):  # "with low priority"
            return self.meet(stated)
        found = self.cursor.matches(at, TermKind.VALUE, TermKind.NOTE, TermKind.TAG, parts=True)
        if found:
            self.is_structural |= (
                self.kinds > 0 and found[0].whole and any(m.term.kind is TermKind.VALUE for m in found)
            )
            held = self.topics(found)
            if not any(one.kind is FilterKind.SAYS for one in held):
                held.append(Filter(FilterKind.SAYS, found[0].term.name))
            return self.add(held, found)
        if not self.cursor.is_name(at):
            return 0
        self.unsure = True
        return self.say(at)

    def _by(self, at: int) -> int:
        found = self.cursor.matches(at, TermKind.VALUE, parts=True)
        self.is_structural |= bool(found)
        return self.meet(found or self.cursor.matches(at, TermKind.NOTE, parts=True))

    def _in(self, at: int) -> int:
        if self.cursor.is_generic(at):
            return self.cursor.after(self.cursor.at_word[at].end)
        folders = self.cursor.matches(at, TermKind.FOLDER)
        after = folders[0].after if folders else len(self.cursor.words)
        if after < len(self.cursor.words) and self.cursor.words[after].text in said.FOLDER_BEHIND:
            self.is_structural = True
            return self.meet(folders) + 1
        if own := [match for match in folders if self.cursor.says_itself(match)]:
            self.is_structural |= "/" in self.cursor.written(own[0].first, own[0].after)
            return self.add(self.topics_said(own), own) if self.is_of_tasks else self.meet(own)
        found = self.cursor.matches(at, TermKind.FOLDER, TermKind.TAG, TermKind.VALUE)
        if found or not self.is_of_tasks:
            is_exact = any(match.term.kind is not TermKind.FOLDER for match in found)
            self.is_structural |= is_exact and (self.kinds > 0 or self.has(Phrase.WHO))
            return self.meet(found)
        notes = self.cursor.matches(at, TermKind.NOTE)
        return self.add((Filter(FilterKind.PATH, f"/{match.term.key}") for match in notes), notes)

    def _without(self, at: int) -> int:
        found = self.cursor.matches(at, TermKind.TAG)
        self.filters += [Filter(FilterKind.TAG, match.term.name, excluded=True) for match in found]
        return found[0].after if found else 0

    def _measured(self, at: int) -> int:
        return self.exactly(
            values.measured(self.cursor, self.vocabulary, at) or values.starred(self.cursor, self.vocabulary, at)
        )

    def _compared(self, at: int, *, needs_value: bool, excluded: bool = False) -> int:
        compared = values.compared(self.cursor, self.vocabulary, at, needs_value=needs_value)
        return self.exactly(compared, excluded=excluded)

    def _file(self, at: int) -> int:
        """Canvases, bases, PDFs: by the ends of their names."""
        if match := (self.cursor.says(said.OF_AI, at) or self.cursor.says(said.NESTED, at)):
            return self.cursor.after(match.end())
        self.kinds += bool(after := self.exactly(values.of_files(self.cursor, at)))
        return after

    # Names with nothing before them

    def _bare(self, at: int) -> int:
        """The kind of thing that is asked for, or what such things are."""
        found = self.cursor.matches(at, TermKind.TAG, TermKind.FOLDER, TermKind.VALUE)
        if CHAT in self.cursor.words[at].keys and not self.cursor.taken[at]:
            self.kinds += 1
            return self.add([Filter(FilterKind.SPEAKER, "assistant")], found or [Match(at, at + 1, _UNNAMED)])
        if not found and self.kinds and self.cursor.is_name(at):  # «книги Лема»
            found = self.cursor.matches(at, TermKind.VALUE, parts=True)
        if found:
            self._judge_kind(found)
            return self.meet(found)
        if after := self.exactly(values.true_of(self.cursor, self.vocabulary, at)) or self._dated(at):
            return after
        if after := self._titled(at) or self._summed(at):
            return after
        notes = self.cursor.matches(at, TermKind.NOTE)
        self.unsure |= bool(notes)
        return self.meet(notes) if self.has_subject else 0

    def _judge_kind(self, found: Sequence[Match]) -> None:
        """A folder's name alone may be a word of the question that means something else; a person's is no kind."""
        is_one = self.cursor.is_name(found[0].first) and all(match.term.kind is TermKind.VALUE for match in found)
        is_one &= not self.has(Phrase.IMPERATIVE, Phrase.COUNT)
        self.names, self.kinds = self.names + is_one, self.kinds + (not is_one)
        self.is_structural |= self.kinds > 0 and self.kinds + self.names > 1
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
        return self.add(titles, [Match(at, at + 1, _UNNAMED)])

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
