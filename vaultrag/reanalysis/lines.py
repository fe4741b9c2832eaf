"""The lines of notes that a section of an analysis quotes: those that suit its question, chosen without a model."""

from __future__ import annotations

from dataclasses import dataclass, field

from vaultrag.answering.citations import locate
from vaultrag.answering.evidence.lines import CELLS, Line, lines_of
from vaultrag.answering.longer.lookups import Lookups
from vaultrag.answering.shown import as_read
from vaultrag.domain import Chunk, Citation, Feature, Passage
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.lookups import rows_of_note
from vaultrag.text.language import fold
from vaultrag.text.morphology import Term, distinct_terms
from vaultrag.text.terms import index_terms, question_terms
from vaultrag.vault.split import fences_in, open_fence

OWN_LINES = 40  # of the note itself that are compared in meaning: two pages
LINES_OF_NOTE = 8  # of another note; embedding a line takes some milliseconds on two cores
SHORTEST, LONGEST = 24, 400  # characters of a line that is worth quoting: below it says little, above it is a page
WORDS_OF_SECTION = 0.04  # for a line that holds one of the section's words: e5 tells lines apart within about a tenth
ROW_COST = 0.03  # of a table's row, which says little without its header
BINDING = 0.03  # for a line that links to the note that is analysed: it says what that has to do with its own
LEFT_WORDS = 30  # characters that such a line says besides the link, at least; else it only sends there
WORDS_OF_NOTE = 0.02  # for each telling word of the note that it holds, up to two: it speaks of the note's matter


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A line of a note, in its passage. `binds` where it links to the analysed note and says something itself."""

    passage: Passage
    line: Line
    binds: bool = False

    @property
    def path(self) -> str:
        return self.passage.chunk.path

    def citation(self, number: int) -> Citation:
        """Return it as a citation: the note's own characters at their place."""
        chunk, source = self.passage.chunk, self.line.source
        return Citation(
            number=number,
            path=chunk.path,
            heading_path=chunk.heading_path,
            block_id=chunk.block_id,
            span=locate(chunk, source.start, source.end),
            quote=source.text,
            verified="verbatim",
            score=0.0,
        )


@dataclass(frozen=True, slots=True)
class SectionQuestion:
    """What a section asks: its question, as the role puts it too, and the words that tell lines which answer it."""

    questions: tuple[str, ...]
    words: tuple[Term, ...]

    @classmethod
    def of(cls, question: str, role: str, words: str) -> SectionQuestion:
        questions = (question, f"{role}: {question}") if role else (question,)
        return cls(questions, tuple(distinct_terms(question_terms(words))))


@dataclass(slots=True)
class NoteLines:
    """The lines of the notes of one analysis, read once.

    `telling` are the stems that tell what the analysed note speaks of, `title` is what links name it by, `path`
    where it lies, and `subject` a text of what it is about, which the lines of other notes are compared with, too.
    """

    lookups: Lookups
    telling: frozenset[str]
    title: str = ""
    path: str = ""
    subject: str = ""
    _read: dict[int, list[NoteLine]] = field(default_factory=dict)
    _held: dict[int, frozenset[str]] = field(default_factory=dict)

    def ranked(self, note_id: int, asked: SectionQuestion, most: int) -> list[tuple[NoteLine, float]]:
        """Return a note's lines, the most suitable first, with how well each suits; one that says the same once.

        Those of the analysed note are not compared with its subject: its first lines would always be the nearest.
        """
        lines = self._lines(note_id)
        kept = sorted(lines, key=lambda one: -self._by_words(one, asked))[:most]
        shown = [one.line.shown for one in kept]
        fits = self.lookups.fits_of_lines(shown, asked.questions)
        is_own = any(one.path == self.path for one in kept)
        near = fits if is_own or not self.subject else self.lookups.fits_of_lines(shown, [self.subject])
        scored = [
            (one, (fit + by_subject) / 2 + self._by_words(one, asked))
            for one, fit, by_subject in zip(kept, fits, near, strict=True)
        ]
        distinct: dict[str, tuple[NoteLine, float]] = {}
        for one, score in sorted(scored, key=lambda pair: (-pair[1], pair[0].passage.chunk.span)):
            distinct.setdefault(fold(one.line.words), (one, score))
        return list(distinct.values())

    def passages(self, note_id: int) -> list[Passage]:
        """Return a note's passages, in order: none for a note that is only a name and properties."""
        rows = rows_of_note(self.lookups.database, note_id)
        stored = Catalog(self.lookups.database).chunks_by_row_ids(rows)
        found = [stored[row] for row in rows if row in stored]
        said = [one for one in found if one.chunk.text_hash and Feature.PROPERTY not in one.chunk.features]
        return [Passage(one.chunk, one.title, 1.0, ()) for one in said]

    def _lines(self, note_id: int) -> list[NoteLine]:
        if note_id not in self._read:
            whole = [
                NoteLine(passage, line, self._binds(line))
                for passage in self.passages(note_id)
                for line in lines_of(0, passage)
                if _is_read(line, passage.chunk)
            ]
            worth = [one for one in whole if not one.line.is_lead and len(one.line.words) >= SHORTEST]
            self._read[note_id] = [one for one in worth if len(one.line.source.text) <= LONGEST] or worth or whole
        return self._read[note_id]

    def _by_words(self, one: NoteLine, asked: SectionQuestion) -> float:
        held = self._held.setdefault(id(one), frozenset(index_terms(one.line.words)))
        answers = any(not held.isdisjoint(term) for term in asked.words)
        bonus = WORDS_OF_SECTION * answers + WORDS_OF_NOTE * min(2, len(held & self.telling))
        return bonus + BINDING * one.binds - ROW_COST * (CELLS in one.line.words)

    def _binds(self, line: Line) -> bool:
        return self.title.lower() in line.targets and len(line.words) >= len(self.title) + LEFT_WORDS


def _is_read(line: Line, chunk: Chunk) -> bool:
    """Tell whether a reader reads a line: no comment, and no code, which says nothing of why."""
    in_code = open_fence(chunk.text, fences_in(chunk.text), line.source.start)
    return not in_code and bool(as_read(line.source.text, chunk.language).strip())
