"""The answer model's process: `python -m vaultrag.runtime.llm_child`, spoken to by `vaultrag.runtime.llm`."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vaultrag.child import Frame, Handler, serve
from vaultrag.domain import Message, Sampling
from vaultrag.errors import GenerationFailed, VaultragError
from vaultrag.runtime import llamacpp
from vaultrag.runtime.gguf import read_header
from vaultrag.runtime.llamacpp import LoadedModel
from vaultrag.runtime.machine import choose_gpu_layers
from vaultrag.runtime.slot import CPU_BATCH, GPU_BATCH, Aborted, Slot
from vaultrag.runtime.template import ChosenTemplate, TemplateFailed, choose_template
from vaultrag.runtime.text_stream import TextStream

if sys.platform != "win32":
    import resource

MEASURED_PREFILL = 256  # tokens: one whole batch
MEASURED_DECODE = 8  # tokens: about half a second on two cores
MEASURED_TEXT = "Notes about the garden, the server and the book. Заметки о саде, сервере и книге. "


@dataclass(frozen=True, slots=True)
class Resident:
    """The model that this process holds."""

    model: LoadedModel
    slot: Slot
    chosen: ChosenTemplate


class Worker:
    """Answers the parent's requests with one model, one request at a time."""

    def __init__(self) -> None:
        self._resident: Resident | None = None

    @property
    def handlers(self) -> dict[str, Handler]:
        methods: dict[str, Handler] = {
            "backend": self.backend,
            "load": self.load,
            "count": self.count,
            "generate": self.generate,
            "score": self.score,
            "measure": self.measure,
        }
        return {name: _reporting(method) for name, method in methods.items()}

    def backend(self, _request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
        """Say what the installed llama-cpp-python is."""
        yield Frame(asdict(llamacpp.describe_backend()))

    def load(self, request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Load the model and evaluate one token, so that its weights are in memory; say what it is."""
        path = Path(request.body["path"])
        header = read_header(path)
        backend = llamacpp.describe_backend()
        layers = choose_gpu_layers(request.body["gpu_layers"], header.file_size, backend)
        model = LoadedModel(path, layers.count, cancelled)
        batch = GPU_BATCH if layers.count else CPU_BATCH
        slot = Slot(model, request.body["context"], request.body["threads"], batch)
        chosen = choose_template(header.chat_template, model.bos, model.eos)
        slot.append(model.content_ids("a")[:1], cancelled)
        slot.clear()
        self._resident = Resident(model, slot, chosen)
        loaded = {
            "model": header.name,
            "architecture": header.architecture,
            "context": slot.context,
            "context_trained": model.context_trained,
            "parameters": model.parameters,
            "size": model.size,
            "gpu_layers": layers.count,
            "gpu_reason": layers.reason,
            "backend": asdict(backend),
            "warning": chosen.warning,
        }
        yield Frame({"loaded": loaded})

    def count(self, request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
        """Count each text's tokens, as content."""
        model = self._loaded().model
        yield Frame({"counts": [len(model.content_ids(text)) for text in request.body["texts"]]})

    def generate(self, request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Yield `prefilled` and `text` frames, then one `generation`."""
        resident = self._loaded()
        sampling = Sampling(**{**request.body["sampling"], "stop": tuple(request.body["sampling"]["stop"])})
        ids = _prompt(resident, [Message(**message) for message in request.body["messages"]], sampling.max_tokens)
        yield from Continuation(resident, ids, sampling).frames(cancelled)

    def score(self, request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Yield `prefilled` frames and, for each conversation, the options' log probabilities."""
        resident = self._loaded()
        options = [resident.model.content_ids(option) for option in request.body["options"]]
        for conversation in request.body["conversations"]:
            began = time.monotonic()
            ids = _prompt(resident, [Message(**message) for message in conversation], max(map(len, options)))
            cached = resident.slot.keep_prefix(ids)
            for done in resident.slot.prefill(ids[cached:], cancelled):
                yield Frame({"prefilled": cached + done})
            logprobs = resident.slot.score(len(ids), options, cancelled)
            figures = {"prompt_tokens": len(ids), "cached_tokens": cached, "seconds": time.monotonic() - began}
            yield Frame({"logprobs": logprobs, "figures": figures})

    def measure(self, _request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Time a synthetic prompt: tokens a second read and written."""
        resident = self._loaded()
        slot = resident.slot
        unit = resident.model.content_ids(MEASURED_TEXT)
        length = min(MEASURED_PREFILL, slot.context - MEASURED_DECODE)
        slot.clear()
        began = time.monotonic()
        for done in slot.prefill((unit * (length // len(unit) + 1))[:length], cancelled):
            yield Frame({"prefilled": done})
        read = time.monotonic()
        with slot.sampler(Sampling()) as sampler:
            for _ in range(MEASURED_DECODE):
                slot.append([sampler.choose()], cancelled)
        written = time.monotonic()
        slot.clear()
        yield Frame({"prefill": length / (read - began), "decode": MEASURED_DECODE / (written - read)})

    def _loaded(self) -> Resident:
        if self._resident is None:
            raise NotLoaded
        return self._resident


class NotLoaded(Exception):
    """The process is new and holds no model yet; the parent loads it and asks again."""


def _prompt(resident: Resident, messages: Sequence[Message], reserved: int) -> list[int]:
    try:
        parts = resident.chosen.template.render(messages)
    except TemplateFailed as failed:
        raise GenerationFailed(
            f"The model's chat template refuses this conversation: {failed}.", "Name another model in `roles.answer`."
        ) from failed
    ids = resident.model.prompt_ids(parts)
    room = resident.slot.context - reserved
    if len(ids) > room:
        raise GenerationFailed(
            f"The prompt has {len(ids)} tokens; the context of {resident.slot.context} leaves room for {max(room, 0)}.",
            "Ask with fewer passages or a lower `answering.max_tokens`, or raise `runtime.context`.",
        )
    return ids


class Continuation:
    """An answer being written: how far it came, and how long that took."""

    def __init__(self, resident: Resident, ids: list[int], sampling: Sampling) -> None:
        self._resident = resident
        self._ids = ids
        self._sampling = sampling
        self._finish = "aborted"
        self._cached = self._written = 0
        self._prefill_seconds = self._decode_seconds = 0.0

    def frames(self, cancelled: threading.Event) -> Iterator[Frame]:
        """Yield `prefilled` frames, `text` frames, and the figures at the end, however it ends."""
        with contextlib.suppress(Aborted):
            yield from self._read(cancelled)
            yield from self._write(cancelled)
        yield Frame({"generation": self._figures()})

    def _read(self, cancelled: threading.Event) -> Iterator[Frame]:
        began = time.monotonic()
        self._cached = self._resident.slot.keep_prefix(self._ids)
        for done in self._resident.slot.prefill(self._ids[self._cached :], cancelled):
            yield Frame({"prefilled": self._cached + done})
        self._prefill_seconds = time.monotonic() - began

    def _write(self, cancelled: threading.Event) -> Iterator[Frame]:
        began = time.monotonic()
        stream = TextStream((*self._sampling.stop, *self._resident.chosen.stop))
        try:
            for token in self._tokens(cancelled):
                if text := stream.feed(self._resident.model.piece(token)):
                    yield Frame({"text": text})
                if stream.stopped:
                    self._finish = "stop"
                    return
            if text := stream.finish():
                yield Frame({"text": text})
        finally:
            self._decode_seconds = time.monotonic() - began

    def _tokens(self, cancelled: threading.Event) -> Iterator[int]:
        model, slot = self._resident.model, self._resident.slot
        with slot.sampler(self._sampling) as sampler:
            while True:
                token = sampler.choose()
                if model.ends(token):
                    self._finish = "stop"
                    return
                self._written += 1
                yield token
                if self._written >= self._sampling.max_tokens:
                    self._finish = "length"
                    return
                slot.append([token], cancelled)

    def _figures(self) -> dict[str, Any]:
        return {
            "finish": self._finish,
            "prompt_tokens": len(self._ids),
            "cached_tokens": self._cached,
            "completion_tokens": self._written,
            "prefill_seconds": self._prefill_seconds,
            "decode_seconds": self._decode_seconds,
        }


def _reporting(handler: Handler) -> Handler:
    """Send our own errors as a frame with their kind and remedy, which a bare exception would lose."""

    def answer(request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        try:
            yield from handler(request, cancelled)
        except VaultragError as error:
            yield Frame({"failed": error.kind, "message": error.message, "remedy": error.remedy})

    return answer


def _forbid_core_dumps() -> None:
    """A dump of this process would leave note text, and gigabytes, on the disk."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _forbid_core_dumps()
    serve(Worker().handlers)
