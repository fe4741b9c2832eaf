"""Spoilt model files and hostile chat templates: what becomes of each, and after how long.

    python -m benchmarks.hostile --files 2000 --templates 200 [--vocabularies DIR]

Every file is read by the parent and loaded by the product's own worker, every template rendered as a model's would be.
The folder may hold further GGUF files to spoil, such as llama.cpp's vocabularies.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.products import show_progress
from benchmarks.report import Figure, write_report
from tests.hostile_files import Base, loader, mutants, read_base, write_bases
from tests.hostile_templates import templates
from vaultrag.errors import ModelCrashed, VaultragError
from vaultrag.runtime.chat_format.template import TemplateProcess, choose_template

SMALL_ENOUGH = 3_000_000  # bytes of a further file: larger ones only take longer to write
NOTES = (
    "`refused by us`: the header check, before any native code. `refused by llama.cpp`: in the worker, by an error. "
    "`ended the worker`: native code aborted; the parent reported it in one sentence and went on.",
    "A worker that computes for 4 s over a header, or 3 s over the first token of so small a model, is ended by that "
    "processor time.",
    "Seconds are wall time on the machine as it was, the worker's restart after a refusal or an abort included.",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--templates", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--vocabularies", type=Path, default=None)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bases = [*write_bases(Path(folder)), *further(chosen.vocabularies)]
        files = list(spoilt_files(bases, chosen.files, chosen.seed, Path(folder)))
    rendered = list(hostile_templates(chosen.templates, chosen.seed))
    figures = [*counted("files", files), *counted("templates", rendered)]
    write_report("hostile", "Spoilt model files and hostile chat templates", figures, NOTES)
    return 0


def further(folder: Path | None) -> list[Base]:
    paths = sorted(folder.glob("*.gguf")) if folder else []
    return [read_base(path) for path in paths if path.stat().st_size < SMALL_ENOUGH]


def spoilt_files(bases: list[Base], count: int, seed: int, folder: Path) -> Iterator[tuple[str, float]]:
    """Yield what became of each file, and the seconds that took."""
    with loader() as files:
        for done, mutant in enumerate(mutants(bases, count, seed)):
            show_progress("files", done, count)
            path = mutant.write(folder / "mutant.gguf")
            began = time.perf_counter()
            error = files.load(path)
            yield outcome(error), time.perf_counter() - began


def outcome(error: VaultragError | None) -> str:
    if error is None:
        return "loaded"
    if "damaged or no GGUF model" in error.message:
        return "refused by us"
    if isinstance(error, ModelCrashed):
        return "gave no answer in time" if "did not answer" in error.message else "ended the worker"
    return "refused by llama.cpp"


def hostile_templates(count: int, seed: int) -> Iterator[tuple[str, float]]:
    """Yield whether each template was replaced, and the seconds that took."""
    process = TemplateProcess()
    for done, source in enumerate(templates(count, seed)):
        show_progress("templates", done, count)
        began = time.perf_counter()
        warning = choose_template(source, run=process.run).warning
        seconds = time.perf_counter() - began
        ended = "ended by its limits" if "too long or too much" in warning else "replaced"
        yield (ended if warning else "used as it is"), seconds
    process.close()


def counted(what: str, outcomes: list[tuple[str, float]]) -> Iterator[Figure]:
    total = len(outcomes)
    for kind, number in Counter(kind for kind, _ in outcomes).most_common():
        yield Figure(f"{what} {kind}", number, number, number, total)
    longest = max(seconds for _, seconds in outcomes)
    yield Figure(f"{what}: longest", longest, longest, longest, total, "s")


if __name__ == "__main__":
    raise SystemExit(main())
