"""Notes that are written for the user: into the one folder that was named, never over another, never indexed."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from vaultrag.config import CONFIG_NAME, Config, load_config
from vaultrag.errors import ConfigError, ReportFailed
from vaultrag.records.reports import write_report, write_where_named
from vaultrag.vault.files import note_suffixes, scan_vault


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    vault, home = tmp_path / "vault", tmp_path / "home"
    (vault / ".obsidian").mkdir(parents=True)
    (vault / "Бойлер.md").write_text("# Бойлер\n", encoding="utf-8")
    home.mkdir()
    return vault, home


def config_with(places: tuple[Path, Path], folder: str) -> Config:
    vault, home = places
    (home / CONFIG_NAME).write_text(f'[reports]\nfolder = "{folder}"\n', encoding="utf-8")
    return load_config(vault, home)


def test_note_gets_a_name_of_its_own_and_replaces_none(places: tuple[Path, Path]) -> None:
    config = config_with(places, "Отчёты")
    first = write_report(config, "Когда меняли картридж: 12/05 [2024]?", "раз\n")
    second = write_report(config, "Когда меняли картридж: 12/05 [2024]?", "два\n")
    assert first == places[0] / "Отчёты" / "Когда меняли картридж 12 05 2024.md"
    assert second.name == "Когда меняли картридж 12 05 2024 2.md"
    assert (first.read_text(encoding="utf-8"), second.read_text(encoding="utf-8")) == ("раз\n", "два\n")


@pytest.mark.parametrize("title", ["", "  ", "...", "?/\\", "\x1b[2J", "../../etc/passwd", "я" * 500, "CON/.."])
def test_no_title_leaves_the_folder(places: tuple[Path, Path], title: str) -> None:
    config = config_with(places, "Reports")
    path = write_report(config, title, "x\n")
    assert path.parent == places[0] / "Reports"
    assert path.name.isprintable()


DEVICES = ("CON", "nul", "Aux.md", "com1", "LPT¹", "prn.2024", "NUL .x", "conin$")


@pytest.mark.parametrize(
    "title", [*DEVICES, "Что такое aux?", "a" * 300, "🔥" * 300, "й" * 300, "x\u0301" * 300, "в конце ."]
)
def test_name_of_a_note_fits_every_system(places: tuple[Path, Path], title: str) -> None:
    name = write_report(config_with(places, "Reports"), title, "x\n").name
    assert name.endswith(".md")
    assert name.partition(".")[0].strip().lower() not in {"con", "nul", "aux", "com1", "lpt¹", "prn", "conin$"}
    assert not name.removesuffix(".md").endswith((" ", "."))
    assert len(unicodedata.normalize("NFD", name.removesuffix(".md")).encode()) <= 200


def test_name_that_differs_by_case_or_composition_only_is_taken(places: tuple[Path, Path]) -> None:
    """The vault may be synced to a system to which they are the same."""
    config = config_with(places, "Reports")
    for title in ("Какой чай?", "КАКОЙ ЧАЙ", unicodedata.normalize("NFD", "какой чай")):
        write_report(config, title, title)
    assert sorted(path.name for path in (places[0] / "Reports").iterdir()) == [
        "КАКОЙ ЧАЙ 2.md",
        "Какой чай.md",
        "какой чай 3.md",
    ]


@pytest.mark.parametrize(
    ("folder", "fault"),
    [
        (".obsidian", "hidden"),
        (".obsidian/plugins/x", "hidden"),
        (".trash", "hidden"),
        ("Notes/.reports", "hidden"),
        ("../other/.obsidian/x", "hidden"),
        ("CON", "not every system"),
        ("Reports/nul.d", "not every system"),
        ("Reports.", "not every system"),
        ("Reports /x", "not every system"),
        ("a:b", "not every system"),
    ],
)
def test_folder_that_is_no_place_for_notes_is_refused(places: tuple[Path, Path], folder: str, fault: str) -> None:
    config = config_with(places, folder)
    with pytest.raises(ReportFailed, match=fault) as caught:
        write_report(config, "Answer", "x\n")
    assert "[reports]" in caught.value.remedy
    assert "\n" not in caught.value.message
    assert sorted(path.name for path in places[0].iterdir()) == [".obsidian", "Бойлер.md"]
    assert not any((places[0] / ".obsidian").iterdir())


@pytest.mark.parametrize("target", ["../elsewhere", ".obsidian", "../home", "Notes"])
def test_link_in_the_place_of_the_folder_is_refused(places: tuple[Path, Path], target: str) -> None:
    """Also one that was put there after the settings were read."""
    config = config_with(places, "Reports")
    (places[0] / target).mkdir(exist_ok=True)
    kept = list((places[0] / target).iterdir())
    (places[0] / "Reports").symlink_to(places[0] / target, target_is_directory=True)
    with pytest.raises(ReportFailed, match=r"to which a link at .*Reports leads"):
        write_report(config, "Answer", "x\n")
    assert list((places[0] / target).iterdir()) == kept


def test_what_is_written_is_not_indexed(places: tuple[Path, Path]) -> None:
    config = config_with(places, "Reports/by VaultRAG".partition("/")[0])
    write_report(config, "Answer", "Рыбы летают.\n")
    section = config.settings.vault
    assert [note.path for note in scan_vault(config.vault, section.ignore, note_suffixes(section)).notes] == [
        "Бойлер.md"
    ]


def test_folder_outside_of_the_vault_will_do(places: tuple[Path, Path], tmp_path: Path) -> None:
    config = config_with(places, str(tmp_path / "elsewhere"))
    assert write_report(config, "Answer", "x\n").parent == tmp_path / "elsewhere"


def test_folder_within_others_is_made_in_the_vault_and_nowhere_else(places: tuple[Path, Path], tmp_path: Path) -> None:
    """Elsewhere a disk may not be mounted, and what is written then would lie beneath it."""
    assert write_report(config_with(places, "Reports/2026"), "Answer", "x\n").parent == places[0] / "Reports" / "2026"
    with pytest.raises(ReportFailed, match="disk is not there") as caught:
        write_report(config_with(places, str(tmp_path / "disk" / "reports")), "Answer", "x\n")
    assert caught.value.remedy.startswith("Make that folder")
    assert not (tmp_path / "disk").exists()


@pytest.mark.parametrize("folder", [".", "..", "../home"])
def test_vault_and_home_are_no_folder_for_reports(places: tuple[Path, Path], folder: str) -> None:
    with pytest.raises(ConfigError, match="which holds more than reports"):
        config_with(places, folder)


def test_without_a_folder_nothing_is_written(places: tuple[Path, Path]) -> None:
    config = load_config(*places)
    with pytest.raises(ReportFailed) as caught:
        write_report(config, "Answer", "x\n")
    assert "[reports]" in caught.value.remedy


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a folder that cannot be written to")
def test_folder_that_cannot_be_written_to_is_told(places: tuple[Path, Path]) -> None:
    config = config_with(places, "Reports")
    (places[0] / "Reports").mkdir(mode=0o500)
    with pytest.raises(ReportFailed):
        write_report(config, "Answer", "x\n")


def test_file_in_the_place_of_the_folder_is_told(places: tuple[Path, Path]) -> None:
    config = config_with(places, "Reports")
    (places[0] / "Reports").write_text("")
    with pytest.raises(ReportFailed):
        write_report(config, "Answer", "x\n")


def test_named_file_is_written_outside_of_the_vault_and_never_over_another(places: tuple[Path, Path]) -> None:
    config = config_with(places, "")
    file = places[0].parent / "анализ.md"
    assert write_where_named(config, file, "раз\n") == file
    with pytest.raises(ReportFailed, match="is there already"):
        write_where_named(config, file, "два\n")
    assert file.read_text(encoding="utf-8") == "раз\n"


@pytest.mark.parametrize("folder", ["", "Отчёты"])
def test_named_file_lies_in_the_vault_only_in_the_folder_of_reports(places: tuple[Path, Path], folder: str) -> None:
    config = config_with(places, folder)
    for name in ("анализ.md", "Дом/анализ.md", "Бойлер.md", "Отчёты/../анализ.md"):
        with pytest.raises(ReportFailed, match="lies in the vault, and not in the folder"):
            write_where_named(config, places[0] / name, "x\n")
    assert sorted(path.name for path in places[0].iterdir()) == [".obsidian", "Бойлер.md"]


def test_named_file_in_the_folder_of_reports_is_written(places: tuple[Path, Path]) -> None:
    config = config_with(places, "Отчёты")
    path = write_where_named(config, places[0] / "Отчёты" / "анализ.md", "раз\n")
    assert path.read_text(encoding="utf-8") == "раз\n"


def test_link_into_the_vault_does_not_let_a_file_in(places: tuple[Path, Path]) -> None:
    outside = places[0].parent / "снаружи"
    outside.symlink_to(places[0])
    with pytest.raises(ReportFailed, match="lies in the vault"):
        write_where_named(config_with(places, ""), outside / "анализ.md", "x\n")


def test_file_that_cannot_be_written_is_told_and_leaves_nothing(places: tuple[Path, Path]) -> None:
    config = config_with(places, "")
    with pytest.raises(ReportFailed, match="cannot be written"):
        write_where_named(config, places[0].parent / "нет" / "и нет" / "анализ.md", "x\n")
    assert not (places[0].parent / "нет").exists()
