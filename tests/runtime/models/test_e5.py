"""An E5S1 file becomes a sentence-transformers folder, and nonsense is refused."""

from __future__ import annotations

import contextlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from tests.runtime import small_models
from tests.runtime.small_models import small_e5, write_tokenizer
from vaultrag.errors import DownloadFailed
from vaultrag.runtime.embedder import read_dimension
from vaultrag.runtime.models.catalogue import Prompts
from vaultrag.runtime.models.e5 import convert, unpack_q4
from vaultrag.runtime.tokens import load_token_counter

PROMPTS = Prompts(query="query: ", passage="passage: ")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "small.bin"
    path.write_bytes(small_e5().data)
    write_tokenizer(tmp_path / "tokenizer.json")
    return path


def convert_to(folder: Path, source: Path) -> Path:
    convert(source, source.parent / "tokenizer.json", folder, PROMPTS)
    return folder


def test_every_weight_arrives_under_its_bert_name(tmp_path: Path, source: Path) -> None:
    weights = load_file(convert_to(tmp_path / "e5", source) / "model.safetensors")
    values = small_e5().values
    assert len(weights) == len(values)
    for short, full in {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
        "l0.q.w": "encoder.layer.0.attention.self.query.weight",
        "l0.k.b": "encoder.layer.0.attention.self.key.bias",
        "l0.v.w": "encoder.layer.0.attention.self.value.weight",
        "l1.ao.w": "encoder.layer.1.attention.output.dense.weight",
        "l1.aln.w": "encoder.layer.1.attention.output.LayerNorm.weight",
        "l1.fi.w": "encoder.layer.1.intermediate.dense.weight",
        "l1.fo.w": "encoder.layer.1.output.dense.weight",
        "l1.oln.b": "encoder.layer.1.output.LayerNorm.bias",
    }.items():
        assert weights[full].dtype == np.float32
        np.testing.assert_array_equal(weights[full], values[short], err_msg=short)


def test_low_nibbles_are_the_first_sixteen_weights() -> None:
    block = np.float16(0.5).tobytes() + bytes([0x80 | index for index in range(16)])
    np.testing.assert_array_equal(unpack_q4(block), [*(np.arange(16) - 8) * 0.5, *[0.0] * 16])


def test_folder_says_what_sentence_transformers_asks(tmp_path: Path, source: Path) -> None:
    folder = convert_to(tmp_path / "e5", source)
    config = json.loads((folder / "config.json").read_text())
    assert (config["model_type"], config["hidden_size"], config["layer_norm_eps"]) == ("bert", 32, 1e-12)
    assert [module["path"] for module in json.loads((folder / "modules.json").read_text())] == [
        "",
        "1_Pooling",
        "2_Normalize",
    ]
    prompts = json.loads((folder / "config_sentence_transformers.json").read_text())["prompts"]
    assert prompts == {"query": "query: ", "passage": "passage: ", "document": "passage: "}
    assert read_dimension(folder) == small_models.HIDDEN


def test_token_counter_counts_every_token_of_long_texts(tmp_path: Path, source: Path) -> None:
    count = load_token_counter(convert_to(tmp_path / "e5", source))
    assert count("яблоня сад apple") == 3
    assert count("") == 0
    assert count("сад " * 100) == 100  # the file itself asks for truncation to 8


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"E5S1",
        b"GGUF" + bytes(100),
        small_e5().data[:-1],
        small_e5().data[:200],
        small_e5().data[:4] + struct.pack("<I", 2) + small_e5().data[8:],
        small_e5().data[:8] + struct.pack("<i", 2**30) + small_e5().data[12:],
        small_e5().data[:8] + struct.pack("<i", -32) + small_e5().data[12:],
        small_e5().data.replace(b"l1.fo.w", b"l1.xx.w"),
    ],
    ids=["empty", "cut", "other", "one-byte-short", "no-directory", "version", "huge", "negative", "missing-tensor"],
)
def test_damaged_file_is_refused(tmp_path: Path, source: Path, damage: bytes) -> None:
    source.write_bytes(damage)
    with pytest.raises(DownloadFailed) as caught:
        convert_to(tmp_path / "e5", source)
    assert caught.value.remedy


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 1200), byte=st.integers(0, 255))
def test_any_changed_header_byte_converts_or_is_refused(tmp_path: Path, source: Path, place: int, byte: int) -> None:
    data = bytearray(small_e5().data)
    data[place] = byte
    source.write_bytes(data)
    with contextlib.suppress(DownloadFailed):
        convert_to(tmp_path / "e5", source)
