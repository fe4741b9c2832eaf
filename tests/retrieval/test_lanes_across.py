"""What the nearest passages in the question's language speak of is looked for in the other language."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace

LIKE = "grafana loki"
VAULTS = {
    "ru": ("Наблюдение за нашим сервером: {}.", "Лодка номер {} в сарае.", "The box {} lies below the old stairs."),
    "en": ("Watching over our own server: {}.", "Boat number {} in the barn.", "Коробка {} внизу, под лестницей."),
}
QUESTIONS = {"ru": "наблюдение за сервером", "en": "watching our server"}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_note_in_the_other_language_is_found_by_what_its_like_says(tmp_path: Path, language: str) -> None:
    like, own, other = VAULTS[language]
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "like.md").write_text(like.format(LIKE), encoding="utf-8")
    (vault / "z wanted.md").write_text(other.format(LIKE), encoding="utf-8")
    for number in range(30):
        (vault / f"own {number}.md").write_text(own.format(number), encoding="utf-8")
        (vault / f"other {number}.md").write_text(other.format(f"n{number}"), encoding="utf-8")
    config = Config(vault=vault, home=tmp_path / "home", models=tmp_path, settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(dimension=8192), None) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        found = [passage.chunk.path for passage in workspace.search(QUESTIONS[language], 12).passages]
    assert found[0] == "like.md"
    assert next(path for path in found if not path.startswith(("own", "like"))) == "z wanted.md"
