"""The stretches of time that a question names: notes of these days are found and preferred, no others are left out.

Most notes that tell of a time are not dated in it: «мёд в 2024» stands in a note on bees. So a date is one vote among
others, and weighs the more the less else a question says: "what did I do last week?" says nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vaultrag.domain import LaneShare
from vaultrag.retrieval.fusion import Fused, Hit, by_score
from vaultrag.retrieval.lanes import Lanes, Question
from vaultrag.store.notes.lookups import Place, dated_notes, days_of_notes
from vaultrag.text.dates import WrittenDate, find_dates
from vaultrag.text.terms import Spelled, question_parts
from vaultrag.text.times.periods import Period

DATE_LANE = "date"
PERIOD = "period"
NOTES_CONSIDERED = 60  # two months of daily notes; a stretch with more of them is no reason to name one
ALONE = 3.0  # the weight of a time that is all that is asked for: other lanes look for "last" and "week" then
PREFERENCE = 0.1  # of a passage's score, about six ranks; .25 pushes out undated notes that tell of the time


def date_weight(question: str, periods: Sequence[Period]) -> float:
    """Return what a date weighs beside other lanes: more than they, where the question says nothing else."""
    besides = [part for part in question_parts(question) if not any(_overlap(part, period) for period in periods)]
    return ALONE / (1 + len(besides)) ** 2


def dated(lanes: Lanes, question: Question, periods: Sequence[Period]) -> list[tuple[Place, Hit]]:
    """Return the best passage of each note of these stretches, the nearest to the question first.

    Days and months named with their year are the name lane's: they are looked up as a note's name is.
    """
    written = [day for day in find_dates(question.text) if any(reading.year for reading in day.readings)]
    days: dict[int, str] = {}
    for period in periods:
        if any(_overlap(day, period) for day in written):
            continue
        notes = dated_notes(lanes.database, period.first_day, period.end_day, NOTES_CONSIDERED + 1)
        if len(notes) <= NOTES_CONSIDERED:
            days.update(notes)
    places = lanes.best_places(question, list(days))
    hits = [(place, lanes.hit(question, place, days[note])) for note, place in places.items()]
    nearest = sorted(hits, key=lambda pair: by_score(pair[1]))
    return [(place, replace(hit, score=1.0)) for place, hit in nearest]  # each lies in the time that is asked for


def preferred(lanes: Lanes, ranked: Sequence[Fused], periods: Sequence[Period]) -> list[Fused]:
    """Let count a little more what stands in a note of these stretches of time."""
    days = days_of_notes(lanes.database, list(dict.fromkeys(item.note for item in ranked)))
    raised = (_raised(item, days[item.note]) if _is_in(days.get(item.note, ""), periods) else item for item in ranked)
    return sorted(raised, key=by_score)


def _raised(item: Fused, day: str) -> Fused:
    gain = item.score * PREFERENCE
    return replace(item, score=item.score + gain, trace=(*item.trace, LaneShare(PERIOD, 1, 1.0, gain, day)))


def _is_in(day: str, periods: Sequence[Period]) -> bool:
    return bool(day) and any(
        period.first_day <= day and (not period.end_day or day < period.end_day) for period in periods
    )


def _overlap(one: Spelled | WrittenDate, period: Period) -> bool:
    return one.start < period.end and period.start < one.end
