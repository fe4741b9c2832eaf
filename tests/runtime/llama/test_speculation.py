from __future__ import annotations

from vaultrag.runtime.llama.speculation import LONGEST_MATCH, RETRY, Guess, Lookup, Pace

NONE = Guess((), 0)


def test_what_followed_the_same_words_before_is_guessed() -> None:
    lookup = Lookup([1, 2, 3, 4, 5, 6, 9, 1, 2, 3])
    assert lookup.guess(2) == Guess((4, 5), 3)
    assert lookup.guess(99).ids == (4, 5, 6, 9, 1, 2, 3)
    lookup.extend([4])
    assert lookup.guess(2) == Guess((5, 6), 4)


def test_new_words_are_not_guessed() -> None:
    assert Lookup([1, 2, 3, 4, 5]).guess(3).ids == ()
    assert Lookup([]).guess(3).ids == ()
    assert Lookup([1, 2]).guess(3).ids == ()


def test_the_longest_match_wins_and_among_equals_the_latest() -> None:
    assert Lookup([7, 1, 2, 3, 4, 8, 1, 2, 3, 5, 7, 1, 2, 3]).guess(1) == Guess((4,), 4)
    assert Lookup([1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3]).guess(1).ids == (5,)
    assert Lookup([*range(50), *range(50)][:80]).guess(1) == Guess((30,), LONGEST_MATCH)


def test_a_text_that_repeats_itself_guesses_itself() -> None:
    assert Lookup([5] * 6).guess(2).ids == (5,)


def test_nothing_is_guessed_before_a_token_was_timed() -> None:
    assert Pace().length(12, 8) == 0


def pace(extra: float, held: float, rounds: int = 60) -> Pace:
    """What a machine taught where a further token costs `extra` of a whole one and that share of guesses hold."""
    learned, hits = Pace(), 0.0
    learned.learn(NONE, 0, 1.0)
    for _ in range(rounds):
        hits += held
        accepted = int(hits >= 1)
        hits -= accepted
        learned.learn(Guess((1,), 5), accepted, 1.0 + extra)
    return learned


def test_guesses_go_as_far_as_they_pay() -> None:
    assert pace(extra=0.0, held=0.95).length(5, 12) == 12
    assert 0 < pace(extra=0.4, held=0.9).length(5, 12) < 12
    assert pace(extra=0.9, held=0.6).length(5, 12) == 0


def test_what_lost_is_left_and_tried_again_now_and_then() -> None:
    learned = pace(extra=1.0, held=0.3)
    lengths = [learned.length(5, 12) for _ in range(2 * RETRY)]
    assert lengths.count(0) == 2 * RETRY - 2
    assert lengths.count(1) == 2


def test_a_longer_match_is_trusted_further() -> None:
    learned = Pace()
    learned.learn(NONE, 0, 1.0)
    assert learned.length(12, 12) > learned.length(3, 12)
