"""What the user keeps: answers and chats that are saved, follow their notes, and say what became of their sources."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.served import NOTES, REPLY, Served, serving, write_notes
from vaultrag import errors
from vaultrag.cli.main import main
from vaultrag.config import AnsweringSection, Config, Settings
from vaultrag.domain import Answer, AnswerReady, Keep, Verdict, VerdictState
from vaultrag.errors import IndexDamaged, UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.records import Kind
from vaultrag.workspace import Ownership, Workspace

QUESTION = "Когда поменяли картридж в бойлере?"
BOILER = "Дом/Бойлер.md"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    write_notes(tmp_path / "vault")
    return Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=Settings())


@pytest.fixture
def workspace(config: Config) -> Iterator[Workspace]:
    with _opened(config) as opened:
        _index(opened)
        yield opened


def _opened(config: Config, access: Ownership = Ownership.OWN) -> Workspace:
    return Workspace.with_models(config, access, None, ScriptedModel([REPLY]))  # no embedder, no Chroma to start


def _index(workspace: Workspace) -> None:
    workspace.index(lambda *_: None, DeletionPolicy.GUARD)


def _ask(workspace: Workspace, keep: Keep) -> Answer:
    *_, last = workspace.ask(QUESTION, keep)
    assert isinstance(last, AnswerReady)
    return last.answer


def _states(workspace: Workspace, key: str) -> list[tuple[str, tuple[int, int] | None]]:
    return [(source.state, source.lines) for source in workspace.archive.show(key).sources]


def test_answer_is_saved_only_when_asked_for(workspace: Workspace) -> None:
    assert _ask(workspace, Keep()).saved == ""
    assert workspace.archive.answers() == []
    answer = _ask(workspace, Keep(saved=True))
    (saved,) = workspace.archive.answers()
    assert saved.id == answer.saved
    assert saved.answer.text == answer.text
    assert saved.answer.question == QUESTION
    assert saved.answer.passages == ()
    assert BOILER in saved.paths


def test_setting_saves_every_answer(config: Config) -> None:
    settings = Settings(answering=AnsweringSection(save=True))
    with _opened(config.model_copy(update={"settings": settings})) as workspace:
        _index(workspace)
        assert _ask(workspace, Keep()).saved


def test_reader_saves_while_another_process_owns_the_index(workspace: Workspace, config: Config) -> None:
    with _opened(config, Ownership.READ) as reader:
        saved = _ask(reader, Keep(saved=True)).saved
    assert workspace.archive.answer(saved).answer.question == QUESTION


def test_answer_that_cannot_be_saved_is_given_all_the_same(workspace: Workspace, config: Config) -> None:
    config.journal_path.mkdir()
    answer = _ask(workspace, Keep(saved=True))
    assert answer.text
    assert not answer.saved
    assert "could not be saved" in answer.warnings[-1]


def test_saved_answers_survive_the_loss_of_the_index(config: Config) -> None:
    with _opened(config) as workspace:
        _index(workspace)
        saved = _ask(workspace, Keep(chat="дом")).saved
    for file in config.home.glob("index.sqlite3*"):
        file.unlink()
    with _opened(config) as workspace:
        assert workspace.archive.answer(saved).chat == "дом"
        _index(workspace)
        assert [state for state, _ in _states(workspace, saved)] == ["stands"]


def test_answer_from_a_note_that_was_forgotten_meanwhile_is_given_and_not_kept(workspace: Workspace) -> None:
    events = workspace.ask(QUESTION, Keep(saved=True))
    next(events)
    workspace.forgetting.forget(BOILER, lambda *_: None)
    *_, last = events
    assert isinstance(last, AnswerReady)
    assert last.answer.text
    assert not last.answer.saved
    assert "forgotten" in last.answer.warnings[-1]
    assert workspace.archive.answers() == []


def test_answer_that_cannot_be_understood_is_named_and_can_be_deleted(workspace: Workspace) -> None:
    workspace.archive.book.put(Kind.ANSWER, "abc", {"paths": [], "from": "another version"})
    with pytest.raises(IndexDamaged, match="abc"):
        workspace.archive.answers()
    assert workspace.archive.delete_answer("ab") == "abc"
    assert workspace.archive.answers() == []


def test_deleted_answers_stand_in_no_file_of_the_home(workspace: Workspace, config: Config) -> None:
    answer = _ask(workspace, Keep(saved=True))
    _ask(workspace, Keep(chat="дом"))
    _ask(workspace, Keep(chat="zqwombat"))
    assert _files_with(config, QUESTION) >= {"journal.jsonl"}
    workspace.archive.delete_answer(answer.saved)
    workspace.archive.delete_chat("дом")
    assert len(workspace.archive.chats()) == 1
    workspace.archive.delete_chat("zqwombat")
    assert _files_with(config, QUESTION) == set()
    assert _files_with(config, "zqwombat") == set()
    found = workspace.upkeep.check_deep(lambda *_: None)
    assert {finding.severity for finding in found} == {"info"}  # nothing is embedded


def _files_with(config: Config, text: str) -> set[str]:
    return {path.name for path in config.home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()}


def test_turns_of_a_chat_are_kept_in_order_and_apart(workspace: Workspace) -> None:
    first, second = _ask(workspace, Keep(chat="дом")), _ask(workspace, Keep(chat=" дом "))
    _ask(workspace, Keep(chat="work"))
    _ask(workspace, Keep(saved=True))
    archive = workspace.archive
    assert [turn.id for turn in archive.chat("дом")] == [first.saved, second.saved]
    assert [(chat.name, chat.turns) for chat in archive.chats()] == [("дом", 2), ("work", 1)]
    assert archive.delete_chat("дом") == 2
    assert len(archive.answers()) == 2
    with pytest.raises(UsageError):
        archive.chat("дом")
    with pytest.raises(UsageError):
        archive.chat("")


def test_saved_answer_follows_a_moved_and_a_renamed_note(workspace: Workspace, config: Config) -> None:
    saved = _ask(workspace, Keep(saved=True)).saved
    (config.vault / "Архив").mkdir()
    shutil.move(config.vault / BOILER, config.vault / "Архив" / "Бойлер.md")
    _index(workspace)
    shutil.move(config.vault / "Архив" / "Бойлер.md", config.vault / "Архив" / "Boiler.md")
    _index(workspace)
    shown = workspace.archive.show(saved)
    assert {citation.path for citation in shown.saved.answer.citations} == {"Архив/Boiler.md"}
    assert BOILER not in shown.saved.paths
    assert [source.state for source in shown.sources] == ["stands"]


def test_move_before_a_kill_is_followed_afterwards(workspace: Workspace, config: Config) -> None:
    saved = _ask(workspace, Keep(saved=True)).saved
    workspace.database.run("UPDATE notes SET path = 'Новый.md' WHERE path = ?", (BOILER,))
    workspace.close()
    with _opened(config) as again:
        assert {citation.path for citation in again.archive.answer(saved).answer.citations} == {"Новый.md"}


def test_answer_about_a_new_note_is_not_led_astray_by_an_old_move(workspace: Workspace) -> None:
    workspace.database.run("UPDATE notes SET path = 'Новый.md' WHERE path = ?", (BOILER,))
    saved = _ask(workspace, Keep(saved=True)).saved  # cites what stands at the new path
    workspace.database.run("UPDATE notes SET path = ? WHERE path = 'Servers/mayak.md'", (BOILER,))
    workspace.archive.follow_moves()
    assert {citation.path for citation in workspace.archive.answer(saved).answer.citations} == {"Новый.md"}


def test_saved_answer_says_what_became_of_its_sources(workspace: Workspace, config: Config) -> None:
    saved = _ask(workspace, Keep(saved=True)).saved
    note = config.vault / BOILER
    assert _states(workspace, saved) == [("stands", (3, 3))]
    note.write_text("Новая строка.\n\n" + NOTES[BOILER], encoding="utf-8")
    assert _states(workspace, saved) == [("moved", (5, 5))]
    note.write_text("Теперь о другом.\n", encoding="utf-8")
    assert _states(workspace, saved) == [("changed", None)]
    note.unlink()
    assert _states(workspace, saved) == [("unreadable", None)]
    _index(workspace)
    assert _states(workspace, saved) == [("gone", None)]


def test_source_that_is_not_indexed_yet_is_read_all_the_same(workspace: Workspace, config: Config) -> None:
    saved = _ask(workspace, Keep(saved=True)).saved
    elsewhere = config.model_copy(update={"home": config.home.with_name("elsewhere")})
    with _opened(elsewhere) as empty:
        empty.archive.book.merge(workspace.archive.book.entries())
        assert [state for state, _ in _states(empty, saved)] == ["stands"]
        (config.vault / BOILER).unlink()
        assert [state for state, _ in _states(empty, saved)] == ["gone"]


def test_verdict_is_kept_by_its_key_and_follows_its_notes(workspace: Workspace, config: Config) -> None:
    verdict = Verdict("k1", VerdictState.SNOOZED, ("Servers/mayak.md", BOILER), "после отпуска", "2027-01-10")
    workspace.archive.decide(verdict)
    workspace.archive.decide(Verdict("k2", VerdictState.DISMISSED, (BOILER,)))
    assert workspace.archive.verdicts()["k1"] == verdict
    shutil.move(config.vault / BOILER, config.vault / "Бойлер.md")
    _index(workspace)
    assert workspace.archive.verdicts()["k1"].paths == ("Servers/mayak.md", "Бойлер.md")
    workspace.archive.decide(Verdict("k1", VerdictState.RESOLVED, ("Бойлер.md",)))
    assert workspace.archive.verdicts()["k1"].state is VerdictState.RESOLVED
    assert workspace.archive.reopen("k2")
    assert not workspace.archive.reopen("k2")
    assert list(workspace.archive.verdicts()) == ["k1"]


@pytest.mark.slow
def test_answers_and_chats_over_http(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.http() as http:
        *_, (name, answer) = served.events("/ask", {"question": QUESTION, "chat": "дом"})
        assert name == "answer"
        assert http.get("/answers").json()["answers"][0]["id"] == answer["saved"]
        shown = http.post("/answers/show", json={"id": str(answer["saved"])[:3]}).json()
        assert {source["state"] for source in shown["sources"]} == {"stands"}  # the quotes beside the draft, too
        assert http.get("/chats").json()["chats"][0]["name"] == "дом"
        assert len(http.post("/chats/show", json={"name": "дом"}).json()["answers"]) == 1
        assert http.post("/chats/delete", json={"name": "дом"}).json() == {"deleted": 1}
        assert http.post("/answers/delete", json={"id": answer["saved"]}).status_code == 400
        assert http.get("/answers").json() == {"answers": []}


@pytest.mark.slow
def test_answers_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path) as served:
        run = _command(served)
        assert run("ask", QUESTION, "--save", "--json") == 0
        saved = json.loads(capsys.readouterr().out)["saved"]
        assert run("ask", QUESTION, "--chat", "дом") == 0
        assert "Saved: vaultrag answers show" in capsys.readouterr().err
        assert run("answers", "list") == 0
        listed = capsys.readouterr().out
        assert listed.count(QUESTION) == 2
        assert "(дом)" in listed
        assert run("answers", "show", saved) == 0
        assert "95 лари" not in (shown := capsys.readouterr().out)
        assert "12 мая 2024" in shown
        (served.config.vault / BOILER).write_text("Пусто.\n", encoding="utf-8")
        assert run("answers", "show", saved) == 0
        assert "do not stand" in capsys.readouterr().out
        assert run("chats", "list", "--json") == 0
        assert json.loads(capsys.readouterr().out)["chats"][0]["turns"] == 1
        assert run("chats", "show", "дом") == 0
        assert "12 мая 2024" in capsys.readouterr().out
        assert run("chats", "delete", "дом") == 0
        assert run("answers", "delete", saved) == 0
        capsys.readouterr()
        assert run("answers", "list") == 0
        assert QUESTION not in capsys.readouterr().out
        assert run("answers", "show", saved) == errors.UsageError.exit_code
        assert run("chats", "show", "дом") == errors.UsageError.exit_code


def _command(served: Served) -> Callable[..., int]:
    places = ("--vault", str(served.config.vault), "--home", str(served.config.home))

    def refuse(*_: object) -> None:
        raise AssertionError("no server is started here")

    return lambda *arguments: main([*arguments, *places], refuse)
