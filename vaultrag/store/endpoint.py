"""Where a running server is found: `server.json` and the token file, both in the home."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from vaultrag.errors import DiskFull, ServerError, TokenUnreadable, is_disk_full

ENDPOINT_NAME = "server.json"
RENEW_TOKEN = "End the server with `vaultrag serve --stop`; the next one starts with a token that works."
TOKEN_BYTES = 32  # 256 bits: not to be guessed
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server as it announced itself. `instance` is also in its /healthz, so a stale file is recognised."""

    pid: int
    host: str
    port: int
    version: str
    instance: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def read_endpoint(home: Path) -> Endpoint | None:
    """Return the announced server, None where there is none. Whether it still lives is not known."""
    try:
        values = json.loads((home / ENDPOINT_NAME).read_text(encoding="utf-8"))
        return Endpoint(
            pid=int(values["pid"]),
            host=LOOPBACK,  # whatever the file says, the token goes nowhere else
            port=int(values["port"]),
            version=str(values["version"]),
            instance=str(values["instance"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def announce(home: Path, endpoint: Endpoint) -> None:
    """Write `server.json`, whole or not at all. Raises DiskFull or ServerError."""
    part = home / f"{ENDPOINT_NAME}.{endpoint.pid}.part"
    with writing_into(home):
        part.write_text(json.dumps(asdict(endpoint), indent=2) + "\n", encoding="utf-8")
        os.replace(part, home / ENDPOINT_NAME)


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


def read_token(path: Path) -> str:
    """Return the bearer token. Raises TokenUnreadable."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise TokenUnreadable(f"The token file {path} is missing.", RENEW_TOKEN) from error
    except (OSError, UnicodeDecodeError) as error:
        raise TokenUnreadable(
            f"The token file {path} cannot be read.",
            "Give this user the right to read it, or delete it: the next `vaultrag serve` makes a new one.",
        ) from error
    if len(token) < TOKEN_BYTES:
        raise TokenUnreadable(
            f"The token file {path} holds no usable token.",
            "Delete it: the next `vaultrag serve` makes a new one.",
        )
    return token


def ensure_token(path: Path) -> str:
    """Return the bearer token, made on first use with mode 0600. Raises TokenUnreadable or DiskFull."""
    try:
        if not path.exists():
            _create_token(path)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)  # copied or restored with wider rights
    except OSError as error:
        if is_disk_full(error):
            raise _disk_full(path.parent) from error
        raise TokenUnreadable(
            f"The token file {path} could not be made: {error.strerror}.",
            "Give this user the right to write into the home, or name another: --home DIR.",
        ) from error
    return read_token(path)


def _disk_full(home: Path) -> DiskFull:
    return DiskFull(f"There is no space left in {home}.", "Free some space, then run the command again.")


def _create_token(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
