"""Train a judge of contradictions: `scripts/train-judge`. Within an hour on two cores.

The embedder's upper layers and a new head learn to say entailment, neutral or contradiction of a pair; its embeddings
and three lowest layers stay as they are, so that only what changed is kept. One epoch, linear decay, fixed seed. Every
few minutes a checkpoint is written, and a run that was interrupted goes on from it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from training.data import mixture
from training.pairs import NOT_ENTAILED, Pair, make_pairs
from vaultrag.config import models_dir
from vaultrag.errors import VaultragError
from vaultrag.runtime.cross_encoder.header import WeightsHeader
from vaultrag.runtime.cross_encoder.network import PairNetwork
from vaultrag.runtime.cross_encoder.weights import (
    BASE_WEIGHTS,
    is_upper,
    new_network,
    save_network,
)
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.installed import require_model
from vaultrag.runtime.models.manifest import sha256_of

CLASSES = ("entailment", "neutral", "contradiction")
BASE = "multilingual-e5-small"
LOWER_LAYERS = 3  # frozen, and so not kept: a third of the time, and the model knows words as before
TOKENS = 160  # of a pair
BATCH_TOKENS = 2400
POOL = 40  # batches' worth of pairs that are sorted by length together
PEAK = 1.2e-4
WARM_UP = 0.05
DECAY = 0.01
DROPOUT = 0.1
CHECKPOINT_SECONDS = 180.0
DEVELOPMENT_PAIRS = 1500
PADDING = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids, padded right, with their lengths and labels."""

    ids: torch.Tensor
    lengths: torch.Tensor
    labels: torch.Tensor


def main() -> None:
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    base = _base()
    tokenizer = open_tokenizer(base)
    network = new_network(base, len(CLASSES), 12)
    batches = _batches(mixture(Path(options.data), options.seed), tokenizer, random.Random(options.seed))
    _train(network, batches, options.out.with_suffix(".checkpoint"), options.stop)
    header = WeightsHeader(sha256_of(base / BASE_WEIGHTS), LOWER_LAYERS, CLASSES, TOKENS)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_network(network, header, options.out)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes, sha256 {sha256_of(options.out)}")
    _report(network, tokenizer, options.seed)


def _base() -> Path:
    try:
        return require_model(find_model(BASE, ModelKind.EMBED, models_dir()), models_dir())
    except VaultragError as error:
        sys.exit(f"{error.message} {error.remedy}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/train-judge", description=(__doc__ or "").partition("\n")[0])
    data = os.environ.get("VAULTRAG_BENCH_DATA", "")
    parser.add_argument("--data", default=str(Path(data) / "nli"), help="folder of nat.jsonl, extra.jsonl, syn.jsonl")
    parser.add_argument("--out", type=Path, default=Path("build/judge.safetensors"))
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--stop", type=int, default=0, help="end after this many steps: to try whether it runs")
    options = parser.parse_args()
    if not (Path(options.data) / "nat.jsonl").is_file():
        parser.error(f"{options.data} holds no nat.jsonl: name the folder, or set VAULTRAG_BENCH_DATA")
    return options


def open_tokenizer(base: Path) -> Tokenizer:
    """Return the embedder's tokenizer, cutting pairs at TOKENS, the longer text first."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS, strategy="longest_first")
    tokenizer.no_padding()
    return tokenizer


def _batches(pairs: Sequence[Pair], tokenizer: Tokenizer, chance: random.Random) -> list[Batch]:
    encoded = tokenizer.encode_batch([(pair.premise, pair.hypothesis) for pair in pairs])
    ids = [encoding.ids for encoding in encoded]
    pool = POOL * BATCH_TOKENS // 30
    batches = []
    for start in range(0, len(pairs), pool):
        order = sorted(range(start, min(start + pool, len(pairs))), key=lambda at: (len(ids[at]), at))
        batches += [_padded([ids[at] for at in group], [pairs[at].label for at in group]) for group in _cut(order, ids)]
    chance.shuffle(batches)
    return batches


def _cut(order: list[int], ids: list[list[int]]) -> Iterator[list[int]]:
    group: list[int] = []
    for at in order:
        if group and len(ids[at]) * (len(group) + 1) > BATCH_TOKENS:
            yield group
            group = []
        group.append(at)
    yield group


def _padded(ids: list[list[int]], labels: list[int]) -> Batch:
    longest = max(map(len, ids))
    rows = [row + [PADDING] * (longest - len(row)) for row in ids]
    return Batch(torch.tensor(rows), torch.tensor([len(row) for row in ids]), torch.tensor(labels))


def _train(network: PairNetwork, batches: list[Batch], checkpoint: Path, stop: int) -> None:
    _new_head(network)
    for name, tensor in network.named_parameters():
        tensor.requires_grad_(is_upper(name, LOWER_LAYERS))
    trained = [tensor for tensor in network.parameters() if tensor.requires_grad]
    optimizer = torch.optim.AdamW(trained, PEAK, weight_decay=DECAY)
    first = _resumed(network, optimizer, checkpoint, len(batches))
    network.train()
    began = saved = time.monotonic()
    pairs = sum(len(batch.labels) for batch in batches)
    print(f"{pairs:,} pairs in {len(batches):,} batches, from batch {first}", flush=True)
    loss_shown = 0.0
    for step in range(first, len(batches)):
        for group in optimizer.param_groups:
            group["lr"] = PEAK * _pace(step / len(batches))
        with precision():
            loss = pair_loss(
                network(batches[step].ids, batches[step].lengths, LOWER_LAYERS, DROPOUT), batches[step].labels
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss_now = float(loss.detach())
        loss_shown = 0.98 * loss_shown + 0.02 * loss_now if step > first else loss_now
        now = time.monotonic()
        if step % 25 == 0:
            left = (now - began) / (step - first + 1) * (len(batches) - step - 1) / 60
            print(f"step {step} of {len(batches)}, loss {loss_shown:.3f}, {left:.0f} min left", flush=True)
        if now - saved > CHECKPOINT_SECONDS:
            _save(network, optimizer, checkpoint, step + 1, len(batches))
            saved = now
        if stop and step + 1 - first >= stop:
            break
    network.eval()


def pair_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean loss. Of a pair known only not to be entailed, what is left to entailment is lost."""
    logs = functional.log_softmax(logits.float(), 1)
    open_ones = labels == NOT_ENTAILED
    known = functional.nll_loss(logs, labels.masked_fill(open_ones, 0), reduction="none")
    denied = -torch.log1p(-logs[:, 0].exp().clamp(max=1 - 1e-4))
    return torch.where(open_ones, denied, known).mean()


def precision() -> AbstractContextManager[object]:
    """Compute in bfloat16 where the processor multiplies it, in float32 elsewhere."""
    able = torch.cpu.get_capabilities()
    if any(able.get(name) for name in ("avx512_bf16", "amx_bf16")):
        bfloat16: AbstractContextManager[object] = torch.autocast("cpu", torch.bfloat16)
        return bfloat16
    return nullcontext()


def _new_head(network: PairNetwork) -> None:
    for name, tensor in network.head.named_parameters():
        fresh = torch.zeros(tensor.shape) if name.endswith("bias") else torch.randn(tensor.shape) * 0.02
        module = network.head[name.partition(".")[0]]
        setattr(module, name.partition(".")[2], torch.nn.Parameter(fresh))


def _pace(done: float) -> float:
    return done / WARM_UP if done < WARM_UP else (1 - done) / (1 - WARM_UP)


def _save(network: PairNetwork, optimizer: torch.optim.Optimizer, path: Path, step: int, steps: int) -> None:
    upper = {name: tensor for name, tensor in network.named_parameters() if is_upper(name, LOWER_LAYERS)}
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    torch.save({"step": step, "steps": steps, "network": upper, "optimizer": optimizer.state_dict()}, new)
    new.replace(path)


def _resumed(network: PairNetwork, optimizer: torch.optim.Optimizer, path: Path, steps: int) -> int:
    """Take up a checkpoint of the same number of steps; return the step to go on from."""
    if not path.is_file():
        return 0
    kept = torch.load(path, weights_only=True)
    if kept["steps"] != steps:
        return 0
    with torch.no_grad():
        own = dict(network.named_parameters())
        for name, tensor in kept["network"].items():
            own[name].copy_(tensor)
    optimizer.load_state_dict(kept["optimizer"])
    return int(kept["step"])


def _report(network: PairNetwork, tokenizer: Tokenizer, seed: int) -> None:
    """Print how many pairs of rules that were kept back are told rightly, by rule."""
    pairs = list(make_pairs(DEVELOPMENT_PAIRS, seed + 1, development=True))
    right: dict[str, list[bool]] = {}
    with torch.inference_mode(), precision():
        for pair in pairs:
            ids = torch.tensor([tokenizer.encode(pair.premise, pair.hypothesis).ids])
            guess = int(network(ids, torch.tensor([ids.shape[1]])).argmax())
            right.setdefault(pair.source, []).append((guess == 2) == (pair.label == 2))
    print(json.dumps({name: round(sum(told) / len(told), 3) for name, told in sorted(right.items())}, indent=1))


if __name__ == "__main__":
    main()
