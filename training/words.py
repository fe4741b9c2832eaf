"""What the rules' claims speak of: things with modifiers, people, places, each with a Russian and an English name."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pymorphy3

RULES = Path(__file__).resolve().parent / "rules"
RELATED = 0.7  # share of other things that are the same head with another modifier: the hardest to keep apart


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing or value. `head` is shared by those that differ in a modifier; `inflected` words are the first ones."""

    ru: str
    en: str
    head: str
    inflected: int = 9

    def said(self, lang: str, case: str = "") -> str:
        """Return its name in a language, in Russian in this case."""
        if lang == "en":
            return self.en
        words = self.ru.split()
        bent = [_inflect(word, case) if at < self.inflected else word for at, word in enumerate(words)]
        return " ".join(bent)


@cache
def rules(name: str) -> dict[str, Any]:
    """Return one of the files in rules/."""
    return tomllib.loads((RULES / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def things(kind: str) -> tuple[Thing, ...]:
    """Return all things of a kind: of a head in words.toml, or `list:NAME` for one of its lists."""
    words = rules("words")
    if kind.startswith("list:"):
        return tuple(Thing(ru, en, ru) for ru, en in words["lists"][kind.removeprefix("list:")])
    return tuple(thing for head in words["heads"][kind] for thing in _modified(*head))


def other(thing: Thing, kind: str, chance: random.Random) -> Thing:
    """Return another thing of the kind, mostly one of the same head."""
    rest = [each for each in things(kind) if each.ru != thing.ru]
    near = [each for each in rest if each.head == thing.head]
    return chance.choice(near if near and chance.random() < RELATED else rest)


def _modified(ru: str, en: str, modifiers: list[str]) -> list[Thing]:
    plain = [] if modifiers else [Thing(ru, f"the {en}", ru)]
    return plain + [_with(ru, en, *modifier.split("|")) for modifier in modifiers]


def _with(ru: str, en: str, ru_modifier: str, en_modifier: str) -> Thing:
    possessed = en_modifier.endswith("'s") or en_modifier in {"our", "my"}
    after = en_modifier.startswith(("in ", "at ", "on ", "with ", "to ", "of ", "about "))
    named = f"{en} {en_modifier}" if after else f"{en_modifier} {en}"
    english = named if possessed and not after else f"the {named}"
    if ru_modifier.startswith("+"):
        return Thing(f"{ru} {ru_modifier[1:]}", english, ru, len(ru.split()))
    return Thing(f"{_agreeing(ru_modifier, ru.split(maxsplit=1)[0])} {ru}", english, ru)


@cache
def _morphology() -> pymorphy3.MorphAnalyzer:
    return pymorphy3.MorphAnalyzer()


@cache
def _parse(word: str) -> Any:
    parses = _morphology().parse(word)
    return next((parse for parse in parses if parse.tag.case == "nomn"), parses[0])


@cache
def _agreeing(adjective: str, noun: str) -> str:
    tag = _parse(noun).tag
    wanted = {"plur", "nomn"} if tag.number == "plur" else {tag.gender or "masc", "sing", "nomn"}
    bent = _parse(adjective).inflect(wanted)
    return bent.word if bent else adjective


@cache
def _inflect(word: str, case: str) -> str:
    if not case or not word[0].isalpha() or word.isascii():
        return word
    parse = _parse(word)
    if case == "accs" and parse.tag.POS == "ADJF" and parse.tag.gender != "femn":
        return word  # of what is not alive: the modifiers of words.toml are
    bent = parse.inflect({case})
    if bent is None:
        return word
    return bent.word.capitalize() if word[0].isupper() else str(bent.word)


PREDICATES = {"ADJS", "PRTS", "VERB"}


def agreeing_predicate(word: str, subject: Thing) -> str:
    """Return a predicate written in the masculine in the gender and number of its Russian subject."""
    tag = _parse(subject.ru.split()[0 if subject.inflected < 9 else -1]).tag
    form = _predicate(word)
    if form is None:
        return word
    bent = form.inflect({"plur"} if tag.number == "plur" else {tag.gender or "masc"})
    return str(bent.word) if bent else word


@cache
def _predicate(word: str) -> Any:
    for parse in _morphology().parse(word.lower()):
        tag = parse.tag
        past = tag.POS != "VERB" or tag.tense == "past"
        if tag.POS in PREDICATES and past and tag.gender == "masc" and tag.number == "sing":
            return parse
    return None


def weighted(chance: random.Random, weights: Mapping[str, float]) -> str:
    """Draw a key by weight."""
    return chance.choices(list(weights), list(weights.values()))[0]
