"""What VaultRAG needs and what of it is here: each check says what, why it matters, and the way out."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from vaultrag.config import Config, require_vault
from vaultrag.domain import Finding, Role, counted
from vaultrag.errors import IndexMissing, VaultragError
from vaultrag.maintenance.doctor_night import night_findings
from vaultrag.runtime.crashes import REBUILD
from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers
from vaultrag.runtime.hardware.machine import BackendInfo, Device, DeviceKind, Machine, describe_machine, probe_backend
from vaultrag.runtime.models.catalogue import ModelEntry, ModelKind, find_model
from vaultrag.runtime.models.combinations import is_remote, model_on_server, role_map
from vaultrag.runtime.models.installed import fingerprint, is_present, model_files, model_path, require_model
from vaultrag.store.database import Access
from vaultrag.store.endpoint import read_endpoint, read_token
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.opening import open_database
from vaultrag.vault.files import note_suffixes, scan_vault

GIGABYTE = 1_000_000_000
LOW_DISK = 2 * GIGABYTE  # an index of 13,000 notes takes about half of this
MEMORY_SPARE = 1.2  # a model's file, its context and what else runs
PURPOSES = {
    Role.ANSWER: "answers",
    Role.PLAN: "plans",
    Role.EXTRACT: "claims",
    Role.JUDGE: "judgements",
    Role.FINAL: "the last word",
    Role.DRAFT: "drafts",
    Role.EMBED: "finding passages by meaning",
    Role.RERANK: "putting passages in order",
    Role.SCAN: "looking for contradictions",
}
GPU_TOOLS = {"nvidia-smi": "cuda", "rocminfo": "rocm"}
GPU_MAKERS = {"0x10de": "cuda", "0x1002": "vulkan"}  # PCI's numbers for NVIDIA and AMD; Intel's are mostly screens
GPU_FLAGS = {"cuda": "CUDA", "rocm": "HIP", "vulkan": "VULKAN", "metal": "METAL"}


def examine(config: Config) -> list[Finding]:
    """Run every check; a check that breaks becomes a finding itself."""
    findings: list[Finding] = []
    for check in (_python, _vault, _home, _index, _server, _night, _models, _remote, _memory, _backend):
        findings.extend(_guarded(check, config))
    return findings


def _guarded(check: Callable[[Config], Iterator[Finding]], config: Config) -> Iterator[Finding]:
    try:
        yield from check(config)
    except VaultragError as error:
        yield Finding(check.__name__.strip("_"), "error", error.message, error.remedy)
    except OSError as error:
        yield Finding(check.__name__.strip("_"), "error", f"{error}.", "Look at the file or folder that it names.")


def _python(_: Config) -> Iterator[Finding]:
    yield _fine("python", f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}")
    if sys.platform == "win32":
        yield Finding(
            "python", "warning", "Windows is written for but untested.", "Use WSL where something does not work."
        )


def _vault(config: Config) -> Iterator[Finding]:
    require_vault(config)
    listing = scan_vault(config.vault, config.settings.vault.ignore, note_suffixes(config.settings.vault))
    notes = len(listing.notes)
    for problem in listing.problems:
        yield Finding("vault", "warning", problem, "Mend it in Obsidian's settings, or in `vault.ignore`.")
    if not notes:
        yield Finding("vault", "warning", f"{config.vault} holds no notes.", "Name the vault's folder: --vault DIR.")
        return
    yield _fine("vault", f"{config.vault}: {counted(notes, 'note')}; it is only ever read")


def _home(config: Config) -> Iterator[Finding]:
    place = _existing(config.home)
    if not os.access(place, os.W_OK):
        yield Finding(
            "home",
            "error",
            f"{place} cannot be written to, so nothing can be indexed.",
            "Give this user the right to write there, or name another folder: --home DIR.",
        )
        return
    free = shutil.disk_usage(place).free
    if free < LOW_DISK:
        yield Finding("home", "warning", f"Only {_gb(free)} are free at {place}.", "Free some space before indexing.")
        return
    yield _fine("home", f"{config.home}: {_gb(free)} free; it holds the index and the settings")


def _index(config: Config) -> Iterator[Finding]:
    try:
        with open_database(config.database_path, Access.READ) as database:
            counts = Catalog(database).counts(_embedder_fingerprint(config))
    except IndexMissing as missing:
        yield Finding("index", "warning", missing.message, missing.remedy)
        return
    if counts.owed:
        yield Finding(
            "index",
            "warning",
            f"Still without embedding: {counted(counts.owed, 'passage')}. Hits by meaning are incomplete.",
            "Run: vaultrag index",
        )
        return
    if counts.embedded < counts.embedding_keys:
        yield Finding(
            "index",
            "warning",
            "The notes are not embedded by the configured model yet: hits by meaning are missing.",
            "Run: vaultrag index",
        )
        return
    yield _fine("index", f"{counted(counts.notes, 'note')}, {counted(counts.chunks, 'passage')}, all embedded")


def _embedder_fingerprint(config: Config) -> str | None:
    name = role_map(config.settings, config.models).model_of(Role.EMBED)
    entry = find_model(name, ModelKind.EMBED, config.models)
    return fingerprint(entry, model_path(entry, config.models)) if is_present(entry, config.models) else None


def _server(config: Config) -> Iterator[Finding]:
    endpoint = read_endpoint(config.home)
    if endpoint is None:
        yield _fine("server", "not running; search and ask start it when it helps")
        return
    read_token(config.token_path)
    yield _fine("server", f"announced at {endpoint.url} by process {endpoint.pid}; only this machine can reach it")


def _night(config: Config) -> Iterator[Finding]:
    yield from night_findings(config)


def _models(config: Config) -> Iterator[Finding]:
    for wanted in role_map(config.settings, config.models).local():
        why = ", ".join(PURPOSES[role] for role in wanted.roles)
        entry = find_model(wanted.name, wanted.kind, config.models)
        if is_present(entry, config.models):
            yield _fine("models", f"{entry.name}: {why}; {_gb(_size(entry, config))}")
            continue
        try:
            require_model(entry, config.models)
        except VaultragError as error:
            yield Finding("models", "error", f"{error.message} It is needed for {why}.", error.remedy)


def _remote(config: Config) -> Iterator[Finding]:
    """Ask the model server that roles name what it is; where none is named nothing is sent."""
    roles = role_map(config.settings, config.models)
    for name in dict.fromkeys(name for role in Role if is_remote(name := roles.model_of(role))):
        from vaultrag.runtime.remote.model import RemoteModel  # httpx costs a tenth of a second

        settings = config.settings
        model = RemoteModel(settings.remote, model_on_server(name), settings.runtime.answer_timeout_seconds)
        context = model.context_length
        yield _fine("remote", f"{settings.remote.url} answers as `{name}`, with a context of {context:,} tokens")


def _memory(config: Config) -> Iterator[Finding]:
    machine = describe_machine()
    name = role_map(config.settings, config.models).model_of(Role.ANSWER)
    if is_remote(name):
        return
    entry = find_model(name, ModelKind.CHAT, config.models)
    if not is_present(entry, config.models) or not machine.ram_total:
        return
    needed = int(_size(entry, config) * MEMORY_SPARE)
    if needed > machine.ram_total and needed > machine.ram_total + sum(gpu.total for gpu in _gpus(probe_backend())):
        yield Finding(
            "memory",
            "warning",
            f"{entry.name} wants about {_gb(needed)}; this machine has {_gb(machine.ram_total)} of memory.",
            "Name a smaller model or a smaller quantisation: roles.answer.",
        )
        return
    yield _fine("memory", f"{_gb(machine.ram_free)} of {_gb(machine.ram_total)} free, {machine.cores} cores")


def _backend(config: Config) -> Iterator[Finding]:
    yield backend_finding(probe_backend(), _gpu_hardware(describe_machine()))
    if crash := ExtraBuffers(config.models).crash:
        yield Finding(
            "llama.cpp",
            "warning",
            f"This build crashes here with ggml's extra buffers ({crash}), so models run without them.",
            f"Build it anew, which proves itself: {REBUILD}",
        )


def backend_finding(backend: BackendInfo, hardware: str) -> Finding:
    """Say what llama.cpp computes on. `hardware` is the backend that the machine's GPU asks for, empty for none."""
    version = f"llama-cpp-python {backend.version}"
    gpus = _gpus(backend)
    if gpus:
        names = ", ".join(f"{gpu.description} ({_gb(gpu.free)} free)" for gpu in gpus)
        return _fine("llama.cpp", f"{version} uses {names}")
    if backend.gpu_offload:
        return Finding(
            "llama.cpp",
            "warning",
            f"{version} was built for a GPU, but sees none, and computes on the CPU.",
            "Look whether the GPU's driver runs (nvidia-smi, rocminfo or vulkaninfo), and in a container, whether it is"
            " handed in (docker run --gpus all).",
        )
    if hardware:
        return Finding(
            "llama.cpp",
            "warning",
            f"This machine has a GPU ({hardware}), but {version} computes on the CPU only.",
            f"Build it for the GPU: scripts/quickstart --backend {hardware}; or: {_rebuild(hardware, backend.version)}",
        )
    return _fine("llama.cpp", f"{version} computes on the CPU; no GPU was found")


def _gpus(backend: BackendInfo) -> list[Device]:
    """Return the GPUs that the installed llama-cpp-python can use."""
    kinds = (DeviceKind.GPU, DeviceKind.INTEGRATED)
    return [device for device in backend.devices if device.kind in kinds] if backend.gpu_offload else []


def _gpu_hardware(machine: Machine, devices: Path = Path("/sys/class/drm")) -> str:
    """Return the backend that the hardware asks for, by its drivers' tools or its maker; empty where there is none."""
    if machine.platform == "Darwin arm64":
        return "metal"
    if found := next((backend for tool, backend in GPU_TOOLS.items() if shutil.which(tool)), ""):
        return found
    makers = {_text(path) for path in devices.glob("card[0-9]*/device/vendor")}
    return next((backend for maker, backend in GPU_MAKERS.items() if maker in makers), "")


def _rebuild(backend: str, version: str) -> str:
    """Return the command that compiles llama-cpp-python for a GPU, into the Python that runs here."""
    flags = "--force-reinstall --no-deps --no-cache-dir --no-binary llama-cpp-python"
    pip = f"{shlex.quote(sys.executable)} -m pip"
    return f'CMAKE_ARGS="-DGGML_{GPU_FLAGS[backend]}=ON" {pip} install {flags} llama-cpp-python=={version}'


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _size(entry: ModelEntry, config: Config) -> int:
    return sum(file.stat().st_size for file in model_files(model_path(entry, config.models)))


def _existing(path: Path) -> Path:
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


def _fine(what: str, detail: str) -> Finding:
    return Finding(what, "info", detail, "")


def _gb(size: int) -> str:
    return f"{size / GIGABYTE:.1f} GB"
