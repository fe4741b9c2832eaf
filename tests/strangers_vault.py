"""Small vaults of people who keep their notes in other ways than the fixture's author, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vaultrag.config import Config, Settings
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace

# Folders tell the kind, property names are Russian, days stand in the properties.
BY_FOLDER = {
    "Книги/Солярис.md": "---\nавтор: Станислав Лем\nпрочитано: 2023-05-01\nоценка: 5\nстраниц: 288\n---\nОкеан.\n",
    "Книги/Пикник.md": "---\nавтор: Стругацкие\nпрочитано: 2024-02-11\nоценка: 4\nстраниц: 224\n---\nЗона.\n",
    "Книги/Идиот.md": "---\nавтор: Достоевский\nоценка: 3\nстраниц: 640\n---\nНе дочитал.\n",
    "Встречи/Планёрка.md": "---\ndate: 2025-03-04\nучастники: [Стефания, Олег]\n---\n"
    "- [ ] прислать смету 📅 2025-03-20\n",
    "Встречи/Бюджет.md": "---\ndate: 2025-04-10\nучастники: [Олег]\n---\n"
    "- [x] посчитать налоги\n- [-] позвонить в банк\n",
    "Дача/Ремонт.md": "---\ndate: 2025-01-15\n---\n"
    "# Ремонт\n\n- [ ] купить краску\n- [x] снять обои ✅ 2025-02-02\n- [ ] окна\n",
    "Дача/Огород.md": "---\ndate: 2025-05-20\n---\n- [ ] полить\n\nПосле [[Ремонт|ремонта]] сажаем яблони.\n",
    "Дневник/2025-05-26.md": "Гуляли у реки.\n",
    "Дневник/2025-05-28.md": "Писал отчёт про ёлку.\n",
    "Дневник/2025-06-02.md": "Дождь.\n",
}
# Tags tell the kind, status tells what became of it; people have notes of their own.
BY_TAG = {
    "The Left Hand of Darkness.md": "---\ntags: [book, fiction]\nstatus: read\nfinished: 2023-05-01\nrating: 9\n---\n"
    "Gethen.\n",
    "Dune.md": "---\ntags: [book, fiction]\nstatus: to-read\n---\nSpice.\n",
    "Seeing Like a State.md": "---\ntags: [book, history]\nstatus: read\nfinished: 2022-12-30\nrating: 7\n---\n"
    "Legibility.\n",
    "Weekly sync.md": "---\ntags: [meeting]\ndate: 2025-02-03\n---\nWith [[Steph Ango]]: roadmap.\n",
    "Hiring.md": "---\ntags: [meeting]\ndate: 2025-02-17\n---\nWith Priya, about the backend role.\n",
    "Retro.md": "---\ntags: [meeting]\ndate: 2025-03-03\n---\nWith [[Steph Ango|Steph]] and Priya.\n",
    "Steph Ango.md": "---\ntags: [people]\naliases: [Steph]\n---\nDesigner.\n",
    "Garden shed.md": "---\ntags: [project/active]\nstatus: in progress\n---\n- [ ] order timber\n- [x] draw plans\n",
    "Tax return.md": "---\ntags: [project/done]\nstatus: finished\n---\n- [x] send it\n",
}
# A property tells the kind, as a link to an overview note; everything lies in one folder.
BY_PROPERTY = {
    "Notes/Книги.md": "Все книги:\n",
    "Notes/Stoner.md": "---\ntype: book\ncategory: '[[Книги]]'\nread: 2023\n---\nA life.\n",
    "Notes/Мы.md": "---\ntype: book\ncategory: '[[Книги]]'\nread: 2021-07\n---\nИнтеграл.\n",
    "Notes/Stalker.md": "---\ntype: film\nwatched: 2023-08-08\n---\nThe zone.\n",
    "Notes/Borscht.md": "---\ntype: recipe\ncuisine: Ukrainian\nminutes: 90\n---\nBeet.\n",
    "Notes/Ramen.md": "---\ntype: recipe\ncuisine: Japanese\nminutes: 45\n---\nBroth.\n",
}
# Numbered folders with pictures in their names, fields in the text, two languages; links for people.
BY_NUMBER = {
    "1 Projects/🏡 Переезд.md": "---\nстатус: активен\nначало: 2025-02-01\n---\n"
    "## Дела\n- [ ] заказать грузчиков (due:: 2025-06-01)\n- [x] собрать коробки\n",
    "1 Projects/Website.md": "---\nстатус: активен\npriority: high\n---\n"
    "- [ ] buy a domain 📅 2025-07-15\n- [ ] write copy\n",
    "1 Projects/Podcast.md": "---\nстатус: заморожен\npriority: low\n---\nIdea.\n",
    "2 Areas/Health/Sleep.md": "mood:: good\nhours:: 7\n\nSlept well. #health\n",
    "2 Areas/Finance/Budget 2025.md": "---\ncreated: 2025-01-02\n---\nRent 900.\n",
    "3 Resources/📚 Books/Sapiens.md": '---\nauthor: "[[Yuval Noah Harari]]"\nreading_status: finished\n'
    "date_read: 2024-08-20\nrating: 4\n---\nHumans.\n",
    "3 Resources/📚 Books/Piranesi.md": '---\nauthor: "[[Susanna Clarke]]"\nreading_status: reading\nrating: 5\n---\n'
    "House.\n",
    "3 Resources/Рецепты/Плов.md": "---\nкухня: узбекская\nвремя: 120\ntags: [рецепт, мясо]\n---\nРис.\n",
    "3 Resources/Рецепты/Окрошка.md": "---\nкухня: русская\nвремя: 30\ntags: [рецепт, лето]\n---\nКвас.\n",
    "3 Resources/People/Yuval Noah Harari.md": "Historian.\n",
    "Daily/2025-06-01.md": "Созвон с [[Анна Петрова]] про сайт.\n- [x] оплатить счёт ✅ 2025-06-01\n",
    "Daily/2025-06-03.md": "Meeting with [[Анна Петрова|Anna]]: launch in July.\n",
    "3 Resources/People/Анна Петрова.md": "Дизайнер.\n",
}


def _note(*properties: str, text: str) -> str:
    return "\n".join(("---", *properties, "---", text))


# A student's, by folders and Russian properties, and a small firm's, by types, in English.
STUDENT = {
    "Учёба/Лекции/Матан 1.md": _note(
        "предмет: Матанализ", "дата: 2025-09-03", "преподаватель: Королёв", text="Пределы.\n"
    ),
    "Учёба/Лекции/Матан 2.md": _note(
        "предмет: Матанализ", "дата: 2025-10-08", "преподаватель: Королёв", text="Производные.\n"
    ),
    "Учёба/Лекции/История 1.md": _note(
        "предмет: История", "дата: 2025-10-15", "преподаватель: Сафина", text="Великое переселение.\n"
    ),
    "Учёба/Экзамены/Матан, экзамен.md": _note(
        "предмет: Матанализ", "дата: 2026-01-12", "форма: письменный", text="Билеты.\n"
    ),
    "Учёба/Экзамены/История, экзамен.md": _note(
        "предмет: История", "дата: 2026-01-16", "форма: устный", text="Билеты.\n"
    ),
    "Учёба/Курсовые/Рекурсия.md": _note(
        "статус: в работе",
        "срок: 2025-12-15",
        text="- [ ] написать введение 📅 2025-11-25\n- [x] составить план ✅ 2025-11-10\n",
    ),
    "Учёба/Курсовые/Реферат о Польше.md": _note(
        "статус: сдано", "срок: 2025-10-20", "оценка: 5", text="Три раздела.\n"
    ),
    "Учёба/Сессия.md": "- [ ] сдать лабы 📅 2025-11-18\n- [ ] забрать справку\n",
    "Книги/Пикник на обочине.md": _note(
        "язык: русский", "жанр: фантастика", "автор: Стругацкие", "прочитано: 2025-07-02", "оценка: 5", text="Зона.\n"
    ),
    "Книги/Dune.md": _note(
        "язык: английский", "жанр: фантастика", "автор: Frank Herbert", "статус: читаю", text="Пряность.\n"
    ),
    "Книги/Sapiens.md": _note(
        "язык: английский",
        "жанр: нон-фикшн",
        "автор: Yuval Noah Harari",
        "прочитано: 2024-12-01",
        "оценка: 4",
        text="Сплетни.\n",
    ),
    "Книги/Мастер и Маргарита.md": _note(
        "язык: русский", "жанр: роман", "автор: Булгаков", "прочитано: 2023-03-11", "оценка: 5", text="Кот.\n"
    ),
    "Друзья/Лена.md": _note("город: Казань", "день рождения: 2004-03-05", text="Познакомились на дне факультета.\n"),
    "Друзья/Тимур.md": _note("город: Москва", "день рождения: 2003-11-30", text="Сосед по комнате.\n"),
    "Рецепты/Плов.md": _note(
        "tags: [ужин]", "время: 90", "сложность: средняя", "веганский: false", text="Рис и баранина.\n"
    ),
    "Рецепты/Омлет.md": _note(
        "tags: [завтрак]", "время: 10", "сложность: низкая", "веганский: false", text="Три яйца.\n"
    ),
    "Рецепты/Хумус.md": _note("tags: [ужин]", "время: 20", "сложность: низкая", "веганский: true", text="Нут.\n"),
}
FIRM = {
    "Clients/Nordwind.md": _note(
        "type: client",
        "country: Germany",
        "status: active",
        "since: 2023-04-01",
        'manager: "[[Anna Weber]]"',
        text="Ships turbines.\n",
    ),
    "Clients/Acme.md": _note(
        "type: client",
        "country: USA",
        "status: lost",
        "since: 2022-01-15",
        'manager: "[[Tom Hale]]"',
        text="Too expensive for them.\n",
    ),
    "Clients/Baltika.md": _note(
        "type: client",
        "country: Latvia",
        "status: active",
        "since: 2024-09-01",
        'manager: "[[Anna Weber]]"',
        text="Ferries.\n",
    ),
    "Invoices/2025-014.md": _note(
        "type: invoice",
        'client: "[[Nordwind]]"',
        "amount: 4200",
        "paid: false",
        "due: 2025-10-31",
        text="Support Q3.\n",
    ),
    "Invoices/2025-015.md": _note(
        "type: invoice", 'client: "[[Baltika]]"', "amount: 1800", "paid: true", "due: 2025-11-10", text="Audit.\n"
    ),
    "Invoices/2025-016.md": _note(
        "type: invoice", 'client: "[[Nordwind]]"', "amount: 950", "paid: false", "due: 2025-12-05", text="Training.\n"
    ),
    "Employees/Anna Weber.md": _note(
        "type: employee", "role: manager", "office: Berlin", "hired: 2021-05-10", text="Speaks Latvian.\n"
    ),
    "Employees/Tom Hale.md": _note(
        "type: employee", "role: developer", "office: Riga", "hired: 2024-02-01", text="Likes Rust.\n"
    ),
    "Employees/Ilze Kalna.md": _note(
        "type: employee", "role: developer", "office: Riga", "hired: 2025-03-03", text="Was an intern.\n"
    ),
    "Contracts/Nordwind support.md": _note(
        "type: contract",
        'client: "[[Nordwind]]"',
        "expires: 2025-12-31",
        "status: signed",
        "language: German",
        text="Four hours.\n",
    ),
    "Contracts/Baltika audit.md": _note(
        "type: contract",
        'client: "[[Baltika]]"',
        "expires: 2026-06-30",
        "status: draft",
        "language: English",
        text="Two visits.\n",
    ),
    "Meetings/2025-11-12 Nordwind kickoff.md": _note(
        "type: meeting", 'attendees: ["[[Anna Weber]]", "[[Tom Hale]]"]', text="- [ ] send the offer 📅 2025-11-19\n"
    ),
    "Meetings/2025-11-18 Board.md": _note(
        "type: meeting", 'attendees: ["[[Anna Weber]]"]', text="- [x] approve the budget ✅ 2025-11-18\n"
    ),
    "Equipment/ThinkPad 7.md": _note(
        "tags: [equipment]", 'assigned: "[[Ilze Kalna]]"', "warranty: 2026-03-01", "condition: good", text="32 GB.\n"
    ),
    "Equipment/Printer.md": _note(
        "tags: [equipment]", "assigned: ", "warranty: 2024-03-01", "condition: broken", text="Drum.\n"
    ),
}
# A household's, and a laboratory's.
HOUSEHOLD = {
    "Дети/Маша.md": _note("день рождения: 2016-04-12", "школа: Лицей 7", "класс: 3", text="Любит рисовать.\n"),
    "Дети/Петя.md": _note("день рождения: 2019-09-01", "сад: Ромашка", text="Боится собак.\n"),
    "Врачи/Ковалёва.md": _note(
        "специальность: педиатр", "клиника: Семейная", "телефон: 555-12", text="Принимает по средам.\n"
    ),
    "Врачи/Гиоргадзе.md": _note("специальность: стоматолог", "клиника: Дента", text="Без боли.\n"),
    "Счета/2025-10 Электричество.md": _note(
        "дата: 2025-10-05", "сумма: 3200", "оплачено: true", "категория: коммуналка", text=""
    ),
    "Счета/2025-11 Электричество.md": _note(
        "дата: 2025-11-05", "сумма: 3900", "оплачено: false", "категория: коммуналка", text=""
    ),
    "Счета/2025-11 Интернет.md": _note("дата: 2025-11-10", "сумма: 900", "оплачено: true", "категория: связь", text=""),
    "Техника/Холодильник.md": _note(
        "марка: Bosch", "куплено: 2021-03-15", "гарантия до: 2026-03-15", "цена: 72000", text="Тихий.\n"
    ),
    "Техника/Стиральная машина.md": _note(
        "марка: LG", "куплено: 2018-06-01", "гарантия до: 2020-06-01", "цена: 41000", text="Стучит.\n"
    ),
    "Поездки/Батуми.md": _note(
        "страна: Грузия", "начало: 2025-07-10", "конец: 2025-07-20", "с кем: [Маша, Петя]", text="Море.\n"
    ),
    "Поездки/Стамбул.md": _note("страна: Турция", "начало: 2024-05-01", "конец: 2024-05-06", text="Коты.\n"),
    "Фильмы/Головоломка.md": _note(
        "жанр: мультфильм", "год: 2015", "оценка: 9", "посмотрено: 2025-08-14", text="Плакали.\n"
    ),
    "Фильмы/Солярис.md": _note("жанр: фантастика", "год: 1972", "оценка: 8", text="Долго.\n"),
    "Фильмы/Дюна.md": _note("жанр: фантастика", "год: 2021", "оценка: 7", "посмотрено: 2024-02-02", text="Песок.\n"),
    "Дела.md": "- [ ] записать Петю к врачу 📅 2025-11-24\n- [ ] купить лампочки\n- [x] оплатить сад ✅ 2025-11-03\n",
}
LABORATORY = {
    "Papers/Attention is all you need.md": _note(
        "tags: [paper]",
        "authors: [Vaswani, Shazeer]",
        "year: 2017",
        "venue: NeurIPS",
        "read: true",
        text="Transformers.\n",
    ),
    "Papers/BERT.md": _note(
        "tags: [paper]", "authors: [Devlin]", "year: 2019", "venue: NAACL", "read: true", text="Masks.\n"
    ),
    "Papers/Scaling laws.md": _note(
        "tags: [paper, todo]", "authors: [Kaplan]", "year: 2020", "venue: arXiv", "read: false", text="Power laws.\n"
    ),
    "Experiments/E12 warmup.md": _note(
        "date: 2025-10-02", "status: failed", "dataset: C4", "accuracy: 0.61", text="NaN at step 400.\n"
    ),
    "Experiments/E13 longer warmup.md": _note(
        "date: 2025-10-20", "status: succeeded", "dataset: C4", "accuracy: 0.74", text="Stable.\n"
    ),
    "Experiments/E14 wiki.md": _note("date: 2025-11-15", "status: running", "dataset: WikiText", text="GPU 3.\n"),
    "People/Mei Lin.md": _note("role: PhD student", "lab: NLP", "started: 2023-09-01", text="Speaks Japanese.\n"),
    "People/Oleg Sokolov.md": _note("role: postdoc", "lab: Vision", "started: 2025-01-15", text="Runs marathons.\n"),
    "Talks/Seminar on scaling.md": _note(
        'speaker: "[[Mei Lin]]"', "date: 2025-11-06", "language: en", text="Slides.\n"
    ),
    "Talks/Colloquium.md": _note('speaker: "[[Oleg Sokolov]]"', "date: 2025-09-12", "language: de", text="Vision.\n"),
    "Grants/ERC.md": _note("deadline: 2026-02-15", "amount: 1500000", "status: drafting", text="Five years.\n"),
    "Grants/DFG.md": _note("deadline: 2025-09-30", "amount: 300000", "status: submitted", text="Three years.\n"),
    "Reviews/NeurIPS 2025.md": "- [ ] review paper 4411 📅 2025-11-18\n- [x] review paper 2210 ✅ 2025-11-01\n",
}
# A writer's, with fields in the text, and a gardener's.
WRITER = {
    "10 Projects/Novel/Chapter 1.md": _note(
        "status: draft", "words: 3200", "pov: Marta", "updated: 2025-10-01", text="#novel/chapter\n\nRain.\n"
    ),
    "10 Projects/Novel/Chapter 2.md": _note(
        "status: revised", "words: 2800", "pov: Ivo", text="#novel/chapter\n\nTrain.\n"
    ),
    "10 Projects/Novel/Characters/Marta.md": "#novel/character\n\nage:: 34\n\nBeekeeper, lives in [[Ostrava]].\n",
    "10 Projects/Novel/Characters/Ivo.md": "#novel/character\n\nage:: 61\n\nGrew up in [[Ostrava]].\n",
    "20 Areas/Health/Runs 2025-11-02.md": _note("distance_km: 8.2", "time_min: 46", "feeling: good", text="#run\n"),
    "20 Areas/Health/Runs 2025-11-09.md": _note("distance_km: 12.5", "time_min: 75", "feeling: tired", text="#run\n"),
    "30 Resources/Essays/On style.md": _note(
        "author: Strunk", "source: https://example.org", "rating: ⭐⭐⭐⭐", text="#essay\n\nOmit needless words.\n"
    ),
    "30 Resources/Essays/On walking.md": _note("author: Thoreau", "read: 2025-09-12", text="#essay\n\nSaunter.\n"),
    "40 Archive/Old blog.md": _note("status: archived", text="Posts.\n"),
    "Ostrava.md": _note("aliases: [Moravian Ostrava]", "country: Czechia", text="Mines.\n"),
    "Daily/2025-11-18.md": "Wrote.\n\n- [ ] call the editor #novel 📅 2025-11-21\n- [x] buy ink ✅ 2025-11-18\n",
    "Daily/2025-11-19.md": "Nothing. #slump\n",
}
GARDEN = {
    "Растения/Яблоня Антоновка.md": _note(
        "сорт: Антоновка", "посажено: 2019-04-20", "участок: север", "полив: редко", text="Плодоносит через год.\n"
    ),
    "Растения/Смородина.md": _note(
        "сорт: Чёрный жемчуг", "посажено: 2022-05-01", "участок: юг", "полив: часто", text=""
    ),
    "Растения/Томат Бычье сердце.md": _note(
        "сорт: Бычье сердце", "посажено: 2025-05-15", "участок: теплица", "полив: часто", text=""
    ),
    "Работы/Обрезка.md": _note("тип: работа", "срок: 2025-03-20", "сделано: true", text="Секатор наточить.\n"),
    "Работы/Укрыть розы.md": _note("тип: работа", "срок: 2025-11-25", "сделано: false", text="Лапник.\n"),
    "Покупки/Секатор.md": _note("дата: 2025-02-10", "цена: 2400", "магазин: Леруа", text=""),
    "Покупки/Насос.md": _note("дата: 2025-06-03", "цена: 8900", "магазин: Озон", text=""),
    "Соседи/Галина Петровна.md": _note("участок: 14", "телефон: 8-900", text="Даёт рассаду.\n"),
    "Соседи/Толя.md": _note("участок: 16", text="Варит ворота.\n"),
    "Журнал/2025-11-15.md": "Закрыли сезон. #сезон\n\n- [ ] слить воду\n- [ ] снять насос 📅 2025-11-10\n",
}


def open_vault(folder: Path, notes: Mapping[str, str]) -> Workspace:
    """Write the notes and index their words; no model is there."""
    for name, text in notes.items():
        path = folder / "vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    workspace = Workspace.with_models(config, Ownership.OWN, None, None)
    workspace.index(lambda *_: None, DeletionPolicy.GUARD)
    return workspace
