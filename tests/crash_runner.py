"""Runs the product's own indexing in processes that die before their n-th write, then again, and compares.

`python -m tests.crash_runner SCRATCH` tries every n and prints how many there were; a difference is an error.
`python -m tests.crash_runner --in-chroma VAULT HOME` indexes once and dies when Chroma has a batch of one key.
`python -m tests.crash_runner --building STEP VAULT HOME` changes the embedder and dies when Chroma's new generation is
at that step.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import TypeAlias, TypeVar

from tests.doubles import HashEmbedder, count_words
from vaultrag.config import Config, Settings
from vaultrag.domain import Vectors
from vaultrag.indexing.apply import apply_changes
from vaultrag.indexing.diff import diff_vault
from vaultrag.indexing.embed import drain_outbox
from vaultrag.indexing.read import Recipe
from vaultrag.store.database import Database, Row, Value
from vaultrag.store.integrity.check import check_index
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.opening import open_database
from vaultrag.store.vectors import succession
from vaultrag.store.vectors.chroma import ChromaIndex, Collection
from vaultrag.store.vectors.index import VectorIndex

DIED = 9
RECIPE = Recipe(count_words, "words", 100, 200)
NEVER = 1 << 30
CONTENT = (
    "SELECT path, title, content_hash FROM notes ORDER BY path",
    "SELECT chunk_id, ordinal, text, text_hash FROM chunks ORDER BY chunk_id",
    "SELECT notes.path, target, target_path FROM links JOIN notes ON notes.id = source_id ORDER BY 1, 2",
    "SELECT kind, name FROM names ORDER BY 1, 2",
    "SELECT note_id IS NOT NULL, tag FROM tags ORDER BY 2",
    "SELECT note_id IS NOT NULL, line, status, text, dates FROM tasks ORDER BY 2",
    "SELECT path FROM files ORDER BY 1",
    "SELECT text_hash, fingerprint, vector FROM embeddings ORDER BY 1",
    "SELECT key FROM outbox",
    "SELECT key, value FROM meta WHERE key LIKE 'embedder%'",
)
OLD, NEW = HashEmbedder(), HashEmbedder("new-32", dimension=32)
Result = TypeVar("Result")
Drain: TypeAlias = Callable[[Database], object]


class MortalDatabase(Database):
    """Ends its process, as kill -9 does, before its n-th writing statement."""

    writes_left = NEVER

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        self.count_down()
        return super().run(sql, parameters)

    def run_many(self, sql: str, parameters: Iterable[Sequence[Value]]) -> None:
        self.count_down()
        super().run_many(sql, parameters)

    def count_down(self) -> None:
        """Count one step, and die when it is the last."""
        self.writes_left -= 1
        if self.writes_left == 0:
            os._exit(DIED)


class MortalChroma(ChromaIndex):
    """Ends its process when Chroma has taken one key, and SQLite does not know it yet."""

    def add(self, keys: Sequence[str], vectors: Vectors) -> None:
        super().add(keys, vectors)
        if len(keys) == 1:
            self.close()
            os._exit(DIED)


class MortalBuilder(ChromaIndex):
    """Ends its process just after one step of building a generation."""

    dies_after = ""

    def beside(self, fingerprint: str, dimension: int) -> ChromaIndex:
        other = MortalBuilder(self.root, fingerprint, dimension)
        other.dies_after = self.dies_after
        return other

    def begin(self, expected: int) -> Collection:
        return self._survived("begin", super().begin(expected))

    def prove(self, built: Collection) -> int:
        return self._survived("prove", super().prove(built))

    def publish(self, proven: Collection) -> None:
        self._survived("publish", super().publish(proven))

    def remove_others(self) -> None:
        self._survived("remove", super().remove_others())

    def _survived(self, step: str, result: Result) -> Result:
        if step == self.dies_after:
            os._exit(DIED)
        return result


def main(arguments: Sequence[str]) -> None:
    if arguments[0] == "--in-chroma":
        index_with_chroma(Path(arguments[1]), Path(arguments[2]))
        return
    if arguments[0] == "--building":
        change_embedder_with_chroma(Path(arguments[2]), Path(arguments[3]), arguments[1])
        return
    scratch = Path(arguments[0])
    vault, indexed = scratch / "vault", scratch / "indexed"
    write_first_state(vault)
    run(vault, indexed, NEVER, keep_embedder)
    write_second_state(vault)
    deaths = [
        try_every_death(vault, scratch / "fresh", None, keep_embedder),
        try_every_death(vault, scratch / "changed", indexed, keep_embedder),
        try_every_death(vault, scratch / "embedder", indexed, change_embedder),
    ]
    sys.stdout.write(" ".join(map(str, deaths)))


def try_every_death(vault: Path, home: Path, before: Path | None, drain: Drain) -> int:
    """Die before write 1, 2, 3 … of a run until one ends by itself; return how many deaths that were."""
    expected: list[list[Row]] | None = None
    for number in count():
        shutil.rmtree(home, ignore_errors=True)
        if before is not None:
            shutil.copytree(before, home)
        died = number > 0 and run_in_child(vault, home, number, drain) == DIED
        content = run(vault, home, NEVER, drain)
        expected = expected or content
        if content != expected:
            raise SystemExit(f"after a death before write {number} the index is another one")
        if number > 0 and not died:
            return number - 1
    raise AssertionError


def run_in_child(vault: Path, home: Path, writes: int, drain: Drain) -> int:
    child = os.fork()
    if child == 0:
        run(vault, home, writes, drain)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(vault: Path, home: Path, writes: int, drain: Drain) -> list[list[Row]]:
    """Index and embed; return everything the index says afterwards."""
    config = Config(vault=vault, home=home, models=home, settings=Settings())
    open_database(config.database_path).close()
    with open_database(config.database_path) as readable:
        database = MortalDatabase(readable.path, readable.access)
        database.writes_left = writes
        apply_changes(config, database, diff_vault(config, Catalog(database), RECIPE), RECIPE, lambda *_: None)
        drain(database)
        database.close()
        findings = [finding for finding in check_index(readable) if finding.severity != "info"]
        if findings:
            raise SystemExit(f"check found {findings}")
        return [readable.rows(sql) for sql in CONTENT]


def keep_embedder(database: Database) -> int:
    return drain_outbox(database, OLD, VectorIndex(database, OLD.fingerprint).open(), lambda *_: None)


def change_embedder(database: Database) -> int:
    answering = succession.chosen(database, NEW.fingerprint, OLD.fingerprint)
    return drain_outbox(database, NEW, VectorIndex(database, answering).open(), lambda *_: None, earlier=OLD)


def change_embedder_with_chroma(vault: Path, home: Path, dies_after: str) -> None:
    """Let NEW take over from OLD, which is indexed first if nothing is."""
    if not (home / "index.sqlite3").exists():
        index_with_chroma(vault, home)
    config = Config(vault=vault, home=home, models=home, settings=Settings())
    with open_database(config.database_path) as database:
        by = {embedder.fingerprint: embedder for embedder in (OLD, NEW)}
        answering = by[succession.chosen(database, NEW.fingerprint, OLD.fingerprint)]
        chroma = MortalBuilder(config.chroma_path, answering.fingerprint, answering.dimension)
        chroma.dies_after = dies_after
        vectors = VectorIndex(database, answering.fingerprint, chroma).open()
        drain_outbox(database, NEW, vectors, lambda *_: None, earlier=OLD)
        vectors.close()


def index_with_chroma(vault: Path, home: Path) -> None:
    config = Config(vault=vault, home=home, models=home, settings=Settings())
    embedder = HashEmbedder()
    with open_database(config.database_path) as database:
        apply_changes(config, database, diff_vault(config, Catalog(database), RECIPE), RECIPE, lambda *_: None)
        chroma = MortalChroma(config.chroma_path, embedder.fingerprint, embedder.dimension)
        vectors = VectorIndex(database, embedder.fingerprint, chroma).open()
        drain_outbox(database, embedder, vectors, lambda *_: None)
        vectors.close()


def write_first_state(vault: Path) -> None:
    (vault / "Папка").mkdir(parents=True)
    (vault / "a.md").write_text("---\naliases: [Первая]\ntags: [проба]\n---\n# A\n\n[[Цель]].\n\n## Два\n\nЕщё.\n")
    (vault / "Папка" / "Цель.md").write_text("# Цель\n\nСюда ведёт ссылка.\n")
    (vault / "gone.md").write_text("This note will be deleted. [[a]]\n")
    (vault / "moves.md").write_text("This note will be moved. [[Цель]]\n")


def write_second_state(vault: Path) -> None:
    (vault / "a.md").write_text("# A\n\nТекст с [[Цель]] и [[новая]].\n\n## Три\n\nДругое.\n")
    (vault / "gone.md").unlink()
    (vault / "moves.md").rename(vault / "Папка" / "moved.md")
    (vault / "новая.md").write_text("# A\n\nНовая заметка. ![[схема.png]]\n")
    (vault / "схема.png").write_bytes(b"")


if __name__ == "__main__":
    main(sys.argv[1:])
