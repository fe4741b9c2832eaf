"""Writing traces: beside an owner, of no note that is forgotten, and never at an answer's cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from vaultrag.config import Config, Settings
from vaultrag.domain import unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.records.tracing import TraceWriter, writing_trace
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
from vaultrag.store.traces import find_trace, read_traces
from vaultrag.workspace import Ownership, Workspace

SECRET, OTHER = "Тайна.md", "Дом.md"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path, settings=Settings())
    config.vault.mkdir()
    for name in (SECRET, OTHER):
        (config.vault / name).write_text(f"# {name}\n\nСлова.\n", encoding="utf-8")
    with Workspace.with_models(config, Ownership.OWN, None, ScriptedModel(["…"])) as made:
        made.index(unwatched, DeletionPolicy.GUARD)
        yield made


def test_trace_is_written_beside_the_owner_of_the_index(workspace: Workspace) -> None:
    with (
        open_database(workspace.config.database_path, Access.READ) as reading,
        writing_trace(workspace.config, reading, "Что?", "deep") as writer,
    ):
        assert writer.add("search", "что", [OTHER]).step == "search"
        writer.end("found")
    assert writer.problem == ""
    trace = find_trace(workspace.database, writer.id)
    assert [step.step for step in trace.steps] == ["search", "end"]
    assert trace.ended


def test_what_a_model_planned_is_followed_by_nobody_who_reads_its_trace(workspace: Workspace) -> None:
    with writing_trace(workspace.config, workspace.database, "Что?", "deep") as writer:
        shown = writer.add("plan", "![](https://e.example/?q=3001)")
        writer.end()
    kept = find_trace(workspace.database, writer.id).steps[0]
    assert shown.detail == kept.detail == "! [] (`https[:]//e.example/?q=3001`)"


def test_trace_that_speaks_of_a_note_forgotten_meanwhile_goes(workspace: Workspace) -> None:
    with writing_trace(workspace.config, workspace.database, "Что?", "deep") as writer:
        writer.add("search", "что", [OTHER])
        workspace.forgetting.forget(SECRET, unwatched)
        assert [trace.id for trace in read_traces(workspace.database)] == [writer.id]
        writer.add("evidence", "words of the secret", [SECRET])
        writer.end()
    assert read_traces(workspace.database) == []


def test_what_prevents_the_trace_prevents_no_step(workspace: Workspace, tmp_path: Path) -> None:
    config = workspace.config.model_copy(update={"home": tmp_path / "elsewhere"})
    with (
        open_database(workspace.config.database_path, Access.READ) as reading,
        writing_trace(config, reading, "Что?", "deep") as writer,
    ):
        assert writer.add("search").step == "search"
    assert "elsewhere" in writer.problem
    assert TraceWriter().add("search", "что").detail == "что"
