"""What is known of the answering model as a judge: its name among calibrations, and how fast it reads."""

from __future__ import annotations

from vaultrag.domain import Role
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.installed import fingerprint, require_model
from vaultrag.runtime.pool import SECONDS_WITHOUT_GPU, ModelPool


def judge_key(models: ModelPool) -> str:
    """Return what tells the answering model from others: of its files, or the name it goes by. Raises ModelNotFound."""
    model = models.chat(Role.ANSWER)
    if not isinstance(model, ChildModel):
        return model.name
    entry = find_model(models.roles.model_of(Role.ANSWER), ModelKind.CHAT, models.config.models)
    return fingerprint(entry, require_model(entry, models.config.models))


def reading_speed(models: ModelPool) -> float:
    """Return the prompt tokens that the answering model reads in a second, as far as they are bounded at all."""
    return models.prompt_budget() / (models.config.settings.answering.first_token_seconds or SECONDS_WITHOUT_GPU)
