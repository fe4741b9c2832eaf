"""The weights of a network that reads pairs: its own upper layers in half precision, on an embedder's lower ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vaultrag.runtime.cross_encoder.header import WeightsError, WeightsHeader, read_header
from vaultrag.runtime.cross_encoder.network import HEAD, NetworkShape, PairNetwork

BASE_WEIGHTS, BASE_SHAPE = "model.safetensors", "config.json"
LAYER = "encoder.layer."


def load_network(path: Path, base: Path) -> PairNetwork:
    """Return the network of a weights file on the embedder in the folder `base`. Raises WeightsError or OSError."""
    header = read_header(path)
    network = new_network(base, len(header.classes), header.lower_layers)
    upper = _read(path, lambda _: True)
    missing = [
        name for name, _ in network.named_parameters() if is_upper(name, header.lower_layers) and name not in upper
    ]
    if missing:
        raise WeightsError(f"{path.name} lacks {missing[0]}")
    _put(network, upper)
    network.eval()
    return network


def new_network(base: Path, classes: int, copied_layers: int) -> PairNetwork:
    """Return a network with an embedder's embeddings and lowest layers; what is above them waits for its weights."""
    with torch.device("meta"):
        network = PairNetwork(read_shape(base, classes))
    _put(network, _read(base / BASE_WEIGHTS, lambda name: not is_upper(name, copied_layers)))
    return network


def read_shape(base: Path, classes: int) -> NetworkShape:
    """Return the dimensions of an embedder's folder, with a head of that many classes."""
    said = json.loads((base / BASE_SHAPE).read_text(encoding="utf-8"))
    return NetworkShape(
        said["hidden_size"],
        said["num_hidden_layers"],
        said["num_attention_heads"],
        said["intermediate_size"],
        said["vocab_size"],
        said["max_position_embeddings"],
        said["type_vocab_size"],
        said["layer_norm_eps"],
        classes,
    )


def save_network(network: PairNetwork, header: WeightsHeader, path: Path) -> None:
    """Write the upper layers and the head with their header, in half precision."""
    tensors = {
        name: tensor.detach().to(torch.float16).contiguous()
        for name, tensor in network.named_parameters()
        if is_upper(name, header.lower_layers)
    }
    save_file(tensors, path, header.as_metadata())


def is_upper(name: str, lower_layers: int) -> bool:
    """Say whether a tensor belongs to the head or to a layer above the lowest ones."""
    if name.startswith(LAYER):
        return int(name.removeprefix(LAYER).partition(".")[0]) >= lower_layers
    return name.startswith(HEAD)


def _read(path: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name).to(torch.float32) for name in file.keys() if wanted(name)}  # noqa: SIM118
    except SafetensorError as error:
        raise WeightsError(f"{path.name} is damaged") from error


def _put(network: PairNetwork, tensors: Mapping[str, Tensor]) -> None:
    try:
        network.load_state_dict(tensors, strict=False, assign=True)
    except RuntimeError as error:
        raise WeightsError("the network's tensors have other shapes than its embedder's") from error
