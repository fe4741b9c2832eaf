"""Child processes for native code that can abort or hang: framed requests over pipes, under a deadline.

A frame is a 4-byte big-endian length, that many bytes of JSON, and `payload` further bytes when the JSON says so.
No pickle. The child leaves when its standard input closes, so it never outlives its parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeAlias

LENGTH = struct.Struct(">I")
STDERR_LINES_KEPT = 40  # enough for a native abort's message and its backtrace
GRACE_SECONDS = 3.0  # a child that does not leave by itself within this is killed


@dataclass(frozen=True, slots=True)
class Frame:
    """One message either way: a JSON object and raw bytes."""

    body: dict[str, Any]
    payload: bytes = b""


class ChildDied(Exception):
    """The child ended or hung. `cause` is one sentence for the user; `stderr` its last lines, for the log.

    `code` is its exit code, negative for a signal; None where it was ended from here.
    """

    def __init__(self, cause: str, stderr: str, code: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.stderr = stderr
        self.code = code


class ChildFailed(Exception):
    """The child answered that this one request failed; it lives on. `kind` names the exception there."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(slots=True)
class Child:
    """One child process, started when first needed, restarted after a death by the next request.

    One request runs at a time; others wait. `environment` is added to the parent's.
    """

    name: str
    module: str
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _frames: queue.Queue[Frame | None] = field(default_factory=queue.Queue)
    _stderr: deque[str] = field(default_factory=lambda: deque(maxlen=STDERR_LINES_KEPT))
    _lock: threading.Lock = field(default_factory=threading.Lock)  # a stream may be closed by another thread
    _reader: threading.Thread | None = None  # of standard error
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _sequence: int = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return self._lock.locked()

    def call(self, method: str, body: Mapping[str, Any], timeout: float, payload: bytes = b"") -> Frame:
        """Send one request and return its one answer. Raises ChildDied or ChildFailed."""
        with contextlib.closing(self.stream(method, body, timeout, payload)) as frames:
            last = Frame({})
            for frame in frames:
                last = frame
            return last

    def stream(
        self, method: str, body: Mapping[str, Any], timeout: float, payload: bytes = b""
    ) -> Generator[Frame, None, None]:
        """Send one request and yield its frames as they come. Closing the iterator cancels the request.

        `timeout` bounds the wait for each single frame, in seconds.
        """
        with self._lock:
            self._start_if_needed()
            self._sequence += 1
            number = self._sequence
            self._send(Frame({"id": number, "method": method, **body}, payload))
            finished = False
            try:
                yield from self._receive(number, timeout)
                finished = True
            except (ChildDied, ChildFailed):
                finished = True
                raise
            finally:
                if not finished:
                    self._cancel(number)

    def interrupt(self) -> None:
        """Ask the request that runs to stop early, from any thread; its reader gets what it still says."""
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError, ValueError), self._writing:
                write_frame(_pipe(process.stdin), Frame({"id": self._sequence, "cancel": True}))

    def close(self) -> None:
        """End the child: politely, then by force."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError):
            _pipe(process.stdin).close()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def kill(self) -> None:
        """End the child at once."""
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
            with contextlib.suppress(OSError):  # what was not sent yet is lost with it
                _pipe(process.stdin).close()
            self._process = None

    def _start_if_needed(self) -> None:
        if self.alive:
            return
        self.kill()  # lets go of one that died unnoticed
        self._frames = queue.Queue()
        self._stderr.clear()
        self._process = subprocess.Popen(
            # -P: the current folder may be a vault, and a torch.py in it must not run as ours
            [sys.executable, "-P", "-u", "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment_with(self.environment),
            start_new_session=os.name == "posix",  # Ctrl-C belongs to the parent, which ends the child itself
        )
        process, frames = self._process, self._frames
        threading.Thread(target=_pump_frames, args=(process, frames), daemon=True).start()
        self._reader = threading.Thread(target=_pump_lines, args=(process, self._stderr), daemon=True)
        self._reader.start()

    def _send(self, frame: Frame) -> None:
        assert self._process is not None
        pipe = _pipe(self._process.stdin)
        try:
            with self._writing:
                write_frame(pipe, frame)
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError) and not pipe.closed:
                raise  # the frame cannot be written; a closed pipe is a process that another thread has just ended
            raise self._death("ended before the request reached it") from error

    def _receive(self, number: int, timeout: float) -> Iterator[Frame]:
        while True:
            try:
                frame = self._frames.get(timeout=timeout)
            except queue.Empty:
                self.kill()
                raise ChildDied(
                    f"{self.name} did not answer within {timeout:.0f} s and was ended", self._log()
                ) from None
            if frame is None:
                raise self._death("ended")
            if frame.body.get("id") != number:
                continue  # the rest of a request that was cancelled
            if "error" in frame.body:
                raise ChildFailed(frame.body["error"], frame.body.get("message", ""))
            if frame.body.get("end"):
                return
            yield frame

    def _cancel(self, number: int) -> None:
        """Ask the child to stop and wait for its word; a child that does not give it is ended."""
        try:
            self._send(Frame({"id": number, "cancel": True}))
            deadline = time.monotonic() + GRACE_SECONDS
            for _ in self._receive(number, GRACE_SECONDS):
                if time.monotonic() > deadline:
                    self.kill()
                    return
        except (ChildDied, ChildFailed):
            return

    def _death(self, what: str) -> ChildDied:
        code = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(GRACE_SECONDS)
            self.kill()
        if self._reader is not None:
            self._reader.join(GRACE_SECONDS)  # its last words may still lie in the pipe
        return ChildDied(f"{self.name} {what}{_describe_exit(code)}", self._log(), code)

    def _log(self) -> str:
        return "\n".join(self._stderr)


Handler: TypeAlias = Callable[[Frame, threading.Event], Iterator[Frame]]
"""A child's answer to one method. It stops early once the event is set."""


def serve(handlers: Mapping[str, Handler]) -> None:
    """Run in the child: answer requests until standard input closes.

    Standard output is moved aside first, so that nothing native code prints can break the frames.
    """
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests: queue.Queue[tuple[Frame, threading.Event] | None] = queue.Queue()
    threading.Thread(target=_read_requests, args=(sys.stdin.buffer, requests), daemon=True).start()
    while (item := requests.get()) is not None:
        request, cancelled = item
        _answer(out, handlers, request, cancelled)


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    """Write one frame and flush it."""
    body = json.dumps({**frame.body, "payload": len(frame.payload)}, ensure_ascii=False).encode()
    stream.write(LENGTH.pack(len(body)) + body + frame.payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """Read one frame; None at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    body = json.loads(stream.read(LENGTH.unpack(head)[0]))
    size = body.pop("payload", 0)
    payload = stream.read(size) if size else b""
    return Frame(body, payload) if len(payload) == size else None


def _answer(out: IO[bytes], handlers: Mapping[str, Handler], request: Frame, cancelled: threading.Event) -> None:
    number = request.body["id"]
    try:
        for frame in handlers[request.body["method"]](request, cancelled):
            write_frame(out, Frame({"id": number, **frame.body}, frame.payload))
        write_frame(out, Frame({"id": number, "end": True}))
    except Exception as error:  # noqa: BLE001 - the child's outermost loop: the parent decides what to do
        write_frame(out, Frame({"id": number, "error": type(error).__name__, "message": str(error)}))


def _read_requests(stream: IO[bytes], requests: queue.Queue[tuple[Frame, threading.Event] | None]) -> None:
    running: dict[int, threading.Event] = {}
    while (frame := read_frame(stream)) is not None:
        number = frame.body["id"]
        if frame.body.get("cancel"):
            if number in running:
                running[number].set()
            continue
        running = {number: threading.Event()}
        requests.put((frame, running[number]))
    for event in running.values():
        event.set()
    requests.put(None)


def _pump_frames(process: subprocess.Popen[bytes], frames: queue.Queue[Frame | None]) -> None:
    stream = _pipe(process.stdout)
    with contextlib.suppress(OSError, ValueError):
        while (frame := read_frame(stream)) is not None:
            frames.put(frame)
    frames.put(None)
    with contextlib.suppress(OSError):
        stream.close()


def _pump_lines(process: subprocess.Popen[bytes], lines: deque[str]) -> None:
    with contextlib.suppress(OSError, ValueError), _pipe(process.stderr) as stream:
        for line in stream:
            lines.append(line.decode("utf-8", "replace").rstrip())


def environment_with(additions: Mapping[str, str]) -> dict[str, str]:
    """Return the parent's environment with additions, and with this package importable."""
    environment = {**os.environ, **additions}
    places = [str(Path(__file__).resolve().parent.parent), environment.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(place for place in places if place)}


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _describe_exit(code: int | None) -> str:
    if code is None:
        return ""
    if code < 0:
        return f" (signal {-code}{_MEANINGS.get(-code, '')})"
    return f" (exit code {code})"


_MEANINGS = {26: ", as it had used up its processor time"}  # SIGVTALRM
