"""Questions about a time find and prefer notes of that time, and lose no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tests.retrieval.indexed_vault import indexed_vault
from vaultrag.config import SearchSection
from vaultrag.domain import Passage
from vaultrag.retrieval.fusion import Fused
from vaultrag.retrieval.lanes import Lanes
from vaultrag.retrieval.search import ALL_LANES, Searcher
from vaultrag.retrieval.times import date_weight, preferred
from vaultrag.store.notes.catalog import Catalog
from vaultrag.text.times.periods import periods_of
from vaultrag.workspace import Workspace

TODAY = date(2026, 3, 11)  # a Wednesday
WORDS = ("дом", "сад", "печь", "house", "yard", "stove")
DAILY = {
    f"{day}.md": f"{WORDS[number % 6].capitalize()}: дело{number} и task{number}.\n"
    for number in range(120)
    for day in (TODAY - timedelta(days=number),)
}
NOTES = {
    **DAILY,
    "2025-10-05 Прививка.md": "Прививка от клеща, второй укол.\n",
    "2024-10-05 Прививка.md": "Прививка от клеща, первый укол.\n",
    "Пчёлы.md": "Мёд в октябре 2025 года: два ведра, пасека у реки.\n",
    "2025-10-09.md": "Мёд купил в лавке.\n",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with indexed_vault(tmp_path_factory.mktemp("times"), NOTES) as opened:
        yield opened


def found(workspace: Workspace, query: str, lanes: frozenset[str] = ALL_LANES) -> tuple[Passage, ...]:
    vector = workspace.vectors.embed_question(query)
    searcher = Searcher(
        workspace.database, vector.nearest, vector.fingerprint, vector.centres, SearchSection(), today=TODAY
    )
    return searcher.search(query, 8, vector.vector, lanes).passages


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("что было на прошлой неделе?", "2026-03-02", "2026-03-08"),
        ("what did I do last week?", "2026-03-02", "2026-03-08"),
        ("вчера", "2026-03-10", "2026-03-10"),
        ("in the last 3 days", "2026-03-09", "2026-03-11"),
    ],
)
def test_a_question_of_nothing_but_a_time_finds_its_days(
    workspace: Workspace, query: str, first: str, last: str
) -> None:
    days = [passage.chunk.path[:10] for passage in found(workspace, query)]
    count = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    assert all(first <= day <= last for day in days[: min(count, 5)])
    assert not all(
        first <= passage.chunk.path[:10] <= last for passage in found(workspace, query, ALL_LANES - {"date"})
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "first"), [("прививка прошлой осенью", "2025-10-05"), ("прививка осенью 2024", "2024-10-05")]
)
def test_of_two_notes_that_say_the_same_that_of_the_time_comes_first(
    workspace: Workspace, query: str, first: str
) -> None:
    best = found(workspace, query)[0]
    assert best.chunk.path[:10] == first
    assert [share.via for share in best.trace if share.lane == "period"] == [first]


@pytest.mark.slow
def test_an_undated_note_that_tells_of_the_time_stays_first(workspace: Workspace) -> None:
    assert found(workspace, "сколько вёдер мёда дала пасека у реки прошлой осенью")[0].chunk.path == "Пчёлы.md"


@pytest.mark.parametrize(("lead", "first"), [(1.05, "2025-10-05"), (1.2, "2024-10-05")])
def test_a_little_more_counts_what_stands_in_a_note_of_the_time(workspace: Workspace, lead: float, first: str) -> None:
    ids = Catalog(workspace.database).note_ids([path for path in NOTES if "Прививка" in path])
    ranked = [Fused(n, ids[f"{2024 + n}-10-05 Прививка.md"], score, ()) for n, score in ((0, lead), (1, 1.0))]
    reader = Lanes(workspace.database, "", None, workspace.vectors.without_vector().centres)
    best = preferred(reader, ranked, periods_of("осенью 2025", TODAY))[0]
    assert f"{2024 + best.chunk}-10-05" == first


@pytest.mark.parametrize(("query", "weight"), [("last week", 3.0), ("пчёлы на прошлой неделе", 0.75)])
def test_a_time_weighs_the_less_the_more_else_is_asked(query: str, weight: float) -> None:
    assert date_weight(query, periods_of(query, TODAY)) == weight
