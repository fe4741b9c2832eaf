"""The analysis of one note, section by section: what it says to each question, and which notes belong there, and why.

Every note that is listed was linked, named or found by a search, and every reason stands on a line of the listed note:
a sentence of a model that such a line backs, else the line itself behind a short word by code. A spent budget or a lost
model ends the writing and not the analysis: the notes' own lines go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.answering.citations import with_marks
from vaultrag.answering.longer.budget import Allowance
from vaultrag.answering.longer.lookups import Lookups
from vaultrag.answering.longer.steps import Tell
from vaultrag.answering.outcome.quoted import day_of, told
from vaultrag.answering.shown import as_read
from vaultrag.domain import (
    Analysis,
    AnalysisEntry,
    AnalysisEvent,
    AnalysisReady,
    AnalysisSection,
    AnswerStyle,
    Citation,
    Passage,
    QuoteState,
    SectionReady,
    SentenceState,
    SourceState,
    Span,
    counted,
)
from vaultrag.errors import ModelError, UsageError
from vaultrag.reanalysis.lines import LINES_OF_NOTE, OWN_LINES, NoteLine, NoteLines, SectionQuestion
from vaultrag.reanalysis.related import RelatedNote, Relations
from vaultrag.reanalysis.templates import Template, TemplateSection, form
from vaultrag.reanalysis.wording import OF_NOTE, OWN_LINES_SAY, QUOTED_ABOVE, SAYS_NOTHING, reason_of
from vaultrag.reanalysis.writing import Writer
from vaultrag.text.inert import addresses, inert

CONSIDERED = 12  # related notes whose lines are read: more than twice what a section lists
MOST_OWN, OWN_CHARACTERS = 3, 500  # lines of the note itself under a heading
OWN_SHARE = 0.04  # of fit below the best line that a further one may lie: e5 tells related lines within about a tenth
LISTED_BEFORE = 0.02  # of fit, for each section that lists a note already: another one says something new
RELATED_WEIGHT = 0.02  # of a line's fit, for each point of what speaks for its note: near notes before near words
SUBJECT_LENGTH = 500  # characters of a note's beginning, which says what it is about
PASSAGES = 3  # of the note itself, that a model reads beside those of the listed notes


@dataclass(frozen=True, slots=True)
class AnalysedSubject:
    """The note that is analysed."""

    id: int
    path: str
    title: str
    language: str


@dataclass(frozen=True, slots=True)
class Analyst:
    """Analyses notes of one vault.

    `writer` is the model that writes, or None for the notes' own lines; `sources` says how citations stand in the
    notes now; `tell` writes a step down.
    """

    lookups: Lookups
    writer: Writer | None
    budget: Allowance
    tell: Tell
    sources: Callable[[Iterable[Citation]], Sequence[SourceState]]
    warnings: tuple[str, ...] = ()

    def analyse(
        self, subject: AnalysedSubject, template: Template, role: str = ""
    ) -> Generator[AnalysisEvent, None, None]:
        """Yield each step, each section when it is finished, and the analysis. Closing the iterator aborts the model.

        Raises UsageError for a note without text.
        """
        return _Analysing(self, subject, template, role).events()


@dataclass(slots=True)
class _Analysing:
    """One analysis on its way."""

    by: Analyst
    subject: AnalysedSubject
    template: Template
    role: str
    citations: list[Citation] = field(default_factory=list)
    withheld: int = 0
    stopped: str = ""
    quoted: set[tuple[str, Span]] = field(default_factory=set)
    listed: Counter[str] = field(default_factory=Counter)
    lines: NoteLines = field(init=False)

    def events(self) -> Generator[AnalysisEvent, None, None]:
        subject = self.subject
        relations = Relations(self.by.lookups.database, self.by.lookups.search, self.by.lookups.fingerprint, subject.id)
        yield self.by.tell("note", subject.path, [subject.path])
        related = relations.related()
        self.lines = NoteLines(self.by.lookups, relations.telling, subject.title, subject.path)
        passages = self.lines.passages(subject.id)
        if not passages:
            raise UsageError(f"{subject.path} has no text to be analysed.", "Name another note.")
        self.lines.subject = f"{subject.title}. {as_read(passages[0].chunk.text)[:SUBJECT_LENGTH]}"
        listed = [f"{one.path}: {one.tie}" for one in related[:CONSIDERED]]
        yield self.by.tell("related", "\n".join(listed) or "None.", [one.path for one in related[:CONSIDERED]])
        sections: list[AnalysisSection] = []
        for section in self.template.sections:
            heading = form(section.heading, subject.language, note=subject.title, title=subject.title)
            yield self.by.tell("section", heading)
            made = yield from self._section(section, heading, related[:CONSIDERED])
            sections.append(made)
            yield SectionReady(made)
        yield AnalysisReady(self._whole(sections, len(related)))

    def _section(
        self, section: TemplateSection, heading: str, related: Sequence[RelatedNote]
    ) -> Generator[AnalysisEvent, None, AnalysisSection]:
        language = self.subject.language
        question = form(section.question, language, note=self.subject.title, title=self.subject.title)
        asked = SectionQuestion.of(question, self.role, form(section.words, language) if section.words else "")
        own = self._own_lines(asked)
        chosen = self._chosen(asked, related, section.notes)
        text, style = yield from self._text(question, own, [line for _, line in chosen])
        notes = yield from self._notes(question, chosen)
        yield self.by.tell("listed", counted(len(notes), "note"), [one.path for one in notes])
        return AnalysisSection(heading, text, notes, style)

    def _own_lines(self, asked: SectionQuestion) -> list[NoteLine]:
        """Return the lines of the note itself that suit the question best, in the order they stand there."""
        ranked = self.lines.ranked(self.subject.id, asked, OWN_LINES)
        found: list[NoteLine] = []
        room = OWN_CHARACTERS
        for one, fit in ranked:
            size = len(one.line.source.text)
            if len(found) == MOST_OWN or fit < ranked[0][1] - OWN_SHARE:
                break
            if (size <= room or not found) and self._stands(one):
                found.append(one)
                room -= size
        return sorted(found, key=lambda one: one.citation(0).span)

    def _chosen(
        self, asked: SectionQuestion, related: Sequence[RelatedNote], most: int
    ) -> list[tuple[RelatedNote, NoteLine]]:
        """Return the notes that suit the section best, each with the line that does, if it still stands there."""
        ranked: list[tuple[float, RelatedNote, list[NoteLine]]] = []
        for note in related:
            lines = self.lines.ranked(note.id, asked, LINES_OF_NOTE)
            if lines:
                lines.sort(key=lambda pair: _place(pair[0]) in self.quoted)  # what was not quoted yet, if there is any
                fit = lines[0][1] + RELATED_WEIGHT * note.score - LISTED_BEFORE * self.listed[note.path]
                ranked.append((fit, note, [one for one, _ in lines]))
        ranked.sort(key=lambda one: (-one[0], one[1].path))
        chosen: list[tuple[RelatedNote, NoteLine]] = []
        for _, note, candidates in ranked:
            line = next(filter(self._stands, candidates), None) if len(chosen) < most else None
            if line is not None:
                chosen.append((note, line))
                self.quoted.add(_place(line))
                self.listed[note.path] += 1
        return chosen

    def _stands(self, one: NoteLine) -> bool:
        """Tell whether a line stands in its note as that is now; one that does not is counted."""
        [state] = self.by.sources([one.citation(0)])
        stands = state.state in (QuoteState.STANDS, QuoteState.MOVED)
        self.withheld += not stands
        return stands

    def _text(
        self, question: str, own: Sequence[NoteLine], listed: Sequence[NoteLine]
    ) -> Generator[AnalysisEvent, None, tuple[str, AnswerStyle]]:
        """Return what the section says: a model's sentences that lines back, else the note's own lines."""
        writer = self._writer()
        if writer is not None:
            passages = self._read(own, listed)
            yield self.by.tell("draft", f"{writer.model.name} reads {counted(len(passages), 'passage')}.")
            try:
                prose, withheld = yield from writer.section(self._as_asked(question), passages)
            except ModelError as error:
                yield self._lost(error)
            else:
                self.withheld += withheld
                numbers = {one.number: self._number(one) for one in prose.citations}
                sentences = [
                    with_marks(self._inert(one.text, passages), tuple(numbers[number] for number in one.citations))
                    for one in prose.told
                    if one.state is SentenceState.CITED
                ]
                yield self.by.tell("check", f"{counted(len(sentences), 'sentence')} backed, {withheld} left out.")
                if sentences:
                    return " ".join(sentences), AnswerStyle.PROSE
        return self._quoted(own), AnswerStyle.QUOTES

    def _quoted(self, own: Sequence[NoteLine]) -> str:
        known = "ru" if self.subject.language == "ru" else "en"
        if not own:
            return SAYS_NOTHING[known]
        fresh = [one for one in own if _place(one) not in self.quoted]
        if not fresh:
            return with_marks(QUOTED_ABOVE[known], tuple(self._number(one.citation(0)) for one in own))
        self.quoted.update(map(_place, fresh))
        rows = [f"- {self._shown(one)} [{self._number(one.citation(0))}]" for one in fresh]
        return "\n".join((OWN_LINES_SAY[known], "", *rows))

    def _notes(
        self, question: str, chosen: Sequence[tuple[RelatedNote, NoteLine]]
    ) -> Generator[AnalysisEvent, None, tuple[AnalysisEntry, ...]]:
        """Return the list of a section: why each note is there, by a sentence of a model or by its own line."""
        writer = self._writer()
        passages = [line.passage for _, line in chosen]
        written = {}
        if writer is not None and passages:
            yield self.by.tell("reasons", f"{writer.model.name} says why, of {counted(len(passages), 'note')}.")
            try:
                written = yield from writer.reasons(question, self.subject.title, passages)
            except ModelError as error:
                yield self._lost(error)
        found: list[AnalysisEntry] = []
        for index, (note, line) in enumerate(chosen):
            said = written.get(index)
            if said is None:
                reason = reason_of(note.tie, self._shown(line), self.subject.language)
                number = self._number(line.citation(0))
            else:
                reason = with_marks(self._inert(said.text, [line.passage]), ())  # its own numbers are no marks
                number = self._number(said.citation)
            found.append(AnalysisEntry(note.path, note.title, note.tie, reason, number, quoted=said is None))
        return tuple(found)

    def _as_asked(self, question: str) -> str:
        """Return a question as a model is asked it: of this note."""
        return f"{OF_NOTE['ru' if self.subject.language == 'ru' else 'en'].format(title=self.subject.title)} {question}"

    def _read(self, own: Sequence[NoteLine], listed: Sequence[NoteLine]) -> list[Passage]:
        """Return what a model reads for a section: of the note itself the best passages, then those of the list."""
        first = [one.passage for one in own] + self.lines.passages(self.subject.id)
        distinct = {one.chunk.id: one for one in first}
        kept = [*list(distinct.values())[:PASSAGES], *(one.passage for one in listed)]
        return [replace(one, score=1.0 - rank / 100) for rank, one in enumerate(kept)]

    def _writer(self) -> Writer | None:
        """Return the model that writes, while there is one and the budget lasts."""
        if self.by.writer is None or self.stopped:
            return None
        self.stopped = self.by.budget.spent
        return None if self.stopped else self.by.writer

    def _lost(self, error: ModelError) -> AnalysisEvent:
        self.stopped = f"{error.message} So the notes' own lines go on."
        return self.by.tell("lost", self.stopped)

    def _shown(self, one: NoteLine) -> str:
        """Return a line between quotation marks, as its reader sees it; of a chat with who said it."""
        chunk, title = one.passage.chunk, one.passage.title
        if chunk.path == self.subject.path or (day_of(chunk) and day_of(chunk) in title):
            chunk = replace(chunk, date="")  # said once is enough
        return with_marks(self._inert(told(one.line.source.text, chunk, "", self.subject.language), [one.passage]), ())

    def _inert(self, text: str, passages: Sequence[Passage]) -> str:
        return inert(text, addresses("\n".join(passage.chunk.text for passage in passages)))

    def _number(self, citation: Citation) -> int:
        """Return the number of a place among the analysis's citations."""
        for known in self.citations:
            if (known.path, known.span) == (citation.path, citation.span):
                return known.number
        self.citations.append(replace(citation, number=len(self.citations) + 1))
        return len(self.citations)

    def _whole(self, sections: Sequence[AnalysisSection], related: int) -> Analysis:
        subject, budget, writer = self.subject, self.by.budget, self.by.writer
        return Analysis(
            path=subject.path,
            title=subject.title,
            heading=form(self.template.title, subject.language, title=subject.title),
            role=self.role,
            template=self.template.name,
            language=subject.language,
            sections=tuple(sections),
            citations=tuple(self.citations),
            related=related,
            withheld=self.withheld,
            model=writer.model.name if writer is not None else "",
            stopped=self.stopped,
            warnings=self.by.warnings,
            tokens=budget.used,
            seconds=round(budget.elapsed, 1),
        )


def _place(one: NoteLine) -> tuple[str, Span]:
    return one.path, one.citation(0).span
