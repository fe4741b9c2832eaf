"""Flipped bits in Chroma's files: each is found by `check --deep` or harmless, and `repair` brings answers back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import flips
from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace

pytestmark = pytest.mark.long

ALIKE = 0.97  # two graphs built in another order differ at the last of some hundred neighbours

WORDS = "улей датчик прошивка весы мёд router backup queue garden window осень пасека сигнал зима дом stone".split()
QUERIES = ("улей осень", "backup window", "сигнал датчик зима", "garden stone", "мёд и весы", "письмо", "router queue")


def opened(folder: Path) -> Workspace:
    return Workspace.with_models(flips.config_of(folder), Ownership.OWN, HashEmbedder(), ScriptedModel(["-"]))


def answers(workspace: Workspace) -> set[tuple[str, str, str]]:
    """Return the first ten passages of every query."""
    return {
        (query, found.chunk.path, found.chunk.text)
        for query in QUERIES
        for found in workspace.search(query, 10).passages
    }


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough passages that Chroma keeps them in its graph's files."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "vault").mkdir()
    for note in range(30):
        parts = [
            f"# Глава {note} {part}\n\n{WORDS[part % 16]} {WORDS[note % 16]} {WORDS[note * part % 16]} {part}.\n"
            for part in range(40)
        ]
        (folder / "vault" / f"Заметка {note}.md").write_text("\n".join(parts), encoding="utf-8")
    with opened(folder) as workspace:
        report = workspace.index(lambda *_: None, DeletionPolicy.GUARD)
    assert report.embedded > 1000
    assert list((folder / "home").glob("chroma/gen-*/*/data_level0.bin"))
    return folder


FILES = ("current", "gen-*/stamp.json", "gen-*/chroma.sqlite3", "gen-*/*/data_level0.bin", "gen-*/*/link_lists.bin",
         "gen-*/*/header.bin", "gen-*/*/length.bin", "gen-*/*/index_metadata.pickle")  # fmt: skip


@pytest.mark.parametrize("pattern", FILES)
def test_bits_of_chroma(base: Path, tmp_path: Path, pattern: str) -> None:
    with opened(base) as workspace:
        expected = answers(workspace)
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "vault").symlink_to(base / "vault")
        shutil.copytree(base / "home", folder / "home")
        path = next(iter((folder / "home" / "chroma").glob(pattern)), None)
        if path is None or not path.stat().st_size:
            pytest.skip("Chroma has no such file")
        place = flips.places(path, 1, seed=number)[0]
        flips.flip(path, *place)
        with opened(folder) as workspace:
            harmless = agrees(answers(workspace), expected)
            found = workspace.upkeep.check_deep(lambda *_: None)
            findings = [finding for finding in found if finding.severity != "info"]
            assert findings or harmless, f"{path.name} at {place}"
        with opened(folder) as workspace:
            report = workspace.upkeep.repair(lambda *_: None)
            assert [finding for finding in report.left if finding.severity != "info"] == []
            assert agrees(answers(workspace), expected), f"{path.name} at {place}"


def agrees(found: set[tuple[str, str, str]], expected: set[tuple[str, str, str]]) -> bool:
    """Tell whether the answers are the same, but for what two builds of one approximate graph differ in."""
    return len(found & expected) >= ALIKE * len(expected)
