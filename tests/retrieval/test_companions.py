"""What a passage embeds, marks or is cut off from comes along with it, behind the first hits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.retrieval.indexed_vault import indexed_vault
from vaultrag.domain import Passage
from vaultrag.retrieval.search import KEPT_HITS
from vaultrag.workspace import Reach, Workspace

STEPS = "".join(f"- затяжка номер {n}: кольцо, прокладка, штуцер, фланец и ещё слово{n}\n" for n in range(120))
NOTES = {
    "Бойлер.md": "# Бойлер\n\nКотёл греет дом. ![[Насос#Обслуживание]] Сервис раз в год[^1].\n\n"
    "## Прочее\n\nСовсем другое.\n\n[^1]: Мастер Игнатий, телефон на холодильнике.\n",
    "Насос.md": "# Насос\n\nКуплен на рынке.\n\n## Обслуживание\n\nСмазывать веретённым маслом.\n\n"
    "## История\n\nСтоял у деда.\n",
    "Heating.md": "# Heating\n\nThe furnace warms rooms. ![[Valve#^torque]] Checked yearly[^who].\n\n"
    "## Other\n\nQuite different.\n\n[^who]: By Ignatius from the village.\n",
    "Valve.md": "# Valve\n\nUsed.\n\n## Numbers\n\nTighten to nine newton metres. ^torque\n\n## Past\n\nRusty.\n",
    "Фланец.md": f"# Сборка\n\n{STEPS}",
    **{f"Котёл {n}.md": f"Котёл номер {n} греет дом. Прочая мелочь{n}.\n" for n in range(KEPT_HITS * 2)},
    **{f"Furnace {n}.md": f"The furnace {n} warms rooms. Other thing{n}.\n" for n in range(KEPT_HITS * 2)},
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with indexed_vault(tmp_path, NOTES) as opened:
        yield opened


def along(found: tuple[Passage, ...], lane: str) -> list[tuple[str, str, str, str]]:
    """Return the paths, texts, and reasons of what came along in this way."""
    return [
        (passage.chunk.path, passage.chunk.text, share.via, share.origin)
        for passage in found
        for share in passage.trace
        if share.lane == lane
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "embedded", "said", "origin"),
    [
        ("котёл греет дом сервис раз в год", "Насос.md", "веретённым", "Бойлер.md"),
        ("furnace warms rooms checked yearly", "Valve.md", "newton", "Heating.md"),
    ],
)
def test_the_embedded_section_and_the_footnote_come_with_their_passage(
    workspace: Workspace, query: str, embedded: str, said: str, origin: str
) -> None:
    found = workspace.search(query, KEPT_HITS + 3, Reach.WORDS).passages
    assert found[0].chunk.path == origin
    ((path, text, _, through),) = along(found, "embed")
    assert (path, through) == (embedded, origin)
    assert said in text
    ((path, text, mark, through),) = along(found, "footnote")
    assert (path, through) == (origin, origin)
    assert f"{mark}:" in text


@pytest.mark.slow
def test_nothing_that_comes_along_displaces_a_first_hit(workspace: Workspace) -> None:
    query = "котёл греет дом сервис раз в год"
    first = workspace.search(query, KEPT_HITS, Reach.WORDS).passages
    more = workspace.search(query, KEPT_HITS + 3, Reach.WORDS).passages
    assert [passage.chunk.id for passage in more[:KEPT_HITS]] == [passage.chunk.id for passage in first]
    assert not any(share.lane in ("link", "embed", "footnote", "part") for p in first for share in p.trace if p.score)


@pytest.mark.slow
def test_the_other_part_of_a_long_list_comes_along(workspace: Workspace) -> None:
    found = workspace.search("слово3", 8, Reach.WORDS).passages
    assert found[0].chunk.path == "Фланец.md"
    parts = [passage for passage in found if any(share.lane == "part" for share in passage.trace)]
    assert parts
    assert all(passage.chunk.path == "Фланец.md" for passage in parts)


@pytest.mark.slow
def test_filters_hold_for_what_comes_along(workspace: Workspace) -> None:
    found = workspace.search("котёл греет дом сервис path:Бойлер", 8, Reach.WORDS).passages
    assert {passage.chunk.path for passage in found} == {"Бойлер.md"}


@pytest.mark.slow
def test_a_link_says_from_which_note_it_leads(tmp_path: Path) -> None:
    with indexed_vault(
        tmp_path, {"Маяк.md": "Сервер в шкафу, см. [[Копии|туда]].\n", "Копии.md": "Каждую ночь restic.\n"}
    ) as opened:
        found = opened.search("шкаф", 8, Reach.WORDS).passages
    assert [(path, origin) for path, _, _, origin in along(found, "link")] == [("Копии.md", "Маяк.md")]


@pytest.mark.slow
def test_two_things_come_along_at_most(tmp_path: Path) -> None:
    shown = {f"{name}.md": f"Мелочь по имени {name}.\n" for name in ("Раз", "Два", "Три")}
    notes = {"Радиатор.md": "Радиатор греет зал. ![[Раз]] ![[Два]] ![[Три]]\n", **shown}
    with indexed_vault(tmp_path, notes) as opened:
        found = opened.search("радиатор греет зал", 8, Reach.WORDS).passages
    assert [path for path, *_ in along(found, "embed")] == ["Два.md", "Раз.md"]


POINTING = {
    "Марина.md": "# Марина\n\nХудожница, любит сирень.\n\n"
    "- Снимает студию под рисование: [[Мансарда]]\n- Сестра [[Лида]]\n",
    "Мансарда.md": "# Мансарда\n\n## Оплата\n\nПлатить Гие, по сто восемьдесят.\n\n## Вход\n\nКод шесть ноль.\n",
    "Лида.md": "Работает на почте.\n",
    "Nadia.md": "# Nadia\n\nA cellist who loves lilac.\n\n"
    "- Rents a workshop for her cellos: [[Kiln]]\n- Her sister: [[Lida]]\n",
    "Kiln.md": "# Kiln\n\n## Money\n\nOne hundred and eighty to Gia.\n\n## Entry\n\nSix zero.\n",
    "Lida.md": "Works at the post office.\n",
    **{f"Сирень {n}.md": f"Студия под сирень и рисование, любит номер{n}.\n" for n in range(KEPT_HITS * 2)},
    **{f"Lilac {n}.md": f"A workshop for lilac, loves number{n}.\n" for n in range(KEPT_HITS * 2)},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "pointed", "origin"),
    [
        ("художница снимает студию под рисование", "Мансарда.md", "Марина.md"),
        ("the cellist rents a workshop for cellos", "Kiln.md", "Nadia.md"),
    ],
)
def test_the_note_that_the_first_hit_sends_to_comes_along(
    tmp_path: Path, query: str, pointed: str, origin: str
) -> None:
    with indexed_vault(tmp_path, POINTING) as opened:
        found = opened.search(query, KEPT_HITS + 3, Reach.WORDS).passages
    assert found[0].chunk.path == origin
    assert {(path, through) for path, _, _, through in along(found, "pointed")} == {(pointed, origin)}
