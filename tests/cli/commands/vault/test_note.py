"""The commands that show notes and links, as typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.served import write_notes
from vaultrag.cli.graph_export import graphml, mermaid
from vaultrag.cli.main import main
from vaultrag.config import Config
from vaultrag.store.endpoint import Endpoint
from vaultrag.store.owner import OwnerLock
from vaultrag.wire.notes import Edge, Graph, Node

NOTES = {
    "Дом/Бойлер.md": "---\naliases: [водогрей]\ntags: [дом]\n---\n# Бойлер\n\n"
    "См. [[Кухня#Окно|кухню]] и [[Нет такой]].\n",
    "Кухня.md": "# Кухня\n\n## Окно\n\nОкно мыли. ![[фото.png]] ^window\n\n- [ ] вымыть\n",
    "Одна.md": "Сама по себе: [[Одна]].\n",
    "Work/A.md": "x\n",
    "Home/A.md": "y [[Бойлер]]\n",
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run one command over an indexed vault, in a machine without models."""
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "no models"))
    write_notes(tmp_path / "vault", NOTES)
    (tmp_path / "vault" / "фото.png").write_bytes(b"")

    def typed(*arguments: str) -> int:
        places = ["--vault", str(tmp_path / "vault"), "--home", str(tmp_path / "home")]
        return main([*arguments, *places], _refuse_to_serve)

    assert typed("index") == 0
    return typed


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return found


def test_links_say_where_they_lead(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("links", "бойлер", "--json") == 0
    found = printed(capsys)["links"]
    assert [(link["target"], link["path"], link["anchor"]) for link in found] == [
        ("Кухня", "Кухня.md", "Окно"),
        ("Нет такой", None, ""),
    ]
    assert run("links", "бойлер") == 0
    assert "Нет такой (not there)" in capsys.readouterr().out


def test_backlinks_name_the_note_and_the_line(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("backlinks", "Кухня.md") == 0
    assert "Дом/Бойлер.md, line 7" in capsys.readouterr().out


def test_unresolved_and_orphans(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("unresolved", "--json") == 0
    assert [link["target"] for link in printed(capsys)["links"]] == ["Нет такой"]
    assert run("orphans", "--json") == 0
    assert json.loads(capsys.readouterr().out)["paths"] == ["Work/A.md", "Одна.md"]


def test_ambiguous_note_is_refused_with_candidates(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("links", "a") == 2
    assert "Home/A.md, Work/A.md" in capsys.readouterr().err


def test_absolute_path_into_the_vault_names_a_note(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("links", str(tmp_path / "vault" / "Кухня.md"), "--json") == 0
    assert [link["path"] for link in printed(capsys)["links"]] == ["фото.png"]


def test_readers_need_no_lock(run: Callable[..., int], tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path / "home" / "lock")
    lock.acquire()
    try:
        assert [run(*words) for words in (("links", "Кухня"), ("orphans",), ("graph",), ("note", "Кухня"))] == [0] * 4
    finally:
        lock.release()


def test_graph_counts_links_between_notes_files_and_missing_notes(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("graph") == 0
    found = printed(capsys)
    assert {(node["id"], node["kind"]) for node in found["nodes"]} >= {
        ("Кухня.md", "note"),
        ("фото.png", "file"),
        ("?Нет такой", "missing"),
    }
    assert {"source": "Одна.md", "target": "Одна.md", "kind": "wikilink", "weight": 1} in found["edges"]


def test_graph_of_no_known_format_is_refused(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("graph", "--format", "dot") == 2
    assert "graphml" in capsys.readouterr().err


def test_note_tells_what_is_understood(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("note", "бойлер", "--json") == 0
    note = json.loads(capsys.readouterr().out)
    assert (note["tags"], note["aliases"], note["indexed"]) == (["дом"], ["водогрей"], True)
    assert note["headings"] == [{"level": 1, "text": "Бойлер", "line": 5}]
    link = note["links"][0]
    assert (link["path"], link["line"], link["column"], link["anchor_lines"]) == ("Кухня.md", 7, 5, [3, 7])
    lines = NOTES["Дом/Бойлер.md"].split("\n")
    chunk = note["chunks"][0]
    first, last = chunk["lines"]
    assert chunk["text"] == "\n".join(lines[first - 1 : last])
    (tmp_path / "vault" / "Кухня.md").write_text("# Кухня\n\nновое #тег\n", encoding="utf-8")
    assert run("note", "Кухня", "--json") == 0
    changed = json.loads(capsys.readouterr().out)
    assert (changed["indexed"], changed["tags"]) == (False, ["тег"])


def test_graph_formats_escape_whatever_a_title_holds() -> None:
    title = 'A "quoted" <b>&amp;</b> [x](y) `код` \x01\ud800 #1; ||\n end'
    nodes = [Node(id=title, title=title, kind="note"), Node(id="?", title="", kind="missing")]
    graph = Graph(nodes=nodes, edges=[Edge(source=title, target="?", kind="mention", weight=2)])
    root = ET.fromstring(graphml(graph))
    names = [element.text or "" for element in root.iter("{http://graphml.graphdrawing.org/xmlns}data")]
    assert names[0].startswith('A "quoted" <b>&amp;</b> [x](y)')
    drawn = mermaid(graph).splitlines()
    assert len(drawn) == 4
    label = drawn[1].removeprefix('  n0["').removesuffix('"]')
    assert not set('"<>`[]|') & set(label)
    assert "#34;quoted#34;" in label
    assert drawn[3] == "  n0 -.-> n1"
