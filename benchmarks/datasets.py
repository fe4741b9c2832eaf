"""Evaluation data as vaults: one note a document, questions, and the notes that answer them. Read where it lies."""

from __future__ import annotations

import json
import os
import tomllib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import platformdirs

REPOSITORY = Path(__file__).resolve().parent.parent


class DataMissing(Exception):
    """The evaluation data is not on this machine."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the paths of the notes that answer it, the one that suffices first.

    `group` divides results (a language, a kind).
    """

    id: str
    text: str
    paths: tuple[str, ...]
    group: str = ""

    @property
    def gold(self) -> frozenset[str]:
        return frozenset(self.paths)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A vault to index and questions to ask of it."""

    name: str
    vault: Path
    queries: tuple[Query, ...]


def data_folder() -> Path:
    """Return the folder of the evaluation data. Raises DataMissing with the way to name it."""
    folder = Path(os.environ.get("VAULTRAG_BENCH_DATA", "") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        raise DataMissing(f"The evaluation data is not at {folder.name}/: set VAULTRAG_BENCH_DATA to its folder.")
    return folder


def work_folder() -> Path:
    """Return where vaults, indexes and cached generations of benchmarks lie: outside the repository."""
    folder = Path(os.environ.get("VAULTRAG_BENCH_WORK", "") or platformdirs.user_cache_path("vaultrag-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def beir(name: str) -> Dataset:
    """Turn a BEIR folder into a vault: each document is a note with its title as first heading."""
    source = data_folder() / name
    vault = work_folder() / "vaults" / name.replace("/", "-")
    vault.mkdir(parents=True, exist_ok=True)
    for document in _lines(source / "corpus.jsonl"):
        heading = f"# {document['title']}\n\n" if document.get("title") else ""
        _write_if_new(vault / f"{document['_id']}.md", heading + document["text"] + "\n")
    gold = _qrels(source)
    queries = tuple(
        Query(q["_id"], q["text"], tuple(f"{doc}.md" for doc in sorted(gold[q["_id"]])))
        for q in _lines(source / "queries.jsonl")
        if q["_id"] in gold
    )
    return Dataset(name, vault, queries)


def two_wiki() -> Dataset:
    """Return the multi-hop set: its vault is real Markdown with wikilinks, used where it lies."""
    source = data_folder() / "2wiki101_800"
    by_id = {_frontmatter_id(path): path.name for path in sorted((source / "vault_md").glob("*.md"))}
    gold = _qrels(source)
    queries = tuple(
        Query(q["_id"], q["text"], tuple(by_id[doc] for doc in sorted(gold[q["_id"]])))
        for q in _lines(source / "queries.jsonl")
    )
    return Dataset("2wiki101_800", source / "vault_md", queries)


def fixture(questions_name: str = "questions.toml") -> Dataset:
    """Return the fixture vault's answerable questions, grouped by language and kind."""
    with (REPOSITORY / "fixtures" / questions_name).open("rb") as stream:
        questions = tomllib.load(stream)["question"]
    queries = tuple(
        Query(f"q{i}", q["question"], tuple(_nfc(p) for p in q["path"]), f"{q['lang']} {q['kind']}")
        for i, q in enumerate(questions)
        if q["path"]
    )
    return Dataset("fixture", REPOSITORY / "fixtures" / "vault", queries)


def _nfc(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _qrels(source: Path) -> dict[str, set[str]]:
    gold: dict[str, set[str]] = {}
    for line in (source / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, score = line.split("\t")
        if int(score) > 0:
            gold.setdefault(query, set()).add(document)
    return gold


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def _frontmatter_id(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("id: ", 1)[1].split("\n", 1)[0].strip()


def _write_if_new(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
