"""Kinds of things, what is noted of them, languages and countries, by their words in Russian and English."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from vaultrag.text.morphology import term_of

# What people keep a note of each: the same kind in both languages, and by the names that its notes, tags and folders
# usually have. A vault's own words count beside these.
KINDS: Mapping[str, str] = {
    "book": "book reading-list книга книжка",
    "film": "film movie фильм кино кинофильм",
    "series": "series show сериал",
    "article": "article paper статья публикация",
    "paper": "paper preprint препринт",
    "podcast": "podcast подкаст",
    "video": "video видео ролик",
    "course": "course курс",
    "lecture": "lecture talk лекция доклад",
    "meeting": "meeting call sync созвон встреча совещание митинг",
    "recipe": "recipe рецепт",
    "person": "person people contact человек люди контакт",
    "friend": "friend друг",
    "colleague": "colleague coworker коллега",
    "project": "project проект",
    "area": "area сфера",
    "goal": "goal objective цель",
    "habit": "habit привычка",
    "idea": "idea идея",
    "quote": "quote quotation цитата",
    "journal": "journal diary daily log журнал дневник ежедневник",
    "trip": "trip travel journey поездка путешествие",
    "place": "place location место",
    "restaurant": "restaurant cafe ресторан кафе",
    "city": "city город",
    "country": "country страна",
    "event": "event событие мероприятие",
    "incident": "incident outage postmortem инцидент авария сбой",
    "decision": "decision решение",
    "company": "company organization organisation client компания организация клиент",
    "product": "product продукт",
    "game": "game игра",
    "song": "song песня",
    "album": "album альбом",
    "workout": "workout training тренировка",
    "dream": "dream сон",
    "purchase": "purchase покупка",
    "expense": "expense расход трата",
    "plant": "plant растение",
    "lesson": "lesson урок",
    "interview": "interview интервью собеседование",
    "review": "review обзор отзыв",
    "template": "template шаблон",
    "chat": "chat conversation чат переписка разговор диалог беседа",
    "experiment": "experiment эксперимент опыт",
    "report": "report отчет",
    "question": "question вопрос",
    "term": "term definition термин определение",
    "invoice": "invoice bill счет инвойс",
    "contract": "contract agreement договор контракт",
    "employee": "employee staff сотрудник работник",
    "customer": "customer покупатель заказчик",
    "order": "order заказ",
    "supplier": "supplier vendor поставщик",
    "equipment": "equipment device оборудование техника устройство",
    "tool": "tool инструмент",
    "car": "car автомобиль машина",
    "subscription": "subscription подписка",
    "exam": "exam examination экзамен зачет",
    "assignment": "assignment coursework homework essay курсовая реферат домашка эссе",
    "student": "student студент ученик",
    "teacher": "teacher professor преподаватель учитель",
    "subject": "subject discipline дисциплина",
    "exercise": "exercise упражнение",
    "doctor": "doctor врач доктор",
    "medicine": "medicine medication лекарство",
    "gift": "gift present подарок",
    "ticket": "ticket issue bug тикет баг",
    "release": "release релиз",
    "server": "server сервер",
    "hotel": "hotel гостиница отель",
    "wine": "wine вино",
    "animal": "animal pet животное питомец",
    "chapter": "chapter глава",
    "character": "character персонаж герой",
    "run": "run пробежка",
    "neighbour": "neighbour neighbor сосед",
    "work": "work job работа",
    "home": "home house дом",
    "health": "health здоровье",
    "money": "finance finances money финансы деньги",
    "family": "family семья",
    "study": "study studies учеба",
    "hobby": "hobby хобби",
}
# What people note of such things, as names of properties and as their values.
ATTRIBUTES: Mapping[str, str] = {
    "status": "status state статус состояние",
    "rating": "rating rate rated stars score оценка рейтинг балл звезда",
    "author": "author authors writer автор",
    "type": "type kind category тип вид категория",
    "genre": "genre жанр",
    "priority": "priority приоритет важность",
    "severity": "severity серьезность критичность",
    "deadline": "deadline due дедлайн срок",
    "year": "year год",
    "pages": "pages страница",
    "language": "language язык",
    "source": "source источник",
    "place": "place location место",
    "city": "city город",
    "country": "country страна",
    "duration": "duration length time длительность продолжительность время",
    "birthday": "birthday birthdate birth рождение",
    "license": "license licence лицензия",
    "model": "model models модель",
    "people": "attendees participants участник",
    "price": "price cost цена стоимость",
    "active": "active активный активен",
    "planned": "planned запланирован план",
    "paused": "paused приостановлен пауза",
    "draft": "draft черновик",
    "accepted": "accepted принято принят",
    "rejected": "rejected отклонено отклонен",
    "urgent": "urgent срочный срочно",
    "important": "important важный важно",
    "high": "high высокий",
    "medium": "medium средний",
    "low": "low низкий",
    "weight": "weight вес масса",
    "age": "age возраст",
    "paid": "paid оплачено оплачен оплаченный",
    "signed": "signed подписано подписан подписанный",
    "lost": "lost потерян потерянный",
    "broken": "broken сломан сломанный",
    "started": "start started начало",
    "finished": "finish finished end конец окончание",
}
# Languages and countries, which properties name in one language and questions in the other.
NAMED: Mapping[str, str] = {
    "russian": "russian ru русский",
    "english": "english en английский",
    "german": "german de немецкий",
    "french": "french fr французский",
    "spanish": "spanish испанский",
    "italian": "italian итальянский",
    "portuguese": "portuguese португальский",
    "polish": "polish польский",
    "ukrainian": "ukrainian украинский",
    "georgian": "georgian грузинский",
    "turkish": "turkish турецкий",
    "chinese": "chinese китайский",
    "japanese": "japanese японский",
    "korean": "korean корейский",
    "arabic": "arabic арабский",
    "latin": "latin латинский латынь",
    "russia": "russia россия",
    "ukraine": "ukraine украина",
    "georgia": "georgia грузия",
    "armenia": "armenia армения",
    "kazakhstan": "kazakhstan казахстан",
    "germany": "germany германия",
    "france": "france франция",
    "spain": "spain испания",
    "italy": "italy италия",
    "portugal": "portugal португалия",
    "poland": "poland польша",
    "latvia": "latvia латвия",
    "lithuania": "lithuania литва",
    "estonia": "estonia эстония",
    "finland": "finland финляндия",
    "sweden": "sweden швеция",
    "norway": "norway норвегия",
    "netherlands": "netherlands holland нидерланды голландия",
    "belgium": "belgium бельгия",
    "austria": "austria австрия",
    "switzerland": "switzerland швейцария",
    "czechia": "czechia чехия",
    "greece": "greece греция",
    "turkey": "turkey турция",
    "serbia": "serbia сербия",
    "israel": "israel израиль",
    "china": "china китай",
    "japan": "japan япония",
    "india": "india индия",
    "usa": "usa сша",
    "uk": "uk britain england великобритания англия",
}
TYPE = "=type"
RATING = "=rating"
YEAR = "=year"
BIRTHDAY = "=birthday"  # a day of every year, which no stretch of days is compared with
CHAT = "@chat"


@cache
def meanings_by_stem() -> Mapping[str, frozenset[str]]:
    """Return what each stem means in either language: kinds of things as `@book`, names of properties as `=status`."""
    found: dict[str, set[str]] = {}
    for mark, words_of in (("@", KINDS), ("=", ATTRIBUTES), ("=", NAMED)):
        for meaning, words in words_of.items():
            for stem in (stem for word in words.split() for stem in term_of(word)):
                found.setdefault(stem, set()).add(mark + meaning)
    return {stem: frozenset(meanings) for stem, meanings in found.items()}


@cache
def stems_by_meaning() -> Mapping[str, frozenset[str]]:
    """Return all the stems that say each meaning."""
    found: dict[str, set[str]] = {}
    for stem, meanings in meanings_by_stem().items():
        for meaning in meanings:
            found.setdefault(meaning, set()).add(stem)
    return {meaning: frozenset(stems) for meaning, stems in found.items()}
