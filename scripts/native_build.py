"""Compiles llama-cpp-python for this machine, and keeps only what proves itself here."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from build_ladder import Prove, Rung, begin_at, climb_down, ladder_for
from pip_run import LOG, ROOT, Ask, InstallFailed, ask, locked, log_lines, pip_install, read_stamp
from prove_build import Proof, prove

sys.path.append(str(ROOT))  # who reads the processor is part of the program, which is not installed yet
from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers, cpu, cpu_flags, machine_and_build

LLAMA = "llama-cpp-python==0.3.36"
BY_LOCK = [*locked("llama"), "--no-build-isolation"]  # what compiles it is in locks/, too
COMPILERS = ("c++", "g++", "clang++")
BUILDS_NAME = "builds.json"  # in the models folder: .venv is made anew more often than the machine changes
NO_VISION = "-DLLAVA_BUILD=OFF"  # images are not ours: 140 instead of 193 files to compile
# pip's wheel cache does not know what a wheel was built for, so only plain CPU wheels may come from there
FRESH = ["--no-cache-dir", "--force-reinstall", "--no-binary", "llama-cpp-python"]
CMAKE = {
    "cpu": "-DGGML_METAL=OFF",
    "cuda": "-DGGML_CUDA=ON",
    "metal": "-DGGML_METAL=ON",
    "vulkan": "-DGGML_VULKAN=ON",
    "rocm": "-DGGML_HIP=ON",
}


@dataclass(frozen=True, slots=True)
class Built:
    """What was built, why, and without which instructions; `proved` identifies machine and build where that holds."""

    built: str
    reason: str
    without: str = ""
    proved: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What llama-cpp-python is built for, and why."""

    backend: str
    reason: str


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


Compile: TypeAlias = Callable[[str, Rung, bool], bool]
"""Installs for a backend by a rung, past pip's cache where it is to be fresh; whether it was compiled now."""


def build_llama(choice: Choice, models_dir: Path, before: Built | None = None) -> Built:
    """Build for the choice, for the CPU where that fails. Raises InstallFailed.

    `before` is a build that is to go: a fresh one takes its place, with fewer instructions if models died of that one.
    """
    if choice.backend == "cpu":
        return proved_build("cpu", choice.reason, models_dir, before)
    try:
        return proved_build(choice.backend, choice.reason, models_dir, before)
    except InstallFailed as error:
        print(f"  {error}\n  Going on without the GPU. To try again once that is mended: scripts/quickstart --rebuild")
        return proved_build("cpu", str(error), models_dir, before)


def is_proved(identity: str) -> bool:
    """Whether this is the machine and the build that were proved before."""
    return identity == _identity()


def prove_what_is_there() -> tuple[Proof, str]:
    """Prove the installed build, and identify it where it holds."""
    proof = prove()
    return proof, _identity() if proof.holds else ""


def proved_build(
    backend: str,
    reason: str,
    models_dir: Path,
    before: Built | None = None,
    install: Compile | None = None,
    prove: Prove = prove,
    flags: Collection[str] | None = None,
) -> Built:
    """Build as far down the ladder as it must be, beginning with what worked here before. Raises InstallFailed."""
    install = install or _compile
    ladder = ladder_for(platform.machine(), cpu_flags() if flags is None else flags)
    known = read_stamp(models_dir / BUILDS_NAME).get(_machine(), "")
    start = begin_at(ladder, known)
    crash = ExtraBuffers(models_dir).crash if before else ""
    if before and crash:
        start = begin_at(ladder, before.without, below=True)
        _say(f"Models died of the build so far ({crash}): it is compiled without {start[0].without}.")
    elif known:
        _say(f"It is compiled without {known}, as what works on this machine.")
    fresh = before is not None
    rung, proof = climb_down(start, lambda rung, fresh: install(backend, rung, fresh), prove, _say, fresh=fresh)
    if proof.holds:
        _remember(models_dir, rung)
    return Built(backend, reason, rung.without, _identity() if proof.holds else "")


def _compile(backend: str, rung: Rung, fresh: bool) -> bool:
    """Install as the rung says; whether it was compiled now."""
    environment = {"CMAKE_ARGS": _cmake_arguments(backend, rung)}
    environment |= {name: f"{os.environ.get(name, '')} {rung.flags}".strip() for name in ("CFLAGS", "CXXFLAGS")}
    if backend == "cpu" and rung == Rung() and not fresh:
        pip_install("llama-cpp-python", ["-v", *BY_LOCK], environment)
        return any("Building wheel for llama" in line for line in log_lines())
    what = "llama-cpp-python" if backend == "cpu" else f"llama-cpp-python for {backend.upper()}"
    pip_install(what, ["-v", *FRESH, *BY_LOCK], environment)
    if backend != "cpu":
        _require_gpu(backend)
    return True


def _require_gpu(backend: str) -> None:
    test = "import llama_cpp, sys; sys.exit(not llama_cpp.llama_supports_gpu_offload())"
    if ask([sys.executable, "-c", test]) is None:
        raise InstallFailed(
            f"llama-cpp-python was built for {backend.upper()}, but does not load with it here.",
            f"The log is {LOG}.",
        )


def _cmake_arguments(backend: str, rung: Rung) -> str:
    own = os.environ.get("CMAKE_ARGS", "")
    return " ".join(flag for flag in (NO_VISION, CMAKE[backend], rung.cmake, own) if flag)


def _remember(models_dir: Path, rung: Rung) -> None:
    """Write down what works on this machine with this compiler, for the next .venv. What is lost is found out again."""
    path = models_dir / BUILDS_NAME
    known = read_stamp(path)
    if known.get(_machine(), "") == rung.without:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**known, _machine(): rung.without}, indent=1), encoding="utf-8")
    except OSError as error:
        _say(f"What works here could not be written down: {error}.")


def _machine() -> str:
    """Identify what decides how a build comes out: CPU, library and compiler."""
    named = os.environ.get("CXX", "").split()[:1]
    versions = (ask([compiler, "--version"]) for compiler in (*named, *COMPILERS))
    version = next((told.splitlines()[0] for told in versions if told), "")
    return f"{hashlib.sha256(cpu().encode()).hexdigest()[:16]}, {LLAMA}, {version}"


def _identity() -> str:
    importlib.invalidate_caches()  # it may have been installed a moment ago
    return machine_and_build()


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


def require_compiler() -> None:
    """Raise InstallFailed where nothing can compile."""
    named = os.environ.get("CXX", "").split()[:1]
    if any(shutil.which(compiler) for compiler in (*named, *COMPILERS)):
        return
    remedy = "xcode-select --install" if sys.platform == "darwin" else "sudo apt install g++ (or your system's package)"
    raise InstallFailed(
        "A C++ compiler is needed to build llama-cpp-python, and none of c++, g++ and clang++ was found.",
        f"Install one: {remedy}. Then run this again.",
    )


def _nvcc() -> str:
    """Name CUDA's compiler: CUDACXX is one, the others are folders. What is not set is not looked for here."""
    folders = [Path(folder) for name in ("CUDA_HOME", "CUDA_PATH") if (folder := os.environ.get(name, ""))]
    named = [Path(compiler) for compiler in [os.environ.get("CUDACXX", "")] if compiler]
    places = [*named, *(folder / "bin" / "nvcc" for folder in (*folders, Path("/usr/local/cuda")))]
    return next((str(place) for place in places if place.is_file()), "nvcc")


def _real_vulkan_device(summary: str | None) -> bool:
    kinds = re.findall(r"deviceType\s*=\s*(\w+)", summary or "")
    return any(kind in ("PHYSICAL_DEVICE_TYPE_DISCRETE_GPU", "PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU") for kind in kinds)
