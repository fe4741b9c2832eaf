"""A small hub on loopback: the parts of Hugging Face's interface that a download needs, and its ways to fail."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.runtime.small_models import sha256


@dataclass(slots=True)
class Steps:
    """A progress callback that remembers."""

    seen: list[tuple[int, int, str]] = field(default_factory=list)

    def __call__(self, done: int, total: int, what: str) -> None:
        self.seen.append((done, total, what))

    def fetched(self) -> list[int]:
        return [done for done, _, what in self.seen if what == "fetching"]


class SmallHub(http.server.BaseHTTPRequestHandler):
    """One repository, `me/model`. `asked` holds the paths that were asked for, `ranges` where downloads were continued.

    `sent` is sent in place of any file. `status` answers the list of files. Past `breaks_at` bytes of a file the
    connection is closed, or with `hangs` nothing more is said to anybody until `released`. With `elsewhere` files lie
    on another host, as they do with hubs; `tokens` holds whose token each host was told. `endless` files never end.
    """

    elsewhere = False
    endless = False
    tokens: list[tuple[str, str]] = []

    files: dict[str, bytes] = {}
    without_sums = False
    listing: bytes | None = None
    sent: bytes | None = None
    status = 200
    breaks_at: int | None = None
    hangs = False
    fell_silent = False
    released = threading.Event()
    ranges: list[int] = []
    asked: list[str] = []
    commit = "a" * 40

    def do_GET(self) -> None:
        self.asked.append(self.path)
        host, _, port = self.headers["Host"].partition(":")
        self.tokens.append((host, self.headers.get("Authorization", "")))
        if self.hangs and (self.fell_silent or self.breaks_at is None):
            self.released.wait()
        elif self.status != 200:
            self.send_error(self.status)
        elif re.match(r"/api/models/me/model/revision/", self.path):
            self._send(self.listing or json.dumps(self._info()).encode(), "application/json")
        elif self.elsewhere and host != "localhost":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{port}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.endless:
            self._send_for_ever()
        elif match := re.match(r"/me/model/resolve/[^/]+/(.+)", self.path):
            content = self.files[match[1]] if self.sent is None else self.sent
            self._send(content, "application/octet-stream", etag=sha256(self.files[match[1]]))
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the tests' output clean."""

    def _info(self) -> dict[str, object]:
        siblings = []
        for name, data in self.files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
            sibling: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": blob}
            if self.without_sums:
                del sibling["blobId"]
            elif not name.endswith(".json"):
                sibling["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 100}
            siblings.append(sibling)
        return {"id": "me/model", "modelId": "me/model", "sha": self.commit, "siblings": siblings}

    def _send_for_ever(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            while not self.released.is_set():
                self.wfile.write(bytes(100_000))
        self.close_connection = True

    def _send(self, body: bytes, kind: str, etag: str = "") -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if wanted and etag:
            self.ranges.append(int(wanted[1]))
            whole, body = len(body), body[int(wanted[1]) :]
        self.send_response(206 if wanted and etag else 200)
        if wanted and etag:
            self.send_header("Content-Range", f"bytes {wanted[1]}-{whole - 1}/{whole}")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", self.commit)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: self.breaks_at] if etag else body)
            self.wfile.flush()
            if self.hangs and etag:
                type(self).fell_silent = True
                self.released.wait()
            self.close_connection = True


@contextmanager
def serving_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SmallHub]]:
    """Serve a hub of its own, which `HF_ENDPOINT` names."""

    class Hub(SmallHub):
        files: dict[str, bytes] = {}
        ranges: list[int] = []
        asked: list[str] = []
        tokens: list[tuple[str, str]] = []
        released = threading.Event()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(proxy, raising=False)
        yield Hub
        Hub.released.set()
        server.shutdown()
