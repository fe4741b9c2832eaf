"""`history_of`: the question is searched for, and what the notes found there state is put in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import date
from itertools import zip_longest

from vaultrag.contradictions.histories.asked import AskedHistory, read_asked
from vaultrag.contradictions.histories.candidates import candidates_of
from vaultrag.contradictions.histories.chains import chain_of
from vaultrag.contradictions.histories.meaning import ClaimMeaning
from vaultrag.domain import Embedder, History
from vaultrag.errors import UsageError
from vaultrag.store.database import Database

PASSAGES = 60  # looked for: the note of each value, where one has many passages that speak of the subject
NOTES = 30  # whose claims are looked at, the nearest: of five values each may stand in one of its own

FindPaths = Callable[[str, int], Sequence[str]]
"""Returns the paths of the notes of that many passages found by words and meaning, the nearest first."""


def history_of(
    database: Database,
    question: str,
    find: FindPaths,
    today: date,
    day: str = "",
    embedder: Embedder | None = None,
    allowed: Set[int] | None = None,
) -> History:
    """Return how what a question names changed, as the notes tell it, up to a day or the one that it names.

    No chat model is asked, and nothing is written: what is owed an extraction is read where it stands. Without an
    embedder words decide alone. `allowed` are the chunks that a scope leaves, None for all. Raises UsageError where the
    question names nothing, or nothing is told of it.
    """
    asked = read_asked(question, today)
    if not asked.words:
        raise UsageError("The question names nothing.", 'Name it: vaultrag history "renovation budget".')
    meaning = ClaimMeaning(asked.text, database, embedder)
    paths = paths_of(find, asked, meaning.paths())
    with database.snapshot():
        found = candidates_of(database, asked, paths, allowed)
    steps = chain_of(asked, found, meaning.likeness(found))
    if not steps:
        raise UsageError(
            f"No note states a value of “{asked.text}”.",
            "Name the subject and what of it, as the notes do: `vaultrag search` shows what they say.",
        )
    return History(asked.text, steps, day or asked.day)


def paths_of(find: FindPaths, asked: AskedHistory, alike: Sequence[str] = ()) -> list[str]:
    """Return the nearest notes, in turns: by the question, by other words for it, and those `alike`."""
    wanted = filter(str.strip, (asked.text, asked.translated, asked.restated))
    found = [find(words.replace(":", " "), PASSAGES) for words in wanted]
    nearest = [list(dict.fromkeys(paths)) for paths in (*found, alike)]
    mixed = [path for pair in zip_longest(*nearest) for path in pair if path]
    return list(dict.fromkeys(mixed))[:NOTES]
