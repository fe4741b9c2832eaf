"""Fuzzing of the parser outside the tests: mutated notes and canvases, and texts that repeat one thing for long.

    python -m benchmarks.fuzz_parser --count 200000 --seed 1 [--notes DIR]

Each input must parse within seconds, its chunks hold their text at their spans and cover the note, and every link's
subpath resolves to a place or to none. Texts of 20 and 40 kB must cost at most 2.5 times as much at twice the size.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.vault.any_text import FRAGMENTS, check_note, check_spans
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.subpaths import resolve_subpath

DEADLINE = 20  # seconds that no note of this size may take, on a busy machine too
SIZE = 20_000  # characters of the smaller text of a pair
GROWTH = 2.5  # at twice the size
TRIES = 5  # a slow moment of the machine is no growth
TOO_QUICK = 0.004  # seconds; below it the clock says little
LONGEST = 3000  # characters of a mutated note: what breaks does so early, and more inputs fit into an hour

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "vault"
CASES = Path(__file__).resolve().parents[1] / "tests" / "cases"


def main() -> int:
    options = argparse.ArgumentParser(description="Fuzz the parser.")
    options.add_argument("--count", type=int, default=200_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--growth", type=int, default=300, help="how many pairs of texts are timed")
    options.add_argument("--notes", type=Path, default=None, help="a folder with more notes to mutate")
    chosen = options.parse_args()
    rng = random.Random(chosen.seed)
    seeds = read_seeds(chosen.notes)
    signal.signal(signal.SIGALRM, _too_long)
    began = time.monotonic()
    failures = sum(not _survives(mutated(rng, seeds), number) for number in range(chosen.count))
    steep = [growth for _ in range(chosen.growth) if (growth := find_growth(rng)) is not None]
    print(
        f"{chosen.count} inputs, {failures} failures; {chosen.growth} pairs of {SIZE // 1000} and {SIZE // 500} kB,"
        f" {len(steep)} grew more than {GROWTH} times; seed {chosen.seed}, {time.monotonic() - began:.0f} s"
    )
    for line in steep:
        print(line)
    return 1 if failures or steep else 0


def read_seeds(more: Path | None) -> list[str]:
    """Return the texts that are mutated: the fixture vault, the cases, and the folder that was named."""
    folders = [FIXTURES, CASES, *([more] if more else [])]
    files = [file for folder in folders for suffix in ("md", "canvas") for file in sorted(folder.rglob(f"*.{suffix}"))]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    goldens = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(more.glob("*.json"))] if more else []
    return texts + [
        golden["fileContents"] for golden in goldens if isinstance(golden, dict) and "fileContents" in golden
    ]


def mutated(rng: random.Random, seeds: Sequence[str]) -> str:
    """Return a note that nobody wrote: a real one with a few damages, or fragments in a row."""
    if rng.random() < 0.25:
        return "".join(rng.choices(FRAGMENTS, k=rng.randrange(1, 40)))
    text = rng.choice(seeds)
    if len(text) > LONGEST:
        at = rng.randrange(len(text) - LONGEST)
        text = text[at : at + LONGEST]
    for _ in range(rng.randrange(1, 8)):
        text = rng.choice(MUTATIONS)(rng, text)
    if rng.random() < 0.2:
        text = _spliced(rng, text, rng.choice(seeds))
    return text[: 2 * LONGEST]


def find_growth(rng: random.Random) -> str | None:
    """Time a repeated stretch at two sizes; describe it where the larger costs too much more."""
    stretch = "".join(rng.choices(FRAGMENTS, k=rng.randrange(1, 6))) or "x"
    small, large = (stretch * (size // len(stretch) + 1) for size in (SIZE, 2 * SIZE))
    for _ in range(TRIES):
        first, second = min(_cost(small), _cost(small)), min(_cost(large), _cost(large))
        if second < TOO_QUICK or second <= GROWTH * first:
            return None
    return f"{second / first:.1f} times, {second:.3f} s: {stretch!r}"


def check_input(text: str) -> None:
    """Raise AssertionError where the parser breaks one of its promises."""
    if text.lstrip().startswith("{"):
        check_spans(parse_note("Доска.canvas", text))
    note = parse_note("Заметка.md", text)
    check_note(note)
    for link in note.links:
        resolve_subpath(note, link.anchor)
    for block in note.blocks:
        resolve_subpath(note, "#".join(block.heading_path))
        resolve_subpath(note, f"^{block.block_id}")


def _survives(text: str, number: int) -> bool:
    signal.alarm(DEADLINE)
    try:
        check_input(text)
    except Exception as error:  # noqa: BLE001  every failure is the finding
        print(f"input {number}: {type(error).__name__}: {str(error)[:200]}\n  {text!r}", flush=True)
        return False
    finally:
        signal.alarm(0)
    return True


def _cost(text: str) -> float:
    gc.collect()
    gc.disable()  # its pauses depend on all that was made before
    began = time.process_time()
    chunk_note(parse_note("n.md", text), _in_proportion, 300, 420)
    used = time.process_time() - began
    gc.enable()
    return used


def _in_proportion(text: str) -> int:
    """Count as tokenizers do: by words, 40 kB without a space would be one token, and be cut only past some length."""
    return len(text) // 3 + 1


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {DEADLINE} s")


def _stretch(rng: random.Random, text: str) -> tuple[int, int]:
    start = rng.randrange(len(text) + 1)
    return start, min(len(text), start + rng.choice((1, 2, 5, 20, 200)))


def _deleted(rng: random.Random, text: str) -> str:
    start, end = _stretch(rng, text)
    return text[:start] + text[end:]


def _repeated(rng: random.Random, text: str) -> str:
    start, end = _stretch(rng, text)
    return text[:end] + text[start:end] * rng.choice((1, 2, 10)) + text[end:]


def _inserted(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(FRAGMENTS) * rng.choice((1, 1, 1, 3, 30)) + text[at:]


def _spliced(rng: random.Random, text: str, other: str) -> str:
    return text[: rng.randrange(len(text) + 1)] + other[rng.randrange(len(other) + 1) :][:LONGEST]


def _lines_shuffled(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    rng.shuffle(lines)
    return rng.choice(("\n", "\n", "\r\n", "\r")).join(lines)


def _indented(rng: random.Random, text: str) -> str:
    mark = rng.choice(("> ", "  ", "\t", "- ", ">", "    "))
    return "\n".join(f"{mark}{line}" if rng.random() < 0.7 else line for line in text.split("\n"))


def _flipped(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return (
        text[:at]
        + chr(rng.choice((0, 9, 13, 32, 35, 58, 91, 93, 96, 0x2028, 0xFEFF, 0xE200, 0x1F600)))
        + text[at + 1 :]
    )


MUTATIONS: Sequence[Callable[[random.Random, str], str]] = (
    _deleted,
    _repeated,
    _inserted,
    _lines_shuffled,
    _indented,
    _flipped,
)

if __name__ == "__main__":
    sys.exit(main())
