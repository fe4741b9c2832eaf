"""A home keeps the embedder that its settings name, whatever else lies in the models folder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.runtime.small_models import small_e5, write_tokenizer
from vaultrag.config import load_config
from vaultrag.domain import Role
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.models import e5
from vaultrag.runtime.models.catalogue import load_catalogue
from vaultrag.runtime.models.combinations import role_map
from vaultrag.runtime.models.manifest import write_manifest
from vaultrag.workspace import Ownership, Workspace

SMALL, FULL = "multilingual-e5-small", "multilingual-e5-small-f32"


def install(models: Path, name: str, seed: int) -> None:
    """Lay a tiny embedder into the models folder, as a pull leaves one."""
    entry, folder = load_catalogue(models)[name], models / name
    weights, tokenizer = models / "weights.bin", models / "tokenizer.json"
    models.mkdir(exist_ok=True)
    weights.write_bytes(small_e5(seed).data)
    write_tokenizer(tokenizer)
    e5.convert(weights, tokenizer, folder, entry.prompts)
    write_manifest(folder, entry.sources[0].origin, {})


@pytest.mark.slow
def test_an_embedder_that_became_available_embeds_no_home_anew(
    vault: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    monkeypatch.setenv("VAULTRAG_MODELS", str(models))
    (vault / "Сад.md").write_text("Яблоня посажена у забора.", encoding="utf-8")
    (vault / "Port.md").write_text("nginx listens on the port.", encoding="utf-8")
    install(models, SMALL, seed=7)
    with closing(Workspace.open(load_config(vault, home), Ownership.OWN)) as workspace:
        first = workspace.index(lambda *_: None, DeletionPolicy.GUARD)
    install(models, FULL, seed=8)
    with closing(Workspace.open(load_config(vault, home), Ownership.OWN)) as workspace:
        second = workspace.index(lambda *_: None, DeletionPolicy.GUARD)
    assert first.embedded == 2
    assert second.embedded == 0


def test_the_embedder_of_a_home_is_the_one_that_its_settings_name(vault: Path, home: Path) -> None:
    config = load_config(vault, home)
    assert role_map(config.settings, config.models).model_of(Role.EMBED) == SMALL
