"""From real files to the index, with the embedder's double."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, count_words
from tests.hostile_notes import write_filters
from tests.indexing.indexed import FIXTURES, RECIPE, broken, drain, index, put
from vaultrag.config import Config, Settings
from vaultrag.domain import ChangeKind
from vaultrag.errors import ModelCrashed, VaultError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.indexing.diff import diff_vault
from vaultrag.indexing.embed import drain_outbox
from vaultrag.indexing.read import Recipe
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.notes import graph
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.keywords import search_keywords
from vaultrag.store.opening import open_database
from vaultrag.store.vectors.chroma import ChromaIndex
from vaultrag.store.vectors.index import VectorIndex


@pytest.fixture
def config(vault: Path, home: Path) -> Config:
    return Config(vault=vault, home=home, models=home / "models", settings=Settings())


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_database(config.database_path) as opened:
        yield opened


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


def kinds(config: Config, database: Database) -> dict[str, ChangeKind]:
    return {change.path: change.kind for change in diff_vault(config, Catalog(database), RECIPE).changes}


def texts(database: Database) -> list[tuple[str, str]]:
    return database.rows("SELECT path, chunks.text FROM chunks JOIN notes ON notes.id = note_id ORDER BY path, ordinal")


def test_first_run_adds_every_note_and_the_second_finds_nothing(config: Config, database: Database) -> None:
    put(config, "Кот.md", "# Кот\n\nБублик спит.")
    put(config, "Папка/Dog.md", "The dog barks. [[Кот]]")
    report = index(config, database)
    assert (report.added, report.findings) == (2, [])
    assert kinds(config, database) == {}
    assert search_keywords(database, [("бублик",)], 5)
    assert broken(database) == []


@pytest.mark.parametrize("rule", ["/a{99999999999999999999}/", f"/{'(' * 3000}{')' * 3000}/", "/^(a|a)+$/"])
def test_a_filter_of_the_vault_cannot_stop_indexing(config: Config, database: Database, rule: str) -> None:
    write_filters(config.vault, rule, "тайна/")
    for name in (f"{'a' * 40}!", "тайна/план", "Кот"):
        put(config, f"{name}.md", "text")
    report = index(config, database)
    assert report.added == 2
    [finding] = report.findings
    assert (finding.severity, "left out" in finding.detail) == ("warning", True)


def test_each_change_is_named(config: Config, database: Database) -> None:
    for name in ("stays", "edited", "removed", "moved"):
        put(config, f"{name}.md", f"text of {name}")
    index(config, database)
    put(config, "edited.md", "another text")
    (config.vault / "removed.md").unlink()
    (config.vault / "moved.md").rename(config.vault / "переименован.md")
    put(config, "new.md", "new")
    assert kinds(config, database) == {
        "edited.md": ChangeKind.MODIFIED,
        "removed.md": ChangeKind.REMOVED,
        "переименован.md": ChangeKind.MOVED,
        "new.md": ChangeKind.ADDED,
    }
    report = index(config, database)
    assert (report.added, report.modified, report.moved, report.removed) == (1, 1, 1, 1)
    assert kinds(config, database) == {}
    assert broken(database) == []


def test_note_saved_again_unchanged_is_no_change(config: Config, database: Database) -> None:
    file = put(config, "a.md", "text")
    index(config, database)
    os.utime(file, ns=(1, 1))
    diff = diff_vault(config, Catalog(database), RECIPE)
    assert (diff.changes, [stat.path for stat in diff.touched]) == ((), ["a.md"])
    index(config, database)
    assert diff_vault(config, Catalog(database), RECIPE).touched == ()


def test_edit_that_keeps_size_and_time_is_seen_by_another_inode(config: Config, database: Database) -> None:
    file = put(config, "a.md", "one")
    index(config, database)
    stat = file.stat()
    other = put(config, "b.tmp", "two")
    other.replace(file)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert kinds(config, database) == {"a.md": ChangeKind.MODIFIED}


def test_another_recipe_reads_every_note_again(config: Config, database: Database) -> None:
    put(config, "a.md", "text")
    index(config, database)
    diff = diff_vault(config, Catalog(database), Recipe(count_words, "words", 50, 200))
    assert [change.kind for change in diff.changes] == [ChangeKind.MODIFIED]


def test_moved_note_embeds_nothing(config: Config, database: Database, embedder: HashEmbedder) -> None:
    put(config, "a.md", "# Заголовок\n\nТекст заметки.\n\n## Второй\n\nЕщё текст.")
    index(config, database)
    drain(database, embedder)
    done = len(embedder.texts)
    (config.vault / "Другая папка").mkdir()
    (config.vault / "a.md").rename(config.vault / "Другая папка" / "b.md")
    assert index(config, database).moved == 1
    assert embeddings.owed_count(database) == 0
    assert drain(database, embedder) == 0
    assert len(embedder.texts) == done
    assert {path for path, _ in texts(database)} == {"Другая папка/b.md"}


def test_equal_sections_are_two_chunks_with_one_embedding(
    config: Config, database: Database, embedder: HashEmbedder
) -> None:
    put(config, "a.md", "# Раздел\n\nОдин и тот же текст.")
    put(config, "b.md", "# Раздел\n\nОдин и тот же текст.")
    index(config, database)
    assert drain(database, embedder) == 1
    assert len(texts(database)) == 2
    (config.vault / "a.md").unlink()
    index(config, database)
    assert drain(database, embedder) == 0
    assert embeddings.embedding_count(database, embedder.fingerprint) == 1, "the other note still needs it"
    assert broken(database) == []


def test_embedding_goes_with_the_last_chunk_that_needs_it(
    config: Config, database: Database, embedder: HashEmbedder
) -> None:
    put(config, "a.md", "one text")
    index(config, database)
    drain(database, embedder)
    put(config, "a.md", "quite another")
    index(config, database)
    drain(database, embedder)
    assert embeddings.embedding_count(database, embedder.fingerprint) == 1
    assert broken(database) == []


def test_another_embedder_embeds_everything_again(config: Config, database: Database) -> None:
    put(config, "a.md", "one text")
    index(config, database)
    drain(database, HashEmbedder())
    assert drain(database, HashEmbedder(fingerprint="other", dimension=8)) == 1
    assert database.rows("SELECT fingerprint, length(vector) FROM embeddings") == [("other", 32)]


def test_crashed_embedder_keeps_what_was_done(config: Config, database: Database) -> None:
    for number in range(100):
        put(config, f"{number}.md", f"text number {number}")
    index(config, database)
    failing = HashEmbedder(fails_after=40)
    with pytest.raises(ModelCrashed):
        drain(database, failing)
    kept = embeddings.embedding_count(database, failing.fingerprint)
    assert 32 <= kept < 40
    working = HashEmbedder()
    assert drain(database, working) == 100 - kept
    assert embeddings.owed_count(database) == 0
    assert broken(database) == []


def test_link_waits_for_its_note_and_survives_its_removal(config: Config, database: Database) -> None:
    put(config, "a.md", "[[Цель]]")
    index(config, database)
    put(config, "папка/Цель.md", "text")
    assert index(config, database).relinked == 1
    ids = Catalog(database).note_ids(["a.md", "папка/Цель.md"])
    (edge,) = graph.neighbours(database, [ids["папка/Цель.md"]])
    assert edge.source_id == ids["a.md"]
    (config.vault / "папка" / "Цель.md").unlink()
    index(config, database)
    assert [link.target for link in graph.unresolved(database)] == ["Цель"]


def test_attachment_that_comes_later_resolves_its_embed(config: Config, database: Database) -> None:
    put(config, "a.md", "![[схема.png]]")
    index(config, database)
    put(config, "файлы/схема.png", "")
    index(config, database)
    assert graph.unresolved(database) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom modes stop")
def test_unreadable_folder_is_no_deletion(config: Config, database: Database) -> None:
    put(config, "папка/a.md", "text")
    index(config, database)
    (config.vault / "папка").chmod(0)
    try:
        assert kinds(config, database) == {}
    finally:
        (config.vault / "папка").chmod(0o700)


def test_note_moved_into_the_cloud_is_no_deletion(config: Config, database: Database) -> None:
    note = put(config, "П/Облако.md", "# Облако")
    put(config, "b.md", "text")
    index(config, database)
    note.rename(note.with_name(".Облако.md.icloud"))
    assert kinds(config, database) == {}


def test_what_an_embed_shows_is_found_at_the_embed_and_follows_its_source(config: Config, database: Database) -> None:
    put(config, "Ужин.md", "На ужин: ![[Рецепт#Тесто]]")
    put(config, "Рецепт.md", "# Рецепт\n\n## Тесто\n\nМука и вода.\n\n## Соус\n\nТоматы.")

    def shown() -> str:
        return str(database.value("SELECT group_concat(embedded) FROM chunks WHERE text LIKE '%![[%'"))

    index(config, database)
    assert "Мука и вода." in shown()
    assert "Томаты" not in shown()
    assert kinds(config, database) == {}
    put(config, "Рецепт.md", "# Рецепт\n\n## Тесто\n\nРожь и закваска.")
    index(config, database)
    assert "Рожь" in shown()
    assert "Мука" not in shown()
    (config.vault / "Рецепт.md").unlink()
    index(config, database)
    assert "Рожь" not in shown()
    put(config, "x/Рецепт.md", "# Тесто\n\nПолба.")
    index(config, database)
    assert "Полба" in shown()
    assert broken(database) == []


def test_unreadable_note_is_a_finding_and_the_others_go_on(config: Config, database: Database) -> None:
    put(config, "a.md", "x" * 2000)
    put(config, "b.md", "text")
    small = config.model_copy(update={"settings": Settings.model_validate({"vault": {"max_note_bytes": 1000}})})
    report = index(small, database)
    assert report.added == 1
    assert [finding.severity for finding in report.findings] == ["warning"]
    assert "a.md" in report.findings[0].detail
    assert index(small, database).findings, "it is tried again each time"


def test_mass_deletion_is_refused_until_accepted(config: Config, database: Database) -> None:
    for number in range(40):
        put(config, f"{number}.md", f"text {number}")
    index(config, database)
    for number in range(10):
        (config.vault / f"{number}.md").unlink()
    with pytest.raises(VaultError, match="10 of 40"):
        index(config, database)
    assert Catalog(database).counts().notes == 40
    assert index(config, database, DeletionPolicy.ACCEPT).removed == 10


def test_few_deletions_and_moved_folders_are_no_mass_deletion(config: Config, database: Database) -> None:
    for number in range(12):
        put(config, f"old/{number}.md", f"text {number}")
    index(config, database)
    (config.vault / "old").rename(config.vault / "new")
    assert index(config, database).moved == 12
    for number in range(9):
        (config.vault / "new" / f"{number}.md").unlink()
    assert index(config, database).removed == 9


def test_missing_vault_is_an_error_and_keeps_the_index(config: Config, database: Database) -> None:
    put(config, "a.md", "text")
    index(config, database)
    config.vault.rename(config.vault.with_name("elsewhere"))
    with pytest.raises(VaultError):
        index(config, database)
    assert Catalog(database).counts().notes == 1


@pytest.mark.slow
def test_fixture_vault_is_indexed_whole_and_found_by_meaning(
    config: Config, database: Database, embedder: HashEmbedder
) -> None:
    fixtures = config.model_copy(update={"vault": FIXTURES})
    report = index(fixtures, database)
    assert report.findings == []
    assert kinds(fixtures, database) == {}
    chroma = ChromaIndex(config.chroma_path, embedder.fingerprint, embedder.dimension)
    vectors = VectorIndex(database, embedder.fingerprint, chroma, exact_up_to=0).open()
    drain_outbox(database, embedder, vectors, lambda *_: None)
    assert vectors.healthy
    query = embedder.embed_query("закваска для хлеба")
    assert [key for key, _ in vectors.search(query, 5)] == [key for key, _ in vectors.exact.search(query, 5)]
    assert broken(database, vectors) == []
    counts = Catalog(database).counts()
    assert counts.owed == 0
    assert counts.embedded == counts.embedding_keys
    vectors.close()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes that die")
def test_killed_before_any_write_another_run_finishes(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.crash_runner", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    first, changed, embedder = (int(word) for word in finished.stdout.split())
    assert first > 40
    assert changed > 30
    assert embedder > 40


@pytest.mark.slow
def test_killed_between_chroma_and_outbox_another_run_finishes(config: Config, embedder: HashEmbedder) -> None:
    put(config, "a.md", "Первый текст.")
    script = [sys.executable, "-m", "tests.crash_runner", "--in-chroma", str(config.vault), str(config.home)]
    root = Path(__file__).parents[2]
    assert subprocess.run(script, cwd=root, check=False).returncode == 0
    put(config, "b.md", "Второй текст, the second.")
    assert subprocess.run(script, cwd=root, check=False).returncode == 9
    with open_database(config.database_path) as database:
        assert embeddings.owed_count(database) == 1
        vectors = VectorIndex(database, embedder.fingerprint, ChromaIndex(config.chroma_path, "hash-64", 64)).open()
        drain_outbox(database, embedder, vectors, lambda *_: None)
        assert vectors.healthy
        assert embedder.texts == []
        assert embeddings.owed_count(database) == 0
        assert broken(database, vectors) == []
        vectors.close()
