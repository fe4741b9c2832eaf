"""A plan in words, in the language of the question, and what was counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vaultrag.answering.vault_questions.plan import Aim, VaultPlan
from vaultrag.domain import Filter, FilterKind
from vaultrag.retrieval.written import written, written_days


@dataclass(frozen=True, slots=True)
class _Wording:
    """How one language says what is looked for. `conditions` hold the filter's value; `compared`, `states` and `days`
    are by what a filter holds, and `orders` by whether the first are the latest or the earliest, without a property
    and by one.
    """

    notes: str
    tasks: str
    all: str
    either: str
    negated: str
    conditions: Mapping[FilterKind, str]
    has_property: str
    compared: Mapping[str, str]
    states: Mapping[str, str]
    days: Mapping[str, str]
    dated: str
    orders: Mapping[Aim, tuple[str, str]]


_WORDINGS = {
    "ru": _Wording(
        notes="Заметки",
        tasks="Задачи",
        all="все",
        either=" или ",
        negated="не ",
        conditions={
            FilterKind.TAG: "с тегом #{}",
            FilterKind.PATH: "в {}",
            FilterKind.TITLE: "с «{}» в названии",
            FilterKind.LINK: "со ссылкой на «{}»",
            FilterKind.SAYS: "где сказано «{}»",
        },
        has_property="со свойством {}",
        compared={"": "=", "..": "=", ">=": "не меньше", "<=": "не больше", ">": "больше", "<": "меньше"},
        states={"open": "незакрытые", "done": "сделанные", "cancelled": "отменённые", "any": "любые"},
        days={"due": "срок", "done": "сделано", "scheduled": "назначено"},
        dated="дата",
        orders={
            Aim.LATEST: ("последние первыми", "по свойству {}, большие первыми"),
            Aim.EARLIEST: ("ранние первыми", "по свойству {}, меньшие первыми"),
        },
    ),
    "en": _Wording(
        notes="Notes",
        tasks="Tasks",
        all="all",
        either=" or ",
        negated="not ",
        conditions={
            FilterKind.TAG: "tagged #{}",
            FilterKind.PATH: "in {}",
            FilterKind.TITLE: 'named "{}"',
            FilterKind.LINK: 'linked to "{}"',
            FilterKind.SAYS: 'saying "{}"',
        },
        has_property="with the property {}",
        compared={"": "=", "..": "=", ">=": ">=", "<=": "<=", ">": ">", "<": "<"},
        states={"open": "open", "done": "done", "cancelled": "cancelled", "any": "any"},
        days={"due": "due", "done": "done", "scheduled": "scheduled"},
        dated="dated",
        orders={
            Aim.LATEST: ("latest first", "by {}, highest first"),
            Aim.EARLIEST: ("earliest first", "by {}, lowest first"),
        },
    ),
}


def said_of(plan: VaultPlan) -> str:
    """Return what a plan looks for, as a sentence without its stop."""
    words = _WORDINGS["ru" if plan.language == "ru" else "en"]
    what = words.tasks if plan.of_tasks else words.notes
    conditions = "; ".join(_said(wanted, words) for wanted in plan.filters)
    plain, by_property = words.orders.get(plan.aim, ("", ""))
    order = by_property.format(plan.by) if plan.by else plain
    return f"{what}: {conditions or words.all}{f'; {order}' if order else ''}"


def counted_notes(plan: VaultPlan, count: int, shown: int) -> str:
    """Return what was counted: «Найдено 3 заметки», «Найдена 21 задача», "3 tasks"; and how many are shown of more."""
    if plan.language == "ru":
        names = ("задача", "задачи", "задач") if plan.of_tasks else ("заметка", "заметки", "заметок")
        form = _form(count, names)
        sentence = f"{'Найдена' if form == names[0] else 'Найдено'} {count} {form}"
        return f"{sentence}, показано {shown}." if shown < count else f"{sentence}."
    noun = ("task" if plan.of_tasks else "note") + ("" if count == 1 else "s")
    return f"{count} {noun}, {shown} shown." if shown < count else f"{count} {noun}."


def counted_sum(plan: VaultPlan, total: float, count: int) -> str:
    """Return a sum with what was added up."""
    value = f"{total:g}" if total != int(total) else f"{int(total)}"
    if plan.language == "ru":
        where = "заметке" if count % 10 == 1 and count % 100 != 11 else "заметках"
        return f"Всего {value}: сумма свойства {plan.by} в {count} {where}."
    return f"{value} in total: the sum of {plan.by} over {count} note{'' if count == 1 else 's'}."


def _form(count: int, names: Sequence[str]) -> str:
    """Return the form of a Russian noun that goes with a number."""
    if 11 <= count % 100 <= 14:
        return names[2]
    return names[{1: 0, 2: 1, 3: 1, 4: 1}.get(count % 10, 2)]


def _said(wanted: Filter, words: _Wording) -> str:
    if wanted.kind is FilterKind.ANY:
        return words.either.join(_said(one, words) for one in wanted.any_of)
    return f"{words.negated if wanted.excluded else ''}{_condition(wanted, words)}"


def _condition(wanted: Filter, words: _Wording) -> str:
    value = wanted.value or ""
    match wanted.kind:
        case FilterKind.TASK:
            return words.states[value]
        case FilterKind.TASK_DAY:
            return f"{words.days[wanted.name]}{_stretch(wanted)}"
        case FilterKind.DATE:
            return f"{words.dated}{_stretch(wanted)}"
        case FilterKind.PROPERTY if wanted.value is None:
            return words.has_property.format(wanted.name)
        case FilterKind.PROPERTY:
            return f"{wanted.name} {words.compared[wanted.compare]} {value}"
        case kind if kind in words.conditions:
            return words.conditions[kind].format(value.strip("/") if kind is FilterKind.PATH else value)
        case _:
            return written([wanted])


def _stretch(wanted: Filter) -> str:
    return f" {written_days(wanted.first_day, wanted.end_day)}" if wanted.first_day or wanted.end_day else ""
