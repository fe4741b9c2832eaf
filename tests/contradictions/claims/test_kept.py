"""Claims of an indexed vault: extracted once, read as they were, at the place where their passage stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.contradictions.claims import kept
from vaultrag.contradictions.claims.extract import Extraction, claims_of_chunk
from vaultrag.contradictions.claims.kept import extract_owed, read_claims
from vaultrag.domain import Chunk
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.claims import dropped_parts
from vaultrag.store.notes.catalog import Catalog
from vaultrag.workspace import Ownership, Workspace

NOTES = {
    "Дом/Насос.md": "---\nмощность: 300 Вт\n---\n# Насос\n\nС мая 2023 стоит в подвале, 120 €.\n\nСколько он берёт?\n",
    "House/Pump.md": "The pump takes 280 W. The pump takes 280 W.\n\n| Part | Price |\n|---|---|\n| filter | €12 |\n",
    "Дневник/2024-05-05.md": "Мама говорит, насос шумит. Собираюсь заменить насос на новый за 200 €.\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    vault = tmp_path / "vault"
    for path, text in NOTES.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, encoding="utf-8")
    config = Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as made:
        index(made)
        yield made


def index(workspace: Workspace) -> None:
    workspace.index(lambda *_: None, DeletionPolicy.GUARD)


def test_claims_are_read_as_they_were_extracted(workspace: Workspace) -> None:
    database = workspace.database
    assert extract_owed(database) > 0
    ids = database.column("SELECT id FROM chunks ORDER BY note_id, ordinal")
    chunks = Catalog(database).chunks_by_row_ids(ids)
    fresh = [claim for id_ in ids for claim in claims_of_chunk(chunks[id_].chunk, chunks[id_].title).claims]
    assert read_claims(database) == fresh
    assert {claim.path for claim in fresh} == set(NOTES)
    assert dropped_parts(database) == {"question": 1}


def test_nothing_is_extracted_twice(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    extract_owed(workspace.database)
    seen: list[str] = []

    def watched(chunk: Chunk, title: str) -> Extraction:
        seen.append(chunk.path)
        return claims_of_chunk(chunk, title)

    monkeypatch.setattr(kept, "claims_of_chunk", watched)
    index(workspace)
    assert extract_owed(workspace.database) == 0
    pump = workspace.config.vault / "House/Pump.md"
    pump.write_text(f"A new first line.\n\n{NOTES['House/Pump.md']}\n\n## More\n\nIt is blue.\n", encoding="utf-8")
    index(workspace)
    extract_owed(workspace.database)
    assert set(seen) == {"House/Pump.md"}


def test_claim_stands_where_its_passage_has_gone(workspace: Workspace) -> None:
    extract_owed(workspace.database)
    [before] = [claim for claim in read_claims(workspace.database, "Дом/Насос.md") if "120" in claim.quote]
    note = workspace.config.vault / "Дом/Насос.md"
    note.write_text(note.read_text(encoding="utf-8").replace("# Насос\n", "\n\n# Насос\n"), encoding="utf-8")
    index(workspace)
    extract_owed(workspace.database)
    [after] = [claim for claim in read_claims(workspace.database, "Дом/Насос.md") if "120" in claim.quote]
    assert after.span.first_line == before.span.first_line + 2
    assert after.key == before.key


def test_work_that_is_cut_short_is_taken_up_again(workspace: Workspace) -> None:
    assert extract_owed(workspace.database, most=1) == 1
    some = read_claims(workspace.database)
    extract_owed(workspace.database)
    everything = read_claims(workspace.database)
    assert 0 < len(some) < len(everything)
    assert [claim for claim in everything if claim in some] == some


def test_note_that_moves_keeps_the_keys_of_its_claims(workspace: Workspace) -> None:
    extract_owed(workspace.database)
    before = {claim.key for claim in read_claims(workspace.database, "House/Pump.md")}
    vault = workspace.config.vault
    (vault / "Cellar").mkdir()
    (vault / "House/Pump.md").rename(vault / "Cellar/Pump.md")
    index(workspace)
    extract_owed(workspace.database)
    assert {claim.key for claim in read_claims(workspace.database, "Cellar/Pump.md")} == before
