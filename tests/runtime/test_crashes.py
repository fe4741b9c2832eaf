from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from vaultrag.child import ChildDied
from vaultrag.runtime.crashes import FAULTS, REBUILD, Circumstances, Lost, crashed, lacked_memory, last_words

GB = 1_000_000_000
RIGHT = Circumstances(first=True, plain=True, whole=True, size=GB, free=8 * GB)
VERIFY = "vaultrag models verify"
SEGV, ILL, BUS, KILL = (int(getattr(signal, name, 0)) for name in ("SIGSEGV", "SIGILL", "SIGBUS", "SIGKILL"))

pytestmark = pytest.mark.skipif(not BUS, reason="Windows has none of these signals")


@pytest.mark.parametrize(
    ("number", "known", "cause", "remedy", "never"),
    [
        (SEGV, RIGHT, "this build of llama.cpp does not work here", REBUILD, VERIFY),
        (ILL, RIGHT, "instructions that this CPU lacks", REBUILD, VERIFY),
        (SEGV, replace(RIGHT, whole=False), "may be spoilt", VERIFY, "smaller model"),
        (BUS, RIGHT, "could not be read to the end", VERIFY, "smaller model"),
        (SEGV, replace(RIGHT, first=False), "although it had worked before", "Ask again", VERIFY),
        (KILL, replace(RIGHT, free=GB // 2), "0.5 GB are free, the model takes 1.0 GB", "smaller model", REBUILD),
        (KILL, RIGHT, "something outside ended it, though 8.0 GB", "container", "smaller model"),
        (KILL, replace(RIGHT, free=0), "ended (signal", "container", "smaller model"),
    ],
)
def test_a_crash_is_told_by_what_is_known_and_advises_only_what_can_help(
    number: int, known: Circumstances, cause: str, remedy: str, never: str
) -> None:
    error = crashed(Lost(f"the model tiny ended (signal {number})", signal=number), known)
    assert cause in error.message
    assert remedy in error.remedy
    assert never not in error.remedy


@pytest.mark.parametrize("number", [*sorted(FAULTS), KILL, 0])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("for_good", [True, False])
def test_every_crash_is_one_sentence_with_a_remedy(number: int, first: bool, for_good: bool) -> None:
    lost = Lost("the model tiny ended", for_good, number)
    for known in (None, replace(RIGHT, first=first), replace(RIGHT, first=first, whole=False, free=0)):
        error = crashed(lost, known)
        assert error.message.startswith("The model tiny ended")
        assert error.message.endswith(".")
        assert error.remedy


@pytest.mark.parametrize("words", ["terminate: std::bad_alloc", "ggml: failed to allocate buffer", "Out of memory"])
@pytest.mark.parametrize("first", [True, False])
def test_who_was_given_no_memory_is_no_proof_against_the_build(words: str, first: bool) -> None:
    died = ChildDied("the model tiny ended (signal 6)", f"loading\n{words}\nmore\n", -6)
    lost = Lost(died.cause + last_words(died), signal=int(signal.SIGABRT))
    assert lacked_memory(lost)
    error = crashed(lost, replace(RIGHT, first=first))
    assert "no more memory" in error.message
    assert "smaller model" in error.remedy
    assert REBUILD not in error.remedy
    assert not lacked_memory(Lost(lost.cause, signal=SEGV))
    assert not lacked_memory(Lost("the model tiny ended (signal 6)", signal=int(signal.SIGABRT)))
