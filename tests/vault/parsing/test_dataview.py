"""Tasks, their signs and dates, and Dataview's inline fields."""

from __future__ import annotations

import pytest

from vaultrag.domain import InlineField, Task
from vaultrag.vault.parsing.parse import parse_note


def test_tasks_have_a_status_a_text_a_line_and_dates() -> None:
    text = (
        "# План\n\n- [ ] Купить [[Сервер|MS-01]] 📅 2025-03-01 ⏳ 2025-02-20\n  - [x] Order ✅ 2025-02-30 done\n"
        "- [-] Отменено ❌ 2025-01-02\n> 1. [/] Half [due:: 2025-04-05] [completion:: 2025-04-06]\n- item\n"
    )
    assert parse_note("n.md", text).tasks == (
        Task(" ", "Купить MS-01 📅 2025-03-01 ⏳ 2025-02-20", 3, (("due", "2025-03-01"), ("scheduled", "2025-02-20"))),
        Task("x", "Order ✅ 2025-02-30 done", 4),
        Task("-", "Отменено ❌ 2025-01-02", 5, (("cancelled", "2025-01-02"),)),
        Task(
            "/",
            "Half [due:: 2025-04-05] [completion:: 2025-04-06]",
            6,
            (("due", "2025-04-05"), ("done", "2025-04-06")),
        ),
    )


def test_no_task_in_code_comments_and_plain_items() -> None:
    text = "```\n- [ ] a\n```\n\n%%\n- [ ] b\n%%\n\n- [link](x.md)\n- [ab] c\n\n<!--\n- [ ] d\n-->\n"
    assert parse_note("n.md", text).tasks == ()


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("Автор:: Костя", [("автор", "Костя")]),
        ("**Read Count**:: 12", [("read-count", 12)]),
        ("> done:: true", [("done", True)]),
        ("empty::", [("empty", None)]),
        ("Текст [вес:: 70.5] и (скрыто:: да (нет)) конец", [("вес", 70.5), ("скрыто", "да (нет)")]),
        ("[up:: [[Карта]]]", [("up", "[[Карта]]")]),
        ("- Имя:: Х", [("имя", "Х")]),
        ("- 🎭 Жанр:: драма", [("жанр", "драма")]),
        ("🗂 Тип:: книга", [("тип", "книга")]),
        ("[🍿::50] штук", [("🍿", 50)]),
        ("Рейтинг::5", [("рейтинг", 5)]),
        ("1. Место:: Пермь", [("место", "Пермь")]),
        ("> - Место:: Пермь", [("место", "Пермь")]),
        ("- [ ] Место:: Пермь", []),
        ("- item [key:: yes]", [("key", "yes")]),
        ("- ключ:: раз\n  два", [("ключ", "раз два")]),
        ("- текст\n  ключ:: раз", [("текст-ключ", "раз")]),
        ("## Итог:: да", [("итог", "да")]),
        ("(a) b:: c", []),
        ("см. файл:: c", []),
        ("[a b/c*d:: x\\] y]", [("a-bcd", "x\\] y")]),
        ("Команда:: `ls -l`", [("команда", "`ls -l`")]),
        ("std::vector", [("std", "vector")]),
        ("`code:: no`", []),
        ("    indented:: code", []),
        ("- x\n\n  ```\n  y:: z\n  ```", []),
        ("[open:: never", [("open", "never")]),
        (":: x", []),
    ],
)
def test_inline_fields(line: str, fields: list[tuple[str, object]]) -> None:
    found = parse_note("n.md", f"Начало.\n\n{line}\n").fields
    assert list(found) == [InlineField(key, value, 3) for key, value in fields]  # type: ignore[arg-type]
