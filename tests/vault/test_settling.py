"""When gathered places are worth a look."""

from __future__ import annotations

from vaultrag.vault.settling import MANY, ChangeSet, Settling


def settling() -> Settling:
    return Settling(quiet=1.0, longest=5.0)


def test_places_settle_together_after_quiet() -> None:
    waiting = settling()
    waiting.add_file("Кот.md", 10.0)
    waiting.add_file("dog.md", 10.8)
    assert waiting.due() == 11.8
    assert waiting.take(11.7) is None
    assert waiting.take(11.8) == ChangeSet(frozenset({"Кот.md", "dog.md"}))
    assert waiting.take(99.0) is None
    assert waiting.due() is None


def test_a_file_that_is_written_without_end_keeps_nobody_waiting_for_long() -> None:
    waiting = settling()
    waiting.add_file("note.md", 0.0)
    taken = None
    for tick in range(1, 60):
        waiting.add_file("log.md", tick / 10)
        taken = taken or waiting.take(tick / 10)
    assert taken == ChangeSet(frozenset({"note.md", "log.md"}))


def test_a_folder_stands_for_what_lies_in_it() -> None:
    waiting = settling()
    waiting.add_folder("Проекты", 0.0)
    waiting.add_file("Проекты/a.md", 0.0)
    waiting.add_folder("Проекты/Дом", 0.0)
    waiting.add_file("Проекты 2.md", 0.0)
    assert waiting.take(1.0) == ChangeSet(frozenset({"Проекты", "Проекты 2.md"}))


def test_too_many_places_are_one_look_at_everything() -> None:
    waiting = settling()
    for number in range(MANY + 1):
        waiting.add_file(f"{number}.md", 0.0)
    taken = waiting.take(1.0)
    assert taken is not None
    assert taken.reason
    assert not taken.places


def test_postponed_places_come_back_by_themselves_and_only_once() -> None:
    waiting = settling()
    waiting.postpone(["busy.md"], 7.0)
    assert waiting.due() == 7.0
    assert waiting.take(6.9) is None
    waiting.add_file("busy.md", 6.0)
    assert waiting.take(7.0) == ChangeSet(frozenset({"busy.md"}))
    assert waiting.take(9.0) is None
