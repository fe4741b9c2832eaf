"""The same words in several places are one passage with all its places."""

from __future__ import annotations

import pytest

from tests.retrieval.passages import passage
from vaultrag.retrieval.copies import collapse_copies, covering

RU = "Замена фильтра: перекрыть кран под мойкой, открутить колбу, промыть сетку и поставить картридж на 5 микрон."
EN = "Changing the filter: close the valve below the sink, unscrew the bowl, rinse the mesh, insert the 5 micron one."


@pytest.mark.parametrize("text", [RU, EN])
@pytest.mark.parametrize("write", ["{}", "**{}**", "> {}", "- {}", "## {}", "  {}\n", "{}\nСм. выше."], ids=repr)
def test_the_same_words_in_other_markup_are_a_copy(text: str, write: str) -> None:
    first, copy = passage("Кухня.md", text=text), passage("Архив/Кухня.md", text=write.format(text))
    (kept,) = collapse_copies([first, copy])
    assert kept.chunk == first.chunk
    assert [place.chunk.path for place in kept.also] == ["Архив/Кухня.md"]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (RU, RU.replace("5 микрон", "10 микрон")),
        (RU, RU.replace("промыть", "не промыть")),
        (EN, EN.replace("close", "never close")),
        (EN, EN.replace("5 micron", "-5 micron")),
        (EN, f"~~{EN}~~"),
        (f"- [ ] {EN}", f"- [x] {EN}"),
        (RU, f"{RU} {EN}"),  # another half of it says more
    ],
)
def test_a_word_a_sign_or_a_state_that_differs_parts_them(text: str, other: str) -> None:
    assert len(collapse_copies([passage("a.md", text=text), passage("b.md", text=other)])) == 2


def test_short_notes_of_two_days_are_two_events() -> None:
    days = [passage(f"2024-05-0{day}.md", text="Бегал 5 км в парке.") for day in (1, 3)]
    assert collapse_copies(days) == days


def test_what_an_assistant_said_is_no_copy_of_ones_own_words() -> None:
    said = [passage("Чат.md", text=RU, speaker="assistant"), passage("Кухня.md", text=RU)]
    assert collapse_copies(said) == said


def test_equal_properties_of_two_notes_are_not_collapsed() -> None:
    text = "\n".join(f"key{n}: value{n}" for n in range(12))
    both = [passage(path, text=text, features=("property",)) for path in ("a.md", "b.md")]
    assert collapse_copies(both) == both


def test_every_place_is_kept_in_order() -> None:
    other = passage("Другое.md", text=EN)
    first, *copies = [passage(f"{name}.md", text=RU) for name in "вба"]
    kept = collapse_copies([first, copies[0], other, copies[1]])
    assert [one.chunk.path for one in kept] == ["в.md", "Другое.md"]
    assert [place.chunk.path for place in kept[0].also] == ["б.md", "а.md"]


def test_copies_do_not_use_up_the_first_places() -> None:
    ranked = [*(passage(f"{name}.md", text=RU) for name in "абв"), passage("г.md", text=EN), passage("д.md", text="Ю")]
    assert covering(ranked, 2) == 4
    assert covering(ranked, 9) == 5
