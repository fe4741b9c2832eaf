"""Pairs of note-like claims made by rules, with what one says of the other: entailed, neutral or contradicted.

Rules know what differs, so the answer is certain; what they cannot know is how people write. So wordings are many, in
two languages and across, and beside each contradiction stand pairs that look like it: another thing with the same name
but for a modifier, another attribute, time, scope or holder, a value that many may have, and the same in other words.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from training import wording
from training.values import Value, draw, number, unlike
from training.words import Thing, other, rules, things, weighted

ENTAILED, NEUTRAL, CONTRADICTED, NOT_ENTAILED = 0, 1, 2, 3
FOR_DEVELOPMENT = 0.14  # share of the rules whose pairs are never trained on: the threshold is drawn on them


@dataclass(frozen=True, slots=True)
class Pair:
    """Two claims and what the first says of the second. `source` names the rule or the data set."""

    premise: str
    hypothesis: str
    label: int
    source: str
    lang: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim before it is put into words: a rule with what fills its blanks. `side` picks the wordings."""

    rule: Mapping[str, Any]
    blanks: Mapping[str, Value | Thing]
    side: str = ""

    def said(self, lang: str, chance: random.Random) -> str:
        """Put it into words, differently at every call."""
        wordings = self.rule[self.side] if self.side else self.rule
        blanks: dict[str, wording.Filler] = {name: _filler(what, chance) for name, what in self.blanks.items()}
        return wording.fill(chance.choice(wordings[lang]), lang, blanks)

    def having(self, side: str = "", **blanks: Value | Thing) -> Claim:
        """Return it with other fillings, or the other side of a pole."""
        return Claim(self.rule, {**self.blanks, **blanks}, side or self.side)


def _filler(what: Value | Thing, chance: random.Random) -> wording.Filler:
    if isinstance(what, Thing):
        return what.said
    return lambda lang, case: what.said(lang, case, chance)


Made = tuple[str, str, int]
Maker = Callable[[random.Random, str, str, bool], Made]


def make_pairs(count: int, seed: int, development: bool = False) -> Iterator[Pair]:
    """Yield pairs of the rules that are trained on, or of those kept for development."""
    chance = random.Random(seed)
    while count:
        source = weighted(chance, {name: share for name, (share, _) in MAKERS.items()})
        first, second = chance.choices(list(wording.LANGUAGES), list(wording.LANGUAGES.values()))[0]
        premise, hypothesis, label = MAKERS[source][1](chance, first, second, development)
        if premise.lower() == hypothesis.lower() and label != ENTAILED:
            continue
        premise, hypothesis = _framed(premise, hypothesis, first, second, chance)
        lang = first if first == second else "x"
        yield Pair(premise, hypothesis, label, f"rule_{source}", lang)
        count -= 1


def _framed(premise: str, hypothesis: str, first: str, second: str, chance: random.Random) -> tuple[str, str]:
    """Put both under one title or date now and then, which changes nothing, and write them roughly."""
    if chance.random() < 0.15:
        title = chance.choice(wording.TITLES)
        premise, hypothesis = wording.titled(premise, first, title), wording.titled(hypothesis, second, title)
    if chance.random() < 0.07:
        day = wording.some_day(chance)
        iso = f"{day[0]}-{day[1]:02}-{day[2]:02}"
        premise, hypothesis = f"({iso}) {premise}", f"({iso}) {hypothesis}"
    return wording.rough(premise, first, chance), wording.rough(hypothesis, second, chance)


def _is_kept(text: str) -> bool:
    """Whether a rule is kept for development, by its hash."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 16**8 < FOR_DEVELOPMENT


def _rule(name: str, chance: random.Random, development: bool) -> dict[str, Any]:
    fitting = [rule for rule in rules(f"{name}s")[name] if _is_kept(str(rule)) == development]
    chosen: dict[str, Any] = chance.choice(fitting)
    return chosen


def _relation(chance: random.Random, development: bool) -> Claim:
    rule = _rule("relation", chance, development)
    thing = chance.choice(things(rule["of"]))
    value = draw(rule["value"], chance)
    while value.thing is not None and value.thing.ru == thing.ru:
        value = draw(rule["value"], chance)
    return Claim(rule, {"s": thing, "v": value})


def _value(claim: Claim) -> Value:
    value = claim.blanks["v"]
    assert isinstance(value, Value)
    return value


def _thing(claim: Claim) -> Thing:
    thing = claim.blanks["s"]
    assert isinstance(thing, Thing)
    return thing


def _other_value(claim: Claim, chance: random.Random) -> Claim:
    return claim.having(v=unlike(_value(claim), claim.rule["value"], chance))


def _other_thing(claim: Claim, chance: random.Random) -> Claim:
    return claim.having(s=other(_thing(claim), claim.rule["of"], chance))


def _said(claim: Claim, against: Claim, first: str, second: str, chance: random.Random) -> tuple[str, str]:
    premise = claim.said(first, chance)
    for _ in range(3):  # the same words once more teach nothing
        hypothesis = against.said(second, chance)
        if hypothesis != premise:
            break
    return premise, hypothesis


def _same_value(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development)
    return *_said(claim, claim, first, second, chance), ENTAILED


def _differing(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development)
    label = NEUTRAL if claim.rule.get("many") else CONTRADICTED
    return *_said(claim, _other_value(claim, chance), first, second, chance), label


def _of_another(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development)
    against = _other_thing(claim, chance)
    against = against if chance.random() < 0.4 else _other_value(against, chance)
    return *_said(claim, against, first, second, chance), NEUTRAL


def _other_attribute(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development)
    same = [rule for rule in rules("relations")["relation"] if rule["of"] == claim.rule["of"] and rule != claim.rule]
    same = [rule for rule in same if _is_kept(str(rule)) == development]
    if not same:
        return _of_another(chance, first, second, development)
    kind = claim.rule["value"].split(":")[:2]
    alike = [rule for rule in same if rule["value"].split(":")[:2] == kind]
    rule = chance.choice(alike if alike and chance.random() < 0.6 else same)
    against = Claim(rule, {"s": _thing(claim), "v": draw(rule["value"], chance)})
    premise, hypothesis = _said(claim, against, first, second, chance)
    # "{s}: {v}" says no attribute: with a value of the same kind it may mean either
    plain = claim.rule["value"].split(":")[:2] == rule["value"].split(":")[:2]
    return premise, hypothesis, NOT_ENTAILED if plain and ":" in premise[:40] and ":" in hypothesis[:40] else NEUTRAL


def _other_time(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development)
    against = _other_value(claim, chance)
    premise, hypothesis = _said(claim, against, first, second, chance)
    if chance.random() < 0.35 and not claim.rule.get("fixed"):
        return _before_and_now(premise, hypothesis, first, second, chance)
    day, later = wording.some_day(chance), wording.some_day(chance)
    same = chance.random() < 0.3
    if not same and day[:2] == later[:2]:
        later = (later[0] + 1, *later[1:])
    style = chance.randrange(1 << 30)
    premise = wording.dated(premise, first, day, random.Random(style))
    hypothesis = wording.dated(hypothesis, second, day if same else later, random.Random(style))
    if claim.rule.get("many"):
        return premise, hypothesis, NEUTRAL
    return premise, hypothesis, CONTRADICTED if same or claim.rule.get("fixed") else NEUTRAL


def _before_and_now(premise: str, hypothesis: str, first: str, second: str, chance: random.Random) -> Made:
    old = chance.choice(wording.PHRASES["past"][first]) + wording.lowered(premise)
    new = (
        chance.choice(wording.PHRASES["now"][second]) + wording.lowered(hypothesis)
        if chance.random() < 0.6
        else hypothesis
    )
    if chance.random() < 0.5:
        return old, new, NEUTRAL
    swapped = (
        chance.choice(wording.PHRASES["now"][first]) + wording.lowered(premise) if chance.random() < 0.6 else premise
    )
    return swapped, chance.choice(wording.PHRASES["past"][second]) + wording.lowered(hypothesis), NEUTRAL


def _other_scope(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development)
    premise, hypothesis = _said(claim, _other_value(claim, chance), first, second, chance)
    one, two = chance.sample(wording.SCOPES, 2)
    same = chance.random() < 0.3
    premise = wording.scoped(premise, first, one, chance)
    hypothesis = wording.scoped(hypothesis, second, one if same else two, chance)
    return premise, hypothesis, CONTRADICTED if same and not claim.rule.get("many") else NEUTRAL


def _unasserted(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development) if chance.random() < 0.5 else _pole(chance, development)
    against = _other_value(claim, chance) if "v" in claim.blanks else claim.having("no")
    premise, hypothesis = _said(claim, against, first, second, chance)
    if chance.random() < 0.5:
        return wording.doubted(premise, first, chance), hypothesis, NEUTRAL
    return premise, wording.doubted(hypothesis, second, chance), NEUTRAL


NOT = {"ru": "не ", "en": "not "}


def _negated(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development)
    wrapped = {"ru": ["Неправда, что {}", "{} – уже не так", "Ошибка: {}", "Нет, не {}"],
               "en": ["It is not true that {}", "{} – no longer so", "Wrong: {}", "No, not {}"]}  # fmt: skip
    kind = chance.random()
    if kind < 0.4:
        denied = chance.choice(wrapped[second]).format(wording.lowered(claim.said(second, chance)))
        return claim.said(first, chance), wording.capital(denied), CONTRADICTED
    value = _value(claim)
    ru, en = (tuple(NOT[lang] + value.said(lang, "", chance) for _ in "ab") for lang in ("ru", "en"))
    unlike_it = Value(value.kind, ru, en)
    if kind < 0.75 or claim.rule.get("many"):
        return *_said(claim, claim.having(v=unlike_it), first, second, chance), CONTRADICTED
    return *_said(_other_value(claim, chance), claim.having(v=unlike_it), first, second, chance), ENTAILED


LIMITS = {
    "most": (["не больше", "максимум", "до", "не более"], ["at most", "no more than", "up to", "a maximum of"]),
    "least": (["не меньше", "минимум", "от", "как минимум"], ["at least", "no less than", "a minimum of"]),
    "above": (["больше", "свыше", "более"], ["more than", "over", "above"]),
    "below": (["меньше", "менее"], ["less than", "under", "below"]),
    "about": (["около", "примерно", "почти", "где-то"], ["about", "roughly", "around", "almost"]),
}


def _limited(chance: random.Random, first: str, second: str, development: bool) -> Made:
    """Compare a number with a limit or a rounded one."""
    claim = _numbered(chance, development)
    unit, amount = claim.rule["value"].split(":")[1], int(_value(claim).number or 1)
    limit = chance.choice(list(LIMITS))
    bound = max(2, int(amount * chance.choice([0.3, 0.5, 0.7, 0.97, 1.04, 1.5, 2, 3])))
    value = number(unit, bound)
    limited = Value(value.kind, tuple(f"{chance.choice(LIMITS[limit][0])} {way}" for way in value.ru),
                    tuple(f"{chance.choice(LIMITS[limit][1])} {way}" for way in value.en))  # fmt: skip
    holds = {"most": amount <= bound, "least": amount >= bound, "above": amount > bound, "below": amount < bound,
             "about": abs(amount - bound) <= 0.08 * amount}[limit]  # fmt: skip
    return *_said(claim, claim.having(v=limited), first, second, chance), ENTAILED if holds else CONTRADICTED


def _numbered(chance: random.Random, development: bool) -> Claim:
    while True:
        claim = _relation(chance, development)
        kind = claim.rule["value"]
        if (
            kind.startswith("number")
            and not claim.rule.get("many")
            and kind.split(":")[1] not in {"port", "size", "grade"}
        ):
            return claim


def _with_more(chance: random.Random, first: str, second: str, development: bool) -> Made:
    """Say one thing more in the premise: it takes nothing away."""
    claim = _relation(chance, development)
    more = _relation(chance, development)
    join = chance.choice([". ", "; ", ", "])
    both = [claim.said(first, chance), wording.lowered(more.said(first, chance))]
    chance.shuffle(both)
    premise = wording.capital(join.join(both)) if join != ". " else ". ".join(map(wording.capital, both))
    if chance.random() < 0.35:
        return premise, claim.said(second, chance), ENTAILED
    label = NEUTRAL if claim.rule.get("many") else CONTRADICTED
    return premise, _other_value(claim, chance).said(second, chance), label


def _changed(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _relation(chance, development)
    while claim.rule.get("many"):
        claim = _relation(chance, development)
    before = _other_value(claim, chance)
    changed = Claim(wording.PHRASES["changes"], {**claim.blanks, "w": _value(before)})
    if chance.random() < 0.45:
        return *_said(changed, claim, first, second, chance), ENTAILED
    return *_said(changed, before, first, second, chance), CONTRADICTED


def _pole(chance: random.Random, development: bool) -> Claim:
    rule = _rule("pole", chance, development)
    blanks = {"s": chance.choice(things(rule["of"])), "p": chance.choice(things("list:person"))}
    return Claim(rule, blanks, "yes")


def _poles(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claim = _pole(chance, development)
    side, opposite = chance.sample(["yes", "no"], 2)
    claim = claim.having(side)
    kind = chance.random()
    if kind < 0.27:
        return *_said(claim, claim, first, second, chance), ENTAILED
    if kind < 0.62:
        return *_said(claim, claim.having(opposite), first, second, chance), CONTRADICTED
    if kind < 0.8:
        return *_said(claim, _other_thing(claim, chance).having(opposite), first, second, chance), NEUTRAL
    if kind < 0.9:
        return _pole_in_time(claim, opposite, first, second, chance)
    against = _pole(chance, development).having(chance.choice(["yes", "no"]))
    while against.rule == claim.rule:
        against = _pole(chance, development)
    if against.rule["of"] == claim.rule["of"]:
        against = against.having(s=_thing(claim))
    return *_said(claim, against, first, second, chance), NEUTRAL


def _pole_in_time(claim: Claim, opposite: str, first: str, second: str, chance: random.Random) -> Made:
    premise, hypothesis = _said(claim, claim.having(opposite), first, second, chance)
    if chance.random() < 0.5:
        return _before_and_now(premise, hypothesis, first, second, chance)
    day, later = wording.some_day(chance), wording.some_day(chance)
    later = (later[0] + (day[0] == later[0]), *later[1:])
    return wording.dated(premise, first, day, chance), wording.dated(hypothesis, second, later, chance), NEUTRAL


CHOICES = {"chosen": 0.45, "dropped": 0.2, "switched": 0.2, "open": 0.15}
# what two decisions on one matter say of each other: first side, second side, whether the option is the same
AGREEMENT = {
    ("chosen", "chosen", True): ENTAILED, ("chosen", "chosen", False): CONTRADICTED,
    ("chosen", "dropped", True): CONTRADICTED, ("chosen", "dropped", False): NEUTRAL,
    ("dropped", "chosen", True): CONTRADICTED, ("dropped", "chosen", False): NEUTRAL,
    ("dropped", "dropped", True): ENTAILED, ("dropped", "dropped", False): NEUTRAL,
    ("switched", "chosen", True): ENTAILED, ("switched", "chosen", False): CONTRADICTED,
    ("switched", "dropped", True): CONTRADICTED, ("switched", "dropped", False): ENTAILED,
}  # fmt: skip


def _choices(chance: random.Random, first: str, second: str, development: bool) -> Made:
    rule = _rule("choice", chance, development)
    v, w, third = chance.sample(things(f"list:{rule['of']}"), 3)
    matters = [Thing(ru, en, ru) for ru, en in rule["for"]]
    matter, elsewhere = chance.sample(matters, 2)
    one, two = chance.choices(list(CHOICES), list(CHOICES.values()), k=2)
    same = chance.random() < 0.5
    where = elsewhere if chance.random() < 0.15 else matter
    premise = _choice(one, v, w, matter, first, chance)
    option = v if same else w if "switched" in (one, two) else third
    hypothesis = _choice(two, option, third if option is not third else v, where, second, chance)
    if where is elsewhere or "open" in (one, two):
        return premise, hypothesis, NEUTRAL
    if one == two == "switched":
        hypothesis = _choice("switched", v if same else third, w, matter, second, chance)
        return premise, hypothesis, ENTAILED if same else CONTRADICTED
    if two == "switched":  # the switch is said first
        premise = _choice(two, v, w, matter, first, chance)
        hypothesis = _choice(one, option, third, matter, second, chance)
        one, two = two, one
    return premise, hypothesis, AGREEMENT[one, two, same]


def _choice(side: str, v: Thing, w: Thing, matter: Thing, lang: str, chance: random.Random) -> str:
    wordings = rules("choices")["wordings"][f"{side}_{lang}"]
    return wording.fill(chance.choice(wordings), lang, {"v": v.said, "w": w.said, "f": matter.said})


def _orders(chance: random.Random, first: str, second: str, development: bool) -> Made:
    orders = rules("orders")["order"]
    order = chance.choice([order for order in orders if _is_kept(order["en"][0]) == development] or orders)
    s, o, third = chance.sample(things(order["of"]), 3)
    claim = Claim(order, {"s": s, "o": o})
    draw_kind = chance.random()
    if draw_kind < 0.4:
        return *_said(claim, claim, first, second, chance), ENTAILED
    if draw_kind < 0.8:
        return *_said(claim, claim.having(s=o, o=s), first, second, chance), CONTRADICTED
    return *_said(claim, claim.having(s=third, o=chance.choice([s, o])), first, second, chance), NEUTRAL


def _strangers(chance: random.Random, first: str, second: str, development: bool) -> Made:
    claims = [_relation(chance, development) if chance.random() < 0.6 else _pole(chance, development) for _ in "ab"]
    if _thing(claims[0]).ru == _thing(claims[1]).ru or claims[0].rule["of"] == claims[1].rule["of"]:
        return _of_another(chance, first, second, development)
    return *_said(claims[0], claims[1], first, second, chance), NEUTRAL


MAKERS: dict[str, tuple[float, Maker]] = {
    "same": (0.15, _same_value),
    "differs": (0.18, _differing),
    "thing": (0.1, _of_another),
    "attribute": (0.06, _other_attribute),
    "time": (0.06, _other_time),
    "scope": (0.04, _other_scope),
    "holder": (0.05, _unasserted),
    "negation": (0.04, _negated),
    "limit": (0.04, _limited),
    "more": (0.04, _with_more),
    "change": (0.03, _changed),
    "pole": (0.16, _poles),
    "choice": (0.08, _choices),
    "order": (0.03, _orders),
    "stranger": (0.03, _strangers),
}
