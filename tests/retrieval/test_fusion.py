"""Fusion is arithmetic over ranks: these cases can be checked by hand."""

from __future__ import annotations

import pytest

from vaultrag.retrieval.fusion import (
    Fused,
    Hit,
    favour_own,
    fill_free_slots,
    fuse,
    merge_languages,
    spread_notes,
    step_back_repeats,
)


def fused(chunk: int, note: int = 0, score: float = 1.0) -> Fused:
    return Fused(chunk, note or chunk, score, ())


def chunks(ranked: list[Fused]) -> list[int]:
    return [item.chunk for item in ranked]


def test_a_chunk_found_by_two_lanes_comes_first_and_says_what_each_gave() -> None:
    lanes = {"keyword": [Hit(1, 1, 9.0), Hit(2, 2, 8.0)], "vector": [Hit(3, 3, 0.9), Hit(2, 2, 0.89)]}
    lanes = {**lanes, "vector": [*lanes["vector"], Hit(4, 4, 0.5)], "keyword": [*lanes["keyword"], Hit(5, 5, 1.0)]}
    ranked = fuse(lanes, {"keyword": 1.0, "vector": 1.0})
    assert ranked[0].chunk == 2
    assert [(share.lane, share.rank) for share in ranked[0].trace] == [("keyword", 2), ("vector", 2)]
    assert ranked[0].score == pytest.approx(sum(share.share for share in ranked[0].trace))


def test_a_lane_that_is_sure_of_its_first_hit_outvotes_one_that_is_not() -> None:
    sure = [Hit(1, 1, 30.0), Hit(2, 2, 3.0), Hit(3, 3, 2.0)]
    unsure = [Hit(2, 2, 0.801), Hit(1, 1, 0.800), Hit(3, 3, 0.700)]
    assert fuse({"a": sure, "b": unsure}, {"a": 1.0, "b": 1.0})[0].chunk == 1


def test_weight_zero_silences_a_lane() -> None:
    ranked = fuse({"a": [Hit(1, 1, 1.0)], "b": [Hit(2, 2, 1.0)]}, {"a": 0.0, "b": 1.0})
    assert chunks(ranked) == [2, 1]
    assert ranked[1].score == 0


def test_equal_input_gives_equal_order() -> None:
    hits = [Hit(n, n, 1.0) for n in range(20)]
    once = fuse({"a": hits}, {"a": 1.0})
    assert once == fuse({"a": hits}, {"a": 1.0})
    assert chunks(once) == list(range(20))


def test_second_chunk_of_a_note_steps_back_and_the_fourth_is_dropped() -> None:
    ranked = [fused(n, note=1, score=1.0 - n / 1000) for n in range(4)] + [fused(9, note=2, score=0.9)]
    assert chunks(spread_notes(ranked, per_note=3, decay=0.85)) == [0, 9, 1, 2]


def test_languages_take_turns_and_nothing_is_lost() -> None:
    merged = merge_languages([fused(1), fused(2), fused(3)], [fused(11), fused(12), fused(13)], turns=2)
    assert chunks(merged) == [1, 2, 11, 3, 12, 13]
    assert chunks(merge_languages([], [fused(1)], turns=2)) == [1]


def test_a_note_of_both_languages_steps_back_where_it_comes_second() -> None:
    english = [fused(1, note=1, score=1.0), fused(2, note=2, score=0.9), fused(3, note=4, score=0.86)]
    russian = [fused(11, note=1, score=0.52), fused(12, note=2, score=0.51), fused(13, note=3, score=0.5)]
    assert chunks(merge_languages(*step_back_repeats(english, russian, 2, 0.85), 2)) == [1, 2, 13, 3, 11, 12]
    assert chunks(merge_languages(*step_back_repeats(russian, english, 2, 0.85), 2)) == [11, 12, 3, 13, 1, 2]
    alone = [fused(21, note=21, score=0.4)], [fused(31, note=31, score=0.3)]
    assert step_back_repeats(*alone, 2, 0.85) == alone


def test_links_take_slots_only_behind_the_first_hits() -> None:
    ranked = [fused(n) for n in range(1, 7)]
    linked = [fused(n) for n in (20, 2, 5, 21)]
    filled = chunks(fill_free_slots(ranked, linked, kept=3))
    assert filled[:3] == [1, 2, 3]
    assert filled[3:] == [20, 4, 5, 21, 6]


def test_what_the_vector_lane_has_not_seen_is_not_counted_against_a_hit() -> None:
    lanes = {"keyword": [Hit(1, 1, 9.0), Hit(2, 2, 1.0)], "vector": [Hit(n, n, 0.9 - n / 100) for n in (3, 4, 2)]}
    weights = {"keyword": 0.3, "vector": 1.0}
    assert chunks(fuse(lanes, weights))[0] != 1
    ranked = fuse(lanes, weights, unseen={1})
    assert ranked[0].chunk == 1
    assert [share.lane for share in ranked[0].trace] == ["keyword"]
    assert ranked[0].score == pytest.approx(1.3 / 61)


def test_equal_scores_lie_as_the_passages_do_in_the_vault() -> None:
    hits = [Hit(1, 1, 1.0, order=("b.md", 0)), Hit(2, 2, 1.0, order=("a.md", 7)), Hit(3, 2, 1.0, order=("a.md", 2))]
    ranked = fuse({"a": hits[:1], "b": hits[1:2], "c": hits[2:]}, dict.fromkeys("abc", 1.0))
    assert chunks(ranked) == [3, 2, 1]


def test_own_notes_come_before_chats_that_are_no_more_than_a_margin_better() -> None:
    ranked = [fused(1, score=1.0), fused(2, score=0.98), fused(3, score=0.9), fused(4, score=0.5)]
    assert chunks(favour_own(ranked, {1}, 0.03)) == [2, 1, 3, 4]
    assert chunks(favour_own(ranked, {1}, 0.01)) == [1, 2, 3, 4]
    assert chunks(favour_own(ranked, {1, 2, 3, 4}, 0.03)) == [1, 2, 3, 4]
    assert favour_own(ranked, set(), 0.03) == ranked
