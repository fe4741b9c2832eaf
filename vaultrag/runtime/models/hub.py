"""Models from Hugging Face: one GGUF file, or a sentence-transformers folder, checked against the hub's own sums."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when huggingface_hub is imported

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.constants import MAX_HTTP_DOWNLOAD_SIZE
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import ModelInfo, RepoSibling
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # public, and not marked so
from huggingface_hub.utils.tqdm import tqdm

from vaultrag.errors import DownloadFailed
from vaultrag.runtime.models.catalogue import HubSource
from vaultrag.runtime.models.manifest import sha256_of

# of the library that huggingface_hub itself asks with: httpx up to its version 1, httpx2 since
TRANSPORT_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]
TOLD = (TRANSPORT_ERROR, ConnectionError, RuntimeError, HFValidationError)  # these say what is wrong
UNTOLD = (ValueError, KeyError, TypeError, AttributeError)  # it takes a hub's answers apart without looking
FOLDER_SUFFIXES = (".json", ".safetensors", ".model", "vocab.txt", "merges.txt")
GROWING_NAME = "growing"  # a folder beside the one that is filled, for what is not whole yet
OTHER_RUNTIMES = ("onnx", "openvino")  # the same weights for engines that we don't use


def fetch(source: HubSource, folder: Path, report: Callable[[int, int], None]) -> dict[str, str]:
    """Fetch the source's files into `folder`, continuing an earlier call, and verify them.

    Returns the SHA-256 of each file that the hub keeps one for. `report` gets bytes here and bytes in all.
    """
    with _translated(source):
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        info = api.model_info(source.repo, revision=source.revision, files_metadata=True)
        files = _wanted(source, info)
        total = sum(file.size or 0 for file in files)
        before = 0
        for file in files:
            _fetch_file(api, source, info, file, folder, lambda done, before=before: report(before + done, total))  # type: ignore[misc]
            before += file.size or 0
            report(before, total)
    return dict(_verified(source, folder, files))


def _fetch_file(
    api: HfApi, source: HubSource, info: ModelInfo, file: RepoSibling, folder: Path, report: Callable[[int], None]
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
        api.hf_hub_download(
            source.repo, file.rfilename, revision=revision, local_dir=folder, tqdm_class=_reporting(report)
        )
        return
    if here > (file.size or 0):
        growing.unlink()
        here = 0
    with growing.open("ab") as out:
        http_get(
            hf_hub_url(source.repo, file.rfilename, revision=revision, endpoint=api.endpoint),
            out,
            resume_size=here,
            headers=build_hf_headers(),
            expected_size=file.size,
            tqdm_class=_reporting(report),
        )
    os.replace(growing, path)


def _wanted(source: HubSource, info: ModelInfo) -> list[RepoSibling]:
    files = {file.rfilename: file for file in info.siblings or []}
    if missing := [name for name in source.files if name not in files]:
        raise DownloadFailed(
            f"The repository {source.repo} holds no {missing[0]}.",
            f"Look at https://huggingface.co/{source.repo}/tree/{source.revision} and correct models.toml.",
        )
    if source.files:
        return [files[name] for name in source.files]
    chosen = [file for name, file in files.items() if _belongs_to_folder(name)]
    if not any(file.rfilename.endswith(".safetensors") for file in chosen):
        raise DownloadFailed(
            f"The repository {source.repo} holds no safetensors weights.", "Choose another embedding model."
        )
    return chosen


def _belongs_to_folder(name: str) -> bool:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or path.parts[0] in OTHER_RUNTIMES:
        return False
    return len(path.parts) <= 2 and name.endswith(FOLDER_SUFFIXES) and not name.startswith(".")


def _verified(source: HubSource, folder: Path, files: list[RepoSibling]) -> Iterator[tuple[str, str]]:
    for file in files:
        path = folder / file.rfilename
        if file.lfs is None:
            same = file.blob_id is None or _git_blob_id(path) == file.blob_id
        else:
            found = sha256_of(path)
            same = found in {file.lfs.sha256} and found == (source.sha256 or found)
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
    except TOLD as error:
        raise _unfetched(source, error) from error
    except UNTOLD as error:
        raise _unfetched(source, ConnectionError("what answers is no such hub")) from error
    except OSError as error:
        if error.errno is not None:
            raise  # of our own disk
        raise _unfetched(source, error) from error  # a file of another size than was promised


def _unfetched(source: HubSource, error: Exception) -> DownloadFailed | OSError:
    said = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
    if "No space left" in said:
        return OSError(errno.ENOSPC, said)  # its Rust part says so in words only
    reason = said or type(error).__name__
    return DownloadFailed(
        f"{source.repo} could not be fetched from Hugging Face: {reason}.",
        "Check the connection (HF_ENDPOINT names a mirror), then run the command again: it continues.",
    )
