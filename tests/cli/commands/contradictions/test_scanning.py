"""`vaultrag contradictions --scan`: here, through a running server, later, and ended by Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands.contradictions.conftest import Disagreeing
from tests.contradictions.disagreeing import HUT, NOTES, OTHERS
from tests.product import run
from tests.served import Served, serving
from vaultrag.cli.commands.contradictions.scanning import stoppable
from vaultrag.cli.terminal import Terminal
from vaultrag.errors import IndexLocked
from vaultrag.workspace import Ownership


def test_scan_reads_and_compares_what_is_owed_then_lists(
    uncompared: Disagreeing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["contradictions", "--scan", "--note", HUT, *uncompared.named]) == 0
    assert "2 open contradictions" not in capsys.readouterr().out  # of that note there is one
    assert run(["contradictions", "--scan", "--json", *uncompared.named]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["findings"]) == 3
    assert found["standing"]["claims_owed"] == 0


def test_scan_needs_the_index_for_itself(uncompared: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    with uncompared.opened(Ownership.OWN):
        assert run(["contradictions", "--scan", *uncompared.named]) == IndexLocked.exit_code
    assert capsys.readouterr().out == ""


def test_first_ctrl_c_ends_the_work_where_it_can_be_left_and_the_second_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stoppable(Terminal()) as must_stop:
        assert not must_stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert must_stop()
        assert "what is done is kept" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_scan_that_is_left_for_later_is_one_job_however_often_it_is_left(
    uncompared: Disagreeing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["contradictions", "--scan", "--later", "--json", *uncompared.named]) == 0
    job = json.loads(capsys.readouterr().out)
    assert (job["kind"], job["state"]) == ("scan", "queued")
    assert run(["contradictions", "--scan", "--later", *uncompared.named]) == 0
    told = capsys.readouterr()
    assert told.out == f"Left as job {job['id']}. What it finds: vaultrag contradictions\n"
    assert "nobody works at it yet" in told.err
    assert run(["jobs", "wait", job["id"], *uncompared.named]) == 0
    assert "What it found: vaultrag contradictions" in capsys.readouterr().out
    assert len(uncompared.findings()) == 3


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    others = {f"Others/{number}.md": f"{said}\n" for number, said in enumerate(OTHERS)}
    with serving(tmp_path / "served", notes={**NOTES, **others}) as running:
        running.server.jobs.start()
        yield running
        running.server.jobs.close()


@pytest.mark.slow
def test_running_server_scans_and_the_command_waits(
    served: Served, capsys: pytest.CaptureFixture[str], notes: Disagreeing
) -> None:
    del notes  # the product's models are put back after it
    named = ("--vault", str(served.config.vault), "--home", str(served.config.home))
    assert run(["contradictions", "--scan", *named]) == 0
    assert "2 open contradictions among 32 statements." in capsys.readouterr().out
    assert [job.order.kind for job in served.server.jobs.queue.jobs()] == ["scan"]
