"""A passage knows what the other notes found say in the lines that link to its note, wherever those lines stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.retrieval.indexed_vault import indexed_vault
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.domain import LinkingLine
from vaultrag.workspace import Reach, Workspace

FILLING = "\n\n".join(f"Разное {n}: " + "зима весна лето осень " * 12 for n in range(8))
NOTES = {
    "Марина.md": f"# Марина\n\nМарина рисует.\n\n{FILLING}\n\n"
    "## Ещё\n\nДела. Снимает угол: [[Лофт|второй этаж]]. Там холодно.\n",
    "Лофт.md": "# Лофт\n\nКод двери 4471, звонок сломан.\n",
    "Склад.md": "# Склад\n\nКод двери 9902, звонок новый.\n",
    "Nadia.md": '---\nworkshop: "[[Kiln]]"\n---\n# Nadia\n\nNadia plays the cello.\n',
    "Kiln.md": "# Kiln\n\nThe gate code is 7719. Nadia's gate.\n\nSee [[Nadia]].\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with indexed_vault(tmp_path, NOTES) as opened:
        yield opened


@pytest.mark.slow
def test_the_sentence_of_a_link_is_known_though_its_passage_was_not_found(workspace: Workspace) -> None:
    found = workspace.search("Какой код двери у Марины, которая рисует?", 3, Reach.WORDS).passages
    assert not any("второй этаж" in passage.chunk.text for passage in found)
    loft = next(passage for passage in found if passage.chunk.path == "Лофт.md")
    assert loft.linked == (LinkingLine("Марина.md", "Марина", "Снимает угол: второй этаж."),)
    evidence = Evidence("Какой код двери у Марины?", found, None)
    assert "4471" in evidence.cited(evidence.quotes())[0].quote


@pytest.mark.slow
def test_properties_link_and_no_note_links_to_itself(workspace: Workspace) -> None:
    found = workspace.search("Nadia gate code cello", 4, Reach.WORDS).passages
    linked = {passage.chunk.path: passage.linked for passage in found}
    assert [(line.path, line.text) for line in linked["Kiln.md"]] == [("Nadia.md", 'workshop: "Kiln"')]
    assert [line.text for line in linked["Nadia.md"]] == ["See Nadia."]
    assert not linked.get("Склад.md")
