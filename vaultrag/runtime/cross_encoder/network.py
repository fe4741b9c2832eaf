"""A BERT encoder that reads two texts at once and says which of a few classes their pair is of.

Its embeddings and lowest layers are those of the embedder that the catalogue names; only what was trained above them is
in its own file. Tensors keep the names of Hugging Face's BERT.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

MASKED = -1e4  # also half precision holds it
HEAD = "head."  # of the names of what BERT itself has not


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """The dimensions of the encoder, and how many classes its head tells apart."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    positions: int
    types: int
    epsilon: float
    classes: int


class PairNetwork(nn.Module):
    """Logits of the classes of pairs, shape (pairs, classes), from token ids, shape (pairs, tokens), padded right."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.dtype = torch.float32
        self.embeddings = _Embeddings(shape)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(_Layer(shape) for _ in range(shape.layers))})
        self.head = nn.ModuleDict(
            {"dense": nn.Linear(2 * shape.hidden, shape.hidden), "out": nn.Linear(shape.hidden, shape.classes)}
        )

    def compute_in(self, dtype: torch.dtype) -> None:
        """Compute in this precision from now on; the embeddings stay as their file has them."""
        self.encoder.to(dtype)
        self.head.to(dtype)
        self.dtype = dtype

    def forward(self, ids: Tensor, lengths: Tensor, frozen: int = 0, dropout: float = 0.0) -> Tensor:
        """Return the logits. The embeddings and the lowest `frozen` layers get no gradient."""
        real = torch.arange(ids.shape[1]) < lengths[:, None]
        mask = None if bool(real.all()) else real[:, None, None, :]
        with torch.set_grad_enabled(frozen == 0 and torch.is_grad_enabled()):
            states = self.embeddings(ids).to(self.dtype)
            for layer in self.encoder["layer"][:frozen]:
                states = layer(states, mask)
        for layer in self.encoder["layer"][frozen:]:
            states = layer(states, mask)
        mean = (states * real[:, :, None]).sum(1) / lengths[:, None]
        pooled = functional.dropout(torch.cat([states[:, 0], mean], 1), dropout, self.training)
        logits: Tensor = self.head["out"](functional.gelu(self.head["dense"](pooled)))
        return logits


class _Embeddings(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(shape.vocab, shape.hidden)
        self.position_embeddings = nn.Embedding(shape.positions, shape.hidden)
        self.token_type_embeddings = nn.Embedding(shape.types, shape.hidden)
        self.LayerNorm = nn.LayerNorm(shape.hidden, shape.epsilon)

    def forward(self, ids: Tensor) -> Tensor:
        places = self.position_embeddings.weight[: ids.shape[1]] + self.token_type_embeddings.weight[0]
        states: Tensor = self.LayerNorm(self.word_embeddings(ids) + places)
        return states


class _Layer(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.heads = shape.heads
        names = ("query", "key", "value")
        own = nn.ModuleDict({name: nn.Linear(shape.hidden, shape.hidden) for name in names})
        self.attention = nn.ModuleDict({"self": own, "output": _Output(shape.hidden, shape)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(shape.hidden, shape.ffn)})
        self.output = _Output(shape.ffn, shape)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        pairs, tokens, hidden = states.shape
        own = self.attention["self"]
        split = (pairs, tokens, self.heads, hidden // self.heads)
        query, key, value = (own[name](states).view(split).transpose(1, 2) for name in ("query", "key", "value"))
        mixed = _attend(query, key, value, mask)
        states = self.attention["output"](mixed.transpose(1, 2).reshape(pairs, tokens, hidden), states)
        return self.output(functional.gelu(self.intermediate["dense"](states)), states)


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention step by step: for texts this short it takes three quarters of the time of torch's fused one."""
    weights = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if mask is not None:
        weights = weights.masked_fill(~mask, MASKED)
    mixed: Tensor = weights.softmax(-1).to(value.dtype) @ value
    return mixed


class _Output(nn.Module):
    def __init__(self, inner: int, shape: NetworkShape) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, shape.hidden)
        self.LayerNorm = nn.LayerNorm(shape.hidden, shape.epsilon)

    def forward(self, states: Tensor, before: Tensor) -> Tensor:
        added: Tensor = self.LayerNorm(self.dense(states) + before)
        return added
