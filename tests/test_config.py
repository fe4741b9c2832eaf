from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from vaultrag.config import Settings, default_home, enclosing_vault, load_config, read_settings, require_vault, shipped
from vaultrag.errors import ConfigError, VaultError


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Homes land in the test's folder, and no vault is found above it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def write_settings(home: Path, text: str) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    path = home / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(home: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        read_settings(write_settings(home, text))
    return error.value.message


def test_missing_file_means_the_defaults(home: Path) -> None:
    assert read_settings(home / "config.toml") == Settings()


def test_default_toml_says_what_the_code_does() -> None:
    assert read_settings(shipped("default.toml")) == Settings()


def test_default_toml_names_every_setting_with_a_comment() -> None:
    text = shipped("default.toml").read_text(encoding="utf-8")
    shown = {f"{section}.{key}" for section, values in tomllib.loads(text).items() for key in values}
    known = {f"{name}.{key}" for name, section in Settings() for key in type(section).model_fields}

    assert shown == known
    assert not re.findall(r"(?m)^(?!#).*\n(\w+ =.*)$", text.replace("\n\n", "\n#\n")), "a setting without a comment"


def test_settings_of_the_file_replace_the_defaults_and_only_those(home: Path) -> None:
    settings = read_settings(write_settings(home, "[search]\npassages = 3\n"))

    assert settings.search.passages == 3
    assert settings.search.candidates == Settings().search.candidates
    assert settings.answering == Settings().answering


def test_whole_number_does_for_a_fraction(home: Path) -> None:
    assert read_settings(write_settings(home, "[answering]\nfirst_token_seconds = 30\n")).answering.first_token_seconds


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("[search]\npasages = 3\n", "search.passages"),
        ("[serch]\npassages = 3\n", "search"),
        ("[answering]\nmax_token = 3\n", "answering.max_tokens"),
        ("[runtime]\ngpu_layer = 3\n", "runtime.gpu_layers"),
    ],
)
def test_unknown_setting_is_refused_and_the_nearest_named(home: Path, text: str, nearest: str) -> None:
    message = faults_of(home, text)

    assert "unknown setting" in message
    assert f"did you mean `{nearest}`?" in message


def test_all_faults_are_named_at_once(home: Path) -> None:
    message = faults_of(
        home, '[search]\npassages = "восемь"\ncandidates = 1\n[server]\nport = 99999\nidle = 3\n[vault]\npath = 5\n'
    )

    for place in ("search.passages", "search.candidates", "server.port", "server.idle", "vault.path"):
        assert f"`{place}`" in message


def test_models_of_an_older_settings_file_are_still_understood(home: Path) -> None:
    settings = read_settings(write_settings(home, '[models]\nanswer = "qwen3-8b"\nembed = "bge-m3"\n'))

    assert (settings.roles.answer, settings.roles.embed) == ("qwen3-8b", "bge-m3")


def test_a_model_named_in_both_places_is_refused(home: Path) -> None:
    message = faults_of(home, '[models]\nanswer = "qwen3-8b"\n[roles]\nanswer = "qwen3-4b"\n')

    assert "`models.answer`" in message
    assert "`roles.answer`" in message


def test_switch_is_not_a_number(home: Path) -> None:
    assert "`server.autostart`" in faults_of(home, "[server]\nautostart = 1\n")


@pytest.mark.parametrize("text", ["[search\n", "passages = \n", "[search]\npassages = 1\npassages = 2\n"])
def test_file_that_is_no_toml_is_named_with_the_line(home: Path, text: str) -> None:
    message = faults_of(home, text)

    assert str(home / "config.toml") in message
    assert "line" in message


def test_file_in_another_encoding_is_named(home: Path) -> None:
    path = write_settings(home, "")
    path.write_bytes('[vault]\npath = "заметки"\n'.encode("cp1251"))
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        read_settings(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is unreadable for this user")
def test_file_without_the_right_to_read_is_named(home: Path) -> None:
    path = write_settings(home, "")
    path.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_settings(path)


def test_vault_is_taken_from_argument_environment_file_and_place_in_this_order(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argument, variable, configured, around = (tmp_path / name for name in ("аргумент", "variable", "file", "around"))
    (around / ".obsidian").mkdir(parents=True)
    (around / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(around / "deep" / "er")
    found = [load_config(home=home).vault]
    write_settings(home, f'[vault]\npath = "{configured.as_posix()}"\n')
    found.append(load_config(home=home).vault)
    monkeypatch.setenv("VAULTRAG_VAULT", str(variable))
    found.append(load_config(home=home).vault)
    found.append(load_config(vault=argument, home=home).vault)

    assert found == [around, configured, variable, argument]


def test_home_is_taken_from_argument_then_environment_then_the_vault(
    tmp_path: Path, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [load_config(vault=vault).home]
    monkeypatch.setenv("VAULTRAG_HOME", str(tmp_path / "variable"))
    found.append(load_config(vault=vault).home)
    found.append(load_config(vault=vault, home=tmp_path / "argument").home)

    assert found == [default_home(vault), tmp_path / "variable", tmp_path / "argument"]


def test_settings_are_read_from_the_home_that_the_vault_leads_to(vault: Path) -> None:
    write_settings(default_home(vault), "[search]\npassages = 5\n")

    assert load_config(vault=vault).settings.search.passages == 5


def test_empty_variable_is_no_variable(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULTRAG_HOME", "  ")

    assert load_config(vault=vault).home == default_home(vault)


def test_two_vaults_of_one_name_have_two_homes(tmp_path: Path) -> None:
    first, second = default_home(tmp_path / "a" / "Заметки"), default_home(tmp_path / "b" / "Заметки")

    assert first != second
    assert first.name.startswith("Заметки-")


def test_no_vault_at_all_is_an_error_with_a_remedy(home: Path) -> None:
    with pytest.raises(VaultError) as error:
        load_config(home=home)

    assert "--vault" in error.value.remedy


def test_vault_is_found_from_inside(vault: Path) -> None:
    inside = vault / "Проекты" / "Пчела"
    inside.mkdir(parents=True)

    assert enclosing_vault(inside) == vault
    assert enclosing_vault(vault) == vault
    assert enclosing_vault(vault.parent) is None


@pytest.mark.parametrize("place", [".", ".vaultrag", "Заметки/глубоко"])
def test_home_inside_the_vault_is_refused(vault: Path, place: str) -> None:
    with pytest.raises(ConfigError, match="inside the vault"):
        load_config(vault=vault, home=vault / place)


def test_home_that_a_link_leads_into_the_vault_is_refused(tmp_path: Path, vault: Path) -> None:
    link = tmp_path / "outside"
    link.symlink_to(vault, target_is_directory=True)
    with pytest.raises(ConfigError, match="inside the vault"):
        load_config(vault=vault, home=link / "home")


def test_vault_inside_the_home_is_fine(tmp_path: Path, vault: Path) -> None:
    assert load_config(vault=vault, home=tmp_path).home == tmp_path


def test_relative_and_tilde_paths_are_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    config = load_config(vault=Path("~/мои заметки"), home=Path("home"))

    assert (config.vault, config.home) == (tmp_path / "мои заметки", tmp_path / "home")


def test_models_lie_where_the_variable_says_or_beside_all_homes(
    vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAULTRAG_MODELS", raising=False)
    beside = load_config(vault=vault).models
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))

    assert beside == tmp_path / "data" / "vaultrag" / "models"
    assert load_config(vault=vault).models == tmp_path / "models"


def test_vault_that_is_gone_is_named_and_the_index_kept(vault: Path, home: Path) -> None:
    require_vault(load_config(vault=vault, home=home))
    with pytest.raises(VaultError) as error:
        require_vault(load_config(vault=vault / "gone", home=home))

    assert str(vault / "gone") in error.value.message
    assert "index is kept" in error.value.remedy


def test_every_file_of_config_is_shipped() -> None:
    folder = shipped("default.toml").parent
    for path in folder.rglob("*.toml"):
        tomllib.loads(path.read_text(encoding="utf-8"))
    assert {"default.toml", "models.toml"} <= {path.name for path in folder.iterdir()}
