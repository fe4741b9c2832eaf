"""A chat model whose generations and scores are kept on disk: a run that was ended goes on from there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from benchmarks.datasets import work_folder
from benchmarks.products import config_for
from vaultrag.config import Settings
from vaultrag.domain import ChatModel, Embedder, Generation, Message, Piece, Priority, Role, Sampling, Scores
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.installed import fingerprint, require_model
from vaultrag.runtime.pool import ModelPool


class RememberedModel:
    """A model that answers from disk what it was asked before with the same settings; it loads only for the rest."""

    def __init__(self, pool: ModelPool, name: str) -> None:
        entry = find_model(name, ModelKind.CHAT, pool.config.models)
        self.fingerprint = fingerprint(entry, require_model(entry, pool.config.models))
        self.seconds = 0.0  # that scores took when they were asked for first
        self._pool = pool
        self._name = entry.name
        self._folder = work_folder() / "generations"
        self._folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def of(cls, name: str = "") -> Self:
        """Return a model of the catalogue as the product runs it; by default the answering one."""
        settings = Settings()
        if name:
            roles = settings.roles.model_copy(update={"answer": name})
            settings = settings.model_copy(update={"roles": roles})
        return cls(ModelPool.of(config_for(work_folder(), "no vault", settings)), name or settings.roles.answer)

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_length(self) -> int:
        return self._model.context_length

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._model.count_tokens(texts)

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        path = self._place("", [asdict(message) for message in messages], asdict(sampling))
        if path.exists():
            generation = Generation(**json.loads(path.read_text(encoding="utf-8")))
            yield generation.text
            yield generation
            return
        for piece in self._model.generate(messages, sampling):
            if isinstance(piece, Generation):
                path.write_text(json.dumps(asdict(piece), ensure_ascii=False), encoding="utf-8")
            yield piece

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        return self.score_each([messages], options, priority)[0]

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        places = [self._place("score", [asdict(m) for m in messages], list(options)) for messages in conversations]
        missing = [index for index, path in enumerate(places) if not path.exists()]
        if missing:
            found = self._model.score_each([conversations[index] for index in missing], options, priority)
            for index, scores in zip(missing, found, strict=True):
                places[index].write_text(json.dumps(asdict(scores)), encoding="utf-8")
        told = [_scores(json.loads(path.read_text(encoding="utf-8"))) for path in places]
        self.seconds += sum(one.seconds for one in told)
        return told

    @property
    def models_dir(self) -> Path:
        return self._pool.config.models

    def embedder(self) -> Embedder:
        """Return the embedder of the same settings."""
        return self._pool.embedder()

    def close(self) -> None:
        self._pool.close()

    @property
    def _model(self) -> ChatModel:
        return self._pool.chat(Role.ANSWER)

    def _place(self, *asked: object) -> Path:
        key = json.dumps([self.fingerprint, *asked], ensure_ascii=False)
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _scores(values: dict[str, Any]) -> Scores:
    return Scores(**{**values, "options": tuple(values["options"]), "logprobs": tuple(values["logprobs"])})
