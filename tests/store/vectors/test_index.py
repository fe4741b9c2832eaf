"""Real Chroma in its child process, and the exact search beside it."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.doubles import HashEmbedder
from vaultrag.domain import Vectors
from vaultrag.errors import StoreError
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.integrity.check import check_index
from vaultrag.store.opening import open_database
from vaultrag.store.vectors.chroma import ChromaIndex
from vaultrag.store.vectors.exact import ExactIndex
from vaultrag.store.vectors.index import VectorIndex
from vaultrag.text.language import language_of

TEXTS = {f"{number:064x}": f"слово{number} общее word{number % 7}" for number in range(60)}
EMBEDDER = HashEmbedder()


def put(database: Database, texts: dict[str, str]) -> embeddings.Batch:
    batch = embeddings.Batch(owed=(), texts=texts, ready=(), dropped=())
    embeddings.store_batch(database, EMBEDDER.fingerprint, batch, EMBEDDER.embed_passages(list(texts.values())))
    return batch


def drop(database: Database, *keys: str) -> embeddings.Batch:
    batch = embeddings.Batch(owed=(), texts={}, ready=(), dropped=keys)
    embeddings.store_batch(database, EMBEDDER.fingerprint, batch, np.empty((0, EMBEDDER.dimension), np.float32))
    return batch


def make_index(database: Database, root: Path, fingerprint: str = EMBEDDER.fingerprint) -> VectorIndex:
    chroma = ChromaIndex(root, fingerprint, EMBEDDER.dimension)
    return VectorIndex(database, fingerprint, chroma, exact_up_to=0).open()


def rebuild(index: VectorIndex) -> None:
    index.rebuild(lambda *_: None)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the texts embedded and Chroma built, to be copied."""
    home = tmp_path_factory.mktemp("built")
    with open_database(home / "index.sqlite3") as database:
        index = make_index(database, home / "chroma")
        put(database, TEXTS)
        assert index.warnings == (), "nothing is wrong with what was never built"
        rebuild(index)
        assert index.healthy
        assert not index.rebuild_owed
        index.close()
    return home


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "home"))


@pytest.fixture
def root(home: Path) -> Path:
    return home / "chroma"


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    with open_database(home / "index.sqlite3") as opened:
        yield opened


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "index.sqlite3") as opened:
        yield opened


@pytest.fixture
def index(database: Database, root: Path) -> Iterator[VectorIndex]:
    opened = make_index(database, root)
    assert opened.healthy
    assert opened.warnings == ()
    yield opened
    opened.close()


def found(index: VectorIndex | ExactIndex, text: str = "слово5 word3") -> list[tuple[str, float]]:
    return [(key, round(cosine, 4)) for key, cosine in index.search(EMBEDDER.embed_query(text), 10)]


def test_exact_search_ranks_by_cosine(empty: Database) -> None:
    put(empty, TEXTS)
    exact = ExactIndex(empty, EMBEDDER.fingerprint)
    hits = exact.search(EMBEDDER.embed_query("слово7 общее word0"), 3)
    assert hits[0][0] == f"{7:064x}"
    assert hits[0][1] == pytest.approx(1.0, abs=1e-5)
    assert [cosine for _, cosine in hits] == sorted((cosine for _, cosine in hits), reverse=True)
    assert len(exact.search(EMBEDDER.embed_query("x"), 1000)) == len(TEXTS)


def test_exact_search_follows_every_change(empty: Database) -> None:
    exact = ExactIndex(empty, EMBEDDER.fingerprint)
    assert found(exact) == []
    put(empty, TEXTS)
    before = found(exact)
    drop(empty, before[0][0], f"{59:064x}")
    assert before[0][0] not in dict(found(exact))
    put(empty, {before[0][0]: TEXTS[before[0][0]], "new": "слово5 word3"})
    assert [key for key, _ in found(exact)[:2]] == ["new", before[0][0]]
    assert everything(exact) == everything(ExactIndex(empty, EMBEDDER.fingerprint))


def everything(exact: ExactIndex) -> dict[str, float]:
    return {key: round(cosine, 4) for key, cosine in exact.search(EMBEDDER.embed_query("слово5"), 1000)}


def test_exact_search_follows_changes_it_is_told_and_those_it_is_not(empty: Database) -> None:
    exact = ExactIndex(empty, EMBEDDER.fingerprint)
    keys = list(TEXTS)
    put(empty, TEXTS)
    for number in range(0, 50, 2):
        drop(empty, keys[number])
        if number % 4:
            exact.forget([keys[number]])
        put(empty, {f"new{number}": f"слово{number} new"})
        assert everything(exact) == everything(ExactIndex(empty, EMBEDDER.fingerprint))
    drop(empty, keys[51])
    put(empty, {keys[51]: "слово5 came back"})
    exact.forget([keys[53]])  # it is still there: what was told wrongly is noticed
    put(empty, {"newest": "newest"})
    assert everything(exact) == everything(ExactIndex(empty, EMBEDDER.fingerprint))
    among = exact.search_among(EMBEDDER.embed_query("слово5"), {keys[53], keys[0], "new2", "unknown"}, 5)
    assert {key: round(cosine, 4) for key, cosine in among} == {
        key: cosine for key, cosine in everything(exact).items() if key in (keys[53], "new2")
    }


def test_exact_search_within_a_language_follows_changes(empty: Database) -> None:
    exact = ExactIndex(empty, EMBEDDER.fingerprint)
    assert exact.search_written_in(EMBEDDER.embed_query("слово5"), {"ru"}, 3) == []
    write(empty, {"a": "сад и дом", "b": "garden and house", "c": "42"})
    query = EMBEDDER.embed_query("сад garden")
    assert written_in(exact, query, "ru") == {"a"}
    write(empty, {"d": "garden", "e": "в саду"})
    empty.run("DELETE FROM chunks WHERE text_hash = 'a'")
    drop(empty, "a")
    assert written_in(exact, query, "ru") == {"e"}
    assert written_in(exact, query, "en") == {"b", "d"}
    assert written_in(exact, query, "en", "") == {"b", "c", "d"}
    assert [key for key, _ in exact.search_written_in(query, {"en"}, 1)] == ["d"]


def write(database: Database, texts: dict[str, str]) -> None:
    """Embed texts that chunks hold, which say what language they are in."""
    columns = ("path", "fs_path", "title", "content_hash", "recipe", "date", "date_source", "language", "problems")
    with database.atomic():
        for key, text in texts.items():
            database.run(
                f"INSERT INTO notes ({', '.join(columns)}, size, mtime_ns, inode, indexed_at, properties)"
                f" VALUES ({', '.join('?' * len(columns))}, 1, 1, 1, 1, '{{}}')",
                [key] * len(columns),
            )
            places = "first_line, first_column, last_line, last_column"
            database.run(
                f"INSERT INTO chunks (chunk_id, note_id, ordinal, text_hash, language, {places}, block_id, speaker,"
                " heading_path, text, embedded, stems) SELECT ?1, id, 0, ?1, ?2, 1, 1, 1, 2, '', '', '[]', ?3, ?3, ?3"
                " FROM notes WHERE path = ?1",
                (key, language_of(text), text),
            )
    put(database, texts)


def written_in(exact: ExactIndex, query: Vectors, *languages: str) -> set[str]:
    return {key for key, _ in exact.search_written_in(query, set(languages), 9)}


def test_searches_during_changes_see_whole_states(empty: Database) -> None:
    put(empty, TEXTS)
    exact = ExactIndex(empty, EMBEDDER.fingerprint)
    truth = {key: EMBEDDER.embed_query(text) for key, text in TEXTS.items()}
    query = EMBEDDER.embed_query("слово5 общее")
    finished = threading.Event()
    wrong: list[str] = []

    def search() -> None:
        while not finished.is_set():
            hits = exact.search(query, 1000)
            wrong.extend(key for key, cosine in hits if abs(cosine - float(truth[key] @ query)) > 1e-5)

    searcher = threading.Thread(target=search)
    searcher.start()
    for round_number in range(30):
        added = {f"{round_number}-{number}": f"слово{number} {round_number}" for number in range(20)}
        truth.update((key, EMBEDDER.embed_query(text)) for key, text in added.items())
        put(empty, added)
        exact.forget(drop(empty, *list(added)[:15]).dropped)
    finished.set()
    searcher.join()
    assert wrong == []
    assert len(everything(exact)) == len(TEXTS) + 30 * 5


@pytest.mark.slow
def test_stored_vectors_come_back_by_key(database: Database) -> None:
    key = f"{3:064x}"
    vectors = VectorIndex(database, EMBEDDER.fingerprint).vectors_for([key, "unknown"])
    assert list(vectors) == [key]
    np.testing.assert_array_equal(vectors[key], EMBEDDER.embed_query(TEXTS[key]))


@pytest.mark.slow
def test_chroma_agrees_with_the_exact_search_after_every_change(database: Database, index: VectorIndex) -> None:
    assert found(index) == found(index.exact)
    index.follow(put(database, {"new": "слово5 word3"}))
    index.follow(put(database, {"new": "слово5 word3"}))
    index.follow(drop(database, f"{5:064x}", "never there"))
    assert index.healthy
    assert found(index)[0][0] == "new"
    assert found(index) == found(index.exact)
    assert "vector-index" not in {finding.invariant for finding in check_index(database, index)}


@pytest.mark.slow
def test_few_embeddings_are_searched_exactly_whatever_chroma_says(database: Database, root: Path) -> None:
    few = VectorIndex(database, EMBEDDER.fingerprint, ChromaIndex(root, EMBEDDER.fingerprint, 64)).open()
    assert few.chroma is not None
    before = found(few.exact)
    few.chroma.delete([before[0][0]])
    assert few.healthy
    assert found(few) == before
    few.close()


def damage_pointer(root: Path) -> None:
    (root / "current").write_text("../../elsewhere")


def damage_delete(root: Path) -> None:
    shutil.rmtree(root)


def damage_sqlite(root: Path) -> None:
    for path in root.glob("gen-*/chroma.sqlite3"):
        os.truncate(path, path.stat().st_size // 2)


def damage_empty_files(root: Path) -> None:
    for path in root.glob("gen-*/**/*"):
        if path.is_file():
            os.truncate(path, 0)


def damage_stamp(root: Path) -> None:
    for path in root.glob("gen-*/stamp.json"):
        path.write_text('{"chromadb": "0.1", "fingerprint": "x", "dimension": 3}')


@pytest.mark.parametrize("damage", [damage_pointer, damage_sqlite, damage_empty_files, damage_stamp])
def test_damaged_chroma_is_a_warning_and_answers_the_same(
    database: Database, root: Path, damage: Callable[[Path], None]
) -> None:
    before = found(VectorIndex(database, EMBEDDER.fingerprint))
    damage(root)
    opened = make_index(database, root)
    assert not opened.healthy
    assert opened.rebuild_owed
    assert len(opened.warnings) == 1
    assert found(opened) == before
    findings = [finding for finding in check_index(database, opened) if finding.severity == "warning"]
    assert "vector-index" in {finding.invariant for finding in findings}
    opened.close()


@pytest.mark.slow
def test_folder_deleted_under_a_running_search_is_rebuilt(root: Path, index: VectorIndex) -> None:
    before = found(index)
    shutil.rmtree(root)
    assert found(index) == before
    assert len(index.warnings) == 1
    (root / "gen-7").mkdir(parents=True)
    rebuild(index)
    assert index.healthy
    assert not index.rebuild_owed
    assert found(index) == before
    assert [path.name for path in root.glob("gen-*")] == ["gen-8"], "what an interrupted rebuild left is removed"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_child_costs_no_answer(index: VectorIndex) -> None:
    before = found(index)
    kill_child(index)
    assert found(index) == before
    assert len(index.warnings) == 1
    rebuild(index)
    assert index.healthy
    assert found(index) == before


def kill_child(index: VectorIndex) -> None:
    assert index.chroma is not None
    assert index.chroma.pid is not None
    os.kill(index.chroma.pid, signal.SIGKILL)


@pytest.mark.slow
def test_lost_key_is_noticed_at_the_next_opening(database: Database, root: Path, index: VectorIndex) -> None:
    assert index.chroma is not None
    index.chroma.delete([f"{1:064x}"])
    index.close()
    opened = make_index(database, root)
    assert "59 of 60" in opened.warnings[0]
    opened.close()


@pytest.mark.slow
def test_what_chroma_lacks_is_found_by_its_keys(database: Database, index: VectorIndex) -> None:
    assert index.chroma is not None
    index.chroma.delete([f"{1:064x}"])
    index.chroma.add(["stray"], EMBEDDER.embed_query("stray").reshape(1, -1))
    details = [finding.detail for finding in check_index(database, index) if finding.invariant == "vector-index"]
    assert details == ["The vector index lacks 1 embeddings.", "The vector index holds 1 too many."]
    assert index.rebuild_owed


def test_what_is_stored_without_chroma_is_owed_to_it(database: Database, root: Path) -> None:
    without = VectorIndex(database, EMBEDDER.fingerprint).open()
    without.follow(put(database, {"new": "слово5 word3"}))
    assert without.rebuild_owed
    opened = make_index(database, root)
    assert not opened.healthy
    assert found(opened)[0][0] == "new"


@pytest.mark.slow
def test_settings_from_outside_do_not_reach_chroma(
    database: Database, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("CHROMA_API_IMPL", "chromadb.api.fastapi.FastAPI")
    monkeypatch.setenv("CHROMA_SERVER_NOFILE", "not a number")
    (tmp_path / ".env").write_text("CHROMA_API_IMPL=chromadb.api.fastapi.FastAPI\nCHROMA_SERVER_HOST=192.0.2.1\n")
    monkeypatch.chdir(tmp_path)
    index = make_index(database, root)
    assert index.healthy
    index.close()


def test_vectors_that_are_no_numbers_are_refused(empty: Database) -> None:
    batch = embeddings.Batch(owed=(), texts={"a": "a"}, ready=(), dropped=())
    with pytest.raises(StoreError):
        embeddings.store_batch(empty, "f", batch, np.full((1, 4), np.nan, np.float32))
    assert embeddings.embedding_count(empty, "f") == 0
