"""Forms in which people write how a value changed: diary lines, tables, lists, properties of a series, corrections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import pytest

from tests.contradictions.histories.indexed import indexed
from vaultrag.contradictions.histories.read import history_of
from vaultrag.domain import History
from vaultrag.workspace import Workspace
from vaultrag.workspace.workspace import Reach

TODAY = date(2026, 3, 1)
NOTES = {
    "Chats/Weight.md": (
        "# Chat\n"
        "\n"
        "**User:** Я вешу 95, сколько надо есть?\n"
        "\n"
        "**ChatGPT:** При росте 180 ваш вес должен быть 75–80 кг.\n"
    ),
    "Dogs/Rex.md": (
        "---\n"
        "born: 2020-05-01\n"
        "vet: Dr. Holm\n"
        "---\n"
        "# Rex\n"
        "\n"
        "Food: 300 g of kibble a day until June 2024. Since then 250 g.\n"
        "\n"
        "Rex's vet is Dr. Holm since 2024-08; before that it was Dr. Lindqvist.\n"
    ),
    "Health/Melatonin.md": (
        "# Melatonin\n"
        "\n"
        "I take 3 mg melatonin since March 2024. From 2025-01-10 it is 1 mg, the doctor said less is more.\n"
    ),
    "Health/Sleep.md": (
        "# Sleep\n"
        "\n"
        "## Bedtime\n"
        "\n"
        "- Jan 2024: 23:30\n"
        "- May 2024: 22:45, after the course\n"
        "- Feb 2025: 00:15 (baby)\n"
        "\n"
        "## Mattress\n"
        "\n"
        "Bought 2023.\n"
    ),
    "Inbox/Team lead.md": (
        "# Team lead\n\n2023-05-02: Marta leads the data team.\n2024-09-16: Marta left, Igor leads the data team now.\n"
    ),
    "Inbox/Вегетарианство.md": (
        "# Есть ли мясо\n\n- 2023-02: перестал есть мясо\n- 2024-07: снова ем мясо, железо упало\n"
    ),
    "Work/Contractor.md": (
        "# Contractors\n"
        "\n"
        "| Month | Freelancer | Hourly rate, € | Hours |\n"
        "|---|---|---|---|\n"
        "| 2024-01 | Priya | 45 | 30 |\n"
        "| 2024-07 | Priya | 52 | 22 |\n"
        "| 2025-02 | Priya | 60 | 18 |\n"
        "| 2024-07 | Tom | 38 | 10 |\n"
    ),
    "Work/Meetings/2024-05-14 Hiring.md": (
        "# Hiring sync\n\nWe moved the release cadence from two weeks to three weeks. Ben is unhappy.\n"
    ),
    "Work/Meetings/2025-04-08 Retro.md": (
        "# Retro\n"
        "\n"
        "Release cadence: every week from now on. Ben finally smiles.\n"
        "\n"
        "Dana: the release cadence should be daily.\n"
    ),
    "Work/Standup.md": (
        "---\n"
        "tags: [work/process]\n"
        "---\n"
        "# Standup\n"
        "\n"
        "Daily at 9:30 since February 2024. Was at 10:00 before.\n"
        "\n"
        "Since 2025-03-03 we meet three times a week at 9:45.\n"
    ),
    "Дневник/2022-10-10.md": ("# 2022-10-10\n\nПереехали в Казань. Школа рядом.\n"),
    "Дневник/2023-03-12.md": ("# 2023-03-12\n\nВстал рано. Отдали за садик 15 000, на два дня позже. Вечером кино.\n"),
    "Дневник/2024-02-03.md": ("# 2024-02-03\n\nЗаписался в зал на Лесной, 3200 в месяц. Бегал 5 км.\n"),
    "Дневник/2024-06-20.md": (
        "# 2024-06-20\n\nДумаю о ребрендинге: зря мы это затеяли, логотип был хорош. Вечером дождь.\n"
    ),
    "Дневник/2024-08-21.md": ("# 2024-08-21\n\nТеперь живём в Самаре, у реки. Казань вспоминаю тепло.\n"),
    "Дневник/2024-11-02.md": ("# 2024-11-02\n\nПро ребрендинг передумал: новый логотип лучше, клиенты хвалят.\n"),
    "Дневник/2025-01-15.md": ("# 2025-01-15\n\nПерешёл с Notion на Obsidian. Заметки переносил три дня.\n"),
    "Дневник/2025-02-11.md": ("# 2025-02-11\n\nЗал подорожал: теперь 3900 в месяц. Снег.\n"),
    "Дом/Садик.md": (
        "# Садик\n"
        "\n"
        "Платим за садик «Ромашка» 18 000 в месяц с сентября 2023.\n"
        "\n"
        "С января 2025 плачу 22 500, подняли из-за питания.\n"
        "\n"
        "- забирать до 18:30\n"
        "- воспитательница Ольга Игоревна\n"
    ),
    "Здоровье/Вес.md": ("# Вес\n\n2024-01-08 – 91,5\n2024-06-03 – 88\n2025-01-06 – 86,2\n\nЦель: 80 к лету.\n"),
    "Книги/Клуб.md": (
        "# Книжный клуб\n"
        "\n"
        "Собираемся по средам. С октября 2024 собираемся по четвергам, Лена не может в среду.\n"
        "\n"
        "Планируем перейти на воскресенья.\n"
    ),
    "Люди/Мама.md": (
        "# Мама\n"
        "\n"
        "Давление у мамы: 150/90 (март 2024), 135/85 (сентябрь 2024).\n"
        "\n"
        "Лекарство: эналаприл до 2024-05, с мая 2024 – лозартан.\n"
    ),
    "Машина/Осмотр 2022.md": (
        "---\ndate: 2022-10-05\nпробег: 22,4 тыс. км\nмашина: Киа\nмасло: 5W-30\n---\n# Осмотр 2022\n\nВсё в порядке.\n"
    ),
    "Машина/Осмотр 2023.md": (
        "---\ndate: 2023-10-05\nпробег: 24,1 тыс. км\nмашина: Киа\nмасло: 5W-30\n---\n# Осмотр 2023\n\nВсё в порядке.\n"
    ),
    "Машина/Осмотр 2024.md": (
        "---\n"
        "date: 2024-10-05\n"
        "пробег: 31,0 тыс. км\n"
        "машина: Шкода\n"
        "масло: 0W-20\n"
        "---\n"
        "# Осмотр 2024\n"
        "\n"
        "Всё в порядке.\n"
    ),
    "Проекты/Сайт.md": (
        "# Сайт\n"
        "\n"
        "## Хостинг\n"
        "\n"
        "**2022-04-01.** Взяли Timeweb, 400 ₽ в месяц.\n"
        "\n"
        "**2023-09-15.** Переехали на Hetzner: 5 € в месяц.\n"
        "\n"
        "**2025-02-20.** Решили: Fly.io, статика всё равно маленькая.\n"
        "\n"
        "## Движок\n"
        "\n"
        "Jekyll (до 2023), Hugo (с мая 2023), Astro с января 2025.\n"
    ),
    "Финансы/Вклад.md": ("# Вклад\n\nСтавка 8 % с 2023-08-01 → 16 % с 2024-02-01 → 21 % с 2024-12-01.\n"),
    "Финансы/Подушка.md": ("# Подушка\n\nПодушка безопасности была 200 тыс., теперь 350 тыс. (с марта 2025).\n"),
}
CHAINS = [
    ("сколько платим за садик", "2023-05-01", "15 000", "Отдали за садик 15 000"),
    ("сколько платим за садик", "2024-03-01", "18 000", "Платим за садик «Ромашка» 18 000"),
    ("сколько платим за садик", "2025-06-01", "22 500", "С января 2025 плачу 22 500"),
    ("абонемент в зал", "2024-06-01", "3200", "Записался в зал на Лесной, 3200"),
    ("абонемент в зал", "2025-06-01", "3900", "Зал подорожал: теперь 3900"),
    ("что я думал о ребрендинге", "2024-08-01", "зря", "зря мы это затеяли"),
    ("что я думал о ребрендинге", "2025-01-01", "лучше", "новый логотип лучше"),
    ("when is the standup", "2024-01-01", "10:00", "Was at 10:00 before"),
    ("when is the standup", "2024-06-01", "9:30", "Daily at 9:30 since February 2024"),
    ("when is the standup", "2025-04-01", "9:45", "three times a week at 9:45"),
    ("release cadence", "2024-05-01", "two weeks", "from two weeks to three weeks"),
    ("release cadence", "2024-12-01", "three weeks", "from two weeks to three weeks"),
    ("release cadence", "2025-05-01", "every week", "every week from now on"),
    ("Priya's hourly rate", "2024-03-01", "45", "| 2024-01 | Priya | 45 | 30 |"),
    ("Priya's hourly rate", "2024-10-01", "52", "| 2024-07 | Priya | 52 | 22 |"),
    ("Priya's hourly rate", "2025-03-01", "60", "| 2025-02 | Priya | 60 | 18 |"),
    ("пробег машины", "2023-01-01", "22,4", "пробег: 22,4"),
    ("пробег машины", "2024-01-01", "24,1", "пробег: 24,1"),
    ("пробег машины", "2025-01-01", "31,0", "пробег: 31,0"),
    ("какое масло заливали", "2023-12-01", "5W-30", "масло: 5W-30"),
    ("какое масло заливали", "2025-01-01", "0W-20", "масло: 0W-20"),
    ("my bedtime", "2024-02-01", "23:30", "Jan 2024: 23:30"),
    ("my bedtime", "2024-08-01", "22:45", "May 2024: 22:45"),
    ("my bedtime", "2025-03-01", "00:15", "Feb 2025: 00:15"),
    ("мой вес", "2024-03-01", "91,5", "2024-01-08 – 91,5"),
    ("мой вес", "2024-10-01", "88", "2024-06-03 – 88"),
    ("мой вес", "2025-03-01", "86,2", "2025-01-06 – 86,2"),
    ("how much does Rex eat a day", "2024-03-01", "300", "300 g of kibble a day until June 2024"),
    ("how much does Rex eat a day", "2025-01-01", "250", "Since then 250 g"),
    ("Rex's vet", "2024-06-01", "Lindqvist", "before that it was Dr. Lindqvist"),
    ("Rex's vet", "2025-01-01", "Holm", "Rex's vet is Dr. Holm since 2024-08"),
    ("who leads the data team", "2024-01-01", "Marta", "Marta leads the data team"),
    ("who leads the data team", "2025-01-01", "Igor", "Igor leads the data team now"),
    ("мамино давление", "2024-06-01", "150", "150/90 (март 2024)"),
    ("мамино давление", "2024-12-01", "135", "135/85 (сентябрь 2024)"),
    ("какое лекарство пьёт мама", "2024-03-01", "эналаприл", "эналаприл до 2024-05"),
    ("какое лекарство пьёт мама", "2024-12-01", "лозартан", "с мая 2024 – лозартан"),
    ("ем ли я мясо", "2023-08-01", "перестал", "2023-02: перестал есть мясо"),
    ("ем ли я мясо", "2025-01-01", "снова", "2024-07: снова ем мясо"),
    ("подушка безопасности", "2024-12-01", "200", "была 200 тыс., теперь 350 тыс."),
    ("подушка безопасности", "2025-06-01", "350", "была 200 тыс., теперь 350 тыс."),
    ("в какой день книжный клуб", "2024-06-01", "средам", "Собираемся по средам"),
    ("в какой день книжный клуб", "2025-01-01", "четвергам", "С октября 2024 собираемся по четвергам"),
    ("с каких пор я пользуюсь Obsidian", "2024-12-01", "Notion", "Перешёл с Notion на Obsidian"),
    ("с каких пор я пользуюсь Obsidian", "2025-06-01", "Obsidian", "Перешёл с Notion на Obsidian"),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("forms")
    with indexed(folder, NOTES) as made:
        yield made


def told(workspace: Workspace, question: str, day: str) -> History:
    def find(words: str, count: int) -> Sequence[str]:
        return [passage.chunk.path for passage in workspace.search(words, count, Reach.WORDS).passages]

    return history_of(workspace.database, question, find, TODAY, day)


@pytest.mark.parametrize(("question", "day", "value", "quote"), CHAINS)
def test_value_that_held_on_a_day_is_told_with_its_quote(
    workspace: Workspace, question: str, day: str, value: str, quote: str
) -> None:
    held = told(workspace, question, day).held
    assert held is not None
    assert any(quote in place.quote or place.quote in quote for place in (held.place, *held.also))
    assert value in (held.value or held.place.quote)
    assert all(place.quote in NOTES[place.path] for place in (held.place, *held.also))
