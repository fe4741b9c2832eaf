"""Bring .venv to what locks/ names. The other scripts run it; it uses the standard library only.

What was installed is stamped in .venv, so that running it again takes no time; an interrupted run is resumed.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path

from native_build import (
    CMAKE,
    Built,
    Choice,
    build_llama,
    choose_backend,
    is_proved,
    prove_what_is_there,
    require_compiler,
)
from pip_run import LOCKS, LOG, ROOT, VENV, InstallFailed, ask, locked, pip_install, read_stamp, version_of

STAMP = VENV / "vaultrag-installed"
BACKEND_STAMP = VENV / "vaultrag-backend"
BUSY = VENV / "vaultrag-installing"
TORCH = "torch==2.13.0"
NVIDIA = re.compile(r"(nvidia|cuda)[-_]|triton\b")


def main(arguments: Sequence[str]) -> int:
    options = _parse(arguments)
    try:
        install(options.backend, "dev" if options.dev else "run", options.model, rebuild=options.rebuild)
    except InstallFailed as error:
        print(f"{error}\n→ {error.remedy}", file=sys.stderr)
        return 1
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        print(f"Installing into {VENV} failed: {error.strerror or error}{place}.", file=sys.stderr)
        print("→ Make room, or give this user the right to write there; then run this again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on from here.", file=sys.stderr)
        return 130
    return 0


def install(asked: str | None, group: str, models: Sequence[str], *, rebuild: bool = False) -> None:
    """Install what is not there yet, saying first what that means. Raises InstallFailed."""
    before = read_stamp(BACKEND_STAMP)
    if asked is None and "wanted" in before:
        choice = Choice(before["wanted"], "as before")
    else:
        choice = choose_backend(asked or "auto", platform.system(), platform.machine(), ask)
    there = version_of("llama_cpp_python") is not None
    build = rebuild or before.get("wanted") != choice.backend or not there
    packages = read_stamp(STAMP).get(group) != fingerprint()
    if there and not build and not BUSY.exists() and not is_proved(before.get("proved", "")):
        build = rebuild = _dies(before)
    if not build and not packages and not BUSY.exists():
        return
    if build:
        require_compiler()
    announce(choice, models, build=build)
    if BUSY.exists():
        forget_broken(Path(sysconfig.get_path("purelib")))
        packages = True
    BUSY.touch()
    if version_of("torch") is None:
        install_torch()
    if packages or build:
        pip_install("Packages", locked("build", "run", *(["dev"] if group == "dev" else [])))
    if build:
        replaced = Built(before.get("built", ""), "", before.get("without", "")) if rebuild and there else None
        built = build_llama(choice, models_dir(), replaced)
        BACKEND_STAMP.write_text(json.dumps({"wanted": choice.backend, **asdict(built)}), encoding="utf-8")
    if packages:
        pip_install("VaultRAG", ["--no-build-isolation", "-e", "."])
        if missing := unmet():
            print(f"  Something that it needs is not in locks/ (scripts/lock.py writes them): {missing}")
        groups = ("dev", "run") if group == "dev" else ("run",)
        STAMP.write_text(json.dumps(read_stamp(STAMP) | dict.fromkeys(groups, fingerprint())), encoding="utf-8")
    BUSY.unlink()


def unmet() -> str:
    """Return what pip misses of all that installed packages need; nothing was looked for beside what locks/ names."""
    check = [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"]
    done = subprocess.run(check, capture_output=True, text=True, errors="replace", check=False)
    return "; ".join(done.stdout.splitlines()) if done.returncode else ""


def install_torch() -> None:
    """Install PyTorch by its lock, or from the index that the user named for it, and for it alone.

    What such an index holds has no known hashes: it serves builds for one kind of GPU or for none.
    """
    index = _torch_index()
    pip_install("PyTorch", [TORCH, *index] if index else [*locked(), "-r", str(_torch_lock())])
    needs = [need for need in metadata.requires("torch") or [] if NVIDIA.match(need)]
    if needs:
        pip_install("NVIDIA's libraries", [*needs, *index] if index else locked("cuda"))


def _dies(before: Mapping[str, str]) -> bool:
    """Prove the build that is there on this machine; whether it dies. What else comes out is written down."""
    proof, identity = prove_what_is_there()
    if proof.died:
        print(f"The llama.cpp in .venv dies on this machine ({proof.died}): it is compiled anew.", flush=True)
        return True
    BACKEND_STAMP.write_text(json.dumps({**before, "proved": identity}), encoding="utf-8")
    return False


def announce(choice: Choice, models: Sequence[str], *, build: bool) -> None:
    """Say what will be downloaded and what takes minutes."""
    print("Installing into .venv:")
    if version_of("torch") is None:
        print(f"  · packages: {_package_sizes()}")
    else:
        print("  · packages: what is new since the last time")
    if build:
        minutes = "about 7 to 12 minutes on two cores" if choice.backend in ("cpu", "metal") else "10 to 40 minutes"
        print(f"  · llama-cpp-python is compiled for {choice.backend.upper()} ({choice.reason}): {minutes}, once")
    if size := missing_model_bytes(models, models_dir()):
        print(f"  · models: {size / 1e9:.1f} GB to download, after the packages, into {models_dir()}")
    print(f"  Interrupt it whenever you like and run it again. Log: {LOG.relative_to(ROOT)}", flush=True)


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
    """Identify what should be installed: pyproject, the locks, the place of the checkout, the Python."""
    parts = [file.read_bytes() for file in (ROOT / "pyproject.toml", *sorted(LOCKS.glob("*.txt")))]
    parts += [str(ROOT).encode("utf-8", "surrogateescape"), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _package_sizes() -> str:
    """Ask pip which PyTorch it would take: with NVIDIA's libraries it is six times as large."""
    if sys.platform != "linux":
        return "about 0.5 GB to download"
    if not brings_nvidia(_torch_report()):
        return "about 0.5 GB to download"
    return (
        "about 3 GB to download, since PyTorch comes with NVIDIA's libraries "
        "(without an NVIDIA GPU, set VAULTRAG_TORCH_INDEX to PyTorch's index for CPUs: 0.5 GB)"
    )


@cache
def _torch_report() -> str | None:
    """Ask pip which PyTorch it would take, of an index or of a folder that the user keeps files in."""
    dry_run = ["--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--report", "-", TORCH, *_torch_index()]
    return ask([sys.executable, "-m", "pip", "install", *dry_run])


def _torch_lock() -> Path:
    """Return the lock of the one file that pip prefers, where its hash is known; else that of all files.

    With several hashes pip takes what an index tells the hash of, 3 GB for GPUs, before a folder's build for CPUs.
    """
    preferred, one = preferred_hash(_torch_report()), VENV / "torch.txt"
    if preferred not in (LOCKS / "torch.txt").read_text(encoding="utf-8"):
        return LOCKS / "torch.txt"
    one.write_text(f"{TORCH} --hash=sha256:{preferred}\n", encoding="utf-8")
    return one


def preferred_hash(report: str | None) -> str:
    """Return the SHA-256 of the file that pip's report names; what cannot be one where it names none."""
    try:
        found = json.loads(report or "")["install"][0]["download_info"]["archive_info"]["hashes"]["sha256"]
    except (ValueError, LookupError, TypeError):
        return "none"
    return str(found)


def brings_nvidia(report: str | None) -> bool:
    """Tell from pip's report on PyTorch whether it needs NVIDIA's libraries on this machine."""
    try:
        wanted = json.loads(report or "")["install"][0]["metadata"].get("requires_dist", [])
    except (ValueError, LookupError):
        return False
    return any(NVIDIA.match(requirement) for requirement in wanted)


def _torch_index() -> list[str]:
    index = os.environ.get("VAULTRAG_TORCH_INDEX", "").strip()
    return ["--index-url", index] if index else []


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Install what .venv is to hold.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and checks need")
    parser.add_argument("--backend", choices=["auto", *CMAKE], help="what llama-cpp-python is built for")
    parser.add_argument("--rebuild", action="store_true", help="compile llama-cpp-python again")
    parser.add_argument("--model", action="append", default=[], help="a model to be fetched later, for the forecast")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
