"""`vaultrag ask` as it is typed: the ways to an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.served import NOTES, serving
from vaultrag.cli.main import main
from vaultrag.cli.options import checked_mode
from vaultrag.domain import Mode
from vaultrag.errors import UsageError


def test_one_way_to_an_answer_at_a_time() -> None:
    assert checked_mode(deep=False, agree=False, cascade=False) is Mode.QUICK
    assert checked_mode(deep=False, agree=False, cascade=True) is Mode.CASCADE
    with pytest.raises(UsageError, match="--deep and --agree"):
        checked_mode(deep=True, agree=True, cascade=False)


@pytest.mark.slow
def test_deep_answer_comes_from_the_server_with_its_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, text = next(iter(NOTES.items()))
    line = text.strip().splitlines()[-1]
    with serving(tmp_path, ScriptedModel([line])) as served:
        places = ("--vault", str(served.config.vault), "--home", str(served.config.home))
        assert main(["ask", "--deep", "--style", "prose", line, *places], lambda *_: None) == 0
        said = capsys.readouterr()
        assert path in said.out
        assert "vaultrag traces show" in said.err
        assert main(["traces", "show", *places, "--json"], lambda *_: None) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["mode"], shown["ended"]) == ("deep", True)
        assert main(["ask", "--agree", line, *places], lambda *_: None) == UsageError.exit_code
        assert "second model" in capsys.readouterr().err
