"""Figures of a vault's own questions, by the model and the prompts that they were asked with."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaultrag.store.opening import open_database
from vaultrag.store.probes import KEY, ProbeRow, read_probes, write_probes

ROWS = [
    ProbeRow("1f", "known", "ru", 2.5, cited=True, ranks=(1, 0, 3, 1), shared=0.5),
    ProbeRow("2e", "coined", "en", None, cited=False),
]


def test_figures_come_back_for_the_model_and_the_prompts_that_they_are_of(tmp_path: Path) -> None:
    with open_database(tmp_path / "index.sqlite3") as database:
        write_probes(database, "one", 1, ROWS)
        assert read_probes(database, "one", 1) == ROWS
        assert read_probes(database, "one", 2) == []
        assert read_probes(database, "other", 1) == []


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"wording": 1}', '{"wording": 1, "rows": [{"key": "1f"}]}'])
def test_what_cannot_be_read_is_as_good_as_nothing(tmp_path: Path, kept: str) -> None:
    with open_database(tmp_path / "index.sqlite3") as database:
        with database.atomic():
            database.set_meta(f"{KEY} one", kept)
        assert read_probes(database, "one", 1) == []
