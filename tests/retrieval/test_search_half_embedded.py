"""While the embedder is at work, what it has not read yet loses nothing to what it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.retrieval.indexed_vault import indexed_vault
from vaultrag.store import embeddings
from vaultrag.workspace import Workspace

# Two languages; "MariaDB" stands in one Russian note, «сепулька» in one English one, restic in one of each.
NOTES = {
    "База.md": "# База\n\nНа сервере стоит MariaDB, копии кладёт restic.\n",
    "Strange.md": "A сепулька is what Lem never explained.\n",
    "English/Backups.md": "Restic writes every night to the cloud.\n",
    **{f"Россия/Заметка {n}.md": f"Рыба номер {n} плавает в реке, и сервер тут ни при чём.\n" for n in range(15)},
    **{f"English/Note {n}.md": f"Fish number {n} swims in the river, day after day.\n" for n in range(15)},
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with indexed_vault(tmp_path, NOTES) as opened:
        yield opened


def owe_embeddings(workspace: Workspace, *paths: str) -> None:
    """Bring the index back to where these notes are read, but not embedded yet."""
    with workspace.database.atomic():
        for path in paths:
            workspace.database.run(
                "DELETE FROM embeddings WHERE text_hash IN (SELECT text_hash FROM chunks"
                " JOIN notes ON notes.id = note_id WHERE path = ?)",
                (path,),
            )
        embeddings.advance_version(workspace.database)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("MariaDB", "База.md"),
        ("where is MariaDB", "База.md"),
        ("сепулька", "Strange.md"),
        ("что такое сепулька", "Strange.md"),
        ("restic every night", "English/Backups.md"),
    ],
)
def test_the_only_note_with_the_word_is_first_before_it_is_embedded(
    workspace: Workspace, query: str, path: str
) -> None:
    assert workspace.search(query, 8).passages[0].chunk.path == path
    owe_embeddings(workspace, path)
    assert workspace.search(query, 8).passages[0].chunk.path == path


@pytest.mark.slow
def test_a_note_not_embedded_yet_wins_nothing_by_it(workspace: Workspace) -> None:
    owe_embeddings(workspace, "База.md", *(path for path in NOTES if path.endswith(("1.md", "3.md"))))
    assert workspace.search("restic every night", 8).passages[0].chunk.path == "English/Backups.md"
    assert workspace.search("Fish number 4 swims in the river", 8).passages[0].chunk.path == "English/Note 4.md"
