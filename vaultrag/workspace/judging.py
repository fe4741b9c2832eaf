"""What is known of the answering model as a judge: its name among calibrations, and how fast it reads."""

from __future__ import annotations

from vaultrag.domain import Role
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.installed import fingerprint, require_model
from vaultrag.runtime.pool import SECONDS_WITHOUT_GPU, ModelPool


def judge_key(models: ModelPool, role: Role = Role.ANSWER) -> str:
    """Return what tells a role's model from others: of its files, or the name it goes by. Raises ModelNotFound."""
    model = models.chat(role)
    if not isinstance(model, ChildModel):
        return model.name
    entry = find_model(models.roles.model_of(role), ModelKind.CHAT, models.config.models)
    return fingerprint(entry, require_model(entry, models.config.models))


def reading_speed(models: ModelPool, role: Role = Role.ANSWER) -> float:
    """Return the prompt tokens that a role's model reads in a second, as far as they are bounded at all."""
    return models.prompt_budget(role) / (models.config.settings.answering.first_token_seconds or SECONDS_WITHOUT_GPU)
