"""The generation loop: the worker beside a bare llama.cpp loop, follow-up questions, and what guessing ahead brings.

usage: scripts/bench generation [--questions N] [--tokens N] [--parts bare,follow,guess,abort]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.aborts import aborts
from benchmarks.bare import DECODED, PROMPT, THREADS
from benchmarks.datasets import Dataset, fixture
from benchmarks.products import show_progress
from benchmarks.report import Figure, mean, write_report
from vaultrag.answering.prompt import LABELS, system_prompt
from vaultrag.config import models_dir
from vaultrag.domain import Generation, Message, Sampling
from vaultrag.runtime.llm import ChildModel
from vaultrag.runtime.run_settings import Running
from vaultrag.text.language import language_of

LARGE, SMALL = "qwen2.5-coder-1.5b-instruct", "qwen2.5-coder-0.5b-instruct"
POLICIES = {"spin 1000": {"GOMP_SPINCOUNT": "1000"}, "spin 10000": {"GOMP_SPINCOUNT": "10000"}, "default": {}}
ROUNDS = 7  # in turns, so that a load on the machine meets all alike
PASSAGES, PASSAGE_CHARACTERS = 4, 1100  # some 1,500 tokens of prompt
NEAR = 0.05  # logits: what the order of summation in a batch of another size can turn round


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=6, help="answered with and without guesses, by each model")
    parser.add_argument("--tokens", type=int, default=160, help="length of those answers")
    parser.add_argument("--parts", default="bare,follow,guess,abort")
    asked = parser.parse_args()
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # before llama.cpp is loaded here
    figures: list[Figure] = []
    details: dict[str, object] = {}
    parts: dict[str, Callable[[], tuple[list[Figure], dict[str, object]]]] = {
        "bare": bare_and_worker,
        "follow": follow_ups,
        "guess": lambda: guessing(asked.questions, asked.tokens),
        "abort": leaving,
    }
    for name in asked.parts.split(","):
        found, detail = parts[name]()
        print(*(f"{figure.name}: {figure.value:.3f}" for figure in found), sep="\n", file=sys.stderr, flush=True)
        figures += found
        details |= detail
    write_report("generation", "The generation loop", figures, NOTES, details)
    return 0


NOTES = (
    "Worker beside bare: the same 0.5B model, prompt and number of tokens; the bare loop is llama_decode and an argmax"
    " in Python, once under each waiting policy of OpenMP; the worker's own policy is spin 1000. Pairs run in turns.",
    "Follow-up: seconds to the first word of another question over the same passages, by the cold question's.",
    "Guessing: the fixture's questions over their notes, greedy with the product's penalty; gain: seconds of decoding"
    " without guesses by those with them. Near tie: at the first different token the two best logits lay within"
    f" {NEAR} of each other.",
    "Abort: seconds from closing the answer's iterator to the worker's word that it has stopped, at a random moment of"
    " a batch of the prompt, and of an answer.",
)


def bare_and_worker() -> tuple[list[Figure], dict[str, object]]:
    """Return tokens a second of both, and the worker's share of the best bare loop's."""
    rows: list[dict[str, float]] = []
    for done in range(ROUNDS):
        show_progress("bare and worker", done, ROUNDS)
        row: dict[str, float] = {}
        for policy, environment in POLICIES.items():
            row |= {f"{what}, bare, {policy}": speed for what, speed in _bare(environment).items()}
        row |= {f"{what}, worker": speed for what, speed in _worker().items()}
        rows.append(row)
    units = {name: " s" if name.startswith("CPU") else " tokens/s" for name in rows[0]}
    figures = [mean(f"{name}, 0.5B", [row[name] for row in rows], unit) for name, unit in units.items()]
    for what in ("prefill", "decode"):
        best = max(statistics.median(row[f"{what}, bare, {policy}"] for row in rows) for policy in POLICIES)
        share = statistics.median(row[f"{what}, worker"] for row in rows) / best
        same = [row[f"{what}, worker"] / row[f"{what}, bare, spin 1000"] for row in rows]
        figures.append(Figure(f"{what}: worker by the best bare loop (medians)", share, share, share, ROUNDS))
        figures.append(mean(f"{what}: worker by the bare loop with the same policy, in pairs", same))
    cost = [row["CPU seconds, bare, spin 1000"] / row["CPU seconds, worker"] for row in rows]
    figures.append(mean("processor time: the bare loop's by the worker's, same policy, in pairs", cost))
    return figures, {"bare and worker": rows}


def _bare(environment: dict[str, str]) -> dict[str, float]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GOMP_", "OMP_"))}
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare", str(_path(SMALL))],
        env={**kept, **environment, "OMP_NUM_THREADS": str(THREADS)},
        capture_output=True,
        check=True,
    )
    speeds: dict[str, float] = json.loads(run.stdout)
    return speeds


def _worker() -> dict[str, float]:
    with _model(SMALL, Running(lookup=False)) as model:
        before = _cpu_seconds(model)
        generation = _ask(model, [Message("user", PROMPT)], Sampling(max_tokens=DECODED, repeat_penalty=1.0))
        spent = _cpu_seconds(model) - before
        assert generation.completion_tokens == DECODED
        return {
            "CPU seconds": spent * (generation.prompt_tokens + DECODED) / (generation.prompt_tokens + DECODED - 1),
            "prefill": generation.prompt_tokens / generation.prefill_seconds,
            "decode": (DECODED - 1) / generation.decode_seconds,  # the first token comes of the prompt's own logits
        }


def _cpu_seconds(model: ChildModel) -> float:
    """Return the processor time that the worker has used: unlike the clock's, another load hardly changes it."""
    fields = Path(f"/proc/{model.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def follow_ups() -> tuple[list[Figure], dict[str, object]]:
    """Return how long the first word of a follow-up takes, by the cold question's."""
    shares: dict[str, list[float]] = {"in the slot": [], "after another question": [], "after a restart": []}
    prompts = prompts_of(fixture(), 3)
    with tempfile.TemporaryDirectory() as folder:
        running = Running(states=Path(folder), states_bytes=10**9)
        for done, messages in enumerate(prompts):
            show_progress("follow-ups", done, len(prompts))
            other = [Message("user", "Сколько будет два и два?")]
            with _model(LARGE, running) as model:
                cold = _first_word(model, messages)
                shares["in the slot"].append(_first_word(model, _followed(messages, "Что ещё об этом сказано?")) / cold)
                _first_word(model, other)
                shares["after another question"].append(_first_word(model, _followed(messages, "Почему?")) / cold)
            with _model(LARGE, running) as model:
                shares["after a restart"].append(_first_word(model, _followed(messages, "Когда это было?")) / cold)
    figures = [mean(f"follow-up by cold, {where}, 1.5B", values) for where, values in shares.items()]
    return figures, {"follow-ups": shares}


def _followed(messages: Sequence[Message], question: str) -> list[Message]:
    """Return the conversation with another question after the same passages."""
    *before, last = messages
    passages, _, _ = last.content.rpartition("\n\n")
    return [*before, replace(last, content=f"{passages}\n\n{LABELS['ru']}: {question}")]


def _first_word(model: ChildModel, messages: Sequence[Message]) -> float:
    began = time.perf_counter()
    with contextlib.closing(model.generate(messages, Sampling(max_tokens=4))) as pieces:
        next(piece for piece in pieces if isinstance(piece, str) and piece)
        seconds = time.perf_counter() - began
        for _ in pieces:
            pass
    return seconds


@dataclass(frozen=True, slots=True)
class Told:
    """One answer, as tokens, and what it took."""

    ids: tuple[int, ...]
    seconds: float
    drafted: int
    accepted: int


def leaving() -> tuple[list[Figure], dict[str, object]]:
    """Return how soon the larger model is free once its reader leaves."""
    with _model(LARGE, Running()) as model:
        return aborts(model)


def guessing(questions: int, tokens: int) -> tuple[list[Figure], dict[str, object]]:
    """Return gain and loss of guesses from the text, for two models, and of a draft for the larger."""
    figures: list[Figure] = []
    details: dict[str, object] = {}
    for name, draft in ((SMALL, ""), (LARGE, ""), (LARGE, SMALL)):
        label = f"{'draft' if draft else 'lookup'}, {'1.5B' if name == LARGE else '0.5B'}"
        rows = _guessed(name, draft, questions, tokens, label)
        figures += [
            mean(f"gain, {label}", [row["gain"] for row in rows]),
            mean(f"guesses that held, {label}", [row["accepted"] / max(row["drafted"], 1) for row in rows]),
            mean(f"guessed tokens for each one written, {label}", [row["drafted"] / row["written"] for row in rows]),
            mean(f"answers equal to the last token, {label}", [row["equal"] for row in rows]),
            mean(f"first difference at a near tie, {label}", [row["near"] for row in rows if not row["equal"]]),
        ]
        details[label] = rows
    return figures, {"guessing": details}


def _guessed(name: str, draft: str, questions: int, tokens: int, label: str) -> list[dict[str, float]]:
    from vaultrag.runtime.chat_format.template import choose_template
    from vaultrag.runtime.llama.draft_model import DraftModel  # llama.cpp, here in this process
    from vaultrag.runtime.llama.model import NativeModel
    from vaultrag.runtime.llama.session import Session
    from vaultrag.runtime.llama.slot import Slot, common_prefix
    from vaultrag.runtime.llama.speculation import Pace
    from vaultrag.runtime.offload.placement import Placement

    placement = Placement(context=4096, threads=THREADS, threads_batch=THREADS)
    model = NativeModel(_path(name), placement, threading.Event())
    template = choose_template(_template(name), model.vocabulary.bos, model.vocabulary.eos)
    plain = Session(model, Slot(model, placement), template, None, None, None, None)
    clever = Session(model, plain.slot, template, None, None, None if draft else Pace(), None)
    if draft:
        clever.draft = DraftModel(_path(draft), placement, model)
    rows: list[dict[str, float]] = []
    for done, messages in enumerate(prompts_of(fixture(), questions)):
        show_progress(label, done, questions)
        first, second = (plain, clever) if done % 2 else (clever, plain)
        told = {id(held): _told(held, messages, tokens) for held in (first, second)}
        alone, helped = told[id(plain)], told[id(clever)]
        shared = common_prefix(alone.ids, helped.ids)
        equal = shared == len(alone.ids) == len(helped.ids)
        rows.append(
            {
                "gain": (alone.seconds / len(alone.ids)) / (helped.seconds / len(helped.ids)),
                "written": len(helped.ids),
                "drafted": helped.drafted,
                "accepted": helped.accepted,
                "equal": float(equal),
                "near": 1.0 if equal else float(_gap(plain, messages, alone.ids[:shared]) < NEAR),
            }
        )
    return rows


def _told(held: object, messages: Sequence[Message], tokens: int) -> Told:
    from vaultrag.runtime.llama.generation import GenerationRun
    from vaultrag.runtime.llama.session import Session

    assert isinstance(held, Session)
    work = GenerationRun(held, messages, Sampling(max_tokens=tokens))
    for _ in work.frames(threading.Event()):
        pass
    figures = work.figures
    written = tuple(held.slot.ids[work.prompt_length :])
    return Told(written, figures.decode_seconds, figures.drafted_tokens, figures.accepted_tokens)


def _gap(held: object, messages: Sequence[Message], said: Sequence[int]) -> float:
    """Return how far the two best logits lie apart after these tokens, the penalty left aside."""
    from vaultrag.runtime.llama.session import Session

    assert isinstance(held, Session)
    ids = [*held.prompt(messages, Sampling(), 0), *said]
    kept = held.slot.keep_prefix(ids)
    for _ in held.slot.prefill(ids[kept:], threading.Event()):
        pass
    best, second = sorted(held.slot.logits().tolist(), reverse=True)[:2]
    return float(best - second)


def prompts_of(dataset: Dataset, count: int) -> list[list[Message]]:
    """Return the dataset's first questions, evenly spread, over the notes that answer them and some others."""
    step = max(1, len(dataset.queries) // count)
    asked = dataset.queries[::step][:count]
    prompts: list[list[Message]] = []
    for number, query in enumerate(asked):
        others = [dataset.queries[(number * 7 + offset * 13) % len(dataset.queries)].paths[0] for offset in (1, 2, 3)]
        paths = list(dict.fromkeys([query.paths[0], *others]))[:PASSAGES]
        blocks = "".join(
            f"[{place}] {Path(path).stem}\n{_text(dataset.vault / path)}\n\n" for place, path in enumerate(paths, 1)
        )
        language = language_of(query.text) or "en"
        question = f"{LABELS['ru' if language == 'ru' else 'en']}: {query.text}"
        prompts.append([Message("system", system_prompt(language)), Message("user", blocks + question)])
    return prompts


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[:PASSAGE_CHARACTERS].strip()


@contextlib.contextmanager
def _model(name: str, running: Running) -> Iterator[ChildModel]:
    model = ChildModel(
        name,
        _path(name),
        context=4096,
        threads=THREADS,
        gpu_layers=0,
        spin_count=1000,
        timeout=600.0,
        running=running,
    )
    try:
        model.load()
        yield model
    finally:
        model.close()


def _ask(model: ChildModel, messages: Sequence[Message], sampling: Sampling) -> Generation:
    *_, last = model.generate(messages, sampling)
    assert isinstance(last, Generation)
    return last


def _path(name: str) -> Path:
    return models_dir() / name / "model.gguf"


def _template(name: str) -> str:
    from vaultrag.runtime.gguf.header import read_header

    return read_header(_path(name)).chat_template


if __name__ == "__main__":
    sys.exit(main())
