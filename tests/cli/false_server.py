"""Somebody else on the port of a server that has ended: keeps what it hears, and answers what would pass."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from vaultrag.store.endpoint import LOOPBACK

Answering: TypeAlias = Callable[[bytes], bytes]


@dataclass(slots=True)
class FalseServer:
    """What was said to whoever listens on `port`."""

    port: int
    heard: bytearray = field(default_factory=bytearray)


@contextlib.contextmanager
def false_server(answer: Answering, port: int = 0) -> Iterator[FalseServer]:
    """Listen until the block ends; `answer` makes an answer of each piece that is heard, nothing to stay silent."""
    over = threading.Event()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()
        listener.settimeout(0.1)
        server = FalseServer(listener.getsockname()[1])
        thread = threading.Thread(target=_listen, args=(listener, server, answer, over), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            thread.join(20)
    assert not thread.is_alive()


def saying(body: bytes, status: str = "200 OK") -> bytes:
    """Return a whole answer over HTTP."""
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def relaying_to(port: int) -> Answering:
    """Ask the server on another port, and pass on what it says."""

    def relay(heard: bytes) -> bytes:
        with socket.create_connection((LOOPBACK, port), 20) as true:
            true.sendall(
                heard.replace(heard.partition(b"Host: ")[2].partition(b"\r\n")[0], f"{LOOPBACK}:{port}".encode())
            )
            return true.recv(65_536)

    return relay


def _listen(listener: socket.socket, server: FalseServer, answer: Answering, over: threading.Event) -> None:
    with contextlib.ExitStack() as stack:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                connection = stack.enter_context(listener.accept()[0])
                threading.Thread(target=_hear, args=(connection, server, answer, over), daemon=True).start()


def _hear(connection: socket.socket, server: FalseServer, answer: Answering, over: threading.Event) -> None:
    connection.settimeout(0.1)
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            try:
                piece = connection.recv(65_536)
                if not piece:
                    return
                server.heard += piece
                connection.sendall(answer(piece))
            except TimeoutError:
                raise
            except OSError:
                return
