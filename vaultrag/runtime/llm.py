"""The answer model, seen from the parent: a child process that can be lost without losing anything else."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from vaultrag.child import Child, ChildDied, ChildFailed
from vaultrag.domain import Generation, Message, Piece, Priority, Sampling, Scores, Thought, encodable
from vaultrag.errors import VaultragError
from vaultrag.runtime.crashes import Lost, crashed, last_words, reported
from vaultrag.runtime.eviction import Candidate, Lease
from vaultrag.runtime.first_evaluation import FirstEvaluation
from vaultrag.runtime.gguf.header import GgufHeader, read_header
from vaultrag.runtime.hardware.machine import physical_cores
from vaultrag.runtime.llama.cpu_limit import ENDED_BY
from vaultrag.runtime.queue import RequestQueue, Ticket
from vaultrag.runtime.replay import Said
from vaultrag.runtime.run_settings import LoadedInfo, Loads, Running, Speed

Frames: TypeAlias = Generator[dict[str, Any], None, None]

log = logging.getLogger("vaultrag.models")

SPOKEN = {"text", "thought", "logprobs"}
SIGN_OF_LIFE_SECONDS = 0.25  # how often whoever waits in the line can leave it
ATTEMPTS = 2  # a process lost before the first word is replaced once; a second loss has a reason


class ChildModel:
    """A GGUF model in a child process: started by the first request, replaced after a crash by the next one.

    `context` and `gpu_layers` as in `[runtime]`; `threads` 0 means the physical cores. `timeout` in seconds bounds the
    wait for each sign of life. `first` knows what the build was seen to do. Raises ModelNotFound or ModelError for the
    file, ModelCrashed for the process, GenerationFailed for a prompt that the model cannot take.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        context: int,
        threads: int,
        gpu_layers: int,
        spin_count: int,
        timeout: float,
        running: Running | None = None,
    ) -> None:
        self._name = name
        self._path = path
        self._context = context
        self._threads = threads or physical_cores()
        self._gpu_layers = gpu_layers
        self.timeout = timeout
        self._running = running or Running()
        self._child = Child(
            f"the model {name}",
            "vaultrag.runtime.llama.worker",
            {
                "GOMP_SPINCOUNT": str(spin_count),
                "OMP_NUM_THREADS": str(self._threads),
                "GGML_NO_BACKTRACE": "1",  # a failed assertion would start a debugger
            },
        )
        self.first = FirstEvaluation(name, path, self._running.extra_buffers)
        self._closings = 0
        self._loading = threading.Lock()
        self._loaded: LoadedInfo | None = None
        self._loaded_pid: int | None = None
        self._share: float | None = None
        self._header: GgufHeader | None = None
        self._queue = RequestQueue()
        self._unloading: threading.Timer | None = None
        self._eviction = self._running.eviction
        self._eviction.settle(Candidate(path, name, lambda: self._child.alive, self.let_go))

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_length(self) -> int:
        """Return the tokens that prompt and answer may have together. Reads the file's header only."""
        if self._header is None:
            self._header = read_header(self._path)
        planned = self._running.placement
        return min(planned.context if planned else self._context, self._header.context_length)

    @property
    def alive(self) -> bool:
        return self._child.alive

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def start(self) -> None:
        """Begin to load in the background. What goes wrong there is raised by the first request."""
        threading.Thread(target=self._load_quietly, name=f"load {self._name}", daemon=True).start()

    @property
    def loaded(self) -> LoadedInfo | None:
        """Return what is in memory now."""
        return self._loaded if self._is_loaded() else None

    @property
    def loading_share(self) -> float | None:
        """Return how far the load is that runs now; None where none does."""
        return self._share

    def load(self) -> LoadedInfo:
        """Wait until the model is loaded; say what it is."""
        loading = self.loading()
        while True:
            try:
                next(loading)
            except StopIteration as done:
                info: LoadedInfo = done.value
                return info

    def loading(self) -> Loads:
        """Yield how far it is until the model is loaded; say what it is. Who leaves early does not stop the load."""
        self._stay()
        try:
            with self._eviction.lease(self._path, Priority.PERSON) as held:
                while not self._eviction.wait(held, SIGN_OF_LIFE_SECONDS):
                    yield 0.0
                return (yield from self._ensured())
        except Lost as lost:
            raise self.first.crashed(lost) from lost
        finally:
            self._unload_later()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        body = {"texts": [encodable(text) for text in texts]}
        counts: list[int] = self._last("count", body)["counts"]
        return counts

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Piece, None, None]:
        """Yield pieces of text and thought, then one `Generation`; while it waits or reads, empty pieces.

        At each piece the iterator can be closed, which stops the model at once; so does an exception from outside.
        """
        body = {"messages": _turns(messages), "sampling": asdict(sampling)}
        waited = 0.0
        pieces: list[str] = []
        thought: list[str] = []
        with contextlib.closing(self._queued("generate", body, sampling.priority)) as frames:
            for frame in frames:
                if "generation" in frame:
                    figures = {**frame["generation"], "waited_seconds": waited}
                    yield Generation(text="".join(pieces), thought="".join(thought), **figures)
                elif "thought" in frame:
                    thought.append(frame["thought"])
                    yield Thought(thought[-1])
                else:
                    waited += frame.get("waited", 0.0)
                    pieces.append(frame.get("text", ""))
                    yield pieces[-1]

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        """Say how likely each option is as the answer."""
        return self.score_each([messages], options, priority)[0]

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        """Score the same options after each conversation; what the conversations begin with is read once."""
        body = {
            "conversations": [_turns(messages) for messages in conversations],
            "options": [encodable(option) for option in options],
            "priority": priority,
        }
        return [
            Scores(tuple(options), tuple(frame["logprobs"]), calibrated=True, **frame["figures"])
            for frame in self._queued("score", body, priority)
            if "logprobs" in frame
        ]

    def measure(self) -> Speed:
        """Time this model on this machine with a synthetic prompt; takes as long as 256 tokens of prompt."""
        figures = self._last("measure", {})
        return Speed(figures["prefill"], figures["decode"])

    @contextlib.contextmanager
    def _turn(self, priority: Priority) -> Iterator[Ticket]:
        """Hold a place in the line; once idle for long enough, the process ends."""
        ticket = self._queue.join(priority, self._give_way)
        self._stay()
        try:
            yield ticket
        finally:
            self._queue.leave(ticket)
            self._unload_later()

    def _queued(self, method: str, body: dict[str, Any], priority: Priority) -> Frames:
        """Yield the frames of a request in its turn. The night's are interrupted for a person, and go on afterwards."""
        suspended, said, pid, closings = False, Said(self._name), None, self._closings
        try:
            with self._turn(priority) as ticket, self._eviction.lease(self._path, priority) as held:
                while True:
                    began = time.monotonic()
                    while not self._queue.wait(ticket, SIGN_OF_LIFE_SECONDS):
                        yield {}
                    while not self._eviction.wait(held, SIGN_OF_LIFE_SECONDS):
                        yield {}
                    yield {"waited": time.monotonic() - began}
                    lost = suspended and (not self._child.alive or self._child.pid != pid)
                    if lost and closings != self._closings:  # who closed it wants nothing read again
                        raise crashed(Lost(f"the model {self._name} was closed while this request stood aside"))
                    if lost:
                        said.rewind()
                    frames = self._resumed() if suspended and not lost else self._frames(method, body)
                    suspended, pid = False, self._child.pid
                    with contextlib.closing(frames):
                        for frame in frames:
                            suspended, pid = "suspended" in frame, self._child.pid
                            if not suspended:
                                yield said.fresh(frame)
                            if priority is Priority.NIGHT and self._is_wanted(held):
                                self._give_way()
                    if not suspended:
                        return
                    self._queue.step_aside(ticket)
                    self._eviction.step_aside(held)
        except GeneratorExit:
            if priority is Priority.NIGHT:
                self._drop_suspended()
            raise

    def _resumed(self) -> Frames:
        try:
            yield from self._stream("resume", {})
        except Lost as lost:
            raise self.first.crashed(lost) from lost

    def _is_wanted(self, held: Lease) -> bool:
        """Whether a person waits for this model, or for one that has no room beside it."""
        return self._queue.person_waits() or self._eviction.person_waits_for(held)

    def _give_way(self) -> None:
        """Interrupt what runs, but never the loading: everyone waits for that."""
        if not self._loading.locked():
            self._child.interrupt()

    def _drop_suspended(self) -> None:
        """Let the worker give up what nobody will ask for again; if others use it, the next night's work does."""
        if self._child.alive and self._queue.idle:
            with contextlib.suppress(VaultragError):
                self._last("drop", {})

    def _stay(self) -> None:
        if self._unloading is not None:
            self._unloading.cancel()

    def _unload_later(self) -> None:
        self._stay()
        if self._running.unload_seconds > 0:
            self._unloading = threading.Timer(self._running.unload_seconds, self._unload)
            self._unloading.daemon = True
            self._unloading.start()

    def let_go(self) -> None:
        """End the process, which nobody is using; the next request starts another."""
        with self._loading:
            self._child.close()

    def _unload(self) -> None:
        """End the process in a turn of its own: a request that comes meanwhile waits for it and starts another."""
        ticket = self._queue.join(Priority.NIGHT, lambda: None)
        if self._queue.wait(ticket, 0):
            with self._loading:
                self._child.close()
        self._queue.leave(ticket)

    def close(self) -> None:
        """End the process and free its memory. A later request starts a new one."""
        self._closings += 1
        self._child.close()

    def _last(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        *_, last = self._queued(method, body, Priority.PERSON)
        return last

    def _frames(self, method: str, body: dict[str, Any]) -> Frames:
        """Yield the answer's frames; a process lost before its first words is replaced once."""
        closings, attempts = self._closings, ATTEMPTS
        while attempts:
            spoken = False
            try:
                with contextlib.closing(self._request(method, body)) as frames:
                    for frame in frames:
                        spoken = spoken or not frame.keys().isdisjoint(SPOKEN)
                        yield frame
                return
            except Lost as lost:
                attempts -= 0 if closings == self._closings and self.first.another_way(lost) else 1
                if spoken or lost.for_good or not attempts or closings != self._closings:
                    raise self.first.crashed(lost) from lost

    def _request(self, method: str, body: dict[str, Any]) -> Frames:
        yield from ({} for _ in self._ensured())
        yield from self._stream(method, body)

    def _ensured(self) -> Loads:
        """Yield how far the load is, which goes on in its thread when the asker leaves: others wait for it too."""
        if self._loaded is not None and self._is_loaded():
            return self._loaded
        loading: Future[LoadedInfo] = Future()
        threading.Thread(target=self._fulfil, args=(loading,), name=f"load {self._name}", daemon=True).start()
        while not wait([loading], SIGN_OF_LIFE_SECONDS).done:
            yield self._share or 0.0
        return loading.result()

    def _fulfil(self, loading: Future[LoadedInfo]) -> None:
        try:
            loading.set_result(self._ensure_loaded())
        except (VaultragError, Lost) as error:
            loading.set_exception(error)

    def _is_loaded(self) -> bool:
        return self._child.alive and self._loaded_pid == self._child.pid

    def _ensure_loaded(self) -> LoadedInfo:
        with self._loading:
            if self._loaded is None or not self._is_loaded():
                self._loaded = self._load_some_way()
                self._loaded_pid = self._child.pid
            return self._loaded

    def _load_some_way(self) -> LoadedInfo:
        closings = self._closings
        try:
            return self._request_load()
        except Lost as lost:
            if closings != self._closings or not self.first.another_way(lost):
                raise
            return self._request_load()

    def _request_load(self) -> LoadedInfo:
        body = {
            "path": str(self._path),
            "context": self._context,
            "threads": self._threads,
            "gpu_layers": self._gpu_layers,
            **self._running.to_json(),
            "extra_buffers": self.first.extra_buffers,
            "prove": self.first.owes_proof,
        }
        self.first.begin()
        loaded: dict[str, Any] = {}
        self._share = 0.0
        try:
            for frame in self._stream("load", body):
                self._share = frame.get("loading", self._share)
                loaded = frame.get("loaded", loaded)
        except VaultragError:
            self._child.close()  # what was loaded so far would stay in its memory
            raise
        finally:
            self._share = None
        if loaded["warning"]:
            log.info("%s: %s", self._name, loaded["warning"])  # whoever asks is told as well
        return LoadedInfo.from_json(loaded)

    def _stream(self, method: str, body: dict[str, Any]) -> Frames:
        """Send one request to the process as it is. Raises Lost, or the error that the process reported."""
        heard = time.monotonic()
        try:
            with contextlib.closing(self._child.stream(method, body, self.timeout)) as frames:
                for frame in frames:
                    heard = time.monotonic()
                    if "failed" in frame.body:
                        raise reported(frame)
                    self.first.hear(frame.body)
                    yield frame.body
        except ChildDied as died:
            for_good = died.code == ENDED_BY or time.monotonic() - heard >= self.timeout
            raise Lost(died.cause + last_words(died), for_good, max(0, -(died.code or 0))) from died
        except ChildFailed as failed:
            raise Lost(f"the model {self._name} failed ({failed.kind}: {failed.message})") from failed

    def _load_quietly(self) -> None:
        with contextlib.suppress(VaultragError):
            self.load()


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": encodable(message.content)} for message in messages]
