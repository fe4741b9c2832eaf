"""Keeps the graph of guesses up to date: aliases in unresolved links, names of notes in the text of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from vaultrag.domain import LinkKind
from vaultrag.store.database import Database
from vaultrag.store.notes import mentions
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.mentions import Mention, Name, Text
from vaultrag.text.entities import as_shown
from vaultrag.text.language import fold, words
from vaultrag.vault.mentions import (
    KEPT_PER_NOTE,
    Found,
    NameIndex,
    WantedName,
    is_mention,
    terms_to_look_for,
    wanted_names,
)

FEW_NOTES = 20  # a hundred different words each are fewer than those of all names
NAMES_LOOKED_UP = 2000  # more changed names than these, and every note is looked at instead


def refresh_mentions(database: Database) -> int:
    """Bring the mentions up to the notes that were written since the last time; return how many notes were looked at.

    Besides these, notes that hold a name which some note gained or lost are looked at. Killed anywhere, the next call
    does it again; what is written meanwhile is owed again.
    """
    changed, renamed = mentions.owed(database), mentions.owed_names(database)
    if not changed and not renamed:
        return 0
    names = mentions.names(database)
    sources = _sources(database, list(changed), list(renamed))
    wanted = wanted_names((name.note_id, name.name, name.is_alias) for name in names)
    index = NameIndex(wanted, _words_of(database, sources) if len(sources) <= FEW_NOTES else None)
    spoken = list(_spoken(database, index, _Judge(database), sources))  # takes seconds: others may write meanwhile
    with database.atomic():
        mentions.replace_mentions(database, sources, spoken)
        mentions.replace_aliases(database, aliases_meant(database, names))
        mentions.settle(database, changed.values(), renamed.values())
    return len(sources)


def _words_of(database: Database, sources: Sequence[int]) -> set[str]:
    """Return the different words of these notes."""
    return {word.text for text in mentions.texts(database, sources) for word in words(as_shown(text.text))}


def _sources(database: Database, changed: Sequence[int], renamed: Sequence[str]) -> list[int]:
    """Return the changed notes and those that may say one of the names."""
    if len(renamed) > NAMES_LOOKED_UP or len(changed) * 2 > Catalog(database).note_count():
        return mentions.note_ids(database)
    said = {terms for name in renamed if (terms := terms_to_look_for(name))}
    found = {note for terms in said for note in mentions.notes_with_words(database, terms)}
    return sorted(found | set(changed))


def aliases_meant(database: Database, names: Iterable[Name]) -> Iterator[Mention]:
    """Yield the links to nothing whose target is one note's alias."""
    bearers: dict[str, set[int]] = {}
    for name in names:
        if name.is_alias:
            bearers.setdefault(fold(name.name.strip()), set()).add(name.note_id)
    for source, target, text, line in mentions.unresolved_targets(database):
        meant = bearers.get(fold(target.strip()), set())
        if len(meant) == 1 and source not in meant:
            yield Mention(source, next(iter(meant)), LinkKind.ALIAS, target.strip(), text, line)


def _spoken(database: Database, index: NameIndex, judge: _Judge, sources: Sequence[int]) -> Iterator[Mention]:
    kept: Counter[tuple[int, int]] = Counter()
    for text, found in _found(mentions.texts(database, sources), index):
        pair = (text.note_id, found.wanted.owner)
        if text.note_id == found.wanted.owner or kept[pair] == KEPT_PER_NOTE or not judge.accepts(found):
            continue
        kept[pair] += 1
        yield Mention(*pair, LinkKind.MENTION, found.wanted.name, found.text, text.first_line + found.line)


def _found(texts: Iterable[Text], index: NameIndex) -> Iterator[tuple[Text, Found]]:
    for text in texts:
        if index.may_hold(set(text.stems.split(" "))):
            for found in index.find(text.text):
                yield text, found


class _Judge:
    """Which single words are proper nouns in this vault. Each is looked up once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.proper: dict[WantedName, bool] = {}

    def accepts(self, found: Found) -> bool:
        return is_mention(found, self._is_proper)

    def _is_proper(self, wanted: WantedName) -> bool:
        if wanted not in self.proper:
            index = NameIndex([wanted])
            held = mentions.texts_with_words(self.database, wanted.terms)
            self.proper[wanted] = all(found.is_capital for text in held for found in index.find(text))
        return self.proper[wanted]
