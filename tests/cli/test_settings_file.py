"""The settings file, written and changed: the line that is meant, and not a letter of the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vaultrag.cli.settings_file import name_answering_model, read_settings_file, settings_text, write_settings_file
from vaultrag.config import Settings, parse_settings
from vaultrag.errors import ConfigError

PATH = Path("config.toml")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[search]\npassages = 5\n",
        "[roles]\n",
        '[roles]\nanswer = "mine"  # быстрая\n',
        '  [roles]  # кто что делает\n  answer="mine"\n  embed = "other"\n\n[search]\npassages = 5',
        '[roles]\nembed = "other"\n[search]\n# answer = "not here"\npassages = 5\n',
        '[models]\nanswer = "of older files"\n',
        '# answer = "above"\n[search]\npassages = 3\n[roles]\n# answer = "commented"\n# more\n',
        settings_text(Path("/Мои заметки")),
    ],
)
@pytest.mark.parametrize("name", ["qwen3-4b", 'C:\\модели\\"x".gguf'])
def test_only_the_answering_model_is_another(text: str, name: str) -> None:
    before, changed = parse_settings(text, PATH), name_answering_model(text, name, PATH)
    after = parse_settings(changed, PATH)
    assert after.roles.answer == name
    assert after == before.model_copy(update={"roles": before.roles.model_copy(update={"answer": name})})
    lines, old = changed.splitlines(), text.splitlines()
    assert len([line for line in old if line.strip() and line not in lines]) <= 1
    assert name_answering_model(changed, name, PATH) == changed


@pytest.mark.parametrize(
    "text", ['roles = { answer = "mine" }\n', 'roles.answer = "mine"\n', '[roles]\nanswer = """\nx"""\n']
)
def test_what_cannot_be_changed_safely_is_left_with_the_line_to_write(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        name_answering_model(text, "qwen3-4b", PATH)
    assert 'answer = "qwen3-4b"' in caught.value.remedy


def test_written_settings_are_the_defaults() -> None:
    settings = parse_settings(settings_text(Path("v")), PATH)
    assert settings.model_copy(update={"vault": Settings().vault}) == Settings()


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ('[roles]\nanswer = "mine"  # быстрая\n', '[roles]\nanswer = "new"  # быстрая\n'),
        ("[roles]\n\tanswer='a#b'#c\n", '[roles]\nanswer = "new"#c\n'),
        ('[roles]\nanswer = "a\\"#b" # c', '[roles]\nanswer = "new" # c'),
        ('[roles]\r\nanswer = "mine"\r\nembed = "x"\r\n', '[roles]\r\nanswer = "new"\r\nembed = "x"\r\n'),
        ('[roles]\r\nembed = "x"\r\n', '[roles]\r\nanswer = "new"\r\nembed = "x"\r\n'),
        ("[search]\r\npassages = 5\r\n", '[search]\r\npassages = 5\r\n\r\n[roles]\r\nanswer = "new"\r\n'),
        ('\ufeff[roles]\nanswer = "mine"\n', '\ufeff[roles]\nanswer = "new"\n'),
        ("\ufeff", '\ufeff[roles]\nanswer = "new"\n'),
    ],
)
def test_comments_and_the_ends_of_lines_stay_the_users(tmp_path: Path, text: str, changed: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    write_settings_file(path, name_answering_model(read_settings_file(path), "new", path))
    assert path.read_bytes() == changed.encode()
    assert parse_settings(changed, path).roles.answer == "new"


@pytest.mark.skipif(os.name != "posix", reason="links and modes are POSIX's")
def test_a_link_to_the_settings_stays_one_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "vaultrag.toml"
    kept.parent.mkdir()
    kept.write_text("", encoding="utf-8")
    kept.chmod(0o600)
    path = tmp_path / "home" / "config.toml"
    path.parent.mkdir()
    path.symlink_to(kept)
    write_settings_file(path, "[roles]\n")
    assert path.readlink() == kept
    assert kept.read_text(encoding="utf-8") == "[roles]\n"
    assert kept.stat().st_mode & 0o777 == 0o600
