"""Every character that a reader sees of a note stands in a passage, at its own lines and among its words.

The notes are those of the fixture and one that holds all kinds. What is shown is told here without the parser's help:
all characters count but those of the kinds below, each with the reason why no passage need hold or say them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import count_words
from vaultrag.domain import Note
from vaultrag.text.entities import decoded
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note

FIXTURE = Path(__file__).parents[2] / "fixtures" / "vault"

UNSEEN = {  # stands in the file, and no reader sees it
    "comment of HTML": r"<!--[\s\S]*?-->",
    "target of a link that shows other words": r"(?<=\[\[)[^\[\]|\n]*\|(?=[^\[\]\n]+\]\])",
    "folders of a link": r"(?<=\[\[)[^\[\]|#\n]*/(?=[^\[\]/\n]+\]\])",
    "address of a link that shows words": r"(?<=\])\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"\n]*\")?\)",
    "block id": r"(?:^|(?<=\s))\^[\w-]+[ \t]*$|(?<=#)\^[\w-]+(?=\]\])",
    "reference to a footnote": r"\[\^[^\]\s]+\]:?",
    "size of a picture": r"(?<=\|)\d+(?:x\d+)?(?=\]\]|\])",
    "tag of HTML": r"</?[a-z][^<>\n]*>",
    "language of code": r"(?<=```)\w+$",
    "mark that an export of chats left": r"【[^】\n]*】",
}
TOLD_OTHERWISE = {  # a reader sees it; it is found by other means than words
    "number of an item: told by its place": r"^[ \t>]*\d{1,3}[.)](?=\s)",
    "box of a task: told as its state": r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)+\[[^\]]\]",
    "kind of a callout: a picture beside its title": r"^[ \t>]*\[!(?!nexus_user|nexus_agent)[\w-]+\][+-]?(?=[ \t]+\S)",
    "header of a message: told as who said it, when and by which model": (
        r"^(?:>\s?\[!nexus_(?:user|agent)\].*|#{3,4} (?:User|Assistant)\b.*, on .*)$|^(?:You|Я|ChatGPT): "
    ),
    "names, tags and day of a note, and what programs keep: found by name, `tag:`, `date:` and `property:`": (
        r"\A---\n(?:(?:tags|aliases|date|created|updated|nexus|provider|conversation_id|create_time|update_time"
        r"|plugin_version|models):.*\n(?:[ \t]+.*\n)*)*---$"
    ),
}
PROPERTY_BESIDE_OTHERS = re.compile(r"^(?:tags|aliases|updated|date):.*\n(?:[ \t]+-.*\n)*", re.M)
EXCEPTIONS = re.compile("|".join(f"(?:{kind})" for kind in (*UNSEEN.values(), *TOLD_OTHERWISE.values())), re.M)

ALL_KINDS = """---
phone: +7 912 000-11-22
author: "[[Анна Павлова]]"
---
# Заголовок и heading

Абзац со ссылкой [[Цель|словами]], [[Папка/Заметка#Раздел]], [сайтом](https://example.org/x) и https://example.org/y.
Зачёркнутое ~~было~~ 6500 ₽ → 🔥, ==отмеченное==, `код`, $формула$, M&uuml;ller,
%%оставленный комментарий%% и ^[сноска в строке].

- [x] задача сделана ✅ 2025-03-01
- [ ] задача [due:: 2025-04-02] и (place:: кухня)
    - подпункт [/] не задача
1. первый пункт

поле:: значение

| столбец | column |
|---|---|
| ячейка | [[Цель\\|подпись]] |

> [!tip]- Название выноски
> текст выноски

> [!question]
> вопрос

![[Картинка.png|Подпись картинки]] ![Описание|300](img/a.png) ![[Вложение#Глава]] ![[Фото.jpg|200]]

Утверждение[^1] с блоком. ^blok-1

[^1]: Текст сноски.

```python
print("вывод")
```

<b>жирное</b> <img alt="альтернатива" src="b.png">

%%
комментарий блоком
%%
"""


def seen_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield each run of letters and digits, and each sign of its own, that a reader sees, and where it begins."""
    bare = _blank(EXCEPTIONS, text)
    for match in re.finditer(r"(?:[^\W_]|&\w+;)+|[\u20a0-\u20bf\u2190-\u2bff\U0001f300-\U0001faff]", bare):
        yield match.start(), decoded(match.group())


def seen_on_canvas(text: str) -> Iterator[tuple[int, str]]:
    """Yield what the cards, files, addresses, groups and edges of a canvas show."""
    canvas = json.loads(text)
    shown = [
        _name_of(value) if key == "file" else value.removeprefix("#")
        for member in (*canvas["nodes"], *canvas["edges"])
        for key, value in member.items()
        if key in ("text", "file", "subpath", "url", "label")
    ]
    at = 0
    for value in shown:
        for _, word in seen_words(value):
            place = text.find(word, at)
            at = max(at, place)
            yield place, word


def _blank(kind: re.Pattern[str], text: str) -> str:
    return kind.sub(lambda match: " " * len(match.group()), text)


def _name_of(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")


def missing(note: Note, words: Iterator[tuple[int, str]], limit: int) -> list[str]:
    """Name the lines with what no passage holds at its place, or says."""
    lines = Lines(note.text)
    chunks = chunk_note(note, count_words, limit, limit + limit // 2)
    passages = [(*lines.offsets(chunk.span), chunk.embedded.casefold()) for chunk in chunks if chunk.text]
    lost: list[str] = []
    for place, word in words:
        around = [said for start, end, said in passages if start <= place < end]
        if not any(word.casefold() in said for said in around):
            lost.append(f"{note.path}, line {lines.line_at(place) + 1}: {word} is {'unsaid' if around else 'in none'}")
    return lost


def fixture_notes() -> list[str]:
    paths = (path for path in FIXTURE.rglob("*") if path.suffix in (".md", ".canvas", ".base"))
    return sorted(unicodedata.normalize("NFC", path.relative_to(FIXTURE).as_posix()) for path in paths)


def read(name: str) -> str:
    spelled = {unicodedata.normalize("NFC", path.relative_to(FIXTURE).as_posix()): path for path in FIXTURE.rglob("*")}
    return spelled[name].read_bytes().decode()


@pytest.mark.parametrize("limit", [40, 300])
def test_every_visible_character_of_the_fixture_is_in_a_passage(limit: int) -> None:
    names = fixture_notes()
    lost: list[str] = []
    for name in names:
        text = read(name)
        words = seen_on_canvas(text) if name.endswith(".canvas") else seen_words(_blank(PROPERTY_BESIDE_OTHERS, text))
        lost.extend(missing(parse_note(name, text), words, limit))
    assert len(names) > 100
    assert lost == []


@pytest.mark.parametrize("limit", [20, 300])
def test_every_kind_of_thing_in_a_note_is_in_a_passage(limit: int) -> None:
    assert missing(parse_note("Все виды.md", ALL_KINDS), seen_words(ALL_KINDS), limit) == []


def test_alternative_words_of_a_picture_in_html_are_said() -> None:
    [chunk] = chunk_note(parse_note("a.md", '<img alt="Схема насоса" src="b.png">'), count_words, 50, 80)
    assert "Схема насоса" in chunk.embedded


@pytest.mark.parametrize("lost", ["Каждый", "кухня", "column"])
def test_walk_finds_what_is_lost(lost: str) -> None:
    text = f"Раз два.\n\n{lost} три."
    whole = parse_note("a.md", text)
    short = parse_note("a.md", text.partition("\n")[0])
    cut = Note(**{name: getattr(whole, name) for name in Note.__slots__} | {"blocks": short.blocks})
    assert missing(cut, seen_words(text), 100) == [f"a.md, line 3: {lost} is in none", "a.md, line 3: три is in none"]
