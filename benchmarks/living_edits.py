"""Edits of notes as people make them: such as change nothing of what a line says, and such as change it.

Each takes a line and returns what the note becomes, or nothing where the line has no place for it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

OPPOSITES = (
    ("открыт", "закрыт"), ("включить", "выключить"), ("можно", "нельзя"), ("всегда", "никогда"), ("больше", "меньше"),
    ("левый", "правый"), ("утром", "вечером"), ("летом", "зимой"), ("хорошо", "плохо"), ("дешевле", "дороже"),
    ("сначала", "потом"), ("купить", "продать"), ("до", "после"), ("внутри", "снаружи"), ("первый", "последний"),
    ("open", "closed"), ("always", "never"), ("more", "less"), ("before", "after"), ("left", "right"), ("on", "off"),
    ("enabled", "disabled"), ("good", "bad"), ("first", "last"), ("morning", "evening"), ("cheaper", "dearer"),
    ("can", "cannot"), ("works", "fails"), ("old", "new"), ("up", "down"), ("only", "also"), ("все", "никто"),
)  # fmt: skip
MONTHS_RU = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()
MONTHS_EN = "January February March April May June July August September October November December".split()
UNITS = {
    "лари": "долларов", "₾": "$", "км": "метров", "минут": "часов", "часов": "минут", "часа": "минуты", "кг": "граммов",
    "мм": "см", "см": "мм", "ГБ": "МБ", "GB": "MB", "TB": "GB", "minutes": "hours", "hours": "minutes", "days": "weeks",
    "дней": "недель", "дня": "недели", "лет": "месяцев", "years": "months", "months": "years", "km": "miles", "kg": "g",
    "г": "кг", "мл": "л", "°C": "°F", "%": "°C", "W": "kW", "GEL": "USD", "weeks": "days", "недели": "дня",
}  # fmt: skip
NAMES = {"ru": "Феофан", "en": "Zacharias"}
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,:/×-])\d{1,6}(?![\w:×/-]|[.,]\d)")
_DAY = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_MONTH = re.compile("|".join((*MONTHS_RU, *MONTHS_EN)))
_VERB = re.compile(
    r"\b(?:стоит|работает|стоят|есть|нужно|надо|можно|хочет|берёт|любит|живёт|будет|менял|купил[аи]?|поставили|сделал[аи]?"
    r"|решили|помогает|требует|is|are|was|were|has|have|can|will|should|must|works|needs|costs|takes)\b"
)
_NAME = re.compile(r"(?<=[\w,»”)] )[A-ZА-ЯЁ][a-zа-яё]{3,}(?![\w-])")
_WORD = re.compile(r"(?<![\w\[|#@/.-])[a-zа-яё]{4,}(?![\w\]|/-])", re.IGNORECASE)
_LINK = re.compile(r"\[\[([^\[\]|#]+)\]\]")
_HEADING = re.compile(r"^(#{1,6} )(.+)$", re.MULTILINE)
_ITEM = re.compile(r"^([ \t]*)[-*+] (?!\[)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """A cited line in its note: `text[start:end]`."""

    path: str
    text: str
    start: int
    end: int

    @property
    def line(self) -> str:
        return self.text[self.start : self.end]

    @property
    def is_russian(self) -> bool:
        return bool(_CYRILLIC.search(self.line))

    @property
    def whole(self) -> tuple[int, int]:
        """The lines that it stands in, with the last one's end."""
        first = self.text.rfind("\n", 0, self.start) + 1
        last = self.text.find("\n", self.end)
        return first, len(self.text) if last < 0 else last + 1

    def put(self, line: str) -> str:
        return self.text[: self.start] + line + self.text[self.end :]


Made: TypeAlias = Mapping[str, str | None] | None
"""Notes by path with their new texts, None for one that is deleted; nothing where the edit does not fit."""
MakeEdit: TypeAlias = Callable[[Place, random.Random], Made]


def _within(change: Callable[[str, Place, random.Random], str]) -> MakeEdit:
    """Make an edit of the line alone."""

    def edit(place: Place, draw: random.Random) -> Made:
        line = change(place.line, place, draw)
        return {place.path: place.put(line)} if line != place.line else None

    return edit


def _one(pattern: re.Pattern[str], line: str, draw: random.Random, put: Callable[[re.Match[str]], str]) -> str:
    found = list(pattern.finditer(line))
    if not found:
        return line
    match = draw.choice(found)
    return line[: match.start()] + put(match) + line[match.end() :]


def _spaces(line: str, _: Place, draw: random.Random) -> str:
    return _one(re.compile(r"(?<=\w) (?=\w)"), line, draw, lambda _: draw.choice(("  ", "\u00a0")))


def _emphasis(line: str, _: Place, draw: random.Random) -> str:
    if "**" in line:
        return line.replace("**", "") if line.count("**") % 2 == 0 else line
    mark = draw.choice(("**", "*", "=="))
    return line if set("*_`[$") & set(line) else _one(_WORD, line, draw, lambda match: f"{mark}{match.group()}{mark}")


def _heading(place: Place, _: random.Random) -> Made:
    above = [match for match in _HEADING.finditer(place.text) if match.end() < place.start]
    if not above:
        return None
    match = above[-1]
    name = "Прочее и разное" if place.is_russian else "Various things"
    return {place.path: place.text[: match.start(2)] + name + place.text[match.end(2) :]}


def _marker(place: Place, draw: random.Random) -> Made:
    first, last = place.whole
    lines = place.text[first:last]
    if place.text[max(0, first - 3) : first].strip() or "|" in lines or lines[:1] in "#>`":
        marked = _ITEM.sub(lambda match: f"{match[1]}{draw.choice('*+')} ", lines)
        return {place.path: place.text[:first] + marked + place.text[last:]} if marked != lines else None
    if _ITEM.match(lines):
        marked = _ITEM.sub(lambda match: f"{match[1]}{draw.choice('*+')} ", lines)
    else:
        marked = f"- {lines}" if lines.strip().count("\n") == 0 else lines
    return {place.path: place.text[:first] + marked + place.text[last:]} if marked != lines else None


def _signs(line: str, _: Place, __: random.Random) -> str:
    if "«" in line:
        return line.replace("«", '"').replace("»", '"')
    if line.count('"') == 2:
        return line.replace('"', "«", 1).replace('"', "»", 1)
    return line.replace(" – ", " — ") if " – " in line else line.replace(" — ", " - ")


def _yo(line: str, _: Place, draw: random.Random) -> str:
    if "ё" in line:
        return line.replace("ё", "е")
    return _one(re.compile(r"\b(?:ещ|е[ею]|вс|нее|тепл|зелен|черн|счет|актер)\w*"), line, draw, _with_yo)


def _with_yo(match: re.Match[str]) -> str:
    word = match.group()
    return {"еще": "ещё", "нее": "неё", "теплый": "тёплый", "черный": "чёрный", "счет": "счёт"}.get(word, word)


def _moved(place: Place, _: random.Random) -> Made:
    first, last = place.whole
    lines = place.text[first:last]
    if "|" in lines or place.text[:first].count("```") % 2 or lines.startswith(("---", "#")):
        return None
    rest = place.text[:first] + place.text[last:]
    return {place.path: f"{rest.rstrip()}\n\n{lines.strip()}\n"} if rest.strip() else None


def _renamed(place: Place, draw: random.Random) -> Made:
    folder, _, name = place.path.rpartition("/")
    new = draw.choice((f"{folder}/Архив/{name}", f"{folder}/{name.removesuffix('.md')} (копия имени).md"))
    return {place.path: None, new: place.text}


def _alias(line: str, place: Place, draw: random.Random) -> str:
    name = "эта заметка" if place.is_russian else "that note"
    return _one(_LINK, line, draw, lambda match: f"[[{match[1]}|{name}]]")


def _neighbour(place: Place, draw: random.Random) -> Made:
    first, last = place.whole
    above, below = place.text[:first], place.text[last:]
    if (changed := _one(_NUMBER, below, draw, _other_number(draw))) != below:
        return {place.path: place.text[:last] + changed}
    return (
        {place.path: f"{place.text.rstrip()}\n\n{'Ещё одна строка.' if place.is_russian else 'One more line.'}\n"}
        if above
        else None
    )


def _case(line: str, _: Place, draw: random.Random) -> str:
    return _one(_WORD, line, draw, lambda match: match.group().upper())


def _other_number(draw: random.Random) -> Callable[[re.Match[str]], str]:
    return lambda match: str(int(match.group()) + draw.choice((1, 2, 3, 7, 10)))


def _number(line: str, _: Place, draw: random.Random) -> str:
    return line if _DAY.search(line) else _one(_NUMBER, line, draw, _other_number(draw))


def _date(line: str, _: Place, draw: random.Random) -> str:
    if _DAY.search(line):
        return _one(_DAY, line, draw, lambda match: f"{match[1]}-{match[2]}-{int(match[3]) % 27 + 1:02}")

    def other(match: re.Match[str]) -> str:
        months = MONTHS_RU if match.group() in MONTHS_RU else MONTHS_EN
        return months[(months.index(match.group()) + draw.randint(1, 11)) % 12]

    return _one(_MONTH, line, draw, other)


def _unit(line: str, _: Place, draw: random.Random) -> str:
    names = "|".join(map(re.escape, UNITS))
    pattern = re.compile(rf"(?<=\d)(\s?)({names})(?!\w)")
    return _one(pattern, line, draw, lambda match: match[1] + UNITS[match[2]])


def _name(line: str, place: Place, draw: random.Random) -> str:
    return _one(_NAME, line, draw, lambda _: NAMES["ru" if place.is_russian else "en"])


def _negation(line: str, place: Place, draw: random.Random) -> str:
    if place.is_russian:
        if re.search(r"\bне ", line):
            return re.sub(r"\bне ", "", line, count=1)
        return _one(_VERB, line, draw, lambda match: f"не {match.group()}")
    return _one(_VERB, line, draw, lambda match: _denied(match.group()))


def _denied(verb: str) -> str:
    full = {"works": "does not work", "needs": "does not need", "costs": "does not cost", "takes": "does not take"}
    return full.get(verb, f"{verb} not")


def _deleted(place: Place, _: random.Random) -> Made:
    first, last = place.whole
    rest = place.text[:first] + place.text[last:]
    return {place.path: rest} if rest.strip() else None


def _note_deleted(place: Place, _: random.Random) -> Made:
    return {place.path: None}


def _opposite(line: str, _: Place, draw: random.Random) -> str:
    pairs = {**dict(OPPOSITES), **{second: first for first, second in OPPOSITES}}
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, pairs))})\b")
    return _one(pattern, line, draw, lambda match: pairs[match.group()])


COSMETIC: Mapping[str, MakeEdit] = MappingProxyType(
    {
        "spaces": _within(_spaces),
        "emphasis": _within(_emphasis),
        "heading renamed": _heading,
        "list marker": _marker,
        "quotes and dashes": _within(_signs),
        "ё": _within(_yo),
        "line moved": _moved,
        "note moved": _renamed,
        "alias of a link": _within(_alias),
        "neighbour changed": _neighbour,
        "case": _within(_case),
    }
)
REAL: Mapping[str, MakeEdit] = MappingProxyType(
    {
        "number": _within(_number),
        "date": _within(_date),
        "unit": _within(_unit),
        "name": _within(_name),
        "negation": _within(_negation),
        "line deleted": _deleted,
        "note deleted": _note_deleted,
        "opposite word": _within(_opposite),
    }
)


# Kinds that were written after the code, and run once.


def _hyphenated(line: str, _: Place, draw: random.Random) -> str:
    return _one(_WORD, line, draw, lambda match: f"{match.group()[:2]}\u00ad{match.group()[2:]}")


def _block_id(place: Place, draw: random.Random) -> Made:
    first, last = place.whole
    lines = place.text[first:last].rstrip("\n")
    if "|" in lines or "`" in lines:
        return None
    return {place.path: f"{place.text[:first]}{lines} ^id{draw.randint(100, 999)}\n{place.text[last:]}"}


def _tag(place: Place, _: random.Random) -> Made:
    first, last = place.whole
    lines = place.text[first:last].rstrip("\n")
    if "|" in lines or "`" in lines or lines.startswith("#"):
        return None
    tag = "#проверено" if place.is_russian else "#checked"
    return {place.path: f"{place.text[:first]}{lines} {tag}\n{place.text[last:]}"}


def _comment(line: str, place: Place, draw: random.Random) -> str:
    said = "%%спросить ещё раз%%" if place.is_russian else "%%ask again%%"
    return _one(re.compile(r"(?<=\w) (?=\w)"), line, draw, lambda _: f" {said} ")


def _wrapped(line: str, place: Place, draw: random.Random) -> str:
    if "|" in line or place.text[place.text.rfind("\n", 0, place.start) + 1 : place.start].strip():
        return line
    return _one(re.compile(r"(?<=[a-zа-яё]) (?=[a-zа-яё])"), line, draw, lambda _: "\n")


def _quoted(place: Place, _: random.Random) -> Made:
    first, last = place.whole
    lines = place.text[first:last]
    if lines.lstrip()[:1] in "|#>-*+`" or not place.text[:first].endswith("\n\n"):
        return None
    return {place.path: f"{place.text[:first]}> [!note]\n> {lines.strip()}\n{place.text[last:]}"}


def _linked(line: str, _: Place, draw: random.Random) -> str:
    return line if "[" in line else _one(_WORD, line, draw, lambda match: f"[[{match[0]}]]")


def _typo(line: str, _: Place, draw: random.Random) -> str:
    """A letter doubled; as if the note had been written in haste later."""
    long = re.compile(r"(?<![\w\[|#@/.-])[а-яё]{6,}(?![\w\]|/-])")
    return _one(long, line, draw, lambda match: match.group()[:3] + match.group()[2] + match.group()[3:])


def _longer(line: str, place: Place, _: random.Random) -> str:
    said = " Так записано в тетради." if place.is_russian else " It is written down in the notebook."
    return line + (said if line[-1] in ".!" else "." + said) if "|" not in line else line


def _to_other_note(place: Place, _: random.Random) -> Made:
    first, last = place.whole
    lines = place.text[first:last]
    rest = place.text[:first] + place.text[last:]
    if not rest.strip() or "|" in lines or len(lines.split()) < 6:
        return None
    folder = place.path.rpartition("/")[0]
    return {
        place.path: rest,
        f"{folder}/{'Вынесено' if place.is_russian else 'Taken out'} {first}.md": f"# -\n\n{lines.strip()}\n",
    }


def _struck(line: str, _: Place, __: random.Random) -> str:
    return f"~~{line}~~" if "~~" not in line and "|" not in line and "`" not in line and "\n" not in line else line


def _asked(line: str, _: Place, __: random.Random) -> str:
    return f"{line.rstrip('.!')}?" if line[-1:].isalnum() or line[-1:] in ".!" else line


def _ten_times(line: str, _: Place, draw: random.Random) -> str:
    return _one(
        re.compile(r"(?<![\w.,:/×-])\d{1,4}(?![\w:×/-]|[.,]\d|\s?\d)"), line, draw, lambda match: f"{match.group()}0"
    )


def _thousands(line: str, _: Place, draw: random.Random) -> str:
    return _one(
        re.compile(r"(?<![\w.,:/×-])\d{1,3}(?![\w:×/-]|[.,]\d|\s?\d)"), line, draw, lambda match: f"{match.group()} 000"
    )


def _corrected(line: str, place: Place, _: random.Random) -> str:
    said = "не так: отменено" if place.is_russian else "no longer: cancelled"
    return f"{line.rstrip('.!')} — {said}" if "|" not in line else line


def _before(line: str, place: Place, _: random.Random) -> str:
    if "|" in line or not line[:1].isalpha():
        return line
    said = "Неверно, что" if place.is_russian else "It is not true that"
    return f"{said} {line[0].lower()}{line[1:]}"


def _other_words(line: str, place: Place, draw: random.Random) -> str:
    words = (
        ("зелёный", "деревянный", "дорога", "облако") if place.is_russian else ("wooden", "river", "marble", "cloud")
    )
    found = list(re.finditer(r"(?<![\w\[|#@/.-])[a-zа-яё]{5,}(?![\w\]|/-])", line))
    if len(found) < 3:
        return line
    for match in reversed(draw.sample(found, 2) if len(found) > 3 else found[:2]):
        line = line[: match.start()] + draw.choice(words) + line[match.end() :]
    return line


def _emptied(place: Place, _: random.Random) -> Made:
    return {place.path: f"# {'Пусто' if place.is_russian else 'Empty'}\n"}


UNSEEN_COSMETIC: Mapping[str, MakeEdit] = MappingProxyType(
    {
        "soft hyphen": _within(_hyphenated),
        "block id": _block_id,
        "tag": _tag,
        "comment": _within(_comment),
        "wrapped anew": _within(_wrapped),
        "made a callout": _quoted,
        "word linked": _within(_linked),
        "typo": _within(_typo),
        "sentence added": _within(_longer),
        "to another note": _to_other_note,
    }
)
UNSEEN_REAL: Mapping[str, MakeEdit] = MappingProxyType(
    {
        "struck out": _within(_struck),
        "made a question": _within(_asked),
        "a digit more": _within(_ten_times),
        "thousands": _within(_thousands),
        "correction appended": _within(_corrected),
        "denied before": _within(_before),
        "other words": _within(_other_words),
        "note emptied": _emptied,
    }
)


def kinds_of(unseen: bool) -> Iterator[tuple[str, MakeEdit, bool]]:
    """Yield each kind of edit by its name, and whether it changes what is said."""
    yield from ((name, edit, False) for name, edit in (UNSEEN_COSMETIC if unseen else COSMETIC).items())
    yield from ((name, edit, True) for name, edit in (UNSEEN_REAL if unseen else REAL).items())
