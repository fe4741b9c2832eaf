"""The models behind their roles: made when first needed, measured once, closed together."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vaultrag.config import Config, Settings
from vaultrag.domain import ChatModel, CountTokens, Embedder, Generation, Refusal, Role
from vaultrag.errors import ModelError, ModelNotFound
from vaultrag.runtime.embedder import ChildEmbedder
from vaultrag.runtime.eviction import Eviction
from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers
from vaultrag.runtime.hardware.machine import physical_cores
from vaultrag.runtime.hardware.measurements import read_figures, write_figures
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.models.catalogue import ModelEntry, ModelKind, find_model, load_catalogue
from vaultrag.runtime.models.combinations import RoleMap, is_remote, kind_of, model_on_server, role_map
from vaultrag.runtime.models.installed import fingerprint, is_present, model_path, require_model
from vaultrag.runtime.offload.machine_plan import MachinePlan, Placed
from vaultrag.runtime.offload.targets import plan_for_settings
from vaultrag.runtime.run_settings import Running, Speed
from vaultrag.runtime.tokens import load_token_counter
from vaultrag.runtime.tuning import Trial, kept

SPEEDS_NAME = "speeds.json"
WRITTEN = ", written"  # ends the names of the speeds at which models write; the others are those at which they read
SECONDS_WITHOUT_GPU = 30.0  # how long a person waits for a first word before they doubt the program
CHARACTERS_PER_TOKEN = 2.6  # of the estimate that stands in for a missing tokenizer: Russian text, the denser case
TELLING_TOKENS = 256  # of prompt read at once; fewer are mostly overhead
UNMEASURED = "estimate"
CLEARLY_FASTER = 0.9  # a way to keep the weights must save a tenth: two short measurements on a busy machine differ
TIMED_CONTEXT = 1024  # tokens: a cache for what is measured, and no more


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of all models here (None: nothing is to be shared out), and who lies in memory by it."""

    machine: MachinePlan | None
    eviction: Eviction


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A chat model that was asked for: its process, how far it is loaded (0 to 1), and by which plan.

    `loaded` counts the bytes that llama.cpp has set aside; one that does not stay shares the memory with no other.
    """

    name: str
    roles: tuple[Role, ...]
    share: float
    loaded: int
    reason: str
    warning: str
    stays: bool


@dataclass(slots=True)
class ModelPool:
    """The models of one configuration: one process for each, however many roles it has."""

    config: Config
    _embedder: Embedder | None = None
    _chats: dict[str, ChatModel] = field(default_factory=dict)
    _counter: CountTokens | None = None
    _given: ChatModel | None = None
    _given_others: Mapping[Role, ChatModel] = field(default_factory=dict)
    _all_given: bool = False
    _earlier: dict[str, Embedder] = field(default_factory=dict)
    _roles: RoleMap | None = None
    _planned: Planned | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def of(cls, config: Config) -> ModelPool:
        return cls(config)

    @classmethod
    def given(
        cls,
        config: Config,
        embedder: Embedder | None,
        answer: ChatModel | None,
        earlier: Sequence[Embedder] = (),
        others: Mapping[Role, ChatModel] | None = None,
    ) -> ModelPool:
        """Use these models, whatever the settings name: `others` for their roles, `answer` for all the rest.

        `earlier` embedders may have embedded the index before.
        """
        known = {one.fingerprint: one for one in earlier}
        return cls(config, embedder, _given=answer, _given_others=others or {}, _all_given=True, _earlier=known)

    @property
    def roles(self) -> RoleMap:
        """Who does what. Raises ConfigError for a combination that is not known."""
        with self._lock:
            if self._roles is None:
                self._roles = self._with_given(role_map(self.config.settings, self.config.models))
            return self._roles

    @property
    def planned(self) -> Planned:
        """The one plan of all chat models here, made when the first is wanted. Raises ModelError or ConfigError."""
        with self._lock:
            if self._planned is None:
                self._planned = _plan_for(self.config)
            return self._planned

    def embedder(self) -> Embedder:
        """Return the embedder; its process starts with the first text. Raises ModelNotFound."""
        with self._lock:
            if self._embedder is None:
                entry = self._entry(Role.EMBED)
                path = require_model(entry, self.config.models)
                self._embedder = self._embedder_in(path, fingerprint(entry, path))
            return self._embedder

    def embedder_of(self, stored: str) -> Embedder | None:
        """Return the embedder with this fingerprint, whatever the settings name; None when its files are not here."""
        with self._lock:
            if stored not in self._earlier and not self._all_given:
                for entry in load_catalogue(self.config.models).values():
                    if entry.kind is ModelKind.EMBED and is_present(entry, self.config.models):
                        path = model_path(entry, self.config.models)
                        if fingerprint(entry, path) == stored:
                            self._earlier[stored] = self._embedder_in(path, stored)
            return self._earlier.get(stored)

    def let_go_of_earlier(self) -> None:
        """End the process of an embedder that answers no longer; asked again, it starts anew."""
        with self._lock:
            for embedder in self._earlier.values():
                if isinstance(embedder, ChildEmbedder):
                    embedder.close()

    def chat(self, role: Role) -> ChatModel:
        """Return the role's model; its process starts with the first request. Roles that name one model share it.

        Raises ModelNotFound.
        """
        if self._given is not None:
            return self._given_others.get(role, self._given)
        with self._lock:
            name = self.roles.model_of(role)
            if name not in self._chats:
                self._chats[name] = self._remote(name) if is_remote(name) else self._child(name, self._entry(role))
            return self._chats[name]

    def token_counter(self) -> tuple[CountTokens, str]:
        """Return what measures chunks, and its name; without the embedder's files a cautious estimate."""
        with self._lock:
            if self._all_given:
                return _estimate, UNMEASURED
            entry = self._entry(Role.EMBED)
            if not is_present(entry, self.config.models):
                return _estimate, UNMEASURED
            path = model_path(entry, self.config.models)
            if self._counter is None:
                self._counter = load_token_counter(path)
            return self._counter, entry.name

    def loaded_models(self) -> tuple[LoadedModel, ...]:
        """Say what lies in memory, without waiting for anything."""
        machine = self._planned.machine if self._planned else None
        found = []
        for name, model in dict(self._chats).items():
            if isinstance(model, ChildModel):
                stays = machine is None or machine.stays(name)
                found.append(_loaded_model(model, self._roles_of(name), stays))
        return tuple(found)

    @property
    def last_swap(self) -> str:
        """Who last left the memory for whom, as a sentence."""
        return self._planned.eviction.last_swap if self._planned else ""

    def prepare_answer(self, role: Role = Role.ANSWER) -> Iterator[float]:
        """Yield how much of a role's model is loaded, until all of it is. Raises ModelError."""
        model = self.chat(role)
        if isinstance(model, ChildModel) and model.loaded is None:
            yield from model.loading()

    def cautions(self, role: Role = Role.ANSWER) -> tuple[str, ...]:
        """Return what the user should know of a role's model as it runs."""
        model = self.chat(role)
        if not isinstance(model, ChildModel):
            return ()
        warning = model.loaded.warning if model.loaded else ""
        return tuple(filter(None, (warning, model.first.take_news())))

    def warm_embedder(self) -> None:
        """Begin to load the embedder in the background."""
        embedder = self.embedder()
        if isinstance(embedder, ChildEmbedder):
            embedder.start()

    def warm_answer(self) -> None:
        """Load the answer model and measure it, unless that was done on this machine before."""
        model = self.chat(Role.ANSWER)
        if isinstance(model, ChildModel):
            model.load()
        self.prompt_budget()

    def prompt_budget(self, role: Role = Role.ANSWER) -> int:
        """Return the prompt tokens that a role's model reads in the time a person waits for its first word."""
        model = self.chat(role)
        wanted = self.config.settings.answering.first_token_seconds
        if not isinstance(model, ChildModel):
            return model.context_length
        if wanted == 0 and model.load().gpu_layers != 0:
            return model.context_length
        return int(self._prefill_speed(model) * (wanted or SECONDS_WITHOUT_GPU))

    def refusal(self, role: Role = Role.ANSWER) -> Refusal:
        """Say whether a role's model can be trusted with a way out (the catalogue's `shy`)."""
        if self._all_given or is_remote(self.roles.model_of(role)):
            return Refusal.OFFERED
        return Refusal.WITHHELD if self._entry(role).shy else Refusal.OFFERED

    def learn(self, generation: Generation, role: Role = Role.ANSWER) -> None:
        """Keep the best reading speed seen: the first measurement may have met a busy machine."""
        model, fresh = self.chat(role), generation.prompt_tokens - generation.cached_tokens
        if not isinstance(model, ChildModel) or fresh < TELLING_TOKENS or generation.prefill_seconds <= 0:
            return
        path, key = self.config.models / SPEEDS_NAME, self._speed_key(model)
        speeds, speed = read_figures(path), fresh / generation.prefill_seconds
        if speed > speeds.get(key, 0.0):
            write_figures(path, {**speeds, key: round(speed, 1)})

    def let_go_of_prompts(self) -> None:
        """End the answering models' processes, which hold what they have read; the next question starts them again."""
        for model in tuple(self._chats.values()):
            if isinstance(model, ChildModel):
                model.close()

    def close(self) -> None:
        for model in (self._embedder, *self._earlier.values(), *self._chats.values()):
            if isinstance(model, ChildEmbedder | ChildModel):
                model.close()

    def _with_given(self, roles: RoleMap) -> RoleMap:
        """Let the models that were given stand for what the settings name."""
        if self._given is None:
            return roles
        given = {Role.ANSWER: self._given, **self._given_others}
        return RoleMap({**roles.models, **{role: model.name for role, model in given.items()}})

    def _roles_of(self, name: str) -> tuple[Role, ...]:
        return tuple(role for role in Role if self._roles is not None and self._roles.model_of(role) == name)

    def _entry(self, role: Role) -> ModelEntry:
        return find_model(self.roles.model_of(role), kind_of(role), self.config.models)

    def _remote(self, name: str) -> ChatModel:
        from vaultrag.runtime.remote.model import RemoteModel  # httpx costs a tenth of a second

        settings = self.config.settings
        return RemoteModel(settings.remote, model_on_server(name), settings.runtime.answer_timeout_seconds)

    def _embedder_in(self, path: Path, of_files: str) -> ChildEmbedder:
        runtime = self.config.settings.runtime
        return ChildEmbedder(path, of_files, threads=runtime.threads, spin_count=runtime.spin_count)

    def _child(self, name: str, entry: ModelEntry) -> ChildModel:
        if self._all_given and is_present(entry, self.config.models):
            raise ModelNotFound(f"{name} was not given, and no other model is asked.", f"Give {name} along.")
        runtime, path = self.config.settings.runtime, require_model(entry, self.config.models)
        tuned = self._tuned(entry, path)
        threads = tuned.placement.threads_batch if tuned else runtime.threads
        running = self._running(entry)
        if tuned:
            running = replace(running, placement=replace(tuned.placement, context=runtime.context))
        if self.planned.machine is not None:
            running = _as_planned(running, self.planned.machine, name, threads or physical_cores())
        return ChildModel(
            entry.name,
            path,
            context=runtime.context,
            threads=threads,
            gpu_layers=runtime.gpu_layers,
            spin_count=tuned.spin_count if tuned else runtime.spin_count,
            timeout=runtime.answer_timeout_seconds,
            running=replace(running, eviction=self.planned.eviction),
        )

    def _tuned(self, entry: ModelEntry, path: Path) -> Trial | None:
        """Return the best way to run a model here, as `models bench` kept it, unless the settings say how."""
        runtime, usual = self.config.settings.runtime, Settings().runtime
        if (runtime.threads, runtime.gpu_layers, runtime.spin_count) != (
            usual.threads,
            usual.gpu_layers,
            usual.spin_count,
        ):
            return None
        result = kept(self.config.models, fingerprint(entry, path))
        return result.trial if result else None

    def _running(self, entry: ModelEntry) -> Running:
        """Return how a model runs; only the answer model has a draft, of its own family."""
        settings, draft = self.config.settings, self.roles.model_of(Role.DRAFT)
        drafted = draft and not is_remote(draft) and entry.name == self.roles.model_of(Role.ANSWER)
        return Running(
            draft=require_model(self._entry(Role.DRAFT), self.config.models) if drafted else None,
            lookup=settings.runtime.guess_ahead,
            advice=entry.advice,
            states=self.config.states_path,
            states_bytes=settings.runtime.states_mb * 1_000_000,
            unload_seconds=settings.runtime.unload_minutes * 60,
            extra_buffers=ExtraBuffers(self.config.models),
        )

    def _prefill_speed(self, model: ChildModel) -> float:
        """Return tokens a second, measured once for each model, machine and number of threads."""
        path, key = self.config.models / SPEEDS_NAME, self._speed_key(model)
        speeds = read_figures(path)
        known = ExtraBuffers(self.config.models)
        if key not in speeds or (not known.crash and known.is_slower(model.name) is None):
            speed = self._faster_way(model)
            speeds |= {key: round(speed.prefill, 1), f"{key}{WRITTEN}": round(speed.decode, 2)}
            write_figures(path, speeds)
        return speeds[key]

    def _faster_way(self, model: ChildModel) -> Speed:
        """Time the model with ggml's extra buffers and without, and run it the faster way from now on.

        Done once for each model, machine and build; the second way takes as long as the first.
        """
        known, copied = ExtraBuffers(self.config.models), model.measure()
        plain = self._plain_speed(model) if model.first.copies else None
        slower = plain is not None and plain.seconds < CLEARLY_FASTER * copied.seconds
        if not known.crash:
            known.remember_speed(model.name, slower=slower)
        if plain is None or not slower:
            return copied
        model.let_go()
        return plain

    def _plain_speed(self, model: ChildModel) -> Speed | None:
        """Time the model with the weights in its file's own order; None where it has no room beside itself."""
        runtime = self.config.settings.runtime
        plain = ChildModel(
            model.name,
            model.first.path,
            context=TIMED_CONTEXT,
            threads=runtime.threads,
            gpu_layers=runtime.gpu_layers,
            spin_count=runtime.spin_count,
            timeout=runtime.answer_timeout_seconds,
            running=Running(lookup=False, repack=False),
        )
        try:
            return plain.measure()
        except ModelError:
            return None
        finally:
            plain.close()

    def _speed_key(self, model: ChildModel) -> str:
        threads, layers = self.config.settings.runtime.threads, model.load().gpu_layers
        return f"{model.name}, {os.cpu_count()} cores, {threads} threads, {layers} GPU layers"


def _loaded_model(model: ChildModel, roles: tuple[Role, ...], stays: bool) -> LoadedModel:
    info, share = model.loaded, model.loading_share
    if info is None:
        return LoadedModel(model.name, roles, share or 0.0, 0, "", "", stays)
    warning = " ".join(filter(None, (info.warning, model.first.caution)))
    return LoadedModel(model.name, roles, 1.0, info.reserved, info.gpu_reason, warning, stays)


def _plan_for(config: Config) -> Planned:
    machine = plan_for_settings(config.settings, config.models)
    if machine is None:
        return Planned(None, Eviction())
    entries = {
        model.wanted.name: find_model(model.wanted.name, ModelKind.CHAT, config.models) for model in machine.models
    }
    alone = [model_path(entry, config.models) for name, entry in entries.items() if not machine.stays(name)]
    return Planned(machine, Eviction(alone))


def _as_planned(running: Running, machine: MachinePlan, name: str, threads: int) -> Running:
    """Return how the model runs beside the others; what was measured of it alone tells the threads that write."""
    found, room = machine.of(name), machine.room_of(name)
    if not isinstance(found, Placed):
        return replace(running, placement=None, room=room)  # its own process refuses it, or leaves some in the file
    writing = running.placement.threads if running.placement else threads
    placement = replace(found.plan.placement, threads=writing, threads_batch=threads)
    return replace(running, placement=placement, room=room)


def _estimate(text: str) -> int:
    return int(len(text) / CHARACTERS_PER_TOKEN) + 1
