"""A vault's own filters leave notes out, and can neither stop the program nor hold it up."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from vaultrag.vault.filters import MOST_FILTERS, SAID, PathFilter, obsidian_filters

ENDLESS = ["/^(a+)+$/", "/^(a|a)+$/", "/^(a|aa)*$/", "/^((a|a)?)+b$/", "/(а|а)+(а|а)+(а|а)+х/"]
NAMES = ["a" * 40 + "!.md", "а" * 40 + "!.md", "ок.md"]


@pytest.mark.parametrize("rule", ENDLESS)
def test_an_expression_that_takes_for_ever_is_left_out_and_the_others_stay(rule: str) -> None:
    filters = PathFilter([rule, "/^ок/", "чужое/"])
    assert [filters.matches(name) for name in (*NAMES, "Чужое/x.md")] == [False, False, True, True]
    assert all("takes too long" in said and "\n" not in said for said in filters.problems)


@pytest.mark.slow
def test_many_slow_expressions_share_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultrag.vault.filters.ALL_SECONDS", 0.2)
    filters = PathFilter([f"/^(a|a)+{number}$/" for number in range(60)])
    assert not any(filters.matches("a" * length + "!") for length in (14, 15, 16) for _ in range(40))
    assert filters.problems, "together they would take many times that"


@pytest.mark.parametrize("rule", ["/a{99999999999999999999}/", f"/{'(' * 3000}a{')' * 3000}/", "/(broken/", "/[\x1b/"])
def test_one_that_cannot_be_used_is_named_in_one_line(rule: str) -> None:
    filters = PathFilter([rule, "secret"])
    assert [filters.matches(path) for path in ("aaa.md", "Secret.md")] == [False, True]
    [said] = filters.problems
    assert said.startswith("The filter /")
    assert said.isprintable()
    assert len(said) < 200


def test_too_many_filters_are_said_in_a_few_lines() -> None:
    filters = PathFilter([f"/({number}/" for number in range(MOST_FILTERS + 10)])
    assert len(filters.problems) == SAID + 1
    assert filters.problems[-1] == f"{MOST_FILTERS + 10 - SAID} more filters left out."


def write_settings(root: Path, content: str) -> None:
    (root / ".obsidian").mkdir()
    (root / ".obsidian" / "app.json").write_text(content, encoding="utf-8")


def test_filters_are_read_from_the_vault(tmp_path: Path) -> None:
    write_settings(tmp_path, json.dumps({"userIgnoreFilters": ["a/", 3, "/b/"]}))
    assert obsidian_filters(tmp_path) == ["a/", "/b/"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_for_settings_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / ".obsidian").mkdir()
    os.mkfifo(tmp_path / ".obsidian" / "app.json")
    assert obsidian_filters(tmp_path) == []


def test_settings_of_any_size_cost_no_memory(tmp_path: Path) -> None:
    write_settings(tmp_path, "{}")
    os.truncate(tmp_path / ".obsidian" / "app.json", 10_000_000_000)
    assert obsidian_filters(tmp_path) == []
