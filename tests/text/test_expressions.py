"""Expressions mean what they mean in JavaScript, as Obsidian runs them, and none costs more than its time."""

from __future__ import annotations

import pytest

from vaultrag.text.expressions import LONGEST, Expression, NotUsable, translated


@pytest.mark.parametrize(
    ("expression", "text", "is_found"),
    [
        (r"^daily/[^/]+$", "Daily/2024.md", True),
        (r"^daily\/[^/]+$", "daily/sub/x.md", False),
        ("^дневник/", "Дневник/a.md", True),
        (r"^(?!Проекты)", "Проекты/a.md", False),
        (r"^(?!Проекты)", "Дом/a.md", True),
        (r"(?<year>\d{4})-\k<year>", "2024-2024.md", True),
        (r"(?<год>\d{4})-\k<год>", "2024-2023.md", False),
        (r"(?<=черновики/).*\.md", "черновики/a.md", True),
        (r"\d", "٣", False),  # digits are ASCII's
        (r"\w", "я", False),  # and so are letters
        (r"\bплан", "план", False),
        (r"\Bплан", "план", True),
        (r"a\sb", "a\ufeffb", True),
        (r"a.b", "a\u2028b", False),
        (r"a[^]b", "a\nb", True),
        (r"a[]b", "ab", False),
        (r"x$", "x\n", False),
        (r"a{,2}", "a{,2}", True),
        (r"a{,2}", "aa", False),
        (r"foo{e}", "fo", False),  # no fuzzy matching
        (r"[[a]", "[", True),
        (r"[a&&b]", "&", True),
        (r"[\w-.]", "-", True),
        (r"[\D]", "я", True),
        (r"[^\S]", " ", True),
        (r"\u0431\x61\/", "б\u0061/", True),
        (r"\ud83c\udf7f", "🍿", True),
        (r"\0", "\0", True),
        (r"\cA", "\x01", True),
        (r"\101", "A", True),
        (r"\e\Z\p{L}", "eZp{L}", True),
        (r"(a)|\1b", "b", True),  # what has matched nothing is found everywhere
        (r"(a\1)", "a", True),
        ("]}", "]}", True),
        ("ß", "ss", False),
    ],
)
def test_an_expression_finds_what_it_finds_in_the_app(expression: str, text: str, is_found: bool) -> None:
    assert Expression(expression).is_in(text, 1.0) is is_found


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("a{99999999999999999999}", "4096"),
        ("(" * 300 + "а" + ")" * 300, "brackets are in each other"),
        ("(" * 3000 + "a" + ")" * 3000, f"{LONGEST} characters"),
        ("[" * 900, "square bracket"),
        ("((((a{1000}){1000}){1000}){1000}){1000}b", "repeats"),
        ("(a|" * 25 + "a" + ")+" * 25, "repeats"),
        ("(a", "closed"),
        ("a)", "open"),
        ("a++", "repetition"),
        ("*a", "repetition"),
        ("(?>a)", "repetition"),
        ("(?R)", "repetition"),
        ("(?<=a)*", "repetition"),
        ("a{2,1}", "ends before"),
        ("[b-a]", "ends before"),
        ("a\\", "backslash"),
        (r"(?<a>x)(?<a>y)", "one name"),
        (r"(?<a>x)\k<b>", "not there"),
    ],
)
def test_what_is_none_or_would_swell_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(NotUsable, match=reason):
        Expression(expression)


@pytest.mark.parametrize(
    ("expression", "text"),
    [("^(a|a)+$", "a" * 40 + "!.md"), ("^(а|аа)+$", "а" * 4000 + "!"), ("b(a|b)+a+", "b" * 4000)],
)
def test_one_that_takes_for_ever_is_ended(expression: str, text: str) -> None:
    with pytest.raises(TimeoutError):
        Expression(expression).is_in(text, 0.05)


def test_a_long_expression_of_the_usual_kind_is_used() -> None:
    folders = "|".join(f"Папка {number}" for number in range(70))
    assert Expression(f"^({folders})/").is_in("папка 69/a.md", 1.0)
    assert len(translated("." * LONGEST)) >= LONGEST
