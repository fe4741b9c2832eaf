"""Models from Hugging Face: one GGUF file, or a sentence-transformers folder, checked against the hub's own sums."""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when huggingface_hub is imported

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.constants import MAX_HTTP_DOWNLOAD_SIZE
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError
from huggingface_hub.hf_api import ModelInfo, RepoSibling
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, and not marked so
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)
from huggingface_hub.utils.tqdm import tqdm

from vaultrag.errors import DownloadFailed
from vaultrag.runtime.models.catalogue import HubSource
from vaultrag.runtime.models.manifest import sha256_of
from vaultrag.runtime.models.reach import ENDPOINT_VARIABLE, HubSilent

# of the library that huggingface_hub itself asks with: httpx up to its version 1, httpx2 since
TRANSPORT_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]
UNTOLD = (ValueError, KeyError, TypeError, AttributeError)  # it takes a hub's answers apart without looking
REACH_REMEDY = "Check the connection (HF_ENDPOINT names a mirror), then run the command again: it continues."
FOLDER_SUFFIXES = (".json", ".safetensors", ".model", "vocab.txt", "merges.txt")
GROWING_NAME = "growing"  # a folder beside the one that is filled, for what is not whole yet
ANSWER_SECONDS = 7.0  # for the list of a repository's files, the look-up of the hub's name included
PAUSE_SECONDS = 1.0  # before a broken connection is taken up again
PARTIAL_CONTENT = 206
BUSY = frozenset({408, 429, 500, 502, 503, 504})
OTHER_RUNTIMES = ("onnx", "openvino")  # the same weights for engines that we don't use


def look(source: HubSource) -> ModelInfo:
    """Ask the hub for what the repository holds. Raises HubSilent when it says nothing in time, else DownloadFailed."""
    with _translated(source):
        return _in_time(lambda: _api().model_info(
            source.repo, revision=source.revision, files_metadata=True, timeout=ANSWER_SECONDS
        ))  # fmt: skip


def require_files(source: HubSource) -> None:
    """Look whether the hub has the source's files. Raises HubSilent or DownloadFailed."""
    info = look(source)
    with _translated(source):
        _wanted(source, info)


def fetch(
    source: HubSource, info: ModelInfo, folder: Path, silence: float, report: Callable[[int, int], None]
) -> dict[str, str]:
    """Fetch the source's files into `folder`, continuing an earlier call, and verify them.

    Given up after `silence` seconds without a byte. Returns the SHA-256 of each file that is known by one.
    `report` gets bytes here and bytes in all.
    """
    with _translated(source):
        files = _wanted(source, info)
        total = sum(file.size or 0 for file in files)
        before = 0
        for file in files:
            _fetch_file(source, info, file, folder, silence, lambda done, before=before: report(before + done, total))  # type: ignore[misc]
            before += file.size or 0
            report(before, total)
    return dict(_verified(source, folder, files))


def _api() -> HfApi:
    return HfApi(endpoint=os.environ.get(ENDPOINT_VARIABLE))


def _in_time(ask: Callable[[], ModelInfo]) -> ModelInfo:
    """Return the answer. A look-up of a name cannot be interrupted: its thread is left behind. Raises TimeoutError."""
    told: queue.SimpleQueue[ModelInfo | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            told.put(ask())
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
            told.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        said = told.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(said, BaseException):
        raise said
    return said


def _fetch_file(
    source: HubSource, info: ModelInfo, file: RepoSibling, folder: Path, silence: float, report: Callable[[int], None]
) -> None:
    """Put one file into the folder. What an earlier call got of it is continued, which `hf_hub_download` cannot."""
    path = folder / file.rfilename
    if path.is_file() and path.stat().st_size == file.size:
        return  # it got this name when it was whole
    revision, named = info.sha or source.revision, f"{file.rfilename} {file.blob_id or info.sha}"
    growing = folder.with_name(GROWING_NAME) / hashlib.sha256(named.encode()).hexdigest()[:16]
    for parent in (path.parent, growing.parent):
        parent.mkdir(parents=True, exist_ok=True)
    here = growing.stat().st_size if growing.is_file() else 0
    if not here and (file.size or 0) > MAX_HTTP_DOWNLOAD_SIZE:  # the hub has another way for those, without a halfway
        _api().hf_hub_download(
            source.repo, file.rfilename, revision=revision, local_dir=folder, tqdm_class=_reporting(report)
        )
        return
    if here > (file.size or 0):
        growing.unlink()
    url = hf_hub_url(source.repo, file.rfilename, revision=revision, endpoint=_api().endpoint)
    with growing.open("ab") as out:
        _Stream(url, out, file.size, silence, report).run()
    os.replace(growing, path)


@dataclass(slots=True)
class _Stream:
    """One file on its way: a connection that breaks is taken up again until `silence` seconds bring no byte."""

    url: str
    out: BinaryIO
    size: int | None
    silence: float
    report: Callable[[int], None]
    furthest: int = 0
    heard: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Raises the transport's error, or OSError for another size than was promised."""
        while self.size is None or self.out.tell() != self.size:
            try:
                self._read_on()
                break
            except TRANSPORT_ERROR as error:
                if self._left() <= PAUSE_SECONDS or not _may_pass(error):
                    raise
                time.sleep(PAUSE_SECONDS)
        if self.size is not None and self.out.tell() != self.size:
            raise OSError(f"{self.out.tell():,} of {self.size:,} bytes came")

    def _left(self) -> float:
        return self.silence - (time.monotonic() - self.heard)

    def _read_on(self) -> None:
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if here := self.out.tell():
            headers["Range"] = f"bytes={here}-"
        patience = min(self.silence / 2, self._left())  # connecting may take one half, the first byte the other
        with get_session().stream("GET", self.url, headers=headers, timeout=patience) as response:
            hf_raise_for_status(response)
            if here and response.status_code != PARTIAL_CONTENT:
                self.out.seek(0)
                self.out.truncate()
            for piece in response.iter_raw():
                self.out.write(piece)
                self._count(self.out.tell())
                if self.size is not None and self.out.tell() > self.size:
                    return  # it may go on until the disk is full

    def _count(self, here: int) -> None:
        if here > self.furthest:  # what came before and comes again is no progress
            self.furthest, self.heard = here, time.monotonic()
        self.report(here)


def _may_pass(error: Exception) -> bool:
    """Whether it is worth asking again: a broken connection, or a hub that has too much to do."""
    return not isinstance(error, HfHubHTTPError) or error.response.status_code in BUSY


def _wanted(source: HubSource, info: ModelInfo) -> list[RepoSibling]:
    files = {file.rfilename: file for file in info.siblings or []}
    if missing := [name for name in source.files if name not in files]:
        raise DownloadFailed(
            f"The repository {source.repo} holds no {missing[0]}.",
            f"Look at https://huggingface.co/{source.repo}/tree/{source.revision} and correct models.toml.",
        )
    if source.files:
        _require_sum(source, files[source.files[0]])
        return [files[name] for name in source.files]
    chosen = [file for name, file in files.items() if _belongs_to_folder(name)]
    if not any(file.rfilename.endswith(".safetensors") for file in chosen):
        raise DownloadFailed(
            f"The repository {source.repo} holds no safetensors weights.", "Choose another embedding model."
        )
    return chosen


def _require_sum(source: HubSource, file: RepoSibling) -> None:
    """Raise DownloadFailed before anything is fetched where the hub itself says that it has other bytes."""
    if source.sha256 and file.lfs is not None and file.lfs.sha256 != source.sha256:
        raise DownloadFailed(
            f"{file.rfilename} of {source.repo} does not match its checksum in the catalogue, and was not fetched.",
            "Run the command again; if it happens again, the file was replaced at its source.",
        )


def _belongs_to_folder(name: str) -> bool:
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or path.parts[0] in OTHER_RUNTIMES:
        return False
    return len(path.parts) <= 2 and name.endswith(FOLDER_SUFFIXES) and not name.startswith(".")


def _verified(source: HubSource, folder: Path, files: list[RepoSibling]) -> Iterator[tuple[str, str]]:
    for file in files:
        path = folder / file.rfilename
        if file.lfs is None and not (source.sha256 and source.files):
            same = file.blob_id is None or _git_blob_id(path) == file.blob_id
        else:
            found = sha256_of(path)
            same = {found} >= {source.sha256 or found, file.lfs.sha256 if file.lfs else found}
            yield file.rfilename, found
        if not same:
            path.unlink()
            raise DownloadFailed(
                f"{file.rfilename} does not match its checksum after the download, and was thrown away.",
                "Run the command again; if it happens again, the file was replaced at its source.",
            )


def _git_blob_id(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _reporting(report: Callable[[int], None]) -> type[tqdm]:
    class Report(tqdm):
        """A progress bar that draws nothing and passes its count on."""

        def __init__(self, *positional: Any, **named: Any) -> None:
            self.reached = int(named.get("initial") or 0)
            super().__init__(*positional, **{**named, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            self.reached += int(n or 0)
            report(self.reached)

    return Report


@contextmanager
def _translated(source: HubSource) -> Iterator[None]:
    try:
        yield
    except GatedRepoError as error:
        raise DownloadFailed(
            f"{source.repo} is given only to people who accepted its licence.",
            f"Accept it at https://huggingface.co/{source.repo}, set HF_TOKEN, and run the command again.",
        ) from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise _unfetched(source, error) from error
    except (TRANSPORT_ERROR, ConnectionError, TimeoutError) as error:
        raise _unreached(source, error) from error
    except RuntimeError as error:
        raise _unfetched(source, error) from error
    except UNTOLD as error:
        raise _unfetched(source, ConnectionError("what answers is no such hub")) from error
    except OSError as error:
        if error.errno is not None:
            raise  # of our own disk
        raise _unfetched(source, error) from error  # a file of another size than was promised


def _unreached(source: HubSource, error: Exception) -> HubSilent:
    said = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
    reason = said or f"nothing was heard for {ANSWER_SECONDS:.0f} s"
    return HubSilent(f"{source.repo} could not be fetched from Hugging Face: {reason}.", REACH_REMEDY)


def _unfetched(source: HubSource, error: Exception) -> DownloadFailed | OSError:
    said = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
    if "No space left" in said:
        return OSError(errno.ENOSPC, said)  # its Rust part says so in words only
    reason = said or type(error).__name__
    return DownloadFailed(f"{source.repo} could not be fetched from Hugging Face: {reason}.", REACH_REMEDY)
