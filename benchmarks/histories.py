"""Histories: is the value as of a day right, with its quote, and is an assistant's ever taken for the user's?

usage: scripts/bench histories [--words] [--kept] [--set known|blind] [--show]
    The histories of fixtures/histories.toml, or of fixtures/histories-blind.toml in a vault of their own; no chat model
    is asked. --words leaves the embedder out, --kept extracts the claims and embeds them first, as a night does, --show
    prints each value of the known set that was not told rightly. What loses a value is told by stage.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.datasets import REPOSITORY
from benchmarks.report import Figure, mean, quantile, write_report
from vaultrag.config import Config, Settings
from vaultrag.contradictions.claims.kept import BATCH, extract_owed, read_claims
from vaultrag.contradictions.histories.asked import AskedHistory, read_asked
from vaultrag.contradictions.histories.candidates import candidates_of
from vaultrag.contradictions.histories.meaning import ClaimMeaning
from vaultrag.contradictions.histories.questions import HistoryAsked, is_sure
from vaultrag.contradictions.histories.read import paths_of
from vaultrag.contradictions.histories.relevance import NEAR, Relevant, weighed_claims
from vaultrag.domain import Claim, Embedder, History, HistoryStep, Holder, Passage, QuotedPlace, SearchResult, unwatched
from vaultrag.errors import UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.pairs.claim_vectors import write_claim_vectors
from vaultrag.text.language import content_stems, sentences, word_stems
from vaultrag.workspace import Ownership, Workspace
from vaultrag.workspace.histories import Histories
from vaultrag.workspace.workspace import Reach

FIXTURES = REPOSITORY / "fixtures"
SETS = {
    "known": (FIXTURES / "histories.toml", FIXTURES / "vault"),
    "blind": (FIXTURES / "histories-blind.toml", FIXTURES / "histories-blind" / "vault"),
}
STAGES = ("extraction", "candidates", "relevance", "kind of value", "value", "whose it is", "order")
TODAY = date(2026, 3, 11)  # soon after the fixture's last note
BAR = 0.85
LINES = 20  # passages of the plain search whose newest is taken


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one value of a history on its day, by the history and by the newest line of a search."""

    wanted: dict[str, Any]
    held: HistoryStep | None
    newest: QuotedPlace | None
    lost: str = ""
    sure: bool = False

    @property
    def is_right(self) -> bool:
        if self.held is None:
            return False
        places = (self.held.place, *self.held.also)
        return any(_is_at(self.wanted, place) for place in places) and _gives(self.wanted["value"], self.held)

    @property
    def is_newest_right(self) -> bool:
        return self.newest is not None and _is_at(self.wanted, self.newest)


@dataclass(frozen=True, slots=True)
class Chain:
    """A history of the fixture, and what was told of each of its values."""

    entry: dict[str, Any]
    told: tuple[Told, ...]
    found: History | None
    milliseconds: float

    @property
    def is_right(self) -> bool:
        return all(one.is_right for one in self.told)

    @property
    def others_taken(self) -> int:
        """How many values that are called the user's own stand where somebody else speaks."""
        own = [step for step in self.found.steps if step.is_own] if self.found else []
        others = self.entry.get("others", [])
        return sum(
            step.holder is Holder.ASSISTANT or any(_is_at(other, step.place) for other in others) for step in own
        )


def _is_at(wanted: dict[str, Any], place: QuotedPlace | Claim) -> bool:
    is_quoted = wanted["quote"] in place.quote or place.quote in wanted["quote"]
    return bool(wanted["path"] == place.path and is_quoted)


def _gives(value: str, step: HistoryStep) -> bool:
    """Tell whether a step says the value: a number in the value that is shown, words in the quote."""
    if value[:1].isdigit():
        return value.split(maxsplit=1)[0] in step.value
    return not step.value or not set(word_stems(value)).isdisjoint(word_stems(step.value))


def told_of(workspace: Workspace, entry: dict[str, Any], reach: Reach) -> Chain:
    def search(text: str, count: int) -> SearchResult:
        return workspace.search(text, count, reach)

    def embedder() -> Embedder | None:
        return workspace.vectors.embedder()[0] if reach is Reach.FULL else None

    started = time.perf_counter()
    try:
        found = Histories(workspace.database, search, embedder, TODAY).of(entry["ask"])
    except UsageError:
        found = None
    milliseconds = (time.perf_counter() - started) * 1000
    trace = _Trace.of(workspace, entry["ask"], search, embedder())
    passages = workspace.search(entry["ask"], LINES, reach).passages
    told = tuple(
        _with_stage(
            Told(value, _held(found, value["on"]), _newest(entry["ask"], passages, value["on"])),
            found,
            trace,
            workspace,
        )
        for value in entry["value"]
    )
    return Chain(entry, told, found, milliseconds)


@dataclass(frozen=True, slots=True)
class _Trace:
    """What the stages of a history had before them: the claims of the notes found, and how relevant each is."""

    asked: AskedHistory
    weighed: Sequence[Relevant]

    @classmethod
    def of(
        cls, workspace: Workspace, question: str, search: Callable[[str, int], SearchResult], embedder: Embedder | None
    ) -> _Trace:
        asked = read_asked(question, TODAY)
        meaning = ClaimMeaning(asked.text, workspace.database, embedder)

        def find(text: str, count: int) -> Sequence[str]:
            return [passage.chunk.path for passage in search(text, count).passages]

        found = candidates_of(workspace.database, asked, paths_of(find, asked, meaning.paths()))
        return cls(asked, weighed_claims(asked, found, meaning.likeness(found)))


def _with_stage(told: Told, found: History | None, trace: _Trace, workspace: Workspace) -> Told:
    """Tell which stage lost a value that was not told rightly, and whether `ask` would tell it."""
    if found and is_sure(HistoryAsked.WAS, History(found.asked, found.steps, told.wanted["on"])):
        told = replace(told, sure=True)
    if told.is_right:
        return told
    wanted = told.wanted
    stated = candidates_of(workspace.database, trace.asked, [wanted["path"]])
    if not any(_is_at(wanted, one.claim) for one in stated):
        return replace(told, lost="extraction")
    shares = [one.share for one in trace.weighed if _is_at(wanted, one.claim)]
    if not shares:
        return replace(told, lost="candidates")
    steps = [
        step
        for step in (found.steps if found else ())
        if any(_is_at(wanted, place) for place in (step.place, *step.also))
    ]
    if not steps:
        best = max(one.share for one in trace.weighed)
        return replace(told, lost="relevance" if max(shares) < NEAR * best else "kind of value")
    given = [step for step in steps if _gives(wanted["value"], step)]
    if not given:
        return replace(told, lost="value")
    return replace(told, lost="order" if any(step.is_own for step in given) else "whose it is")


def _held(found: History | None, day: str) -> HistoryStep | None:
    return History(found.asked, found.steps, day).held if found else None


def _newest(question: str, passages: Sequence[Passage], day: str) -> QuotedPlace | None:
    """Return what a person takes who searches: of the newest note by then that was found, the line that fits best."""
    asked = set(content_stems(question))
    lines: list[tuple[str, int, QuotedPlace]] = []
    for passage in passages:
        chunk = passage.chunk
        for start, end in sentences(chunk.text):
            quote = chunk.text[start:end]
            fits = len(asked & set(word_stems(quote)))
            if fits and chunk.date <= day and chunk.speaker != "assistant":
                lines.append((chunk.date, fits, QuotedPlace(chunk.path, passage.title, chunk.span, quote)))
    return max(lines, key=lambda line: line[:2])[2] if lines else None


def main() -> int:
    arguments = sys.argv[1:]
    name = arguments[arguments.index("--set") + 1] if "--set" in arguments else "known"
    path, vault = SETS[name]
    with path.open("rb") as stream:
        entries = tomllib.load(stream)["history"]
    reach = Reach.WORDS if "--words" in arguments else Reach.FULL
    is_kept = "--kept" in arguments
    with tempfile.TemporaryDirectory() as folder:
        config = Config(vault=vault, home=Path(folder), models=_models(folder, reach), settings=Settings())
        with _opened(config, reach) as workspace:
            workspace.index(unwatched, DeletionPolicy.GUARD)
            if is_kept:
                _keep_claims(workspace, reach)
            chains = [told_of(workspace, entry, reach) for entry in entries]
    if "--show" in arguments and name == "known":
        _show(chains)
    write_report(
        "histories" + f"-{name}" * (name != "known") + "-words" * (reach is Reach.WORDS) + "-kept" * is_kept,
        "How a thought changed: the value as of a day",
        _figures(chains),
        [
            f"Right: the value that held on the day, with the quote of the fixture, its number as the value; the bar"
            f" is {BAR} of the histories.",
            "A history is right where all of its two to five values are.",
            f"Beside it: of {LINES} passages that a search finds, the newest note by that day, and its line that has"
            " most of the question's words; only its quote is asked for, not the value.",
            "By words alone, without an embedder." if reach is Reach.WORDS else "With the embedder.",
            "No chat model is asked; claims are kept, with their vectors, as after a night."
            if is_kept
            else "No chat model is asked; claims are extracted anew, as where no night has run.",
            "Values lost by stage: " + (_lost(chains) or "none") + ".",
        ],
        [_row(chain) for chain in chains],
    )
    return 0


def _keep_claims(workspace: Workspace, reach: Reach) -> None:
    extract_owed(workspace.database)
    embedder = workspace.vectors.embedder()[0] if reach is Reach.FULL else None
    if embedder is not None:
        claims = read_claims(workspace.database)
        for first in range(0, len(claims), BATCH):
            batch = claims[first : first + BATCH]
            vectors = embedder.embed_passages([claim.statement for claim in batch])
            named = {claim.key: vectors[place] for place, claim in enumerate(batch)}
            write_claim_vectors(workspace.database, embedder.fingerprint, named)


def _lost(chains: Sequence[Chain]) -> str:
    lost = Counter(one.lost for chain in chains for one in chain.told if one.lost)
    return ", ".join(f"{stage} {lost[stage]}" for stage in STAGES if lost[stage])


def _models(folder: str, reach: Reach) -> Path:
    from vaultrag.config import load_config

    if reach is Reach.WORDS:
        return Path(folder) / "models"
    return load_config(FIXTURES / "vault", Path(folder) / "home").models


def _opened(config: Config, reach: Reach) -> Workspace:
    if reach is Reach.WORDS:
        return Workspace.with_models(config, Ownership.OWN, None, None)
    return Workspace.open(config, Ownership.OWN)


def _figures(chains: Sequence[Chain]) -> list[Figure]:
    figures: list[Figure] = []
    for name, part in _parts(chains):
        told = [one for chain in part for one in chain.told]
        figures += [
            mean(f"histories right in all values{name}", [float(chain.is_right) for chain in part]),
            mean(f"values right on their day, with quote{name}", [float(one.is_right) for one in told]),
            mean(f"newest line of a search: values{name}", [float(one.is_newest_right) for one in told]),
        ]
    figures.append(
        mean("histories: newest line of a search", [float(all(o.is_newest_right for o in c.told)) for c in chains])
    )
    figures.append(mean("histories with another's words as the user's", [float(c.others_taken > 0) for c in chains]))
    every = [one for chain in chains for one in chain.told]
    figures.append(mean("values that are sure enough for ask to tell", [float(one.sure) for one in every]))
    figures.append(mean("of these right", [float(one.is_right) for one in every if one.sure]))
    times = [chain.milliseconds for chain in chains]
    return [*figures, *(quantile(f"time, p{int(q * 100)}", times, q, " ms") for q in (0.5, 0.95))]


def _parts(chains: Sequence[Chain]) -> list[tuple[str, list[Chain]]]:
    wanted: list[tuple[str, Callable[[Chain], bool]]] = [("", lambda _: True)]
    wanted += [(f", asked in {one}", lambda c, one=one: c.entry["lang"] == one) for one in ("ru", "en")]  # type: ignore[misc]
    wanted += [(f", {one} half", lambda c, one=one: c.entry.get("split") == one) for one in ("tune", "test")]  # type: ignore[misc]
    parts = [(name, [chain for chain in chains if holds(chain)]) for name, holds in wanted]
    return [(name, part) for name, part in parts if part and (not name or len(part) < len(chains))]


def _row(chain: Chain) -> dict[str, object]:
    right = [one.is_right for one in chain.told]
    lost = [one.lost for one in chain.told]
    return {
        "ask": chain.entry["ask"],
        "lang": chain.entry["lang"],
        "right": right,
        "lost": lost,
        "steps": _length(chain),
    }


def _length(chain: Chain) -> int:
    return len(chain.found.steps) if chain.found else 0


def _show(chains: Sequence[Chain]) -> None:
    for chain in chains:
        wrong = [one for one in chain.told if not one.is_right]
        if not wrong:
            continue
        print(f"## {chain.entry['ask']}")
        for one in wrong:
            held = one.held
            print(f"   {one.lost}: {one.wanted['on']}: {one.wanted['quote']}")
            print(f"      told: {held and (held.value, held.place)}")
        for step in chain.found.steps if chain.found else ():
            print(f"      {step.as_of and step.as_of.first} {step.value} | {step.place.quote[:90]} | {step.place.path}")


if __name__ == "__main__":
    sys.exit(main())
