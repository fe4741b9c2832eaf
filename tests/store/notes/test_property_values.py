"""Values of properties compared: numbers, days, links, lists, texts."""

from __future__ import annotations

from typing import Any

import pytest

from vaultrag.domain import Filter, FilterKind
from vaultrag.retrieval.filters import parse_query
from vaultrag.store.notes.property_values import holds_property, number_of

HELD: dict[str, Any] = {
    "Оценка": 4,
    "pages": "300",
    "read": "2023-11 – 2024-01",
    "finished": "2024-05-17T10:30",
    "year": 2023,
    "author": "[[People/Leo Tolstoy|Толстой]]",
    "tags": ["a", "b"],
    "done": True,
    "name": "Чужой",
    "info": {"rating": 5},
}


@pytest.mark.parametrize(
    "query",
    [
        "property:оценка>=4",
        "property:оценка=4",
        "property:pages>99",
        "property:pages=200..300",
        "property:read=2023",
        "property:read=2024-01",
        "property:read>=2024",
        "property:finished=2024-05",
        "property:finished<2024-06",
        "property:finished=2024-05-01..2024-05-20",
        "property:year=2023",
        "property:author=толстой",
        'property:author="Leo Tolstoy"',
        "property:tags=b",
        "property:done=true",
        "property:info.rating=5",
        "property:name",
    ],
)
def test_value_meets(query: str) -> None:
    assert holds_property(HELD, parse_query(query).filters[0])


@pytest.mark.parametrize(
    "query",
    [
        "property:оценка>4",
        "property:оценка<100..",
        "property:pages>1000",
        "property:read=2025",
        "property:read<2023",
        "property:finished>2024-05",
        "property:finished=2023",
        "property:name>=5",
        "property:done>0",
        "property:missing",
        "property:tags=c",
    ],
)
def test_value_does_not_meet(query: str) -> None:
    assert not holds_property(HELD, parse_query(query).filters[0])


def test_sentence_with_a_date_in_it_is_compared_as_text() -> None:
    assert not holds_property({"a": "2024-05-17"}, Filter(FilterKind.PROPERTY, "с 2024-05-17 и далее", name="a"))


@pytest.mark.parametrize("value", ["9" * 400, 10**400, float("inf"), float("nan"), "1e5", "0x10", True, None, ""])
def test_what_is_no_finite_number_is_none(value: Any) -> None:
    assert number_of(value) is None


@pytest.mark.parametrize(("value", "number"), [("-5", -5.0), ("4,5", 4.5), (4, 4.0), (0.5, 0.5), (1e300, 1e300)])
def test_number_is_read(value: Any, number: float) -> None:
    assert number_of(value) == number
