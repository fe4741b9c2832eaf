"""Which notes belong to a note: bound ones, and unbound ones that are like it in more than one way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.reanalysis.analysed_vault import NOTES, opened
from vaultrag.domain import Tie
from vaultrag.reanalysis.related import RelatedNote, Relations, key_words
from vaultrag.store.notes.catalog import Catalog
from vaultrag.workspace import Workspace

HIVE = "# Улей\n\nВ улье на пасеке весы показали прибыль, матка сеет, расплод ровный. Роение началось в июне.\n"
FRAMES = "# Рамки\n\nРасплод на рамках ровный, матка молодая, весы на пасеке врут. Перед роением ставим магазин.\n"
SCALE = "# Scales\n\nThe hive scales drift by two kilograms when the brood grows and the queen lays.\n"
BROOD = "# Brood\n\nThe brood pattern is even, the queen is young, and the hive scales must be read at dawn.\n"
FILLED = {path: text for path, text in NOTES.items() if path.startswith(("Разное", "Other"))}


def _related(workspace: Workspace, path: str) -> list[RelatedNote]:
    way = workspace.longer_way()
    note_id = Catalog(workspace.database).note_ids([path])[path]
    return Relations(workspace.database, way.search, way.fingerprint, note_id).related()


def _paths(folder: Path, notes: Mapping[str, str], path: str) -> list[str]:
    with opened(folder, notes={**FILLED, **notes}) as workspace:
        return [one.path for one in _related(workspace, path)]


@pytest.mark.parametrize(
    ("notes", "path", "found"),
    [
        ({"Пчёлы/Улей.md": HIVE, "Дача/Рамки.md": FRAMES}, "Пчёлы/Улей.md", "Дача/Рамки.md"),
        ({"Bees/Scales.md": SCALE, "Garden/Brood.md": BROOD}, "Bees/Scales.md", "Garden/Brood.md"),
    ],
)
def test_note_that_speaks_of_the_same_is_found_without_a_link(
    tmp_path: Path, notes: dict[str, str], path: str, found: str
) -> None:
    assert _paths(tmp_path, notes, path) == [found]


def test_note_that_shares_nothing_is_not_listed(tmp_path: Path) -> None:
    other = "# Часы\n\nРемонт настенных часов: маятник, пружина, анкер и немного терпения.\n"
    assert _paths(tmp_path, {"Пчёлы/Улей.md": HIVE, "Хобби/Часы.md": other}, "Пчёлы/Улей.md") == []


def test_bound_notes_are_told_by_what_binds_them_and_links_come_first(tmp_path: Path) -> None:
    notes = {
        "Улей.md": "# Улей\n\nПрибыль на весах, смотри [[Весы]]. Так сказал Виктор Лыков, пчеловод.\n",
        "Весы.md": "# Весы\n\nПоказания снимаем на рассвете.\n",
        "Виктор Лыков.md": "# Виктор Лыков\n\nСосед, у него пчёлы; прибыль на весах он сказал первым.\n",
        "Год.md": "# Год\n\nИтог лета: [[Улей]] дал двадцать килограммов.\n",
    }
    with opened(tmp_path, notes={**FILLED, **notes}) as workspace:
        ties = {one.path: one.tie for one in _related(workspace, "Улей.md")}
    assert ties["Весы.md"] is Tie.LINKED
    assert ties["Год.md"] is Tie.LINKING
    assert ties["Виктор Лыков.md"] is Tie.NAMED


def test_list_of_all_notes_makes_no_two_of_them_neighbours(tmp_path: Path) -> None:
    notes = {f"Список/{number}.md": f"# Запись {number}\n\nСлово{number} о чём-то своём.\n" for number in range(45)}
    hub = {"Оглавление.md": "# Оглавление\n\n" + "\n".join(f"- [[Список/{number}]]" for number in range(45)) + "\n"}
    found = _paths(tmp_path, {**notes, **hub}, "Список/7.md")
    assert set(found) <= {"Оглавление.md"}


def test_telling_words_are_often_in_the_note_and_in_few_others_but_in_some() -> None:
    own = Counter({"улей": 5, "матк": 1, "нигдебольше": 9, "дом": 9, "и": 9})
    held_by = {"улей": 3, "матк": 3, "нигдебольше": 1, "дом": 90, "и": 100}
    found = key_words(own, held_by, 100)
    assert list(found) == ["улей", "матк"]
    assert found["улей"] > found["матк"]
