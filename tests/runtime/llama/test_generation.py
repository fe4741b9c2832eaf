"""The worker's own loop, in this process: a slot with a model of random weights."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from tests.disks import BLOCK, mounted
from tests.gguf_files import CHATML, model_metadata, write_sparse, write_tiny_model, write_windowed_model
from vaultrag.domain import THINK_FREELY, Message, Purity, Sampling
from vaultrag.errors import ConfigError, GenerationFailed, UsageError
from vaultrag.runtime.chat_format.template import choose_template
from vaultrag.runtime.chat_format.text_stream import thinking_marks
from vaultrag.runtime.gguf.header import TensorInfo
from vaultrag.runtime.gguf.quantisation import Scheme, quantised
from vaultrag.runtime.gguf.shapes import ModelShape, metadata_of, tensor_shapes
from vaultrag.runtime.llama.draft_model import DraftModel
from vaultrag.runtime.llama.generation import GenerationRun
from vaultrag.runtime.llama.model import NativeModel
from vaultrag.runtime.llama.prompt_cache import PromptCache
from vaultrag.runtime.llama.scoring import Scoring, worth_sharing
from vaultrag.runtime.llama.session import Session
from vaultrag.runtime.llama.slot import Slot
from vaultrag.runtime.llama.speculation import Guess, Pace
from vaultrag.runtime.models.sampling_advice import Advice, Recommended
from vaultrag.runtime.offload.placement import Placement
from vaultrag.text.cjk import ANY

PLACEMENT = Placement(context=1024, threads=1, threads_batch=1, batch=32, micro_batch=32)
QUESTION = [Message("system", "Отвечай кратко."), Message("user", "Где лежат ключи от сарая?")]
NEVER = threading.Event()
PLAIN = Sampling(max_tokens=120, repeat_penalty=1.0)
THINKING = CHATML + "{# <think> #}"
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "вердикт": {"enum": ["да", "нет", "не сказано"]},
            "sure": {"type": "integer"},
            "seen": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
        },
        "required": ["вердикт", "sure", "seen"],
    },
    ensure_ascii=False,
)


def resident(
    model: NativeModel, template: str = CHATML, lookup: Pace | None = None, placement: Placement = PLACEMENT
) -> Session:
    return Session(
        model=model,
        slot=Slot(model, placement),
        chosen=choose_template(template),
        marks=thinking_marks(template),
        prompt_cache=None,
        lookup=lookup,
        draft=None,
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "model.gguf", context=4096)


@pytest.fixture(scope="module")
def model(path: Path) -> NativeModel:
    return NativeModel(path, PLACEMENT, NEVER)


@pytest.fixture(scope="module")
def circling(tmp_path_factory: pytest.TempPathFactory) -> NativeModel:
    """A model that says the same again and again."""
    path = write_tiny_model(tmp_path_factory.mktemp("circling") / "model.gguf", context=4096, attention=0.0)
    return NativeModel(path, PLACEMENT, NEVER)


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> NativeModel:
    """A hybrid model, whose state cannot go back; its weights are all zero."""
    path = tmp_path_factory.mktemp("hybrid") / "model.gguf"
    tokenizer = {key: value for key, value in model_metadata().items() if key.startswith("tokenizer.")}
    shape = ModelShape(
        "hybrid", "qwen35moe", 0, 4, 256, 4, 2, 64, len(cast("list[str]", tokenizer["tokenizer.ggml.tokens"])), 4096,
        experts=4, used=2, expert_feed_forward=64, shared_feed_forward=64, attention_interval=4, state_size=32,
        state_groups=2, state_heads=4,
    )  # fmt: skip
    bare = [TensorInfo(name, size, 0, 0, 0) for name, size in tensor_shapes(shape)]
    write_sparse(path, metadata_of(shape), quantised(bare, Scheme.F16, shape.traits), tokenizer)
    return NativeModel(path, PLACEMENT, NEVER)


@pytest.fixture(scope="module")
def windowed(tmp_path_factory: pytest.TempPathFactory) -> NativeModel:
    """A model of which most layers look back over 64 tokens only."""
    return NativeModel(write_windowed_model(tmp_path_factory.mktemp("windowed") / "model.gguf"), PLACEMENT, NEVER)


def told(work: GenerationRun, cancelled: threading.Event = NEVER) -> tuple[str, str]:
    """Return thought and text of what is still to come."""
    frames = [frame.body for frame in work.frames(cancelled)]
    return "".join(frame.get("thought", "") for frame in frames), "".join(frame.get("text", "") for frame in frames)


def free_guesses() -> Pace:
    """A pace that has seen guesses hold and cost nothing."""
    pace = Pace()
    pace.learn(Guess((), 0), 0, 1000.0)
    for matched in range(3, 13):
        pace.learn(Guess((1, 2, 3), matched), 3, 0.0)
    return pace


def test_guesses_save_evaluations_and_change_no_word(circling: NativeModel) -> None:
    sampling = replace(PLAIN, max_tokens=400)
    alone = GenerationRun(resident(circling), QUESTION, sampling)
    guessing = GenerationRun(resident(circling, lookup=free_guesses()), QUESTION, sampling)
    assert told(guessing) == told(alone)
    assert alone.figures.drafted_tokens == 0
    assert 0 < guessing.figures.accepted_tokens <= guessing.figures.drafted_tokens
    assert guessing.figures.completion_tokens == alone.figures.completion_tokens


@pytest.mark.slow
def test_guesses_change_no_draw_of_chance(circling: NativeModel) -> None:
    sampling = replace(PLAIN, temperature=0.1, seed=5, max_tokens=400)
    alone = told(GenerationRun(resident(circling), QUESTION, sampling))
    guessing = GenerationRun(resident(circling, lookup=free_guesses()), QUESTION, sampling)
    assert told(guessing) == alone
    assert 0 < guessing.figures.accepted_tokens < guessing.figures.drafted_tokens


def test_a_draft_that_agrees_is_followed(path: Path, model: NativeModel) -> None:
    held = resident(model)
    held.draft = DraftModel(path, PLACEMENT, model)
    held.draft.pace = free_guesses()
    held.draft.pace.learn(Guess((1,), 4), 1, 0.0)
    drafted = GenerationRun(held, QUESTION, PLAIN)
    assert told(drafted) == told(GenerationRun(resident(model), QUESTION, PLAIN))
    assert drafted.figures.accepted_tokens > 50


def test_a_draft_reads_a_long_prompt_only_where_guesses_pay_for_it(path: Path, model: NativeModel) -> None:
    draft = DraftModel(path, PLACEMENT, model)
    draft.pace.learn(Guess((), 0), 0, 0.1)
    ids = model.vocabulary.content_ids("слово word ") * 20
    assert draft.guess(ids, 4, 0, threading.Event())[0].ids == ()
    assert draft.guess(ids, 4, 1_000_000, threading.Event())[0].ids != ()
    assert draft.guess(ids, 4, 0, threading.Event())[0].ids != (), "it has read them by now"


def test_a_draft_of_another_vocabulary_is_refused(tmp_path: Path, model: NativeModel) -> None:
    other = write_tiny_model(tmp_path / "model.gguf")
    data = bytearray(other.read_bytes())
    data[data.index(b"<|im_start|>") + 2 : data.index(b"<|im_start|>") + 4] = b"om"
    other.write_bytes(data)
    with pytest.raises(ConfigError, match="another vocabulary"):
        DraftModel(other, PLACEMENT, model)


def test_an_interrupted_answer_goes_on_as_if_nothing_had_been(model: NativeModel) -> None:
    whole = told(GenerationRun(resident(model), QUESTION, PLAIN))[1]
    held = resident(model, lookup=free_guesses())
    work = GenerationRun(held, QUESTION, PLAIN)
    said = ""
    for _ in range(4):
        cancelled = threading.Event()
        for count, frame in enumerate(work.frames(cancelled)):
            said += frame.body.get("text", "")
            if count == 9:
                cancelled.set()
        assert not work.finished
        aside = held.slot.snapshot()
        told(GenerationRun(held, [Message("user", "Кто там?")], PLAIN))
        assert held.slot.restore(aside)
    assert said + told(work)[1] == whole
    assert work.figures.finish == "length"


def test_an_interrupted_answer_whose_state_is_lost_is_read_again(model: NativeModel) -> None:
    held = resident(model)
    work = GenerationRun(held, QUESTION, PLAIN)
    cancelled = threading.Event()
    for count, _ in enumerate(work.frames(cancelled)):
        if count == 20:
            cancelled.set()
    held.slot.clear()
    told(work)
    assert work.figures.completion_tokens == PLAIN.max_tokens


def test_a_state_put_back_gives_the_very_same_logits(model: NativeModel) -> None:
    slot = Slot(model, PLACEMENT)
    ids = model.vocabulary.content_ids("Запись о саде и доме. " * 5)[:100]
    list(slot.prefill(ids, NEVER))
    kept = slot.snapshot()
    slot.append(ids[:1], NEVER)
    wanted = slot.logits().copy()
    slot.clear()
    assert slot.restore(kept)
    slot.append(ids[:1], NEVER)
    assert np.array_equal(slot.logits(), wanted)
    assert not slot.restore(replace(kept, data=kept.data[: len(kept.data) // 2]))
    assert slot.ids == []


def test_a_model_without_a_past_is_interrupted_and_scored_and_never_guessed_for(recurrent: NativeModel) -> None:
    held = resident(recurrent, lookup=free_guesses())
    assert not held.slot.has_past
    work, cancelled = GenerationRun(held, QUESTION, PLAIN), threading.Event()
    for count, _ in enumerate(work.frames(cancelled)):
        if count == 20:
            cancelled.set()
    aside = held.slot.snapshot()
    scores = list(_scores(Scoring(held, [QUESTION, [*QUESTION, QUESTION[1]]], ["да", "нет", "x"])))
    assert np.allclose(scores, scores[0])
    assert held.slot.restore(aside)
    told(work)
    assert (work.figures.completion_tokens, work.figures.drafted_tokens) == (PLAIN.max_tokens, 0)


def test_a_thought_is_closed_when_its_budget_is_spent(model: NativeModel) -> None:
    held = resident(model, THINKING)
    work = GenerationRun(held, QUESTION, replace(PLAIN, thinking_tokens=30))
    thought, text = told(work)
    assert work.figures.thought_tokens == 30
    assert work.figures.completion_tokens == PLAIN.max_tokens
    assert thought
    assert text
    said = bytes(b"".join(model.vocabulary.name(token) for token in held.slot.ids)).decode("utf-8", "replace")
    assert "<|im_start|>assistant\n<think>\n" in said
    assert said.count("</think>") == 1


def test_thinking_is_closed_in_the_prompt_where_it_is_off(model: NativeModel) -> None:
    held = resident(model, THINKING)
    work = GenerationRun(held, QUESTION, PLAIN)
    thought, text = told(work)
    assert (thought, bool(text), work.figures.thought_tokens) == ("", True, 0)
    said = bytes(b"".join(model.vocabulary.name(token) for token in held.slot.ids)).decode("utf-8", "replace")
    assert "assistant\n<think>\n\n</think>\n\n" in said


def test_a_template_that_opens_the_thought_itself_is_closed_or_left_open(model: NativeModel) -> None:
    held = resident(model, CHATML.replace("assistant\n", "assistant\n<think>\n"))
    prompts = {}
    for budget in (0, 5):
        ids = held.prompt(QUESTION, Sampling(thinking_tokens=budget), 0)
        prompts[budget] = b"".join(model.vocabulary.name(token) for token in ids).decode()
    assert prompts[5].endswith("<|im_start|>assistant\n<think>\n")
    assert prompts[0].endswith("<|im_start|>assistant\n<think>\n\n\n</think>\n\n")


def test_free_thinking_leaves_room_for_the_answer(circling: NativeModel) -> None:
    held = resident(circling, THINKING)
    held.advice = Advice(thinking=Recommended(temperature=0.1, top_k=1))
    work = GenerationRun(held, QUESTION, replace(PLAIN, thinking_tokens=THINK_FREELY))
    told(work)
    assert work.figures.completion_tokens == PLAIN.max_tokens
    assert work.figures.thought_tokens > 500


def test_a_thought_is_never_greedy_and_an_answer_without_one_stays_so(model: NativeModel) -> None:
    held = resident(model, THINKING)

    def written(thinking_tokens: int, seed: int) -> tuple[str, str]:
        return told(GenerationRun(held, QUESTION, replace(PLAIN, thinking_tokens=thinking_tokens, seed=seed)))

    assert written(0, 1) == written(0, 2)
    assert written(40, 1) == written(40, 1) != written(40, 2)


def test_a_model_without_marks_does_not_think(model: NativeModel) -> None:
    work = GenerationRun(resident(model), QUESTION, replace(PLAIN, thinking_tokens=30))
    assert told(work)[0] == ""
    assert work.figures.thought_tokens == 0


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_json_follows_its_schema(model: NativeModel, temperature: float) -> None:
    work = GenerationRun(resident(model), QUESTION, Sampling(temperature=temperature, schema=SCHEMA))
    answer = json.loads(told(work)[1])
    assert list(answer) == ["вердикт", "sure", "seen"]
    assert answer["вердикт"] in ("да", "нет", "не сказано")
    assert isinstance(answer["sure"], int)
    assert 1 <= len(answer["seen"]) <= 3
    assert work.figures.finish == "stop"


def test_a_schema_binds_the_answer_and_not_the_thought(model: NativeModel) -> None:
    held = resident(model, THINKING, free_guesses())
    thought, text = told(GenerationRun(held, QUESTION, Sampling(thinking_tokens=40, schema=SCHEMA)))
    assert thought.strip()
    assert set(json.loads(text)) == {"вердикт", "sure", "seen"}


def test_a_bad_schema_never_reaches_native_code(model: NativeModel) -> None:
    with pytest.raises(UsageError, match="`pattern` is not supported"):
        GenerationRun(resident(model), QUESTION, Sampling(schema='{"type": "string", "pattern": "^(a+)+$"}'))


def test_a_schema_that_only_forbidden_letters_satisfy_is_an_error_and_not_the_end_of_the_process(
    model: NativeModel,
) -> None:
    schema = json.dumps({"enum": ["中文", "漢字"]}, ensure_ascii=False)
    work = GenerationRun(resident(model), QUESTION, replace(PLAIN, schema=schema, purity=Purity.NO_CJK))
    with pytest.raises(GenerationFailed, match="forbidden"):
        told(work)
    work.close()
    plain = GenerationRun(resident(model), QUESTION, replace(PLAIN, schema=schema))
    assert json.loads(told(plain)[1]) in ("中文", "漢字")


@pytest.mark.slow
def test_no_cjk_comes_out_of_bytes(model: NativeModel) -> None:
    wild = replace(PLAIN, temperature=4.0, max_tokens=800, top_k=0, top_p=1.0)
    found = [
        [ANY.search(told(GenerationRun(resident(model), QUESTION, replace(wild, seed=seed, purity=purity)))[1])
         for seed in range(4)]
        for purity in (Purity.ANY, Purity.NO_CJK)
    ]  # fmt: skip
    assert any(found[0])
    assert not any(found[1])


@pytest.mark.slow
def test_conversations_side_by_side_score_as_they_do_alone(model: NativeModel) -> None:
    shared = Message("system", "Правила: отвечай одним словом. " * 8)
    conversations = [[shared, Message("user", f"Верно ли, что {number}?")] for number in range(11)]
    options = ["да", "нет", "не сказано", "y"]
    held = resident(model)
    together = list(_scores(Scoring(held, conversations, options)))
    alone = [next(_scores(Scoring(resident(model), [each], options))) for each in conversations]
    assert np.allclose(together, alone, atol=0.02)
    assert len({tuple(np.round(scores, 2)) for scores in alone}) > 5
    assert held.slot.reusable([*held.slot.ids, 0]) > 0


@pytest.mark.parametrize(
    ("prompts", "context", "count"),
    [
        ([[*range(20), n] for n in range(90, 95)], 500, 5),
        ([[*range(20), passage, *range(200), n] for passage in (88, 99) for n in range(3)], 2000, 3),
        ([[*range(20), *range(passage, passage + 300)] for passage in range(30, 39, 3)], 2000, 3),
        ([[*range(300), n] for n in range(5)], 309, 3),
        ([[*range(300), n] for n in range(5)], 300, 1),
        ([[1, 2, n] for n in range(5)], 2000, 1),
    ],
)
def test_prompts_that_share_most_are_read_side_by_side(prompts: list[list[int]], context: int, count: int) -> None:
    """Several questions to each of two passages: those to one passage, though all six begin alike."""
    assert worth_sharing(prompts, context, options=2) == count


@pytest.mark.slow
@pytest.mark.parametrize("rules", [4, 25])
def test_short_windows_score_as_long_ones_do_whatever_the_length(windowed: NativeModel, rules: int) -> None:
    shared = Message("system", "Правила: отвечай словом. " * rules)
    conversations = [[shared, Message("user", f"Верно ли {number}?")] for number in range(2)]
    options = ["да", "нет", "не сказано ничего, " * 14]  # the last is longer than what the windows keep
    whole = replace(PLACEMENT, context=2048)
    long, short = (
        list(_scores(Scoring(resident(windowed, placement=each), conversations, options)))
        for each in (whole, replace(whole, swa_full=False))
    )
    assert np.allclose(short, long, rtol=1e-3)


@pytest.mark.slow
def test_short_windows_that_lost_what_prompts_share_have_it_read_again(windowed: NativeModel) -> None:
    rules = Message("system", "Правила: отвечай словом. " * 10)
    short = replace(PLACEMENT, context=2048, swa_full=False)
    used = resident(windowed, placement=short)
    told(GenerationRun(used, [rules, Message("user", "Где ключи? " * 45)], PLAIN))
    other = [rules, Message("user", "Кто пришёл?")]
    again = GenerationRun(used, other, PLAIN)
    assert told(again) == told(GenerationRun(resident(windowed, placement=short), other, PLAIN))
    assert again.figures.cached_tokens == 0


@pytest.mark.slow
def test_guesses_over_short_windows_change_no_word(windowed: NativeModel) -> None:
    asked = [Message("system", "Правила: отвечай словом. " * 25), *QUESTION[1:]]
    short = replace(PLACEMENT, context=2048, swa_full=False)
    work = GenerationRun(resident(windowed, lookup=free_guesses(), placement=short), asked, PLAIN)
    assert told(work) == told(GenerationRun(resident(windowed, placement=short), asked, PLAIN))
    assert work.figures.accepted_tokens > 20


def test_interrupted_scoring_goes_on(model: NativeModel) -> None:
    conversations = [[Message("system", "Правила. " * 20), Message("user", f"Вопрос {n}")] for n in range(20)]
    whole = list(_scores(Scoring(resident(model), conversations, ["да", "нет"])))
    work, cancelled = Scoring(resident(model), conversations, ["да", "нет"]), threading.Event()
    first = []
    for frame in work.frames(cancelled):
        first += [frame.body["logprobs"]] if "logprobs" in frame.body else []
        if first:
            cancelled.set()
    assert 0 < len(first) < 20
    assert np.allclose([*first, *_scores(work)], whole, atol=0.02)


def _scores(work: Scoring) -> Iterator[list[float]]:
    for frame in work.frames(NEVER):
        if "logprobs" in frame.body:
            yield frame.body["logprobs"]


def test_a_prompt_read_once_is_not_read_again_after_a_restart(model: NativeModel, tmp_path: Path) -> None:
    first = resident(model)
    told(GenerationRun(first, QUESTION, PLAIN))
    first.slot.cut(80)
    states = PromptCache(tmp_path / "states", "tiny", 10_000_000)
    states.keep(first.slot)
    later = resident(model)
    later.prompt_cache = PromptCache(tmp_path / "states", "tiny", 10_000_000)
    work = GenerationRun(later, QUESTION, PLAIN)
    assert told(work) == told(GenerationRun(resident(model), QUESTION, PLAIN))
    assert work.figures.cached_tokens == 64
    (kept,) = (tmp_path / "states").rglob("*.state")
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.parent.stat().st_mode & 0o077 == 0


def test_a_state_of_another_model_or_a_damaged_one_is_not_used(model: NativeModel, tmp_path: Path) -> None:
    slot = Slot(model, PLACEMENT)
    ids = model.vocabulary.content_ids("Запись о саде и доме. " * 5)[:100]
    list(slot.prefill(ids, NEVER))
    states = PromptCache(tmp_path, "tiny", 10_000_000)
    states.keep(slot)
    fresh = Slot(model, PLACEMENT)
    PromptCache(tmp_path, "other", 10_000_000).fetch(fresh, ids)
    assert fresh.ids == []
    (kept,) = tmp_path.rglob("*.state")
    data = bytearray(kept.read_bytes())
    data[-100] ^= 1
    kept.write_bytes(data)
    states.fetch(fresh, ids)
    assert fresh.ids == []
    assert not kept.exists()


@pytest.mark.parametrize("lacking", [1, BLOCK, 5 * BLOCK, 1_000_000])
def test_a_state_that_finds_no_room_is_none(model: NativeModel, tmp_path: Path, lacking: int) -> None:
    slot = Slot(model, PLACEMENT)
    ids = model.vocabulary.content_ids("Запись о саде и доме. " * 5)[:100]
    list(slot.prefill(ids, NEVER))
    with mounted(tmp_path / "disk") as disk:
        states = PromptCache(disk.resize("1m") / "states", "tiny", 10_000_000)
        states.keep(slot)
        (kept,) = disk.place.rglob("*.state")
        size = kept.stat().st_size
        kept.unlink()
        disk.fill(max(0, size - lacking) // BLOCK * BLOCK)
        states.keep(slot)
        assert list(disk.place.rglob("*.state")) == []
        assert list(disk.place.rglob("*.part")) == []
        disk.free()
        states.keep(slot)
        fresh = Slot(model, PLACEMENT)
        states.fetch(fresh, ids)
        assert fresh.ids == ids[: len(fresh.ids)]
        assert fresh.ids


def test_states_are_bounded_and_the_oldest_go_first(model: NativeModel, tmp_path: Path) -> None:
    slot = Slot(model, PLACEMENT)
    kept: list[set[str]] = []
    for text in ("один", "два", "три", "четыре"):
        slot.clear()
        list(slot.prefill(model.vocabulary.content_ids(text * 20)[:64], NEVER))
        PromptCache(tmp_path, "tiny", slot.snapshot_bytes() * 3).keep(slot)
        kept.append({path.name for path in tmp_path.rglob("*.state")})
    assert [len(names) for names in kept] == [1, 2, 2, 2]
    assert not kept[0] & kept[3]
