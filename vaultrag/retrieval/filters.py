"""The filters that a query may hold, as `tag:work -path:Archive/ date:2024-05..2024-06`, told apart from its words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from vaultrag.domain import Feature, Filter, FilterKind, TaskState
from vaultrag.errors import UsageError
from vaultrag.store.notes.property_values import RANGE

OWN_TEXT = "me"
OR = "OR"
ANY_STATE = "any"
TASK_DAY_FILTERS = ("due", "scheduled", "done")  # the days that a task's line may say, as filters
SPEAKERS = ("user", "assistant", OWN_TEXT)
NO_CHATS = f"speaker:{OWN_TEXT}"
EXAMPLES = (
    "tag:work, path:Projects/, title:boiler, says:boiler, link:Mayak, property:status=done (or [status:done],"
    " property:rating>=4), has:task, task:open due:2024-05, date:2024-05 (2024, 2024-05-01, 2024-05..2024-06, >=2024),"
    " speaker:user; a minus before any of them excludes, OR between two means either"
)
# Obsidian's own operators, and what hands write for ours. Whatever else stands before a colon is a word of the query.
_FOREIGN = frozenset(
    """
    tags file folder prop props properties content line block section task-todo task-done match-case ignore-case
    """.split()
)
MOST_FILTERS = 16  # each may look at every note; nobody writes so many by hand, and SQLite takes no long conditions
_QUOTED = r"\"[^\"]*\"|“[^“”]*”|«[^«»]*»"
_TERM = re.compile(
    rf"(?<!\S)(?:{_QUOTED})"  # quoted words stay words
    rf"|(?<!\S)(?P<minus>-?)(?:(?P<kind>[A-Za-z][A-Za-z-]*):(?P<value>(?:{_QUOTED}|[^\s\"“«])+)"
    r"|\[(?P<name>[^\W\d][^\[\]:]*|\"[^\"]+\"):(?P<wanted>[^\[\]]+)\])(?!\S)"
)
_ASSIGNED = re.compile(rf"(?P<name>{_QUOTED}|[^=<>]*)(?P<sign>>=|<=|=|>|<)(?P<value>.*)", re.DOTALL)
_BOUND = re.compile(r"-?\d[\d.,-]{0,20}")
_PERIOD = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_UNQUOTABLE = re.compile(r"[\"\r\n]")
_COMPARED = re.compile(r"(>=|<=|>|<)?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query without its filters, and these."""

    text: str
    filters: tuple[Filter, ...]


def parse_query(query: str) -> ParsedQuery:
    """Tell filters from words. What stands in quotes stays a word. Raises UsageError for a filter that is none."""
    words: list[str] = []
    filters: list[Filter] = []
    at = 0
    for match in _TERM.finditer(query):
        found = _filter(match)
        if found is None:
            continue
        one = replace(found, excluded=match["minus"] == "-")
        between = query[at : match.start()]
        if filters and between.strip() == OR:
            filters[-1] = _either(filters[-1], one)
        else:
            filters.append(one)
            words.append(between)
        at = match.end()
    count = sum(len(one.any_of) or 1 for one in filters)
    if count > MOST_FILTERS:
        raise _refused(f"The query holds {count} filters; {MOST_FILTERS} are the most.")
    if not filters:
        return ParsedQuery(query, ())
    words.append(query[at:])
    return ParsedQuery(" ".join(" ".join(words).split()), tuple(filters))


def parse_scope(scope: str) -> tuple[Filter, ...]:
    """Return the filters of a scope, which holds nothing else. Raises UsageError."""
    parsed = parse_query(scope)
    if parsed.text.strip():
        raise _refused(f"The scope holds what is no filter: {parsed.text.strip()[:60]}.")
    return parsed.filters


def without_chats(filters: str) -> str:
    """Return filters as they are written, chats with an AI left out by one more: what the user wrote in them, too."""
    return f"{filters} {NO_CHATS}".strip()


def scope_of(place: str) -> str:
    """Return the filter for a place as people name it: `#tag`, or a folder or note.

    Raises UsageError for a place that no filter can name.
    """
    named = place.strip()
    kind, value = ("tag", named.lstrip("#")) if named.startswith("#") else ("path", named)
    if not value or _UNQUOTABLE.search(value):
        raise UsageError(f"`{place}` names no folder and no tag.", "Example: --in Projects/ --in '#work'")
    return f'{kind}:"{value}"'


def _either(one: Filter, other: Filter) -> Filter:
    """Return the filter that one of both meets; OR binds closer than the space between filters."""
    held = one.any_of if one.kind is FilterKind.ANY else (one,)
    return Filter(FilterKind.ANY, any_of=(*held, other))


def _filter(match: re.Match[str]) -> Filter | None:
    if match["name"]:
        return _property(_unquoted(match["name"]), _unquoted(match["wanted"]))
    kind = (match["kind"] or "").lower()
    if kind in TASK_DAY_FILTERS:
        return _task_day(kind, match["value"])
    if kind not in _READERS:
        if kind in _FOREIGN and not match["value"].startswith("//"):  # file:///… is an address
            raise _refused(f"`{kind}:` is not a filter here.")
        return None
    return _READERS[FilterKind(kind)](match["value"])


def _property_filter(value: str) -> Filter:
    assigned = _ASSIGNED.fullmatch(value)
    if assigned is None:
        return _property(_unquoted(value), None)
    name, sign, written = assigned.groups()
    compare = sign if sign != "=" else RANGE if _is_range(written) else ""
    return replace(_property(_unquoted(name), _unquoted(written)), compare=compare)


def _is_range(value: str) -> bool:
    """Tell whether a value is two numbers or days with dots between them; one may be left out."""
    first, dots, last = value.partition(RANGE)
    return bool(dots and (first or last)) and all(not bound or _BOUND.fullmatch(bound) for bound in (first, last))


def _property(name: str, value: str | None) -> Filter:
    if not name or value == "":
        raise _refused("A property filter needs a name and a value.")
    return Filter(FilterKind.PROPERTY, value, name=name)


def _words(kind: FilterKind) -> Callable[[str], Filter]:
    def read(value: str) -> Filter:
        words = _unquoted(value)
        if kind is FilterKind.LINK:
            words = words.removeprefix("[[").removesuffix("]]").partition("|")[0].strip()
        if not words:
            raise _refused(f"`{kind}:` names nothing.")
        return Filter(kind, words)

    return read


def _task(value: str) -> Filter:
    state = _unquoted(value).lower()
    if state not in (*TaskState, ANY_STATE):
        raise _refused(f"`task:{value}` is not known; a task is {', '.join(TaskState)}, or {ANY_STATE}.")
    return Filter(FilterKind.TASK, state)


def _task_day(name: str, value: str) -> Filter | None:
    """Read `due:2024-05`, or `due:any` for whatever has such a day; with anything else behind it, it is a word."""
    if _unquoted(value).lower() == ANY_STATE:
        return Filter(FilterKind.TASK_DAY, name=name)
    try:
        days = _date(value)
    except UsageError:
        return None
    return replace(days, kind=FilterKind.TASK_DAY, name=name)


def _tag(value: str) -> Filter:
    tag = _unquoted(value).lstrip("#").rstrip("/")
    if not tag:
        raise _refused("`tag:` names no tag.")
    return Filter(FilterKind.TAG, tag)


def _path(value: str) -> Filter:
    path = _unquoted(value)
    if not path:
        raise _refused("`path:` names no path.")
    return Filter(FilterKind.PATH, path)


def _has(value: str) -> Filter:
    written = _unquoted(value).lower()
    wanted = f"{written[:-3]}y" if written.endswith("ies") else written.removesuffix("s")
    if wanted not in {feature.value for feature in Feature}:
        raise _refused(f"`has:{value}` is not known; a passage has {', '.join(Feature)}.")
    return Filter(FilterKind.HAS, wanted)


def _speaker(value: str) -> Filter:
    wanted = _unquoted(value).lower()
    if wanted not in SPEAKERS:
        raise _refused(f"`speaker:{value}` is not known; speakers are {', '.join(SPEAKERS)} ({OWN_TEXT}: no chat).")
    return Filter(FilterKind.SPEAKER, "" if wanted == OWN_TEXT else wanted)


def _date(value: str) -> Filter:
    written = _unquoted(value)
    first, dots, last = written.partition("..")
    if dots:
        if not first and not last:
            raise _bad_date(value)
        begin = _period(first, value)[0] if first else ""
        end = _period(last, value)[1] if last else ""
    else:
        begin, end = _compared(written, value)
    if begin and end and begin >= end:
        raise _refused(f"`date:{value}` ends before it begins.")
    return Filter(FilterKind.DATE, first_day=begin, end_day=end)


def _compared(written: str, value: str) -> tuple[str, str]:
    sign, period = _COMPARED.fullmatch(written).groups()  # type: ignore[union-attr]  # it matches any text
    begin, end = _period(period, value)
    return {">=": (begin, ""), ">": (end, ""), "<=": ("", end), "<": ("", begin)}.get(sign, (begin, end))


def _period(text: str, value: str) -> tuple[str, str]:
    """Return the first day of a year, month or day, and the day after its last one."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise _bad_date(value)
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = date(year or 0, 1 if month is None else month, 1 if day is None else day)
        if day:
            after = first + timedelta(days=1)
        elif month:
            after = (first + timedelta(days=31)).replace(day=1)
        else:
            after = date(first.year + 1, 1, 1)
    except (ValueError, OverflowError) as error:
        raise _bad_date(value) from error
    return first.isoformat(), after.isoformat()


def _unquoted(text: str) -> str:
    return re.sub(_QUOTED, lambda match: match.group()[1:-1], text).strip()


def _bad_date(value: str) -> UsageError:
    return _refused(f"`date:{value}` is not a date that can be looked for.")


def _refused(message: str) -> UsageError:
    return UsageError(message, f"Filters: {EXAMPLES}. Put words in quotes to look for them as they stand.")


_READERS: dict[FilterKind, Callable[[str], Filter]] = {
    FilterKind.TAG: _tag,
    FilterKind.PATH: _path,
    FilterKind.PROPERTY: _property_filter,
    FilterKind.HAS: _has,
    FilterKind.DATE: _date,
    FilterKind.SPEAKER: _speaker,
    FilterKind.TITLE: _words(FilterKind.TITLE),
    FilterKind.SAYS: _words(FilterKind.SAYS),
    FilterKind.LINK: _words(FilterKind.LINK),
    FilterKind.TASK: _task,
}
