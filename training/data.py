"""The mixture that a judge is trained on: pairs of others' data, each source with its share, and pairs of the rules."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from training.pairs import Pair, make_pairs

RULE_PAIRS = 36_000
LONGEST = 420  # characters of both texts; longer ones cost most and are least like claims
# How many pairs of a source are taken; all of the others. Sources made from few patterns are cut: more of them teaches
# their patterns.
MOST = {"conj_adv": 3000, "help": 2500, "breaking": 2500, "fever": 3500, "qa": 400, "xq_par": 1800, "ident": 80,
        "fever_sub": 200, "tmpl_hold": 500, "tmpl_unrel": 120}  # fmt: skip
FILES = ("nat", "extra", "syn")
TWICE = "terra2"  # of extra.jsonl only the Russian ones: the rest of it is English


def mixture(folder: Path, seed: int) -> list[Pair]:
    """Return all pairs to train on, shuffled. `folder` holds nat.jsonl, extra.jsonl and syn.jsonl."""
    chance = random.Random(seed)
    by_source: dict[str, list[Pair]] = {}
    for pair in _read(folder):
        by_source.setdefault(pair.source, []).append(pair)
    pairs = list(make_pairs(RULE_PAIRS, seed))
    for source, found in sorted(by_source.items()):
        chance.shuffle(found)
        pairs += found[: MOST.get(source, len(found))]
    chance.shuffle(pairs)
    return pairs


def _read(folder: Path) -> Iterator[Pair]:
    for name in FILES:
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                said = json.loads(line)
                if name == "extra" and said["src"] != TWICE:
                    continue
                if len(said["p"]) + len(said["h"]) <= LONGEST:
                    yield Pair(said["p"], said["h"], said["y"], said["src"], said["lang"])
