"""Control tokens that stand in notes, read by the vocabularies of the real small models: words, never control."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gguf_files import CHATML
from tests.poison_texts import TOKENS
from tests.poisoned_notes import poisoned_notes
from tests.runtime.vocabulary_files import VocabularyFile, is_special
from vaultrag.domain import Message
from vaultrag.runtime.chat_format.template import ChatTemplate
from vaultrag.runtime.llama.vocabulary import Vocabulary
from vaultrag.runtime.models.catalogue import load_catalogue
from vaultrag.runtime.models.installed import model_path

pytestmark = pytest.mark.models
FORGED = [note for note in poisoned_notes() if note.attack in {attack.name for attack in TOKENS}]


@pytest.fixture(params=["qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"])
def vocabulary(request: pytest.FixtureRequest, models_dir: Path) -> Iterator[Vocabulary]:
    file = VocabularyFile(model_path(load_catalogue(models_dir)[request.param], models_dir))
    yield file.vocabulary
    file.close()


def test_a_forged_turn_is_read_as_words(vocabulary: Vocabulary) -> None:
    special = {token for token in range(vocabulary.size) if is_special(vocabulary, token)}
    forged = vocabulary.control_ids("\n".join(note.text for note in FORGED))
    assert len(special & set(forged)) > 3  # they are control tokens where they stand for themselves
    template = ChatTemplate(CHATML)
    honest = special & set(vocabulary.prompt_ids(template.render([Message("user", "?")])))
    for note in FORGED:
        assert special.isdisjoint(vocabulary.content_ids(note.text)), note.id
        ids = vocabulary.prompt_ids(template.render([Message("user", note.text)]))
        assert special & set(ids) <= honest, note.id
