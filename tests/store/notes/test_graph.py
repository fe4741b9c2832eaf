from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.notes import make_chunks, make_note, make_stat
from vaultrag.store.notes import graph
from vaultrag.store.notes.catalog import Catalog


def by_name(paths: Sequence[str]) -> graph.Resolve:
    """Resolve a target to the first path with that base name."""

    def resolve(target: str, source: str) -> str | None:
        wanted = graph.target_key(target)
        return next((path for path in sorted(paths) if graph.target_key(path) == wanted), None)

    return resolve


def write_vault(catalog: Catalog, notes: dict[str, list[str]], files: Sequence[str] = ()) -> dict[str, int]:
    names = [*notes, *files]
    resolve = by_name(names)
    graph.change_files(catalog.database, names, (), resolve)
    return {
        path: catalog.write_note(
            make_note(path, [path], links), make_stat(path), make_chunks(path, [path]), resolve=resolve
        )
        for path, links in notes.items()
    }


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("Folder/Note", "note"),
        ("Note.md", "note"),
        ("../Заметка.MD", "заметка"),
        ("image.PNG", "image.png"),
        ("Straße", "straße"),
        ("ΟΔΟΣ", "οδοσ"),
        ("й", "й"),
        ("v1.2", "v1.2"),
        ("a.md.md", "a"),
        ("папка\\Заметка", "заметка"),
        ("два\u00a0слова", "два слова"),
        ("", ""),
    ],
)
def test_key_holds_whatever_can_name_the_same_file(target: str, key: str) -> None:
    assert graph.target_key(target) == key


def test_links_are_walked_in_both_directions(catalog: Catalog) -> None:
    ids = write_vault(catalog, {"a.md": ["b", "b"], "b.md": ["a", "c", "нет"], "c.md": [], "d.md": ["d"]})
    edges = graph.neighbours(catalog.database, [ids["c.md"]])
    assert [(edge.source_id, edge.target_id, edge.text) for edge in edges] == [(ids["b.md"], ids["c.md"], "c")]
    assert {(edge.source_id, edge.target_id) for edge in graph.neighbours(catalog.database, [ids["a.md"]])} == {
        (ids["a.md"], ids["b.md"]),
        (ids["b.md"], ids["a.md"]),
    }
    assert graph.neighbours(catalog.database, [ids["d.md"]]) == [], "a link to itself leads nowhere"
    assert [link.source_path for link in graph.incoming(catalog.database, ids["c.md"])] == ["b.md"]
    assert [link.target for link in graph.outgoing(catalog.database, ids["b.md"])] == ["a", "c", "нет"]
    assert [link.target for link in graph.unresolved(catalog.database)] == ["нет"]


def test_link_from_a_long_list_weighs_less(catalog: Catalog) -> None:
    ids = write_vault(catalog, {"list.md": ["t", *(f"x{n}" for n in range(30))], "one.md": ["t"], "t.md": []})
    edges = graph.neighbours(catalog.database, [ids["t.md"]])
    assert [edge.source_id for edge in edges] == [ids["one.md"], ids["list.md"]]
    assert edges[0].weight == 1.0 > edges[1].weight


def test_note_that_appears_takes_the_links_waiting_for_it(catalog: Catalog) -> None:
    ids = write_vault(catalog, {"a.md": ["Новая", "pic.png"]})
    resolve = by_name(["a.md", "Папка/Новая.md", "pic.png"])
    assert graph.change_files(catalog.database, ["Папка/Новая.md", "pic.png"], (), resolve) == 2
    assert [link.target_path for link in graph.outgoing(catalog.database, ids["a.md"])] == ["Папка/Новая.md", "pic.png"]


def test_links_follow_a_rename_to_the_next_best_file(catalog: Catalog) -> None:
    ids = write_vault(catalog, {"a.md": ["n"], "x/n.md": [], "y/n.md": []})
    assert graph.change_files(catalog.database, (), ["x/n.md"], by_name(["a.md", "y/n.md"])) == 1
    assert [link.target_path for link in graph.outgoing(catalog.database, ids["a.md"])] == ["y/n.md"]
    assert graph.change_files(catalog.database, (), ["y/n.md"], by_name(["a.md"])) == 1
    assert [link.target for link in graph.unresolved(catalog.database)] == ["n"]
