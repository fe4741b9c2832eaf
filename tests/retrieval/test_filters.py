"""What is a filter in a query, and what stays a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultrag.domain import Filter, FilterKind
from vaultrag.errors import UsageError
from vaultrag.retrieval.filters import parse_query, parse_scope, scope_of


def test_filters_are_taken_out_of_the_words() -> None:
    parsed = parse_query("бойлер tag:дом картридж -path:Архив/ 2024")
    assert parsed.text == "бойлер картридж 2024"
    assert parsed.filters == (Filter(FilterKind.TAG, "дом"), Filter(FilterKind.PATH, "Архив/", excluded=True))


def test_values_with_spaces_stand_in_quotes() -> None:
    parsed = parse_query('path:"Мои заметки/2024" property:"Автор книги"="Лев Толстой" TAG:«#работа»')
    assert parsed.text == ""
    assert parsed.filters == (
        Filter(FilterKind.PATH, "Мои заметки/2024"),
        Filter(FilterKind.PROPERTY, "Лев Толстой", name="Автор книги"),
        Filter(FilterKind.TAG, "работа"),
    )


def test_brackets_name_a_property_as_in_obsidian() -> None:
    assert parse_query("отчёт [статус:в работе]").filters == (Filter(FilterKind.PROPERTY, "в работе", name="статус"),)
    assert parse_query("-[status:done]").filters == (Filter(FilterKind.PROPERTY, "done", name="status", excluded=True),)
    assert parse_query("property:status").filters == (Filter(FilterKind.PROPERTY, None, name="status"),)


UNNAMED = (FilterKind.ANY, FilterKind.TASK_DAY)  # OR, and the names of the days


@pytest.mark.parametrize(
    ("written", "first", "end"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-12", "2024-12-01", "2025-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2024-05-01..2024-06", "2024-05-01", "2024-07-01"),
        ("2024-05..", "2024-05-01", ""),
        ("..2023", "", "2024-01-01"),
        (">=2024-05", "2024-05-01", ""),
        (">2024-05", "2024-06-01", ""),
        ("<=2024", "", "2025-01-01"),
        ("<2024", "", "2024-01-01"),
    ],
)
def test_dates_name_whole_periods(written: str, first: str, end: str) -> None:
    assert parse_query(f"date:{written}").filters == (Filter(FilterKind.DATE, first_day=first, end_day=end),)


@pytest.mark.parametrize(
    "query",
    [
        "что такое http://example.com:8080/a?b=c",
        "std::vector и C:\\Windows",
        "встреча в 12:30",
        "ошибка:404",
        '"tag:work" как есть',
        '"в кавычках tag:work тоже"',
        "[[Note:x]] и [1] и [12:30]",
        "tag: с пробелом",
        "file:///home",
        "mytag:x",
        "",
        " - ",
    ],
)
def test_other_colons_stay_words(query: str) -> None:
    assert parse_query(query).filters == ()
    assert parse_query(query).text == query


@pytest.mark.parametrize(
    "query",
    [
        "has:banana",
        "date:вчера",
        "date:2024-13",
        "date:2024-06..2024-05",
        "date:..",
        "date:9999",
        "date:0000",
        "speaker:bob",
        "tags:work",
        "file:x",
        "task-todo:x",
        'tag:""',
        "property:=x",
        "property:x=",
    ],
)
def test_bad_filter_names_the_known_ones(query: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_query(query)
    assert all(f"{kind}:" in raised.value.remedy for kind in FilterKind if kind not in UNNAMED)


@pytest.mark.slow
@given(st.text(alphabet='tagdhs:-"[]«»=.2 пя>\\', max_size=40))
def test_any_text_is_parsed_or_refused(query: str) -> None:
    try:
        parsed = parse_query(query)
    except UsageError:
        return
    assert parsed.filters or parsed.text == query


@pytest.mark.parametrize("written", ["2024-00", "2024-05-00", '"2024\n05"'])
def test_a_date_that_no_calendar_has_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="is not a date"):
        parse_query(f"date:{written} бойлер")


@pytest.mark.parametrize("query", ["tag:a " * 600, "date:2020 " * 390, "рыба " + "-[статус:готово] path:Архив/ " * 9])
def test_more_filters_than_anybody_writes_are_refused_in_one_sentence(query: str) -> None:
    with pytest.raises(UsageError, match=r"filters; 16 are the most") as caught:
        parse_query(query)
    assert caught.value.remedy


def test_as_many_filters_as_there_may_be_are_taken() -> None:
    assert len(parse_query("tag:a " * 16).filters) == 16


@pytest.mark.parametrize(
    ("place", "filters"),
    [
        ("#дом/ремонт", (Filter(FilterKind.TAG, "дом/ремонт"),)),
        ("Люди и встречи/", (Filter(FilterKind.PATH, "Люди и встречи/"),)),
        (" Servers/mayak.md ", (Filter(FilterKind.PATH, "Servers/mayak.md"),)),
    ],
)
def test_place_becomes_a_filter(place: str, filters: tuple[Filter, ...]) -> None:
    assert parse_scope(scope_of(place)) == filters


@pytest.mark.parametrize("place", ["", "#", "  ", 'a"b', "a\nb"])
def test_place_that_no_filter_can_name_is_refused(place: str) -> None:
    with pytest.raises(UsageError):
        scope_of(place)


def test_scope_holds_nothing_but_filters() -> None:
    assert parse_scope("") == ()
    with pytest.raises(UsageError, match="boiler"):
        parse_scope("tag:home boiler")


def test_or_between_two_filters_means_either_and_binds_closer_than_a_space() -> None:
    first, second = parse_query("tag:book OR path:Книги/ OR -has:task date:2023 слово").filters
    assert first.kind is FilterKind.ANY
    assert [one.kind for one in first.any_of] == [FilterKind.TAG, FilterKind.PATH, FilterKind.HAS]
    assert first.any_of[2].excluded
    assert second.kind is FilterKind.DATE
    assert parse_query("tag:a OR слово").text == "OR слово"


def test_words_with_a_colon_stay_words_where_no_date_follows() -> None:
    assert parse_query("done:деплой due:скоро").filters == ()
    [due] = parse_query("due:<2024-05-01").filters
    assert (due.kind, due.name, due.end_day) == (FilterKind.TASK_DAY, "due", "2024-05-01")
