"""`vaultrag contradictions export`: one document with both quotes and links, over no other file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands.contradictions.conftest import Disagreeing
from tests.contradictions.disagreeing import HUT
from tests.product import run
from tests.rendered import live
from vaultrag.domain import VerdictState
from vaultrag.errors import ReportFailed


def test_markdown_holds_both_quotes_links_and_verdicts(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    finding = notes.of(HUT)
    with notes.opened() as workspace:
        workspace.findings.decide(finding.key, VerdictState.RESOLVED, "мерил сам", right=finding.other.key)
    assert run(["contradictions", "export", "--all", *notes.named]) == 0
    document = capsys.readouterr().out
    assert document.startswith("# Где заметки расходятся\n")
    assert "открытых противоречий: 1, утверждений всего 32" in document
    assert "1. [[Ремонт#Бюджет]], строка 8 — вы, 2025-02-10 (дата заметки)\n   > Бюджет ремонта кухни: 450 000 ₽." in (
        document
    )
    assert "   > The walk to the hut takes 90 minutes." in document
    assert f"Решено: верно 2: мерил сам. `{finding.key}`" in document
    assert live(document) == []


def test_english_document_and_json(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    (notes.home / "config.toml").write_text('[night]\nlanguage = "en"\n', encoding="utf-8")
    assert run(["contradictions", "export", "--note", HUT, *notes.named]) == 0
    document = capsys.readouterr().out
    assert "## Contradictions\n" in document
    assert "[[Hut]], line 1 — you, undated" in document
    assert run(["contradictions", "export", "--format", "json", *notes.named]) == 0
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 3


def test_file_is_new_and_in_the_vault_only_among_the_reports(
    notes: Disagreeing, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "споры.md"
    assert run(["contradictions", "export", "-o", str(file), *notes.named]) == 0
    written = file.read_text(encoding="utf-8")
    assert written.startswith("# Где заметки расходятся")
    assert run(["contradictions", "export", "-o", str(file), *notes.named]) == ReportFailed.exit_code
    assert file.read_text(encoding="utf-8") == written
    before = sorted(notes.vault.rglob("*"))
    assert run(["contradictions", "export", "-o", str(notes.vault / "x.md"), *notes.named]) == ReportFailed.exit_code
    assert sorted(notes.vault.rglob("*")) == before
    (notes.home / "config.toml").write_text('[reports]\nfolder = "VaultRAG"\n', encoding="utf-8")
    inside = notes.vault / "VaultRAG" / "x.md"
    assert run(["contradictions", "export", "-o", str(inside), *notes.named]) == 0
    assert inside.is_file()
    assert "Written: " in capsys.readouterr().out
