"""Where the tests of downloads look: a folder of wheels through the real pip, and a small hub on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.small_hub import SmallHub, serving_hub


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where pip looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "модели"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SmallHub]]:
    with serving_hub(monkeypatch) as hub:
        yield hub
