"""Where a running server is found, what proves that it is ours, and what opens it.

`server.json` names its port and holds its secret, new with each server: by it our own commands are let in, and by it
the server proves itself before they say a word. The file `token` is for other clients, and stays until it is rotated.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vaultrag.errors import DiskFull, ServerError, TokenUnreadable, is_disk_full

ENDPOINT_NAME = "server.json"
TOKEN_BYTES = 32  # 256 bits: not to be guessed
LOOPBACK = "127.0.0.1"
PORTS_TRIED = 20  # more vaults than anybody serves at once
ANY_PORT = 0  # the system chooses a free one
PROOF_PATH = "/proof"
NONCE = "[0-9a-f]{64}"  # what is asked by: 256 bits, so that no answer was heard before
_PROOF_LABEL = "vaultrag proof 1"  # a key that is used for this alone signs nothing else


def new_secret() -> str:
    """Return something that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server as it announced itself. `secret` is known to it and to whoever may read the home, to nobody else."""

    pid: int
    host: str
    port: int
    version: str
    instance: str
    secret: str = field(default_factory=new_secret, repr=False)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What opens a server: its own secret, and the token that other clients were given, as its file says now."""

    secret: str
    path: Path

    def accept(self, given: str) -> bool:
        """Tell whether a caller may come in."""
        return any(hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()) for token in self._valid())

    def proofs(self, nonce: str, port: int) -> list[str]:
        """Return a proof by each token."""
        return [prove(token, nonce, port) for token in self._valid()]

    def _valid(self) -> list[str]:
        with contextlib.suppress(TokenUnreadable):  # whoever deletes the file shuts other clients out
            return [self.secret, read_token(self.path)]
        return [self.secret]


def prove(token: str, nonce: str, port: int) -> str:
    """Return what only someone who knows the token can say to this nonce (64 hexadecimal digits).

    The port is the one that the server listens on and the caller connected to, so that an answer which was fetched
    from a server on another port proves nothing.
    """
    return hmac.new(token.encode(), f"{_PROOF_LABEL}\n{nonce}\n{port}".encode(), hashlib.sha256).hexdigest()


def read_endpoint(home: Path) -> Endpoint | None:
    """Return the announced server, None where there is none. Whether it still lives is not known."""
    try:
        values = json.loads((home / ENDPOINT_NAME).read_text(encoding="utf-8"))
        if len(str(values["secret"]).encode("ascii")) < TOKEN_BYTES:
            return None
        return Endpoint(
            pid=int(values["pid"]),
            host=LOOPBACK,  # whatever the file says, the token goes nowhere else
            port=int(values["port"]),
            version=str(values["version"]),
            instance=str(values["instance"]),
            secret=str(values["secret"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def free_port(wanted: int) -> int:
    """Return the wanted port or the next free one; 0 (any) where another vault's servers have all of the next few."""
    return next((port for port in range(wanted, min(wanted + PORTS_TRIED, 65536)) if _is_free(port)), ANY_PORT)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def announce(home: Path, endpoint: Endpoint) -> None:
    """Write `server.json`, whole or not at all, for the user's eyes only. Raises DiskFull or ServerError."""
    with writing_into(home):
        _write_private(home / ENDPOINT_NAME, json.dumps(asdict(endpoint), indent=2) + "\n")


@contextlib.contextmanager
def writing_into(home: Path) -> Iterator[None]:
    """Turn what the system says against writing a server's files into DiskFull or ServerError."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise _disk_full(home) from error
        raise ServerError(
            f"{home} cannot be written to: {error.strerror}.",
            "Give this user the right to write there, or name another home: --home DIR.",
        ) from error


def withdraw(home: Path, endpoint: Endpoint) -> None:
    """Remove `server.json` if it is still this server's."""
    found = read_endpoint(home)
    if found is not None and found.instance == endpoint.instance:
        (home / ENDPOINT_NAME).unlink(missing_ok=True)


def withdraw_dead(home: Path) -> None:
    """Remove what a server left that was killed: whoever owns the index knows that none lives."""
    with contextlib.suppress(OSError):  # a folder in its place is for `repair`
        (home / ENDPOINT_NAME).unlink(missing_ok=True)


def read_token(path: Path) -> str:
    """Return the bearer token of other clients. Raises TokenUnreadable."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise TokenUnreadable(f"The token file {path} is missing.", "Make one: `vaultrag token`.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TokenUnreadable(
            f"The token file {path} cannot be read.",
            "Give this user the right to read it, or make a new one: `vaultrag token --rotate`.",
        ) from error
    if len(token) < TOKEN_BYTES:
        raise TokenUnreadable(
            f"The token file {path} holds no usable token.",
            "Make a new one: `vaultrag token --rotate`.",
        )
    return token


def ensure_token(path: Path) -> str:
    """Return the bearer token, made on first use with mode 0600. Raises TokenUnreadable or DiskFull."""
    with _making(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_private(path, new_secret() + "\n")
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)  # copied or restored with wider rights
    return read_token(path)


def rotate_token(path: Path) -> str:
    """Replace the bearer token: from now on every server refuses the old one. Raises TokenUnreadable or DiskFull."""
    with _making(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(path, new_secret() + "\n")
    return read_token(path)


@contextlib.contextmanager
def _making(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise _disk_full(path.parent) from error
        raise TokenUnreadable(
            f"The token file {path} could not be made: {error.strerror}.",
            "Give this user the right to write into the home, or name another: --home DIR.",
        ) from error


def _disk_full(home: Path) -> DiskFull:
    return DiskFull(f"There is no space left in {home}.", "Free some space, then run the command again.")


def _write_private(path: Path, text: str) -> None:
    """Replace a file by one that only this user may read, whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
