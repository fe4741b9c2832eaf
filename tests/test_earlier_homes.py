"""A home that an earlier version made is opened as it is: found, read, checked, and nothing of it embedded anew."""

from __future__ import annotations

import contextlib
import sqlite3
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.config import Config, load_config
from vaultrag.domain import QuoteState, SettingsFate, VerdictState, unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.records.export import import_records, preview_import
from vaultrag.store.exclusions import read_exclusions
from vaultrag.workspace import Ownership, Workspace

HOMES = sorted((Path(__file__).parent / "homes").glob("*.tar.gz"))
BOILER, MAYAK = "Дом/Бойлер.md", "Servers/mayak.md"


@dataclass(frozen=True, slots=True)
class Earlier:
    """An unpacked home, with the texts that it holds embeddings of."""

    config: Config
    export: Path
    embedded: frozenset[str]
    embedder: HashEmbedder

    @contextlib.contextmanager
    def opened(self, home: Path | None = None) -> Iterator[Workspace]:
        config = self.config if home is None else load_config(self.config.vault, home)
        with Workspace.with_models(config, Ownership.OWN, self.embedder, ScriptedModel(["…"])) as workspace:
            yield workspace


@pytest.fixture(params=HOMES, ids=lambda path: path.name.partition(".")[0])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Earlier:
    with tarfile.open(request.param) as packed:
        packed.extractall(tmp_path, filter="tar")  # with the rights that a copy keeps
    config = load_config(tmp_path / "vault", tmp_path / "home")
    with contextlib.closing(sqlite3.connect(config.database_path)) as database:
        texts = frozenset(text for (text,) in database.execute("SELECT embedded FROM chunks"))
    return Earlier(config, tmp_path / "export.jsonl.gz", texts, HashEmbedder())


def _paths(workspace: Workspace, query: str) -> list[str]:
    return [passage.chunk.path for passage in workspace.search(query, 3).passages]


@pytest.mark.slow
def test_earlier_home_is_searched_before_anything_is_indexed(earlier: Earlier) -> None:
    with earlier.opened() as workspace:
        assert _paths(workspace, "картридж в бойлере")[0] == BOILER
        assert _paths(workspace, "nightly restic backup")[0] == MAYAK
        assert not any(path.startswith("Личное/") for path in _paths(workspace, "код от сейфа"))
    assert earlier.embedder.texts == []
    assert earlier.config.settings.search.per_note == 2


@pytest.mark.slow
def test_index_run_embeds_no_text_anew_and_leaves_a_clean_home(earlier: Earlier) -> None:
    assert len(earlier.embedded) == 4
    with earlier.opened() as workspace:
        report = workspace.index(unwatched, DeletionPolicy.GUARD)
        assert (report.notes, report.added, report.removed, report.failed) == (4, 0, 0, ())
        assert not earlier.embedded & set(earlier.embedder.texts)
        assert workspace.upkeep.check_deep(unwatched) == []
        assert _paths(workspace, "картридж в бойлере")[0] == BOILER
        assert _paths(workspace, "nightly restic backup")[0] == MAYAK
        assert not any(path.startswith("Личное/") for path in _paths(workspace, "код от сейфа"))
        assert workspace.index(unwatched, DeletionPolicy.GUARD).embedded == 0


def _assert_records(workspace: Workspace) -> None:
    archive = workspace.archive
    by_chat = {saved.chat: saved for saved in archive.answers()}
    assert sorted(by_chat) == ["", "servers", "дом"]
    assert by_chat["servers"].answer.question == "When does the restic backup of mayak run?"
    shown = archive.show(by_chat["дом"].id)
    assert [(citation.path, citation.quote) for citation in shown.saved.answer.citations] == [
        (BOILER, "Картридж в бойлере поменяли 12 мая 2024 года.")
    ]
    assert [source.state for source in shown.sources] == [QuoteState.STANDS]
    assert [(chat.name, chat.turns) for chat in archive.chats()] == [("servers", 1), ("дом", 1)]
    verdict = archive.verdicts()["спор-1"]
    assert (verdict.state, verdict.paths, verdict.until) == (VerdictState.SNOOZED, (BOILER, MAYAK), "2027-01-10")
    assert read_exclusions(workspace.database).covers("Личное/Секрет.md")


def test_answers_chats_verdicts_and_exclusions_of_an_earlier_home_are_read(earlier: Earlier) -> None:
    with earlier.opened() as workspace:
        _assert_records(workspace)


@pytest.mark.slow
def test_earlier_journal_alone_brings_the_records_back(earlier: Earlier) -> None:
    for file in earlier.config.home.glob("index.sqlite3*"):
        file.unlink()
    with earlier.opened() as workspace:
        _assert_records(workspace)
        assert workspace.index(unwatched, DeletionPolicy.GUARD).notes == 4  # what was forgotten stays out


def test_earlier_exported_file_is_imported(earlier: Earlier, tmp_path: Path) -> None:
    home = tmp_path / "another"
    config = load_config(earlier.config.vault, home)
    assert import_records(config, earlier.export).settings is SettingsFate.TAKEN
    with earlier.opened(home) as workspace:
        _assert_records(workspace)


def test_earlier_exported_file_brings_its_own_home_nothing_new(earlier: Earlier) -> None:
    with earlier.opened():
        pass  # a look alone brings no home up to this version
    report = preview_import(earlier.config, earlier.export)
    assert (report.added, report.replaced, report.deleted, report.settings) == (0, 0, 0, SettingsFate.SAME)
