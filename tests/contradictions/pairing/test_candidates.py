"""Which claims meet: by shared words, across scripts, by links; and how many, however large the vault."""

from __future__ import annotations

import numpy as np
import pytest

from tests.contradictions.notes import claims_of
from vaultrag.contradictions.pairing.candidates import Via, candidates
from vaultrag.contradictions.pairing.index import ClaimIndex
from vaultrag.contradictions.pairing.neighbours import Neighbourhood


def index_of(notes: dict[str, str]) -> ClaimIndex:
    return ClaimIndex(claims_of(notes))


def met(index: ClaimIndex) -> set[frozenset[str]]:
    pairs = candidates(index, range(len(index.readings)))
    return {frozenset((index.readings[pair.one].claim.path, index.readings[pair.other].claim.path)) for pair in pairs}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Замок на сарае сломан с весны.", "На сарай повесил новый замок."),
        ("Timur brings the compressor on Friday.", "Компрессор обещал привезти Тимур."),
        ("лицензия: MIT", "Licence: Apache 2.0"),
    ],
)
def test_claims_that_share_a_rare_word_in_any_form_meet(one: str, other: str) -> None:
    assert frozenset(("Один.md", "Two.md")) in met(index_of({"Один.md": one, "Two.md": other}))


def test_claims_that_share_nothing_do_not_meet() -> None:
    notes = {"Пила.md": "Цепь на пиле тупая.", "Lease.md": "The lease ends in June."}
    assert met(index_of(notes)) == set()


def test_pairs_grow_with_what_changed_and_not_with_the_vault() -> None:
    counts = []
    for size in (100, 400):
        notes = {f"Насос {number}.md": f"Насос {number} качает воду для дома {number}." for number in range(size)}
        counts.append(len(candidates(index_of(notes), range(5))))
    assert counts[1] <= counts[0] * 1.5


def test_nearness_has_a_floor_that_is_a_percentile_of_this_index() -> None:
    random = np.random.default_rng(1)
    base = random.normal(size=(200, 8)).astype(np.float32) * 0.02 + 1.0  # every cosine is above .99, as e5's are high
    base[1] = base[0] + 1e-4
    near = Neighbourhood(base, ["ru"] * 200).near([0])[0]
    assert near[0].place == 1
    assert all(found.percentile >= 99.0 for found in near)
    assert len(near) < 8


def test_linked_notes_meet_by_the_link() -> None:
    notes = {
        "Сарай.md": "Ключ от сарая лежит [[Дом]].",
        "Дом.md": "Запасной ключ висит в прихожей.",
    }
    index = index_of(notes)
    pairs = candidates(index, range(len(index.readings)))
    assert any(Via.LINK in pair.via for pair in pairs)
