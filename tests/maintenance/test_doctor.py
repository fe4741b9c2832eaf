"""Doctor: a check that breaks is itself a finding."""

from __future__ import annotations

import platform
import shlex
import sys
from pathlib import Path

import pytest

from tests.hostile_notes import write_filters
from tests.model_server import Script, model_server
from vaultrag.config import Config, Settings
from vaultrag.maintenance.doctor import backend_finding, examine
from vaultrag.runtime.hardware.machine import BackendInfo, Device, DeviceKind, probe_backend


def test_a_home_that_the_file_system_refuses_is_a_finding(tmp_path: Path) -> None:
    config = Config(vault=tmp_path, home=tmp_path / ("n" * 300), models=tmp_path / "models", settings=Settings())
    found = {finding.invariant: finding for finding in examine(config)}
    assert found["home"].severity == "error"
    assert found["home"].remedy


@pytest.mark.slow
def test_a_model_server_is_asked_only_where_a_role_names_it(tmp_path: Path) -> None:
    script = Script(models=("qwen3-32b",))
    with model_server(script) as url:
        for roles, expected in (({}, None), ({"judge": "remote"}, "8,192 tokens")):
            settings = Settings.model_validate({"remote": {"url": url}, "roles": roles})
            config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path / "models", settings=settings)
            found = {finding.invariant: finding for finding in examine(config)}
            assert bool(script.asked) == ("remote" in found) == (expected is not None)
    assert expected is not None
    assert expected in found["remote"].detail


def test_a_model_server_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    settings = Settings.model_validate({"remote": {"url": "http://127.0.0.1:9"}, "roles": {"answer": "remote"}})
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path / "models", settings=settings)
    found = {finding.invariant: finding for finding in examine(config)}
    assert found["remote"].severity == "error"
    assert "127.0.0.1:9" in found["remote"].detail


@pytest.mark.slow
def test_a_filter_of_the_vault_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    write_filters(tmp_path, "/a{99999999999999999999}/", "/^(a|a)+$/", "/^план/")
    (tmp_path / f"{'a' * 40}!.md").write_text("text", encoding="utf-8")
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    said = [finding for finding in examine(config) if finding.invariant == "vault" and finding.severity == "warning"]
    assert len(said) == 2
    assert all(finding.detail.startswith("The filter /") and finding.remedy for finding in said)


@pytest.mark.slow
@pytest.mark.skipif(platform.system() != "Linux", reason="drivers' tools are looked for on Linux")
def test_a_gpu_that_llama_cpp_cannot_use_is_told_with_the_command_that_rebuilds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if probe_backend().gpu_offload:
        pytest.skip("this llama-cpp-python uses a GPU")
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    found = {finding.invariant: finding for finding in examine(config)}
    assert found["llama.cpp"].severity == "warning"
    assert 'CMAKE_ARGS="-DGGML_CUDA=ON"' in found["llama.cpp"].remedy
    assert "llama-cpp-python==" in found["llama.cpp"].remedy


CARD = Device("CUDA0", "NVIDIA GeForce RTX 3090", DeviceKind.GPU, 20_000_000_000, 24_000_000_000)
CPU = Device("CPU", "a processor", DeviceKind.CPU, 0, 0)


@pytest.mark.parametrize(
    ("offload", "devices", "hardware", "severity", "words", "remedy"),
    [
        (True, (CPU, CARD), "cuda", "info", "uses NVIDIA GeForce RTX 3090 (20.0 GB free)", ""),
        (True, (CPU,), "cuda", "warning", "built for a GPU, but sees none", "driver"),
        (True, (CPU,), "", "warning", "built for a GPU, but sees none", "--gpus"),
        (False, (CPU,), "rocm", "warning", "a GPU (rocm)", '"-DGGML_HIP=ON"'),
        (False, (CPU,), "vulkan", "warning", "a GPU (vulkan)", '"-DGGML_VULKAN=ON"'),
        (False, (CPU,), "metal", "warning", "a GPU (metal)", '"-DGGML_METAL=ON"'),
        (False, (CPU,), "", "info", "no GPU was found", ""),
    ],
)
def test_what_llama_cpp_computes_on_is_told_with_the_remedy_that_helps(
    offload: bool, devices: tuple[Device, ...], hardware: str, severity: str, words: str, remedy: str
) -> None:
    found = backend_finding(BackendInfo("0.3.36", offload, "", devices), hardware)
    assert (found.severity, words in found.detail, remedy in found.remedy) == (severity, True, True)
    assert ("install" in found.remedy) == (severity == "warning" and not offload)


def test_the_rebuild_is_for_the_python_that_runs() -> None:
    found = backend_finding(BackendInfo("0.3.36", False, "", (CPU,)), "cuda")
    assert f"{shlex.quote(sys.executable)} -m pip install" in found.remedy


@pytest.mark.slow
def test_all_parts_of_a_split_model_count(tmp_path: Path) -> None:
    parts = [tmp_path / f"big-{number:05}-of-00002.gguf" for number in (1, 2)]
    for part in parts:
        with part.open("wb") as file:
            file.truncate(2_000_000_000)
    settings = Settings.model_validate({"roles": {"answer": str(parts[0])}})
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path / "models", settings=settings)
    assert any("4.0 GB" in finding.detail for finding in examine(config) if finding.invariant == "models")
    parts[1].unlink()
    missing = [finding for finding in examine(config) if finding.invariant == "models" and finding.severity == "error"]
    assert any("big-00002-of-00002.gguf" in finding.detail for finding in missing)
