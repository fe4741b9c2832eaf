from __future__ import annotations

import threading

from vaultrag.domain import Priority
from vaultrag.runtime.queue import RequestQueue, Ticket


def nothing() -> None:
    return


def served(line: RequestQueue, *tickets: Ticket) -> Ticket | None:
    return next((ticket for ticket in tickets if line.wait(ticket, 0)), None)


def test_persons_come_before_the_night_each_in_their_order() -> None:
    line = RequestQueue()
    first = line.join(Priority.NIGHT, nothing)
    assert line.wait(first, 0)
    night = line.join(Priority.NIGHT, nothing)
    one, two = line.join(Priority.PERSON, nothing), line.join(Priority.PERSON, nothing)
    assert served(line, night, two, one) is None
    order = []
    line.leave(first)
    for _ in range(3):
        turn = served(line, night, two, one)
        assert turn is not None
        order.append(turn)
        line.leave(turn)
    assert order == [one, two, night]
    assert line.idle


def test_the_night_is_asked_to_give_way_to_a_person_only() -> None:
    line, asked = RequestQueue(), threading.Event()
    assert line.wait(line.join(Priority.NIGHT, asked.set), 0)
    line.join(Priority.NIGHT, nothing)
    assert not asked.is_set()
    assert not line.person_waits()
    line.join(Priority.PERSON, nothing)
    assert asked.is_set()
    assert line.person_waits()


def test_who_is_asked_to_give_way_cannot_leave_meanwhile() -> None:
    """Else the request after it would be interrupted in its stead."""
    line, left = RequestQueue(), threading.Event()

    def leave() -> None:
        line.leave(night)
        left.set()

    leaver = threading.Thread(target=leave)
    found: list[bool] = []

    def give_way() -> None:
        leaver.start()
        found.append(left.wait(0.2))

    night = line.join(Priority.NIGHT, give_way)
    assert line.wait(night, 0)
    line.join(Priority.PERSON, nothing)
    leaver.join(10)
    assert found == [False]
    assert left.is_set()


def test_a_person_is_not_asked_to_give_way() -> None:
    line, asked = RequestQueue(), threading.Event()
    assert line.wait(line.join(Priority.PERSON, asked.set), 0)
    line.join(Priority.PERSON, nothing)
    assert not asked.is_set()


def test_who_steps_aside_for_a_person_comes_before_the_rest_of_the_night() -> None:
    line = RequestQueue()
    begun = line.join(Priority.NIGHT, nothing)
    assert line.wait(begun, 0)
    other, person = line.join(Priority.NIGHT, nothing), line.join(Priority.PERSON, nothing)
    line.step_aside(begun)
    assert served(line, other, begun, person) is person
    line.leave(person)
    assert served(line, other, begun) is begun
    line.leave(begun)
    assert served(line, other) is other


def test_who_leaves_the_line_holds_up_nobody() -> None:
    line = RequestQueue()
    first, second = line.join(Priority.PERSON, nothing), line.join(Priority.PERSON, nothing)
    line.leave(first)
    line.leave(first)
    assert line.wait(second, 0)
    assert not line.idle


def test_a_turn_given_back_wakes_who_waits() -> None:
    line = RequestQueue()
    first = line.join(Priority.PERSON, nothing)
    assert line.wait(first, 0)
    second = line.join(Priority.PERSON, nothing)
    threading.Timer(0.05, line.leave, (first,)).start()
    assert line.wait(second, 20)
