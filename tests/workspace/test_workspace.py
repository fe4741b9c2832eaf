"""One open vault: what it says of itself."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.config import Config, Settings
from vaultrag.domain import AnswerReady, Manner, Mode, Vectors
from vaultrag.errors import DiskFull, UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace
from vaultrag.workspace.readiness import ModelState


class NoRoom(HashEmbedder):
    def embed_query(self, text: str) -> Vectors:
        raise DiskFull("No space is left.", "Free some.")


def test_whatever_goes_wrong_while_warming_is_told_as_failed(tmp_path: Path) -> None:
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, NoRoom(), None) as workspace:
        workspace.warm()
        for thread in threading.enumerate():
            if thread.name.startswith("warm "):
                thread.join()
        assert workspace.health.readiness().embedder is ModelState.FAILED


@pytest.mark.parametrize("scope", ['path:"Дача/"', "tag:garden", 'path:"Дом/" tag:garden'])
def test_scope_that_holds_no_note_is_an_error_and_no_answer(tmp_path: Path, scope: str) -> None:
    (tmp_path / "vault" / "Дом").mkdir(parents=True)
    (tmp_path / "vault" / "Дом" / "Бойлер.md").write_text("Картридж поменяли 12 мая.\n", encoding="utf-8")
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        with pytest.raises(UsageError, match="No note that is indexed meets"):
            workspace.ask("Когда поменяли картридж?", manner=Manner(scope))
        *_, last = workspace.ask("Когда поменяли картридж?", manner=Manner('path:"Дом/"'))
        assert isinstance(last, AnswerReady)
        assert [citation.path for citation in last.answer.citations] == ["Дом/Бойлер.md"]


@pytest.mark.parametrize("mode", [Mode.QUICK, Mode.DEEP, Mode.CASCADE])
def test_question_about_the_vault_itself_is_answered_from_the_catalogue_in_every_mode(
    tmp_path: Path, mode: Mode
) -> None:
    (tmp_path / "vault" / "Books").mkdir(parents=True)
    for name in ("Dune", "Emma"):
        (tmp_path / "vault" / "Books" / f"{name}.md").write_text("---\ntype: book\n---\nA novel.\n", encoding="utf-8")
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), ScriptedModel(["No."])) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        *_, last = workspace.ask("list my books", manner=Manner(mode=mode))
        assert isinstance(last, AnswerReady)
        assert last.answer.listing is not None
        assert {one.path for one in last.answer.listing.citations} == {"Books/Dune.md", "Books/Emma.md"}


def test_list_is_a_guess_as_long_as_a_note_must_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "vault" / "Books").mkdir(parents=True)
    (tmp_path / "vault" / "Books" / "Dune.md").write_text("---\ntype: book\n---\nA novel.\n", encoding="utf-8")
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, None, None) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        read = workspace.list_notes("list my books", date(2026, 3, 11))
        workspace.database.run("UPDATE notes SET recipe = ''")
        owed = workspace.list_notes("list my books", date(2026, 3, 11))
    assert read is not None
    assert owed is not None
    assert (read.sure, owed.sure) == (True, False)
