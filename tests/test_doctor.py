"""Doctor: a check that breaks is itself a finding."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.model_server import Script, model_server
from vaultrag.config import Config, Settings
from vaultrag.doctor import examine
from vaultrag.runtime.machine import probe_backend


def test_a_home_that_the_file_system_refuses_is_a_finding(tmp_path: Path) -> None:
    config = Config(vault=tmp_path, home=tmp_path / ("n" * 300), models=tmp_path / "models", settings=Settings())
    found = {finding.invariant: finding for finding in examine(config)}
    assert found["home"].severity == "error"
    assert found["home"].remedy


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
    assert 'CMAKE_ARGS="-DGGML_CUDA=ON" pip install' in found["llama.cpp"].remedy
    assert "llama-cpp-python==" in found["llama.cpp"].remedy
