"""Nothing is said on a connection before whoever listens has proved that it knows the server's secret.

The port of a server that was killed can be taken by another user of the machine, who then hears what we say. So each
new connection begins with a nonce; its proof is asked for on that very connection, not on one that came before.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from vaultrag.store.endpoint import PROOF_PATH, Endpoint, prove

CONNECTED = "connection.connect_tcp.complete"  # as httpcore's trace extension names it
_BEGINNING = b"HTTP/1.1 "
MOST_BYTES = 16_384  # of an answer that has some 300

Trace: TypeAlias = Callable[[str, Mapping[str, Any]], None]


class Unproven(Exception):
    """Whoever listens on the port is not the server that we know."""


class Stream(Protocol):
    """A connection, as httpcore hands it out."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...

    def write(self, buffer: bytes, timeout: float | None = None) -> None: ...

    def close(self) -> None: ...


def prover(endpoint: Endpoint, within: float) -> Trace:
    """Return an observer for httpx's `trace` extension, which raises Unproven before a request's first byte is sent.

    `within` is how many seconds the whole proof may take.
    """

    def observe(event: str, info: Mapping[str, Any]) -> None:
        if event == CONNECTED:
            require_proof(info["return_value"], endpoint, within)

    return observe


def require_proof(stream: Stream, endpoint: Endpoint, within: float) -> None:
    """Ask for a proof on a new connection. Raises Unproven, and what reading raises; the connection is closed then."""
    nonce = secrets.token_hex(32)
    deadline = time.monotonic() + within
    try:
        stream.write(_question(endpoint, nonce), within)
        said = _proofs(_answer(stream, deadline))
        expected = prove(endpoint.secret, nonce, endpoint.port)
        if not any(hmac.compare_digest(proof.encode(), expected.encode()) for proof in said):
            raise Unproven
    except BaseException:
        stream.close()
        raise


def _question(endpoint: Endpoint, nonce: str) -> bytes:
    return f"GET {PROOF_PATH}?nonce={nonce} HTTP/1.1\r\nHost: {endpoint.host}:{endpoint.port}\r\n\r\n".encode()


def _answer(stream: Stream, deadline: float) -> bytes:
    """Return the body of one answer, which says how long it is, and not a byte more."""
    received, end = b"", -1
    while end < 0 or len(received) < end:
        left = deadline - time.monotonic()
        chunk = stream.read(MOST_BYTES, left) if left > 0 else b""
        received += chunk
        if not chunk or len(received) > MOST_BYTES or not received.startswith(_BEGINNING[: len(received)]):
            raise Unproven
        if end < 0 and b"\r\n\r\n" in received:
            end = received.index(b"\r\n\r\n") + 4 + _length(received)
    if len(received) > end:
        raise Unproven
    return received[received.index(b"\r\n\r\n") + 4 :]


def _length(received: bytes) -> int:
    status, *headers = received.partition(b"\r\n\r\n")[0].split(b"\r\n")
    lengths = [line.partition(b":")[2].strip() for line in headers if line.lower().startswith(b"content-length:")]
    if status.split(b" ")[1:2] != [b"200"] or len(lengths) != 1 or not lengths[0].isdigit() or len(lengths[0]) > 5:
        raise Unproven
    return int(lengths[0])


def _proofs(body: bytes) -> list[str]:
    try:
        return [str(proof) for proof in json.loads(body)["proofs"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unproven from error
