"""A note is found by the first letters of its name, and by the words that its name abbreviates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.retrieval.indexed_vault import indexed_vault
from vaultrag.retrieval.abbreviations import abbreviations_in, initials_in, stands_for
from vaultrag.workspace import Reach

NOTES = {
    "Getting Things Done.md": "Inbox, next actions, weekly review.\n",
    "Система управления базами данных.md": "Хранит таблицы и журнал.\n",
    "ВНЖ.md": "Подать бумаги в мае.\n",
    "SRE.md": "Pager, errors, budgets.\n",
    "Прочее.md": "Они тут ни при чём.\n",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("how does GTD work?", "Getting Things Done.md"),
        ("какая у нас СУБД?", "Система управления базами данных.md"),
        ("когда подавать на вид на жительство?", "ВНЖ.md"),
        ("who does site reliability engineering?", "SRE.md"),
    ],
)
def test_a_name_and_its_first_letters_find_each_other(tmp_path: Path, query: str, path: str) -> None:
    with indexed_vault(tmp_path, NOTES) as workspace:
        found = workspace.search(query, 3, Reach.WORDS).passages
    shares = {share.lane: share.via for passage in found if passage.chunk.path == path for share in passage.trace}
    assert shares.get("name") == path.removesuffix(".md")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("how does GTD work?", ("Getting Things Done", "Gross Tonnage Declared")),
        ("какая у нас СУБД?", ("Система управления базами данных", "Список убытков базы Диксон")),
    ],
)
def test_letters_that_several_names_begin_with_name_none_of_them(
    tmp_path: Path, query: str, names: tuple[str, str]
) -> None:
    with indexed_vault(tmp_path, {f"{name}.md": "Прочее, other.\n" for name in names}) as workspace:
        found = workspace.search(query, 3, Reach.WORDS).passages
    assert "name" not in {share.lane for passage in found for share in passage.trace}


def test_abbreviations_are_capitals_alone() -> None:
    assert abbreviations_in("GTD и СУБД, Маяк, ML, gpt, HTTPSERVER, GTD") == ["GTD", "СУБД"]


def test_function_words_count_or_not() -> None:
    assert stands_for("ВНЖ", "Вид на жительство")
    assert stands_for("ВЖ", "Вид на жительство")
    assert not stands_for("ВЖ", "Вид с балкона на жильё")
    assert {"ВНЖ", "КПВ"} <= set(initials_in("когда подавать вид на жительство"))
