"""Networks that read pairs, with random weights, on a small embedder of the tests' own."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.runtime.small_models import small_e5, write_tokenizer
from vaultrag.runtime.cross_encoder.header import WeightsHeader
from vaultrag.runtime.cross_encoder.network import PairNetwork
from vaultrag.runtime.cross_encoder.weights import BASE_WEIGHTS, is_upper, new_network, save_network
from vaultrag.runtime.models.catalogue import Prompts
from vaultrag.runtime.models.e5 import convert
from vaultrag.runtime.models.manifest import sha256_of

CLASSES = ("entailment", "neutral", "contradiction")
LAYERS, LOWER_LAYERS, TOKENS = 2, 1, 20


def write_base(folder: Path) -> Path:
    """Write the folder of a small embedder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.bin").write_bytes(small_e5().data)
    write_tokenizer(folder / "words.json")
    convert(folder / "small.bin", folder / "words.json", folder / "base", Prompts())
    return folder / "base"


def random_network(base: Path, classes: int = len(CLASSES), seed: int = 3) -> PairNetwork:
    """Return a network whose upper layer and head are random, and far from each other."""
    torch.manual_seed(seed)
    network = new_network(base, classes, LAYERS)
    for module in network.head.values():
        module.to_empty(device="cpu")
    for name, tensor in network.named_parameters():
        if is_upper(name, LOWER_LAYERS):
            tensor.data = torch.randn(tensor.shape) * 0.5
    return network


def write_network(
    path: Path, base: Path, classes: tuple[str, ...] = CLASSES, templates: tuple[str, str] = ("{}", "{}")
) -> PairNetwork:
    """Write a random network's file; return the network."""
    network = random_network(base, len(classes))
    header = WeightsHeader(sha256_of(base / BASE_WEIGHTS), LOWER_LAYERS, classes, TOKENS, templates)
    save_network(network, header, path)
    network.eval()
    return network
