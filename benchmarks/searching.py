"""Search latency and memory at 1,000, 10,000 and 100,000 passages, beside bare Chroma and exact numpy.

usage: scripts/bench searching [--sizes 306,3060,30600] [--queries N]
    Sizes are in notes. Vectors are drawn around those of real passages, as real ones lie to each other; the questions
    and their vectors are real. The fixture and XQuAD indexes of `scripts/bench retrieval` must be there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.curves import Axes, draw
from benchmarks.datasets import beir, fixture, work_folder
from benchmarks.parsing import generate
from benchmarks.processes import descendants, resident_mib
from benchmarks.products import config_for, show_progress
from benchmarks.report import Figure, mean, quantile, write_report
from vaultrag.config import Config
from vaultrag.domain import Vectors
from vaultrag.indexing.embed import never
from vaultrag.runtime.pool import ModelPool
from vaultrag.store import embeddings
from vaultrag.store.database import Access
from vaultrag.store.notes.lookups import languages_of
from vaultrag.store.opening import open_database
from vaultrag.text.language import language_of
from vaultrag.workspace import Ownership, Workspace

SIZES = "306,3060,30600"  # notes; one has 3.3 passages
SEEDS = ("fixture", "xquad-ru", "xquad-en", "2wiki101_800")
SPREAD = (
    0.5  # a drawn vector lies off its seed by half the difference of two others: cosine 0.9 to it, as related texts
)
HITS = 10  # of a user's search
WIDE = 200  # that the vector lane asks for, so that both languages have theirs
PORTION = 5000
FILTERS = {"": "no filter", "tag:note": "filter that leaves 33 %", "tag:проект/3": "filter that leaves 2 %"}
SHARES = {"no filter": 1.0, "filter that leaves 33 %": 0.33, "filter that leaves 2 %": 0.02}


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds by what was done, memory in MiB by process, and shares of hits found."""

    passages: int
    times: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    recall: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class DrawnEmbedder:
    """Gives each text a vector near that of a real passage in its language, always the same one."""

    fingerprint: str = "drawn-384"
    questions: Mapping[str, Vectors] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        return int(self._seeds["en"].shape[1])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._drawn(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        return self.questions.get(text, self._seeds["en"][0])

    @cached_property
    def _seeds(self) -> dict[str, Vectors]:
        found: dict[str, list[bytes]] = {"ru": [], "en": []}
        for name in SEEDS:
            with open_database(work_folder() / "homes" / name / "index.sqlite3") as database:
                for language, blob in database.rows(
                    "SELECT language, vector FROM chunks JOIN embeddings USING (text_hash) WHERE language <> ''"
                ):
                    found[language].append(blob)
        return {language: embeddings.matrix(blobs) for language, blobs in found.items()}

    def _drawn(self, text: str) -> Vectors:
        seeds = self._seeds[language_of(text) or "en"]
        number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
        one, two, three = np.random.default_rng(number).integers(len(seeds), size=3)
        vector = seeds[one] + SPREAD * (seeds[two] - seeds[three])
        unit: Vectors = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit


def main() -> int:
    options = _options()
    if options.role:
        print(json.dumps(asdict(ROLES[options.role](options.notes, options.queries))))
        return 0
    sizes = [int(size) for size in options.sizes.split(",")]
    _question_vectors()
    for size in sizes:
        _prepare(size)
    measured = {role: {size: _in_process(role, size, options.queries) for size in sizes} for role in ROLES}
    _write(sizes, measured, options.queries)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench searching")
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--role", default="", help=argparse.SUPPRESS)
    parser.add_argument("--notes", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _config(notes: int) -> Config:
    return config_for(work_folder() / f"searching-{notes}", f"searching-{notes}")


def _prepare(notes: int) -> None:
    """Index the generated vault with drawn vectors, as far as an earlier run has not."""
    generate(notes, f"searching-{notes}")
    with Workspace.with_models(_config(notes), Ownership.OWN, DrawnEmbedder(), None) as workspace:
        workspace.follow(None, show_progress)
        workspace.owed.embed(show_progress, never)  # nothing looks for mentions: no search reads them


def _questions() -> list[str]:
    datasets = (fixture(), beir("xquad/ru"), beir("xquad/en"))
    longest = max(len(dataset.queries) for dataset in datasets)
    return [d.queries[number].text for number in range(longest) for d in datasets if number < len(d.queries)]


def _question_vectors(limit: int = 600) -> dict[str, Vectors]:
    """Return real questions, both languages in turn, with their vectors by the real embedder, kept for the next run."""
    questions = _questions()[:limit]
    path = work_folder() / "searching-questions.npy"
    if not path.exists():
        models = ModelPool.of(_config(0))
        np.save(path, np.stack([models.embedder().embed_query(question) for question in questions]))
        models.close()
    return dict(zip(questions, np.load(path), strict=True))


def _in_process(role: str, notes: int, queries: int) -> Measured:
    """Measure in a process of its own, whose memory is then what it takes."""
    command = [sys.executable, "-m", "benchmarks.searching", "--role", role]
    run = subprocess.run(
        [*command, "--notes", str(notes), "--queries", str(queries)], stdout=subprocess.PIPE, text=True, check=True
    )
    return Measured(**json.loads(run.stdout.splitlines()[-1]))


def _measure_product(notes: int, count: int) -> Measured:
    questions = dict(list(_question_vectors().items())[:count])
    with Workspace.with_models(_config(notes), Ownership.OWN, DrawnEmbedder(questions=questions), None) as workspace:
        measured = Measured(workspace.status().chunks)
        index = workspace.vectors.index()
        assert index is not None
        assert index.healthy
        assert index.chroma is not None
        chroma = index.chroma
        for wanted, name in FILTERS.items():
            _timed(measured, f"search, {name}", questions, partial(_search, workspace, wanted))
            if not wanted:
                measured.memory.update(_memory("search without filters"))
        measured.memory.update(_memory("search with filters"))
        _timed(measured, "nearest 200, Chroma's process", questions, lambda text: chroma.search(questions[text], WIDE))
        _timed(measured, "nearest 200, exact", questions, lambda text: index.exact.search(questions[text], WIDE))
        for vector in questions.values():
            for k in (HITS, WIDE):
                exact = {key for key, _ in index.exact.search(vector, k)}
                found = {key for key, _ in chroma.search(vector, k)}
                measured.recall.setdefault(f"{k} nearest found by Chroma's process", []).append(
                    len(exact & found) / len(exact)
                )
        for text, vector in questions.items():
            nearest = [key for key, _ in index.exact.search(vector, WIDE)]
            passages = workspace.search(text, HITS, lanes={"vector"}).passages
            for name, languages in (
                (f"{WIDE} nearest of all hold the other language", languages_of(workspace.database, nearest).values()),
                (f"{HITS} hits by meaning hold it", [language_of(passage.chunk.text) for passage in passages]),
            ):
                other = set(languages) - {"", language_of(text)}
                measured.recall.setdefault(f"questions whose {name}", []).append(float(bool(other)))
        return measured


def _search(workspace: Workspace, wanted: str, text: str) -> object:
    return workspace.search(f"{text} {wanted}", HITS)


def _measure_numpy(notes: int, count: int) -> Measured:
    keys: list[str] = []
    matrix: list[Vectors] = []
    questions = dict(list(_question_vectors().items())[:count])
    for part_keys, part in _stored(notes):
        keys += part_keys
        matrix.append(part)
    vectors = np.concatenate(matrix)
    matrix.clear()
    measured = Measured(len(keys))
    chosen = {name: _chosen(len(keys), share) for name, share in SHARES.items()}

    def nearest(rows: NDArray[np.int64] | None, text: str) -> list[tuple[str, float]]:
        cosines = (vectors if rows is None else vectors[rows]) @ questions[text]
        best = np.argpartition(-cosines, min(HITS, len(cosines) - 1))[:HITS]
        return sorted(((keys[row], float(cosines[row])) for row in best), key=lambda pair: -pair[1])

    for name, rows in chosen.items():
        among = None if name == "no filter" else rows
        _timed(measured, f"nearest 10, {name}", questions, partial(nearest, among))
    measured.memory.update(_memory("matrix"))
    return measured


def _measure_chroma(notes: int, count: int) -> Measured:
    """Chroma as its documentation shows it: in the process that asks, cosine, otherwise its defaults."""
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    root, questions = work_folder() / f"searching-chroma-{notes}", dict(list(_question_vectors().items())[:count])
    client = chromadb.PersistentClient(str(root), ChromaSettings(_env_file=None, anonymized_telemetry=False))
    built = 0.0
    total = sum(len(keys) for keys, _ in _stored(notes))
    if client.get_or_create_collection("bare").count() != total:
        client.delete_collection("bare")
        bare = client.create_collection("bare", embedding_function=None, configuration={"hnsw": {"space": "cosine"}})
        few, third = set(_chosen(total, 0.02).tolist()), set(_chosen(total, 0.33).tolist())
        began, first = time.perf_counter(), 0
        for keys, vectors in _stored(notes):
            rows = range(first, first + len(keys))
            tags = [{"few": row in few, "third": row in third} for row in rows]
            bare.add(ids=list(keys), embeddings=vectors, metadatas=list(tags))
            first += len(keys)
            show_progress("bare Chroma", first, total)
        built = time.perf_counter() - began
    bare = client.get_collection("bare", embedding_function=None)
    measured = Measured(total)
    if built:
        measured.seconds["build"] = built
    where: dict[str, dict[str, bool] | None] = {"no filter": None}
    where |= {"filter that leaves 33 %": {"third": True}, "filter that leaves 2 %": {"few": True}}

    def nearest(condition: dict[str, bool] | None, text: str) -> object:
        return bare.query(query_embeddings=[questions[text]], n_results=HITS, where=condition, include=[])

    for name, condition in where.items():
        _timed(measured, f"nearest 10, {name}", questions, partial(nearest, condition))
        if condition is None:
            measured.memory.update(_memory("Chroma"))
    return measured


ROLES: dict[str, Callable[[int, int], Measured]] = {
    "VaultRAG": _measure_product,
    "numpy": _measure_numpy,
    "Chroma": _measure_chroma,
}


def _stored(notes: int) -> Iterator[tuple[Sequence[str], Vectors]]:
    with open_database(_config(notes).database_path, Access.READ) as database:
        last = 0
        while portion := embeddings.portion_after(database, DrawnEmbedder().fingerprint, last, PORTION):
            last = portion.ids[-1]
            yield portion.keys, portion.vectors


def _chosen(total: int, share: float) -> NDArray[np.int64]:
    return np.sort(np.random.default_rng(0).choice(total, int(total * share), replace=False))


def _timed(measured: Measured, name: str, questions: Mapping[str, Vectors], ask: Callable[[str], object]) -> None:
    for text in list(questions)[:5]:  # caches and children warm
        ask(text)
    times = measured.times.setdefault(name, [])
    for text in questions:
        began = time.perf_counter()
        ask(text)
        times.append((time.perf_counter() - began) * 1000)


def _memory(state: str) -> dict[str, float]:
    pids = [os.getpid(), *descendants(os.getpid())]
    return {f"{state}: all processes": sum(resident_mib(pids).values())}


def _write(sizes: Sequence[int], measured: Mapping[str, Mapping[int, Measured]], queries: int) -> None:
    figures: list[Figure] = []
    for size in sizes:
        for role, by_size in measured.items():
            here = by_size[size]
            label = f"{here.passages:,}: {role}"
            for name, times in here.times.items():
                figures += [quantile(f"{label}, {name}, p{q:.0f}", times, q / 100, " ms") for q in (50.0, 95.0)]
            figures += [mean(f"{label}, {name}", values) for name, values in here.recall.items()]
            figures += [Figure(f"{label}, {name}", mib, mib, mib, 1, " MiB") for name, mib in here.memory.items()]
            figures += [Figure(f"{label}, {name}", took, took, took, 1, " s") for name, took in here.seconds.items()]
    notes = [
        f"{queries} real questions in both languages, one after the other; their embedding is in no figure.",
        "Passages are generated; their vectors are drawn around those of real passages in the same language, off by"
        " half the difference of two others.",
        "`search` is the whole product: words, meaning, names, links, fusion, reading the passages. `nearest` is the"
        " vectors alone.",
        "Bare Chroma and numpy run inside the process that asks; VaultRAG keeps Chroma in a process of its own, and"
        " loads its matrix for the exact search only when a filter, or Chroma's absence, asks for it.",
        f"The load of the machine was {os.getloadavg()[0]:.1f} at the end, on {os.cpu_count()} cores.",
    ]
    write_report("searching", "Searching 100,000 passages", figures, notes)
    for name, up, of in (("latency", "ms, p50", _p50), ("memory", "MiB", _largest)):
        curves = {line: points for role, by_size in measured.items() for line, points in of(role, by_size).items()}
        draw(f"searching-{name}", Axes(f"Searching: {name}", "passages", up, logarithmic=True), curves)


def _p50(role: str, by_size: Mapping[int, Measured]) -> dict[str, list[tuple[float, float]]]:
    names = dict.fromkeys(name for here in by_size.values() for name in here.times)
    return {
        f"{role}, {name}": [(here.passages, float(np.median(here.times[name]))) for here in by_size.values()]
        for name in names
    }


def _largest(role: str, by_size: Mapping[int, Measured]) -> dict[str, list[tuple[float, float]]]:
    names = dict.fromkeys(name for here in by_size.values() for name in here.memory)
    return {f"{role}, {name}": [(here.passages, here.memory[name]) for here in by_size.values()] for name in names}


if __name__ == "__main__":
    sys.exit(main())
