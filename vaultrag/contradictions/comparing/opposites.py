"""Words of which only one can be true at a time: left and right, Monday and Thursday, «включён» and «выключен».

They are compared as sets: "Tuesday and Friday" is not "Monday and Thursday". Where such a word only tells one thing of
a kind from another, as with the upper and the lower shelf, it says of what a claim is, not what it says of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vaultrag.contradictions.comparing.concepts import ClaimWord, are_alike
from vaultrag.text.language import fold, stem

# Each row is one question, its alternatives apart by `|`; a row goes on where the next begins with one.
_ROWS = """
left слева левый левша | right справа правый правша
upper верхний сверху | lower нижний снизу | middle средний
front передний спереди | rear задний сзади
inside внутри внутренний | outside снаружи внешний наружный
north север северный | south юг южный | east восток восточный | west запад западный
cold холодный холод холодно прохладный cool | warm hot теплый тепло горячий жаркий жарко тепле
wet мокрый влажный | dry сухой
hard твердый жесткий | soft мягкий
full полный | empty пустой
light светлый | dark темный
sweet сладкий | bitter горький | sour кислый | salty соленый
raw сырой | cooked boiled вареный | fried жареный | baked печеный
on enabled включен включено включить включать включаю | off disabled выключен выключено выключить выключать отключен
open открыт открыто открытый | closed закрыт закрыто закрытый
locked заперт заперто | unlocked отперт
allowed можно разрешено разрешен разрешается | forbidden prohibited нельзя запрещено запрещен запрещается
mandatory required обязательно обязателен обязательный | optional voluntary необязательно добровольно
free бесплатно бесплатный | paid платно платный
public публичный | private приватный
single холост холостой незамужняя | married женат замужем | divorced разведен разведена
male мальчик boy | female девочка girl
alive жив жива живой | dead мертв мертвый умер умерла died
same одинаковый одинаково | different разный
good хорошо хороший | bad плохо плохой
safe harmless безопасно безопасный безвредный | dangerous harmful опасно опасный вредно вредный
works работает исправен | broken сломан сломана неисправен
rented арендуем снимаем | owned собственный
vegetarian вегетарианец вегетарианка | carnivore мясоед
increased rose grew вырос выросла увеличился увеличилось | decreased fell dropped снизился упал уменьшился уменьшилось
accepted принят приняли принято | rejected declined отклонен отклонили отвергли
always всегда | never никогда
manual manually вручную ручной | automatic automatically автоматически автоматический
wired проводной | wireless беспроводной
local локально локальный | remote удаленно удаленный
daily ежедневно ежедневный | weekly еженедельно еженедельный | monthly ежемесячно | yearly ежегодно
monday mon пн понедельник понедельникам | tuesday tue вт вторник вторникам | wednesday wed ср среда средам
  | thursday thu чт четверг четвергам | friday fri пт пятница пятницам | saturday sat суб сб суббота субботам
  | sunday sun вс воскресенье воскресеньям
winter зима зимой зимний | spring весна весной весенний | summer лето летом летний | autumn осень осенью осенний
weekdays weekday будни будний будням | weekend weekends выходные выходным
morning morn утро утром утренний | evening вечер вечером вечерний
day daytime днем дневной | night nights ночью ночной
red красный | blue синий синим | green зеленый | white белый | black черный | yellow желтый | grey gray серый
  | brown коричневый | orange оранжевый | purple violet фиолетовый | pink розовый
adult взрослый | child детский
primary initial первичный | repeat follow-up повторный
new новый | old старый | used подержанный
big large большой | small little маленький
first первый | second второй | third третий | fourth четвертый | fifth пятый | sixth шестой | seventh седьмой
  | eighth восьмой
"""
# Whether these say what holds, or only when and of which thing it holds, the sentence alone does not tell.
_TELLING_APART = """
upper lower front rear inside outside north south east west first second third fourth fifth sixth seventh eighth
left right male female middle raw
"""
# These never are what a claim says, only when or of which thing it holds.
_CONDITIONS = """
winter spring summer autumn weekdays weekend morning evening day night adult child primary repeat new old used big small
"""


@dataclass(frozen=True, slots=True)
class Opposed:
    """Two places, one in each claim, whose words exclude each other; `question` is the row that both answer.

    `tells_apart` where such words more often say of which thing or time a claim is than what it says of it, and
    `is_condition` where they never say anything else.
    """

    one: ClaimWord
    other: ClaimWord
    question: int
    tells_apart: bool
    is_condition: bool = False


def opposites(one: Sequence[ClaimWord], other: Sequence[ClaimWord]) -> list[Opposed]:
    """Return in what two claims say words that exclude each other, none of which both say."""
    first, second = _answers(one), _answers(other)
    found = []
    for question in first.keys() & second.keys():
        if first[question].keys().isdisjoint(second[question].keys()):
            a, b = next(iter(first[question].items())), next(iter(second[question].items()))
            sides = {a[0], b[0]}
            found.append(Opposed(a[1], b[1], question, sides <= _APART, is_condition=sides <= _WHEN))
    return found


def is_another_modifier(pair: Opposed, one: Sequence[ClaimWord], other: Sequence[ClaimWord]) -> bool:
    """Tell whether both words stand before one noun and open the claim: «верхняя полка», «нижняя полка»."""
    first, second = one.index(pair.one), other.index(pair.other)
    if first == second == 0 and pair.tells_apart:
        return True  # «первичный – 60, повторный – 35»: what each begins with is what it is about
    if first + 1 == len(one) or second + 1 == len(other) or not are_alike(one[first + 1], other[second + 1]):
        return False
    return min(first, second) == 0


def _answers(words: Sequence[ClaimWord]) -> dict[int, dict[str, ClaimWord]]:
    """Return by question which alternatives are said, and where; a clause that denies anything says none."""
    denied = {word.clause for word in words if word.is_denied}
    found: dict[int, dict[str, ClaimWord]] = {}
    for word in words:
        known = None if fold(word.text) in _LENGTHS else _ALTERNATIVES.get(stem(word.text))
        if known and word.clause not in denied:
            found.setdefault(known[0], {}).setdefault(known[1], word)
    return found


def _alternatives() -> Iterator[tuple[str, tuple[int, str]]]:
    for question, row in enumerate(_ROWS.replace("\n  |", " |").strip().splitlines()):
        for alternative in row.split("|"):
            named, *_ = alternative.split()
            yield from ((stem(word), (question, named)) for word in alternative.split())


_LENGTHS = frozenset("week weeks month months year years".split())  # no "weekly", though they share its stem
_ALTERNATIVES = dict(_alternatives())
_WHEN = frozenset(_CONDITIONS.split())
_APART = frozenset(_TELLING_APART.split()) | _WHEN
