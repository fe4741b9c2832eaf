"""What is printed: readable, complete, and without anything that a note could do to a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from vaultrag.cli import render
from vaultrag.cli.answer_words import doubt_words, words_around
from vaultrag.cli.terminal import PIPE_WIDTH, size
from vaultrag.domain import Severity
from vaultrag.wire import (
    Answer,
    Citation,
    Dispute,
    Finding,
    IndexReport,
    LaneShare,
    Listing,
    OtherPlace,
    Passage,
    ProbeRecord,
    Sentence,
    Sureness,
)

EVIL = "red\x1b[31m title\x1b]0;owned\x07 \x9b2J [bold]not markup[/bold] :smile: \u202egpj.exe \rback"
PASSAGE = Passage(
    path="Дом/Бойлер.md",
    heading=["Бойлер", "Ремонт"],
    lines=(3, 5),
    columns=(1, 8),
    block="",
    text="Картриджи меняли в мае.",
    score=0.5,
    trace=[LaneShare(lane="keyword", rank=1, score=7.25, share=0.0164, via="алиас")],
    similarity=0.87,
)
CITATION = Citation(
    number=1,
    path="Дом/Бойлер.md",
    heading=["Бойлер"],
    block="price",
    lines=(5, 5),
    columns=(1, 20),
    quote="Новый стоил 95 лари.",
    verified="verbatim",
)


def _answer(text: str, sentences: list[Sentence], status: str = "partly") -> Answer:
    return Answer(
        status=status,
        text=text,
        sentences=sentences,
        citations=[CITATION],
        passages=[PASSAGE],
        model="m",
        timings={"first_token": 1.0, "total": 2.0},
        tokens={"prompt": 100, "completion": 20},
    )


def _piped(*parts: RenderableType) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=PIPE_WIDTH, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)
    return stream.getvalue()


def _on_terminal(*parts: RenderableType) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, width=60, color_system="standard", highlight=False, markup=False, emoji=False
    )
    for part in parts:
        console.print(part)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("path", "text", "shown"),
    [
        (
            "Цена.md",
            "## Цена\nБыло ~~6500~~, стало [[Смета|7000]] &laquo;лари&raquo;",
            "Было (зачёркнуто: 6500), стало 7000 «лари»",
        ),
        ("Plan.md", "- [x] call **Anneke**\n- [ ] pay", "- (done) call Anneke - (not done) pay"),
        ("План.canvas", '**Купить**\\n- корпус", "x": 5}, {"text": "Да', "Купить - корпус Да"),
        ("Чат.md", "> [!nexus_agent] **Assistant** - 6:41\n> Воды `&amp;` 315 г【1†L2】.", "Воды `&amp;` 315 г."),
    ],
)
def test_passages_are_printed_as_a_reader_sees_them(path: str, text: str, shown: str) -> None:
    passage = PASSAGE.model_copy(update={"path": path, "text": text})
    assert shown in " ".join(_piped(*render.passage_block(passage, 1, "Цена", "v")).split())
    assert _piped(render.nearest_line(passage, 1, "x")).strip().startswith("1. ")


def test_passage_is_place_and_snippet_without_control_codes_in_a_pipe() -> None:
    assert _piped(*render.passage_block(PASSAGE, 1, "картридж", "v")) == (
        " 1. Дом/Бойлер.md › Бойлер › Ремонт, lines 3–5\n    Картриджи меняли в мае.\n"
    )


def test_passage_on_a_terminal_is_one_link_with_marked_words() -> None:
    shown = _on_terminal(*render.passage_block(PASSAGE, 1, "картридж", "v"))
    assert "obsidian://open?vault=v&file=" in shown
    assert "\x1b[1;33mКартриджи\x1b[0m" in shown
    assert shown.count("\x1b]8;id=") == 1


def test_speaker_of_a_chat_is_named() -> None:
    said = PASSAGE.model_copy(update={"speaker": "Assistant"})
    assert "    Assistant: Картриджи" in _piped(*render.passage_block(said, 1, "x", "v"))
    known = said.model_copy(update={"model": "gpt-4o", "said": "2025-06-10T08:00:00"})
    assert "    Assistant (gpt-4o, 2025-06-10): Картриджи" in _piped(*render.passage_block(known, 1, "x", "v"))


@pytest.mark.parametrize(
    ("lane", "reason"),
    [("link", "via [[Маяк]]"), ("embed", "embedded in [[Маяк]]"), ("footnote", "footnote in [[Маяк]]")],
)
def test_a_passage_that_came_along_says_through_which_note(lane: str, reason: str) -> None:
    share = LaneShare(lane=lane, rank=1, score=0.8, share=0.0, via="туда", origin="Дом/Маяк.md")
    shown = _piped(*render.passage_block(PASSAGE.model_copy(update={"trace": [share]}), 1, "x", "v"))
    assert shown.splitlines()[1] == f"    {reason}"


def test_a_copied_passage_names_its_other_places() -> None:
    places = [OtherPlace(path=f"{n}.md", heading=[], lines=(n, n), columns=(1, 2), block="") for n in range(1, 6)]
    shown = _piped(*render.passage_block(PASSAGE.model_copy(update={"also": places}), 1, "x", "v"))
    assert "    also in 1.md, line 1; 2.md, line 2; 3.md, line 3; 2 more\n" in shown


def test_trace_names_lane_rank_share_and_reason() -> None:
    shown = _piped(render.trace_table(PASSAGE))
    for part in ("keyword", "7.25", "0.0164", "алиас", "0.5000", "cosine 0.870"):
        assert part in shown


def test_answer_keeps_its_text_and_marks_what_has_no_source() -> None:
    answer = _answer(
        "Новый стоил 95 лари [1].\n\nРыбы летают. Это всё [1].",
        [
            Sentence(number=1, text="Новый стоил 95 лари.", state="cited", citations=[1]),
            Sentence(number=2, text="Рыбы летают.", state="uncited", citations=[]),
            Sentence(number=3, text="Это всё.", state="cited", citations=[1]),
        ],
    )
    shown = render.answer_text(answer, "v")
    assert shown.plain == "Новый стоил 95 лари [1].\n\nРыбы летают. [без источника] Это всё [1]."
    assert _on_terminal(shown).count("obsidian://open") == 2


def test_brackets_that_are_no_citation_are_no_link() -> None:
    answer = _answer("Смотри [7] и [x] [1].", [])
    assert _on_terminal(render.answer_text(answer, "v")).count("obsidian://") == 1


def test_sources_are_listed_with_quote_and_link() -> None:
    assert list(render.source_lines([CITATION], "v")) == [
        "[1] Дом/Бойлер.md › Бойлер, line 5",
        "    “Новый стоил 95 лари.”",
        "    obsidian://open?vault=v&file=%D0%94%D0%BE%D0%BC%2F%D0%91%D0%BE%D0%B9%D0%BB%D0%B5%D1%80%23%5Eprice",
    ]
    assert "line 5" in _on_terminal(*render.source_list([CITATION], "v"))


def test_quote_with_marks_of_its_own_stands_between_others() -> None:
    quoting = CITATION.model_copy(update={"quote": "“Go,” she said."})
    assert "    ‘“Go,” she said.’" in list(render.source_lines([quoting], "v"))


def test_long_quote_is_cut() -> None:
    long = CITATION.model_copy(update={"quote": "слово " * 500})
    assert len(list(render.source_lines([long], "v"))[1]) < 320


@pytest.mark.parametrize(
    ("severity", "remedy", "mark"), [("info", "", "✓"), ("info", "Исправьте.", "·"), ("error", "", "✗")]
)
def test_only_what_is_well_is_ticked_off(severity: Severity, remedy: str, mark: str) -> None:
    finding = Finding(invariant="note-understood", severity=severity, detail="", remedy=remedy)
    assert _piped(*render.finding_blocks([finding])).startswith(f"{mark} note-understood")


def test_nothing_from_notes_or_model_steers_the_terminal() -> None:
    passage = PASSAGE.model_copy(update={"path": EVIL, "heading": [EVIL], "text": EVIL, "speaker": EVIL})
    citation = CITATION.model_copy(update={"path": EVIL, "heading": [EVIL], "quote": EVIL})
    answer = _answer(EVIL, [Sentence(number=1, text=EVIL, state="uncited", citations=[])])
    finding = Finding(invariant=EVIL, severity="error", detail=EVIL, remedy=EVIL)
    shown = _piped(
        *render.passage_block(passage, 1, "title", "v"),
        render.answer_text(answer, "v"),
        *render.source_list([citation], "v"),
        *render.source_lines([citation], "v"),
        *render.finding_blocks([finding]),
    )
    assert not set(shown) & set("\x1b\x07\x9b\r\u202e")
    assert "[bold]not markup[/bold]" in shown
    assert ":smile:" in shown


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            IndexReport(notes=3, added=0, modified=0, moved=0, removed=0, chunks=9, embedded=0, seconds=0.24),
            "3 notes, 9 passages: nothing new, in 0.2 s.",
        ),
        (
            IndexReport(notes=1200, added=2, modified=1, moved=1, removed=1, chunks=9, embedded=5, seconds=75.0),
            "1,200 notes, 9 passages: 2 added, 1 changed, 1 moved, 1 removed, 5 embedded, in 1 min 15 s.",
        ),
    ],
)
def test_report_is_one_sentence(report: IndexReport, line: str) -> None:
    assert render.report_line(report) == line


def test_amounts_are_said_as_people_say_them() -> None:
    assert [size(count) for count in (0, 999, 1500, 488_000_000, 1_117_320_768)] == [
        "0 B",
        "999 B",
        "2 kB",
        "488 MB",
        "1.1 GB",
    ]
    assert [render.duration(seconds) for seconds in (0.04, 59.94, 3600, 5400)] == [
        "0.0 s",
        "59.9 s",
        "1 h 0 min",
        "1 h 30 min",
    ]


def test_listing_says_what_was_looked_for_as_a_search_that_can_be_corrected() -> None:
    listing = Listing(
        query="tag:book property:rating>=4", said="Notes: tagged #book", counted="2 notes.", count=2, citations=[]
    )
    lines = [line.plain for line in render.listing_lines(listing, words_around(_answer("2 notes.", [])))]
    assert lines == ["Looked for: Notes: tagged #book", "As a search: vaultrag search -- 'tag:book property:rating>=4'"]
    unsure = listing.model_copy(update={"sure": False, "counted": "Найдено 2 заметки."})
    russian = words_around(_answer("Ближе всего в заметках, хотя уверенности нет:", []))
    assert [line.plain for line in render.listing_lines(unsure, russian)] == [
        "Если вопрос о заметках: Найдено 2 заметки.",
        "Искалось: Notes: tagged #book",
        "Тот же поиск: vaultrag search -- 'tag:book property:rating>=4'",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Новый стоил 95 лари [1].",
            [
                "Расходятся: “95”, “105” [1][2]",
                "Не нашлось: и где",
                "The answer stopped early. It reached answering.max_tokens.",
            ],
        ),
        (
            "The new one cost 95 GEL [1].",
            [
                "Disputed: “95”, “105” [1][2]",
                "Nothing found on: и где",
                "The answer stopped early. It reached answering.max_tokens.",
            ],
        ),
    ],
)
def test_what_is_missing_disputed_or_cut_short_is_said_below_the_answer(text: str, said: list[str]) -> None:
    answer = _answer(text, []).model_copy(
        update={
            "missing": ["и где"],
            "disputes": [Dispute(said="“95”, “105”", citations=[1, 2])],
            "stopped": "It reached answering.max_tokens.",
        }
    )
    assert [line.plain for line in render.remarks(answer)] == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The notes do not say.", "Elsewhere, of 60 probe questions without an answer 37 were refused."),
        (
            "В заметках этого нет.",
            "На других заметках отказано верно: 37 из 60 пробных вопросов без ответа.",
        ),
    ],
)
def test_what_a_level_meant_is_said_in_the_language_of_the_answer(text: str, said: str) -> None:
    record = ProbeRecord(answerable=0, cited=0, unanswerable=60, refused=37, of_this_vault=False)
    sureness = Sureness(level="not_in_vault", record=record)
    answer = _answer(text, []).model_copy(update={"level": "not_in_vault", "sureness": sureness})
    assert doubt_words(answer) == said
