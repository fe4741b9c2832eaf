"""Aliases and mentions in the index: kept up with every change, and apart from links."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.indexing.indexed import FIXTURES, index, put
from vaultrag.config import Config, Settings
from vaultrag.store.database import Database
from vaultrag.store.integrity.check import check_index
from vaultrag.store.notes import graph, mentions
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.opening import open_database
from vaultrag.vault.files import scan_vault


@pytest.fixture
def config(vault: Path, home: Path) -> Config:
    return Config(vault=vault, home=home, models=home / "models", settings=Settings())


@pytest.fixture
def database(config: Config):  # type: ignore[no-untyped-def]
    with open_database(config.database_path) as opened:
        yield opened


def edges(database: Database) -> set[tuple[str, str | None, str, str]]:
    return {(m.source_path, m.target_path, m.kind.value, m.text) for m in mentions.all_mentions(database)}


def test_title_and_alias_in_the_text_are_edges_of_their_own_kind(config: Config, database: Database) -> None:
    put(config, "Дядя Виктор.md", "---\naliases: [дед с пасеки]\n---\nПасечник.\n")
    put(config, "Дневник.md", "Ездили к дяде Виктору.\n\nЗвали дедом с пасеки. См. [[Дед с пасеки]].\n")
    index(config, database)
    assert edges(database) == {
        ("Дневник.md", "Дядя Виктор.md", "mention", "дяде Виктору"),
        ("Дневник.md", "Дядя Виктор.md", "mention", "дедом с пасеки"),
        ("Дневник.md", "Дядя Виктор.md", "alias", "Дед с пасеки"),
    }
    assert [link.target for link in graph.unresolved(database)] == ["Дед с пасеки"]
    assert {finding.severity for finding in check_index(database)} <= {"info"}


def test_a_name_whose_characters_the_text_names_is_mentioned_when_its_note_is_edited(
    config: Config, database: Database
) -> None:
    put(config, "Müller Haus.md", "Гостиница.\n")
    for text in ("Были в M&uuml;ller&nbsp;Haus.\n", "Снова были в M&uuml;ller&nbsp;Haus.\n"):
        put(config, "Дневник.md", text)
        index(config, database)
        assert edges(database) == {("Дневник.md", "Müller Haus.md", "mention", "Müller Haus")}


def test_mentions_follow_new_and_removed_names(config: Config, database: Database) -> None:
    put(config, "Дневник.md", "Ездили к дяде Виктору. [[Витя]]\n")
    index(config, database)
    assert edges(database) == set()
    put(config, "Дядя Виктор.md", "---\naliases: [Витя]\n---\nПасечник.\n")
    index(config, database)
    assert {kind for _, _, kind, _ in edges(database)} == {"mention", "alias"}
    put(config, "Дядя Виктор.md", "Пасечник без имени.\n")
    (config.vault / "Дядя Виктор.md").rename(config.vault / "Пасечник и мёд.md")
    index(config, database)
    assert edges(database) == set()


@pytest.mark.parametrize(
    ("alias", "text"), [("дед с пасеки", "Ездили к деду с пасеки."), ("Old Mill", "To the Old Mill.")]
)
def test_a_name_that_two_notes_bore_means_the_one_that_stays(
    config: Config, database: Database, alias: str, text: str
) -> None:
    put(config, "Дневник.md", f"{text} [[{alias}]]\n")
    put(config, "Первый.md", f"---\naliases: [{alias}]\n---\n")
    put(config, "Второй.md", f"---\naliases: [{alias}]\n---\n")
    index(config, database)
    assert edges(database) == set()
    (config.vault / "Второй.md").unlink()
    index(config, database)
    assert {(target, kind) for _, target, kind, _ in edges(database)} == {
        ("Первый.md", "alias"),
        ("Первый.md", "mention"),
    }
    put(config, "Третий.md", f"---\naliases: [{alias}]\n---\n")
    index(config, database)
    assert edges(database) == set()


def test_a_link_whose_file_is_gone_may_mean_an_alias(config: Config, database: Database) -> None:
    put(config, "Дневник.md", "[[план.pdf]]\n")
    put(config, "План дома.md", "---\naliases: [план.pdf]\n---\n")
    put(config, "план.pdf", "%PDF-1.4\n")
    index(config, database)
    assert edges(database) == set()
    (config.vault / "план.pdf").unlink()
    index(config, database)
    assert {(target, kind) for _, target, kind, _ in edges(database)} == {("План дома.md", "alias")}
    put(config, "план.pdf", "%PDF-1.4\n")
    index(config, database)
    assert edges(database) == set()


def test_alias_edge_is_followed_by_search_and_a_mention_is_not(config: Config, database: Database) -> None:
    put(config, "Дядя Виктор.md", "---\naliases: [Витя]\n---\nПасечник.\n")
    put(config, "a.md", "см. [[Витя]]\n")
    put(config, "b.md", "у дяди Виктора\n")
    index(config, database)
    ids = Catalog(database).note_ids(["a.md", "b.md", "Дядя Виктор.md"])
    found = graph.neighbours(database, [ids["Дядя Виктор.md"]])
    assert [(edge.source_id, edge.text) for edge in found] == [(ids["a.md"], "Витя")]


def test_indexing_note_by_note_finds_what_indexing_at_once_finds(config: Config, database: Database) -> None:
    """On the fixture's people and their diary: names that come later are found in notes that came first."""
    stats = [stat for stat in scan_vault(FIXTURES, ()).notes if stat.path.startswith(("Люди/", "Дом/"))]
    for stat in sorted(stats, key=lambda stat: stat.path, reverse=True):
        put(config, stat.path, (FIXTURES / stat.fs_path).read_text(encoding="utf-8"))
        index(config, database)
    single = edges(database)
    database.run("INSERT OR REPLACE INTO mentions_owed (note_id) SELECT id FROM notes")
    put(config, "x.md", "")
    index(config, database)
    assert single >= edges(database)
    assert single


def test_kill_before_mentions_is_made_up_for(config: Config, database: Database) -> None:
    put(config, "Дядя Виктор.md", "Пасечник.\n")
    put(config, "b.md", "у дяди Виктора\n")
    index(config, database)
    expected = edges(database)
    database.run("DELETE FROM mentions")
    database.run("INSERT INTO mentions_owed (note_id) SELECT id FROM notes")
    index(config, database)
    assert edges(database) == expected
    assert expected


def test_note_whose_name_holds_no_word_is_no_obstacle(config: Config, database: Database) -> None:
    put(config, "….md", "---\naliases: ['???']\n---\nУ дяди Виктора.\n")
    put(config, "🎉.md", "")
    put(config, "Дядя Виктор.md", "…\n")
    index(config, database)
    assert edges(database) == {("….md", "Дядя Виктор.md", "mention", "дяди Виктора")}


def test_a_name_is_met_in_forms_whose_stem_changes(config: Config, database: Database) -> None:
    put(config, "Павел.md", "Карточка.\n")
    put(config, "Птичий рынок.md", "Место.\n")
    put(config, "Старый отец.md", "Человек.\n")
    put(config, "Дневник.md", "Говорили с Павлом.\n\nБыли на птичьем рынке у старого отца.\n")
    index(config, database)
    assert edges(database) == {
        ("Дневник.md", "Павел.md", "mention", "Павлом"),
        ("Дневник.md", "Птичий рынок.md", "mention", "птичьем рынке"),
        ("Дневник.md", "Старый отец.md", "mention", "старого отца"),
    }


def test_a_later_name_is_looked_for_in_its_other_forms_too(config: Config, database: Database) -> None:
    put(config, "Дневник.md", "Говорили с Павлом о рынках.\n")
    for number in range(5):
        put(config, f"Прочее {number}.md", "Ничего.\n")
    index(config, database)
    put(config, "Павел.md", "Карточка.\n")
    index(config, database)
    assert edges(database) == {("Дневник.md", "Павел.md", "mention", "Павлом")}


def test_a_word_of_the_same_look_that_is_no_form_is_no_mention(config: Config, database: Database) -> None:
    put(config, "Павел.md", "Карточка.\n")
    put(config, "Дневник.md", "Город Павлово, Павловск и писатель Павлов. Павловой не было.\n")
    index(config, database)
    assert edges(database) == set()
