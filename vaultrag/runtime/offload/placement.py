"""Where a model's parts lie and how llama.cpp is to run it: what the planner decides and the worker loads by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

ALL_LAYERS = -1  # `gpu_layers`: every layer and the output head
CACHE_TYPES = {"f16": 1, "q8_0": 8, "q4_0": 2}  # the numbers of ggml_type in ggml.h
SHARED_SEQUENCES = 17  # the conversation, and the branches that a slot scores beside it
ALONE = 1  # the conversation of a model whose state cannot go back
WINDOWS = 4  # kept where sliding windows are short: llama.cpp keeps one for each sequence; an answer can be taken back
OUTPUTS = 24  # positions of a batch whose logits a slot can ask for: each costs a row of the vocabulary's size
EXPERTS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"  # llama.cpp's own pattern for the experts of a layer


@dataclass(frozen=True, slots=True)
class Placement:
    """One model on one machine. The defaults are a model on the CPU, mapped from its file.

    `gpu_layers` counts from the end of the model, the output head being one more; `tensor_split` holds one share for
    each GPU, empty for one card. The experts of `expert_cpu_layers` stay in RAM although their layer is on a GPU.
    `threads` decode, `threads_batch` read the prompt. `swa_full` keeps the whole context in layers that look back over
    a window only, so that any earlier prefix can be reused; `sequences` share one KV cache. `repack` lets the CPU copy
    weights into the order that it computes fastest in, which takes RAM beside a mapped file. Logits can be asked for
    at `outputs` positions of a batch.
    """

    context: int
    threads: int
    threads_batch: int
    gpu_layers: int = 0
    tensor_split: tuple[float, ...] = ()
    expert_cpu_layers: tuple[int, ...] = ()
    key_type: str = "f16"
    value_type: str = "f16"
    flash_attention: bool = True
    batch: int = 128
    micro_batch: int = 128
    use_mmap: bool = True
    swa_full: bool = True
    sequences: int = 1
    repack: bool = True
    outputs: int = OUTPUTS

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a frame or a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Placement:
        """Rebuild what `to_json` gave. Raises TypeError for an unknown or missing key, ValueError for a cache type."""
        placement = cls(
            **{
                **values,
                "tensor_split": tuple(float(share) for share in values.get("tensor_split", ())),
                "expert_cpu_layers": tuple(int(layer) for layer in values.get("expert_cpu_layers", ())),
            }
        )
        for name in (placement.key_type, placement.value_type):
            if name not in CACHE_TYPES:
                raise ValueError(f"`{name}` is no type of a KV cache: {', '.join(CACHE_TYPES)}")
        return placement

    def settled(self, trained: int, window: int, sequences: int) -> Placement:
        """Return the placement as a slot makes it: within the context it was trained for, with these sequences.

        Where sliding windows are kept no longer than they are, nothing branches, and fewer do.
        """
        if window and not self.swa_full:
            sequences = min(sequences, WINDOWS)
        context = min(self.context, trained)
        batch = min(self.batch, context)
        return replace(
            self,
            context=context,
            batch=batch,
            micro_batch=min(self.micro_batch, batch),
            sequences=max(self.sequences, sequences),
        )

    @property
    def logit_rows(self) -> int:
        return max(min(self.outputs, self.batch), self.sequences)

    @property
    def cpu_patterns(self) -> tuple[str, ...]:
        """Return the tensor names that stay in RAM, as the regular expressions that llama.cpp takes."""
        return tuple(rf"blk\.{layer}{EXPERTS}" for layer in self.expert_cpu_layers)
