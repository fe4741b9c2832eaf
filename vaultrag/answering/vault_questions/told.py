"""A plan in words, in the language of the question, and what was counted."""

from __future__ import annotations

from collections.abc import Sequence

from vaultrag.answering.vault_questions.plan import Aim, VaultPlan
from vaultrag.domain import Filter, FilterKind
from vaultrag.retrieval.written import written, written_days

_NOTES, _TASKS = ("заметка", "заметки", "заметок"), ("задача", "задачи", "задач")
_COMPARED = {">=": "не меньше", "<=": "не больше", ">": "больше", "<": "меньше"}
_STATES = {"open": "незакрытые", "done": "сделанные", "cancelled": "отменённые", "any": "любые"}
_DAYS = {"due": ("срок", "due"), "done": ("сделано", "done"), "scheduled": ("назначено", "scheduled")}


def said_of(plan: VaultPlan) -> str:
    """Return what a plan looks for, as a sentence without its stop."""
    is_russian = plan.language == "ru"
    what = ("Задачи" if plan.of_tasks else "Заметки") if is_russian else ("Tasks" if plan.of_tasks else "Notes")
    conditions = "; ".join(_said(wanted, is_russian) for wanted in plan.filters)
    order = _order(plan, is_russian)
    return f"{what}: {conditions or ('все' if is_russian else 'all')}{f'; {order}' if order else ''}"


def counted_notes(plan: VaultPlan, count: int, shown: int) -> str:
    """Return what was counted: «Найдено 3 заметки», "3 tasks"; and how many of them are shown, where not all are."""
    if plan.language == "ru":
        verb, *names = ("Найдено", *(_TASKS if plan.of_tasks else _NOTES))
        sentence = f"{verb} {count} {_form(count, names)}"
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


def _order(plan: VaultPlan, is_russian: bool) -> str:
    if plan.aim not in (Aim.LATEST, Aim.EARLIEST):
        return ""
    latest = plan.aim is Aim.LATEST
    if plan.by:
        return (
            (f"по свойству {plan.by}, " + ("большие первыми" if latest else "меньшие первыми"))
            if is_russian
            else (f"by {plan.by}, " + ("highest first" if latest else "lowest first"))
        )
    return (
        ("последние первыми" if latest else "ранние первыми")
        if is_russian
        else ("latest first" if latest else "earliest first")
    )


def _said(wanted: Filter, is_russian: bool) -> str:
    if wanted.kind is FilterKind.ANY:
        return (" или " if is_russian else " or ").join(_said(one, is_russian) for one in wanted.any_of)
    words = (_russian if is_russian else _english)(wanted)
    return (f"не {words}" if is_russian else f"not {words}") if wanted.excluded else words


def _russian(wanted: Filter) -> str:
    value = wanted.value or ""
    match wanted.kind:
        case FilterKind.TAG:
            return f"с тегом #{value}"
        case FilterKind.PATH:
            return f"в {value.strip('/')}"
        case FilterKind.TITLE:
            return f"с «{value}» в названии"
        case FilterKind.LINK:
            return f"со ссылкой на «{value}»"
        case FilterKind.SAYS:
            return f"где сказано «{value}»"
        case FilterKind.TASK:
            return _STATES[value]
        case FilterKind.TASK_DAY:
            return f"{_DAYS[wanted.name][0]}{_stretch(wanted)}"
        case FilterKind.DATE:
            return f"дата{_stretch(wanted)}"
        case FilterKind.PROPERTY if wanted.value is None:
            return f"со свойством {wanted.name}"
        case FilterKind.PROPERTY:
            return f"{wanted.name} {_COMPARED.get(wanted.compare, '=')} {value}"
        case _:
            return written([wanted])


def _english(wanted: Filter) -> str:
    value = wanted.value or ""
    match wanted.kind:
        case FilterKind.TAG:
            return f"tagged #{value}"
        case FilterKind.PATH:
            return f"in {value.strip('/')}"
        case FilterKind.TITLE:
            return f'named "{value}"'
        case FilterKind.LINK:
            return f'linked to "{value}"'
        case FilterKind.SAYS:
            return f'saying "{value}"'
        case FilterKind.TASK:
            return value
        case FilterKind.TASK_DAY:
            return f"{_DAYS[wanted.name][1]}{_stretch(wanted)}"
        case FilterKind.DATE:
            return f"dated{_stretch(wanted)}"
        case FilterKind.PROPERTY if wanted.value is None:
            return f"with the property {wanted.name}"
        case FilterKind.PROPERTY:
            return f"{wanted.name} {wanted.compare or '='} {value}".replace(" .. ", " = ")
        case _:
            return written([wanted])


def _stretch(wanted: Filter) -> str:
    return f" {written_days(wanted.first_day, wanted.end_day)}" if wanted.first_day or wanted.end_day else ""
