"""`models recommend`, `models use` and the hint below an answer, as typed, with a hub on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gguf_files import write_tiny_model
from tests.runtime.small_hub import SmallHub, serving_hub
from vaultrag.cli.main import main
from vaultrag.cli.models.recommend import hint
from vaultrag.cli.terminal import Terminal
from vaultrag.config import CONFIG_NAME, Config, load_config, read_settings
from vaultrag.domain import Role
from vaultrag.errors import ConfigError, DiskFull, DownloadFailed, ModelNotFound
from vaultrag.runtime.recommend import FLOOR
from vaultrag.store.endpoint import Endpoint

pytestmark = pytest.mark.slow  # each looks at the machine, which asks llama.cpp in a process of its own

FILE = "better-q8_0.gguf"
BETTER = "qwen3-0.6b"  # of a shape that is known and that any machine runs in bearable time
ENDLESS = 10**15  # bytes that no disk has


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[SmallHub]]:
    with serving_hub(monkeypatch) as hub:
        hub.files = {FILE: write_tiny_model(tmp_path / "tiny.gguf").read_bytes()}
        yield hub


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder whose catalogue has one model above all others."""
    folder = tmp_path / "модели"
    folder.mkdir()
    monkeypatch.setenv("VAULTRAG_MODELS", str(folder))
    write_catalogue(folder)
    return folder


def write_catalogue(models: Path, size: int = 1_000_000) -> None:
    (models / "models.toml").write_text(
        f"""[[model]]
name = "{BETTER}"
kind = "chat"
description = "Лучшая: a better one"
licence = "MIT"
quant = "Q8_0"
bytes = {size}
strength = 99
source = {{ type = "huggingface", repo = "me/model", file = "{FILE}" }}
""",
        encoding="utf-8",
    )


@pytest.fixture
def run(vault: Path, home: Path) -> Callable[..., int]:
    return lambda *arguments: main(["--vault", str(vault), "--home", str(home), *arguments], _refuse_to_serve)


def _refuse_to_serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


def answering(home: Path) -> str:
    return read_settings(home / CONFIG_NAME).roles.answer


def test_auto_takes_the_better_model_and_the_settings_name_it(
    hub: type[SmallHub], models: Path, run: Callable[..., int], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "use", "auto") == 0
    shown = capsys.readouterr().out
    assert f"{BETTER} answers from now on" in shown
    assert f"it was {FLOOR}" in shown
    assert answering(home) == BETTER
    assert (models / BETTER / "model.gguf").read_bytes() == hub.files[FILE]
    assert run("models", "use", "auto") == 0, "what the settings choose stays"
    assert f"The settings choose {BETTER}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "size", "why"),
    [
        ("[runtime]\nram_gib = 0.05\nvram_gib = 0.05\n", 1_000_000, "of memory are free"),
        ("[answering]\nfirst_token_seconds = 0.0001\n", 1_000_000, "before a first word"),
        ("", ENDLESS, "of disk"),
    ],
    ids=["memory", "speed", "disk"],
)
def test_auto_keeps_the_small_model_where_no_better_one_fits_and_asks_no_hub(
    hub: type[SmallHub],
    models: Path,
    run: Callable[..., int],
    home: Path,
    capsys: pytest.CaptureFixture[str],
    settings: str,
    size: int,
    why: str,
) -> None:
    home.mkdir()
    (home / CONFIG_NAME).write_text(settings, encoding="utf-8")
    write_catalogue(models, size)
    assert run("models", "recommend", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    first = document["considered"][0]
    assert first["name"] == BETTER
    assert why in first["lacks"]
    if size != ENDLESS:  # other models of the catalogue may fit this machine's disk
        assert run("models", "use", "auto") == 0
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith(f"{FLOOR} goes on answering")
        assert hub.asked == []
    assert not (models / BETTER).exists()
    assert (home / CONFIG_NAME).read_text(encoding="utf-8") == settings


def other_bytes(hub: type[SmallHub]) -> None:
    hub.sent = hub.files[FILE][::-1]


def short(hub: type[SmallHub]) -> None:
    hub.sent = hub.files[FILE][:1000]


@pytest.mark.parametrize("spoil", [other_bytes, short])
def test_a_broken_download_leaves_the_small_model_and_can_be_continued(
    hub: type[SmallHub],
    models: Path,
    run: Callable[..., int],
    home: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[type[SmallHub]], None],
) -> None:
    spoil(hub)
    assert run("models", "use", "auto") == DownloadFailed.exit_code
    said = capsys.readouterr().err
    assert f"{FLOOR} goes on answering; `vaultrag models use {BETTER}` tries it again." in said
    assert not (home / CONFIG_NAME).exists()
    assert load_config(home=home, vault=home.parent / "vault").settings.roles.answer == FLOOR
    hub.sent = None
    assert run("models", "use", BETTER) == 0
    assert answering(home) == BETTER


def test_a_full_disk_leaves_the_small_model(
    hub: type[SmallHub], models: Path, run: Callable[..., int], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_catalogue(models, ENDLESS)
    assert run("models", "use", BETTER) == DiskFull.exit_code
    assert f"{FLOOR} goes on answering" in capsys.readouterr().err
    assert not (home / CONFIG_NAME).exists()


def test_a_hub_that_is_not_there_is_asked_once_and_the_small_model_stays(
    models: Path,
    run: Callable[..., int],
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for _ in range(2):
        assert run("models", "use", "auto") == 0
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith(f"{BETTER} would fit this machine, but cannot be fetched: the hub (http://127.0.0.1:9)")
        assert line.endswith(f"vaultrag models use {BETTER}")
    assert not (home / CONFIG_NAME).exists()
    with serving_hub(monkeypatch) as hub:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        assert run("models", "recommend", "--json") == 0
        assert json.loads(capsys.readouterr().out)["hub_silent"]
        assert hub.asked == []


def test_a_model_that_the_hub_no_longer_has_is_passed_over(
    hub: type[SmallHub], models: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.files = {"other.gguf": b"GGUF"}
    assert run("models", "recommend", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert f"holds no {FILE}" in document["considered"][0]["lacks"]
    assert document["recommended"] != BETTER


def test_a_recommendation_says_size_time_and_speed_and_fetches_nothing_unasked(
    hub: type[SmallHub], models: Path, run: Callable[..., int], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "recommend") == 0
    shown = capsys.readouterr().out
    assert f"A better model would fit this machine: {BETTER} (Лучшая: a better one)." in shown
    assert "1 MB to fetch" in shown
    assert "at 50 Mbit/s, which is only assumed" in shown
    assert "tokens/s written" in shown
    assert f"vaultrag models use {BETTER}" in shown
    assert not (models / BETTER).exists()
    assert not any("/resolve/" in path for path in hub.asked)


def test_init_advises_without_asking_the_hub(
    hub: type[SmallHub], models: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init") == 0
    assert f"vaultrag models use {BETTER}" in capsys.readouterr().out
    assert hub.asked == []


def test_a_named_model_takes_the_place_of_the_users_own_and_says_so(
    hub: type[SmallHub], models: Path, run: Callable[..., int], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    (home / CONFIG_NAME).write_text('# мои\n[roles]\nanswer = "qwen3-8b"\n', encoding="utf-8")
    assert run("models", "use", "auto") == 0
    assert "The settings choose qwen3-8b" in capsys.readouterr().out
    assert answering(home) == "qwen3-8b"
    assert run("models", "use", BETTER) == 0
    assert "(it was qwen3-8b)" in capsys.readouterr().out
    assert (home / CONFIG_NAME).read_text(encoding="utf-8") == f'# мои\n[roles]\nanswer = "{BETTER}"\n'


def test_a_combination_goes_before_and_is_left_to_the_user(
    hub: type[SmallHub], models: Path, run: Callable[..., int], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    (home / CONFIG_NAME).write_text('[models]\ncombination = "final-word"\n', encoding="utf-8")
    assert run("models", "use", BETTER) == ConfigError.exit_code
    assert "final-word" in capsys.readouterr().err
    assert run("models", "use", "auto") == 0
    assert "final-word; it goes on answering" in capsys.readouterr().out
    assert run("models", "use", "qwen9") == ConfigError.exit_code
    assert hub.asked == []


def test_an_unknown_model_is_one_sentence_with_the_nearest(
    models: Path, run: Callable[..., int], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "use", "qwen3-4bb") == ModelNotFound.exit_code
    assert "The nearest is `qwen3-4b`" in capsys.readouterr().err
    assert not (home / CONFIG_NAME).exists()


def test_a_file_of_ones_own_may_answer(
    models: Path, run: Callable[..., int], home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_tiny_model(tmp_path / "Моя модель.gguf")
    assert run("models", "use", str(path)) == 0
    assert answering(home) == str(path)
    assert run("models", "use", str(tmp_path / "none.gguf")) == ModelNotFound.exit_code
    assert answering(home) == str(path)


def test_an_answer_of_the_floor_model_says_once_that_a_better_one_would_fit(
    models: Path, vault: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load_config(vault, home)
    hint(config, Terminal(), "scripted")
    assert capsys.readouterr().err == ""
    hint(config, Terminal(), FLOOR)
    assert f"A better model would fit this machine: {BETTER}" in capsys.readouterr().err
    hint(config, Terminal(), FLOOR)
    assert capsys.readouterr().err == ""


def test_no_hint_where_nothing_better_fits(
    models: Path, vault: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    (home / CONFIG_NAME).write_text("[runtime]\nram_gib = 0.05\nvram_gib = 0.05\n", encoding="utf-8")
    hint(load_config(vault, home), Terminal(), FLOOR)
    assert capsys.readouterr().err == ""


def test_the_floor_is_what_answers_where_nobody_chose(models: Path, vault: Path, home: Path) -> None:
    from vaultrag.runtime.models.combinations import role_map

    config = load_config(vault, home)
    assert role_map(config.settings, config.models).model_of(Role.ANSWER) == FLOOR
