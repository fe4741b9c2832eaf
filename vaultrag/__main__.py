"""The program `vaultrag`: puts the command line and the server together, which don't know each other."""

from __future__ import annotations

import sys
from collections.abc import Callable

from vaultrag.cli.main import main as run_cli
from vaultrag.config import Config
from vaultrag.endpoint import Endpoint


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run_cli(sys.argv[1:], _serve))


def _serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    from vaultrag.api.server import serve  # only this command pays for fastapi and uvicorn

    serve(config, port, idle_seconds, on_ready)


if __name__ == "__main__":
    main()
