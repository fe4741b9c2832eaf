"""Choosing the next token: penalty, mask of scripts, then the likeliest or chance, then the grammar if it refuses."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterator

import numpy as np
from llama_cpp import llama_cpp as native
from numpy.typing import NDArray

from vaultrag.domain import Sampling
from vaultrag.errors import GenerationFailed
from vaultrag.runtime.llama.grammar import CANDIDATE, Grammar, candidate_array
from vaultrag.runtime.llama.script_mask import Mask

PENALTY_TOKENS = 64  # llama.cpp's own default: how far back a repetition is punished


class Chooser:
    """Chooses tokens one after another; what it chose counts for the next choice."""

    def __init__(self, token_count: int, sampling: Sampling, mask: Mask | None, grammar: Grammar | None) -> None:
        self._penalty = sampling.repeat_penalty
        self._said: deque[int] = deque(maxlen=PENALTY_TOKENS)
        self._mask = mask
        self._grammar = grammar
        self._chance = _Chance(token_count, sampling) if sampling.temperature > 0 else None

    def choose(self, logits: NDArray[np.float32]) -> int:
        """Return the next token. `logits` are left as they are."""
        values = self._adjusted(logits)
        token = self._pick(values)
        if self._grammar is not None and not self._grammar.allows(token):
            self._grammar.restrict(values)
            if not np.isfinite(values.max()):  # a token that the grammar does not know would end the process
                raise GenerationFailed(
                    "The answer's schema leaves only letters that are forbidden in this answer.",
                    "Ask in the language of the schema, or for another schema.",
                )
            token = self._pick(values)
        self._take(token)
        return token

    def follow(self, grammar: Grammar) -> None:
        """Hold to a grammar from the next token on."""
        self._grammar = grammar

    def close(self) -> None:
        if self._chance is not None:
            self._chance.close()
        if self._grammar is not None:
            self._grammar.close()

    def _adjusted(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        values = logits.copy()
        if self._penalty != 1.0 and self._said:
            said = np.fromiter(set(self._said), np.intp)
            punished = values[said]
            values[said] = np.where(punished <= 0, punished * self._penalty, punished / self._penalty)
        if self._mask is not None:
            for forbidden in self._mask.forbidden():
                values[forbidden] = -np.inf
        return values

    def _pick(self, values: NDArray[np.float32]) -> int:
        return int(values.argmax()) if self._chance is None else self._chance.pick(values)

    def _take(self, token: int) -> None:
        self._said.append(token)
        if self._mask is not None:
            self._mask.take(token)
        if self._grammar is not None:
            self._grammar.take(token)


class _Chance:
    """llama.cpp's samplers: top-k, top-p, min-p, temperature and a seeded draw."""

    def __init__(self, token_count: int, sampling: Sampling) -> None:
        self._candidates = np.zeros(token_count, CANDIDATE)
        self._chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
        for part in _parts(sampling):
            native.llama_sampler_chain_add(self._chain, part)

    def pick(self, values: NDArray[np.float32]) -> int:
        candidates = self._candidates  # samplers sort and cut it where it lies
        candidates["id"], candidates["logit"], candidates["p"] = np.arange(len(values)), values, 0.0
        array = candidate_array(candidates)
        native.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def close(self) -> None:
        native.llama_sampler_free(self._chain)


def _parts(sampling: Sampling) -> Iterator[int]:
    yield native.llama_sampler_init_top_k(sampling.top_k)
    yield native.llama_sampler_init_top_p(sampling.top_p, 1)
    if sampling.min_p > 0:
        yield native.llama_sampler_init_min_p(sampling.min_p, 1)
    yield native.llama_sampler_init_temp(sampling.temperature)
    yield native.llama_sampler_init_dist(sampling.seed)
