"""The program `vaultrag`: puts the command line and the server together, which don't know each other."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaultrag.config import Config
    from vaultrag.store.endpoint import Endpoint

INTERRUPTED = 130  # 128 + SIGINT, as shells count


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from vaultrag.cli.main import main as run_cli  # takes a quarter of a second, in which Ctrl-C is clean, too

        code = run_cli(sys.argv[1:], _serve)
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    from vaultrag.api.server import serve  # only this command pays for fastapi and uvicorn

    serve(config, port, idle_seconds, on_ready)


if __name__ == "__main__":
    main()
