"""What each layer of a model keeps for its tokens, by architecture: KV cache, sliding window, recurrent state.

Sizes follow llama.cpp 0.5.0 (`llama-hparams.cpp`, `llama-kv-cache*.cpp`, `llama-memory-*.cpp`).
"""

from __future__ import annotations

from dataclasses import dataclass

from vaultrag.runtime.gguf.header import GgufFile

STATE_BYTES = 4  # recurrent state is kept as f32
LLAMA4_WINDOW = 8192  # llama4 attends in chunks; its file does not say how long they are
# architecture: (every how many-th layer attends to all, whether that one comes first), where the file does not say
WINDOW_PATTERNS = {
    "afmoe": (4, False),
    "cohere2": (4, False),
    "cohere2moe": (4, True),
    "exaone-moe": (4, False),
    "exaone4": (4, False),
    "gemma2": (2, False),
    "gemma3": (6, False),
    "gemma3n": (5, False),
    "gpt-oss": (2, False),
    "laguna": (4, True),
    "llama4": (4, False),
    "mellum": (4, False),
    "muse-glimmer": (4, False),
    "olmo2": (4, False),
    "plamo3": (8, False),
    "smallthinker": (4, True),
}
RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
# architecture: every how many-th layer attends, the others keep a state, where the file does not say
ATTENTION_INTERVALS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "qwen4exp": 4, "minimax-01": 8}
# architectures whose layers without KV heads keep a state
HEADLESS_RECURRENT = frozenset(
    {
        "bailingmoe3", "glm5-next", "granitehybrid", "jamba", "kimi-k3", "kimi-linear", "lfm2", "lfm2moe", "nemotron_h",
        "nemotron_h_moe", "plamo2",
    }
)  # fmt: skip
GEMMA3N_CACHING = 20  # layers of gemma3n that keep a KV cache; the others use theirs


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer: bytes of its weights by kind, elements of K and V kept for each token, bytes of recurrent state.

    `repacked` of its bytes are rearranged where they are computed on an x86 CPU, which copies them out of the file.
    """

    attention: int = 0
    feed_forward: int = 0
    experts: int = 0
    shared_experts: int = 0
    other: int = 0
    repacked: int = 0
    repacked_experts: int = 0
    key_width: int = 0
    value_width: int = 0
    window: int = 0
    state: int = 0

    @property
    def size(self) -> int:
        return self.dense + self.experts

    @property
    def dense(self) -> int:
        """What is read for every token."""
        return self.attention + self.feed_forward + self.shared_experts + self.other


def empty_layer(file: GgufFile, index: int) -> LayerFacts:
    """Return a layer without weights: what it keeps for each token, and its state."""
    if index >= file.block_count - file.count("nextn_predict_layers"):
        return LayerFacts()
    recurrent = _is_recurrent(file, index)
    state = _state(file) if recurrent else 0
    if (recurrent and file.architecture != "falcon-h1") or not _keeps_cache(file, index):
        return LayerFacts(state=state)
    heads = file.for_layers("attention.head_count")[index]
    groups = file.for_layers("attention.head_count_kv", heads)[index]
    width = file.count("embedding_length") // heads if heads else 0
    window = _window(file, index)
    suffix = "_swa" if window else ""
    key = file.count(f"attention.key_length{suffix}", file.count("attention.key_length", width))
    value = file.count(f"attention.value_length{suffix}", file.count("attention.value_length", width))
    if file.count("attention.key_length_mla") and file.count("attention.value_length_mla"):
        value = 0  # latent attention keeps one compressed vector in the place of K, and no V
    return LayerFacts(key_width=groups * key, value_width=groups * value, window=window, state=state)


def _window(file: GgufFile, index: int) -> int:
    """Return the layer's sliding window; 0 where it attends to everything."""
    window = file.count("attention.sliding_window")
    if file.architecture == "llama4" and file.own("attention.sliding_window") is None:
        window = LLAMA4_WINDOW
    pattern = file.own("attention.sliding_window_pattern")
    if isinstance(pattern, tuple):
        return window if index < len(pattern) and pattern[index] else 0
    if window == 0 or (file.architecture not in WINDOW_PATTERNS):
        return 0
    every, first = WINDOW_PATTERNS[file.architecture]
    every = file.count("attention.sliding_window_pattern", every)
    attends_to_all = every != 0 and index % every == (0 if first else every - 1)
    return 0 if attends_to_all else window


def _keeps_cache(file: GgufFile, index: int) -> bool:
    """Whether the layer has a KV cache of its own."""
    if file.architecture == "gemma3n":
        return index < GEMMA3N_CACHING
    return index < file.block_count - file.count("attention.shared_kv_layers")


def _is_recurrent(file: GgufFile, index: int) -> bool:
    if file.architecture in RECURRENT or file.architecture == "falcon-h1":
        return True
    if file.architecture in HEADLESS_RECURRENT:
        has_heads = file.for_layers("attention.head_count_kv", 1)[index] > 0
        feeds = file.architecture.startswith("nemotron") and file.for_layers("feed_forward_length")[index] > 0
        return not has_heads and not feeds
    marked = file.own("attention.recurrent_layers")
    if isinstance(marked, tuple):
        return bool(index < len(marked) and marked[index])
    if file.architecture not in ATTENTION_INTERVALS:
        return False
    interval = file.count("full_attention_interval", ATTENTION_INTERVALS[file.architecture])
    return (index + 1) % interval != 0 if interval else True


def _state(file: GgufFile) -> int:
    """Return the bytes of state that a recurrent layer keeps for each sequence (`n_embd_r`, `n_embd_s`)."""
    width, heads = file.count("embedding_length"), max(file.for_layers("attention.head_count"), default=0)
    convolution = max(file.count("ssm.conv_kernel") - 1, 0)
    if head := file.count("wkv.head_size"):
        return STATE_BYTES * (file.count("token_shift_count", 2) * width + width * head)
    if cache := file.count("shortconv.l_cache"):
        return STATE_BYTES * width * (cache - 1)
    if head := file.count("kda.head_dim"):
        return STATE_BYTES * (3 * (convolution or 3) * heads * head + head * head * heads)
    if file.architecture == "minimax-01":
        head = file.count("attention.key_length", width // heads if heads else 0)
        return STATE_BYTES * head * head * heads
    inner, state = file.count("ssm.inner_size"), file.count("ssm.state_size")
    return STATE_BYTES * (convolution * (inner + 2 * file.count("ssm.group_count") * state) + state * inner)
