"""Values as Rich renderables. Nothing here prints; everything from notes and models is made harmless."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from vaultrag.answering.citations import with_marks
from vaultrag.cli.answer_words import AnswerWords, words_around
from vaultrag.cli.obsidian import obsidian_link
from vaultrag.cli.snippet import best_sentence, cut_snippet
from vaultrag.cli.terminal import Indented, harmless, one_line
from vaultrag.domain import counted
from vaultrag.text.quotation_marks import set_off
from vaultrag.wire import (
    Answer,
    Citation,
    Finding,
    IndexReport,
    Listing,
    Passage,
    SearchResult,
    Sentence,
)

QUOTE_LENGTH = 300  # characters; a sentence of a dictated note can have 2,000
_LEVELS = {"backed": "green", "weak": "yellow"}
INDENT = 4
KEY_SHOWN = 8  # characters of a finding's key: enough to name one of a vault's
DAY = 10  # characters of a moment: `2025-06-10`
LISTED_BESIDE = 10  # notes of a listing that may not be what was asked; the JSON has all
PLACES_SHOWN = 3  # of a copied passage; the JSON has all

_WAYS = {"embed": "embedded in", "footnote": "footnote in", "part": "goes on in"}

_MARK = re.compile(r"\[(\d{1,3})\]")
_SEVERITIES = {"error": ("✗", "bold red"), "warning": ("!", "yellow"), "info": ("·", "dim")}


def passage_line(passage: Passage, number: int, vault: str) -> Text:
    """Return where a passage stands: `3. Folder/Note.md › Heading, lines 4–7`."""
    link = obsidian_link(vault, passage.path, passage.heading, passage.block)
    return Text.assemble((f"{number:>2}. ", "dim"), _place(passage, link))


def nearest_line(passage: Passage, number: int, query: str) -> Text:
    """Return a passage as one line, to be cut where the terminal ends: the note's name, and its best sentence."""
    name = one_line(passage.path.rpartition("/")[2].removesuffix(".md"))
    line = Text(no_wrap=True, overflow="ellipsis", style="dim")
    return line.append(f"{number:>2}. ").append(name, "bold").append(f" · {best_sentence(_shown(passage), query)}")


def passage_block(passage: Passage, number: int, query: str, vault: str) -> Iterator[RenderableType]:
    """Yield a passage's place and its best lines, with the words of the query marked."""
    snippet = cut_snippet(_shown(passage), query)
    text = Text(snippet.text)
    for start, end in snippet.marks:
        text.stylize("bold yellow", start, end)
    if passage.speaker:
        text = Text.assemble((f"{one_line(_told_by(passage))}: ", "italic"), text)
    yield passage_line(passage, number, vault)
    for line in (_reason(passage), _other_places(passage)):
        if line:
            yield Indented(Text(line, style="dim"), INDENT)
    yield Indented(text, INDENT)


def _told_by(passage: Passage) -> str:
    """Return who wrote a message of a chat, with the model and the day where they are known."""
    details = ", ".join(filter(None, (passage.model, passage.said[:DAY])))
    return f"{passage.speaker} ({details})" if details else passage.speaker


def _shown(passage: Passage) -> str:
    from vaultrag.answering.passage_block import shown_text

    return shown_text(passage.path, passage.text)


def trace_table(passage: Passage) -> RenderableType:
    """Return what each lane gave a passage."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", style="dim")
    for name in ("lane", "rank", "raw score", "share"):
        table.add_column(name, justify="left" if name == "lane" else "right")
    table.add_column("via")
    for share in passage.trace:
        table.add_row(
            share.lane, str(share.rank), f"{share.score:.4g}", f"{share.share:.4f}", Text(one_line(share.via))
        )
    table.add_row("total", "", "", f"{passage.score:.4f}", _similarity(passage))
    return Padding(table, (0, 0, 0, INDENT), expand=False)


def timing_line(result: SearchResult) -> Text:
    """Return how long each step of a search took, in milliseconds."""
    steps = ", ".join(f"{name} {milliseconds:.1f}" for name, milliseconds in result.timings.items())
    return Text(f"Milliseconds: {steps}. Lanes: {', '.join(result.lanes)}.", style="dim")


def level_lines(answer: Answer) -> Iterator[Text]:
    """Yield how sure the prose below is; what the notes say themselves, or do not, says so itself."""
    if answer.style == "prose" and answer.level in _LEVELS and answer.status != "not_in_vault":
        yield Text(words_around(answer).levels[answer.level], style=_LEVELS[answer.level])


def answer_text(answer: Answer, vault: str) -> Text:
    """Return the answer, its citation numbers as links, each sentence marked by what was found of its source."""
    links = {citation.number: _link(citation, vault) for citation in answer.citations}
    text = Text()
    rest = harmless(answer.text)
    for sentence in answer.sentences:
        mark = _mark(sentence, words_around(answer)) if answer.style == "prose" else None
        before, found, after = rest.partition(harmless(with_marks(sentence.text, tuple(sentence.citations))))
        if not found or sentence.state == "removed" or mark is None:
            continue
        told = _with_links(found, links)
        if sentence.state == "uncited":
            told.stylize("dim")
        text.append_text(_with_links(before, links)).append_text(told).append_text(Text.assemble(" ", mark))
        rest = after
    return text.append_text(_with_links(rest, links))


def remarks(answer: Answer) -> Iterator[Text]:
    """Yield what there is to know of an answer: what disagrees, what is missing, why it ended."""
    words = words_around(answer)
    for dispute in answer.disputes:
        where = "".join(f"[{number}]" for number in dispute.citations)
        yield Text.assemble((words.disputed, "bold yellow"), harmless(dispute.said), f" {where}")
    for part in answer.missing:
        yield Text.assemble((words.missing, "yellow"), harmless(part))
    if answer.stopped:
        yield Text(f"The answer stopped early. {harmless(answer.stopped)}", style="yellow")


def known_findings(answer: Answer) -> Iterator[RenderableType]:
    """Yield what the notes are known to disagree on in what is cited, each with the side that is not."""
    known = words_around(answer).findings
    for finding in answer.findings:
        where = "".join(f"[{number}]" for number in finding.citations)
        head = known.get(finding.kind, known["contradiction"])
        told = (f"{head}: ", "bold yellow"), one_line(finding.reason), f" {where}"
        yield Text.assemble(*told, (f"  {finding.key[:KEY_SHOWN]}", "dim"))
        cited = [one for one in answer.citations if one.number in finding.citations]
        for side in (finding.one, finding.other):
            if not any(side.path == one.path and side.quote in one.quote for one in cited):
                place = f"{one_line(side.path)}, {lines_label(side.lines)}"
                yield Indented(Text.assemble((set_off(one_line(side.quote)), "italic"), (f" — {place}", "dim")), INDENT)


def listing_lines(listing: Listing, words: AnswerWords) -> Iterator[Text]:
    """Yield what the catalogue was asked, to be corrected; and what it lists, where that is not the answer itself."""
    if not listing.sure:
        yield Text(f"{words.if_notes}{harmless(listing.counted)}", style="bold")
        for citation in listing.citations[:LISTED_BESIDE]:
            yield Text(f"  {harmless(citation.path)}:{citation.lines[0]}  {_quote(citation)}")
    yield Text(f"{words.looked_for}{harmless(listing.said)}", style="dim")
    if listing.query:
        yield Text(f"{words.as_search}vaultrag search -- {shlex.quote(harmless(listing.query))}", style="dim")


def quote_blocks(quotes: Sequence[Citation]) -> Iterator[RenderableType]:
    """Yield quotes as they are shown while the answer is worked on: the words, and where they stand."""
    for quote in quotes:
        yield Text(set_off(_quote(quote)), style="italic")
        yield Indented(Text.assemble(("— ", "dim"), _place(quote, "")), INDENT)


def source_list(citations: Sequence[Citation], vault: str, *, with_quotes: bool = True) -> Iterator[RenderableType]:
    """Yield each source: its place, and the words that stand there unless the answer shows them itself."""
    for citation in citations:
        yield Text.assemble((f"[{citation.number}] ", "bold cyan"), _place(citation, _link(citation, vault)))
        if with_quotes:
            yield Indented(Text(set_off(_quote(citation)), style="italic"), INDENT)


def source_lines(citations: Sequence[Citation], vault: str, *, with_quotes: bool = True) -> Iterator[str]:
    """Yield the sources as plain lines, the links written out."""
    for citation in citations:
        yield f"[{citation.number}] {_place(citation, '').plain}"
        if with_quotes:
            yield f"    {set_off(_quote(citation))}"
        yield f"    {_link(citation, vault)}"


def answer_footer(answer: Answer) -> Text:
    """Return which model answered from how much, and how long that took."""
    parts = [answer.model] if answer.model else []
    if answer.model:
        parts.append(counted(len(answer.passages), "passage"))
    if answer.tokens.get("prompt"):
        parts.append(f"{answer.tokens['prompt']} + {answer.tokens.get('completion', 0)} tokens")
    if answer.timings.get("first_token"):
        parts.append(f"first word after {answer.timings['first_token']:.1f} s")
    if answer.timings.get("total"):
        parts.append(f"{answer.timings['total']:.1f} s in all")
    return Text(" · ".join(parts), style="dim")


def report_line(report: IndexReport) -> str:
    """Return one sentence about an indexing run."""
    changes = [
        f"{count:,} {what}"
        for count, what in (
            (report.added, "added"),
            (report.modified, "changed"),
            (report.moved, "moved"),
            (report.removed, "removed"),
        )
        if count
    ]
    what = ", ".join(changes) if changes else "nothing new"
    embedded = f", {report.embedded:,} embedded" if report.embedded else ""
    whole = f"{counted(report.notes, 'note')}, {counted(report.chunks, 'passage')}"
    return f"{whole}: {what}{embedded}, in {duration(report.seconds)}."


def plain_line(sentence: str) -> Text:
    """Return a sentence that may hold names of notes."""
    return Text(harmless(sentence))


def finding_blocks(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """Yield what was checked, what was found, and the remedy where one is needed."""
    for finding in findings:
        well = finding.severity == "info" and not finding.remedy
        mark, style = ("✓", "green") if well else _SEVERITIES.get(finding.severity, ("?", ""))
        yield Text.assemble((f"{mark} ", style), (one_line(finding.invariant), "bold"))
        if finding.detail:
            yield Indented(Text(harmless(finding.detail)), 2)
        if finding.remedy:
            yield Indented(Text.assemble(("→ ", "bold"), harmless(finding.remedy)), 2)


def duration(seconds: float) -> str:
    """Return a duration as a person says it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def lines_label(lines: tuple[int, int]) -> str:
    first, last = lines
    return f"line {first}" if first == last else f"lines {first}–{last}"


def _reason(passage: Passage) -> str:
    """Return how a passage came along that the question itself does not find: `via [[Note]]`."""
    share = next((share for share in passage.trace if share.origin), None)
    if share is None:
        return ""
    return f"{_WAYS.get(share.lane, 'via')} [[{one_line(share.origin.rpartition('/')[2].removesuffix('.md'))}]]"


def _other_places(passage: Passage) -> str:
    """Return where else the same words stand."""
    places = [f"{one_line(other.path)}, {lines_label(other.lines)}" for other in passage.also]
    more = [f"{len(places) - PLACES_SHOWN} more"] if len(places) > PLACES_SHOWN else []
    return f"also in {'; '.join([*places[:PLACES_SHOWN], *more])}" if places else ""


def _place(where: Passage | Citation, link: str) -> Text:
    """Return path, heading and lines. Only the path is the link: each style of its own would be another one."""
    path = Text(one_line(where.path), style=Style(bold=True, link=link or None))
    heading = "".join(f" › {one_line(name)}" for name in where.heading)
    return Text.assemble(path, (heading, "cyan"), (f", {lines_label(where.lines)}", "dim"))


def _mark(sentence: Sentence, words: AnswerWords) -> tuple[str, str] | None:
    """Return what stands behind a sentence; nothing where nobody has judged it."""
    if sentence.state == "uncited":
        return words.no_source, "dim italic red"
    return {"backed": ("✓", "green"), "partly": (words.partly, "yellow")}.get(sentence.support)


def _link(citation: Citation, vault: str) -> str:
    return obsidian_link(vault, citation.path, citation.heading, citation.block)


def _with_links(part: str, links: dict[int, str]) -> Text:
    text = Text(part)
    for match in _MARK.finditer(part):
        link = links.get(int(match.group(1)))
        if link:
            text.stylize(Style(color="cyan", bold=True, link=link), match.start(), match.end())
    return text


def _quote(citation: Citation) -> str:
    quote = one_line(citation.quote)
    return quote if len(quote) <= QUOTE_LENGTH else quote[: QUOTE_LENGTH - 2].rstrip() + " …"


def _similarity(passage: Passage) -> str:
    return "" if passage.similarity is None else f"cosine {passage.similarity:.3f}"
