"""Filters over a real index: every lane keeps to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.domain import SearchResult
from vaultrag.errors import UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Reach, Workspace

CHAT = """\
>[!nexus_user] **User** - 28.07.2025 at 12:46
> Как прочистить бойлер?

>[!nexus_agent] **Assistant** - 28.07.2025 at 12:47
> Бойлер прочищают кислотой.
"""
NOTES = {
    "Дом/Бойлер.md": "---\ntags: [Дом/Вода]\nstatus: done\ndate: 2024-05-17\n---\nБойлер чистим раз в год.\n",
    "Дом/Кухня.md": "---\ntags: [дом]\nавтор: '[[Лев Толстой]]'\ndate: 2023-01-02\n---\n"
    "Бойлер на кухне.\n\n- [ ] позвать мастера [срок:: скоро]\n- [ ] кран 📅 2024-06-30\n",
    "Work/Boiler.md": "---\ntags: work\nStatus: [Done, checked]\ndate: 2024-06-01\n---\n"
    "The boiler of the office.\n\n```python\n- [ ] no task, [[no link]]\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "Архив.md": "Бойлер старый. ![[фото.png]] См. [[Бойлер]][^1].\n\n[^1]: сноска\n",
    "Copy.md": "---\ntags: copy\n---\nБойлер чистим раз в год.\n",
    "Chat.md": CHAT,
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("filtered")
    for name, text in NOTES.items():
        path = folder / "vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as opened:
        opened.index(lambda *_: None, DeletionPolicy.GUARD)
        yield opened


def paths(result: SearchResult) -> set[str]:
    return {passage.chunk.path for passage in result.passages}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("tag:дом", {"Дом/Бойлер.md", "Дом/Кухня.md"}),
        ("tag:#ДОМ/вода", {"Дом/Бойлер.md"}),
        ("tag:дом -tag:дом/вода", {"Дом/Кухня.md"}),
        ("task:open due:any", {"Дом/Кухня.md"}),
        ("task:open due:<2024-07", {"Дом/Кухня.md"}),
        ("task:open due:>2024-07", set()),
        ("scheduled:any", set()),
        ("path:/дом/", {"Дом/Бойлер.md", "Дом/Кухня.md"}),
        ("path:/кухня", set()),
        ("tag:work OR path:/Архив", {"Work/Boiler.md", "Архив.md"}),
        ("-tag:work OR tag:дом -path:Chat path:Дом", {"Дом/Бойлер.md", "Дом/Кухня.md"}),
        ("title:бойлера", {"Дом/Бойлер.md", "Chat.md"}),
        ("link:бойлер", {"Архив.md"}),
        ('link:"Лев Толстой"', {"Дом/Кухня.md"}),
        ("says:мастеру", {"Дом/Кухня.md"}),
        ("says:бойлеры path:Дом", {"Дом/Бойлер.md", "Дом/Кухня.md"}),
        ("task:open", {"Дом/Кухня.md"}),
        ("task:done", set()),
        ("task:any", {"Дом/Кухня.md"}),
        ("property:date>=2024-06", {"Work/Boiler.md"}),
        ("property:date=2024", {"Дом/Бойлер.md", "Work/Boiler.md"}),
        ("path:дом/", {"Дом/Бойлер.md", "Дом/Кухня.md"}),
        ("-path:Дом -tag:work -path:Chat", {"Архив.md", "Copy.md"}),
        ("property:status=done", {"Дом/Бойлер.md", "Work/Boiler.md"}),
        ("[status:Checked]", {"Work/Boiler.md"}),
        ('[автор:"лев толстой"]', {"Дом/Кухня.md"}),
        ("property:автор", {"Дом/Кухня.md"}),
        ("[срок:скоро]", {"Дом/Кухня.md"}),
        ("has:task", {"Дом/Кухня.md"}),
        ("has:code", {"Work/Boiler.md"}),
        ("has:table", {"Work/Boiler.md"}),
        ("has:image", {"Архив.md"}),
        ("has:link", {"Архив.md", "Дом/Кухня.md"}),
        ("has:footnote", {"Архив.md"}),
        ("date:2024", {"Дом/Бойлер.md", "Work/Boiler.md"}),
        ("date:2024-05..2024-06-01", {"Дом/Бойлер.md", "Work/Boiler.md"}),
        ("date:<2024", {"Дом/Кухня.md"}),
        ("date:2024-06..2024-12 -speaker:user", {"Work/Boiler.md"}),
        ("speaker:assistant", {"Chat.md"}),
        ("speaker:me tag:copy", {"Copy.md"}),
        ("tag:нет", set()),
    ],
)
@pytest.mark.parametrize("words", ["бойлер чистим раз в год boiler", ""])
def test_only_passages_that_meet_the_filters_are_found(
    workspace: Workspace, filters: str, expected: set[str], words: str
) -> None:
    found = workspace.search(f"{words} {filters}", 20)
    assert paths(found) == expected
    assert found.query == f"{words} {filters}"


@pytest.mark.parametrize("lane", ["keyword", "vector", "name", "link"])
def test_each_lane_alone_keeps_to_the_filters(workspace: Workspace, lane: str) -> None:
    found = workspace.search("бойлер чистим раз в год tag:copy", 20, lanes={lane, "keyword"})
    assert paths(found) == {"Copy.md"}


def test_filters_alone_list_the_latest_notes_first(workspace: Workspace) -> None:
    found = workspace.search("date:2023..2024 -has:code", 20, Reach.WORDS)
    dates = [passage.trace[0].via for passage in found.passages]
    assert dates == sorted(dates, reverse=True)
    assert found.lanes == ("filter",)
    assert paths(found) >= {"Дом/Бойлер.md", "Дом/Кухня.md"}


def test_speaker_tells_the_messages_of_one_chat_apart(workspace: Workspace) -> None:
    texts = [passage.chunk.text for passage in workspace.search("бойлер speaker:user", 5).passages]
    assert len(texts) == 1
    assert "Как прочистить" in texts[0]


def test_bad_filter_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="has:banana"):
        workspace.search("бойлер has:banana", 5)


@pytest.mark.slow
def test_many_passages_can_be_allowed(workspace: Workspace, tmp_path: Path) -> None:
    """The restriction is one parameter, whatever its length: SQLite takes at most 999 on old systems."""
    found = workspace.search("бойлер -tag:нет", 50)
    assert paths(found) == set(NOTES)
