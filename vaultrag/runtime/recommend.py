"""Which general model this machine could answer with: the strongest of the catalogue that runs in bearable time.

Bearable is what keeps a person at it: the first word comes in the time that an answer may take to it, after a prompt
that holds enough passages to answer from, and the rest comes no slower than it is read.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vaultrag.config import Settings
from vaultrag.domain import Role
from vaultrag.errors import DownloadFailed, ModelError
from vaultrag.runtime.gguf.facts import ModelFacts
from vaultrag.runtime.hardware.detect import describe_this_machine
from vaultrag.runtime.hardware.machine import NONE
from vaultrag.runtime.hardware.measurements import read_figures, write_figures
from vaultrag.runtime.hardware.profiles import Hardware, limited
from vaultrag.runtime.models.catalogue import HubSource, ModelEntry, ModelKind, find_model, load_catalogue
from vaultrag.runtime.models.combinations import is_remote, role_map
from vaultrag.runtime.models.fetch import bytes_wanted
from vaultrag.runtime.models.install import PARTIAL_NAME
from vaultrag.runtime.models.installed import fingerprint, is_present, model_path
from vaultrag.runtime.models.reach import HubReach, HubSilent, known_reach, note_answer, note_silence
from vaultrag.runtime.offload.plan import Budget, budget_of, place
from vaultrag.runtime.offload.targets import TORCH_BYTES, models_named
from vaultrag.runtime.pool import SECONDS_WITHOUT_GPU, SPEEDS_NAME, WRITTEN
from vaultrag.runtime.tuning import kept

LEAST_PROMPT = 1200  # tokens: instructions, a question, and the three best passages of 300 each
LEAST_DECODE = 8.0  # tokens a second: people read 200 words of Russian a minute, of 2.4 tokens each
BOUNDLESS = 1 << 62
ADVICE_NAME = "advice.json"
TOLD, LOOKED = "told", "looked"
LOOK_AGAIN_SECONDS = 86_400.0  # a look at the machine takes a second or two: once a day, until somebody is told
FLOOR = Settings().roles.answer  # the model that answers where nobody chose one


@dataclass(frozen=True, slots=True)
class MeasuredPace:
    """How many times as fast as its forecast the model `by` was here; empty: nothing was measured."""

    read: float = 1.0
    written: float = 1.0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """What a model would have: the machine, bytes for it in memory and on the disk, tokens of context, its pace.

    `seconds` may pass before the first word of an answer.
    """

    hardware: Hardware
    budget: Budget
    disk: int
    context: int
    seconds: float = SECONDS_WITHOUT_GPU
    pace: MeasuredPace = MeasuredPace()


@dataclass(frozen=True, slots=True)
class Considered:
    """A model that was weighed: tokens a second, written and read, and what it lacks (nothing: it would do)."""

    entry: ModelEntry
    is_here: bool
    decode: float = 0.0
    prefill: float = 0.0
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The models that are stronger than the `current` one, the strongest first, and whether the hub is there."""

    current: str
    considered: tuple[Considered, ...]
    room: Room
    reach: HubReach

    @property
    def best(self) -> Considered | None:
        return next((one for one in self.considered if not one.lacks), None)

    @property
    def offered(self) -> Considered | None:
        """The best, where it is here or nothing is known against fetching it."""
        best = self.best
        return None if best is None or (self.must_fetch(best) and self.reach.is_silent) else best

    def must_fetch(self, one: Considered) -> bool:
        """Whether the model is not here and only the hub has it."""
        return not one.is_here and all(isinstance(source, HubSource) for source in one.entry.sources)


def recommend(settings: Settings, models_dir: Path) -> Recommendation:
    """Weigh the general models for this machine as it is now. Nothing is asked of the hub. Raises ModelError."""
    current = role_map(settings, models_dir).model_of(Role.ANSWER)
    stronger = [entry for entry in _general(models_dir) if entry.strength > _strength(current, models_dir)]
    room = room_here(settings, models_dir)
    considered = tuple(weigh(entry, room, models_dir) for entry in stronger)
    return Recommendation(current, considered, room, known_reach(models_dir))


def find_best(settings: Settings, models_dir: Path) -> Recommendation:
    """Weigh the general models and ask the hub for the best. Raises ModelError."""
    return ask_hub(recommend(settings, models_dir), models_dir)


def is_hint_due(models_dir: Path) -> bool:
    """Whether nobody was told of a better model on this machine yet, nor looked for one today."""
    advice = read_figures(models_dir / ADVICE_NAME)
    return TOLD not in advice and time.time() - advice.get(LOOKED, 0.0) > LOOK_AGAIN_SECONDS


def note_said(models_dir: Path, found: Recommendation) -> None:
    """Remember that a better model was named, or that there is none today."""
    said = TOLD if found.offered else LOOKED
    write_figures(models_dir / ADVICE_NAME, {**read_figures(models_dir / ADVICE_NAME), said: time.time()})


def ask_hub(found: Recommendation, models_dir: Path) -> Recommendation:
    """Ask the hub for the best model, unless it was silent a while ago; one that it does not give is passed over."""
    while (best := found.offered) is not None and found.must_fetch(best):
        refused = _refusal(best.entry, models_dir)
        found = replace(found, reach=known_reach(models_dir))
        if refused is None or found.reach.is_silent:
            break
        rest = (replace(one, lacks=refused) if one is best else one for one in found.considered)
        found = replace(found, considered=tuple(rest))
    return found


def room_here(settings: Settings, models_dir: Path) -> Room:
    """Return what a model would have on this machine, beside the embedder and within the settings' limits."""
    runtime = settings.runtime
    hardware = limited(describe_this_machine(models_dir), runtime.ram_gib, runtime.vram_gib)
    if runtime.gpu_layers == NONE:
        hardware = replace(hardware, cards=(), unified=False)
    budget = budget_of(hardware)
    budget = replace(budget, ram=max(0, budget.ram - _others(settings, models_dir)))
    seconds = settings.answering.first_token_seconds or SECONDS_WITHOUT_GPU
    disk = shutil.disk_usage(next(folder for folder in (models_dir, *models_dir.parents) if folder.is_dir())).free
    pace = pace_here(role_map(settings, models_dir).model_of(Role.ANSWER), hardware, runtime.context, models_dir)
    return Room(hardware, budget, disk, runtime.context, seconds, pace)


def weigh(entry: ModelEntry, room: Room, models_dir: Path) -> Considered:
    """Say how fast a model would be, and what it lacks."""
    is_here = is_present(entry, models_dir)
    facts = _facts(entry.name, models_dir)
    if facts is None:
        return Considered(entry, is_here, lacks="is of a shape that is not known, so nothing can be foretold of it")
    plan = place(facts, room.hardware, room.budget, room.context)
    if plan is None:
        return Considered(entry, is_here, lacks=_too_big(facts, room))
    decode, prefill = plan.forecast.decode * room.pace.written, plan.forecast.prefill * room.pace.read
    lacks = _too_slow(decode, prefill, room.seconds) or ("" if is_here else _too_large(entry, room, models_dir))
    return Considered(entry, is_here, decode, prefill, lacks)


def pace_here(name: str, hardware: Hardware, context: int, models_dir: Path) -> MeasuredPace:
    """Return how the measured speeds of the model compare with its forecast."""
    facts = None if is_remote(name) else _facts(name, models_dir)
    if facts is None:
        return MeasuredPace()
    plan = place(facts, hardware, Budget(tuple(BOUNDLESS for _ in hardware.cards), BOUNDLESS), context)
    read, written = _measured(name, models_dir)
    if plan is None or not read:
        return MeasuredPace()
    return MeasuredPace(read / plan.forecast.prefill, (written or plan.forecast.decode) / plan.forecast.decode, name)


def _general(models_dir: Path) -> Sequence[ModelEntry]:
    """Return the general models of the catalogue, the strongest first."""
    chats = (entry for entry in load_catalogue(models_dir).values() if entry.kind is ModelKind.CHAT and entry.strength)
    return sorted(chats, key=lambda entry: -entry.strength)


def _strength(name: str, models_dir: Path) -> int:
    known = load_catalogue(models_dir).get(name)
    return known.strength if known else 0


def _others(settings: Settings, models_dir: Path) -> int:
    """Return the RAM of embedder and reranker."""
    local = role_map(settings, models_dir).local()
    others = [find_model(model.name, model.kind, models_dir) for model in local if model.kind is not ModelKind.CHAT]
    return sum(entry.bytes + TORCH_BYTES for entry in others)


def _facts(name: str, models_dir: Path) -> ModelFacts | None:
    try:
        return models_named([name], models_dir).wanted[0].facts
    except ModelError:  # unknown, or a file that cannot be read
        return None


def _measured(name: str, models_dir: Path) -> tuple[float, float]:
    """Return tokens a second that were read and written here, the best of each; 0 where nothing was measured."""
    entry = find_model(name, ModelKind.CHAT, models_dir)
    if is_present(entry, models_dir) and (best := kept(models_dir, fingerprint(entry, model_path(entry, models_dir)))):
        return best.idle.prefill, best.idle.decode
    figures = read_figures(models_dir / SPEEDS_NAME)
    here = {key: speed for key, speed in figures.items() if key.startswith(f"{entry.name}, {os.cpu_count()} cores, ")}
    read = max((speed for key, speed in here.items() if not key.endswith(WRITTEN)), default=0.0)
    return read, max((speed for key, speed in here.items() if key.endswith(WRITTEN)), default=0.0)


def _too_big(facts: ModelFacts, room: Room) -> str:
    memory = room.budget.ram + (0 if room.hardware.unified else sum(room.budget.cards))
    return f"takes {facts.size / 1e9:.1f} GB and room to work in, and {memory / 1e9:.1f} GB of memory are free"


def _too_slow(decode: float, prefill: float, seconds: float) -> str:
    if prefill * seconds < LEAST_PROMPT:
        return (
            f"would read {prefill * seconds:,.0f} tokens in the {seconds:.3g} s before a first word, and"
            f" {LEAST_PROMPT:,} are the least to answer from"
        )
    if decode < LEAST_DECODE:
        return f"would write {decode:.1f} tokens a second, and people read {LEAST_DECODE:g}"
    return ""


def _too_large(entry: ModelEntry, room: Room, models_dir: Path) -> str:
    wanted = bytes_wanted(entry, entry.sources[0], models_dir / PARTIAL_NAME / entry.name)
    if wanted <= room.disk:
        return ""
    return f"takes {wanted / 1e9:.1f} GB of disk, and {room.disk / 1e9:.1f} GB are free in {models_dir}"


def _refusal(entry: ModelEntry, models_dir: Path) -> str | None:
    """Ask the hub for the model's files; return why they cannot be had, or None."""
    from vaultrag.runtime.models import hub  # brings huggingface_hub, a second of imports

    source = entry.sources[0]
    assert isinstance(source, HubSource), "must_fetch was asked before"
    try:
        hub.require_files(source)
    except HubSilent:
        note_silence(models_dir)
        return "cannot be fetched"
    except DownloadFailed as error:
        return f"cannot be fetched: {error.message}"
    note_answer(models_dir)
    return None
