"""Lines that say nothing by themselves back no sentence."""

from __future__ import annotations

import pytest

from vaultrag.answering.citations import source_sentences

NO_SOURCE = {
    "heading": ("## Порт открыт\nДа.", "Порт открыт"),
    "heading in a quote": ("> ### Ports\n> All.", "Ports"),
    "underlined heading": ("Порты\n=====\nДа.", "Порты"),
    "header row": ("| Порт | Открыт |\n|---|:-:|\n| 22 | нет |", "| Порт | Открыт |"),
    "header row without outer bars": ("Port | Open\n--- | ---\n22 | no", "Port | Open"),
    "embed": ("![[План.png|300]]\n\nТекст.", "![[План.png|300]]"),
    "embed in an item": ("- ![[Отчёт.pdf]]\n- да", "![[Отчёт.pdf]]"),
    "picture": ("![карта](img/map.png)\n", "![карта](img/map.png)"),
    "link": ("[[Маяк]]\n\nТекст.", "[[Маяк]]"),
    "links": ("[[Маяк]], [[Дом|дома]] · [docs](https://example.org)\n", "[[Маяк]], [[Дом|дома]]"),
    "fence": ("```bash\nrestic backup\n```", "```bash"),
    "interpreter": ("```\n#!/bin/bash\nrestic backup\n```", "#!/bin/bash"),
    "tags": ("#сервер #дом\n\nТекст.", "#сервер #дом"),
    "comment": ("<!-- от руки -->\nТекст.", "<!-- от руки -->"),
}
SOURCE = {
    "row": ("| Порт | Открыт |\n|---|---|\n| 22 | нет |", "| 22 | нет |"),
    "text under a heading": ("## Порт\nОткрыт всем.", "Открыт всем."),
    "sentence with an embed": ("На плане ![[План.png]] видно порт.", "На плане"),
    "linked item": ("Были:\n- [[Анна]]\n- [[Борис]]", "[[Анна]]"),
    "code": ("```bash\nrestic backup\n```", "restic backup"),
    "property": ("start: 2023-09-12\npages: 528", "pages: 528"),
    "text above a list": ("Порты\n- 22\n- 80", "Порты"),
    "text with a tag": ("#дом порт открыт", "порт открыт"),
    "wrapped": ("Порт открыт всем и\nвсегда.", "Порт открыт"),
}


def backing(text: str, begins: str) -> bool:
    return next(one.backs for one in source_sentences(0, text) if begins in one.text)


@pytest.mark.parametrize("kind", NO_SOURCE)
def test_what_says_nothing_by_itself_is_no_source(kind: str) -> None:
    assert not backing(*NO_SOURCE[kind])


@pytest.mark.parametrize("kind", SOURCE)
def test_what_says_something_is_one(kind: str) -> None:
    assert backing(*SOURCE[kind])
