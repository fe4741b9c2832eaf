"""Doctor: a check that breaks is itself a finding."""

from __future__ import annotations

from pathlib import Path

from vaultrag.config import Config, Settings
from vaultrag.doctor import examine


def test_a_home_that_the_file_system_refuses_is_a_finding(tmp_path: Path) -> None:
    config = Config(vault=tmp_path, home=tmp_path / ("n" * 300), models=tmp_path / "models", settings=Settings())
    found = {finding.invariant: finding for finding in examine(config)}
    assert found["home"].severity == "error"
    assert found["home"].remedy
