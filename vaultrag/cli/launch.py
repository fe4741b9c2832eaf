"""A server in the background, so that models load once and the next command is instant."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from pydantic import ValidationError

from vaultrag.child import environment_with
from vaultrag.cli.client import POLL_SECONDS, Client, find_server
from vaultrag.config import START_LOG_NAME, Config
from vaultrag.errors import PortTaken, ServerError, VaultragError
from vaultrag.store.endpoint import ANY_PORT, free_port, writing_into
from vaultrag.store.privacy import private_opener
from vaultrag.wire import Fault

START_SECONDS = 60.0  # fastapi and the index take about two seconds; a cold disk some more


def start_server(config: Config) -> Client:
    """Start `vaultrag serve`, detached, and return it once it answers. Raises what kept it from starting."""
    try:
        return _started(config, free_port(config.settings.server.port))
    except PortTaken:  # since we looked: two commands may start servers at the same moment
        return _started(config, ANY_PORT)


def _started(config: Config, port: int) -> Client:
    errors = config.home / START_LOG_NAME
    with writing_into(config.home):
        config.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        process = _spawn(config, errors, port)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        client = find_server(config)
        if client is not None:
            with contextlib.suppress(OSError):  # Windows keeps a file that is open
                errors.unlink()
            return client
        if ended:
            raise _reason(errors)
        time.sleep(POLL_SECONDS)
    raise ServerError("The server in the background did not start in time.", f"{config.log_path} may say why.")


def _spawn(config: Config, errors: Path, port: int) -> subprocess.Popen[bytes]:
    settings = config.settings.server
    command = [sys.executable, "-P", "-m", "vaultrag", "serve", "--json"]  # -P: nothing from the current folder runs
    command += ["--vault", str(config.vault), "--home", str(config.home)]
    command += ["--port", str(port), "--idle", f"{settings.autostart_idle_minutes}m"]
    with open(errors, "wb", opener=private_opener) as stderr:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=environment_with({}),
            start_new_session=os.name == "posix",  # closing the terminal does not end it
            creationflags=_DETACHED,
        )


_DETACHED: int = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


def _reason(errors: Path) -> VaultragError:
    """Return why the server ended, from the last line that it wrote."""
    lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    try:
        return Fault.model_validate_json(lines[-1] if lines else "").exception()
    except ValidationError:
        return ServerError("The server in the background did not start.", f"{errors} may say why.")
