"""Sentences of an answer that say nothing a note could back: they need no source and get none.

Told by what they are, in Russian and English: a question, an announcement that ends in a colon, a greeting or another
courtesy, a bare yes or no, and the admission that the notes do not say.
"""

from __future__ import annotations

import re

from vaultrag.answering.attribution import Bag, bag_of, bag_with_forms
from vaultrag.text.language import fold, tokens

LONGEST_ADMISSION = 200  # characters; what goes on longer says something after all

_OF_THESE = (
    r"(?:(?:the|your|these|those|this|any|given|provided|available|retrieved|following|above|моих|моей|твоих|ваших|этих"
    r"|этом|данн\w+|предоставленн\w+|приведенн\w+|найденн\w+|доступн\w+|ваш\w*|имеющ\w+|сам\w+) ){0,3}"
)
_NOTES = _OF_THESE + (
    r"(?:passages?|notes?|text|context|excerpts?|documents?|vault|information|sources?|snippets?"
    r"|заметк\w*|отрывк\w*|текст\w*|контекст\w*|пассаж\w*|фрагмент\w*|документ\w*|источник\w*|записях|записи)"
)
_STATED = (
    r"(?:provided|mentioned|stated|specified|given|available|included|found|described|listed|known|disclosed|indicated"
    r"|present|contained|discussed|said|recorded|clear)"
)
_NOT_STATED = rf"(?:not|n't|never|nowhere) (?:\w+ly )?(?:be )?{_STATED}"
_I_CANNOT = r"i (?:do not|don't|cannot|can't|could not|couldn't) (?:know|find|tell|determine|answer|see)"
_NEWS = r"(?:information|mention|details?|data)"
_NE_UKAZANO = (
    r"не (?:указан|упомянут|упомина|сказан|говорит|привед|приводи|предостав|опис|содерж|найден|уточн|назван|обнаруж"
    r"|отраж|зафиксирован|сообща|раскры|представлен|обсужда|определен|встреча)\w*"
)
_NEWS_RU = r"(?:информаци|данны|сведени|упоминани|ответ|запис)\w*"
_NONE_RU = r"(?:нет|отсутству\w+|не найден\w*|не указан\w*|не хватает|недостаточно|не нашлось)"
_ADMISSIONS = tuple(
    re.compile(form)
    for form in (
        rf"\b{_NOT_STATED}(?: \w+){{0,2}} (?:in|by|from|within) {_NOTES}\b",
        rf"\b{_NOTES} (?:\w+ ){{0,3}}?(?:(?:do|does|did)(?: not|n't)|never|lacks?)\b",
        rf"\b(?:there (?:is|are|was)|(?:i )?(?:see|have|found|find)) no (?:\w+ ){{0,3}}?(?:{_NEWS}|records?|answer)\b",
        rf"\bno (?:\w+ )?{_NEWS}(?: \w+){{0,6}} (?:is|are|was|were) (?:\w+ )?{_STATED}\b",
        rf"^\W*(?:(?:it is |it's |this is )?(?:{_NOT_STATED}|unknown|unclear|unspecified|{_I_CANNOT}|no {_NEWS}))\W*$",
        rf"^\W*{_I_CANNOT}\b.*\b{_NOTES}\b",
        rf"[\[(](?:\w+ ){{0,3}}?{_NOT_STATED}\b[^\])]{{0,80}}[\])]",
        rf"\b{_NE_UKAZANO}(?: \w+){{0,3}}? (?:в|во|из|среди) {_NOTES}\b",
        rf"\b(?:в|во|из|среди) {_NOTES}(?:,)?(?: \w+){{0,5}}? (?:{_NE_UKAZANO}|нет|отсутству\w+)\b",
        rf"\b{_NOTES} (?:\w+ ){{0,3}}?{_NE_UKAZANO}",
        rf"\b{_NONE_RU} (?:\w+ ){{0,3}}?{_NEWS_RU}",
        rf"\b{_NEWS_RU}(?: \w+){{0,6}}? {_NONE_RU}\b",
        rf"^\W*(?:(?:это |точно |явно )?{_NE_UKAZANO}|не ?известно|непонятно|(?:я )?не (?:знаю|нашел|нашла))\W*$",
        rf"[\[(](?:\w+ ){{0,3}}?{_NE_UKAZANO}[^\])]{{0,80}}[\])]",
    )
)
# What announcements and courtesies are made of, beside function words: of the language, of no vault.
_COURTESY = bag_of(
    """
    вот ответ ответы ответить отвечаю следующий следующая следующие следующее далее ниже выше согласно
    основываясь основа основе исходя судя заметка заметки заметкам отрывок отрывки отрывкам контекст текст
    вопрос вопросы краткий кратко коротко итак итог подробно подробнее список перечень пункт пункты русский
    русском английский английском язык языке привет здравствуйте добрый день вечер утро конечно разумеется
    хорошо пожалуйста спасибо рад рада помочь поможет помощь надеюсь обращайтесь удачи нужно нужна ещё
    информация дополнительный спрашивайте сообщите дайте знать могу ваш твой пользователь образ таким образом
    answer answers here following follows below above based according note notes passage passages context text
    question questions short brief briefly summary details list points english russian hello hi hey greetings
    sure certainly course okay ok thanks thank welcome glad happy help helps hope let know need needed ask feel
    free further information provided please user assist anything else go
    """
).distinct
_ANNOUNCING = re.compile(r"\b(?:вот|следующ\w+|ниже|далее|таков\w*|here|follow\w*|below|such as|as follows)\b")
_YES_OR_NO = frozenset("да нет yes no ага угу yep nope".split())


def admits_nothing_found(sentence: str, question: str) -> bool:
    """Tell whether a sentence says only that the notes do not say: «Цена не указана в заметках.», "[not provided]"."""
    folded = fold(sentence)
    if len(folded) > LONGEST_ADMISSION or not any(form.search(folded) for form in _ADMISSIONS):
        return False
    return bag_of(sentence).exact <= bag_of(question).distinct


def says_nothing_checkable(sentence: str, question: str) -> bool:
    """Tell whether a sentence only asks, announces or is courteous, or says no more than yes or no."""
    bag = bag_with_forms(sentence)
    if not bag.exact <= bag_of(question).distinct:
        return False
    said = {token.text.lower() for token in tokens(sentence)}
    if sentence.rstrip(" *_\"'»”)").endswith("?") or said <= _YES_OR_NO:
        return True
    beyond = _beyond(bag, question)
    if sentence.rstrip(" *_").endswith(":"):
        return not beyond or (bool(_ANNOUNCING.search(fold(sentence))) and not _names_in(bag, question))
    return bool(bag.stems) and not bag.distinct - _COURTESY - _YES_OR_NO


def _beyond(bag: Bag, question: str) -> frozenset[str]:
    """Return the words that neither the question nor a courtesy says."""
    return bag.distinct - bag.read(bag_of(question).distinct) - _COURTESY


def _names_in(bag: Bag, question: str) -> frozenset[str]:
    return bag.names - bag_of(question).names - {word for word in bag.names if word in _COURTESY}
