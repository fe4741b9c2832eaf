"""Passages of equal score come in the order of their paths and lines, whenever each was indexed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Reach, Workspace

COPIES = {f"Копия {n:03}.md": "Закваска и вода. См. [[Хлеб]], [[Мука]].\n" for n in range(200)}
NOTES = {
    **COPIES,
    "Хлеб.md": "Печь при 230 градусах.\n",
    "Мука.md": "Печь при 230 градусах.\n",
    "A/Рынок.md": "---\naliases: [базар]\n---\nСыр.\n",
    "B/Рынок.md": "---\naliases: [базар]\n---\nСыр.\n",
}


def found(tmp_path: Path, name: str, order: list[str], queries: list[tuple[str, Reach]]) -> list[list[str]]:
    """Index the notes in two runs, the first half of them in the first; return what each query finds."""
    vault = tmp_path / name
    config = Config(vault=vault, home=tmp_path / f"{name}-home", models=tmp_path, settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as workspace:
        for part in (order[: len(order) // 2], order[len(order) // 2 :]):
            for path in part:
                (vault / path).parent.mkdir(parents=True, exist_ok=True)
                (vault / path).write_text(NOTES[path], encoding="utf-8")
            workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        return [
            [passage.chunk.path for passage in workspace.search(query, 12, reach).passages] for query, reach in queries
        ]


@pytest.mark.slow
def test_two_indexes_of_one_vault_find_the_same_in_the_same_order(tmp_path: Path) -> None:
    asked = ("закваска", "базар", "рынок", "печь", "вода 230")
    queries = [(query, reach) for query in asked for reach in (Reach.WORDS, Reach.FULL)]
    forth = found(tmp_path, "forth", list(NOTES), queries)
    back = found(tmp_path, "back", list(NOTES)[::-1], queries)
    assert forth == back
    assert forth[0][:5] == sorted(COPIES)[:5]  # then links follow
