"""The vocabularies of well-known models, as the source package of llama-cpp-python ships them.

Set VAULTRAG_VOCABULARIES to its folder vendor/llama.cpp/models; without it these tests are skipped.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gguf_files import CHATML, RULE
from tests.runtime.vocabulary_files import VocabularyFile, is_special
from vaultrag.domain import Message
from vaultrag.runtime.chat_format.template import ChatTemplate
from vaultrag.runtime.llama.script_mask import Mask, ScriptMask
from vaultrag.runtime.llama.vocabulary import Vocabulary
from vaultrag.text.cjk import ANY

FOLDER = os.environ.get("VAULTRAG_VOCABULARIES", "")
NAMES = (
    "qwen2", "qwen35", "llama-bpe", "llama-spm", "gemma-4", "command-r", "deepseek-llm", "phi-3", "gpt-neox", "falcon",
)  # fmt: skip
TEXTS = (
    "Ключи лежат у сарая.",
    "    def f(x):\n\treturn {'a': [1, 2]}\n",
    "naïve café — №5 «ёж» 😀",
    "漢字かな交じり文",
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="VAULTRAG_VOCABULARIES names no folder of vocabularies"),
]


@pytest.fixture(params=NAMES)
def vocabulary(request: pytest.FixtureRequest) -> Iterator[Vocabulary]:
    file = VocabularyFile(Path(FOLDER) / f"ggml-vocab-{request.param}.gguf")
    yield file.vocabulary
    file.close()


def test_no_special_token_can_come_from_a_note(vocabulary: Vocabulary) -> None:
    special = {token for token in range(vocabulary.size) if is_special(vocabulary, token)}
    assert special
    names = [vocabulary.name(token).decode("utf-8", "replace") for token in sorted(special)]
    for name in names:
        for text in (name, f"Запись {name} о саде", name * 3):
            assert not special & set(vocabulary.content_ids(text))
    every = "\n".join(names)
    assert not special & set(vocabulary.content_ids(every))
    outside = {part.text for part in ChatTemplate(CHATML).render([Message("user", every)]) if part.control}
    allowed = {token for text in outside for token in vocabulary.control_ids(text)}
    ids = vocabulary.prompt_ids(ChatTemplate(CHATML).render([Message("user", every)]))
    assert special & set(ids) <= allowed | set(vocabulary.prompt_ids([]))


def test_content_keeps_its_every_byte(vocabulary: Vocabulary) -> None:
    marks = [vocabulary.name(t).decode("utf-8", "replace") for t in range(vocabulary.size) if is_special(vocabulary, t)]
    adds_spaces = vocabulary.piece(vocabulary.content_ids("a")[0]) == b" a"  # SentencePiece, before each stretch
    for text in (*TEXTS, RULE, "a <think> b </think> c", f"x{marks[-1]}y"):
        said, wanted = b"".join(map(vocabulary.piece, vocabulary.content_ids(text))), text.encode()
        if adds_spaces:
            said, wanted = said.replace(b" ", b""), wanted.replace(b" ", b"")
        assert said == wanted


def test_long_tokens_come_out_whole(vocabulary: Vocabulary) -> None:
    long = [token for token in range(vocabulary.size) if len(vocabulary.name(token)) > 32]
    for token in long:
        if not is_special(vocabulary, token) and vocabulary.piece(token):
            assert vocabulary.piece(token) == vocabulary.name(token)
            said = b"".join(map(vocabulary.piece, vocabulary.content_ids(vocabulary.piece(token).decode())))
            assert said.lstrip(b" ") == vocabulary.piece(token).lstrip(b" ")


def test_random_tokens_under_the_mask_never_make_cjk(vocabulary: Vocabulary) -> None:
    generator = random.Random(1)
    purity = ScriptMask([vocabulary.piece(token) for token in range(vocabulary.size)])
    wild = [token for token in range(vocabulary.size) if any(byte > 0xDF for byte in vocabulary.piece(token))]
    leaked = 0
    for _ in range(40):
        mask, said, free = Mask(purity), b"", b""
        for token in generator.choices(wild, k=60):
            free += vocabulary.piece(token)
            if not any(token in part for part in mask.forbidden()):
                mask.take(token)
                said += vocabulary.piece(token)
        assert not ANY.search(said.decode("utf-8", "replace"))
        leaked += bool(ANY.search(free.decode("utf-8", "replace")))
    assert leaked > 20
