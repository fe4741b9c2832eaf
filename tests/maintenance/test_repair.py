"""`repair`: the index answers as before, whatever was damaged, and nothing that cannot be rebuilt is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.config import Config, Settings
from vaultrag.domain import JobBudget, JobOrder, JobState, PairJudgement, RepairReport, Verdict, VerdictState
from vaultrag.errors import IndexDamaged, VaultError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.maintenance.repair import mend_file
from vaultrag.records.queue import JobQueue
from vaultrag.store.embeddings import embedded_keys, notes_set_aside, set_aside
from vaultrag.store.journal import Journal
from vaultrag.store.opening import open_database
from vaultrag.store.pairs.judgements import failed_count, read_judgements, write_judgements
from vaultrag.store.records import Kind, RecordBook
from vaultrag.workspace import Ownership, Workspace

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "vault"
FOLDERS = ("Проекты", "English notes")
QUERIES = (
    "осмотр ульев", "когда кормить пчёл", "маяк бэкап", "сколько стоит", "рецепт", "встреча в мае", "пароль",
    "кот и собака", "планы на год", "ремонт", "backup at night", "phrases for code review", "idioms", "what to buy",
    "meeting notes", "router password", "how to deploy", "books to read", "weekly plan", "garden",
)  # fmt: skip
SAVED = {"answer": {"question": "Когда осмотр?", "text": "В мае.", "paths": ["Проекты/Пчела/Осмотр ульев 2024.md"]}}


VERDICT = Verdict("finding", VerdictState.RESOLVED, ("Проекты/Пчела/Осмотр ульев 2024.md",), "the later one is right")
ORDER = JobOrder("ask", "Когда осмотр?", {"question": "Когда осмотр?"}, JobBudget(1, 1))
JUDGEMENTS = {("a", "b"): PairJudgement(0.75, 0.125), ("a", "c"): None}


def config_of(folder: Path) -> Config:
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())


def opened(folder: Path, embedder: HashEmbedder | None = None) -> Workspace:
    return Workspace.with_models(config_of(folder), Ownership.OWN, embedder or HashEmbedder(), ScriptedModel(["-"]))


def answers(folder: Path) -> list[list[tuple[str, str, float]]]:
    """Return the first ten passages of every query, as anybody sees them."""
    with opened(folder) as workspace:
        return [
            [
                (found.chunk.path, found.chunk.text, round(found.score, 6))
                for found in workspace.search(query, 10).passages
            ]
            for query in QUERIES
        ]


def repaired(folder: Path, embedder: HashEmbedder | None = None) -> RepairReport:
    mended = mend_file(config_of(folder), lambda *_: None)
    with opened(folder, embedder) as workspace:
        return workspace.upkeep.repair(lambda *_: None, mended)


def records(folder: Path) -> dict[str, object]:
    config = config_of(folder)
    with open_database(config.database_path) as database:
        return dict(RecordBook(database, Journal(config.journal_path)).bodies(Kind.ANSWER))


def decided_and_queued(folder: Path) -> tuple[dict[str, Verdict], list[tuple[JobOrder, JobState]]]:
    with opened(folder) as workspace:
        jobs = JobQueue(workspace.config, workspace.database).jobs()
        return dict(workspace.archive.verdicts()), [(job.order, job.state) for job in jobs]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some believable notes, indexed, with one saved answer."""
    folder = tmp_path_factory.mktemp("indexed")
    for name in FOLDERS:
        shutil.copytree(FIXTURE / name, folder / "vault" / name)
    with opened(folder) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        RecordBook(workspace.database, Journal(config_of(folder).journal_path)).put(
            Kind.ANSWER, "answer", SAVED["answer"]
        )
        workspace.archive.decide(VERDICT)
        JobQueue(workspace.config, workspace.database).submit(ORDER)
        write_judgements(workspace.database, "judge", JUDGEMENTS)
        workspace.database.run("UPDATE notes SET date = '2020-02-02' WHERE date_source = 'first seen'")
    return folder


@pytest.fixture(scope="module")
def expected(indexed: Path) -> list[list[tuple[str, str, float]]]:
    found = answers(indexed)
    assert all(found)
    return found


@pytest.fixture
def folder(indexed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(indexed, tmp_path / "copy"))


def run(*statements: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with open_database(config_of(folder).database_path) as database:
            for statement in statements:
                database.run(statement)

    return damage


def overwrite(name: str, offset: int, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with (folder / "home" / name).open("r+b") as file:
            file.seek(offset)
            file.write(content)

    return damage


def cut(folder: Path) -> None:
    path = config_of(folder).database_path
    os.truncate(path, path.stat().st_size // 2)


def remove(folder: Path) -> None:
    config_of(folder).database_path.unlink()


DAMAGES = {
    "text": run("UPDATE chunks SET text = 'иное', stems = stems || ' иное' WHERE id % 7 = 0"),
    "what is embedded": run("UPDATE chunks SET embedded = 'иное' WHERE id % 9 = 0"),
    "spans": run("UPDATE chunks SET first_line = first_line + 1 WHERE id % 5 = 0"),
    "order": run("UPDATE chunks SET ordinal = 0"),
    "titles": run("UPDATE notes SET title = 'иное'", "DELETE FROM names"),
    "paths": run("UPDATE notes SET path = path || 'x' WHERE id = 3"),
    "links": run("UPDATE links SET target_path = NULL", "DELETE FROM mentions"),
    "file names": run("UPDATE files SET name = 'x'"),
    "keywords": run("INSERT INTO keywords (keywords) VALUES ('delete-all')"),
    "keyword pages": run("UPDATE keywords_data SET block = zeroblob(20) WHERE id > 10"),
    "vectors": run("UPDATE embeddings SET vector = zeroblob(256) WHERE id % 4 = 0"),
    "keys of vectors": run("UPDATE embeddings SET text_hash = text_hash || 'x' WHERE id % 4 = 0"),
    "embedder": run("UPDATE meta SET value = 'hash-65' WHERE key = 'embedder_fingerprint'"),
    "its own state": run(
        "INSERT OR REPLACE INTO meta VALUES ('attention', '{')",
        "UPDATE meta SET value = 'x' WHERE key IN ('journal_size', 'embeddings_version')",
        "INSERT OR REPLACE INTO meta VALUES ('unread', 'x'), ('journal_rewritten', 'x')",
    ),
    "tables": run("DROP TRIGGER chunks_added"),
    "records": run("UPDATE records SET body = '{}'"),
    "journal": overwrite("journal.jsonl", 40, b"x"),
    "header": overwrite("index.sqlite3", 0, b"x"),
    "version": overwrite("index.sqlite3", 63, b"\x63"),
    "page": overwrite("index.sqlite3", 5 * 4096, os.urandom(4096)),
    "half": cut,
    "all": remove,
}


QUICK = ("spans", "its own state", "keyword pages", "half")  # the rest takes three seconds each, most of them Chroma's


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(damage, id=name, marks=() if name in QUICK else pytest.mark.long)
        for name, damage in DAMAGES.items()
    ],
)
def test_repaired_index_answers_as_before_and_loses_no_record(
    folder: Path, damage: Callable[[Path], None], expected: Sequence[object]
) -> None:
    damage(folder)
    report = repaired(folder)
    assert report.done
    assert [finding for finding in report.left if finding.severity != "info"] == []
    assert answers(folder) == expected
    assert records(folder) == SAVED
    assert decided_and_queued(folder) == ({VERDICT.key: VERDICT}, [(ORDER, JobState.QUEUED)])


def test_new_file_takes_over_what_judges_said(folder: Path) -> None:
    mend_file(config_of(folder), lambda *_: None, "a fault that was met elsewhere")
    with open_database(config_of(folder).database_path) as database:
        assert read_judgements(database, "judge") == {("a", "b"): PairJudgement(0.75, 0.125)}
        assert failed_count(database, "judge") == 1


def test_judgement_that_can_be_none_is_left_behind(folder: Path) -> None:
    run("UPDATE judgements SET contradiction = 7.5 WHERE other = 'b'")(folder)
    mend_file(config_of(folder), lambda *_: None, "a fault that was met elsewhere")
    with open_database(config_of(folder).database_path) as database:
        assert read_judgements(database, "judge") == {}


@pytest.mark.slow
def test_second_repair_finds_nothing_and_drops_what_was_set_aside(folder: Path) -> None:
    cut(folder)
    report = repaired(folder)
    assert report.kept
    kept = list(Path(report.kept).glob("*/index.sqlite3"))
    assert len(kept) == 1
    assert str(kept[0].parent) in " ".join(report.done)
    again = repaired(folder)
    assert (again.done, again.kept) == ((), "")
    assert not Path(report.kept).exists()


@pytest.mark.slow
def test_repair_embeds_only_what_was_lost(folder: Path) -> None:
    run("UPDATE embeddings SET vector = zeroblob(256) WHERE id = 4", "DROP TRIGGER chunks_added")(folder)
    embedder = HashEmbedder()
    repaired(folder, embedder)
    assert len(embedder.texts) == 1


@pytest.mark.slow
def test_repair_gives_the_embedder_what_it_failed_at_once_more(folder: Path) -> None:
    with open_database(config_of(folder).database_path) as database:
        key, fingerprint = database.rows("SELECT text_hash, fingerprint FROM embeddings LIMIT 1")[0]
        database.run("DELETE FROM embeddings WHERE text_hash = ?", (key,))
        set_aside(database, fingerprint, key)
        assert notes_set_aside(database)
    embedder = HashEmbedder()
    report = repaired(folder, embedder)
    assert len(embedder.texts) == 1
    assert any("failed" in sentence for sentence in report.done)
    with open_database(config_of(folder).database_path) as database:
        assert notes_set_aside(database) == []
        assert embedded_keys(database, fingerprint, [key]) == [key]


@pytest.mark.slow
def test_day_a_note_was_first_seen_outlives_its_index(folder: Path) -> None:
    with open_database(config_of(folder).database_path) as database:
        before = database.rows("SELECT path, date FROM notes WHERE date = '2020-02-02' ORDER BY path")
        database.run("DROP TRIGGER chunks_added")
    assert before
    repaired(folder)
    with open_database(config_of(folder).database_path) as database:
        assert database.rows("SELECT path, date FROM notes WHERE date = '2020-02-02' ORDER BY path") == before


@pytest.mark.slow
def test_one_damaged_table_does_not_cost_the_others(folder: Path) -> None:
    path = config_of(folder).database_path
    content = path.read_bytes()
    assert content.count(b"CREATE TABLE moves") == 1
    path.write_bytes(content.replace(b"CREATE TABLE moves", b"CREATE TAB\xccE moves"))
    config_of(folder).journal_path.unlink()
    embedder = HashEmbedder()
    repaired(folder, embedder)
    assert embedder.texts == []
    assert records(folder) == SAVED


@pytest.mark.slow
def test_record_lost_by_the_journal_is_taken_from_the_damaged_index(folder: Path) -> None:
    run("DROP TRIGGER chunks_added")(folder)
    config_of(folder).journal_path.write_bytes(b"")
    repaired(folder)
    assert records(folder) == SAVED
    assert Journal(config_of(folder).journal_path).read().entries


def test_nothing_is_touched_without_the_vault(folder: Path) -> None:
    cut(folder)
    before = config_of(folder).database_path.read_bytes()
    (folder / "vault").rename(folder / "elsewhere")
    with pytest.raises(VaultError):
        repaired(folder)
    assert config_of(folder).database_path.read_bytes() == before


def test_damage_of_one_query_is_named_without_the_note_s_text(folder: Path) -> None:
    with open_database(config_of(folder).database_path) as database:
        database.run("UPDATE chunks SET text = CAST(x'd0bad0be74ff' AS TEXT)")
        with pytest.raises(IndexDamaged) as raised:
            database.rows("SELECT text FROM chunks")
    assert "repair" in raised.value.remedy
    assert "ко" not in raised.value.message
