"""A server that is killed at its jobs: what was left is done by whoever comes next, each of it once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests import product
from tests.served import write_notes
from tests.waiting import wait_until
from vaultrag.cli.client import Client, find_server
from vaultrag.config import Config, Settings
from vaultrag.domain import JobBudget, Keep, Manner, Mode
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.opening import open_database

QUESTIONS = (
    "Когда поменяли картридж в бойлере, и кто такая Тата?",
    "When does the restic backup of mayak run, and what did the new cartridge cost?",
    "Кто кормит кота, и на каком этаже живёт?",
)
BUDGET = JobBudget(5, 20_000)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals")]


def started(config: Config, places: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], Client]:
    command = [sys.executable, "-m", "tests.product", "serve", "--port", "0", *places]
    root = Path(product.__file__).parent.parent
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found: list[Client] = []

    def answers() -> bool:
        assert process.poll() is None
        found.extend(filter(None, [find_server(config)]))
        return bool(found)

    wait_until(answers)
    return process, found[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_left_is_done_once(
    vault: Path,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    of = ModelPool.of
    monkeypatch.setattr(ModelPool, "of", of)  # what the product's double puts there goes with this test
    write_notes(vault)
    config = Config(vault=vault, home=home, models=tmp_path / "models", settings=Settings())
    places, drawn = ("--vault", str(vault), "--home", str(home)), random.Random(seed)
    assert product.run(["index", *places]) == 0
    process, client = started(config, places)
    manner = Manner(mode=Mode.DEEP)
    with closing(client):
        ids = [client.submit_question(question, Keep(), manner, BUDGET).id for question in QUESTIONS]
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(drawn.random() / 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for job in ids:
        assert product.run(["jobs", "wait", job, *places]) == 0
    capsys.readouterr()
    assert product.run(["answers", "list", "--json", *places]) == 0
    kept = json.loads(capsys.readouterr().out)["answers"]
    assert sorted(one["id"] for one in kept) == sorted(ids)
    assert {one["answer"]["question"] for one in kept} == set(QUESTIONS)
    with open_database(config.database_path) as database:
        assert database.value("SELECT count(*) FROM job_units") == 0
