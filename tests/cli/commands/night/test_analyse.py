"""`vaultrag analyse`: printed as Markdown or JSON, written where the user says, and what is due."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.product import run
from tests.served import serving
from vaultrag.errors import ConfigError, ReportFailed, UsageError
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.opening import open_database
from vaultrag.store.traces import read_traces

BOILER = "Дом/Бойлер.md"
NOTES = {
    BOILER: "# Бойлер\n\nПроблема: бойлер греет воду вдвое дольше, цифры в [[Счётчик]].\n",
    "Дом/Счётчик.md": "# Счётчик\n\nВ феврале бойлер намотал 214 кВт·ч, это на 43 больше, чем в январе.\n",
    "Servers/Backups.md": "# Backups\n\nThe problem is that nobody has tried to restore [[Disk]].\n",
    "Servers/Disk.md": "# Disk\n\nThe backup disk failed once in August and lost three days of photos.\n",
}


@pytest.fixture
def places(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setattr(ModelPool, "of", ModelPool.of)  # what the product's double puts there goes with this test
    vault, home = tmp_path / "vault", tmp_path / "home"
    for path, text in NOTES.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, encoding="utf-8")
    named = ("--vault", str(vault), "--home", str(home))
    assert run(["index", *named]) == 0
    capsys.readouterr()
    return named


@pytest.mark.parametrize(
    ("note", "heading", "listed"),
    [
        ("бойлер", "# Анализ заметки [[Бойлер]]", "- [[Счётчик]] — "),
        ("Backups", "# Analysis of [[Backups]]", "- [[Disk]] — "),
    ],
)
def test_analysis_is_printed_as_markdown(
    places: tuple[str, ...], capsys: pytest.CaptureFixture[str], note: str, heading: str, listed: str
) -> None:
    assert run(["analyse", note, "--style", "quotes", *places]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{heading}\n")
    assert listed in printed.out
    assert "vaultrag traces show" in printed.err


def test_json_holds_the_quotes_that_back_each_reason_and_the_markdown(
    places: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["analyse", BOILER, "--as", "инженер", "--style", "quotes", "--json", *places]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["path"], made["role"], made["template"], made["language"]) == (BOILER, "инженер", "problem", "ru")
    [note] = made["sections"][0]["notes"]
    cited = {one["number"]: one for one in made["citations"]}
    assert cited[note["citation"]]["quote"] in NOTES[note["path"]]
    assert made["markdown"].startswith("# Анализ заметки [[Бойлер]]")


def test_file_is_written_where_named_and_nowhere_else(
    places: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "анализ.md"
    arguments = ["analyse", "Бойлер", "--style", "quotes", "-o", str(file), *places]
    assert run(arguments) == 0
    assert file.read_text(encoding="utf-8").startswith("# Анализ заметки [[Бойлер]]")
    assert str(file) in capsys.readouterr().out
    assert run(arguments) == ReportFailed.exit_code
    vault = tmp_path / "vault"
    before = sorted(vault.rglob("*"))
    assert run(["analyse", "Бойлер", "-o", str(vault / "анализ.md"), *places]) == ReportFailed.exit_code
    assert "not in the folder that is named for reports" in capsys.readouterr().err
    assert sorted(vault.rglob("*")) == before


def test_due_lists_what_changed_since_it_was_analysed(
    places: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["analyse", "Бойлер", "--style", "quotes", *places]) == 0
    capsys.readouterr()
    assert run(["analyse", "--due", *places]) == 0
    assert capsys.readouterr().out == "No note is due.\n"
    (tmp_path / "vault" / BOILER).write_text("# Бойлер\n\nПроблема решена.\n", encoding="utf-8")
    assert run(["index", *places]) == 0
    capsys.readouterr()
    assert run(["analyse", "--due", *places]) == 0
    assert capsys.readouterr().out.startswith(f"{BOILER}  changed, analysed ")
    assert run(["analyse", "--due", "--json", *places]) == 0
    due = json.loads(capsys.readouterr().out)
    assert [(one["path"], one["why"]) for one in due["notes"]] == [(BOILER, "changed")]


def test_what_makes_no_sense_is_told_before_any_work(
    places: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["analyse", *places]) == UsageError.exit_code
    assert run(["analyse", "Нет такой", *places]) == UsageError.exit_code
    assert run(["analyse", "Бойлер", "--template", "нет", *places]) == UsageError.exit_code
    assert run(["analyse", "Бойлер", "--as", "х" * 500, *places]) == UsageError.exit_code
    broken = tmp_path / "home" / "analyses" / "mine.md"
    broken.parent.mkdir()
    broken.write_text("---\ntitle: x\n---\n", encoding="utf-8")
    capsys.readouterr()
    assert run(["analyse", "Бойлер", "--template", "mine", *places]) == ConfigError.exit_code
    assert "`sections` is missing" in capsys.readouterr().err
    with open_database(tmp_path / "home" / "index.sqlite3") as database:
        assert read_traces(database) == []


def test_analysis_left_for_later_is_kept_and_shown(
    places: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["analyse", "Backups", "--style", "quotes", "--later", "--json", *places]) == 0
    job = json.loads(capsys.readouterr().out)["id"]
    assert run(["jobs", "wait", job, *places]) == 0
    assert f"analyse --kept {job}" in capsys.readouterr().out
    assert run(["analyse", "--kept", *places]) == 0
    listed = capsys.readouterr().out
    assert job in listed
    assert "holds" in listed
    for named in (job, "Backups"):
        assert run(["analyse", named, "--kept", *places]) == 0
        assert capsys.readouterr().out.startswith("# Analysis of [[Backups]]")
    [file] = (tmp_path / "home" / "analysed").iterdir()
    assert file.read_text(encoding="utf-8").startswith("# Analysis of [[Backups]]")
    assert run(["analyse", "Disk", "--kept", *places]) == UsageError.exit_code
    assert run(["analyse", "Disk", "--later", "-o", str(tmp_path / "x.md"), *places]) == UsageError.exit_code


@pytest.mark.parametrize(
    ("note", "heading"), [("бойлер", "# Анализ заметки [[Бойлер]]"), ("mayak", "# Analysis of [[mayak]]")]
)
def test_running_server_does_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], note: str, heading: str
) -> None:
    with serving(tmp_path) as served, closing(served.server.jobs) as jobs:
        jobs.start()
        places = ("--vault", str(served.config.vault), "--home", str(served.config.home))
        assert run(["analyse", note, "--style", "quotes", *places]) == 0
        assert capsys.readouterr().out.startswith(heading)
        assert not (served.config.home / "analysed").exists()
        [job] = served.workspace.database.rows("SELECT state FROM jobs")
        assert job == ("done",)
