"""How a statement is held, by its words in Russian and English, and whose it is where it says so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vaultrag.domain import Stance
from vaultrag.text.language import fold
from vaultrag.text.morphology import grammar_of


@dataclass(frozen=True, slots=True)
class Held:
    """How a statement is held; `speaker` is whom it is passed on from, as written, empty where nobody is named."""

    stance: Stance
    speaker: str = ""


ASSERTED = Held(Stance.ASSERTED)

_QUESTION = re.compile(r"\?[\s\"»”')!*_]*(?:\([^()]*\)[\s.]*)?\Z")
_ASKS = re.compile(
    r"\A\W*(?:надо |нужно |need to |to |must )?(?:спросить|узнать|выяснить|уточнить|проверить|посмотреть"
    r"|разобраться|понять"
    r"|спроси|узнай|уточни|проверь|ask|find out|figure out|check|look up|clarify|wonder|не помню|не знаю|непонятно"
    r"|интересно|not sure|i don't know|no idea|unclear)(?=\W)[^.]{0,60}?(?:\bли\b|,|\b(?:сколько|когда|где|кто"
    r"|как|какой|какая|какие"
    r"|что|чем|почему|куда|у|if|whether|how|what|when|where|who|which|why)\b|:)"
)
_ASKS_FIRST = re.compile(r"\W*(?:спрос\w+|узна\w+|выясни\w+|уточни\w+|ask|find out|check|clarify|look up)\b")
_HYPOTHETICAL = re.compile(
    r"\b(?:если бы|допустим|предположим|представим|вдруг|хорошо бы|было бы|была бы|были бы|был бы|мог бы"
    r"|могла бы|могли бы"
    r"|можно было бы|стоило бы|наверно[е]?|возможно|может быть|кажется|похоже|вроде(?: бы)?|скорее всего"
    r"|видимо|what if|suppose"
    r"|supposing|assuming|imagine|would have|could have|might|maybe|perhaps|probably|presumably|hypothetically"
    r"|if (?:i|we|it|he|she"
    r"|they|you) (?:were|was|had|could)|would be|would cost|would need|would take)\b"
)
_CONDITION = re.compile(r"\A\W*(?:если|if|when|когда|unless|in case)\b")
_PLANNED = re.compile(
    r"\b(?:собира\w+с[ья](?=[^.;]*?\b\w+(?:ть|ти|чь)(?:с[ья])?\b)|"
    r"планиру\w+|(?<!по )план(?!\w)|планы|в планах|запланирован\w*|намерен\w*|хочу|хотим"
    r"|хотел\w*|хотелось"
    r"|хочется|мечта\w*|цель|надо|нужно|надо бы|пора|стоит(?= \w+ть\b)|должен(?: был)?|должна(?: была)?"
    r"|должны(?: были)?"
    r"|обеща\w+|обещал\w?|буду|будем|будет|будут|подумыва\w+|предлага\w+|попробую|попробуем|сделаю|куплю"
    r"|возьму|начну|поеду"
    r"|(?:i|we|he|she|they)(?:'d| would) like|todo|to-do|plan(?:s|ned|ning)?(?! [ab]\b)|going to|gonna"
    r"|want(?:s|ed)? to|intend\w*|aim(?:s|ing)? (?:to"
    r"|for|at)|hope(?:s|d)?"
    r"|hoping|goal|target|wish|will|shall|i'll|we'll|he'll|she'll|they'll|it'll|promise[ds]?|supposed to"
    r"|expected|due to|proposed?"
    r"|suggest(?:s|ed)?|idea|идея|черновик|draft|someday|когда-нибудь)\b"
)
_ASIDE = re.compile(r"\((?:[^\s()]+\s+){3,}[^()]*\)")  # "99.9 % (Ann promised it before asking us)" is no plan
_FACT_OF_PLAN = re.compile(r"\b(?:will not|won't|не будет|не будем|не буду|не надо|не нужно|no need|must not|never)\b")
_SAYING = (
    r"говорит|говорят|говорил\w?|сказал\w?|скажут|утвержда\w+|пишет|пишут|писал\w?|написал\w?|считает|считают"
    r"|уверя\w+|рассказ\w+"
    r"|сообщ\w+|объясни\w+|объясня\w+|клян[её]тся|настаива\w+|по-мнению"
)
_SAYS = (
    r"says?|said|claims?|claimed|tells?|told|writes?|wrote|thinks?|thought|insists?|insisted|reports?|reported"
    r"|argues?|argued"
    r"|believes?|states?|stated|mentioned|swears?|swore"
)
_BY_NAME = re.compile(
    rf"(?:\b(?P<ru>[А-ЯЁ][\w-]+(?: [А-ЯЁ][\w-]+)?|[мм]ама|папа|врач|ортопед|хозяйка|сосед\w*|мастер"
    rf"|учительница|бабушка|дедушка)"
    rf"(?: \w+)? (?:{_SAYING})\b|\b(?:{_SAYING}) (?P<ru2>[А-ЯЁ][\w-]+|мама|папа|врач|ортопед|хозяйка|сосед\w*|мастер)"
    rf"|\b(?P<en>(?!As )[A-Z][\w-]+(?: [A-Z][\w-]+)?|[Tt]he [a-z]+|[Mm]y [a-z]+) (?:{_SAYS})\b"
    r"|\b(?i:по словам|по мнению|по данным|со слов|according to|as per) (?P<by>[\w-]+(?: [А-ЯЁA-Z][\w-]+)?)"
    r"|\b(?i:как|as) (?:сказал\w?|говорит|говорил\w?|пишет|писал\w?) (?P<how>[\w-]+(?: [А-ЯЁ][\w-]+)?)"
    r"|\b(?:as) (?P<how2>[A-Z][\w-]+) (?:said|says|put it|wrote|writes))"
)
_BY_NOBODY = re.compile(
    r"\b(?:(?<!все )(?<!они )(?:говорят|пишут)|якобы|будто(?: бы)?|считается|слухи|слышал\w?, (?:что|будто)"
    r"|ходят слухи|по слухам"
    r"|как пишут|дескать|мол"
    r"|allegedly|reportedly|supposedly|apparently|rumou?r\w*|they say|people say|it is said|word is|i (?:heard"
    r"|read) (?:that|it))\b"
)
_FIRST_PERSON = frozenset("я мы i we".split())
_NOBODY = frozenset("it this that he she they there он она они оно это все the".split())
_LONGEST = 600  # characters of a statement in which a speaker is looked for
DONE_BOXES = frozenset("xX")
DROPPED_BOXES = frozenset("-~")


def is_question(words: str) -> bool:
    return bool(_QUESTION.search(words)) or "??" in words


def asks(words: str) -> bool:
    """Tell whether something is to be asked or looked up."""
    return bool(_ASKS_FIRST.match(fold(words)))


def held(words: str, box: str, lead: str) -> Held:
    """Return how a statement is held. `box` is the sign of a task, `lead` what it stands under."""
    text = words[:_LONGEST]
    folded = fold(text)
    if _ASKS.search(folded):
        return Held(Stance.ASKED)
    if box and box not in DONE_BOXES:
        return Held(Stance.HYPOTHETICAL if box in DROPPED_BOXES else Stance.PLANNED)
    if speaker := _speaker(text):
        return Held(Stance.REPORTED, speaker)
    if _BY_NOBODY.search(folded):
        return Held(Stance.REPORTED)
    if _HYPOTHETICAL.search(folded):
        return Held(Stance.HYPOTHETICAL)
    if not box and (_is_planned(text, folded) or _PLANNED.search(fold(lead))):
        return Held(Stance.PLANNED)
    return ASSERTED


def _is_planned(text: str, folded: str) -> bool:
    if _FACT_OF_PLAN.search(folded) or _CONDITION.match(folded):
        return False
    return bool(_PLANNED.search(_ASIDE.sub(" ", folded))) or _is_in_future(text)


def _is_in_future(text: str) -> bool:
    """Tell whether a Russian sentence has a verb of the future and none of what was or is."""
    tenses = [
        first.tense
        for word in re.findall(r"[А-Яа-яЁё-]{2,}", text)
        for first in grammar_of(word)[:1]
        if first.pos == "VERB" and first.tense
    ]
    return bool(tenses) and all(tense == "futr" for tense in tenses)


def _speaker(text: str) -> str:
    match = _BY_NAME.search(text)
    if match is None:
        return ""
    name = next((value for value in match.groupdict().values() if value), "")
    folded = fold(name)
    return (
        ""
        if folded in _FIRST_PERSON or folded in _NOBODY or (folded.startswith("the display") and False)
        else name.strip()
    )
