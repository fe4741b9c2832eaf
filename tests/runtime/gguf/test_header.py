from __future__ import annotations

import random
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.gguf_files import Value, model_metadata, write_gguf, write_tiny_model
from vaultrag.config import models_dir
from vaultrag.errors import ModelError, ModelNotFound
from vaultrag.runtime.gguf.header import read_header


def test_header_tells_what_the_model_is(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "Модель один.gguf", context=2048, template="{{ messages }}")
    header = read_header(path)
    assert (header.architecture, header.name) == ("llama", "Tiny")
    assert (header.context_length, header.block_count) == (2048, 2)
    assert header.chat_template == "{{ messages }}"
    assert header.file_size == path.stat().st_size


def test_a_model_without_a_template_has_an_empty_one(tmp_path: Path) -> None:
    assert read_header(write_tiny_model(tmp_path / "m.gguf", template="")).chat_template == ""


def test_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound) as raised:
        read_header(tmp_path / "none.gguf")
    assert "none.gguf" in raised.value.message
    assert "vaultrag models pull" in raised.value.remedy


@pytest.mark.parametrize(
    "content", [b"", b"GG", b"GGUF", b"<html>not found</html>", bytes(4096), b"GGUF" + b"\xff" * 999]
)
def test_garbage_is_named_with_its_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError) as raised:
        read_header(path)
    assert "bad.gguf" in raised.value.message
    assert "vaultrag models verify" in raised.value.remedy


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        read_header(tmp_path)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    whole = write_tiny_model(tmp_path / "m.gguf").read_bytes()
    header_end = whole.rfind(b"output.weight") + 13 + 4 + 16 + 4 + 8
    cut = tmp_path / "cut.gguf"
    for size in [*range(0, header_end, 97), header_end, header_end + 40, len(whole) // 2, len(whole) - ALIGNED_TAIL]:
        cut.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=r"cut\.gguf"):
            read_header(cut)


ALIGNED_TAIL = 32  # the last tensor may be followed by padding that no reader needs


def test_mutated_files_end_in_a_header_or_a_clear_error(tmp_path: Path) -> None:
    whole = write_tiny_model(tmp_path / "m.gguf").read_bytes()
    chance = random.Random(5)
    path = tmp_path / "mutated.gguf"
    faults: list[str] = []
    for _ in range(300):
        data = bytearray(whole[:12_000])
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(bytes(data) + whole[12_000:])
        try:
            read_header(path)
        except ModelError as error:
            faults.append(error.message)
    assert len(faults) > 10
    assert all("mutated.gguf" in fault for fault in faults)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"llama.block_count": 0}, "llama.block_count"),
        ({"llama.block_count": 10_000}, "llama.block_count"),
        ({"llama.block_count": 2**32 - 1}, "llama.block_count"),
        ({"llama.context_length": 0}, "llama.context_length"),
        ({"llama.context_length": "many"}, "llama.context_length"),
        ({"general.architecture": 7}, "architecture"),
        ({"general.architecture": "llama\n\tjunk\0"}, "name of its architecture is damaged"),
        ({"general.architecture": "l" * 4000}, "name of its architecture is damaged"),
        ({"general.architecture": "other"}, "other.context_length"),
        ({"general.alignment": 0}, "general.alignment"),
        ({"llama.rope.dimension_count": 0}, "llama.rope.dimension_count"),
        ({"llama.rope.dimension_count": 17}, "llama.rope.dimension_count"),
        ({"llama.attention.layer_norm_rms_epsilon": -1.0}, "layer_norm_rms_epsilon"),
        ({"llama.attention.layer_norm_rms_epsilon": float("nan")}, "layer_norm_rms_epsilon"),
    ],
)
def test_metadata_that_would_abort_llama_cpp_is_refused(
    tmp_path: Path, changes: Mapping[str, Value], words: str
) -> None:
    path = write_gguf(tmp_path / "m.gguf", {**model_metadata(), **changes})
    with pytest.raises(ModelError, match=words):
        read_header(path)


@pytest.mark.parametrize(
    ("counts", "words"),
    [((3, 2**40, 1), "tensors"), ((3, 0, 2**40), "keys"), ((1, 0, 0), "version is 1"), ((3 << 24, 0, 0), "version")],
)
def test_impossible_counts_are_refused_at_once(tmp_path: Path, counts: tuple[int, int, int], words: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", *counts) + bytes(1000))
    with pytest.raises(ModelError, match=words):
        read_header(path)


@pytest.mark.models
@pytest.mark.parametrize("name", ["qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"])
def test_real_models_are_read(name: str) -> None:
    header = read_header(models_dir() / name / "model.gguf")
    assert header.architecture == "qwen2"
    assert header.context_length == 32768
    assert "<|im_start|>" in header.chat_template
