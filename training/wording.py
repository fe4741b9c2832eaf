"""How a claim is put: wordings with their blanks filled, and what stands round it: dates, titles, doubts, marks."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from training.values import MONTHS_EN, MONTHS_RU_NOMINATIVE
from training.words import agreeing_predicate, rules, things

BLANK = re.compile(r"\{(\w)(?::(\w+))?\}")
PREDICATE = re.compile(r"(\{s\} (?:не |ещё не |уже |всегда |обычно |весь |сильно )?)([а-яё]+)(?=$|[ ,])")
Filler = Callable[[str, str], str]
"""Return a name in a language and a case."""

LANGUAGES = {("ru", "ru"): 0.37, ("en", "en"): 0.27, ("ru", "en"): 0.18, ("en", "ru"): 0.18}
PHRASES = rules("phrases")
SCOPES: list[tuple[str, str]] = [(ru, en) for ru, en in PHRASES["around"]["scopes"]]
TITLES: list[tuple[str, str]] = [(ru, en) for ru, en in PHRASES["around"]["titles"]]


def fill(wording: str, lang: str, blanks: Mapping[str, Filler]) -> str:
    """Fill the blanks of a wording; it begins with a capital letter."""
    if lang == "ru" and (subject := getattr(blanks.get("s"), "__self__", None)):
        wording = PREDICATE.sub(lambda found: found[1] + agreeing_predicate(found[2], subject), wording)
    filled = BLANK.sub(lambda found: blanks[found[1]](lang, found[2] or ""), wording)
    if lang == "ru":
        filled = re.sub(r"\b([Вв]) (?=вторник)", r"\1о ", filled)
    return capital(filled)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def lowered(text: str) -> str:
    """Return the claim as the rest of a sentence."""
    return text if text[1:2].isupper() or text.startswith("I ") else text[:1].lower() + text[1:]


def doubted(claim: str, lang: str, chance: random.Random) -> str:
    """Put a claim as another's, or as a question, a plan, a case: what does not assert it."""
    person = chance.choice(things("list:person"))
    blanks: dict[str, Filler] = {"p": person.said, "c": lambda *_: lowered(claim)}
    return fill(chance.choice(PHRASES["doubts"][lang]), lang, blanks)


def scoped(claim: str, lang: str, scope: tuple[str, str], chance: random.Random) -> str:
    """Say where, when or for whom a claim holds."""
    said = scope[lang == "en"]
    return chance.choice(
        [f"{claim} ({said})", f"{claim} {said}", f"{capital(said)}: {lowered(claim)}", f"{claim}, {said}"]
    )


def dated(claim: str, lang: str, day: tuple[int, int, int], chance: random.Random) -> str:
    """Put a date before a claim."""
    year, month, number = day
    iso = f"{year}-{month:02}-{number:02}"
    if lang == "ru":
        month_year = f"{MONTHS_RU_NOMINATIVE[month - 1]} {year}"
        others = [
            f"{number:02}.{month:02}.{year}: {claim}",
            f"{claim} (на {year} год)",
            f"В {year} году {lowered(claim)}",
        ]
        ways = [f"({iso}) {claim}", *others[:2], f"({iso}) {claim}", others[2]]
    else:
        month_year = f"{MONTHS_EN[month - 1]} {year}"
        ways = [
            f"({iso}) {claim}",
            f"{iso}: {claim}",
            f"{claim} (as of {year})",
            f"({iso}) {claim}",
            f"In {year}: {claim}",
        ]
    return chance.choice([*ways, f"{month_year}: {claim}", f"{iso} {claim}"])


def some_day(chance: random.Random) -> tuple[int, int, int]:
    return chance.randint(2019, 2026), chance.randint(1, 12), chance.randint(1, 28)


def titled(claim: str, lang: str, title: tuple[str, str]) -> str:
    """Put the note's title before a claim."""
    return f"{title[lang == 'en']}: {claim}"


def rough(claim: str, lang: str, chance: random.Random) -> str:
    """Write a claim as notes do: in small letters, with marks of lists, bold, boxes, without or with its full stop."""
    if chance.random() < 0.12:
        claim = chance.choice(PHRASES["leads"][lang]) + lowered(claim)
    if chance.random() < 0.25:
        claim = lowered(claim)
    if chance.random() < 0.12:
        claim = claim.replace("ё", "е")
    if chance.random() < 0.2:
        claim = claim.replace("–", chance.choice(["—", "-", ":"]))
    if chance.random() < 0.06:
        words = claim.split(" ")
        at = chance.randrange(len(words))
        words[at] = chance.choice(["**{}**", "[[{}]]", "*{}*"]).format(words[at])
        claim = " ".join(words)
    claim = chance.choice(["", "", "", "", "", "- ", "* ", "- [ ] ", "> "]) + claim if chance.random() < 0.3 else claim
    return claim + chance.choice([".", ".", "", "", "", "!"]) if claim[-1].isalnum() else claim
