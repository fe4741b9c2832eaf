"""Export and import: what cannot be rebuilt travels whole, and merges without losing or doubling anything."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.served import NOTES, REPLY, write_notes
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings
from vaultrag.domain import Answer, AnswerStatus, Citation, Imported, SettingsFate, Span, Verdict, VerdictState
from vaultrag.errors import ExportUnusable, UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.records.archive import Archive
from vaultrag.records.export import export_records, import_records, preview_import, read_export
from vaultrag.records.forget import is_owed
from vaultrag.store.exclusions import exclude, include, read_exclusions
from vaultrag.store.journal import Entry, as_body, as_lines
from vaultrag.store.opening import open_database
from vaultrag.workspace import Ownership, Workspace

SETTINGS = '[search]\npassages = 5\n\n[models]\nanswer = "x"\n'  # the latter as an earlier version wrote it
BOILER, MAYAK = "Дом/Бойлер.md", "Servers/mayak.md"


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    write_notes(tmp_path / "vault")
    return tmp_path / "vault"


@pytest.fixture
def config(vault: Path, tmp_path: Path) -> Config:
    return _config(vault, tmp_path / "home")


@pytest.fixture
def archive(config: Config) -> Iterator[Archive]:
    with open_database(config.database_path) as database:
        made = Archive(config, database)
        made.save(_answer(BOILER), "дом")
        made.delete_answer(made.save(_answer(MAYAK)))
        made.decide(Verdict("v1", VerdictState.SNOOZED, (BOILER, MAYAK), "позже", "2027-01-10"))
        exclude(made.book, "Личное/")
        yield made


def _config(vault: Path, home: Path) -> Config:
    return Config(vault=vault, home=home, models=home / "models", settings=Settings())


def _answer(path: str) -> Answer:
    citation = Citation(1, path, ("Бойлер",), "", Span(3, 1, 3, 5), "Картр", "verbatim", 1.0)
    return Answer("Когда?", AnswerStatus.ANSWERED, "Картридж [1]", (), (citation,), (), "m", {}, {})


@pytest.fixture
def file(archive: Archive, config: Config, tmp_path: Path) -> Path:
    (config.home / "config.toml").write_text(SETTINGS, encoding="utf-8")
    target = tmp_path / "out.jsonl.gz"
    export_records(config, archive.database, target)
    return target


@pytest.fixture
def other(vault: Path, tmp_path: Path) -> Config:
    return _config(vault, tmp_path / "other")


def _entries(config: Config) -> list[Entry]:
    with open_database(config.database_path) as database:
        return Archive(config, database).book.entries()


def _repacked(file: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change lines of an exported file and make its last one right again, as a forger would."""
    lines = change(gzip.decompress(file.read_bytes()).split(b"\n")[:-2])
    body = b"".join(line + b"\n" for line in lines)
    last = json.dumps({"lines": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}).encode()
    file.write_bytes(gzip.compress(body + last + b"\n"))


def test_everything_arrives_in_an_empty_home(file: Path, archive: Archive, other: Config) -> None:
    report = import_records(other, file)
    assert report == Imported(3, 0, 0, 0, 0, 1, SettingsFate.TAKEN)  # what was deleted there was never here
    assert _entries(other) == archive.book.entries()
    assert (other.home / "config.toml").read_text(encoding="utf-8") == SETTINGS
    with open_database(other.database_path) as database:
        assert Archive(other, database).verdicts() == archive.verdicts()
        assert Archive(other, database).answers() == archive.answers()
        assert read_exclusions(database).covers("Личное/дневник.md")
        assert is_owed(database)


REMOTE = """[roles]
answer = "remote"
judge = "remote:large"

[remote]
url = "http://192.168.1.66:8080"
api_key_env = "HOME"
"""
SERVER = "http://192.168.1.66:8080"
SENDING = ("remote.url", "remote.api_key_env", "roles.answer", "roles.judge")


@pytest.fixture
def sending_file(archive: Archive, config: Config, tmp_path: Path) -> Path:
    """An export whose settings send notes elsewhere."""
    (config.home / "config.toml").write_text(REMOTE, encoding="utf-8")
    target = tmp_path / "sending.jsonl.gz"
    export_records(config, archive.database, target)
    return target


def test_settings_that_send_notes_away_are_named_and_left_out_and_the_rest_goes_on(
    sending_file: Path, archive: Archive, other: Config
) -> None:
    expected = Imported(3, 0, 0, 0, 0, 1, SettingsFate.HELD, SERVER, SENDING)
    assert preview_import(other, sending_file) == expected
    assert import_records(other, sending_file) == expected
    assert not (other.home / "config.toml").exists()
    assert _entries(other) == archive.book.entries()


@pytest.mark.parametrize("agreed", ["http://192.168.1.6:8080", "remote", "*", f"{SERVER}/"])
def test_agreeing_to_another_server_is_no_agreement(sending_file: Path, other: Config, agreed: str) -> None:
    assert import_records(other, sending_file, agreed).settings is SettingsFate.HELD
    assert not (other.home / "config.toml").exists()


def test_settings_come_with_the_server_that_was_agreed_to(sending_file: Path, other: Config) -> None:
    import_records(other, sending_file)
    assert import_records(other, sending_file, SERVER).settings is SettingsFate.TAKEN
    assert (other.home / "config.toml").read_text(encoding="utf-8") == REMOTE


@pytest.mark.parametrize(
    "settings",
    [
        'remote.url = "http://x.example"',
        'remote = {url = "http://x.example"}',
        '[ remote ]\n"u\\u0072l" = "http://x.example"',
        '[models]\nanswer = "remote"\n[remote]\nurl = " http://x.example "',
    ],
)
def test_an_address_is_found_however_it_is_written(
    archive: Archive, config: Config, other: Config, tmp_path: Path, settings: str
) -> None:
    (config.home / "config.toml").write_text(settings, encoding="utf-8")
    export_records(config, archive.database, tmp_path / "out.gz")
    report = import_records(other, tmp_path / "out.gz")
    assert (report.settings, report.sends_to) == (SettingsFate.HELD, "http://x.example")


@pytest.mark.parametrize(("said", "taken"), [("y", True), ("n", False), ("", False)])
def test_who_watches_is_asked(
    sending_file: Path,
    other: Config,
    said: str,
    taken: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = io.StringIO(f"{said}\n")
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", answers)
    code = main(["--vault", str(other.vault), "--home", str(other.home), "import", str(sending_file)], lambda *_: None)
    out = capsys.readouterr().out
    assert code == 0
    assert (other.home / "config.toml").exists() == taken
    assert SERVER in out
    assert all(setting in out for setting in SENDING)
    assert "3 were added" in out
    assert (f"--accept-remote {SERVER}" in out) != taken


def test_a_script_agrees_by_naming_the_server(
    sending_file: Path, other: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--vault", str(other.vault), "--home", str(other.home), "import", str(sending_file), "--json"]
    assert main(command, lambda *_: None) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["settings"], said["sends_to"], tuple(said["sending"])) == ("held", SERVER, SENDING)
    assert main([*command, "--accept-remote", said["sends_to"]], lambda *_: None) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == "taken"


def test_importing_again_changes_nothing(file: Path, other: Config) -> None:
    import_records(other, file)
    before, journal = _entries(other), other.journal_path.read_bytes()
    assert import_records(other, file) == Imported(0, 0, 0, 4, 0, 0, SettingsFate.SAME)
    assert _entries(other) == before
    assert other.journal_path.read_bytes() == journal


def test_imported_records_survive_the_loss_of_the_index(file: Path, archive: Archive, other: Config) -> None:
    import_records(other, file)
    for part in other.home.glob("index.sqlite3*"):
        part.unlink()
    with open_database(other.database_path) as database:
        Archive(other, database).book.catch_up()
        assert Archive(other, database).book.entries() == archive.book.entries()


def test_dry_run_says_the_same_and_changes_nothing(file: Path, other: Config) -> None:
    said = preview_import(other, file)
    assert not other.home.exists()
    assert said == import_records(other, file)
    written = [path for path in other.home.iterdir() if path.is_file()]
    before = [path.read_bytes() for path in written]
    preview_import(other, file)
    assert [path.read_bytes() for path in written] == before


def test_later_state_counts_on_either_side(file: Path, archive: Archive, config: Config, tmp_path: Path) -> None:
    archive.decide(Verdict("v1", VerdictState.RESOLVED, (BOILER,)))
    (kept,) = archive.answers()
    archive.delete_answer(kept.id)
    report = import_records(config, file)
    assert (report.added, report.replaced, report.deleted, report.known) == (0, 0, 0, 4)
    assert archive.verdicts()["v1"].state is VerdictState.RESOLVED
    assert archive.answers() == []
    newer = tmp_path / "newer.gz"
    export_records(config, archive.database, newer)
    fresh = _config(config.vault, tmp_path / "fresh")
    import_records(fresh, file)
    report = import_records(fresh, newer)
    assert (report.added, report.replaced, report.deleted) == (0, 1, 1)
    assert _entries(fresh) == archive.book.entries()


def test_records_about_forgotten_notes_stay_out(file: Path, other: Config) -> None:
    with open_database(other.database_path) as database:
        exclude(Archive(other, database).book, BOILER)
    report = import_records(other, file)
    assert report.refused == 2
    with open_database(other.database_path) as database:
        assert Archive(other, database).answers() == []
        include(Archive(other, database).book, BOILER)
    assert import_records(other, file).added == 2


def test_settings_that_differ_stay(file: Path, other: Config) -> None:
    other.home.mkdir()
    (other.home / "config.toml").write_text("[search]\npassages = 9\n", encoding="utf-8")
    assert import_records(other, file).settings is SettingsFate.KEPT
    assert (other.home / "config.toml").read_text(encoding="utf-8") == "[search]\npassages = 9\n"


@pytest.mark.parametrize("text", ["[nonsense]\nx = 1\n", "no toml"])
def test_settings_of_another_version_stay_out_and_the_rest_comes_in(file: Path, other: Config, text: str) -> None:
    settings = as_lines([Entry("settings", "config.toml", 1, as_body({"text": text}))]).rstrip(b"\n")
    _repacked(file, lambda lines: [*(line for line in lines if b'"settings"' not in line), settings])
    report = import_records(other, file)
    assert (report.added, report.settings) == (3, SettingsFate.UNFIT)
    assert not (other.home / "config.toml").exists()


def test_imported_exclusion_takes_effect_with_the_next_index_run(config: Config, tmp_path: Path) -> None:
    target, here = tmp_path / "out.gz", _config(config.vault, tmp_path / "here")
    with open_database(config.database_path) as database:
        exclude(Archive(config, database).book, BOILER)
        export_records(config, database, target)
    with Workspace.with_models(here, Ownership.OWN, None, ScriptedModel([REPLY])) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        import_records(here, target)  # while another process owns the index
        assert workspace.search("картридж", 3).passages
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        assert not workspace.search("картридж", 3).passages
    needle = NOTES[BOILER].split()[-2].encode()
    assert not [path for path in here.home.rglob("*") if path.is_file() and needle in path.read_bytes()]


def test_every_flipped_bit_and_every_cut_is_refused(file: Path, other: Config) -> None:
    whole = file.read_bytes()
    accepted = []
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        file.write_bytes(flipped)
        try:
            accepted.append(read_export(file))
        except ExportUnusable:
            continue
    file.write_bytes(whole)
    sound = read_export(file)
    assert all(export == sound for export in accepted)  # bits of gzip's own that say nothing
    assert len(accepted) < 20
    for cut in range(0, len(whole), 7):
        file.write_bytes(whole[:cut])
        with pytest.raises(ExportUnusable):
            import_records(other, file)
    assert not other.home.exists()


def test_file_of_a_newer_version_is_refused_as_such(file: Path) -> None:
    _repacked(file, lambda lines: [lines[0].replace(b'"version": 1', b'"version": 2'), *lines[1:]])
    with pytest.raises(ExportUnusable, match="newer"):
        read_export(file)


@pytest.mark.parametrize(
    "entry",
    [
        Entry("answer", "x", 1, as_body({"paths": [], "answer": {}, "chat": "", "saved_at": ""})),
        Entry("verdict", "x", 1, as_body({"state": "maybe", "paths": [], "note": "", "until": ""})),
        Entry("verdict", "x", 1, as_body({"state": "resolved", "paths": "ab", "note": "", "until": ""})),
        Entry("verdict", "x", 1, as_body({"state": "resolved", "paths": [], "note": 1, "until": ""})),
        Entry("exclusion", "x", 1, as_body({"salt": 5})),
        Entry("whatever", "x", 1, as_body({})),
        Entry("whatever", "x", 1, None),
        Entry("settings", "config.toml", 1, as_body({"text": 1})),
        Entry("settings", "config.toml", 1, None),
    ],
)
def test_forged_record_is_refused(file: Path, other: Config, entry: Entry) -> None:
    _repacked(file, lambda lines: [*lines, as_lines([entry]).rstrip(b"\n")])
    with pytest.raises(ExportUnusable):
        import_records(other, file)
    assert not other.home.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip", gzip.compress(b""), gzip.compress(b"[1]\n{}\n"), b"\x1f\x8b"],
    ids=["empty", "no gzip", "nothing packed", "other lines packed", "cut off"],
)
def test_what_is_no_exported_file_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "some.gz").write_bytes(content)
    with pytest.raises(ExportUnusable):
        read_export(tmp_path / "some.gz")
    with pytest.raises(ExportUnusable):
        read_export(tmp_path / "missing.gz")
    with pytest.raises(ExportUnusable):
        read_export(tmp_path)


def test_export_is_private_replaces_nothing_and_stays_out_of_the_vault(
    file: Path, archive: Archive, config: Config, tmp_path: Path
) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    for target in (file, config.vault / "out.gz", config.vault / "Дом" / "out.gz", tmp_path / "no folder" / "out.gz"):
        with pytest.raises(UsageError):
            export_records(config, archive.database, target)
    assert file.read_bytes() == before
    assert sorted(path.name for path in config.vault.iterdir()) == [".obsidian", "Servers", "Дом", "Люди"]


def test_export_and_import_from_the_command_line(
    archive: Archive, config: Config, other: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "out.gz")
    assert _run("export", file, config) == 0
    assert "1 answer, 1 verdict, 1 exclusion" in capsys.readouterr().out
    assert _run("export", file, config) == UsageError.exit_code
    assert _run("import", file, other, "--dry-run") == 0
    assert "Records: 3 would be added; 0 known already." in capsys.readouterr().out
    assert _run("import", file, other, "--json") == 0
    assert json.loads(capsys.readouterr().out)["added"] == 3
    Path(file).write_bytes(b"x")
    assert _run("import", file, other) == ExportUnusable.exit_code


def _run(command: str, file: str, config: Config, *options: str) -> int:
    places = ("--vault", str(config.vault), "--home", str(config.home))
    return main([command, file, *options, *places], lambda *_: None)
