"""Notes of hundreds of passages are named by `status` and `check`, with what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.domain import LongNote
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.notes import long_notes
from vaultrag.workspace import Ownership, Workspace

SENTENCE = "Номер {} говорит о сервере, о хлебе и о том, что было вчера в саду за домом у реки. "
MANY = 3  # passages, for a test


@pytest.mark.slow
def test_long_notes_are_named_with_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_notes, "MANY", MANY)
    prose = "\n\n".join(SENTENCE.format(number) * 9 for number in range(4))
    notes = {
        "Книга.md": prose + f"\n\n{prose}",
        "Код.md": "".join(f"```py\n{SENTENCE.format(n) * 9}\n```\n\n" for n in range(5)) + SENTENCE.format(0),
        "Счета.md": "| номер | о чём |\n|---|---|\n" + "".join(f"| {n} | {SENTENCE.format(n)} |\n" for n in range(60)),
        "Короткая.md": prose.split("\n\n", maxsplit=1)[0],
    }
    vault = tmp_path / "vault"
    vault.mkdir()
    for name, text in notes.items():
        (vault / name).write_text(text, encoding="utf-8")
    config = Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        found = workspace.status().long_notes
        said = [finding for finding in workspace.upkeep.check() if finding.invariant == "note-of-many-passages"]
    assert {(note.path, note.holds) for note in found} == {
        ("Книга.md", "text"),
        ("Код.md", "code"),
        ("Счета.md", "rows of tables"),
    }
    assert [note.passages for note in found] == sorted((note.passages for note in found), reverse=True)
    assert [finding.detail for finding in said] == [f"{note}." for note in found]
    assert {finding.severity for finding in said} == {"info"}
    assert "vault.ignore" in said[0].remedy


def test_a_long_note_reads_as_a_sentence() -> None:
    assert str(LongNote("Книга.md", 1234, "text")) == "Книга.md (1,234 passages, mostly text)"
