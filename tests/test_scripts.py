from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import install
import native_build
import pip
import pip_run
import pytest
from packaging.requirements import Requirement
from ticker import describe

from tests.runtime.small_models import write_wheel
from vaultrag.config import models_dir

ROOT = Path(__file__).resolve().parent.parent
SHELL_SCRIPTS = ["quickstart", "test", "check", "generate", "bench", "bootstrap.sh"]
TOOLS = ["sh", "dirname", "uname", "cat"]  # what a machine without Python has

posix = pytest.mark.skipif(os.name != "posix", reason="the scripts are for POSIX shells")


def run_script(path: Path, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(path), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts in a folder whose name has a space and Cyrillic letters, with nothing installed."""
    folder = tmp_path / "Мой клон" / "vaultrag"
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "fixtures" / "vault").mkdir(parents=True)
    return folder


@pytest.fixture
def no_python(tmp_path: Path) -> str:
    """A PATH on which there is no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool} here"))
    return str(folder)


def test_a_test_cannot_connect_to_another_machine() -> None:
    with socket.socket() as stranger, pytest.raises(AssertionError, match="not this machine"):
        stranger.connect(("192.0.2.1", 80))


@posix
@pytest.mark.parametrize("name", [*(f"scripts/{name}" for name in SHELL_SCRIPTS), ".ci/run"])
def test_script_parses(name: str) -> None:
    done = subprocess.run(["sh", "-n", str(ROOT / name)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert name.endswith(".sh") or os.access(ROOT / name, os.X_OK)


@posix
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bakend", "cpu"], "no option --bakend"),
        (["--backend", "gpu"], "no backend gpu"),
        (["--backend"], "wants a value"),
        (["--model"], "wants a value"),
        (["нет такой папки"], "нет такой папки is not a folder"),
        (["--", "--vault"], "--vault is not a folder"),
    ],
)
def test_quickstart_refuses_what_makes_no_sense_before_it_does_anything(
    checkout: Path, tmp_path: Path, arguments: Sequence[str], told: str
) -> None:
    done = run_script(checkout / "scripts" / "quickstart", *arguments, cwd=tmp_path)

    assert done.returncode == 1
    assert told in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[1].startswith("→ ")
    assert not (checkout / ".venv").exists()


@pytest.fixture
def recording_python(checkout: Path, tmp_path: Path) -> Path:
    """A .venv whose Python writes down what it is asked for, and fails `models use` as `USE_FAILS` says."""
    record, python = tmp_path / "asked", checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f"""#!/bin/sh
[ "$1" = -c ] && exit 0
printf '%s\\n' "$*" >> '{record}'
case $* in *"models use"*) exit "${{USE_FAILS:-0}}" ;; esac
""",
        encoding="utf-8",
    )
    python.chmod(0o755)
    return record


def asked_of_vaultrag(record: Path) -> list[str]:
    lines = record.read_text(encoding="utf-8").splitlines()
    ours = [line.removeprefix("-m vaultrag ") for line in lines if line.startswith("-m vaultrag ")]
    return [re.sub(r"^--vault .*?/fixtures/vault ", "", line) for line in ours]


@posix
def test_quickstart_names_a_better_model_in_its_last_lines(
    checkout: Path, recording_python: Path, tmp_path: Path
) -> None:
    done = run_script(checkout / "scripts" / "quickstart", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    pull, index, first, second, last = asked_of_vaultrag(recording_python)
    assert (pull, index, last) == ("models pull", "index", "models recommend")
    assert first.startswith("ask Сколько")
    assert second.startswith("ask When")


@posix
@pytest.mark.parametrize("fails", ["0", "10", "16"])
@pytest.mark.parametrize("option", [["--model", "auto"], ["--model=qwen3-4b"]])
def test_quickstart_answers_by_the_better_model_or_by_the_small_one(
    checkout: Path, recording_python: Path, tmp_path: Path, fails: str, option: list[str]
) -> None:
    done = run_script(checkout / "scripts" / "quickstart", *option, cwd=tmp_path, USE_FAILS=fails)

    assert done.returncode == 0, done.stderr
    asked = asked_of_vaultrag(recording_python)
    assert asked[:4] == ["models pull", f"models use {option[-1].removeprefix('--model=')}", "serve --stop", "index"]
    assert [line.split()[0] for line in asked[4:]] == ["ask", "ask"]


@posix
def test_quickstart_stops_at_a_model_that_nobody_knows(checkout: Path, recording_python: Path, tmp_path: Path) -> None:
    done = run_script(checkout / "scripts" / "quickstart", "--model", "qwen9", cwd=tmp_path, USE_FAILS="12")

    assert done.returncode == 12
    assert asked_of_vaultrag(recording_python) == ["models pull", "models use qwen9"]


@posix
def test_quickstart_explains_itself_from_any_folder(checkout: Path, tmp_path: Path) -> None:
    done = run_script(Path("Мой клон/vaultrag/scripts/quickstart"), "--help", cwd=tmp_path)

    assert done.returncode == 0
    assert "--backend auto|cpu|cuda|metal|vulkan|rocm" in done.stdout
    assert "--rebuild" in done.stdout


@posix
@pytest.mark.parametrize("script", ["quickstart", "test", "check"])
def test_machine_without_python_is_told_what_to_install(
    checkout: Path, tmp_path: Path, no_python: str, script: str
) -> None:
    done = run_script(checkout / "scripts" / script, cwd=tmp_path, PATH=no_python)

    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11, 3.12 or 3.13 is needed")
    assert "Install one" in done.stderr


@posix
def test_python_that_is_too_old_is_passed_over(checkout: Path, tmp_path: Path, no_python: str) -> None:
    old = Path(no_python) / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    done = run_script(checkout / "scripts" / "quickstart", cwd=tmp_path, PATH=no_python)

    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11, 3.12 or 3.13 is needed")


@posix
@pytest.mark.parametrize(
    ("said", "told", "remedy"),
    [
        ("Error: [Errno 28] No space left on device", "No space left on device", "full disk"),
        ("Error: Refusing: it contains the PATH separator :.", "PATH separator", "move this folder"),
        ("Error: Command '[python, -m, ensurepip]' returned non-zero exit status 1.", "ensurepip", "full disk"),
        ("created not\\nbecause ensurepip is not\\navailable.", "environment", "python3-venv"),
        ("/usr/bin/python3: No module named venv", "environment", "python3-venv"),
        ("", "environment", "python3-venv"),
    ],
)
def test_why_there_is_no_virtual_environment_is_told(
    checkout: Path, tmp_path: Path, no_python: str, said: str, told: str, remedy: str
) -> None:
    python = Path(no_python) / "python3.11"
    python.write_text(f"""#!/bin/sh\n[ "$1" = -c ] && exit 0\nprintf "{said}"\nexit 1\n""", encoding="utf-8")
    python.chmod(0o755)
    done = run_script(checkout / "scripts" / "quickstart", cwd=tmp_path, PATH=no_python)

    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert told in first
    assert remedy in second


@posix
def test_what_pip_was_set_to_for_other_work_leads_nothing_astray(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "index", "small-thing", "1.0", "small_thing/__init__.py", b"here = True")
    venv, elsewhere = tmp_path / "venv", str(tmp_path / "elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    settings = {"PIP_USER": "1", "PIP_DRY_RUN": "1", "PIP_REQUIRE_HASHES": "1", "PIP_QUIET": "3"}
    settings |= dict.fromkeys(("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"), elsewhere)
    paths = os.pathsep.join([str(ROOT / "scripts"), str(Path(pip.__file__).parent.parent)])
    install_it = f"import pip_run; pip_run.pip_install('it', ['--no-index', {str(wheel)!r}])"
    done = subprocess.run(
        [str(venv / "bin" / "python"), "-c", install_it],
        env={**os.environ, **settings, "PYTHONPATH": paths, "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + (venv / "vaultrag-install.log").read_text(encoding="utf-8")
    assert list(venv.glob("lib/python*/site-packages/small_thing/__init__.py"))
    assert not Path(elsewhere).exists()


@posix
def test_a_folder_that_cannot_be_written_to_is_one_sentence(checkout: Path, tmp_path: Path) -> None:
    venv = checkout / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    for name in ("config", "locks", "pyproject.toml", "vaultrag"):
        (checkout / name).symlink_to(ROOT / name)
    (venv / "vaultrag-installing").symlink_to(tmp_path / "no folder" / "file")  # the superuser may write anywhere else
    done = subprocess.run(
        [str(venv / "bin" / "python"), str(checkout / "scripts" / "install.py"), "--backend", "cpu"],
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said, remedy = done.stderr.splitlines()
    assert said.startswith(f"Installing into {venv} failed: No such file or directory")
    assert remedy.startswith("→ Make room")


@posix
def test_the_compiler_of_cuda_is_not_looked_for_where_somebody_happens_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvcc = tmp_path / "bin" / "nvcc"
    nvcc.parent.mkdir()
    nvcc.write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []

    def ask(command: Sequence[str]) -> str | None:
        asked.append(command[0])
        return "yes"

    for name, value in (("CUDACXX", ""), ("CUDACXX", str(nvcc)), ("CUDA_HOME", str(tmp_path))):
        for variable in ("CUDACXX", "CUDA_HOME", "CUDA_PATH"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv(name, value)
        assert native_build.choose_backend("auto", "Linux", "x86_64", ask).backend == "cuda"
    assert asked[1] != "bin/nvcc"
    assert asked[3::2] == [str(nvcc), str(nvcc)]


VULKAN_CARD = "\tdeviceType         = PHYSICAL_DEVICE_TYPE_DISCRETE_GPU\n"
VULKAN_IN_SOFTWARE = "\tdeviceType         = PHYSICAL_DEVICE_TYPE_CPU\n"


@pytest.mark.parametrize(
    ("system", "machine", "answers", "backend", "reason"),
    [
        ("Linux", "x86_64", {}, "cpu", "no GPU was found"),
        ("Linux", "x86_64", {"nvidia-smi": "GPU 0", "nvcc": "13"}, "cuda", "NVIDIA"),
        ("Linux", "x86_64", {"nvidia-smi": "GPU 0"}, "cpu", "nvcc"),
        ("Linux", "x86_64", {"nvidia-smi": "GPU 0", "vulkaninfo": VULKAN_CARD, "glslc": "1"}, "vulkan", "Vulkan"),
        ("Linux", "x86_64", {"vulkaninfo": VULKAN_CARD}, "cpu", "glslc"),
        ("Linux", "x86_64", {"vulkaninfo": VULKAN_IN_SOFTWARE, "glslc": "1"}, "cpu", "no GPU was found"),
        ("Linux", "x86_64", {"rocminfo": "gfx1100", "hipcc": "6"}, "rocm", "AMD"),
        ("Linux", "aarch64", {"nvcc": "13"}, "cpu", "no GPU was found"),
        ("Darwin", "arm64", {}, "metal", "Apple"),
        ("Darwin", "x86_64", {}, "cpu", "Apple silicon"),
    ],
)
def test_auto_builds_for_what_the_machine_runs_and_compiles(
    system: str, machine: str, answers: Mapping[str, str], backend: str, reason: str
) -> None:
    choice = native_build.choose_backend("auto", system, machine, lambda command: answers.get(Path(command[0]).name))

    assert choice.backend == backend
    assert reason in choice.reason


def test_named_backend_is_taken_without_asking() -> None:
    assert native_build.choose_backend("rocm", "Linux", "x86_64", lambda _: pytest.fail("asked")).backend == "rocm"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Collecting numpy>=2", "finding numpy"),
        ("  Downloading torch-2.13.0-cp311.whl (554.6 MB)", "downloading torch (554.6 MB)"),
        ("Processing /some/where/scipy-1.17.1-cp311.whl", "downloading scipy"),
        ("  [12/140] Building CXX object vendor/llama.cpp/x.o", "compiling 12 of 140"),
        ("Installing collected packages: a, b", "unpacking"),
        ("  Building wheel for llama-cpp-python (pyproject.toml): started", "building"),
        ("Requirement already satisfied: numpy", ""),
        ("", ""),
    ],
)
def test_progress_is_told_in_words(line: str, told: str) -> None:
    assert describe(line) == told


@pytest.mark.parametrize(
    ("wanted", "brings"),
    [
        (["filelock", "nvidia-cublas==13.1; platform_system == 'Linux'"], True),
        (["cuda-toolkit[cublas]==13.0.3"], True),
        (["filelock", "sympy>=1.13"], False),
    ],
)
def test_download_is_announced_by_what_pytorch_needs(wanted: list[str], brings: bool) -> None:
    metadata = {"requires_dist": wanted, "description": "runs on NVIDIA cards"}

    assert install.brings_nvidia(json.dumps({"install": [{"metadata": metadata}]})) is brings


@pytest.mark.parametrize("report", [None, "", "{}", '{"install": []}', "no json"])
def test_pip_that_says_nothing_stops_nothing(report: str | None) -> None:
    assert not install.brings_nvidia(report)


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (
            ["  CMake Error in ggml/CMakeLists.txt:", "    no GPU was detected.", "", "ERROR: Failed building wheel"],
            "CMake Error in ggml/CMakeLists.txt: no GPU was detected",
        ),
        (
            ["x.cpp:3:1: error: no member named y", "ninja: build stopped.", "ERROR: x"],
            "x.cpp:3:1: error: no member named y",
        ),
        (["  │ OSError: no README.md", "  ╰─> [end]", "error: metadata-generation-failed"], "OSError: no README.md"),
        (["ERROR: No matching distribution found for torch"], "No matching distribution found for torch"),
        (["Killed"], "Killed"),
        ([], "no reason was given"),
    ],
)
def test_failure_is_told_by_the_line_that_explains_it(log: list[str], cause: str) -> None:
    assert pip_run.find_cause(log) == cause


def lay_package(site: Path, name: str, *, files: Sequence[str], recorded: Sequence[str]) -> Path:
    record = site / f"{name}-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (record / "RECORD").write_text("".join(f"{file},,\n" for file in recorded), encoding="utf-8")
    for file in files:
        (site / file).parent.mkdir(exist_ok=True)
        (site / file).touch()
    return record


def test_interrupted_installation_is_done_again_and_only_that(tmp_path: Path) -> None:
    whole = lay_package(tmp_path, "whole", files=["whole/a.py"], recorded=["whole/a.py"])
    half = lay_package(tmp_path, "half", files=["half/a.py"], recorded=["half/a.py", "half/b.py"])
    unrecorded = lay_package(tmp_path, "unrecorded", files=[], recorded=[])
    (unrecorded / "RECORD").unlink()
    (tmp_path / "~leftover").mkdir()
    install.forget_broken(tmp_path)

    assert whole.exists()
    assert not half.exists()
    assert not unrecorded.exists()
    assert not (tmp_path / "~leftover").exists()


def test_forecast_counts_the_models_that_are_not_here(tmp_path: Path) -> None:
    chat, embed = "qwen2.5-coder-1.5b-instruct", "multilingual-e5-small"
    everything = install.missing_model_bytes([chat, embed], tmp_path)
    (tmp_path / chat).mkdir()
    (tmp_path / chat / "manifest.json").write_text("{}", encoding="utf-8")

    assert 1_100_000_000 < everything < 1_400_000_000
    assert install.missing_model_bytes([chat, embed], tmp_path) < 200_000_000


@pytest.mark.parametrize("variable", ["VAULTRAG_MODELS", "XDG_DATA_HOME", ""])
def test_forecast_looks_where_models_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    for name in ("VAULTRAG_MODELS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "there"))

    assert install.models_dir() == models_dir()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if not line.startswith("#")]
    assert all(found), "a line is more than a pin"
    return {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[2] for pin in found if pin}


def test_every_dependency_has_a_pin_that_fits() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = pins()
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(pinned[re.sub(r"[-_.]+", "-", wanted.name).lower()]), line


def test_scripts_install_the_pinned_versions_of_what_they_name() -> None:
    pinned = pins()

    assert install.TORCH == f"torch=={pinned['torch']}" == "torch==2.13.0"
    assert native_build.LLAMA.partition("==")[2] == pinned["llama-cpp-python"]


def locked() -> dict[str, tuple[str, list[str]]]:
    """Return what locks/ names, each with its version and its files' SHA-256."""
    found = {}
    for file in (ROOT / "locks").glob("*.txt"):
        for entry in re.split(r"\n(?=\S)", file.read_text(encoding="utf-8")):
            if not entry.startswith("#"):
                requirement = Requirement(entry.partition("\n")[0].rstrip(" \\"))
                version = str(requirement.specifier).removeprefix("==")
                found[requirement.name.lower()] = (version, re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
    return found


def test_what_the_scripts_install_is_named_by_version_and_hash() -> None:
    pinned = pins()
    for name, (version, hashes) in locked().items():
        assert hashes, name
        if not install.NVIDIA.match(name):  # PyTorch pins those itself
            assert pinned[name] == version, f"{name}: run scripts/lock.py"


def test_the_locks_hold_all_that_is_needed_here() -> None:
    """pip is not asked what else a package needs, so nothing may be missing."""
    known, wanted, seen = locked(), ["vaultrag"], set[str]()
    while wanted:
        name = wanted.pop()
        for line in importlib.metadata.requires(name) or []:
            need = Requirement(line)
            extras = ["", "dev"] if name == "vaultrag" else [""]
            needed = need.name.lower().replace("_", "-")
            if needed in seen or (need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in extras)):
                continue
            assert needed in known, f"{needed}, for {name}: run scripts/lock.py"
            seen.add(needed)
            wanted.append(needed)
    assert {"torch", "llama-cpp-python", "ruff", "numpy"} <= seen


def test_the_file_of_pytorch_that_pip_prefers_is_told_by_its_hash() -> None:
    archive = {"hash": "sha256=ab", "hashes": {"sha256": "ab"}}
    report = json.dumps({"install": [{"download_info": {"url": "file:///torch.whl", "archive_info": archive}}]})
    assert install.preferred_hash(report) == "ab"
    for silent in (None, "", "[]", "{}", '{"install": [{"download_info": {"dir_info": {}}}]}', '{"install": [7]}'):
        assert install.preferred_hash(silent) not in (ROOT / "locks" / "torch.txt").read_text(encoding="utf-8")


def test_only_a_file_that_is_known_is_installed(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "index", "annotated-doc", "0.0.7", "annotated_doc/__init__.py", b"stranger = True")
    lock = tmp_path / "lock.txt"
    known, _ = (ROOT / "locks" / "run.txt").read_text(encoding="utf-8").split("annotated-types==", 1)
    lock.write_text("annotated-doc==" + known.split("annotated-doc==")[1], encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(tmp_path / "there"), "--no-index"]
    done = subprocess.run(
        [*command, "--find-links", str(wheel.parent), "--require-hashes", "-r", str(lock)],
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / "there").exists()


def test_readme_leads_with_the_two_commands_and_names_no_missing_file() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.search(r"```sh\n(.*?)```", text, re.DOTALL)

    assert commands is not None
    assert text.index("scripts/quickstart") < text.index("scripts/test") < commands.end()
    for name in re.findall(r"(?:scripts|docs)/[\w.]+\w", text) + re.findall(r"\]\((\w+)\)", text):
        assert (ROOT / name).exists(), name
