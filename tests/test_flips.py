"""Single flipped bits: each is found by `check --deep` or does no harm, no verdict is lost, and `repair` mends it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests import flips
from tests.flips import Results, config_of, places, try_flips

HEADER = 100  # bytes
PAGE = 4096


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    flips.build(folder)
    return folder


@pytest.fixture(scope="module")
def expected(base: Path) -> Results:
    found = flips.results(config_of(base))
    assert all(found)
    assert flips.told(config_of(base)) == []
    return found


def assert_sound(base: Path, scratch: Path, name: str, drawn: list[tuple[int, int]], expected: Results) -> None:
    bad = [outcome for outcome in try_flips(base, scratch, name, drawn, expected) if not outcome.sound]
    assert bad == []


@pytest.mark.slow
def test_a_few_bits_of_every_kind(base: Path, tmp_path: Path, expected: Results) -> None:
    index = base / "home" / "index.sqlite3"
    drawn = [*places(index, 1, 1, 16, HEADER), *places(index, 4, 2, PAGE)]
    assert_sound(base, tmp_path, "index.sqlite3", drawn, expected)
    assert_sound(base, tmp_path, "journal.jsonl", places(base / "home" / "journal.jsonl", 2, 3), expected)


@pytest.mark.long
@pytest.mark.parametrize(
    ("first", "last", "count"),
    [(0, HEADER, 30), (HEADER, PAGE, 15), (PAGE, None, 100)],
    ids=["header", "schema", "pages"],
)
def test_bits_of_the_index(
    base: Path, tmp_path: Path, expected: Results, first: int, last: int | None, count: int
) -> None:
    drawn = places(base / "home" / "index.sqlite3", count, seed=count, first=first, last=last)
    assert_sound(base, tmp_path, "index.sqlite3", drawn, expected)


@pytest.mark.long
def test_bits_of_note_text(base: Path, tmp_path: Path, expected: Results) -> None:
    content = (base / "home" / "index.sqlite3").read_bytes()
    words = ("Прошивка", "Осмотр", "queue", "датчик", "волоч", "articles", "улья", "Pronounce")
    found = [content.find(word.encode(), start * len(content) // 3) for word in words for start in range(3)]
    drawn = [(offset + 1, number % 8) for number, offset in enumerate(found) if offset >= 0]
    assert len(drawn) > 10
    assert_sound(base, tmp_path, "index.sqlite3", drawn, expected)


def test_record_that_is_no_text_any_more_comes_from_the_journal(base: Path, tmp_path: Path, expected: Results) -> None:
    index = base / "home" / "index.sqlite3"
    offset = index.read_bytes().rfind("Сохранено.".encode())
    assert_sound(base, tmp_path, "index.sqlite3", [(offset, 7)], expected)


@pytest.mark.long
def test_bits_of_the_journal(base: Path, tmp_path: Path, expected: Results) -> None:
    drawn = places(base / "home" / "journal.jsonl", 20, seed=4)
    assert_sound(base, tmp_path, "journal.jsonl", drawn, expected)


@pytest.mark.long
@pytest.mark.parametrize(("name", "count"), [("index.sqlite3-wal", 30), ("index.sqlite3-shm", 10)])
def test_bits_of_the_log_that_a_killed_process_left(
    base: Path, tmp_path: Path, expected: Results, name: str, count: int
) -> None:
    config = config_of(tmp_path).model_copy(update={"vault": base / "vault"})
    shutil.copytree(base / "home", tmp_path / "open")
    connection = sqlite3.connect(tmp_path / "open" / "index.sqlite3")
    try:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        for change in ("text || 'x'", "substr(text, 1, length(text) - 1)"):
            connection.execute(f"UPDATE chunks SET text = {change}")
            connection.commit()
        shutil.copytree(tmp_path / "open", config.home)
    finally:
        connection.close()
    assert (config.home / name).stat().st_size
    for place in places(config.home / name, count, seed=5):
        copy = config.model_copy(update={"home": tmp_path / "copy"})
        shutil.rmtree(copy.home, ignore_errors=True)
        shutil.copytree(config.home, copy.home)
        flips.flip(copy.home / name, *place)
        outcome = flips.outcome(copy, f"{name} at {place}", expected)
        assert outcome.sound, outcome
