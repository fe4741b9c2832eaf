"""One plan for several models: who stays in memory, who leaves for whom, and that nobody waits for ever."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gguf_files import write_tiny_model
from vaultrag.config import Config, Settings
from vaultrag.domain import Generation, Message, Priority, Role, Sampling
from vaultrag.runtime.eviction import Candidate, Eviction
from vaultrag.runtime.gguf.quantisation import Scheme
from vaultrag.runtime.gguf.shapes import facts_of_shape, load_shapes
from vaultrag.runtime.hardware.profiles import GIBIBYTE, Card, Hardware, limited
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.offload.machine_plan import WantedModel, plan_models
from vaultrag.runtime.offload.plan import budget_of
from vaultrag.runtime.pool import ModelPool
from vaultrag.runtime.run_settings import Running

LARGE, SMALL, OTHER = Path("large"), Path("small"), Path("other")
PERSON, NIGHT = Priority.PERSON, Priority.NIGHT
AT_ONCE = 0.0
QUESTION = [Message("user", "Где лежат ключи от сарая?")]


@dataclass(slots=True)
class Loaded:
    """What lies in memory, as the tenants of a residence tell it."""

    paths: set[Path]

    def tenant(self, path: Path) -> Candidate:
        return Candidate(path, path.name, lambda: path in self.paths, lambda: self.paths.discard(path))


@pytest.fixture
def loaded() -> Loaded:
    return Loaded(set())


@pytest.fixture
def eviction(loaded: Loaded) -> Eviction:
    """The large model shares the memory with no other."""
    made = Eviction([LARGE])
    for path in (LARGE, SMALL, OTHER):
        made.settle(loaded.tenant(path))
    return made


def use(eviction: Eviction, loaded: Loaded, path: Path) -> None:
    with eviction.lease(path, PERSON) as stay:
        assert eviction.wait(stay, AT_ONCE)
        loaded.paths.add(path)


def test_models_that_fit_together_stay_together(eviction: Eviction, loaded: Loaded) -> None:
    use(eviction, loaded, SMALL)
    use(eviction, loaded, OTHER)
    assert loaded.paths == {SMALL, OTHER}
    assert eviction.last_swap == ""


def test_what_does_not_fit_beside_a_model_leaves_before_it_comes(eviction: Eviction, loaded: Loaded) -> None:
    for path in (SMALL, OTHER, LARGE):
        use(eviction, loaded, path)
    assert loaded.paths == {LARGE}
    use(eviction, loaded, SMALL)
    assert loaded.paths == {SMALL}
    assert eviction.last_swap == "large left the memory for small: there is no room for both."


def test_a_model_in_use_is_waited_for(eviction: Eviction, loaded: Loaded) -> None:
    loaded.paths.add(SMALL)
    with eviction.lease(SMALL, PERSON) as small, eviction.lease(LARGE, PERSON) as large:
        assert eviction.wait(small, AT_ONCE)
        assert not eviction.wait(large, AT_ONCE)
        assert loaded.paths == {SMALL}
        with eviction.lease(SMALL, NIGHT) as joining:  # its turn may be what the first user waits for
            assert eviction.wait(joining, AT_ONCE)
    use(eviction, loaded, LARGE)
    assert loaded.paths == {LARGE}


def test_a_person_comes_before_the_night_and_nobody_is_overtaken_for_ever(eviction: Eviction) -> None:
    with eviction.lease(LARGE, NIGHT) as night, eviction.lease(SMALL, PERSON) as person:
        with eviction.lease(OTHER, PERSON) as first:
            assert eviction.wait(first, AT_ONCE)
            assert not eviction.wait(night, AT_ONCE)
            with eviction.lease(LARGE, PERSON) as urgent:
                assert not eviction.wait(urgent, AT_ONCE)
                assert not eviction.wait(person, AT_ONCE)  # fits beside what runs, but came after one that does not
        assert eviction.wait(person, AT_ONCE)
        assert not eviction.wait(night, AT_ONCE)


def test_who_gives_up_is_no_longer_waited_for(eviction: Eviction) -> None:
    with eviction.lease(SMALL, PERSON) as small:
        assert eviction.wait(small, AT_ONCE)
        with eviction.lease(LARGE, PERSON) as gone:
            assert not eviction.wait(gone, AT_ONCE)
        with eviction.lease(OTHER, PERSON) as other:
            assert eviction.wait(other, AT_ONCE)


def hardware(ram: float, vram: float = 0.0) -> Hardware:
    cards = (Card("card", vram, 900, 80),) if vram else ()
    return Hardware("m", "", 8, ram, 60, cards)


def wanted(name: str, *roles: Role) -> WantedModel:
    return WantedModel(name, roles, facts_of_shape(load_shapes()[name], Scheme.Q4_K_M))


def test_a_plan_says_what_room_each_model_has() -> None:
    answer, judge = wanted("qwen3-8b", Role.ANSWER), wanted("qwen3-32b", Role.JUDGE)
    roomy = plan_models([answer, judge], hardware(64), 8192)
    assert roomy.stays("qwen3-8b")
    assert roomy.stays("qwen3-32b")
    whole = budget_of(hardware(64)).ram
    used = sum(model.plan.footprint.ram.total for model in roomy.placed())
    assert roomy.room_of("qwen3-8b").ram + roomy.room_of("qwen3-32b").ram - roomy.left.ram == whole
    assert roomy.left.ram == whole - used
    narrow = plan_models([answer, judge], hardware(27), 8192)
    assert narrow.stays("qwen3-8b")
    assert not narrow.stays("qwen3-32b")
    assert narrow.room_of("qwen3-32b") == budget_of(hardware(27))
    assert narrow.of("nothing") is None


def test_limits_bind_only_where_they_are_less_than_is_free() -> None:
    machine = hardware(64, 24)
    for at_most in (limited(machine, 10, 8), limited(limited(machine, 10, 8), 30, 20)):
        assert budget_of(at_most).ram == pytest.approx(10 * GIBIBYTE, abs=8)
        assert budget_of(at_most).cards[0] == pytest.approx(8 * GIBIBYTE, abs=8)
    assert limited(machine, 0, 0) == machine
    assert budget_of(limited(machine, 1000, 1000)) == budget_of(machine)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[ChildModel, ChildModel]]:
    """Two models of which the second shares the memory with no other."""
    paths = [write_tiny_model(tmp_path / f"{name}.gguf", context=32_768) for name in ("one", "two")]
    eviction = Eviction(paths[1:])
    first, second = (
        ChildModel(path.stem, path, context=30_000, threads=1, gpu_layers=0, spin_count=0, timeout=60.0,
                   running=Running(eviction=eviction))
        for path in paths
    )  # fmt: skip
    yield first, second
    first.close()
    second.close()


def ask(model: ChildModel, tokens: int, priority: Priority = PERSON) -> Generation:
    *_, last = model.generate(QUESTION, Sampling(max_tokens=tokens, priority=priority))
    assert isinstance(last, Generation)
    return last


@pytest.mark.slow
def test_processes_are_swapped_by_the_plan(pair: tuple[ChildModel, ChildModel]) -> None:
    first, second = pair
    for model, other in ((first, second), (second, first), (first, second)):
        assert ask(model, 3).completion_tokens == 3
        assert (model.alive, other.alive) == (True, False)


@pytest.mark.slow
def test_persons_and_the_night_share_two_models_that_cannot_stay_together(pair: tuple[ChildModel, ChildModel]) -> None:
    answers: list[int] = []

    def many(model: ChildModel, priority: Priority) -> None:
        answers.extend(ask(model, tokens, priority).completion_tokens for tokens in (400, 3, 200))

    threads = [threading.Thread(target=many, args=who) for who in itertools.product(pair, (PERSON, NIGHT))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [3] * 4 + [200] * 4 + [400] * 4


LONG_LIST = '{"type": "array", "minItems": 100, "maxItems": 100, "items": {"enum": ["да", "нет"]}}'
"""It takes seconds to write, whatever is drawn: a person comes in time."""


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_night_makes_room_for_a_person_and_ends_as_if_nothing_had_been(
    pair: tuple[ChildModel, ChildModel], temperature: float
) -> None:
    first, second = pair
    sampling = Sampling(max_tokens=2000, priority=NIGHT, temperature=temperature, seed=3, schema=LONG_LIST)
    *_, undisturbed = second.generate(QUESTION, sampling)
    assert isinstance(undisturbed, Generation)
    night = second.generate(QUESTION, sampling)
    said = [next(piece for piece in night if isinstance(piece, str) and piece)]
    answers: list[Generation] = []
    person = threading.Thread(target=lambda: answers.append(ask(first, 3)))
    person.start()
    for piece in night:
        if isinstance(piece, str):
            said.append(piece)
        elif isinstance(piece, Generation):
            assert answers, "the person waited for the whole night"
            assert piece.text == undisturbed.text == "".join(said)
    person.join(60)
    assert answers[0].completion_tokens == 3
    assert first.alive is False


@pytest.mark.slow
def test_scores_of_the_night_make_room_too(pair: tuple[ChildModel, ChildModel]) -> None:
    first, second = pair
    conversations = [[Message("user", f"Вопрос {number}?")] for number in range(40)]
    expected = [scores.logprobs for scores in second.score_each(conversations, ("да", "нет"), NIGHT)]
    found: list[tuple[float, ...]] = []
    night = threading.Thread(
        target=lambda: found.extend(s.logprobs for s in second.score_each(conversations, ("да", "нет"), NIGHT))
    )
    night.start()
    assert ask(first, 3).completion_tokens == 3
    night.join(60)
    assert [pytest.approx(row, abs=1e-3) for row in expected] == found


@pytest.mark.slow
def test_one_who_waits_for_room_can_leave(pair: tuple[ChildModel, ChildModel]) -> None:
    first, second = pair
    running = first.generate(QUESTION, Sampling(max_tokens=20_000))
    next(piece for piece in running if piece)
    waiting = second.generate(QUESTION, Sampling(max_tokens=3))
    assert next(waiting) == ""
    waiting.close()
    assert not second.alive
    running.close()
    assert ask(second, 3).completion_tokens == 3


def models_with(tmp_path: Path, models_dir: Path, ram: float) -> ModelPool:
    roles = {"answer": "qwen2.5-coder-1.5b-instruct", "judge": "qwen2.5-coder-0.5b-instruct"}
    settings = Settings.model_validate({"roles": roles, "runtime": {"ram_gib": ram, "context": 4096}})
    return ModelPool.of(Config(vault=tmp_path, home=tmp_path / "home", models=models_dir, settings=settings))


@pytest.mark.models
@pytest.mark.parametrize(("ram", "together"), [(7.0, True), (3.4, False)])
def test_real_models_stay_together_or_are_swapped_as_the_settings_leave_room(
    tmp_path: Path, models_dir: Path, ram: float, together: bool
) -> None:
    models = models_with(tmp_path, models_dir, ram)
    try:
        answer, judge = models.chat(Role.ANSWER), models.chat(Role.JUDGE)
        assert isinstance(answer, ChildModel)
        assert isinstance(judge, ChildModel)
        machine = models.planned.machine
        assert machine is not None
        assert machine.stays(answer.name)
        assert machine.stays(judge.name) is together
        assert answer.load().gpu_reason == "as planned"
        assert judge.load().gpu_reason == "as planned"
        assert judge.score(QUESTION, ["да", "нет"]).calibrated
        assert (answer.alive, judge.alive) == (together, True)
        assert answer.load().gpu_reason == "as planned"
        assert (answer.alive, judge.alive) == (True, together)
        planned = machine.of(answer.name)
        assert planned is not None
        assert answer.load().reserved <= machine.room_of(answer.name).ram
    finally:
        models.close()


@pytest.mark.slow
def test_what_lies_in_memory_is_told_with_its_roles(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.gguf", context=2048)
    settings = Settings.model_validate({"roles": {"answer": str(path)}, "runtime": {"context": 1024}})
    models = ModelPool.of(Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path, settings=settings))
    try:
        assert models.loaded_models() == ()
        shares = list(models.prepare_answer())
        assert all(0 <= share <= 1 for share in shares)
        (resident,) = models.loaded_models()
        assert (resident.name, resident.share, resident.stays) == ("tiny", 1.0, True)
        assert Role.ANSWER in resident.roles
        assert resident.loaded > 0
        assert models.cautions() == ()
        models.let_go_of_prompts()
        assert [model.loaded for model in models.loaded_models()] == [0]
    finally:
        models.close()
