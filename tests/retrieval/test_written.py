"""Filters written as a query are read back as they were."""

from __future__ import annotations

import pytest

from vaultrag.retrieval.filters import parse_query
from vaultrag.retrieval.written import written


@pytest.mark.parametrize(
    "query",
    [
        "tag:дом/ремонт",
        "-path:/Архив/",
        'path:"/Мои заметки/2024/"',
        "property:status=done",
        "property:rating>=4",
        "property:pages=300..500",
        'property:"Автор книги"="Лев Толстой"',
        'property:примечание=«сказал "нет"»',
        'property:version="1..2"',
        "-property:rating",
        "date:2024",
        "date:2023..2024",
        "date:2024-05",
        "date:2024-05..2024-07",
        "date:2024-05-01..2024-06-15",
        "date:2024-05-01",
        "date:>=2024-05-01",
        "date:<2024-05-01",
        "task:open due:<2024-05-01",
        "done:2024-05",
        "task:open due:any",
        "speaker:me",
        "has:task",
        "tag:book OR path:/Книги/ OR property:type=book date:2023",
        'link:"Anneke de Vries" OR says:Аннеке',
        "title:встреча",
    ],
)
def test_written_filters_are_the_same(query: str) -> None:
    parsed = parse_query(query)
    assert parsed.text == ""
    assert written(parsed.filters) == query
