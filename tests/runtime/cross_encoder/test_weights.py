"""The file of a network that reads pairs: what it holds comes back, and what is none is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.runtime.cross_encoder.small_networks import CLASSES, LOWER_LAYERS, TOKENS, write_base, write_network
from vaultrag.runtime.cross_encoder.header import WeightsError, read_header
from vaultrag.runtime.cross_encoder.weights import load_network


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("e5"))


def test_file_holds_only_what_is_above_the_embedder(tmp_path: Path, base: Path) -> None:
    network = write_network(tmp_path / "n.safetensors", base, templates=("q: {}", "{}"))
    tensors = load_file(tmp_path / "n.safetensors")
    assert {name.split(".")[0] for name in tensors} == {"encoder", "head"}
    assert not [name for name in tensors if name.startswith("encoder.layer.0.")]
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    header = read_header(tmp_path / "n.safetensors")
    assert (header.classes, header.lower_layers, header.tokens) == (CLASSES, LOWER_LAYERS, TOKENS)
    assert header.templates == ("q: {}", "{}")
    loaded = load_network(tmp_path / "n.safetensors", base)
    ids, lengths = torch.tensor([[0, 8, 9, 2, 2, 10, 2]]), torch.tensor([7])
    with torch.inference_mode():
        torch.testing.assert_close(loaded(ids, lengths), network(ids, lengths), atol=2e-2, rtol=2e-2)


def test_file_of_another_kind_is_told(tmp_path: Path, base: Path) -> None:
    (tmp_path / "text.safetensors").write_text("no weights", encoding="utf-8")
    save_file({"a": torch.zeros(2)}, tmp_path / "plain.safetensors")
    for name in ("text.safetensors", "plain.safetensors"):
        with pytest.raises(WeightsError, match=name):
            read_header(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_header(tmp_path / "none.safetensors")


def test_file_that_was_cut_short_is_told(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "n.safetensors"
    write_network(path, base)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError):
        load_network(path, base)


def test_file_that_lacks_a_layer_is_told(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "n.safetensors"
    write_network(path, base)
    tensors = load_file(path)
    tensors.pop("head.out.bias")
    header = {
        "base_sha256": "",
        "lower_layers": "1",
        "classes": '["a", "b", "c"]',
        "tokens": "9",
        "templates": '["{}", "{}"]',
    }
    save_file(tensors, path, header)
    with pytest.raises(WeightsError, match=r"lacks head\.out\.bias"):
        load_network(path, base)
