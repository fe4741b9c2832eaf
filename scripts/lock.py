"""Writes locks/: by SHA-256 every file that the scripts install, for all platforms, at the versions of constraints.txt.

Run it after pyproject.toml or constraints.txt changed: `.venv/bin/python scripts/lock.py`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "locks"
UV = Path(sys.executable).with_name("uv")
BUILD = ("hatchling", "editables", "scikit-build-core[pyproject]", "cmake", "ninja")
PYTHON = "3.11"  # the oldest that we support; later ones are in the same lists
ENTRY = re.compile(r"^([A-Za-z0-9][\w.-]*)==\S+.*(?:\n +--hash=.*)*", re.MULTILINE)
NVIDIA = re.compile(r"(nvidia|cuda)-|triton$")
NOT_OURS = "== 'emscripten'"  # in a browser nothing of this runs
# Builds of PyTorch without a GPU have other files and indexes than the one of all packages; pip prefers them where a
# folder or an index of the user's offers one. Known: Python 3.11 on Linux x86-64.
CPU_TORCH = ("6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",)
HEADS = {
    "build": "What compiles llama-cpp-python and lays out VaultRAG itself.",
    "cuda": "What PyTorch needs of NVIDIA, where its own build computes on a GPU.",
    "dev": "What tests and checks need beside run.txt.",
    "llama": "The source of llama-cpp-python, which is compiled for each machine.",
    "run": "What VaultRAG runs on, beside PyTorch and llama-cpp-python.",
    "torch": "PyTorch.",
}


def main() -> None:
    build = dict(_entries("-", *BUILD))
    run = dict(_entries("pyproject.toml"))
    dev = {name: text for name, text in _entries("pyproject.toml", extra="dev") if name not in run}
    files: dict[str, dict[str, str]] = {name: {} for name in HEADS}
    files["build"], files["dev"] = build, dev
    for name, text in run.items():
        files[_file_of(name)][name] = text
    for name, entries in files.items():
        lines = [f"# {HEADS[name]} By scripts/lock.py.", *entries.values()]
        (LOCKS / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"locks/{name}.txt: {len(entries)}")


def _file_of(name: str) -> str:
    if NVIDIA.match(name):
        return "cuda"
    return {"torch": "torch", "llama-cpp-python": "llama"}.get(name, "run")


def _entries(source: str, *wanted: str, extra: str = "") -> Iterator[tuple[str, str]]:
    """Yield names and pinned, hashed entries of all that is wanted and what that needs."""
    options = ["--universal", "--generate-hashes", "--no-annotate", "--no-header", "--quiet"]
    options += ["--constraint", "constraints.txt", "--python-version", PYTHON, *(["--extra", extra] if extra else [])]
    done = subprocess.run(
        [UV, "pip", "compile", source, *options],
        cwd=ROOT,
        input="\n".join(wanted),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    yield from _parsed(done.stdout)


def _parsed(text: str) -> Iterable[tuple[str, str]]:
    for found in ENTRY.finditer(text):
        entry = found[0].rstrip(" \\")
        if NOT_OURS in entry.partition("\n")[0]:
            continue
        if found[1] == "torch":
            entry = " \\\n".join([entry, *(f"    --hash=sha256:{sha256}" for sha256 in CPU_TORCH)])
        yield found[1], entry


if __name__ == "__main__":
    LOCKS.mkdir(exist_ok=True)
    main()
