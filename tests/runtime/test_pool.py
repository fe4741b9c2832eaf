from __future__ import annotations

from pathlib import Path

import pytest

from tests.gguf_files import write_tiny_model
from vaultrag.config import Config, Settings
from vaultrag.domain import Role
from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.pool import ModelPool


def config_of(models: Path, answer: str) -> Config:
    settings = Settings.model_validate({"roles": {"answer": answer}})
    return Config(vault=models, home=models / "home", models=models, settings=settings)


@pytest.mark.slow
def test_the_first_measurement_tries_both_ways_to_keep_weights_and_remembers_the_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path))
    config = config_of(tmp_path, str(write_tiny_model(tmp_path / "tiny.gguf", context=2048)))
    models = ModelPool.of(config)
    try:
        budget = models.prompt_budget()
        model = models.chat(Role.ANSWER)
        assert isinstance(model, ChildModel)
        slower = ExtraBuffers(tmp_path).is_slower(model.name)
        assert slower is not None
        assert budget > 0
        model.load()
        assert model.first.copies == (not slower)
        pid = model.pid
        assert models.prompt_budget() == budget
        assert model.pid == pid
    finally:
        models.close()


@pytest.mark.models
def test_a_model_that_is_slower_with_extra_buffers_runs_without_them(tmp_path: Path, models_dir: Path) -> None:
    name = "qwen2.5-coder-0.5b-instruct"
    (tmp_path / name).symlink_to(models_dir / name, target_is_directory=True)
    for slower in (False, True):
        ExtraBuffers(tmp_path).remember_speed(name, slower=slower)
        models = ModelPool.of(config_of(tmp_path, name))
        try:
            model = models.chat(Role.ANSWER)
            assert isinstance(model, ChildModel)
            kinds = {buffer.device for buffer in model.load().buffers}
            assert model.first.copies == (not slower)
            assert not any(kind in ("CPU_REPACK", "AMX") for kind in kinds) or not slower
        finally:
            models.close()
