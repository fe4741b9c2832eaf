"""Flips single bits in the files of a home, and tells what came of each: found, harmless, and whether it was mended."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.doubles import HashEmbedder, count_words
from vaultrag.config import Config, SearchSection, Settings
from vaultrag.domain import Finding
from vaultrag.errors import IndexDamaged, VaultragError
from vaultrag.indexing.apply import apply_changes
from vaultrag.indexing.diff import diff_vault
from vaultrag.indexing.embed import drain_outbox
from vaultrag.indexing.mentions import refresh_mentions
from vaultrag.indexing.read import Recipe
from vaultrag.maintenance.repair import Repair, mend_file
from vaultrag.maintenance.verify import check_everything
from vaultrag.retrieval.search import Searcher
from vaultrag.store.database import Access, Database
from vaultrag.store.journal import Journal
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.opening import open_database
from vaultrag.store.records import Kind, RecordBook
from vaultrag.store.vectors.index import VectorIndex
from vaultrag.store.vectors.language_centroids import LanguageCentroids

RECIPE = Recipe(count_words, "words", 100, 200)
EMBEDDER = HashEmbedder()
FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "vault"
FOLDERS = ("Проекты", "English notes")
QUERIES = (
    "осмотр ульев", "когда кормить пчёл", "маяк бэкап", "сколько стоит датчик", "рецепт", "встреча в мае", "пароль",
    "прошивка", "планы на год", "метрики", "backup at night", "phrases for code review", "idioms", "what to buy",
    "pronounce queue", "router password", "how to deploy", "false friends", "weekly plan", "articles",
)  # fmt: skip
RECORDS = {f"ответ {number}": {"text": "Сохранено.", "paths": [], "number": number} for number in range(8)}

Value = TypeVar("Value")
Results = list[list[tuple[str, str, float, str]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one flipped bit did. `crash` names an error that is none of ours."""

    place: str
    findings: tuple[str, ...]
    same: bool
    crash: str
    mended: bool
    kept: bool

    @property
    def sound(self) -> bool:
        """Whether it was found or did no harm, and nothing was lost."""
        return (bool(self.findings) or self.same) and self.mended and self.kept and not self.crash


def config_of(folder: Path) -> Config:
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())


def build(folder: Path) -> None:
    """Write some believable notes, index them, save records; leave free pages behind."""
    for name in FOLDERS:
        shutil.copytree(FIXTURE / name, folder / "vault" / name)
    bulk = folder / "vault" / "Лишнее.md"
    bulk.write_text(
        "\n\n".join(f"# Глава {number}\n\nПросто текст {number}." for number in range(120)), encoding="utf-8"
    )
    config = config_of(folder)
    with open_database(config.database_path) as database:
        index(config, database)
        bulk.unlink()
        index(config, database)
        book = RecordBook(database, Journal(config.journal_path))
        for key, values in RECORDS.items():
            book.put(Kind.ANSWER, key, values)


def index(config: Config, database: Database) -> None:
    """Bring the index up to the vault and embed, with exact search in Chroma's place."""
    apply_changes(config, database, diff_vault(config, Catalog(database), RECIPE), RECIPE, lambda *_: None)
    refresh_mentions(database)
    drain_outbox(database, EMBEDDER, VectorIndex(database, EMBEDDER.fingerprint).open(), lambda *_: None)


def results(config: Config) -> Results:
    """Return the first ten passages of every query."""
    with open_database(config.database_path, Access.READ) as database:
        searcher = Searcher(
            database,
            VectorIndex(database, EMBEDDER.fingerprint),
            EMBEDDER.fingerprint,
            LanguageCentroids(database, EMBEDDER.fingerprint),
            SearchSection(),
        )
        return [
            [
                (found.chunk.path, found.chunk.text, round(found.score, 6), found.title)
                for found in searcher.search(query, 10, EMBEDDER.embed_query(query)).passages
            ]
            for query in QUERIES
        ]


def deep(config: Config) -> list[Finding]:
    """Return what `check --deep` says, apart from Chroma."""
    try:
        with open_database(config.database_path) as database:
            vectors = VectorIndex(database, EMBEDDER.fingerprint)
            return check_everything(config, database, RECIPE, vectors, lambda *_: None)
    except VaultragError as error:
        return [Finding(error.kind, "error", error.message, error.remedy)]


def repair(config: Config) -> None:
    """Do what `vaultrag repair` does, apart from Chroma."""
    mend_file(config, lambda *_: None)
    try:
        _repair_rows(config)
    except IndexDamaged as error:
        mend_file(config, lambda *_: None, error.message)
        _repair_rows(config)


def _repair_rows(config: Config) -> None:
    with open_database(config.database_path) as database:
        mending = Repair(config, database, RECIPE, lambda *_: None)
        mending.before_indexing()
        index(config, database)
        mending.after_indexing(VectorIndex(database, EMBEDDER.fingerprint), lambda _: None)


def records(config: Config) -> dict[str, object]:
    with open_database(config.database_path) as database:
        return dict(RecordBook(database, Journal(config.journal_path)).bodies(Kind.ANSWER))


def flip(path: Path, offset: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


def try_flips(
    base: Path, scratch: Path, name: str, places: Sequence[tuple[int, int]], expected: Results
) -> Iterator[Outcome]:
    """Flip each bit of the named file in a copy of the home of its own; the vault is shared."""
    config = config_of(base).model_copy(update={"home": scratch / "home"})
    for offset, bit in places:
        shutil.rmtree(config.home, ignore_errors=True)
        shutil.copytree(base / "home", config.home)
        flip(config.home / name, offset, bit)
        yield outcome(config, f"{name} at {offset}, bit {bit}", expected)


def outcome(config: Config, place: str, expected: Results) -> Outcome:
    """Search, check, repair, and search again in a home that was damaged."""
    crashes: list[str] = []
    before = _tried(lambda: results(config), crashes)
    findings = _tried(lambda: told(config), crashes) or []
    _tried(lambda: repair(config), crashes)
    after = _tried(lambda: results(config), crashes)
    return Outcome(
        place=place,
        findings=tuple(findings),
        same=before == expected,
        crash="; ".join(crashes),
        mended=after == expected and _tried(lambda: told(config), crashes) == [],
        kept=_tried(lambda: records(config), crashes) == RECORDS,
    )


def told(config: Config) -> list[str]:
    """Return the invariants that `check --deep` finds broken."""
    return [finding.invariant for finding in deep(config) if finding.severity != "info"]


def _tried(action: Callable[[], Value], crashes: list[str]) -> Value | None:
    try:
        return action()
    except VaultragError:
        return None
    except Exception as error:  # noqa: BLE001  # whatever else comes is what is looked for
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
        crashes.append(f"{type(error).__name__} at {where}: {error}")
        return None


def places(path: Path, count: int, seed: int, first: int = 0, last: int | None = None) -> list[tuple[int, int]]:
    """Draw so many bits between two offsets of a file."""
    draw = random.Random(seed)
    end = path.stat().st_size if last is None else last
    return [(draw.randrange(first, end), draw.randrange(8)) for _ in range(count)]
