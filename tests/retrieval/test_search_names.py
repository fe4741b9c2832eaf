"""A name or two: notes that say them come first, whatever an embedder takes for near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from vaultrag.config import Config, Settings
from vaultrag.domain import Vectors
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Reach, Workspace

NOTES = {
    "Дом/Бублик.md": "Рыжий кот, подобран у мусорки, боится пылесоса.\n",
    "Дом/Чайник.md": "Чайник течёт, а Бублик его обходит стороной.\n",
    "Garden/Dulcie.md": "A grey donkey, fond of carrots, afraid of rain.\n",
    "Garden/Fence.md": "The fence is broken where Dulcie leans on it.\n",
    **{f"Река/{n}.md": f"Рыба номер {n} плывёт по реке.\n" for n in range(9)},
    **{f"River/{n}.md": f"Fish number {n} swims down the river.\n" for n in range(9)},
}


@dataclass(frozen=True, slots=True)
class Hub:
    """Takes whatever is written in one script for near to every question, as a real embedder does with some notes."""

    cyrillic: bool
    fingerprint: str = "hub"
    dimension: int = 3

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._near(text) for text in texts], dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        return np.array([1, 0, 0], dtype=np.float32)

    def _near(self, text: str) -> tuple[float, float, float]:
        is_cyrillic = sum("а" <= letter <= "я" for letter in text.lower()) > len(text) / 3
        return (0.96, 0.28, 0.0) if is_cyrillic is self.cyrillic else (0.6, 0.0, 0.8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "cyrillic", "expected"),
    [
        ("Бублик", False, {"Дом/Бублик.md", "Дом/Чайник.md"}),
        ("Бублика чайник", False, {"Дом/Бублик.md", "Дом/Чайник.md"}),
        ("Dulcie", True, {"Garden/Dulcie.md", "Garden/Fence.md"}),
    ],
)
def test_notes_that_say_a_name_come_before_the_other_languages_nearest(
    tmp_path: Path, query: str, cyrillic: bool, expected: set[str]
) -> None:
    for name, text in NOTES.items():
        path = tmp_path / "vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, Hub(cyrillic), None) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        found = [passage.chunk.path for passage in workspace.search(query, 8).passages]
    assert set(found[:2]) == expected
    assert len(found) > 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "expected"),
    [("C++", "Курс.md"), ("C#", "Meetup.md"), ("c", "C.md"), ("R&D", "Отдел.md"), ("e-mail", "E-mail.md")],
)
def test_a_name_with_signs_is_not_the_letter_that_it_begins_with(tmp_path: Path, query: str, expected: str) -> None:
    notes = {
        "C.md": "Язык для ядер и драйверов.\n",
        "R.md": "Статистика и графики.\n",
        "Курс.md": "Указатели и шаблоны C++ – заметки с курса.\n",
        "Meetup.md": "Notes on C# and F# from the meetup.\n",
        "Отдел.md": "В R&D ждут бюджета.\n",
        "E-mail.md": "Адреса и подписи.\n",
    }
    for name, text in notes.items():
        path = tmp_path / "vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, None, None) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        assert workspace.search(query, 8, Reach.WORDS).passages[0].chunk.path == expected
