"""What a model wrote is shown and never followed: checked by a Markdown parser, over text made to escape."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rendered import live
from vaultrag.text.inert import InertDraft, addresses, inert

KNOWN = "https://wiki.home/x_(y)?a=1"
MAIL = "nino@example.org"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![.](https://h.example/p?q=1)", "! [.] (`https[:]//h.example/p?q=1`)"),
        ("[→][x]\n\n[x]: https://h.example/", "[→][x]\n\n[x] : `https[:]//h.example/`"),
        ("<https://h.example/?q=1>.", "`https[:]//h.example/?q=1`."),
        ("См. www.h.example/?q=1, там.", "См. `www[.]h.example/?q=1`, там."),
        ('<img src="//h.example/p.gif">', '`<img src="[/]/h.example/p.gif">`'),
        ("<iframe src=//h.example", "`<iframe` src=`[/]/h.example`"),
        ("[→](javascript:fetch(location))", "[→] (javascript:fetch(location))"),
        ("[→](data:text/html;base64,PHN2Zz4=)", "[→] (data:text/html;base64,PHN2Zz4=)"),
        ("[→](obsidian://new?vault=a&file=1)", "[→] (`obsidian[:]//new?vault=a&file=1`)"),
        ("https&#58;//h.example", "`https[:]//h.example`"),
        ("Пиши на leak@h.example!", "Пиши на `leak[@]h.example`!"),
        ("![[Секретно/Пароли]]", "! [[Секретно/Пароли]]"),
        ("```dataviewjs\ndv.el()\n```\n", "```\ndv.el()\n```\n"),
        ("`$= dv.io.load()`", "`$ = dv.io.load()`"),
        ("<% tp.system.prompt() %>", "< % tp.system.prompt() %>"),
    ],
)
def test_what_could_be_followed_is_shown_as_written(text: str, shown: str) -> None:
    assert inert(text) == shown
    assert not live(shown)


@pytest.mark.parametrize(
    "text",
    [
        "Картридж поменяли 12 мая [1]. The filter cost 95 GEL [2]!",
        "Если x < 5 и y > 3, то 10:30; путь a/b//c, C:\\temp, 1:2.",
        "- [12:30]: встреча\n- [ ] дело\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "Код: `arr[0](x)` и `List<String>`.",
        "```\nif (a[0](b) < c) { return map<int>(x); }\n```",
        "See [[Note|words]] and *this*, **that**, C++ & Q&A; 5 @ 3.",
    ],
)
def test_honest_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_addresses_of_the_notes_are_shown_whole_as_code() -> None:
    known = addresses(f"Вики: {KNOWN}. Почта <{MAIL}>; [сайт](http://s.local:8123 'x'), www.a.example!")
    assert known == {KNOWN, MAIL, "http://s.local:8123", "www.a.example"}
    said = f"Вики – {KNOWN}, почта {MAIL}, сайт **http://s.local:8123**."
    assert inert(said, known) == f"Вики – `{KNOWN}`, почта `{MAIL}`, сайт **`http://s.local:8123`**."
    assert inert(f"`curl {KNOWN}`", known) == f"`curl {KNOWN}`"


def test_an_address_of_the_notes_with_something_added_is_broken() -> None:
    assert inert(f"{KNOWN}&q=3001", addresses(KNOWN)) == "`https[:]//wiki.home/x_(y)?a=1&q=3001`"
    assert "://" not in inert(f"`{KNOWN}&q=3001`", addresses(KNOWN))


def test_code_of_the_text_cannot_take_the_marks_away() -> None:
    text = f"` see {KNOWN} \\{KNOWN} `` {KNOWN}`"
    assert not live(inert(text, addresses(KNOWN)))


def test_a_part_of_a_text_is_shown_as_it_stands_in_the_whole() -> None:
    whole = f"`код` здесь. Вики – {KNOWN}."
    assert inert(f"Вики – {KNOWN}.", addresses(KNOWN), whole) in inert(whole, addresses(KNOWN))


PIECES = (
    *(
        "`",
        "``",
        "```",
        "\n```\n",
        "~~~",
        "\n~~~ `\n",
        "\n",
        "\n\n",
        " ",
        "\\",
        "!",
        "[a]",
        "[",
        "]",
        "](",
        ")",
        "(",
        ":",
    ),
    *(
        "[a]: ",
        "<",
        ">",
        "<img src=",
        '<a href="`"',
        '"',
        "'",
        "<!--",
        "-->",
        "|",
        "\n|---|\n",
        "> ",
        "- ",
        "1. ",
        "    ",
    ),
    *(
        "\t",
        "\r",
        "$=",
        "%",
        "*",
        "_",
        "~~",
        "#",
        "=",
        "слово",
        KNOWN,
        MAIL,
        "https://e.example/p?q=3001",
        "//e.example/p",
    ),
    *("www.e.example", "leak@e.example", "mailto:leak@e.example", "javascript:alert(1)", "data:text/html,x"),
    *("https&#58;//e.example", "&#104;ttps://e.example", "https\\://e.example"),
)


@settings(max_examples=800)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_nothing_made_to_escape_is_live(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert not live(inert(text, addresses(f"{KNOWN} {MAIL}"))), text


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.integers(1, 7))
def test_a_draft_is_inert_however_it_is_cut(pieces: list[str], size: int) -> None:
    text = "".join(pieces)
    draft = InertDraft()
    said = "".join(draft.add(text[at : at + size]) for at in range(0, len(text), size)) + draft.rest()
    whole = InertDraft()
    assert said == whole.add(text) + whole.rest()
    assert "://" not in said
    assert not [found for found in live(said) if not found.startswith("fence")]


def test_a_draft_holds_back_no_more_than_a_word() -> None:
    draft = InertDraft()
    assert [draft.add(piece) for piece in ("Карт", "ридж ", "пом", "еняли\n", "12")] == [
        "",
        "Картридж ",
        "",
        "поменяли\n",
        "",
    ]
    assert draft.rest() == "12"
