"""Values of claims and the ways to write them: numbers with units and in words, money, dates, times, names."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from training.words import Thing, rules, things

MONTHS_RU = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()
MONTHS_RU_NOMINATIVE = "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь".split()
MONTHS_EN = "January February March April May June July August September October November December".split()
WEEKDAYS = [("понедельник", "Monday", "пн"), ("вторник", "Tuesday", "вт"), ("среда", "Wednesday", "ср"),
            ("четверг", "Thursday", "чт"), ("пятница", "Friday", "пт"), ("суббота", "Saturday", "сб"),
            ("воскресенье", "Sunday", "вс")]  # fmt: skip
UNITS = rules("values")["units"]
BEFORE = {"size", "grade", "port"}  # English says the number after them
SAME = {(unit, amount): (ru, en) for unit, amount, ru, en in rules("values")["other"]["ways"]}
FREQUENCIES = rules("values")["frequencies"]["ways"]
CURRENCIES = rules("values")["currencies"]
ONES_RU = (
    "ноль один два три четыре пять шесть семь восемь девять "
    "десять одиннадцать двенадцать тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
).split()
TENS_RU = "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто".split()
HUNDREDS_RU = "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот".split()
ONES_EN = (
    "zero one two three four five six seven eight nine "
    "ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS_EN = "twenty thirty forty fifty sixty seventy eighty ninety".split()


@dataclass(frozen=True, slots=True)
class Value:
    """A value and its equal writings. `number` of those that can be compared; `thing` of those that have a name."""

    kind: str
    ru: tuple[str, ...]
    en: tuple[str, ...]
    number: float | None = None
    thing: Thing | None = None

    def said(self, lang: str, case: str, chance: random.Random) -> str:
        """Return one of its writings."""
        if self.thing is not None:
            return self.thing.said(lang, case)
        return chance.choice(self.ru if lang == "ru" else self.en)


def draw(kind: str, chance: random.Random) -> Value:
    """Draw a value of a kind as relations.toml names it."""
    name, _, rest = kind.partition(":")
    if name == "list":
        thing = chance.choice(things(kind))
        return Value(kind, (thing.ru,), (thing.en,), thing=thing)
    if name == "number":
        unit, _, numbers = rest.partition(":")
        return number(unit, _near(chance.choice([int(each) for each in numbers.split(",")]), chance))
    return KINDS[name](chance)


def unlike(value: Value, kind: str, chance: random.Random) -> Value:
    """Draw another value of the kind: of numbers often one that lies near."""
    while True:
        drawn = draw(kind, chance)
        if value.number is not None and kind.startswith("number") and chance.random() < 0.4:
            step = chance.choice([1, 1, 2, 5, 10]) * chance.choice([1, -1])
            drawn = number(kind.split(":")[1], max(1, int(value.number) + step))
        if drawn.ru != value.ru and not set(drawn.en) & set(value.en):
            return drawn


def number(unit: str, amount: int) -> Value:
    """Return a number with its unit, in digits and in words."""
    short_ru, one, few, many, gender, short_en, single, plural = UNITS[unit]
    form_ru, form_en = _form(amount, one, few, many), single if amount == 1 else plural
    russian = [f"{amount} {short_ru}", f"{amount} {form_ru}"] + ([f"{amount}{short_ru}"] if short_ru in "%°C" else [])
    english = [f"{form_en} {amount}"] if unit in BEFORE else [f"{amount} {short_en}", f"{amount} {form_en}"]
    if amount <= 999 and unit not in {"port", "size"}:
        russian.append(f"{words_ru(amount, gender)} {form_ru}")
        english.append(f"{form_en} {words_en(amount)}" if unit in BEFORE else f"{words_en(amount)} {form_en}")
    same_ru, same_en = SAME.get((unit, amount), ((), ()))
    return Value(f"number:{unit}", (*russian, *same_ru), (*english, *same_en), amount)


def words_ru(amount: int, gender: str = "m") -> str:
    """Write a number below a thousand in Russian words."""
    parts = [HUNDREDS_RU[amount // 100 - 1]] if amount >= 100 else []
    rest = amount % 100
    if rest >= 20:
        parts.append(TENS_RU[rest // 10 - 2])
        rest %= 10
    if rest or not parts:
        feminine = {1: "одна", 2: "две"}
        parts.append(feminine.get(rest, ONES_RU[rest]) if gender == "f" else ONES_RU[rest])
    return " ".join(parts)


def words_en(amount: int) -> str:
    """Write a number below a thousand in English words."""
    if amount >= 100:
        rest = f" and {words_en(amount % 100)}" if amount % 100 else ""
        return f"{ONES_EN[amount // 100]} hundred{rest}"
    if amount < 20:
        return ONES_EN[amount]
    return TENS_EN[amount // 10 - 2] + (f"-{ONES_EN[amount % 10]}" if amount % 10 else "")


def _form(amount: int, one: str, few: str, many: str) -> str:
    if amount % 10 == 1 and amount % 100 != 11:
        return one
    return few if amount % 10 in {2, 3, 4} and amount % 100 not in {12, 13, 14} else many


def _near(amount: int, chance: random.Random) -> int:
    """Move a third of the larger numbers off their round places."""
    return amount + chance.randint(-3, 3) if amount > 20 and chance.random() < 0.33 else amount


def _money(chance: random.Random) -> Value:
    amount = chance.choice([chance.randint(3, 99) * 10, chance.randint(2, 95) * 100, chance.randint(1, 90) * 1000])
    return money(amount, chance.choice(list(CURRENCIES)))


def money(amount: int, currency: str) -> Value:
    """Return an amount of money in the ways that notes write it."""
    sign, short, word, code, english = CURRENCIES[currency]
    spaced, comma = f"{amount:,}".replace(",", " "), f"{amount:,}"
    russian = [f"{amount} {short}", f"{spaced} {word}", f"{spaced} {sign}", f"{amount}{sign}"]
    written = [f"{sign}{comma}", f"{amount} {english}", f"{comma} {code}", f"{amount} {code}"]
    if amount >= 1000:
        thousands = f"{amount / 1000:g}"
        russian += [f"{thousands.replace('.', ',')} тыс. {word}", f"{thousands.replace('.', ',')}к {word}"]
        written += [f"{sign}{thousands}k", f"{thousands} thousand {english}"]
    return Value("money", tuple(russian), tuple(written), amount)


def _day(chance: random.Random) -> Value:
    day, month = chance.randint(1, 28), chance.randrange(12)
    english = MONTHS_EN[month]
    russian = (
        f"{day} {MONTHS_RU[month]}",
        f"{day:02}.{month + 1:02}",
        f"{day}-го {MONTHS_RU[month]}",
        f"{day} {MONTHS_RU[month][:3]}.",
    )
    return Value(
        "day",
        russian,
        (f"{day} {english}", f"{english} {day}", f"{day} {english[:3]}", f"the {day}{_ordinal(day)} of {english}"),
    )


def _ordinal(day: int) -> str:
    return "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _time(chance: random.Random) -> Value:
    hour, minute = chance.randint(6, 23), chance.choice([0, 0, 0, 30, 30, 15, 45])
    half = "pm" if hour >= 12 else "am"
    twelve = (hour - 1) % 12 + 1
    russian = [f"{hour}:{minute:02}", f"{hour}.{minute:02}"]
    english = [f"{hour:02}:{minute:02}", f"{twelve}:{minute:02} {half}"]
    if not minute:
        part = "утра" if hour < 12 else "дня" if hour < 17 else "вечера"
        russian += [f"{hour} ч", f"{hour} часов", f"{twelve} {part}", f"{words_ru(twelve)} {part}"]
        english += [
            f"{twelve} {half}",
            f"{twelve}{half}",
            f"{words_en(twelve)} in the {'morning' if hour < 12 else 'afternoon' if hour < 18 else 'evening'}",
        ]
    elif minute == 30:
        english.append(f"half past {words_en(twelve)} {half}")
        russian.append(f"{words_ru(twelve)} тридцать")
    return Value("time", tuple(russian), tuple(english), hour * 60 + minute)


def _weekday(chance: random.Random) -> Value:
    ru, en, _ = chance.choice(WEEKDAYS)
    return Value("weekday", (ru,), (en,), thing=Thing(ru, en, ru))


def _month(chance: random.Random) -> Value:
    at = chance.randrange(12)
    ru, en = MONTHS_RU_NOMINATIVE[at], MONTHS_EN[at]
    return Value("month", (ru,), (en,), thing=Thing(ru, en, ru))


def _year(chance: random.Random) -> Value:
    year = chance.randint(1968, 2028)
    return Value("year", (str(year),), (str(year),), year)


def _frequency(chance: random.Random) -> Value:
    ru, en = chance.choice(FREQUENCIES)
    return Value("frequency", tuple(ru), tuple(en))


def _same(kind: str, text: str) -> Value:
    return Value(kind, (text,), (text,))


def _phone(chance: random.Random) -> Value:
    digits = "".join(chance.choice("0123456789") for _ in range(7))
    return Value(
        "phone", *2 * ((f"{digits[:3]}-{digits[3:5]}-{digits[5:]}", f"{digits[:3]} {digits[3:5]} {digits[5:]}"),)
    )


def _address(chance: random.Random) -> Value:
    return _same("address", f"192.168.{chance.randint(0, 9)}.{chance.randint(2, 250)}")


def _version(chance: random.Random) -> Value:
    return _same("version", ".".join(str(chance.randint(0, 20)) for _ in range(chance.choice([2, 2, 3]))))


KINDS: dict[str, Callable[[random.Random], Value]] = {
    "money": _money, "day": _day, "time": _time, "weekday": _weekday, "month": _month, "year": _year,
    "frequency": _frequency, "phone": _phone, "address": _address, "version": _version,
}  # fmt: skip
