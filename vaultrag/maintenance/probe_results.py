"""What the questions made from a vault teach: what a model's word is worth there, and which way of searching helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vaultrag.answering.judging.calibration import (
    ANY_LANGUAGE,
    WORDING,
    Calibration,
    CurvePoint,
    Scored,
    Thresholds,
    curve,
    discrimination,
    draw_thresholds,
    level_of,
    shift_for,
)
from vaultrag.answering.judging.probes import ProbeKind
from vaultrag.domain import Level, ProbeRecord
from vaultrag.retrieval.search import ALL_LANES
from vaultrag.store.database import Database
from vaultrag.store.probes import ProbeRow, read_probes

NO_QUESTION = "none"  # the kind of a row whose sentence gave no question that can be asked
FEWEST = 8  # questions of each kind: fewer move nothing, and no threshold is drawn on them
NOTHING_ASKED = ProbeRecord(0, 0, 0, 0, of_this_vault=True)
# Ways of searching that are compared, from one lane to all that an answer's search has.
STAGES: Mapping[str, frozenset[str]] = {
    "words": frozenset({"keyword"}),
    "meaning": frozenset({"vector"}),
    "both": frozenset({"keyword", "vector"}),
    "names, links and times too": ALL_LANES,
}


@dataclass(frozen=True, slots=True)
class StageFigure:
    """Of how many questions a way of searching finds the known place, among the first DEPTH and as the first."""

    name: str
    asked: int
    found: int
    first: int


@dataclass(frozen=True, slots=True)
class VaultBench:
    """What the questions said. `calibration` is the model's as it holds in this vault; `moved` by how much.

    `shared` is the share of the questions' words that stand in the very sentences that they were made from: a person's
    share fewer, so that words find these questions more easily than a person's.
    """

    record: ProbeRecord
    coined_refused: int
    coined: int
    calibration: Calibration
    moved: float
    curve: tuple[CurvePoint, ...]
    discrimination: float
    stages: tuple[StageFigure, ...]
    shared: float
    unscored: int


def concluded(rows: Sequence[ProbeRow], known: Calibration) -> VaultBench:
    """Return what the questions teach of a model of which `known` is known.

    Thresholds that are known are moved; where none are, they are drawn on these questions.
    """
    scored = [row for row in rows if row.score is not None]
    drawn = known if known.answerable else replace(known, answerable=_drawn(scored))
    moved = _shift(scored, drawn) if known.answerable else 0.0
    unmoved = drawn.moved(moved, NOTHING_ASKED)
    record = _record(scored, unmoved)
    coined = [row for row in scored if row.kind == ProbeKind.COINED]
    asked = [row for row in rows if row.kind == ProbeKind.KNOWN]
    levels = {id(row): _level(row, unmoved) for row in scored}
    centred = [Scored(one.score, one.true) for one in _centred(scored, drawn)]
    return VaultBench(
        record=record,
        coined=len(coined),
        coined_refused=sum(levels[id(row)] is Level.NOT_IN_VAULT for row in coined),
        calibration=drawn.moved(moved, record),
        moved=moved,
        curve=tuple(curve(centred)[:-1]),
        discrimination=discrimination(centred),
        stages=tuple(
            _stage(name, [row.ranks[place] for row in asked if row.ranks]) for place, name in enumerate(STAGES)
        ),
        shared=sum(row.shared for row in asked) / max(1, len(asked)),
        unscored=sum(row.score is None and row.kind != NO_QUESTION for row in rows),
    )


def vault_calibration(database: Database, model_key: str, known: Calibration) -> Calibration:
    """Return what is known of a model as it holds in this vault: moved by the questions that were asked there."""
    rows = read_probes(database, model_key, WORDING)
    kinds = Counter(row.kind == ProbeKind.KNOWN for row in rows if row.score is not None)
    if not known.answerable or min(kinds[True], kinds[False]) < FEWEST:
        return known
    return concluded(rows, known).calibration


def _record(rows: Sequence[ProbeRow], calibration: Calibration) -> ProbeRecord:
    known = [row for row in rows if row.kind == ProbeKind.KNOWN]
    without = [row for row in rows if row.kind != ProbeKind.KNOWN]
    return ProbeRecord(
        unanswerable=len(without),
        refused=sum(_level(row, calibration) is Level.NOT_IN_VAULT for row in without),
        answerable=len(known),
        cited=sum(row.cited and _level(row, calibration) is not Level.NOT_IN_VAULT for row in known),
        of_this_vault=True,
    )


def _level(row: ProbeRow, calibration: Calibration) -> Level:
    return level_of(row.score, calibration.thresholds_for(row.language))


def _drawn(rows: Sequence[ProbeRow]) -> dict[str, Thresholds]:
    """Draw thresholds on these questions, for a language only where there are enough of both kinds."""
    found: dict[str, Thresholds] = {}
    for language in (ANY_LANGUAGE, *sorted({row.language for row in rows})):
        some = [row for row in rows if language in (ANY_LANGUAGE, row.language)]
        kinds = Counter(row.kind == ProbeKind.KNOWN for row in some)
        drawn = draw_thresholds([Scored(row.score or 0.0, row.kind == ProbeKind.KNOWN) for row in some])
        if drawn and min(kinds[True], kinds[False]) >= FEWEST:
            found[language] = drawn
    return found


def _shift(rows: Sequence[ProbeRow], known: Calibration) -> float:
    centred = _centred(rows, known)
    return shift_for(Thresholds(0.0, 0.0), centred) if len(centred) == len(rows) else 0.0


def _centred(rows: Sequence[ProbeRow], known: Calibration) -> list[Scored]:
    """Return the scores as distances from the middle of their language's thresholds, so that languages go together."""
    found = []
    for row in rows:
        thresholds = known.thresholds_for(row.language) or Thresholds(0.0, 0.0)
        middle = (thresholds.low + thresholds.high) / 2
        found.append(Scored((row.score or 0.0) - middle, row.kind == ProbeKind.KNOWN))
    return found


def _stage(name: str, ranks: Sequence[int]) -> StageFigure:
    return StageFigure(name, len(ranks), found=sum(rank > 0 for rank in ranks), first=sum(rank == 1 for rank in ranks))
