"""Which embedder answers in an open vault while another one takes over, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.indexing.embedders import NEW, OLD, Countdown
from vaultrag.config import Config, Settings
from vaultrag.domain import Embedder, SearchResult
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace import Ownership, Workspace

QUESTION = "что с закваской, sourdough"


@pytest.fixture
def config(vault: Path, home: Path) -> Config:
    for number in range(70):
        (vault / f"{number}.md").write_text(f"заметка {number} about bread", encoding="utf-8")
    (vault / "Хлеб.md").write_text("Закваска стоит на столе.", encoding="utf-8")
    return Config(vault=vault, home=home, models=home, settings=Settings())


def opened(config: Config, embedder: Embedder, *earlier: Embedder) -> Workspace:
    return Workspace(config, Ownership.OWN, ModelPool.given(config, embedder, None, earlier))


def indexed(config: Config, embedder: Embedder, *earlier: Embedder) -> None:
    with opened(config, embedder, *earlier) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)


def first(result: SearchResult) -> str:
    return result.passages[0].chunk.path


@pytest.mark.slow
def test_earlier_embedder_answers_until_the_new_one_is_complete(config: Config) -> None:
    old, new = HashEmbedder(OLD), HashEmbedder(NEW, dimension=32)
    indexed(config, old)
    with opened(config, new, old) as workspace:
        workspace.owed.embed(lambda *_: None, Countdown(1))
        status = workspace.status()
        assert status.succession is not None
        assert 0 < status.succession.done < status.succession.total == 71
        assert status.embeddings == 71
        assert status.pending == 0
        found = workspace.search(QUESTION, 3)
        assert "vector" in found.lanes
        assert found.warnings == ()
        assert first(found) == "Хлеб.md"
        workspace.owed.embed(lambda *_: None, lambda: False)
        assert workspace.status().succession is None
        found = workspace.search(QUESTION, 3)
        assert "vector" in found.lanes
        assert found.warnings == ()
        assert first(found) == "Хлеб.md"
    assert len(new.texts) == len(set(new.texts)) == 71


@pytest.mark.slow
def test_without_the_earlier_embedder_words_answer_and_the_reason_is_said(config: Config) -> None:
    indexed(config, HashEmbedder(OLD))
    new = HashEmbedder(NEW, dimension=32)
    with opened(config, new) as workspace:
        found = workspace.search(QUESTION, 3)
        assert "vector" not in found.lanes
        assert first(found) == "Хлеб.md"
        assert len(found.warnings) == 1
        assert "no longer here" in found.warnings[0]
        workspace.owed.embed(lambda *_: None, Countdown(1))
        found = workspace.search(QUESTION, 3)
        assert "vector" in found.lanes, "what is embedded so far answers"
        assert "incomplete" in found.warnings[0]
        workspace.owed.embed(lambda *_: None, lambda: False)
        assert workspace.search(QUESTION, 3).warnings == ()


@pytest.mark.slow
def test_closing_in_the_middle_loses_nothing(config: Config) -> None:
    old, new = HashEmbedder(OLD), HashEmbedder(NEW, dimension=32)
    indexed(config, old)
    with opened(config, new, old) as workspace:
        workspace.vectors.stop()
        workspace.owed.embed(lambda *_: None, lambda: False)
        assert workspace.search(QUESTION, 3).warnings == ()
    indexed(config, new, old)
    with opened(config, new) as workspace:
        assert [finding for finding in workspace.upkeep.check() if finding.severity != "info"] == []
        assert workspace.status().embeddings == 71
