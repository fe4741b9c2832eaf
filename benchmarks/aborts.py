"""How soon a worker is free once its reader leaves: in mid-batch while it reads, and while it writes."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from benchmarks.products import show_progress
from benchmarks.report import Figure, quantile
from vaultrag.domain import Message, Piece, Sampling
from vaultrag.runtime.llm import ChildModel

ABORTS = 25  # of each kind
LATEST = 1.5  # seconds into a batch: it takes three on two cores
TOKEN = 0.1  # seconds that one takes on two cores
MOST_WORDS = 40  # written before the reader leaves
PASSAGE = "В сарае лежат грабли, лейка и старый насос. The pump was bought in 1998 and never worked. "
PROMPT_PASSAGES = 30  # some 1,000 tokens: eight batches

Leave: TypeAlias = Callable[[Iterator[Piece], random.Random], None]


def aborts(model: ChildModel) -> tuple[list[Figure], dict[str, object]]:
    """Return the seconds from closing an answer's iterator to the worker's word that it has stopped."""
    random_numbers = random.Random(7)
    seconds = {
        "while reading": _aborted(model, PROMPT_PASSAGES, _in_mid_batch, random_numbers),
        "while writing": _aborted(model, 1, _in_mid_answer, random_numbers),
    }
    return [figure for place, values in seconds.items() for figure in _figures(place, values)], {"aborts": seconds}


def _aborted(model: ChildModel, passages: int, leave: Leave, numbers: random.Random) -> list[float]:
    seconds = []
    for number in range(ABORTS):
        show_progress(f"aborts {leave.__name__.removeprefix('_in_').replace('_', ' ')}", number, ABORTS)
        text = f"{number}. " + PASSAGE * passages + "Расскажи подробно, что там лежит."  # new from its first word on
        pieces = model.generate([Message("user", text)], Sampling(max_tokens=500))
        with contextlib.closing(pieces):
            leave(pieces, numbers)
            began = time.perf_counter()
            pieces.close()
            seconds.append(time.perf_counter() - began)
    return seconds


def _in_mid_batch(pieces: Iterator[Piece], numbers: random.Random) -> None:
    """Wait for a batch to be read, and then some time into the next one."""
    for _ in range(2 + numbers.randrange(3)):  # the first piece tells that it is our turn
        assert next(pieces) == "", "the prompt was read too soon"
    threading.Event().wait(numbers.uniform(0, LATEST))


def _in_mid_answer(pieces: Iterator[Piece], numbers: random.Random) -> None:
    left = numbers.randint(1, MOST_WORDS)
    while left:
        left -= bool(next(pieces))
    threading.Event().wait(numbers.uniform(0, TOKEN))


def _figures(place: str, seconds: Sequence[float]) -> list[Figure]:
    worst = max(seconds)
    return [
        quantile(f"abort {place}, 1.5B, median", seconds, 0.5, " s"),
        quantile(f"abort {place}, 1.5B, 95th percentile", seconds, 0.95, " s"),
        Figure(f"abort {place}, 1.5B, longest", worst, worst, worst, len(seconds), " s"),
    ]
