"""A small vault whose notes disagree, indexed and compared; each test has its own copy."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contradictions.disagreeing import write_disagreeing
from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.config import Config, load_config
from vaultrag.domain import ClaimFinding, unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace import Ownership, Workspace


@dataclass(frozen=True, slots=True)
class Disagreeing:
    """A vault and its home, and how commands are told of them."""

    vault: Path
    home: Path

    @property
    def named(self) -> tuple[str, ...]:
        return ("--vault", str(self.vault), "--home", str(self.home))

    @property
    def config(self) -> Config:
        return load_config(self.vault, self.home)

    def opened(self, ownership: Ownership = Ownership.READ) -> Workspace:
        return Workspace.with_models(self.config, ownership, HashEmbedder(), ScriptedModel(["…"]))

    def findings(self) -> list[ClaimFinding]:
        with self.opened() as workspace:
            return workspace.findings.all("en")

    def of(self, path: str) -> ClaimFinding:
        return next(finding for finding in self.findings() if path in finding.paths)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Disagreeing:
    folder = tmp_path_factory.mktemp("disagreeing")
    found = Disagreeing(folder / "vault", folder / "home")
    write_disagreeing(found.vault)
    with found.opened(Ownership.OWN) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
    return found


@pytest.fixture(scope="session")
def compared(made: Disagreeing, tmp_path_factory: pytest.TempPathFactory) -> Disagreeing:
    folder = tmp_path_factory.mktemp("compared")
    found = Disagreeing(folder / "vault", folder / "home")
    _copy(made, found)
    with found.opened(Ownership.OWN) as workspace:
        workspace.findings.extract()
        workspace.findings.compare()
    return found


@pytest.fixture
def notes(compared: Disagreeing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disagreeing:
    """Notes that were compared."""
    return _own_copy(compared, tmp_path, monkeypatch)


@pytest.fixture
def uncompared(made: Disagreeing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disagreeing:
    """The same notes, indexed only."""
    return _own_copy(made, tmp_path, monkeypatch)


def _own_copy(made: Disagreeing, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Disagreeing:
    monkeypatch.setattr(ModelPool, "of", ModelPool.of)  # what the product's double puts there goes with this test
    own = Disagreeing(folder / "vault", folder / "home")
    _copy(made, own)
    return own


def _copy(source: Disagreeing, target: Disagreeing) -> None:
    shutil.copytree(source.vault, target.vault)  # with the times of its files
    shutil.copytree(source.home, target.home)
