"""The vault's own words, as the catalogue has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.notes import make_note, make_stat, resolve_nothing
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.vocabulary import PropertyUse, VocabularyReader


def write(catalog: Catalog, path: str, tags: tuple[str, ...] = (), **properties: Any) -> None:
    note = replace(make_note(path), tags=tags, properties=properties)
    catalog.write_note(note, make_stat(path), [], resolve=resolve_nothing)


def test_only_what_the_stems_may_say_is_read(catalog: Catalog) -> None:
    write(catalog, "Книги/Русские/Идиот.md", ("book/fiction", "город"), Автор="[[Люди/Достоевский|Ф. Достоевский]]")
    write(catalog, "Города/Пермь.md", ("город",), статус="черновик")
    found = VocabularyReader(catalog.database).read({"книг", "book", "достоевск", "идиот"})
    assert found.tags == ("book", "book/fiction")
    assert found.folders == ("Книги", "Книги/Русские")
    assert found.names == (("Идиот", "Книги/Русские/Идиот.md"),)
    assert found.properties["автор"] == PropertyUse("Автор", ("Ф. Достоевский",))
    assert found.properties["статус"] == PropertyUse("статус")


def test_property_is_known_by_what_it_can_be_compared_as(catalog: Catalog) -> None:
    write(catalog, "a.md", pages=300, read="2023-05", note="в 5 утра")
    write(catalog, "b.md", pages="скоро", read="", note="позже")
    uses = VocabularyReader(catalog.database).read(()).properties
    assert {key for key, use in uses.items() if use.has_numbers} == {"pages"}
    assert {key for key, use in uses.items() if use.has_days} == {"read"}


def test_changed_notes_are_read_again(catalog: Catalog) -> None:
    reader = VocabularyReader(catalog.database)
    write(catalog, "a.md", status="open")
    assert reader.read(["open"]).properties["status"].values == ("open",)
    write(catalog, "a.md", status="opened")
    assert reader.read(["open"]).properties["status"].values == ("opened",)
    catalog.remove_note("a.md")
    assert reader.read(["open"]).properties == {}
