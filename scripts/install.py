"""Bring .venv to what constraints.txt pins. The other scripts run it; it uses the standard library only.

What was installed is stamped in .venv, so that running it again takes no time; an interrupted run is resumed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from ticker import Ticker, describe

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(sys.prefix)
STAMP = VENV / "vaultrag-installed"
BACKEND_STAMP = VENV / "vaultrag-backend"
BUSY = VENV / "vaultrag-installing"
LOG = VENV / "vaultrag-install.log"

TORCH = "torch==2.13.0"
LLAMA = "llama-cpp-python==0.3.36"
COMPILERS = ("c++", "g++", "clang++")
NETWORK_TROUBLE = r"Retrying|Connection|timed out|Temporary failure|No matching distribution|Could not fetch|SSLError"
FAILURES = (r"CMake Error\b", r"\S+: (fatal )?error: ", r"\w+(Error|Exception): ", r"ERROR: ", r"error: ")
ROOM_BYTES = 1_000_000_000  # below this, a failed installation was likely the disk's fault

NO_VISION = "-DLLAVA_BUILD=OFF"  # images are not ours: 140 instead of 193 files to compile
# pip's wheel cache does not know what a wheel was built for, so only plain CPU wheels may come from there
FRESH = ["--no-cache-dir", "--force-reinstall", "--no-deps", "--no-binary", "llama-cpp-python"]
CMAKE = {
    "cpu": "-DGGML_METAL=OFF",
    "cuda": "-DGGML_CUDA=ON",
    "metal": "-DGGML_METAL=ON",
    "vulkan": "-DGGML_VULKAN=ON",
    "rocm": "-DGGML_HIP=ON",
}

Ask: TypeAlias = Callable[[Sequence[str]], str | None]
"""Runs a command; its output, or None when it is missing or fails."""


class InstallFailed(Exception):
    """One sentence, and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Choice:
    """What llama-cpp-python is built for, and why."""

    backend: str
    reason: str


def main(arguments: Sequence[str]) -> int:
    options = _parse(arguments)
    try:
        install(options.backend, "dev" if options.dev else "run", options.model)
    except InstallFailed as error:
        print(f"{error}\n→ {error.remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on from here.", file=sys.stderr)
        return 130
    return 0


def install(asked: str | None, group: str, models: Sequence[str]) -> None:
    """Install what is not there yet, saying first what that means. Raises InstallFailed."""
    before = _read(BACKEND_STAMP)
    if asked is None and "wanted" in before:
        choice = Choice(before["wanted"], "as before")
    else:
        choice = choose_backend(asked or "auto", platform.system(), platform.machine(), ask)
    build = before.get("wanted") != choice.backend or _version("llama_cpp_python") is None
    packages = _read(STAMP).get(group) != fingerprint()
    if not build and not packages and not BUSY.exists():
        return
    announce(choice, models, build=build)
    if BUSY.exists():
        forget_broken(Path(sysconfig.get_path("purelib")))
        packages = True
    BUSY.touch()
    if _version("torch") is None:
        _pip("PyTorch", [TORCH, *_torch_index()])
    if build:
        built, reason = build_llama(choice)
        record = {"wanted": choice.backend, "built": built, "reason": reason}
        BACKEND_STAMP.write_text(json.dumps(record), encoding="utf-8")
    if packages:
        _pip("Packages", ["-e", ".[dev]" if group == "dev" else "."])
        groups = ("dev", "run") if group == "dev" else ("run",)
        STAMP.write_text(json.dumps(_read(STAMP) | dict.fromkeys(groups, fingerprint())), encoding="utf-8")
    BUSY.unlink()


def choose_backend(asked: str, system: str, machine: str, ask: Ask) -> Choice:
    """Decide what to build for; `auto` takes what this machine can both run and compile for."""
    if asked != "auto":
        return Choice(asked, "as asked")
    if system == "Darwin":
        if machine == "arm64":
            return Choice("metal", "this is an Apple GPU")
        return Choice("cpu", "Metal is worth it on Apple silicon only")
    missed = ""
    if ask(["nvidia-smi", "-L"]):
        if ask([_nvcc(), "--version"]):
            return Choice("cuda", "an NVIDIA GPU and the CUDA compiler were found")
        missed = "there is an NVIDIA GPU, but its compiler (nvcc, in the CUDA toolkit) is not installed"
    if ask(["rocminfo"]) and ask(["hipcc", "--version"]):
        return Choice("rocm", "an AMD GPU and hipcc were found")
    if _real_vulkan_device(ask(["vulkaninfo", "--summary"])):
        if ask(["glslc", "--version"]):
            return Choice("vulkan", "a Vulkan GPU and the shader compiler were found")
        missed = missed or "there is a Vulkan GPU, but its shader compiler (glslc) is not installed"
    return Choice("cpu", missed or "no GPU was found")


def announce(choice: Choice, models: Sequence[str], *, build: bool) -> None:
    """Say what will be downloaded and what takes minutes."""
    print("Installing into .venv:")
    if _version("torch") is None:
        print(f"  · packages: {_package_sizes()}")
    else:
        print("  · packages: what is new since the last time")
    if build:
        minutes = "about 7 to 12 minutes on two cores" if choice.backend in ("cpu", "metal") else "10 to 40 minutes"
        print(f"  · llama-cpp-python is compiled for {choice.backend.upper()} ({choice.reason}): {minutes}, once")
    if size := missing_model_bytes(models, models_dir()):
        print(f"  · models: {size / 1e9:.1f} GB to download, after the packages, into {models_dir()}")
    print(f"  Interrupt it whenever you like and run it again. Log: {LOG.relative_to(ROOT)}", flush=True)


def build_llama(choice: Choice) -> tuple[str, str]:
    """Build llama-cpp-python for the choice, for the CPU where that fails; return what was built and why."""
    _require_compiler()
    if choice.backend == "cpu":
        _build_for_cpu()
        return "cpu", choice.reason
    try:
        _build_for_gpu(choice.backend)
    except InstallFailed as error:
        print(f"  {error}\n  Going on without the GPU. To try again once that is mended: delete {BACKEND_STAMP}")
        _build_for_cpu()
        return "cpu", str(error)
    return choice.backend, choice.reason


def forget_broken(packages: Path) -> None:
    """Make pip install again what an interrupted run left half done: packages with missing files."""
    for leftover in packages.glob("~*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for record in packages.glob("*.dist-info"):
        files = metadata.PathDistribution(record).files
        if files is None or not all(os.path.lexists(str(file.locate())) for file in files):
            shutil.rmtree(record)


def missing_model_bytes(names: Sequence[str], folder: Path) -> int:
    """Return how much is still to be fetched for these models, by the catalogue."""
    entries = tomllib.loads((ROOT / "config" / "models.toml").read_text(encoding="utf-8"))["model"]
    missing = [
        entry
        for entry in entries
        if entry["name"] in names and not (folder / entry["name"] / "manifest.json").is_file()
    ]
    return sum(entry.get("download_bytes", entry["bytes"]) for entry in missing)


def models_dir() -> Path:
    """Return the folder that vaultrag.config.models_dir names, which can't be asked before it is installed."""
    if named := os.environ.get("VAULTRAG_MODELS", "").strip():
        return Path(named).expanduser()
    if shared := os.environ.get("XDG_DATA_HOME", "").strip():
        return Path(shared) / "vaultrag" / "models"
    place = "Library/Application Support" if sys.platform == "darwin" else ".local/share"
    return Path.home() / place / "vaultrag" / "models"


def fingerprint() -> str:
    """Identify what should be installed: pyproject, constraints, the place of the checkout, the Python."""
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    parts += [str(ROOT).encode("utf-8", "surrogateescape"), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def ask(command: Sequence[str]) -> str | None:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=20, check=False)
        return done.stdout if done.returncode == 0 else None
    return None


def _build_for_cpu() -> None:
    environment = {"CMAKE_ARGS": _cmake_arguments("cpu")}
    _pip("llama-cpp-python", ["-v", LLAMA], environment)
    if ask([sys.executable, "-c", "import llama_cpp"]) is None:
        # pip's cache held a wheel that was built on another machine or for a GPU that is gone
        _pip("llama-cpp-python", ["-v", *FRESH, LLAMA], environment)


def _build_for_gpu(backend: str) -> None:
    _pip("llama-cpp-python's own needs", ["numpy", "diskcache", "jinja2", "typing_extensions"])
    _pip(f"llama-cpp-python for {backend.upper()}", ["-v", *FRESH, LLAMA], {"CMAKE_ARGS": _cmake_arguments(backend)})
    test = "import llama_cpp, sys; sys.exit(not llama_cpp.llama_supports_gpu_offload())"
    if ask([sys.executable, "-c", test]) is None:
        raise InstallFailed(
            f"llama-cpp-python was built for {backend.upper()}, but does not load with it here.",
            f"The log is {LOG}.",
        )


def _cmake_arguments(backend: str) -> str:
    return " ".join(flag for flag in (NO_VISION, CMAKE[backend], os.environ.get("CMAKE_ARGS", "")) if flag)


def _pip(what: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run pip install under our constraints, showing what it does in one line. Raises InstallFailed."""
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "-c", "constraints.txt", *arguments]
    own = {"PIP_CONSTRAINT": "constraints.txt", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    with LOG.open("a", encoding="utf-8") as log, Ticker(what) as ticker:
        log.write(f"\n$ {' '.join(command)}\n")
        pip = subprocess.Popen(
            command,
            cwd=ROOT,  # so that the constraints file needs no path, which pip would split at a space
            env={**os.environ, **own, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert pip.stdout is not None
        try:
            for line in pip.stdout:
                log.write(line)
                ticker.doing = describe(line) or ticker.doing
        finally:
            code = pip.wait()
    if code != 0:
        raise InstallFailed(
            f"Installing {what} failed: {find_cause(_log_lines())}.", f"{_remedy()} The whole log is {LOG}."
        )


def _package_sizes() -> str:
    """Ask pip which PyTorch it would take: with NVIDIA's libraries it is six times as large."""
    if sys.platform != "linux":
        return "about 0.5 GB to download"
    dry_run = ["--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--report", "-", TORCH, *_torch_index()]
    if not brings_nvidia(ask([sys.executable, "-m", "pip", "install", *dry_run])):
        return "about 0.5 GB to download"
    return (
        "about 3 GB to download, since PyTorch comes with NVIDIA's libraries "
        "(without an NVIDIA GPU, set VAULTRAG_TORCH_INDEX to PyTorch's index for CPUs: 0.5 GB)"
    )


def brings_nvidia(report: str | None) -> bool:
    """Tell from pip's report on PyTorch whether it needs NVIDIA's libraries on this machine."""
    try:
        wanted = json.loads(report or "")["install"][0]["metadata"].get("requires_dist", [])
    except (ValueError, LookupError):
        return False
    return any(re.match(r"(nvidia|cuda)[-_]", requirement) for requirement in wanted)


def _torch_index() -> list[str]:
    index = os.environ.get("VAULTRAG_TORCH_INDEX", "").strip()
    return ["--extra-index-url", index] if index else []


def _require_compiler() -> None:
    named = os.environ.get("CXX", "").split()[:1]
    if any(shutil.which(compiler) for compiler in (*named, *COMPILERS)):
        return
    remedy = "xcode-select --install" if sys.platform == "darwin" else "sudo apt install g++ (or your system's package)"
    raise InstallFailed(
        "A C++ compiler is needed to build llama-cpp-python, and none of c++, g++ and clang++ was found.",
        f"Install one: {remedy}. Then run this again.",
    )


def _nvcc() -> str:
    places = [Path(os.environ.get(name, "")) / "bin" / "nvcc" for name in ("CUDACXX", "CUDA_HOME", "CUDA_PATH")]
    places.append(Path("/usr/local/cuda/bin/nvcc"))
    return next((str(place) for place in places if place.is_file()), "nvcc")


def _real_vulkan_device(summary: str | None) -> bool:
    kinds = re.findall(r"deviceType\s*=\s*(\w+)", summary or "")
    return any(kind in ("PHYSICAL_DEVICE_TYPE_DISCRETE_GPU", "PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU") for kind in kinds)


def find_cause(log: Sequence[str]) -> str:
    """Return what tells most about a failure: CMake's word, the compiler's, Python's, pip's, or the last line."""
    lines = [line.strip(" │╰─>×") for line in log] or ["no reason was given"]
    for pattern in FAILURES:
        for line, following in zip(reversed(lines), reversed([*lines[1:], ""]), strict=True):
            if re.match(pattern, line):
                whole = f"{line} {following}" if line.endswith(":") else line
                return whole.removeprefix("ERROR: ").rstrip(".")[:300]
    return lines[-1].rstrip(".")[:300]


def _remedy() -> str:
    if shutil.disk_usage(VENV).free < ROOM_BYTES:
        return "The disk is nearly full: make room, then run this again."
    if any(re.search(NETWORK_TROUBLE, line) for line in _log_lines()):
        return "Check the network connection, then run this again: it goes on from here."
    return "Mend what the log tells of, then run this again: it goes on from here."


def _log_lines() -> list[str]:
    """Return what the last run of pip wrote."""
    log = LOG.read_text(encoding="utf-8", errors="replace").rpartition("\n$ ")[2]
    return [line for line in log.splitlines() if line.strip()]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _read(stamp: Path) -> dict[str, str]:
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Install what .venv is to hold.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and checks need")
    parser.add_argument("--backend", choices=["auto", *CMAKE], help="what llama-cpp-python is built for")
    parser.add_argument("--model", action="append", default=[], help="a model to be fetched later, for the forecast")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
