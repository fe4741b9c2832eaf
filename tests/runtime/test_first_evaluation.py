from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bad_build import CAN_BE_MADE, build_library, crashing
from tests.gguf_files import write_tiny_model
from vaultrag.config import Config, Settings
from vaultrag.domain import Generation, Message, Role, Sampling
from vaultrag.errors import ModelCrashed
from vaultrag.maintenance.doctor import examine
from vaultrag.runtime.crashes import FAULTS, REBUILD
from vaultrag.runtime.hardware import extra_buffers
from vaultrag.runtime.hardware.extra_buffers import EXTRA_BUFFERS_NAME, ExtraBuffers
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.models.manifest import write_manifest
from vaultrag.runtime.pool import ModelPool
from vaultrag.runtime.run_settings import Running

pytestmark = [
    pytest.mark.slow,  # each starts two or three processes
    pytest.mark.skipif(not CAN_BE_MADE, reason="the crash is made by a preloaded library"),
]

QUESTION = [Message("system", "Отвечай кратко."), Message("user", "Where are the keys of the shed? Где ключи?")]
SHORT = Sampling(max_tokens=4)
LOADED, BATCH, PROMPT = 1, 2, 2  # a process's evaluations: one token, then a batch to prove the build or the prompt


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_library(tmp_path_factory.mktemp("library"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "tiny").mkdir()
    return write_tiny_model(tmp_path / "tiny" / "model.gguf")


@pytest.fixture
def start(path: Path, tmp_path: Path) -> Iterator[Callable[[], ChildModel]]:
    """Models as separate runs of the program start them, over one models folder."""
    started: list[ChildModel] = []

    def begin() -> ChildModel:
        running = Running(extra_buffers=ExtraBuffers(tmp_path))
        started.append(
            ChildModel("tiny", path, context=512, threads=1, gpu_layers=-2, spin_count=0, timeout=60.0, running=running)
        )
        return started[-1]

    yield begin
    for model in started:
        model.close()


def break_the_build(monkeypatch: pytest.MonkeyPatch, environment: object) -> None:
    assert isinstance(environment, dict)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def answer(model: ChildModel) -> Generation:
    *_, last = model.generate(QUESTION, SHORT)
    assert isinstance(last, Generation)
    return last


@pytest.mark.parametrize("fault", sorted(FAULTS), ids=lambda number: signal.Signals(number).name)
def test_a_model_survives_a_build_that_crashes_by_any_fault(
    start: Callable[[], ChildModel], library: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    break_the_build(monkeypatch, crashing(library, signal.Signals(fault)))
    model = start()
    assert answer(model).completion_tokens
    news = model.first.take_news()
    assert signal.Signals(fault).name in news
    assert REBUILD in news


@pytest.mark.parametrize("at", [LOADED, BATCH], ids=["one token", "a batch"])
def test_what_a_build_does_is_learned_while_it_loads_said_once_and_remembered(
    start: Callable[[], ChildModel], library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    break_the_build(monkeypatch, crashing(library, signal.SIGSEGV, at=at))
    first = start()
    first.load()
    assert first.first.take_news()
    assert not first.first.take_news()
    assert ExtraBuffers(tmp_path).crash == "SIGSEGV"
    later = start()
    later.load()
    pid = later.pid
    assert answer(later).completion_tokens
    assert later.pid == pid  # it lived from its start
    assert not later.first.take_news()
    assert REBUILD in later.first.caution


def test_what_cannot_be_written_down_is_said_and_kept_as_long_as_the_program_runs(
    start: Callable[[], ChildModel], library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / EXTRA_BUFFERS_NAME).mkdir()  # as where the folder of models belongs to somebody else
    break_the_build(monkeypatch, crashing(library, signal.SIGSEGV, at=LOADED))
    model = start()
    model.load()
    assert REBUILD in model.first.take_news()
    assert "SIGSEGV" in model.first.caution
    assert not model.first.extra_buffers
    model.let_go()
    model.load()
    assert not model.first.take_news()


def test_a_crash_in_the_first_prompt_is_survived_too(
    start: Callable[[], ChildModel], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start().load()  # proved by a batch
    break_the_build(monkeypatch, crashing(library, signal.SIGILL, at=PROMPT))
    again = start()
    assert answer(again).completion_tokens
    assert "SIGILL" in again.first.take_news()


def test_a_good_build_proves_itself_once(start: Callable[[], ChildModel], tmp_path: Path) -> None:
    assert not ExtraBuffers(tmp_path).is_proved("tiny")
    model = start()
    assert model.first.owes_proof
    answer(model)
    assert ExtraBuffers(tmp_path).is_proved("tiny")
    assert not ExtraBuffers(tmp_path).crash
    assert not model.first.take_news()
    assert not start().first.owes_proof


def test_a_new_build_is_tried_anew(
    start: Callable[[], ChildModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ExtraBuffers(tmp_path).remember_crash("SIGSEGV")
    assert not start().first.extra_buffers
    monkeypatch.setattr(extra_buffers, "build", lambda: "another")
    assert not ExtraBuffers(tmp_path).crash
    assert start().first.extra_buffers


@pytest.mark.parametrize("damage", ["", "[]", "7", '{"KEY": []}', '{"KEY": {"proved": 7}}'])
def test_a_damaged_memory_is_as_none(tmp_path: Path, damage: str) -> None:
    key = extra_buffers.machine_and_build()
    (tmp_path / EXTRA_BUFFERS_NAME).write_text(damage.replace("KEY", key), encoding="utf-8")
    known = ExtraBuffers(tmp_path)
    assert (known.crash, known.is_proved("tiny"), known.is_slower("tiny")) == ("", False, None)
    known.prove("tiny")
    known.remember_speed("tiny", slower=True)
    assert ExtraBuffers(tmp_path).is_proved("tiny")
    assert ExtraBuffers(tmp_path).is_slower("tiny")
    known.remember_speed("tiny", slower=False)
    assert ExtraBuffers(tmp_path).is_slower("tiny") is False


def test_a_build_that_crashes_either_way_is_one_clear_error_and_nothing_is_learned(
    start: Callable[[], ChildModel], path: Path, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest(path.parent, "a test", {})
    break_the_build(monkeypatch, crashing(library, signal.SIGSEGV, always=True))
    for ask in (ChildModel.load, answer):
        with pytest.raises(ModelCrashed, match=r"with and without ggml's extra buffers: the file is right") as raised:
            ask(start())
        assert REBUILD in raised.value.remedy
        assert "verify" not in raised.value.remedy
    assert not ExtraBuffers(tmp_path).crash


def test_a_file_that_was_never_checked_is_suspected_before_the_build(
    start: Callable[[], ChildModel], path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_the_build(monkeypatch, crashing(library, signal.SIGSEGV, always=True))
    with pytest.raises(ModelCrashed, match="never compared") as raised:
        start().load()
    assert "vaultrag models verify" in raised.value.remedy
    write_manifest(path.parent, "a test", {})
    os.utime(path, ns=(2**62, 2**62))  # changed since
    with pytest.raises(ModelCrashed, match="has changed since"):
        start().load()


def test_what_is_measured_runs_as_told(path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_the_build(monkeypatch, crashing(library, signal.SIGSEGV))
    model = ChildModel("tiny", path, context=512, threads=1, gpu_layers=-2, spin_count=0, timeout=60.0)
    with pytest.raises(ModelCrashed, match="signal 11"):
        model.load()
    model.close()


def test_the_program_tells_of_a_bad_build_in_an_answers_warnings_once_in_status_and_doctor(
    path: Path,
    library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path))
    settings = Settings.model_validate({"roles": {"answer": str(path)}})
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path, settings=settings)
    with monkeypatch.context() as broken:
        break_the_build(broken, crashing(library, signal.SIGSEGV))
        models = ModelPool.of(config)
        try:
            models.chat(Role.ANSWER)
            assert list(models.prepare_answer()) is not None
            assert any(REBUILD in caution for caution in models.cautions())
            assert not models.cautions()
            assert not [record for record in caplog.records if record.levelname == "WARNING"]  # they reach the terminal
            assert REBUILD in next(model.warning for model in models.loaded_models() if Role.ANSWER in model.roles)
        finally:
            models.close()
    found = [finding for finding in examine(config) if finding.invariant == "llama.cpp"]
    assert [finding.severity for finding in found if REBUILD in finding.remedy] == ["warning"]
    assert json.loads((tmp_path / EXTRA_BUFFERS_NAME).read_text(encoding="utf-8"))
