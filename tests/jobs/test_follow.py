"""The index follows a real vault by the system's real events; only the models are doubles."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.following import config_of, following
from vaultrag.config import WatchSection
from vaultrag.domain import Vectors
from vaultrag.errors import VaultError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.attention import DELETIONS_HELD, VAULT_MISSING, read_attention
from vaultrag.store.embeddings import owed_count
from vaultrag.store.integrity.check import check_index
from vaultrag.store.notes import graph, mentions
from vaultrag.workspace import Ownership, Reach, Workspace
from vaultrag.workspace.workspace import NOT_WHOLE

MANY = 300


@pytest.fixture
def notes(vault: Path) -> Path:
    (vault / "Дом").mkdir(parents=True)
    (vault / "Дом" / "Бойлер.md").write_text("# Бойлер\n\nКартридж поменяли в мае.\n", encoding="utf-8")
    (vault / "index.md").write_text("The boiler is described in [[Бойлер]].\n", encoding="utf-8")
    return vault


@pytest.mark.slow
def test_edits_are_found_and_embedded(notes: Path, home: Path) -> None:
    with following(config_of(notes, home), embedder := HashEmbedder()) as followed:
        followed.put("Дом/Бойлер.md", "# Бойлер\n\nТеперь стоит фильтр Гейзер.\n")
        followed.put("new.md", "A hedgehog lives under the porch.\n")
        followed.until(lambda: followed.finds("гейзер") == ["Дом/Бойлер.md"])
        followed.until(lambda: followed.finds("hedgehog") == ["new.md"])
        assert followed.finds("картридж") == []
        followed.until(lambda: owed_count(followed.workspace.database) == 0)
        assert any("hedgehog" in text for text in embedder.texts)
        (notes / "new.md").unlink()
        followed.until_paths("index.md", "Дом/Бойлер.md")


@pytest.mark.slow
def test_a_move_keeps_the_note_its_rows_and_its_vectors(notes: Path, home: Path) -> None:
    with following(config_of(notes, home), embedder := HashEmbedder()) as followed:
        followed.until(lambda: owed_count(followed.workspace.database) == 0 and len(embedder.texts) == 2)
        before, rows = followed.ids(), followed.workspace.database.column("SELECT id FROM chunks ORDER BY id")
        (notes / "Дом").rename(notes / "Дача")
        followed.until_paths("index.md", "Дача/Бойлер.md")
        (notes / "Новое место").mkdir()
        (notes / "Дача" / "Бойлер.md").rename(notes / "Новое место" / "Котёл.md")
        followed.until_paths("index.md", "Новое место/Котёл.md")
        assert followed.ids()["Новое место/Котёл.md"] == before["Дом/Бойлер.md"]
        assert followed.workspace.database.column("SELECT id FROM chunks ORDER BY id") == rows
        followed.until(lambda: owed_count(followed.workspace.database) == 0)
        assert len(embedder.texts) == 2
        assert graph.unresolved(followed.workspace.database)[0].target == "Бойлер"


def test_links_elsewhere_follow_files_that_come_and_go(notes: Path, home: Path) -> None:
    def target() -> str | None:
        return next(iter(graph.all_links(followed.workspace.database))).target_path

    with following(config_of(notes, home)) as followed:
        followed.until(lambda: target() == "Дом/Бойлер.md")
        followed.put("Бойлер.md", "Ближе.\n")
        followed.until(lambda: target() == "Бойлер.md")
        (notes / "Бойлер.md").rename(notes / "Не бойлер.md")
        followed.until(lambda: target() == "Дом/Бойлер.md")


def test_atomic_and_two_step_saves_leave_one_note_with_its_last_text(notes: Path, home: Path) -> None:
    with following(config_of(notes, home)) as followed:
        note = followed.ids()["index.md"]
        followed.put(".index.md.tmp", "Saved whole: penguin.\n")
        os.replace(notes / ".index.md.tmp", notes / "index.md")
        followed.until(lambda: followed.finds("penguin") == ["index.md"])
        (notes / "index.md").rename(notes / "index.md~")
        followed.put("index.md", "Saved by vim: walrus.\n")
        (notes / "index.md~").unlink()
        followed.until(lambda: followed.finds("walrus") == ["index.md"])
        assert followed.ids()["index.md"] == note


def test_emptied_note_is_believed_only_when_it_stays_empty(
    notes: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaultrag.indexing.update.EMPTY_SECONDS", 1.0)
    monkeypatch.setattr("vaultrag.jobs.follow.EMPTY_SECONDS", 1.0)
    with following(config_of(notes, home)) as followed:
        seen = len(followed.steps)
        followed.put("index.md", "")
        followed.until(lambda: len(followed.steps) > seen)
        assert followed.finds("boiler") == ["index.md"]
        followed.until(lambda: followed.finds("boiler") == [])
        assert "index.md" in followed.paths()


def test_emptied_and_filled_again_is_never_lost(notes: Path, home: Path) -> None:
    with following(config_of(notes, home)) as followed:
        seen = len(followed.steps)
        followed.put("index.md", "")
        followed.until(lambda: len(followed.steps) > seen)
        assert followed.finds("boiler") == ["index.md"]
        followed.put("index.md", "The boiler and a zebra.\n")
        followed.until(lambda: followed.finds("zebra") == ["index.md"])


def test_older_time_and_changed_case_are_followed(notes: Path, home: Path) -> None:
    with following(config_of(notes, home)) as followed:
        note = followed.ids()["index.md"]
        file = followed.put("index.md", "Restored from a backup: giraffe.\n")
        os.utime(file, ns=(1, 1))
        followed.until(lambda: followed.finds("giraffe") == ["index.md"])
        (notes / "index.md").rename(notes / "Index.md")
        followed.until_paths("Index.md", "Дом/Бойлер.md")
        assert followed.ids()["Index.md"] == note


@pytest.mark.slow
def test_folders_come_and_go_whole(notes: Path, home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    for number in range(MANY):
        folder = outside / f"Архив {number % 7}" / "deep"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"n{number}.md").write_text(f"Note {number}, заметка номер{number}.\n", encoding="utf-8")
    with following(config_of(notes, home)) as followed:
        outside.rename(notes / "Архив")
        followed.until(lambda: len(followed.paths()) == MANY + 2)
        assert followed.finds("номер271") == ["Архив/Архив 5/deep/n271.md"]
        before = followed.ids()
        (notes / "Архив").rename(notes / "Старое")
        followed.until(lambda: "Старое/Архив 5/deep/n271.md" in followed.paths())
        assert set(followed.ids().values()) == set(before.values())
        followed.until(lambda: read_attention(followed.workspace.database) is None)


def test_burst_into_new_folders_misses_nothing(notes: Path, home: Path) -> None:
    with following(config_of(notes, home)) as followed:
        expected = [followed.put(f"b{n % 30}/c{n % 4}/n{n}.md", f"слово{n}") for n in range(MANY)]
        followed.until(lambda: len(followed.paths()) == len(expected) + 2)
        assert followed.workspace.follow(None, lambda *_: None).applied.added == 0


def test_mass_deletion_is_held_while_edits_go_on_until_it_is_accepted(notes: Path, home: Path) -> None:
    for number in range(20):
        (notes / "Дом" / f"n{number}.md").write_text(f"Заметка номер{number}.\n", encoding="utf-8")
    with following(config_of(notes, home)) as followed:
        database = followed.workspace.database
        shutil.rmtree(notes / "Дом")
        followed.until(lambda: read_attention(database) is not None)
        held = read_attention(database)
        assert held is not None
        assert held.kind == DELETIONS_HELD
        assert "--accept-deletions" in held.remedy
        assert followed.workspace.status().attention == held
        followed.put("index.md", "Still followed: ocelot.\n")
        followed.until(lambda: followed.finds("ocelot") == ["index.md"])
        assert followed.finds("номер7") == ["Дом/n7.md"]
        with pytest.raises(VaultError):
            followed.workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        followed.workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
        assert followed.paths() == ["index.md"]
        assert read_attention(database) is None


def test_what_was_accepted_does_not_count_against_later_deletions(notes: Path, home: Path) -> None:
    for number in range(60):
        (notes / f"n{number}.md").write_text(f"Заметка номер{number}.\n", encoding="utf-8")
    with following(config_of(notes, home)) as followed:
        for number in range(20):
            (notes / f"n{number}.md").unlink()
        followed.until(lambda: read_attention(followed.workspace.database) is not None)
        followed.workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
        (notes / "n20.md").unlink()
        followed.until(lambda: "n20.md" not in followed.paths())
        assert read_attention(followed.workspace.database) is None


def test_a_vault_that_goes_piece_by_piece_is_held_too(notes: Path, home: Path) -> None:
    for number in range(40):
        (notes / f"n{number}.md").write_text(f"номер{number}\n", encoding="utf-8")
    with following(config_of(notes, home)) as followed:
        for part in range(8):
            seen = len(followed.steps)
            for number in range(part * 5, part * 5 + 5):
                (notes / f"n{number}.md").unlink()
            followed.until(lambda seen=seen: len(followed.steps) > seen)  # type: ignore[misc]
        followed.until(lambda: read_attention(followed.workspace.database) is not None)
        assert len(followed.paths()) > 20


def test_held_deletions_are_forgotten_when_the_notes_come_back(notes: Path, home: Path, tmp_path: Path) -> None:
    for number in range(20):
        (notes / "Дом" / f"n{number}.md").write_text(f"номер{number}\n", encoding="utf-8")
    with following(config_of(notes, home)) as followed:
        (notes / "Дом").rename(tmp_path / "away")
        followed.until(lambda: read_attention(followed.workspace.database) is not None)
        (tmp_path / "away").rename(notes / "Дом")
        followed.until(lambda: read_attention(followed.workspace.database) is None)
        assert len(followed.paths()) == 22


def test_a_vault_that_is_gone_loses_nothing_and_is_taken_up_again(notes: Path, home: Path, tmp_path: Path) -> None:
    with following(config_of(notes, home)) as followed:
        notes.rename(tmp_path / "away")
        followed.until(lambda: read_attention(followed.workspace.database) is not None)
        held = read_attention(followed.workspace.database)
        assert held is not None
        assert held.kind == VAULT_MISSING
        assert followed.finds("boiler") == ["index.md"]
        (tmp_path / "away").rename(notes)
        followed.until(lambda: read_attention(followed.workspace.database) is None)
        followed.put("back.md", "A lynx.\n")
        followed.until(lambda: followed.finds("lynx") == ["back.md"])


def test_root_replaced_by_another_folder_is_one_reconcile(notes: Path, home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(notes, other)
    (other / "index.md").unlink()
    (other / "extra.md").write_text("An axolotl.\n")
    with following(config_of(notes, home)) as followed:
        notes.rename(tmp_path / "old")
        other.rename(notes)
        followed.until_paths("extra.md", "Дом/Бойлер.md")
        followed.put("later.md", "A heron.\n")
        followed.until(lambda: followed.finds("heron") == ["later.md"])


def test_where_no_events_come_changes_are_found_by_looking(notes: Path, home: Path) -> None:
    section = WatchSection(mode="polling", quiet_seconds=0.05, poll_seconds=1.0)
    with following(config_of(notes, home, section)) as followed:
        followed.put("polled.md", "A capybara.\n")
        followed.until(lambda: followed.finds("capybara") == ["polled.md"])


def test_sync_conflicts_and_placeholders_change_nothing(notes: Path, home: Path) -> None:
    with following(config_of(notes, home)) as followed:
        followed.put("index (Conflicted copy laptop 202405011200).md", "The boiler is a quokka.\n")
        followed.put("index.sync-conflict-20240501-120000-ABCDEFG.md", "The boiler is a quokka.\n")
        (notes / "index.md").rename(notes / ".index.md.icloud")
        followed.put("last.md", "A stork.\n")
        followed.until(lambda: followed.finds("stork") == ["last.md"])
        assert followed.finds("quokka") == []
        assert followed.finds("boiler") == ["index.md"]


def test_what_cannot_be_read_is_counted_until_it_can(notes: Path, home: Path) -> None:
    (notes / "старая.md").write_bytes("Заметка в старой кодировке. ".encode("cp1251") * 20)
    with following(config_of(notes, home)) as followed:
        followed.until(lambda: followed.workspace.status().unread == 1)
        followed.put("новая.md", "Читается: капибара.\n")
        followed.until(lambda: followed.finds("капибара") == ["новая.md"])
        assert followed.workspace.status().unread == 1
        followed.put("старая.md", "Теперь читается: выхухоль.\n")
        followed.until(lambda: followed.finds("выхухоль") == ["старая.md"])
        followed.until(lambda: followed.workspace.status().unread == 0)


def test_questions_during_the_first_look_are_told_that_notes_are_missing(notes: Path, home: Path) -> None:
    for number in range(200):
        (notes / f"n{number}.md").write_text(f"Заметка о бобрах, номер{number}.\n", encoding="utf-8")
    told: list[tuple[bool, tuple[str, ...]]] = []
    with Workspace.with_models(config_of(notes, home), Ownership.OWN, None, None) as workspace:

        def ask_meanwhile(phase: str, done: int, total: int) -> None:
            if phase == "notes" and 0 < done < total:
                told.append((workspace.status().whole, workspace.search("бобры", 3, Reach.WORDS).warnings))

        workspace.index(ask_meanwhile, DeletionPolicy.GUARD)
        assert told
        assert all(not whole and NOT_WHOLE in warnings for whole, warnings in told)
        assert workspace.status().whole
        assert workspace.search("бобры", 3, Reach.WORDS).warnings == ()


class SlowEmbedder(HashEmbedder):
    """Waits at a gate before each passage batch."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.began = threading.Event()

    def embed_passages(self, texts: object) -> Vectors:
        self.began.set()
        assert self.gate.wait(30)
        return super().embed_passages(texts)  # type: ignore[arg-type]


@pytest.mark.slow
def test_notes_are_found_and_edits_applied_while_the_first_index_embeds(notes: Path, home: Path) -> None:
    embedder = SlowEmbedder()
    with following(config_of(notes, home), embedder) as followed:
        assert embedder.began.wait(30)
        assert followed.finds("boiler") == ["index.md"]
        followed.put("index.md", "Edited meanwhile: platypus.\n")
        followed.until(lambda: followed.finds("platypus") == ["index.md"])
        assert followed.workspace.status().pending > 0
        result = followed.workspace.search("platypus", 3)
        assert any("incomplete" in warning for warning in result.warnings)
        embedder.gate.set()
        followed.until(lambda: owed_count(followed.workspace.database) == 0)
        assert any("platypus" in text for text in embedder.texts)


def test_mentions_come_after_the_note_is_found(notes: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultrag.jobs.follow.MENTION_QUIET", 0.3)
    with following(config_of(notes, home)) as followed:
        database = followed.workspace.database
        followed.put("Дядя Виктор.md", "Пасечник.\n")
        followed.put("Дневник.md", "Ездили к дяде Виктору.\n")
        followed.until(lambda: followed.finds("пасечник") == ["Дядя Виктор.md"])
        followed.put("tick.md", "x")
        followed.until(lambda: "tick.md" in followed.paths())
        followed.follower.close()
        followed.workspace.owed.find_mentions()
        assert [(m.source_path, m.target_path) for m in mentions.all_mentions(database)] == [
            ("Дневник.md", "Дядя Виктор.md")
        ]


def test_following_ends_where_indexing_anew_ends(notes: Path, home: Path, tmp_path: Path) -> None:
    with following(config_of(notes, home)) as followed:
        followed.put("a/one.md", "Один [[two]] ![[schema.png]]\n")
        followed.put("a/two.md", "---\naliases: [Двойка]\n---\nTwo [[one]].\n")
        followed.put("schema.png", "x")
        followed.until(lambda: "schema.png" in followed.files() and "a/two.md" in followed.paths())
        (notes / "a").rename(notes / "b")
        followed.until(lambda: "b/two.md" in followed.paths())
        (notes / "schema.png").unlink()
        followed.put("b/one.md", "Один и [[Бойлер]], [[Двойка]].\n")
        followed.until(lambda: "schema.png" not in followed.files() and followed.finds("один") == ["b/one.md"])
        followed.until(lambda: any(link.target == "Двойка" for link in graph.all_links(followed.workspace.database)))
        links = graph.all_links(followed.workspace.database)
        assert [f for f in check_index(followed.workspace.database) if f.severity == "error"] == []
    with following(config_of(notes, tmp_path / "fresh")) as fresh:
        assert graph.all_links(fresh.workspace.database) == links
