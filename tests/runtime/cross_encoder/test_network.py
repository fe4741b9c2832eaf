"""The network that reads pairs is the BERT that it says it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.runtime.cross_encoder.small_networks import random_network, write_base
from vaultrag.runtime.cross_encoder.weights import BASE_WEIGHTS, new_network


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("e5"))


IDS = torch.tensor([[0, 8, 9, 2, 2, 10, 2], [0, 10, 2, 2, 12, 2, 1]])
LENGTHS = torch.tensor([7, 6])


def test_padding_changes_nothing(base: Path) -> None:
    network = random_network(base).eval()
    with torch.inference_mode():
        together = network(IDS, LENGTHS)
        alone = network(IDS[1:, :6], LENGTHS[1:])
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-4)


def test_order_of_the_texts_matters(base: Path) -> None:
    network = random_network(base).eval()
    turned = torch.tensor([[0, 10, 2, 2, 8, 9, 2]])
    with torch.inference_mode():
        assert not torch.allclose(network(IDS[:1], LENGTHS[:1]), network(turned, LENGTHS[:1]), atol=1e-3)


def test_lower_layers_get_no_gradient(base: Path) -> None:
    network = random_network(base)
    network(IDS, LENGTHS, frozen=1).sum().backward()
    assert network.embeddings.word_embeddings.weight.grad is None
    assert network.encoder["layer"][0].output.dense.weight.grad is None
    assert network.encoder["layer"][1].output.dense.weight.grad is not None


@pytest.mark.slow
def test_encoder_gives_what_transformers_gives(base: Path) -> None:
    from transformers import BertModel

    reference = BertModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="eager").eval()
    network = new_network(base, 3, 2)
    with torch.inference_mode():
        expected = reference(IDS, attention_mask=(torch.arange(7) < LENGTHS[:, None]).long()).last_hidden_state
        states = network.embeddings(IDS)
        mask = (torch.arange(7) < LENGTHS[:, None])[:, None, None, :]
        for layer in network.encoder["layer"]:
            states = layer(states, mask)
    assert (base / BASE_WEIGHTS).is_file()
    torch.testing.assert_close(states[0], expected[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(states[1, :6], expected[1, :6], atol=1e-5, rtol=1e-4)
