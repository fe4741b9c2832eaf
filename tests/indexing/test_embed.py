"""The outbox drained into vectors: in order, stoppable, past texts that kill, by an embedder that may be another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.indexing.embedders import NEW, OLD, Countdown
from tests.indexing.indexed import broken, drain, index, put
from vaultrag.config import Config, Settings
from vaultrag.domain import Vectors
from vaultrag.errors import ModelCrashed
from vaultrag.indexing.embed import drain_outbox, never
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.opening import open_database
from vaultrag.store.vectors import succession
from vaultrag.store.vectors.chroma import ChromaIndex
from vaultrag.store.vectors.index import VectorIndex


@pytest.fixture
def config(vault: Path, home: Path) -> Config:
    return Config(vault=vault, home=home, models=home, settings=Settings())


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_database(config.database_path) as opened:
        yield opened


def write_notes(config: Config, count: int, text: str = "text number {}") -> None:
    for number in range(count):
        path = put(config, f"{number}.md", text.format(number))
        os.utime(path, (number, number))


def test_stopped_between_batches_another_drain_goes_on(config: Config, database: Database) -> None:
    write_notes(config, 100)
    index(config, database)
    embedder = HashEmbedder()
    vectors = VectorIndex(database, embedder.fingerprint).open()
    done = drain_outbox(database, embedder, vectors, lambda *_: None, stop=Countdown(1))
    assert 0 < done < 100
    assert embeddings.owed_count(database) == 100 - done
    assert drain(database, embedder) == 100 - done
    assert embeddings.owed_count(database) == 0


@pytest.mark.slow
def test_what_was_edited_last_or_is_linked_most_is_embedded_first(config: Config, database: Database) -> None:
    for number in range(600):
        hour = number * 3600
        os.utime(put(config, f"{number}.md", f"{'[[5]] ' * (number < 9)}note{number:03}"), (hour, hour))
    index(config, database)
    embedder = HashEmbedder()
    drain(database, embedder)
    window = {text[-3:] for text in embedder.texts[:512]}
    assert window == {"005", *(f"{number:03}" for number in range(600 - 511, 600))}, "its links make 5 younger"


@dataclass(slots=True)
class Editing(HashEmbedder):
    """Somebody edits a note while the third batch is embedded."""

    edit: list[object] = field(default_factory=list)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if len(self.texts) >= 64 and self.edit:
            self.edit.pop()()  # type: ignore[operator]
        return HashEmbedder.embed_passages(self, texts)


@pytest.mark.slow
def test_edit_goes_before_the_backlog(config: Config, database: Database) -> None:
    write_notes(config, 520)
    index(config, database)

    def edit() -> None:
        with open_database(config.database_path) as other:
            put(config, "7.md", "edited just now")
            index(config, other)

    embedder = Editing(edit=[edit])
    assert drain(database, embedder) == 520
    place = embedder.texts.index("edited just now")
    assert 64 < place < 520 - 64
    assert embeddings.owed_count(database) == 0
    assert broken(database) == []


@dataclass(slots=True)
class Fragile(HashEmbedder):
    """Dies of any text that holds its word."""

    word: str = "смертельно"

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if any(self.word in text for text in texts):
            raise ModelCrashed("The embedder's process ended, twice in a row.", "Run the command again.")
        return HashEmbedder.embed_passages(self, texts)


def test_text_that_kills_the_embedder_is_set_aside_and_the_others_go_on(config: Config, database: Database) -> None:
    write_notes(config, 70)
    put(config, "плохая.md", "смертельно для модели")
    put(config, "bad.md", "also смертельно")
    index(config, database)
    embedder = Fragile()
    drain(database, embedder)
    assert embeddings.embedding_count(database, embedder.fingerprint) == 70
    assert embeddings.owed_count(database) == 0
    assert embeddings.notes_set_aside(database) == ["bad.md", "плохая.md"]
    findings = broken(database)
    assert len(findings) == 1
    assert "bad.md, плохая.md" in findings[0]
    put(config, "bad.md", "now harmless")
    index(config, database)
    drain(database, embedder)
    assert embeddings.notes_set_aside(database) == ["плохая.md"]
    embeddings.try_again(database)
    assert drain(database, HashEmbedder()) == 1
    assert broken(database) == []


def test_embedder_that_fails_at_everything_is_an_error_and_sets_nothing_aside(
    config: Config, database: Database
) -> None:
    write_notes(config, 5)
    index(config, database)
    with pytest.raises(ModelCrashed):
        drain(database, Fragile(word=""))
    assert embeddings.notes_set_aside(database) == []
    assert embeddings.owed_count(database) == 5


def take_turns(
    database: Database,
    embedder: HashEmbedder,
    earlier: HashEmbedder | None,
    steps: int | None = None,
    root: Path | None = None,
) -> VectorIndex:
    """Drain as a process does that starts with these embedders; return what answered."""
    chosen = succession.chosen(database, embedder.fingerprint, earlier.fingerprint if earlier else "")
    answering = earlier if earlier is not None and chosen == earlier.fingerprint else embedder
    chroma = ChromaIndex(root, answering.fingerprint, answering.dimension) if root else None
    vectors = VectorIndex(database, answering.fingerprint, chroma).open()
    stop = never if steps is None else Countdown(steps)
    drain_outbox(database, embedder, vectors, lambda *_: None, earlier=earlier, stop=stop)
    vectors.close()
    return vectors


def fingerprints(database: Database) -> dict[str, int]:
    return dict(database.rows("SELECT fingerprint, count(*) FROM embeddings GROUP BY 1"))


@pytest.mark.slow
def test_changed_embedder_takes_over_when_it_is_complete(config: Config, database: Database) -> None:
    write_notes(config, 100)
    index(config, database)
    old, new, root = HashEmbedder(OLD), HashEmbedder(NEW, dimension=32), config.chroma_path
    take_turns(database, old, None, root=root)
    take_turns(database, new, old, steps=2)
    state = succession.succession(database)
    assert state is not None
    assert 0 < state.done < state.total == 100
    assert fingerprints(database) == {OLD: 100, NEW: state.done}
    assert succession.answering(database) == OLD
    assert opened(database, old, root), "Chroma answers by the old vectors as before"
    put(config, "100.md", "came meanwhile")
    (config.vault / "0.md").unlink()
    index(config, database)
    take_turns(database, new, old, root=root)
    assert succession.answering(database) == NEW
    assert succession.succession(database) is None
    assert fingerprints(database) == {NEW: 100}
    assert len(new.texts) == len(set(new.texts))
    assert opened(database, new, root), "its Chroma was built before it took over"
    assert len(list(root.glob("gen-*"))) == 1


def opened(database: Database, embedder: HashEmbedder, root: Path) -> bool:
    """Say whether Chroma answers by this embedder's vectors, and nothing is broken."""
    vectors = VectorIndex(database, embedder.fingerprint, ChromaIndex(root, embedder.fingerprint, embedder.dimension))
    healthy = vectors.open().healthy and not vectors.rebuild_owed
    assert broken(database, vectors) == []
    vectors.close()
    return healthy


def test_change_during_a_takeover_is_found_by_the_old_vectors_too(config: Config, database: Database) -> None:
    write_notes(config, 100)
    index(config, database)
    old, new = HashEmbedder(OLD), HashEmbedder(NEW, dimension=32)
    take_turns(database, old, None)
    put(config, "100.md", "came meanwhile")
    index(config, database)
    take_turns(database, new, old, steps=2)
    assert succession.answering(database) == OLD
    assert fingerprints(database)[OLD] == 101
    assert embeddings.owed_count(database) == 0


def test_changing_back_midway_costs_nothing(config: Config, database: Database) -> None:
    write_notes(config, 100)
    index(config, database)
    old, new = HashEmbedder(OLD), HashEmbedder(NEW, dimension=32)
    take_turns(database, old, None)
    take_turns(database, new, old, steps=2)
    put(config, "100.md", "came meanwhile")
    index(config, database)
    again = HashEmbedder(OLD)
    take_turns(database, again, None)
    assert again.texts == ["came meanwhile"]
    assert succession.succession(database) is None
    assert fingerprints(database) == {OLD: 101}
    assert broken(database) == []


def test_embedder_whose_files_are_gone_is_followed_at_once(config: Config, database: Database) -> None:
    write_notes(config, 100)
    index(config, database)
    take_turns(database, HashEmbedder(OLD), None)
    new = HashEmbedder(NEW, dimension=32)
    take_turns(database, new, None, steps=1)
    assert succession.answering(database) == NEW
    assert embeddings.owed_count(database) == 100 - fingerprints(database)[NEW]
    back = HashEmbedder(OLD)
    take_turns(database, back, new)
    assert back.texts == [], "the old vectors were kept, and are nearer to complete"
    assert fingerprints(database) == {OLD: 100}
    assert broken(database) == []


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="ends processes")
@pytest.mark.parametrize("step", ["begin", "prove", "publish", "remove"])
def test_killed_while_chroma_is_built_another_run_takes_over(config: Config, step: str) -> None:
    write_notes(config, 5)
    script = [sys.executable, "-m", "tests.crash_runner", "--building", step, str(config.vault), str(config.home)]
    root = Path(__file__).parents[2]
    assert subprocess.run(script, cwd=root, check=False).returncode == 9
    script[4] = "never"
    assert subprocess.run(script, cwd=root, check=False).returncode == 0
    with open_database(config.database_path) as database:
        assert fingerprints(database) == {NEW: 5}
        assert succession.answering(database) == NEW
        assert opened(database, HashEmbedder(NEW, dimension=32), config.chroma_path)
    assert len(list(config.chroma_path.glob("gen-*"))) == 1
