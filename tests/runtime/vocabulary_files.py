"""Vocabularies of GGUF files, read without their weights."""

from __future__ import annotations

from pathlib import Path

from llama_cpp import llama_cpp as native

from vaultrag.runtime.llama.vocabulary import MARK, Vocabulary


class VocabularyFile:
    """The vocabulary of a GGUF file, until it is closed."""

    def __init__(self, path: Path) -> None:
        native.llama_backend_init()
        params = native.llama_model_default_params()
        params.vocab_only = True
        self._model = native.llama_model_load_from_file(str(path).encode(), params)
        assert self._model, f"llama.cpp reads no vocabulary in {path}"
        self.vocabulary = Vocabulary(self._model)

    def close(self) -> None:
        native.llama_model_free(self._model)


def is_special(vocabulary: Vocabulary, token: int) -> bool:
    """Tell whether text must never turn into this token, by what llama.cpp says of it."""
    attributes = int(native.llama_vocab_get_attr(vocabulary.pointer, token))
    if attributes & (native.LLAMA_TOKEN_ATTR_CONTROL | native.LLAMA_TOKEN_ATTR_UNKNOWN):
        return True
    name = vocabulary.name(token).decode("utf-8", "replace")
    return bool(attributes & native.LLAMA_TOKEN_ATTR_USER_DEFINED and MARK.fullmatch(name))
