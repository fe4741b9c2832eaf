"""Templates: those that come with VaultRAG are whole, the user's are added, and a broken one is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reanalysis.analysed_vault import BACKUP, BOILER, analysed, markdown, opened
from vaultrag.config import Config, Settings
from vaultrag.errors import ConfigError, UsageError
from vaultrag.reanalysis.templates import DueWhen, find_template, read_template, template_files
from vaultrag.workspace.analysing import AnalysisRequest

OWN = """---
title: "Риски: {note}"
sections:
  - heading: { ru: Риски, en: Risks }
    question: { ru: "Что опасно в «{title}»?", en: "What is dangerous in “{title}”?" }
    notes: 1
due: [30 days]
scope: "path:Дом/"
---
Мой шаблон.
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=Settings())


def _write(config: Config, name: str, text: str) -> Path:
    folder = config.home / "analyses"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_template_that_comes_with_vaultrag_is_whole_in_both_languages(config: Config) -> None:
    assert set(template_files(config)) == {"decision", "problem"}
    for name in template_files(config):
        template = find_template(config, name)
        for section in template.sections:
            assert set(section.heading) == set(section.question) == set(section.words) == {"ru", "en"}
        assert set(template.title) == {"ru", "en"}
    assert find_template(config, "problem").due == DueWhen(changed=True, linked_changed=True, days=90)


def test_template_of_the_user_is_found_beside_the_settings_and_goes_before_ours(config: Config) -> None:
    _write(config, "risks", OWN)
    assert find_template(config, "risks").due == DueWhen(days=30)
    _write(config, "problem", OWN)
    assert len(find_template(config, "problem").sections) == 1


@pytest.mark.parametrize(("path", "heading"), [(BOILER, "Риски"), (BACKUP, "Risks")])
def test_analysis_follows_the_users_template(tmp_path: Path, path: str, heading: str) -> None:
    with opened(tmp_path) as workspace:
        _write(workspace.config, "risks", OWN)
        analysis = analysed(workspace, AnalysisRequest(path, template="risks"))
        report = markdown(workspace, analysis)
    assert [section.heading for section in analysis.sections] == [heading]
    assert len(analysis.sections[0].notes) == 1
    assert report.startswith(f"# Риски: [[{Path(path).stem}]]\n")


def test_unknown_name_names_the_nearest_and_where_one_may_lie(config: Config) -> None:
    with pytest.raises(UsageError) as raised:
        find_template(config, "problm")
    assert "“problm”" in raised.value.message
    assert "Did you mean `problem`?" in raised.value.remedy
    assert str(config.home / "analyses") in raised.value.remedy


SECTION = "sections:\n  - heading: a\n    question: b\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# no front matter\n", "it begins with no front matter between two lines `---`"),
        ("---\ntitle: [\n---\n", "cannot be read"),
        ("---\ntitle: x\n---\n", "`sections` is missing"),
        ("---\ntitle: x\nsections: []\n---\n", "`sections`: list should have at least 1 item"),
        (f"---\ntitel: x\n{SECTION}---\n", "unknown `titel` (did you mean `title`?)"),
        ("---\ntitle: x\nsections:\n  - heading: a\n    qestion: b\n---\n", "did you mean `question`?"),
        (f"---\ntitle: {{de: x}}\n{SECTION}---\n", "one text, or one for each of `ru` and `en`, is wanted"),
        (f"---\ntitle: ''\n{SECTION}---\n", "`title`: a text is empty"),
        (f"---\ntitle: 'Of {{nota}}'\n{SECTION}---\n", "`{nota}` means nothing here"),
        (f"---\ntitle: x\n{SECTION}    notes: many\n---\n", "`sections.0.notes`: input should be a valid integer"),
        (f"---\ntitle: x\n{SECTION}due: [often]\n---\n", "`due` holds `often`; known are"),
        (f"---\ntitle: x\n{SECTION}scope: 'nonsense:1'\n---\n", "`scope`: "),
    ],
)
def test_broken_template_is_told_in_one_sentence_with_a_remedy(config: Config, text: str, told: str) -> None:
    path = _write(config, "mine", text)
    with pytest.raises(ConfigError) as raised:
        read_template(path)
    assert raised.value.message.startswith(f"The template {path} cannot be used: ")
    assert told in raised.value.message
    assert raised.value.message.count("\n") == 0
    assert "problem.md shows and explains the form" in raised.value.remedy


def test_all_faults_are_told_at_once(config: Config) -> None:
    path = _write(config, "mine", "---\nfoo: 1\nsections:\n  - heading: a\n---\n")
    with pytest.raises(ConfigError, match=r"`title` is missing; `sections\.0\.question` is missing; unknown `foo`"):
        read_template(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * 300_000])
def test_what_is_no_text_or_too_large_is_no_template(config: Config, content: bytes) -> None:
    path = _write(config, "mine", "")
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"no UTF-8 text|larger than"):
        read_template(path)
