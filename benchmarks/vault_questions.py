"""Questions about the vault itself: is the right set of notes listed, and is a question of content left to search?

usage: scripts/bench vault_questions [--show]
    No model is asked. --show prints each question that was not answered by exactly the right notes.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.datasets import REPOSITORY
from benchmarks.report import Figure, mean, quantile, write_report
from vaultrag.config import Config, Settings
from vaultrag.domain import Listing, unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace

FIXTURES = REPOSITORY / "fixtures"
TODAY = date(2026, 3, 11)  # of a question that says none: soon after the fixture's last note
BAR = 0.85


@dataclass(frozen=True, slots=True)
class VaultQuestion:
    """A question with exactly the right notes, none for one of content."""

    text: str
    language: str
    kind: str
    paths: frozenset[str]
    count: int | None
    today: date


@dataclass(frozen=True, slots=True)
class Listed:
    """What was listed for a question, and in how many milliseconds."""

    question: VaultQuestion
    listing: Listing | None
    milliseconds: float

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(citation.path for citation in self.listing.citations) if self.listing else frozenset()

    @property
    def is_right(self) -> bool:
        if self.listing is None or self.paths != self.question.paths:
            return False
        return self.question.count is None or str(self.question.count) in self.listing.counted.split()


def questions(name: str, table: str) -> Iterator[VaultQuestion]:
    """Read the questions of a table of a fixture's file."""
    with (FIXTURES / name).open("rb") as stream:
        for entry in tomllib.load(stream).get(table, ()):
            yield VaultQuestion(
                text=entry["question"],
                language=entry["lang"],
                kind=entry["kind"],
                paths=frozenset(unicodedata.normalize("NFC", path) for path in entry.get("paths", ())),
                count=entry.get("count"),
                today=date.fromisoformat(str(entry["today"])) if "today" in entry else TODAY,
            )


def asked(workspace: Workspace, question: VaultQuestion) -> Listed:
    started = time.perf_counter()
    listing = workspace.list_notes(question.text, question.today)
    return Listed(question, listing, (time.perf_counter() - started) * 1000)


def main() -> int:
    about, apart = (list(questions("questions-vault.toml", table)) for table in ("question", "apart"))
    content = [
        question for name in ("questions.toml", "questions-hard.toml") for question in questions(name, "question")
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        config = Config(vault=FIXTURES / "vault", home=home, models=home / "models", settings=Settings())
        with Workspace.with_models(config, Ownership.OWN, None, None) as workspace:
            workspace.index(unwatched, DeletionPolicy.GUARD)
            right, others, left = ([asked(workspace, one) for one in part] for part in (about, apart, content))
    if "--show" in sys.argv[1:]:
        _show(right, [*others, *left])
    write_report(
        "vault_questions",
        "Questions about the vault itself",
        [*_figures(right), *_left_figures(others, left), *_times([*right, *left])],
        [
            f"Right: exactly the notes that the question asks for are listed, and counted; the bar is {BAR}.",
            "A wrong listing is one that is called sure; one that is not stands beside the usual answer.",
            "No model is asked; milliseconds are those of one question, the vault's vocabulary read anew for each.",
        ],
        [{"question": one.question.text, "query": one.listing.query if one.listing else ""} for one in right],
    )
    return 0


def _figures(right: list[Listed]) -> list[Figure]:
    figures = [mean("right set of notes", [float(one.is_right) for one in right])]
    for name, of in (("in", "language"), ("kind:", "kind")):
        for group in sorted({getattr(one.question, of) for one in right}):
            values = [float(one.is_right) for one in right if getattr(one.question, of) == group]
            figures.append(mean(f"right set of notes, {name} {group}", values))
    figures.append(mean("of the listings called sure, right", [float(o.is_right) for o in right if _is_sure(o)]))
    return figures


def _left_figures(others: list[Listed], left: list[Listed]) -> list[Figure]:
    content = [one for one in others if one.question.kind == "content"]
    both = [one for one in others if one.question.kind == "ambiguous"]
    return [
        mean("alike questions of content, wrongly listed as sure", [float(_is_sure(one)) for one in content]),
        mean("alike questions of content, listed beside the answer", [float(_is_unsure(one)) for one in content]),
        mean("ambiguous questions, listed and answered", [float(_is_unsure(one)) for one in both]),
        mean("ambiguous questions, right set of notes", [float(one.is_right) for one in both]),
        mean("the fixture's questions of content, wrongly listed as sure", [float(_is_sure(one)) for one in left]),
        mean("the fixture's questions of content, listed beside the answer", [float(_is_unsure(one)) for one in left]),
    ]


def _times(measured: list[Listed]) -> list[Figure]:
    values = [one.milliseconds for one in measured]
    return [quantile(f"time of a question, p{int(q * 100)}", values, q, " ms") for q in (0.5, 0.95)]


def _is_sure(one: Listed) -> bool:
    return one.listing is not None and one.listing.sure


def _is_unsure(one: Listed) -> bool:
    return one.listing is not None and not one.listing.sure


def _show(right: list[Listed], others: list[Listed]) -> None:
    for one in right:
        if not one.is_right:
            print(f"{one.question.kind}: {one.question.text}\n   {_told(one)}")
            print(f"   missing {sorted(one.question.paths - one.paths)}")
            print(f"   too many {sorted(one.paths - one.question.paths)}")
    for one in others:
        if one.listing is not None:
            print(f"{one.question.kind}, listed: {one.question.text}\n   {_told(one)}")


def _told(one: Listed) -> str:
    if one.listing is None:
        return "left to search"
    return f"{'sure' if one.listing.sure else 'unsure'}: {one.listing.query} | {one.listing.counted}"


if __name__ == "__main__":
    sys.exit(main())
