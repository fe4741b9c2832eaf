"""What is shown while an answer is on its way, and what `status` tells of the models in memory."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from vaultrag import wire
from vaultrag.cli.commands.ask.ask import ShownDraft
from vaultrag.cli.commands.vault.status import resident_rows


def shown(draft: ShownDraft) -> str:
    console = Console(width=80, no_color=True, force_terminal=True)
    with console.capture() as capture:
        console.print(draft)
    return Text.from_ansi(capture.get()).plain


def test_loading_is_a_bar_until_the_passages_are_read() -> None:
    draft = ShownDraft("Searching the notes")
    assert "━" not in shown(draft)
    draft.take(wire.Progress(phase="model", done=50, total=100))
    half = shown(draft)
    assert "Loading the model" in half
    assert "━" in half
    draft.take(wire.PassagesFound(passages=[], left_out=0, warnings=[]))
    assert "Reading" in shown(draft)
    assert "━" not in shown(draft)


def passage(path: str, text: str) -> wire.Passage:
    return wire.Passage(
        path=path, heading=[], lines=(1, 9), columns=(1, 9), block="", speaker="", text=text, score=1.0, trace=[]
    )


def test_what_is_read_stands_there_line_by_line_until_the_answer_begins() -> None:
    draft = ShownDraft("Searching the notes", "Когда меняли картридж?")
    long = "Первое дело.\n\nКартридж поменяли 12 мая, и с тех пор вода идёт как раньше, без хлопьев и запаха. Конец."
    draft.take(
        wire.PassagesFound(passages=[passage("Дом/Бойлер.md", long), passage("Servers/mayak.md", "Disk \x1b[2J full")])
    )
    first, second = shown(draft).strip().splitlines()[1:]
    assert first.startswith(" 1. Бойлер · Картридж поменяли 12 мая")
    assert len(first.rstrip()) <= 80
    assert second.startswith(" 2. mayak · Disk")
    draft.take(wire.TextPiece(text="Картридж"))
    assert "mayak" not in shown(draft)


def resident(name: str, share: float, loaded: int, stays: bool) -> wire.LoadedModel:
    return wire.LoadedModel(
        name=name, roles=["answer"], share=share, bytes=loaded, reason="as planned", warning="", stays=stays
    )


def test_status_tells_what_lies_in_memory_and_by_which_plan() -> None:
    swap = "small left the memory for large: there is no room for both."
    models = [resident("large", 1.0, 2_000_000_000, False), resident("small", 0.4, 0, True), resident("s", 0, 0, True)]
    server = wire.Server(pid=1, url="u", version="1", embedder="ready", model="ready", residents=models, swap=swap)
    (_, large), (_, small), (_, gone), (_, swapped) = resident_rows(server)
    assert large == "large (answer): 2.0 GB, as planned; shares the memory with no other."
    assert "loading, 40%" in small
    assert "not now" in gone
    assert swapped == swap
    assert resident_rows(None) == []


def test_steps_are_shown_as_they_are_taken_and_a_new_draft_takes_the_place_of_the_old() -> None:
    draft = ShownDraft("Searching the notes")
    draft.take(wire.StepTaken(step="search", detail="кто чинит бойлер\n· Дом/Бойлер.md\x1b[2J"))
    assert "Searching: кто чинит бойлер …" in shown(draft)
    assert "Бойлер.md" not in shown(draft)
    draft.take(wire.TextPiece(text="Бойлер чинит сосед."))
    draft.take(wire.StepTaken(step="revise", detail="2 passages more."))
    draft.take(wire.TextPiece(text="Бойлер чинит Давид."))
    assert "сосед" not in shown(draft)
    assert "Давид" in shown(draft)
