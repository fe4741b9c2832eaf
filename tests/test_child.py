from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import wait_until
from vaultrag.child import Child, ChildDied, ChildFailed, Frame, read_frame, write_frame

TIMEOUT = 30.0  # seconds; far above what any answer here takes, so that only a hang reaches it
SHORT = 0.5

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
frames = st.builds(Frame, st.dictionaries(st.text().filter(lambda key: key != "payload"), json_values), st.binary())


@pytest.fixture
def child() -> Iterator[Child]:
    echo = Child("The echo", "tests.echo_child", {"GOMP_SPINCOUNT": "1000"})
    yield echo
    echo.kill()


def said(child: Child, word: str) -> object:
    return child.call("echo", {"say": word}, TIMEOUT).body["said"]


@pytest.mark.slow
@given(st.lists(frames))
def test_frames_come_out_of_a_stream_as_they_went_in(sent: list[Frame]) -> None:
    stream = io.BytesIO()
    for frame in sent:
        write_frame(stream, frame)
    stream.seek(0)

    assert list(iter(lambda: read_frame(stream), None)) == sent


@pytest.mark.slow
@given(frames.filter(lambda frame: bool(frame.payload)), st.data())
def test_frame_that_was_cut_off_is_no_frame(frame: Frame, data: st.DataObject) -> None:
    stream = io.BytesIO()
    write_frame(stream, frame)
    whole = stream.getvalue()
    lost = data.draw(st.integers(1, len(frame.payload)))

    assert read_frame(io.BytesIO(whole[:-lost])) is None


def test_child_answers_in_both_alphabets(child: Child) -> None:
    assert said(child, "ёжик & “hedgehog”") == "ёжик & “hedgehog”"


def test_one_process_answers_many_requests(child: Child) -> None:
    pids = {child.call("echo", {}, TIMEOUT).body["pid"] for _ in range(5)}

    assert pids == {child.pid}


def test_payload_of_many_megabytes_comes_back_whole(child: Child) -> None:
    payload = os.urandom(1 << 20) * 24

    assert child.call("echo", {}, TIMEOUT, payload).payload == payload


def test_stray_prints_do_not_break_the_frames(child: Child) -> None:
    assert child.call("print_aside", {}, TIMEOUT).body["done"] is True
    assert said(child, "after") == "after"


def test_closing_a_stream_stops_the_work_and_keeps_the_child(child: Child, tmp_path: Path) -> None:
    note = tmp_path / "note"
    stream = child.stream("count", {"note": str(note)}, TIMEOUT)
    numbers = [frame.body["number"] for frame in islice(stream, 3)]
    pid = child.pid
    stream.close()

    assert numbers == [1, 2, 3]
    assert said(child, "next") == "next"
    assert child.pid == pid
    assert note.read_text(encoding="utf-8") == "cancelled"


def test_stream_may_be_read_and_closed_by_different_threads(child: Child, tmp_path: Path) -> None:
    stream = child.stream("count", {"note": str(tmp_path / "note")}, TIMEOUT)
    seen: list[int] = []

    def read_one() -> None:
        seen.append(next(stream).body["number"])

    for step in (read_one, read_one, stream.close):
        thread = threading.Thread(target=step)
        thread.start()
        thread.join(TIMEOUT)

    assert seen == [1, 2]
    assert said(child, "free again") == "free again"


def test_requests_of_two_threads_wait_for_each_other(child: Child) -> None:
    answers: dict[str, object] = {}
    words = [f"слово {number}" for number in range(8)]
    threads = [threading.Thread(target=lambda w=word: answers.update({w: said(child, w)})) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)

    assert answers == {word: word for word in words}


def test_failure_of_one_request_lets_the_next_work(child: Child) -> None:
    with pytest.raises(ChildFailed) as failure:
        child.call("fail", {"why": "контекст мал"}, TIMEOUT)
    pid = child.pid

    assert (failure.value.kind, failure.value.message) == ("ValueError", "контекст мал")
    assert said(child, "alive") == "alive"
    assert child.pid == pid


def test_unknown_method_is_a_failure_of_that_request_only(child: Child) -> None:
    with pytest.raises(ChildFailed):
        child.call("no_such_method", {}, TIMEOUT)

    assert said(child, "alive") == "alive"


def test_crash_is_told_with_its_last_words_and_the_next_request_restarts(child: Child) -> None:
    stream = child.stream("crash", {}, TIMEOUT)
    assert next(stream).body["before"] is True
    crashed = child.pid
    with pytest.raises(ChildDied) as death:
        next(stream)

    assert death.value.cause.startswith("The echo ended")
    assert "GGML_ASSERT failed" in death.value.stderr
    assert said(child, "again") == "again"
    assert child.pid != crashed


def test_child_that_left_between_requests_is_started_again(child: Child) -> None:
    with pytest.raises(ChildDied, match="exit code 7"):
        child.call("leave", {}, TIMEOUT)

    assert not child.alive
    assert said(child, "again") == "again"


def test_child_killed_from_outside_is_started_again(child: Child) -> None:
    said(child, "first")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGTERM)
    wait_until(lambda: not child.alive)

    assert said(child, "second") == "second"


def test_hanging_child_is_ended_after_the_timeout(child: Child) -> None:
    stream = child.stream("hang", {}, SHORT)
    next(stream)
    with pytest.raises(ChildDied, match="did not answer within"):
        next(stream)

    assert not child.alive
    assert said(child, "again") == "again"


def test_child_that_ignores_a_cancellation_is_ended(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultrag.child.GRACE_SECONDS", SHORT)
    stream = child.stream("hang", {}, TIMEOUT)
    next(stream)
    stream.close()

    assert not child.alive


def test_closed_child_leaves_no_process(child: Child) -> None:
    said(child, "first")
    pid = child.pid
    assert pid is not None
    child.close()

    assert child.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_request_whose_pipe_another_thread_has_just_closed_is_a_death(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(child, "first")

    def closed_meanwhile(stream: IO[bytes], frame: Frame) -> None:
        stream.close()
        write_frame(stream, frame)

    monkeypatch.setattr("vaultrag.child.write_frame", closed_meanwhile)
    with pytest.raises(ChildDied):
        said(child, "second")
    monkeypatch.undo()
    assert said(child, "third") == "third"


def test_request_that_no_frame_can_hold_ends_no_process(child: Child) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        said(child, "\ud800")
    assert said(child, "as before") == "as before"


def test_module_that_does_not_exist_is_a_death_with_the_reason() -> None:
    nothing = Child("The nothing", "tests.no_such_child")
    with pytest.raises(ChildDied) as death:
        nothing.call("echo", {}, TIMEOUT)

    assert "no_such_child" in death.value.stderr


def test_python_file_in_the_current_folder_is_not_run(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "colorsys.py").write_text("raise SystemExit('the vault took over')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    answer = child.call("modules", {}, TIMEOUT).body

    assert Path(answer["from"]).parent != tmp_path
    assert answer["spin"] == "1000"


@pytest.mark.skipif(os.name != "posix", reason="asks for a process group")
def test_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import sys, os; from vaultrag.child import Child; child = Child('x', 'tests.echo_child');"
        "child.call('echo', {}, 30); print(child.pid, flush=True); os.abort()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    output, _ = parent.communicate(timeout=TIMEOUT)
    pid = int(output)

    gone = threading.Event()
    for _ in range(100):
        if not _runs(pid):
            return
        gone.wait(0.1)
    pytest.fail("the child still runs")


def _runs(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip() not in ("", "Z")
