"""Several models on one machine: which stay loaded together, and which are swapped in. Pure, as `offload` is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vaultrag.domain import Role
from vaultrag.runtime.gguf.facts import ModelFacts
from vaultrag.runtime.hardware.profiles import Hardware
from vaultrag.runtime.offload.plan import Budget, NoPlan, Plan, Thrift, budget_of, place, plan_offload

# Who has its place first: what waits for a person, then what the night uses most; the last word is seldom asked for.
PRECEDENCE = (Role.DRAFT, Role.ANSWER, Role.EXTRACT, Role.JUDGE, Role.PLAN, Role.FINAL)


@dataclass(frozen=True, slots=True)
class WantedModel:
    """A chat model and what it is for."""

    name: str
    roles: tuple[Role, ...]
    facts: ModelFacts


@dataclass(frozen=True, slots=True)
class Placed:
    """A model with its plan. A swapped one is loaded when it is asked, the others making room."""

    wanted: WantedModel
    plan: Plan
    swap_seconds: float = 0.0

    @property
    def is_swapped(self) -> bool:
        return self.swap_seconds > 0


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A model that fits this machine in no way."""

    wanted: WantedModel
    refusal: NoPlan


@dataclass(frozen=True, slots=True)
class MachinePlan:
    """What becomes of each model, in the order they were named, and the bytes left beside those that stay."""

    hardware: Hardware
    models: tuple[Placed | Unplaced, ...]
    left: Budget
    others: int = 0

    def of(self, name: str) -> Placed | Unplaced | None:
        """Return what becomes of the model of this name; None where it was not planned."""
        return next((model for model in self.models if model.wanted.name == name), None)

    def stays(self, name: str) -> bool:
        """Whether the model stays loaded beside the others; one that does not shares the memory with none."""
        found = self.of(name)
        return isinstance(found, Placed) and not found.is_swapped

    def room_of(self, name: str) -> Budget:
        """Return what the model may take: beside those that stay where it stays too, else all there is for models."""
        room = self.left
        for model in self.placed():
            if self.stays(model.wanted.name) and (model.wanted.name == name or not self.stays(name)):
                room = _with(room, model.plan, self.hardware)
        return room

    def placed(self) -> list[Placed]:
        return [model for model in self.models if isinstance(model, Placed)]


def plan_models(wanted: Sequence[WantedModel], hardware: Hardware, context: int, others: int = 0) -> MachinePlan:
    """Place all models. `others` bytes of the RAM belong to what llama.cpp does not run: embedder and reranker."""
    whole = budget_of(hardware)
    whole = replace(whole, ram=max(0, whole.ram - others))
    order = sorted(wanted, key=_precedence)
    tried = (_keep(order, hardware, whole, context, thrift) for thrift in Thrift)
    resident, left = _first_with_most(tried, len(order))
    placed: dict[str, Placed | Unplaced] = dict(resident)
    for model in order:
        if model.name not in placed:
            placed[model.name] = _swapped(model, hardware, whole, context)
    return MachinePlan(hardware, tuple(placed[model.name] for model in wanted), left, others)


def _first_with_most(
    tried: Iterable[tuple[dict[str, Placed], Budget]], wanted: int
) -> tuple[dict[str, Placed], Budget]:
    """Return the first that keeps all; else the first of those that keep most."""
    results: list[tuple[dict[str, Placed], Budget]] = []
    for kept, left in tried:
        results.append((kept, left))
        if len(kept) == wanted:
            break
    return max(results, key=lambda result: len(result[0]))


def _keep(
    order: Iterable[WantedModel], hardware: Hardware, whole: Budget, context: int, thrift: Thrift
) -> tuple[dict[str, Placed], Budget]:
    """Keep what fits whole beside what came before it; the first that does not may still share with the RAM."""
    kept: dict[str, Placed] = {}
    left = whole
    for model in order:
        plan = place(model.facts, hardware, left, context, thrift)
        shares = any(not other.plan.on_cards for other in kept.values())
        if plan is None or (hardware.cards and not plan.on_cards and (shares or _answers(kept.values()))):
            continue
        kept[model.name] = Placed(model, plan)
        left = _without(left, plan, hardware)
    return kept, left


def _answers(kept: Iterable[Placed]) -> bool:
    """Whether something more than a draft model is kept already."""
    return any(set(model.wanted.roles) != {Role.DRAFT} for model in kept)


def _swapped(model: WantedModel, hardware: Hardware, whole: Budget, context: int) -> Placed | Unplaced:
    plan = plan_offload(model.facts, hardware, whole, context)
    if isinstance(plan, NoPlan):
        return Unplaced(model, plan)
    return Placed(model, plan, swap_seconds=model.facts.size / (hardware.disk * 1e9))


def _without(left: Budget, plan: Plan, hardware: Hardware) -> Budget:
    cards = tuple(room - use.total for room, use in zip(left.cards, plan.footprint.cards, strict=True))
    return Budget(cards, left.ram - _ram_of(plan, hardware))


def _with(left: Budget, plan: Plan, hardware: Hardware) -> Budget:
    cards = tuple(room + use.total for room, use in zip(left.cards, plan.footprint.cards, strict=True))
    return Budget(cards, left.ram + _ram_of(plan, hardware))


def _ram_of(plan: Plan, hardware: Hardware) -> int:
    """Return what a plan takes of the RAM; a card with unified memory takes its own from there too."""
    return plan.footprint.ram.total + (sum(use.total for use in plan.footprint.cards) if hardware.unified else 0)


def _precedence(model: WantedModel) -> int:
    return min((PRECEDENCE.index(role) for role in model.roles if role in PRECEDENCE), default=len(PRECEDENCE))
