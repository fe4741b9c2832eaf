"""The answer model's process: `python -m vaultrag.runtime.llama.worker`, spoken to by `vaultrag.runtime.llm`."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias

from vaultrag.child import Frame, Handler, serve
from vaultrag.domain import Message, Priority, Purity, Sampling
from vaultrag.errors import VaultragError
from vaultrag.runtime.chat_format.template import choose_template
from vaultrag.runtime.chat_format.text_stream import thinking_marks
from vaultrag.runtime.gguf.facts import read_facts
from vaultrag.runtime.gguf.header import read_header
from vaultrag.runtime.hardware.machine import BackendInfo
from vaultrag.runtime.llama import model as native_model
from vaultrag.runtime.llama.cpu_limit import allowed, first_token_seconds
from vaultrag.runtime.llama.draft_model import DraftModel
from vaultrag.runtime.llama.generation import GenerationRun
from vaultrag.runtime.llama.load_progress import Loaded, Report, watched
from vaultrag.runtime.llama.model import NativeModel
from vaultrag.runtime.llama.prompt_cache import PromptCache
from vaultrag.runtime.llama.scoring import Scoring
from vaultrag.runtime.llama.session import Session
from vaultrag.runtime.llama.slot import Slot, Snapshot
from vaultrag.runtime.llama.speculation import Pace
from vaultrag.runtime.models.sampling_advice import Advice
from vaultrag.runtime.offload.choose import Decision, Wish, choose_placement
from vaultrag.runtime.offload.placement import ALL_LAYERS, Placement
from vaultrag.runtime.offload.plan import Budget

if sys.platform != "win32":
    import resource

WORTH_KEEPING_SECONDS = 2.0  # of reading: what took less is read again sooner than it is worth its place on the disk
MOST_ASIDE_BYTES = 4 << 30  # of an interrupted conversation's state in memory; a larger one is read again
PROVED_TOKENS = 64  # half a second of a small model on two cores: once for each model, machine and build
MEASURED_PREFILL = 256  # tokens: one whole batch
MEASURED_DECODE = 8  # tokens: about half a second on two cores
MEASURED_TEXT = "Notes about the garden, the server and the book. Заметки о саде, сервере и книге. "


Work: TypeAlias = GenerationRun | Scoring


class Worker:
    """Answers the parent's requests with one model, one request at a time.

    The night's work that a person interrupted waits in `_suspended`; its state is put aside once another request
    needs the slot.
    """

    def __init__(self) -> None:
        self._session: Session | None = None
        self._suspended: Work | None = None
        self._aside: Snapshot | None = None

    @property
    def handlers(self) -> dict[str, Handler]:
        methods: dict[str, Handler] = {
            "backend": self.backend,
            "load": self.load,
            "count": self.count,
            "generate": self.generate,
            "score": self.score,
            "resume": self.resume,
            "drop": self.drop,
            "measure": self.measure,
        }
        return {name: _reporting(method) for name, method in methods.items()}

    def backend(self, _request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
        """Say what the installed llama-cpp-python is."""
        yield Frame(asdict(native_model.describe_backend()))

    def load(self, request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Load the model and evaluate one token, so that its weights are in memory; yield how far and what it is."""
        path, backend = Path(request.body["path"]), native_model.describe_backend()
        size = read_facts(path).size
        decision = _decision(request.body, path, backend)
        copies = decision.placement.repack and not backend.gpu_offload
        yield Frame({"copies": copies})
        loading = watched(lambda report: self._load(request.body, decision, backend, cancelled, report), size)
        loaded = yield from _shares(loading)
        if request.body["prove"] and (copies or not request.body["extra_buffers"]):
            self._prove(cancelled)
            yield Frame({"proved": True})
        yield Frame({"loaded": loaded})

    def _load(
        self, body: dict[str, Any], decision: Decision, backend: BackendInfo, cancelled: threading.Event, report: Report
    ) -> dict[str, Any]:
        path, placement = Path(body["path"]), decision.placement
        header = read_header(path)
        model = NativeModel(path, placement, cancelled, report)
        with contextlib.nullcontext() if backend.gpu_offload else allowed(first_token_seconds(model.size)):
            slot = Slot(model, placement)  # a card's driver may compile for minutes, so nothing is counted there
            buffers = tuple(native_model.log.buffers)
            slot.append(model.vocabulary.content_ids("a")[:1], cancelled)
            slot.clear()
        chosen = choose_template(header.chat_template, model.vocabulary.bos, model.vocabulary.eos, header.architecture)
        self._session = Session(
            model=model,
            slot=slot,
            chosen=chosen,
            marks=thinking_marks(header.chat_template),
            prompt_cache=_prompt_cache(body, path, placement),
            lookup=Pace() if body["lookup"] else None,
            draft=_draft(body["draft"], placement, model),
            advice=Advice.from_json(body["advice"]),
        )
        return {
            "model": header.name,
            "architecture": header.architecture,
            "context": slot.context,
            "context_trained": model.context_trained,
            "parameters": model.parameters,
            "size": model.size,
            "gpu_layers": placement.gpu_layers,
            "gpu_reason": decision.reason,
            "backend": asdict(backend),
            "warning": " ".join(filter(None, (decision.warning, chosen.warning))),
            "buffers": [[buffer.device, buffer.purpose, buffer.size] for buffer in buffers],
        }

    def _prove(self, cancelled: threading.Event) -> None:
        """Evaluate a batch, which takes another way through ggml than one token does."""
        session = self._loaded()
        unit = session.model.vocabulary.content_ids(MEASURED_TEXT)
        session.slot.append((unit * PROVED_TOKENS)[: min(PROVED_TOKENS, session.slot.batch)], cancelled)
        session.slot.clear()

    def count(self, request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
        """Count each text's tokens, as content."""
        vocabulary = self._loaded().model.vocabulary
        yield Frame({"counts": [len(vocabulary.content_ids(text)) for text in request.body["texts"]]})

    def generate(self, request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Yield `prefilled`, `thought` and `text` frames, then one `generation`; or `suspended`."""
        sampling = _sampling(request.body["sampling"])
        work = GenerationRun(self._loaded(), _messages(request.body["messages"]), sampling)
        yield from self._begin(work, sampling.priority, cancelled)

    def score(self, request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Yield `prefilled` frames and, for each conversation, the options' log probabilities; or `suspended`."""
        conversations = [_messages(messages) for messages in request.body["conversations"]]
        work = Scoring(self._loaded(), conversations, request.body["options"])
        yield from self._begin(work, Priority(request.body["priority"]), cancelled)

    def resume(self, _request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Go on with what was suspended."""
        work, self._suspended = self._suspended, None
        if work is None:
            raise NotLoaded
        aside, self._aside = self._aside, None
        if aside is not None:
            self._loaded().slot.restore(aside)
        yield from self._go_on(work, Priority.NIGHT, cancelled)

    def drop(self, _request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
        """Give up what was suspended."""
        self._drop_suspended()
        yield Frame({})

    def measure(self, _request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Time a synthetic prompt: tokens a second read and written."""
        self._put_aside()
        session = self._loaded()
        slot = session.slot
        unit = session.model.vocabulary.content_ids(MEASURED_TEXT)
        length = min(MEASURED_PREFILL, slot.context - MEASURED_DECODE)
        slot.clear()
        began = time.monotonic()
        for done in slot.prefill((unit * (length // len(unit) + 1))[:length], cancelled):
            yield Frame({"prefilled": done})
        read = time.monotonic()
        for _ in range(MEASURED_DECODE):
            slot.append([int(slot.logits().argmax())], cancelled)
        written = time.monotonic()
        slot.clear()
        yield Frame({"prefill": length / (read - began), "decode": MEASURED_DECODE / (written - read)})

    def _begin(self, work: Work, priority: Priority, cancelled: threading.Event) -> Iterator[Frame]:
        if priority is Priority.NIGHT:
            self._drop_suspended()
        else:
            self._put_aside()
        yield from self._go_on(work, priority, cancelled)

    def _go_on(self, work: Work, priority: Priority, cancelled: threading.Event) -> Iterator[Frame]:
        yield from work.frames(cancelled)
        if priority is Priority.NIGHT and not work.finished:
            self._suspended = work
            yield Frame({"suspended": True})
            return
        work.close()
        if isinstance(work, GenerationRun):
            yield Frame({"generation": asdict(work.figures)})
            self._keep_state(work)

    def _keep_state(self, work: GenerationRun) -> None:
        """Write the state of a prompt that took long to read, without its answer where the model can go back."""
        session = self._loaded()
        if session.prompt_cache is None or work.figures.prefill_seconds < WORTH_KEEPING_SECONDS or not work.finished:
            return
        if session.slot.has_past:
            session.slot.cut(min(work.prompt_length, len(session.slot.ids)))
        session.prompt_cache.keep(session.slot)

    def _put_aside(self) -> None:
        """Make room for a person without losing what the night has read."""
        if self._suspended is not None and self._aside is None:
            slot = self._loaded().slot
            if slot.ids and slot.snapshot_bytes() <= MOST_ASIDE_BYTES:
                self._aside = slot.snapshot()

    def _drop_suspended(self) -> None:
        if self._suspended is not None:
            self._suspended.close()
        self._suspended = self._aside = None

    def _loaded(self) -> Session:
        if self._session is None:
            raise NotLoaded
        return self._session


class NotLoaded(Exception):
    """The process is new and holds no model yet; the parent loads it and asks again."""


def _decision(body: dict[str, Any], path: Path, backend: BackendInfo) -> Decision:
    given = Placement.from_json(body["placement"]) if body["placement"] is not None else None
    room = Budget(tuple(body["room"][0]), body["room"][1]) if body["room"] is not None else None
    repack = body["repack"] and body["extra_buffers"]
    wish = Wish(body["context"], body["threads"], body["gpu_layers"], given, room, repack)
    return choose_placement(path, wish, backend)


def _shares(loading: Generator[float, None, Loaded]) -> Generator[Frame, None, Loaded]:
    """Turn the shares into frames."""
    while True:
        try:
            share = next(loading)
        except StopIteration as done:
            loaded: Loaded = done.value
            return loaded
        yield Frame({"loading": round(share, 3)})


def _prompt_cache(body: dict[str, Any], path: Path, placement: Placement) -> PromptCache | None:
    if not body["states"] or body["states_bytes"] <= 0:
        return None
    stat = path.stat()
    cache = (placement.context, placement.key_type, placement.value_type, placement.flash_attention, placement.batch)
    key = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {native_model.VERSION} {cache}"
    return PromptCache(Path(body["states"]), key, body["states_bytes"])


def _draft(path: str, placement: Placement, model: NativeModel) -> DraftModel | None:
    """Load the draft beside its model: on the GPU when that is there at all."""
    if not path or not model.has_past:
        return None
    place = replace(placement, gpu_layers=min(placement.gpu_layers, 0), tensor_split=(), expert_cpu_layers=())
    if placement.gpu_layers > 0:
        place = replace(place, gpu_layers=ALL_LAYERS)
    return DraftModel(Path(path), place, model)


def _messages(turns: Sequence[dict[str, str]]) -> list[Message]:
    return [Message(**turn) for turn in turns]


def _sampling(values: dict[str, Any]) -> Sampling:
    return Sampling(
        **{
            **values,
            "stop": tuple(values["stop"]),
            "purity": Purity(values["purity"]),
            "priority": Priority(values["priority"]),
        }
    )


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
