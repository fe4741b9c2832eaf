"""Commands that are killed at random points lose nothing, double nothing, and leave an index that is sound."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.index_content import Expected, content, differences, embedding_faults, fresh_content
from tests.living_vault import LivingVault
from vaultrag.config import Config, Settings
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.opening import open_database
from vaultrag.workspace import Ownership, Workspace

counts_calls = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="counts system calls by a library that it compiles"
)


def kill(scratch: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "tests.kill_harness", "--scratch", str(scratch), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.slow
@counts_calls
@pytest.mark.parametrize(("operation", "kills"), [("index", 8), ("watch", 4), ("serve", 4), ("repair", 4)])
def test_killed_commands_lose_and_double_nothing(tmp_path: Path, operation: str, kills: int) -> None:
    kill(tmp_path, "--kills", str(kills), "--seed", "1", "--operations", operation)


@counts_calls
@pytest.mark.models
@pytest.mark.long
def test_kills_with_the_real_embedder(tmp_path: Path, models_dir: Path) -> None:
    kill(tmp_path, "--kills", "20", "--seed", "1", "--operations", "index,watch", "--models", str(models_dir))


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("indexed")
    config = Config(vault=root / "vault", home=root / "home", models=root / "models", settings=Settings())
    LivingVault(config.vault, random.Random(3)).create(12)
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
    return config


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks)", "chunks: 1 lost"),
        ("UPDATE links SET target_path = 'elsewhere.md' WHERE id = (SELECT min(id) FROM links)", "links: 1 too many"),
        ("INSERT INTO keywords (keywords, rowid, stems) SELECT 'delete', id, stems FROM chunks LIMIT 1", "words: "),
        ("DELETE FROM embeddings WHERE id = (SELECT min(id) FROM embeddings)", "embeddings: lacks 1"),
        ("UPDATE embeddings SET vector = zeroblob(256) WHERE id = 1", "is wrong"),
        ("INSERT INTO outbox (key, queued_at) VALUES ('x', 0)", "outbox: 1 left"),
    ],
)
def test_comparison_sees_what_a_kill_could_do(indexed: Config, tmp_path: Path, damage: str, said: str) -> None:
    damaged = indexed.model_copy(update={"home": Path(shutil.copytree(indexed.home, tmp_path / "home"))})
    path, expected = damaged.database_path, Expected()
    with open_database(path) as database:
        chroma = database.column("SELECT text_hash FROM embeddings")
        assert faults(damaged, tmp_path, expected, chroma) == []
        database.run(damage)
    assert said in " ".join(faults(damaged, tmp_path, expected, chroma))


def faults(config: Config, scratch: Path, expected: Expected, chroma: list[str]) -> list[str]:
    path = config.database_path
    different = differences(content(path), fresh_content(config, scratch / "fresh"))
    return different + embedding_faults(path, expected, chroma)
