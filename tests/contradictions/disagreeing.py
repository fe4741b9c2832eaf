"""Notes that disagree: two contradictions, one in each language, and a sum that a later note replaces."""

from __future__ import annotations

from pathlib import Path

SHED, DACHA, HUT, WEEKEND = "Дом/Сарай.md", "Сарай на даче.md", "Hut.md", "Weekend.md"
REPAIR, DIARY = "Дом/Ремонт.md", "Дневник/2025-02-11.md"
NOTES = {
    SHED: "Ключ от сарая, дубликатов 3 штуки.\n\nГарантия на насос: 24 месяца, чек в папке.\n",
    DACHA: "Гарантия на насос: 3 года, чек в папке.\n",
    HUT: "The walk to the hut takes 90 minutes.\n",
    WEEKEND: "To the hut it's three hours of walk.\n",
    REPAIR: "---\ndate: 2025-02-10\n---\n# Ремонт\n\n## Бюджет\n\nБюджет ремонта кухни: 450 000 ₽.\n",
    DIARY: "Утром созвон.\n\n- Теперь бюджет ремонта кухни 380 000 ₽.\n",
}
OTHERS = (  # statements of other things: how near two are in meaning tells something only among many
    "Рост Миши 124 см.|Чайник вмещает 2 литра.|Лампа светит 800 люмен.|Роман вышел в 1869 году.|"
    "Ковёр стоил 9000 рублей.|Собаку зовут Рекс.|Поезд отходит в 7:40.|Озеро лежит на высоте 1900 метров.|"
    "Пароль меняют раз в 90 дней.|Шкаф шириной 80 см.|Концерт длился 95 минут.|Билет стоил 1200 рублей.|"
    "Аптека закрыта по воскресеньям.|The bridge is 640 meters long.|My bicycle has 21 gears.|"
    "The museum opens at 10:00.|Saturn has 146 moons.|The lease costs 700 euros.|"
    "Our teacher was born in 1961.|The kettle was bought in Berlin.|Rent is due on Fridays.|"
    "The marathon took 4 hours.|This notebook has 96 pages.|The garden holds 12 apple trees.|"
    "The router sits upstairs."
).split("|")


def write_disagreeing(vault: Path) -> None:
    others = {f"Others/{number}.md": f"{said}\n" for number, said in enumerate(OTHERS)}
    for path, text in {**NOTES, **others}.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, encoding="utf-8")
