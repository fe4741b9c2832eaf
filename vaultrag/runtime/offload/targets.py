"""From names to plans: the models that settings, a combination or a command name, and the machine to plan for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vaultrag.config import Settings
from vaultrag.domain import Role
from vaultrag.errors import ModelNotFound
from vaultrag.runtime.gguf.facts import ModelFacts, read_facts
from vaultrag.runtime.gguf.quantisation import Scheme, requantised
from vaultrag.runtime.gguf.shapes import facts_of_shape, find_shape
from vaultrag.runtime.hardware.detect import describe_this_machine
from vaultrag.runtime.hardware.machine import AUTO, NONE
from vaultrag.runtime.hardware.profiles import UNIFIED_SHARE, Card, Hardware, limited
from vaultrag.runtime.models.catalogue import ModelEntry, ModelKind, find_model, load_catalogue
from vaultrag.runtime.models.combinations import role_map
from vaultrag.runtime.models.installed import is_present, model_path
from vaultrag.runtime.offload.machine_plan import MachinePlan, WantedModel, plan_models

TORCH_BYTES = 700_000_000  # what PyTorch itself takes beside an embedder's or reranker's weights


@dataclass(frozen=True, slots=True)
class Named:
    """Models to plan for: chat models, the RAM of the others, and which are known by their published shape only."""

    wanted: tuple[WantedModel, ...]
    others: int
    from_shape: frozenset[str]


@dataclass(frozen=True, slots=True)
class Told:
    """A machine as told on the command line: GiB and GB/s; empty or 0 where nothing is told."""

    vram: tuple[float, ...] = ()
    ram: float = 0.0
    ram_bandwidth: float = 0.0
    card_bandwidth: float = 0.0
    cores: int = 0

    @property
    def is_silent(self) -> bool:
        return self == Told()


def models_of_settings(settings: Settings, models_dir: Path) -> Named:
    """Return the models of all roles, each once. Raises ModelNotFound or ConfigError."""
    local = role_map(settings, models_dir).local()
    chats = [(model.name, model.roles) for model in local if model.kind is ModelKind.CHAT]
    others = [find_model(model.name, model.kind, models_dir) for model in local if model.kind is not ModelKind.CHAT]
    return _named(chats, models_dir, sum(entry.bytes + TORCH_BYTES for entry in others))


def plan_for_settings(settings: Settings, models_dir: Path) -> MachinePlan | None:
    """Return one plan for the chat models of all roles that are here, on this machine as it is now.

    None where nothing is to be shared out: one model without limits, or layers on cards as the settings say.
    Raises ModelError where llama.cpp cannot be asked.
    """
    runtime = settings.runtime
    chats, others = _here(settings, models_dir)
    limits = runtime.ram_gib or runtime.vram_gib
    if runtime.gpu_layers not in (AUTO, NONE) or not chats or (len(chats) == 1 and not limits):
        return None
    hardware = limited(describe_this_machine(models_dir), runtime.ram_gib, runtime.vram_gib)
    if runtime.gpu_layers == NONE:
        hardware = replace(hardware, cards=(), unified=False)
    return plan_models(_named(chats, models_dir, others).wanted, hardware, runtime.context, others)


def _here(settings: Settings, models_dir: Path) -> tuple[list[tuple[str, tuple[Role, ...]]], int]:
    """Return the chat models that are on this machine with their roles, and the RAM of the other kinds."""
    chats: list[tuple[str, tuple[Role, ...]]] = []
    others = 0
    for model in role_map(settings, models_dir).local():
        entry = find_model(model.name, model.kind, models_dir)
        if not is_present(entry, models_dir):
            continue
        if model.kind is ModelKind.CHAT:
            chats.append((model.name, model.roles))
        else:
            others += entry.bytes + TORCH_BYTES
    return chats, others


def models_named(names: Sequence[str], models_dir: Path) -> Named:
    """Return models of the catalogue, published shapes or files; `NAME:QUANT` is another quantisation of one.

    The first is the answering model, as one that is asked alone. Raises ModelNotFound.
    """
    return _named([(name, (Role.ANSWER,)) for name in dict.fromkeys(names)], models_dir, 0)


def machine_as_told(base: Hardware, told: Told) -> Hardware:
    """Return a machine with what was told put in the place of what it has."""
    if told.is_silent:
        return base
    cards = base.cards
    if told.vram:
        like = cards[0] if cards else Card("card", 1, 600, 80)
        cards = tuple(Card(f"card of {memory:g} GiB", memory, like.bandwidth, like.tflops) for memory in told.vram)
        cards = tuple(card for card in cards if card.memory > 0)
    elif told.ram and base.unified:
        cards = tuple(replace(card, memory=told.ram * UNIFIED_SHARE) for card in cards)
    if told.card_bandwidth:
        cards = tuple(replace(card, bandwidth=told.card_bandwidth) for card in cards)
    speeds = [f"RAM at {told.ram_bandwidth or base.ram_bandwidth:g} GB/s"]
    speeds += [f"cards at {cards[0].bandwidth:g}"] if cards else []
    return replace(
        base,
        name="a machine as told",
        description=f"as {base.name}, but for what was told; {', '.join(speeds)}",
        cards=cards,
        ram=told.ram or base.ram,
        free=0.0 if told.ram else base.free,
        ram_bandwidth=told.ram_bandwidth or base.ram_bandwidth,
        cores=told.cores or base.cores,
        unified=base.unified and not told.vram,
    )


def _named(chats: Iterable[tuple[str, tuple[Role, ...]]], models_dir: Path, others: int) -> Named:
    wanted, from_shape = [], set()
    for name, roles in chats:
        facts, is_shape = _facts(name, models_dir)
        wanted.append(WantedModel(name, roles, facts))
        if is_shape:
            from_shape.add(name)
    return Named(tuple(wanted), others, frozenset(from_shape))


def _facts(name: str, models_dir: Path) -> tuple[ModelFacts, bool]:
    """Return a model's facts, and whether they come from a published shape."""
    plain, _, told = name.rpartition(":")
    scheme = Scheme(told) if plain and told in set(Scheme) else None
    plain = plain if scheme else name
    shape = find_shape(plain)
    entry = _entry(plain, models_dir, is_shape=shape is not None)
    if entry is not None and is_present(entry, models_dir):
        facts = read_facts(model_path(entry, models_dir))
        return (requantised(facts, scheme) if scheme else facts), False
    if shape is None:
        raise ModelNotFound(
            f"The model {plain} is not on this machine, and its shape is not known.",
            f"Run: vaultrag models pull {plain}; or name a GGUF file.",
        )
    listed = Scheme(entry.quant) if entry is not None and entry.quant in set(Scheme) else shape.quantisation
    return facts_of_shape(shape, scheme or listed), True


def _entry(name: str, models_dir: Path, *, is_shape: bool) -> ModelEntry | None:
    if is_shape and name not in load_catalogue(models_dir):
        return None
    return find_model(name, ModelKind.CHAT, models_dir)
