"""`check --deep`: whatever a bit can do to a row is found by comparing it with the note's file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.config import Config, Settings
from vaultrag.domain import Embedder, Finding
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.journal import Journal
from vaultrag.store.records import Kind, RecordBook
from vaultrag.store.vectors.chroma import ChromaIndex
from vaultrag.workspace import Ownership, Workspace

NOTES = {
    "Дом/Бойлер.md": "---\naliases: [Водогрей]\ntags: [быт]\nсрок: 2024-05-12\n---\n# Бойлер\n\n"
    "Картридж меняли [[Тата|она]]. ^price\n",
    "Servers/mayak.md": "# mayak\n\nThe restic backup runs nightly. See [[Бойлер]] and ![[Списки#Два]].\n",
    "Люди/Тата.md": "# Тата\n\nТата кормит кота и знает, где Водогрей. [[нет такой]] [[Водогрей]]\n",
    "Списки.md": "# Один\n\n- [ ] купить соль\n\n# Два\n\nВторой список #дом/кухня\n\n| a | b |\n|---|---|\n",
}


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault and its home, to be copied."""
    folder = tmp_path_factory.mktemp("indexed")
    for path, text in NOTES.items():
        (folder / "vault" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "vault" / path).write_text(text, encoding="utf-8")
    with opened(folder, embedder=HashEmbedder()) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
    return folder


@pytest.fixture
def folder(indexed: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(indexed, tmp_path / "copy"))
    with opened(copy) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)  # the copies have other inodes
    return copy


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    with opened(folder) as workspace:
        yield workspace


def opened(folder: Path, access: Ownership = Ownership.OWN, embedder: Embedder | None = None) -> Workspace:
    """Open the index; without an embedder Chroma is left alone, which saves its start."""
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    return Workspace.with_models(config, access, embedder, ScriptedModel(["-"]))


def deep(workspace: Workspace) -> dict[str, Finding]:
    return {finding.invariant: finding for finding in workspace.upkeep.check_deep(lambda *_: None)}


@pytest.mark.slow
def test_sound_index_has_no_finding(folder: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    with opened(folder, embedder=HashEmbedder()) as workspace:
        assert workspace.upkeep.check_deep(lambda *step: steps.append(step)) == []
    assert ("verify", 4, 4) in steps
    assert {phase for phase, done, total in steps if done == total} >= {"embeddings checked", "vector index checked"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        ("UPDATE notes SET title = 'Бойлеp' WHERE path LIKE 'Дом%'", "notes-as-read"),
        ("UPDATE notes SET properties = replace(properties, '2024', '2025')", "notes-as-read"),
        ("UPDATE notes SET content_hash = 'z' || substr(content_hash, 2) WHERE path = 'Списки.md'", "notes-as-read"),
        ("UPDATE notes SET language = 'en' WHERE path = 'Списки.md'", "notes-as-read"),
        ("UPDATE notes SET date = '2024-05-1é' WHERE path = 'Списки.md'", "notes-as-read"),
        ("UPDATE notes SET path = 'Списkи.md' WHERE path = 'Списки.md'", "notes-current"),
        ("UPDATE notes SET recipe = '0' WHERE path = 'Списки.md'", "notes-current"),
        ("UPDATE chunks SET text = replace(text, 'соль', 'моль')", "notes-as-read"),
        ("UPDATE chunks SET embedded = embedded || ' ' WHERE id = 1", "notes-as-read"),
        ("UPDATE chunks SET stems = stems || ' лишнее' WHERE id = 1", "notes-as-read"),
        ("UPDATE chunks SET last_column = last_column + 1 WHERE id = 2", "notes-as-read"),
        ("UPDATE chunks SET block_id = 'цель' WHERE block_id <> ''", "notes-as-read"),
        ("UPDATE chunks SET features = '' WHERE features <> ''", "notes-as-read"),
        ("UPDATE chunks SET heading_path = '[]' WHERE id = 1", "notes-as-read"),
        ("UPDATE chunks SET ordinal = ordinal + 1", "chunks-in-order"),
        ("UPDATE chunks SET text_hash = 'x' WHERE id = 1", "chunks-embedded"),
        ("UPDATE links SET text = 'он' WHERE text = 'она'", "notes-as-read"),
        ("UPDATE links SET target_key = 'x' WHERE target_key = 'тата'", "notes-as-read"),
        ("UPDATE links SET target_path = NULL WHERE target = 'Тата'", "notes-as-read"),
        ("UPDATE links SET line = line + 1 WHERE target = 'Тата'", "notes-as-read"),
        ("UPDATE names SET stems = 'водогрея' WHERE name = 'Водогрей'", "notes-as-read"),
        ("UPDATE names SET name = 'Водогреи' WHERE kind = 'alias'", "notes-as-read"),
        ("UPDATE tags SET tag = 'дом' WHERE tag = 'быт'", "notes-as-read"),
        ("UPDATE files SET path = 'x.md' WHERE path = 'Списки.md'", "notes-current"),
        ("UPDATE files SET name = 'x.md' WHERE path = 'Списки.md'", "files-named"),
        ("UPDATE mentions SET text = 'Бойлер' WHERE kind = 'mention'", "mentions-as-read"),
        ("UPDATE mentions SET line = line + 1", "mentions-as-read"),
        ("UPDATE mentions SET name = 'x' WHERE kind = 'alias'", "mentions-as-read"),
        ("DELETE FROM mentions WHERE kind = 'alias'", "mentions-as-read"),
        ("UPDATE embeddings SET vector = zeroblob(256) WHERE id = 2", "embeddings-sound"),
        ("UPDATE embeddings SET vector = 'text' WHERE id = 2", "embeddings-sound"),
        ("UPDATE embeddings SET text_hash = 'x' WHERE id = 2", "chunks-embedded"),
        ("UPDATE embeddings SET fingerprint = 'x' WHERE id = 2", "chunks-embedded"),
        ("UPDATE meta SET value = 'hash-65' WHERE key = 'embedder_fingerprint'", "chunks-embedded"),
        ("INSERT INTO keywords (keywords, rowid, stems) VALUES ('delete', 1, 'x')", "keyword-index"),
        ("DELETE FROM names", "notes-named"),
        ("INSERT INTO meta VALUES ('attention', '{\"kind\": \"vault_missing')", "state-readable"),
        ("INSERT INTO meta VALUES ('attention', '{\"kind\": \"vault_missing\"}')", "state-readable"),
        ("INSERT OR REPLACE INTO meta VALUES ('journal_size', '12?')", "state-readable"),
        ("INSERT OR REPLACE INTO meta VALUES ('journal_rewritten', 'x')", "state-readable"),
        ("UPDATE meta SET value = x'00' WHERE key = 'embeddings_version'", "state-readable"),
        ("DROP INDEX chunks_note", "schema"),
        ("DROP TRIGGER chunks_dropped", "schema"),
    ],
)
def test_damage_is_found(folder: Path, damage: str, invariant: str) -> None:
    with opened(folder) as workspace:
        workspace.database.run(damage)
        assert workspace.database.value("SELECT changes()") or "INDEX" in damage or "TRIGGER" in damage
    with opened(folder) as workspace:
        finding = deep(workspace)[invariant]
    assert finding.severity in {"error", "warning"}
    assert finding.remedy in {"Run `vaultrag repair`.", "Run `vaultrag index`."}


def test_damaged_records_and_journal_are_found(folder: Path, workspace: Workspace) -> None:
    journal = Journal(folder / "home" / "journal.jsonl")
    book = RecordBook(workspace.database, journal)
    for key in "abc":
        book.put(Kind.VERDICT, key, {"paths": ["Списки.md"], "note": "да"})
    assert deep(workspace) == {}
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole.replace("да".encode(), "на".encode(), 1))
    assert set(deep(workspace)) == {"journal", "records-journaled"}
    journal.path.write_bytes(whole[:-1] + b"\x0b")
    assert set(deep(workspace)) == {"records-journaled"}
    journal.path.write_bytes(whole)
    workspace.database.run("UPDATE records SET body = '{}' WHERE key = 'b'")
    assert set(deep(workspace)) == {"records"}


def test_what_changed_on_disk_is_no_damage(folder: Path, workspace: Workspace) -> None:
    vault = folder / "vault"
    (vault / "Списки.md").write_text("# Другое\n", encoding="utf-8")
    (vault / "Servers/mayak.md").unlink()
    (vault / "новая.md").write_text("новая\n", encoding="utf-8")
    found = deep(workspace)
    assert {name: finding.severity for name, finding in found.items()} == {"notes-current": "warning"}
    workspace.index(lambda *_: None, DeletionPolicy.GUARD)
    assert set(deep(workspace)) == {"outbox-empty"}


def test_note_that_cannot_be_read_is_named_with_the_reason(folder: Path, workspace: Workspace) -> None:
    (folder / "vault" / "старая.md").write_bytes("Заметка в старой кодировке. ".encode("cp1251") * 20)
    workspace.index(lambda *_: None, DeletionPolicy.GUARD)
    found = deep(workspace)
    assert found.keys() == {"note-readable"}
    assert "старая.md is not text in UTF-8" in found["note-readable"].detail


def test_missing_vault_is_said_and_the_rest_is_checked(folder: Path, workspace: Workspace) -> None:
    (folder / "vault").rename(folder / "elsewhere")
    workspace.database.run("UPDATE chunks SET ordinal = ordinal + 1")
    assert set(deep(workspace)) == {"chunks-in-order", "vault-readable"}


def test_reader_says_what_it_could_not_look_at(folder: Path) -> None:
    with opened(folder), opened(folder, Ownership.READ) as reader:
        assert {name: finding.severity for name, finding in deep(reader).items()} == {"all-checked": "info"}


@pytest.mark.slow
def test_vector_that_chroma_changed_is_found_and_rebuilt(folder: Path) -> None:
    embedder = HashEmbedder()
    chroma = ChromaIndex(folder / "home" / "chroma", embedder.fingerprint, embedder.dimension)
    with opened(folder) as workspace:
        key = workspace.database.value("SELECT text_hash FROM embeddings ORDER BY id LIMIT 1")
    chroma.open()
    chroma.delete([key])
    chroma.add([key], embedder.embed_query("другое").reshape(1, -1))
    chroma.close()
    with opened(folder, embedder=embedder) as workspace:
        assert "1 wrong vectors" in deep(workspace)["vector-index"].detail
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        assert deep(workspace) == {}
