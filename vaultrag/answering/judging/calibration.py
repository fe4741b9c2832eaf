"""What a model's scores mean: where its lines lie, and what they were worth where they were drawn and elsewhere.

A score is the logarithm of how much likelier a model finds "Yes" than "No". It says nothing by itself: one model's 0 is
another's "hardly". So a line is drawn for each model on questions whose answer is known, and told with what it meant.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.domain import AnswerStyle, Backing, Level, ProbeRecord

WORDING = 2  # raise it when a prompt of sureness.py or support.py changes: lines drawn for others then mean nothing
ANY_LANGUAGE = ""  # of lines that hold for questions in every other language
LOST_AT_MOST = 0.10  # of the answerable questions: so many may be refused for the sake of those that are not
RISK_AT_MOST = (
    0.10  # of what is called backed: so much may be wrong where as many questions have an answer as have none
)
PROSE_FROM = 0.75  # of a model's checked sentences must be backed, or the notes speak for themselves
PRIOR = 40  # probes: a vault's own line counts half when so many of each kind were asked there
FARTHEST = 1.0  # so much (in logarithms) at most a vault moves a line: its probes are easier than what people ask


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Two lines across a model's scores. Below `low` the answer is no, from `high` on it is yes."""

    low: float
    high: float

    def moved(self, by: float) -> Thresholds:
        return Thresholds(self.low + by, self.high + by)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of one model's scores. `answerable` holds lines by the question's language."""

    answerable: Mapping[str, Thresholds] = field(default_factory=dict)
    support: Thresholds | None = None
    sentences: int = 0
    backed_sentences: int = 0
    record: ProbeRecord | None = None

    def thresholds_for(self, language: str) -> Thresholds | None:
        """Return the lines for a question in that language; None where nothing is known."""
        return self.answerable.get(language) or self.answerable.get(ANY_LANGUAGE)

    def style(self) -> AnswerStyle:
        """Say who speaks best: quotes unless enough of the model's checked sentences proved to be backed."""
        if not self.sentences or self.backed_sentences / self.sentences < PROSE_FROM:
            return AnswerStyle.QUOTES
        return AnswerStyle.PROSE

    def moved(self, by: float, record: ProbeRecord) -> Calibration:
        """Return it as it holds in one vault: its lines for questions moved, and what they meant there."""
        answerable = {language: lines.moved(by) for language, lines in self.answerable.items()}
        return replace(self, answerable=answerable, record=record)


UNCALIBRATED = Calibration()


@dataclass(frozen=True, slots=True)
class PairLines:
    """From which score on a model's word on two claims counts, by their language: what follows, what contradicts.

    Nothing stands where it is not known to be right often enough.
    """

    follows: Mapping[str, float] = field(default_factory=dict)
    contradicts: Mapping[str, float] = field(default_factory=dict)


NO_LINES = PairLines()


@dataclass(frozen=True, slots=True)
class Scored:
    """A score whose truth is known: whether the passages answer, or the lines support."""

    score: float
    true: bool


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a line at `threshold` means: `coverage` is answered at all, `risk` the share of those that should not be.

    `refused_rightly` of all refusals (precision), `caught` of the untrue (recall), `kept` of the true.
    """

    threshold: float
    coverage: float
    risk: float
    refused_rightly: float
    caught: float
    kept: float


def level_of(score: float | None, lines: Thresholds | None) -> Level:
    """Return the level that a score stands for. Without lines, or without a score, nothing is certain."""
    if score is None or lines is None:
        return Level.WEAK
    if score < lines.low:
        return Level.NOT_IN_VAULT
    return Level.BACKED if score >= lines.high else Level.WEAK


def backing_of(score: float | None, lines: Thresholds | None) -> Backing:
    """Return what a sentence's score stands for. Without lines, or without a score, it was not checked."""
    if score is None or lines is None:
        return Backing.UNCHECKED
    if score < lines.low:
        return Backing.NOT_BACKED
    return Backing.BACKED if score >= lines.high else Backing.PARTLY


def draw_thresholds(scored: Sequence[Scored]) -> Thresholds | None:
    """Draw both lines on questions whose answer is known; None where either kind is missing.

    The low one gives up at most LOST_AT_MOST of what is true, however many untrue there are beside it. From the high
    one on at most RISK_AT_MOST would be untrue among as many true ones. Neither knows how often what is asked has no
    answer, which no set of questions can tell.
    """
    true = sorted(one.score for one in scored if one.true)
    untrue = sorted(one.score for one in scored if not one.true)
    if not true or not untrue:
        return None
    low = _quantile(true, LOST_AT_MOST)
    return Thresholds(low, max(low, _safe_from(true, untrue)))


def balanced_line(scored: Sequence[Scored]) -> float | None:
    """Return the threshold at which true and untrue are told apart best, both counted alike; None without either.

    Between the scores around the best cut it lies in the middle; of equally good cuts the middle one is taken.
    """
    true = [one.score for one in scored if one.true]
    untrue = [one.score for one in scored if not one.true]
    if not true or not untrue:
        return None
    places = sorted({one.score for one in scored})
    cuts = [(low + high) / 2 for low, high in itertools.pairwise(places)] or places
    gains = [_above(true, cut) - _above(untrue, cut) for cut in cuts]
    best = [cut for cut, gain in zip(cuts, gains, strict=True) if math.isclose(gain, max(gains))]
    return best[len(best) // 2]


def curve(scored: Sequence[Scored]) -> list[CurvePoint]:
    """Return what each possible line would mean, from answering everything to refusing everything."""
    places = sorted({one.score for one in scored})
    return [point_at(scored, threshold) for threshold in (*places, *([math.inf] if places else []))]


def point_at(scored: Sequence[Scored], threshold: float) -> CurvePoint:
    """Return what a line there means on these."""
    true = [one for one in scored if one.true]
    untrue = [one for one in scored if not one.true]
    answered = [one for one in scored if one.score >= threshold]
    caught = sum(one.score < threshold for one in untrue)
    refused = len(scored) - len(answered)
    return CurvePoint(
        threshold=threshold,
        coverage=_share(len(answered), len(scored)),
        risk=_share(sum(not one.true for one in answered), len(answered)),
        refused_rightly=_share(caught, refused),
        caught=_share(caught, len(untrue)),
        kept=_share(sum(one.score >= threshold for one in true), len(true)),
    )


def discrimination(scored: Sequence[Scored]) -> float:
    """Return how often a true one scores above an untrue one (the area under the ROC curve); .5 without either."""
    true = [one.score for one in scored if one.true]
    untrue = [one.score for one in scored if not one.true]
    if not true or not untrue:
        return 0.5
    wins = sum((high > low) + 0.5 * (high == low) for high in true for low in untrue)
    return wins / (len(true) * len(untrue))


def shift_for(lines: Thresholds, probes: Sequence[Scored]) -> float:
    """Return by how much a vault moves a model's lines, from its own probes.

    The line that its probes would draw is drawn towards the model's by as many as PRIOR probes, and never farther than
    FARTHEST: probes are made by rule, and easier to tell apart than what people ask.
    """
    own = balanced_line(probes)
    if own is None:
        return 0.0
    weight = len(probes) / (len(probes) + 2 * PRIOR)
    middle = (lines.low + lines.high) / 2
    return max(-FARTHEST, min(FARTHEST, weight * (own - middle)))


def _safe_from(true: Sequence[float], untrue: Sequence[float]) -> float:
    """Return the lowest score from which on the risk is small enough, with one untrue added that was not seen."""
    for threshold in sorted({*true, *untrue}):
        kept = _above(true, threshold)
        wrong = (sum(score >= threshold for score in untrue) + 1) / (len(untrue) + 1)
        if kept and wrong / (wrong + kept) <= RISK_AT_MOST:
            return threshold
    return max(*true, *untrue)


def _above(scores: Sequence[float], threshold: float) -> float:
    return sum(score >= threshold for score in scores) / len(scores)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return the quantile, between two scores where it falls between them."""
    place = share * (len(ordered) - 1)
    below, rest = int(place), place - int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + rest * (ordered[above] - ordered[below])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
