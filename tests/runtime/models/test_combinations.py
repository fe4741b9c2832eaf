"""Roles and combinations: who does what, as settings and profiles say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaultrag.config import Config, Settings
from vaultrag.domain import Role
from vaultrag.errors import ConfigError
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.combinations import find_combination, kind_of, load_combinations, role_map
from vaultrag.runtime.pool import ModelPool

SMALL = "qwen2.5-coder-0.5b-instruct"


def settings_with(combination: str = "", **roles: str) -> Settings:
    return Settings.model_validate({"roles": roles, "models": {"combination": combination}})


def write_profile(models: Path, text: str) -> None:
    (models / "profiles").mkdir(parents=True, exist_ok=True)
    (models / "profiles" / "mine.toml").write_text(text, encoding="utf-8")


def test_a_role_without_a_model_falls_to_the_answering_one(tmp_path: Path) -> None:
    roles = role_map(settings_with(judge="qwen3-32b"), tmp_path)
    assert roles.model_of(Role.JUDGE) == "qwen3-32b"
    assert roles.model_of(Role.PLAN) == roles.model_of(Role.FINAL) == Settings().roles.answer
    assert roles.model_of(Role.DRAFT) == roles.model_of(Role.RERANK) == ""


def test_each_model_is_wanted_once_with_all_its_roles(tmp_path: Path) -> None:
    roles = role_map(settings_with(judge="qwen3-32b", final="qwen3-32b", plan="remote", rerank="bge-m3"), tmp_path)
    wanted = {model.name: (model.kind, model.roles) for model in roles.local()}
    assert wanted == {
        Settings().roles.answer: (ModelKind.CHAT, (Role.ANSWER, Role.EXTRACT)),
        "qwen3-32b": (ModelKind.CHAT, (Role.JUDGE, Role.FINAL)),
        "multilingual-e5-small": (ModelKind.EMBED, (Role.EMBED,)),
        "bge-m3": (ModelKind.RERANK, (Role.RERANK,)),
    }


def test_a_combination_goes_before_the_roles_and_leaves_the_others(tmp_path: Path) -> None:
    write_profile(tmp_path, '[combos."моя"]\ndescription = "две модели"\nanswer = "qwen3-8b"\njudge = "qwen3-32b"\n')
    roles = role_map(settings_with("моя", judge="qwen3-4b", draft="qwen3-0.6b"), tmp_path)
    assert [roles.model_of(role) for role in (Role.ANSWER, Role.PLAN, Role.JUDGE, Role.DRAFT)] == [
        "qwen3-8b", "qwen3-8b", "qwen3-32b", "qwen3-0.6b",
    ]  # fmt: skip


def test_every_shipped_combination_names_models_of_the_catalogue(tmp_path: Path) -> None:
    combinations = load_combinations(tmp_path)
    assert len(combinations) >= 3
    for combination in combinations.values():
        assert combination.description
        for role, name in combination.models.items():
            assert find_model(name, kind_of(role), tmp_path).name == name


def test_own_profiles_add_and_replace(tmp_path: Path) -> None:
    write_profile(
        tmp_path, '[machine]\nram = 64\n[combos.final-word]\nanswer = "qwen3-4b"\n[combos.new]\njudge = "x"\n'
    )
    found = load_combinations(tmp_path)
    assert found["final-word"].models == {Role.ANSWER: "qwen3-4b"}
    assert found["new"].models == {Role.JUDGE: "x"}


def test_an_unknown_combination_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`final-word`"):
        find_combination("final-words", tmp_path)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[combos", "cannot be read"),
        ("combos = 3", "not a table"),
        ("[combos]\nx = 3", "`combos.x` is not a table"),
        ('[combos.x]\nanswerer = "y"', "`combos.x.answerer` is no role"),
        ('[combos.x]\nanswer = " "', "`combos.x.answer` names no model"),
        ("[combos.x]\nanswer = 3", "not a table of names"),
    ],
)
def test_a_faulty_profile_is_refused_with_the_place(tmp_path: Path, text: str, named: str) -> None:
    write_profile(tmp_path, text)
    with pytest.raises(ConfigError, match=named) as caught:
        load_combinations(tmp_path)
    assert "mine.toml" in caught.value.message


@pytest.mark.models
def test_roles_that_name_one_model_share_its_process(tmp_path: Path, models_dir: Path) -> None:
    settings = settings_with(answer=SMALL, judge="qwen2.5-coder-1.5b-instruct", final=SMALL)
    models = ModelPool.of(Config(vault=tmp_path, home=tmp_path / "home", models=models_dir, settings=settings))
    assert models.chat(Role.FINAL) is models.chat(Role.PLAN) is models.chat(Role.ANSWER)
    assert models.chat(Role.JUDGE).name == "qwen2.5-coder-1.5b-instruct"
    models.close()
