"""A network that reads pairs, in its child process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.runtime.cross_encoder.small_networks import CLASSES, write_base, write_network
from vaultrag.errors import ModelError
from vaultrag.runtime.cross_encoder.model import ChildCrossEncoder

PAIRS = [("яблоня сад", "порт nginx"), ("apple", "яблоня"), ("сад " * 30, "порт"), ("", "nginx"), ("порт", "порт")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("e5"))


@pytest.fixture(scope="module")
def network(base: Path) -> Iterator[ChildCrossEncoder]:
    path = base.parent / "сеть.safetensors"
    write_network(path, base)
    network = ChildCrossEncoder("small", path, base, "small", threads=1)
    yield network
    network.close()


def test_rows_are_probabilities_in_the_order_of_the_pairs(network: ChildCrossEncoder) -> None:
    rows = network.classify(PAIRS)
    assert network.classes == CLASSES
    assert rows.shape == (len(PAIRS), 3)
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-3)
    np.testing.assert_allclose(network.classify(PAIRS[::-1])[::-1], rows, atol=3e-2)
    assert np.ptp(rows[:, 0]) > 0.05


def test_no_pairs_give_no_rows(network: ChildCrossEncoder) -> None:
    assert network.classify([]).shape == (0, 3)


def test_texts_stand_in_the_templates_of_the_file(base: Path, network: ChildCrossEncoder) -> None:
    path = base.parent / "templates.safetensors"
    write_network(path, base, templates=("apple {}", "{} сад"))
    other = ChildCrossEncoder("templates", path, base, "t", threads=1)
    try:
        expected = network.classify([("apple порт", "nginx сад")])
        np.testing.assert_allclose(other.classify([("порт", "nginx")]), expected, atol=1e-3)
    finally:
        other.close()


def test_two_classes_are_as_good_as_three(base: Path) -> None:
    path = base.parent / "two.safetensors"
    write_network(path, base, classes=("other", "answers"))
    network = ChildCrossEncoder("two", path, base, "two", threads=1)
    try:
        assert network.classify(PAIRS).shape == (len(PAIRS), 2)
        assert network.classes == ("other", "answers")
    finally:
        network.close()


def test_a_process_that_was_killed_is_replaced(network: ChildCrossEncoder) -> None:
    before = network.classify(PAIRS)
    assert network.pid is not None
    os.kill(network.pid, signal.SIGKILL)
    np.testing.assert_allclose(network.classify(PAIRS), before, atol=1e-3)


def test_a_damaged_file_is_one_sentence_with_a_remedy(base: Path) -> None:
    path = base.parent / "broken.safetensors"
    path.write_bytes(b"\x08" + bytes(7) + b"nonsense" * 9)
    network = ChildCrossEncoder("broken", path, base, "b", threads=1)
    try:
        with pytest.raises(ModelError, match=r"^The model broken could not be used \(WeightsError\)\.$") as error:
            network.classify(PAIRS)
        assert "models verify" in error.value.remedy
    finally:
        network.close()


def test_weights_that_are_no_numbers_are_told(base: Path) -> None:
    path = base.parent / "nan.safetensors"
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    write_network(path, base)
    with safe_open(path, "pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    tensors["head.out.bias"] = torch.full_like(tensors["head.out.bias"], float("nan"))
    save_file(tensors, path, header)
    network = ChildCrossEncoder("nan", path, base, "n", threads=1)
    try:
        with pytest.raises(ModelError, match="FloatingPointError"):
            network.classify(PAIRS)
    finally:
        network.close()
