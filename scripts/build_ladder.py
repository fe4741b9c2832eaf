"""The ways to compile llama.cpp for this CPU, each with fewer of its instructions, and how far down one must go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pip_run import LOG, InstallFailed
from prove_build import Proof

NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
NO_AVX512 = "-mno-avx512f"  # both gcc and clang leave out all that builds on it
X86 = ("x86_64", "amd64")
# What GGML_NATIVE=OFF is told one by one: ggml's switch, and the flag by which Linux names the instructions
SWITCHES = {"SSE42": "sse4_2", "AVX": "avx", "AVX2": "avx2", "FMA": "fma", "F16C": "f16c", "BMI2": "bmi2"}


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to compile: with these flags for C and C++ and arguments of CMake. `without` names what is left out."""

    without: str = ""
    flags: str = ""
    cmake: str = ""


Build: TypeAlias = Callable[[Rung, bool], bool]
"""Installs by a rung, past pip's cache where it is to be `fresh`; whether it was compiled now. Raises InstallFailed."""
Prove: TypeAlias = Callable[[], Proof]
Say: TypeAlias = Callable[[str], None]


def ladder_for(machine: str, flags: Collection[str]) -> tuple[Rung, ...]:
    """Return the ways to compile for a CPU with these instructions, what is suspected first left out first."""
    rungs, left_out = [Rung()], []
    if any(flag.startswith("amx") for flag in flags):
        left_out.append(NO_AMX)
        rungs.append(Rung("AMX", NO_AMX))
    if "avx512f" in flags:
        name = "AMX and AVX-512" if left_out else "AVX-512"
        rungs.append(Rung(name, " ".join([*left_out, NO_AVX512])))
    plain = ["-DGGML_NATIVE=OFF"]
    if machine.lower() in X86 and flags:
        plain += [f"-DGGML_{name}={'ON' if flag in flags else 'OFF'}" for name, flag in SWITCHES.items()]
    what = "all that is newer than AVX2" if "avx2" in flags else "all that only some CPUs have"
    return (*rungs, Rung(what, cmake=" ".join(plain)))


def begin_at(ladder: Sequence[Rung], without: str, *, below: bool = False) -> Sequence[Rung]:
    """Return the ladder from the rung of this name on, or from the one `below` it; the whole where it has none."""
    names = [rung.without for rung in ladder]
    if without not in names:
        return ladder
    return ladder[min(names.index(without) + below, len(ladder) - 1) :]


def climb_down(
    ladder: Sequence[Rung], build: Build, prove: Prove, say: Say, *, fresh: bool = False
) -> tuple[Rung, Proof]:
    """Build by the first rung, and by the next as long as the proof dies, saying why. Raises InstallFailed.

    Where the proof cannot be made at all, nothing is known against the build, and it stays.
    """
    died = ""
    for rung in ladder:
        if died:
            say(f"llama.cpp as it was compiled dies here ({died}): it is compiled again without {rung.without}.")
        try:
            proof = _built_and_proved(rung, build, prove, say, fresh=fresh or bool(died))
        except InstallFailed as failed:
            if not died:
                raise
            say(f"Without {rung.without} it cannot be compiled here: {failed}")
            continue
        if proof.died:
            died = proof.died
            continue
        if proof.trouble:
            say(f"What was compiled could not be proved: {proof.trouble}.")
        elif died:
            say(f"Without {rung.without} it works; that is remembered for this machine.")
        return rung, proof
    raise InstallFailed(
        f"llama.cpp dies on this machine however it is compiled (at last by {died}).",
        f"Try another compiler: CC=clang CXX=clang++ scripts/quickstart --rebuild. The log is {LOG}.",
    )


def _built_and_proved(rung: Rung, build: Build, prove: Prove, say: Say, *, fresh: bool) -> Proof:
    """Build and prove; what pip's cache held may have been compiled for another machine, and is compiled anew then."""
    compiled = build(rung, fresh)
    proof = prove()
    if compiled or proof.holds:
        return proof
    say(f"What pip's cache held does not run here ({proof.died or proof.trouble}): it is compiled for this machine.")
    build(rung, True)
    return prove()
