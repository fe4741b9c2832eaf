"""The build proves itself: what dies is compiled again with fewer instructions, and what worked is remembered."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from build_ladder import NO_AMX, Rung, begin_at, climb_down, ladder_for
from native_build import BUILDS_NAME, LLAMA, Built, proved_build
from pip_run import InstallFailed
from prove_build import FAULTS, Proof, prove

from tests.bad_build import CAN_BE_MADE, build_library, crashing
from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers, cpu_flags, machine_and_build

SERVER = ("sse4_2", "avx", "avx2", "fma", "f16c", "bmi2", "avx512f", "amx_tile", "amx_int8", "amx_bf16")
HOLDS = Proof()
made_to_crash = pytest.mark.skipif(not CAN_BE_MADE, reason="the crash is made by a preloaded library")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_library(tmp_path_factory.mktemp("library"))


class Compiler:
    """Installs nothing, and says which rungs it was asked for. What `dies` is proved by a process that really does."""

    def __init__(self, dies: Collection[str] = (), cached: bool = False, unknown: Collection[str] = ()) -> None:
        self.asked: list[tuple[str, bool]] = []
        self._dies, self._cached, self._unknown = dies, cached, unknown

    def build(self, rung: Rung, fresh: bool) -> bool:
        self.asked.append((rung.without, fresh))
        if rung.without in self._unknown:
            raise InstallFailed("c++: error: unrecognized option", "Mend it.")
        return fresh or not self._cached

    def install(self, _backend: str, rung: Rung, fresh: bool) -> bool:
        return self.build(rung, fresh)

    def prove(self) -> Proof:
        without, fresh = self.asked[-1]
        if without in self._dies or (self._cached and not fresh):
            return Proof(died=_death())
        return HOLDS

    @property
    def rungs(self) -> list[str]:
        return [without for without, _ in self.asked]


def _death() -> str:
    """Return how a process died that died as native code does."""
    done = subprocess.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"], check=False)
    return signal.Signals(-done.returncode).name


def test_the_build_that_is_installed_holds() -> None:
    assert prove() == HOLDS


@made_to_crash
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FAULTS))
@pytest.mark.parametrize("at", [1, 2], ids=["64 tokens", "one token"])
def test_a_build_that_dies_by_any_fault_is_found_out(library: Path, name: str, at: int) -> None:
    fault = signal.Signals[name]
    assert prove(environment=crashing(library, fault, at=at)) == Proof(died=name)


@made_to_crash
def test_who_was_killed_from_outside_is_no_proof_against_the_build(library: Path) -> None:
    proof = prove(environment=crashing(library, signal.SIGKILL))
    assert proof.trouble
    assert not proof.died


def test_a_proof_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    assert "FileNotFoundError" in prove(str(tmp_path / "no python")).trouble
    (tmp_path / "llama_cpp").mkdir()
    (tmp_path / "llama_cpp" / "__init__.py").write_text("raise ImportError('libcuda.so is gone')", encoding="utf-8")
    proof = prove(environment={"PYTHONPATH": str(tmp_path)})
    assert "libcuda.so is gone" in proof.trouble
    assert not proof.holds


@pytest.mark.parametrize(
    ("machine", "flags", "names"),
    [
        ("x86_64", SERVER, ["", "AMX", "AMX and AVX-512", "all that is newer than AVX2"]),
        ("x86_64", SERVER[:7], ["", "AVX-512", "all that is newer than AVX2"]),
        ("x86_64", SERVER[:6], ["", "all that is newer than AVX2"]),
        ("x86_64", ("sse4_2", "avx"), ["", "all that only some CPUs have"]),
        ("aarch64", ("asimd", "sve"), ["", "all that only some CPUs have"]),
        ("arm64", (), ["", "all that only some CPUs have"]),
    ],
)
def test_what_is_left_out_is_what_the_cpu_has_the_suspected_first(
    machine: str, flags: Collection[str], names: list[str]
) -> None:
    ladder = ladder_for(machine, flags)
    assert [rung.without for rung in ladder] == names
    assert ladder[0] == Rung()
    for rung in ladder[1:]:
        assert rung.flags or "-DGGML_NATIVE=OFF" in rung.cmake
    if "AMX" in names:
        assert NO_AMX in ladder[1].flags
        assert NO_AMX in ladder[2].flags
    if machine == "x86_64":
        assert ("-DGGML_AVX2=ON" in ladder[-1].cmake) == ("avx2" in flags)
        assert ("-DGGML_AVX2=OFF" in ladder[-1].cmake) == ("avx2" not in flags)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="asks a compiler")
def test_a_compiler_leaves_out_what_it_is_told_to() -> None:
    for rung, gone in ((1, "__AMX_"), (2, "__AVX512")):
        flags = ladder_for("x86_64", SERVER)[rung].flags.split()
        command = ["gcc", "-march=sapphirerapids", *flags, "-dM", "-E", "-x", "c", os.devnull]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip("this compiler does not know that CPU")
        assert "__AVX2__" in done.stdout
        assert gone not in done.stdout


def test_the_ladder_is_climbed_down_in_order_with_one_line_for_each_step() -> None:
    said: list[str] = []
    compiler = Compiler(dies=["", "AMX"])
    rung, proof = climb_down(ladder_for("x86_64", SERVER), compiler.build, compiler.prove, said.append)
    assert (rung.without, proof) == ("AMX and AVX-512", HOLDS)
    assert compiler.asked == [("", False), ("AMX", True), ("AMX and AVX-512", True)]
    assert len(said) == 3
    assert "SIGSEGV" in said[0]
    assert "without AMX." in said[0]
    assert "without AMX and AVX-512." in said[1]
    assert "remembered" in said[2]


def test_a_good_build_is_compiled_once_and_says_nothing() -> None:
    said: list[str] = []
    compiler = Compiler()
    climb_down(ladder_for("x86_64", SERVER), compiler.build, compiler.prove, said.append)
    assert compiler.asked == [("", False)]
    assert said == []


def test_what_pips_cache_held_for_another_machine_is_compiled_here_before_anything_is_left_out() -> None:
    said: list[str] = []
    compiler = Compiler(cached=True)
    rung, _ = climb_down(ladder_for("x86_64", SERVER), compiler.build, compiler.prove, said.append)
    assert rung == Rung()
    assert compiler.asked == [("", False), ("", True)]
    assert "cache" in said[0]


def test_flags_that_a_compiler_does_not_know_are_passed_over() -> None:
    said: list[str] = []
    compiler = Compiler(dies=[""], unknown=["AMX"])
    rung, _ = climb_down(ladder_for("x86_64", SERVER), compiler.build, compiler.prove, said.append)
    assert rung.without == "AMX and AVX-512"
    assert "unrecognized option" in said[1]


def test_a_compilation_that_fails_at_once_is_the_users_to_mend() -> None:
    compiler = Compiler(unknown=[""])
    with pytest.raises(InstallFailed, match="unrecognized"):
        climb_down(ladder_for("x86_64", SERVER), compiler.build, compiler.prove, print)


def test_a_machine_on_which_all_die_is_told_so_with_a_remedy() -> None:
    ladder = ladder_for("x86_64", SERVER)
    compiler = Compiler(dies=[rung.without for rung in ladder])
    with pytest.raises(InstallFailed, match="however it is compiled") as raised:
        climb_down(ladder, compiler.build, compiler.prove, print)
    assert "clang" in raised.value.remedy
    assert compiler.rungs == [rung.without for rung in ladder]


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., tuple[Built, list[str]]]:
    """Build as the scripts do on a CPU with everything, by a compiler that compiles nothing."""

    def build(dies: Collection[str], before: Built | None = None) -> tuple[Built, list[str]]:
        compiler = Compiler(dies)
        built = proved_build("cpu", "asked", tmp_path, before, compiler.install, compiler.prove, SERVER)
        return built, compiler.rungs

    return build


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the ladder of x86")
def test_what_worked_is_where_a_later_build_begins(
    build: Callable[..., tuple[Built, list[str]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(["", "AMX"])[1] == ["", "AMX", "AMX and AVX-512"]
    built, rungs = build(["", "AMX"])
    assert rungs == ["AMX and AVX-512"]
    assert built == Built("cpu", "asked", "AMX and AVX-512", machine_and_build())
    assert "It is compiled without AMX and AVX-512" in capsys.readouterr().out
    assert LLAMA in (tmp_path / BUILDS_NAME).read_text(encoding="utf-8")
    (tmp_path / BUILDS_NAME).write_text("damaged", encoding="utf-8")
    assert build(["", "AMX"])[1] == ["", "AMX", "AMX and AVX-512"]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the ladder of x86")
def test_a_build_that_models_died_of_is_not_built_again_though_it_proves_itself(
    build: Callable[..., tuple[Built, list[str]]], tmp_path: Path
) -> None:
    before, _ = build([])
    assert build([], before)[1] == [""]  # who rebuilds without a crash gets the same
    ExtraBuffers(tmp_path).remember_crash("SIGSEGV")
    after, rungs = build([], before)
    assert rungs == ["AMX"]
    assert after.without == "AMX"
    assert begin_at(
        ladder_for("x86_64", SERVER), "all that is newer than AVX2", below=True
    )  # there is no more to leave


@pytest.mark.long
@pytest.mark.skipif("amx_tile" not in cpu_flags(), reason="this CPU has no AMX")
def test_with_amx_a_bare_build_of_gcc_12_dies_and_one_without_amx_holds(tmp_path: Path) -> None:
    version = subprocess.run(["c++", "--version"], capture_output=True, text=True, check=True).stdout
    if not re.search(r"\b12\.\d+\.\d+", version.splitlines()[0]):
        pytest.skip("another compiler than the one that is known to err")
    for name, flags in (("bare", ""), ("without", NO_AMX)):
        target = tmp_path / name
        command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-cache-dir", "--target", str(target)]
        subprocess.run(
            [*command, "--no-binary", "llama-cpp-python", LLAMA],
            env={**os.environ, "CMAKE_ARGS": "-DLLAVA_BUILD=OFF", "CFLAGS": flags, "CXXFLAGS": flags},
            check=True,
            capture_output=True,
        )
        proof = prove(environment={"PYTHONPATH": str(target)})
        assert bool(proof.died) == (name == "bare"), proof
