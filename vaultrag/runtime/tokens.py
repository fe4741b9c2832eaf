"""Counting an embedder's tokens without loading the embedder."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from vaultrag.errors import ModelNotFound

TOKENIZER_NAME = "tokenizer.json"
WORDS_KEPT = 100_000  # the vocabulary of a large vault, some 15 MB
_DATA = re.compile(r"\S{60}")  # no word of any language: it comes once, and would only fill the memory


def load_token_counter(folder: Path) -> TokenCounter:
    """Return a function that counts the tokens of a text, special tokens not counted. It may be called from any thread.

    Raises ModelNotFound when the folder's tokenizer.json is missing or damaged.
    """
    return TokenCounter(folder)


class TokenCounter:
    """Counts tokens. Sent to another process, it loads its tokenizer there.

    Where the tokenizer splits at white space first, as those of the e5 family do, the tokens of a text are those of its
    words; most words were met before, and counting costs a twentieth. White space at the end is then not counted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / TOKENIZER_NAME
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises nothing narrower
            raise ModelNotFound(
                f"The tokenizer {path} cannot be read.", "Delete the model's folder and run: vaultrag models pull NAME"
            ) from error
        splitter = self._tokenizer.pre_tokenizer
        self._by_words = splitter is not None and _splits_at_spaces(json.loads(splitter.__getstate__()))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._known = lru_cache(WORDS_KEPT)(self._count)

    def __call__(self, text: str) -> int:
        if not self._by_words or _DATA.search(text):
            return self._count(text)
        return sum(map(self._known, text.split()))

    def __reduce__(self) -> tuple[type[TokenCounter], tuple[Path]]:
        return TokenCounter, (self.folder,)

    def _count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False))


def _splits_at_spaces(pre_tokenizer: Any) -> bool:
    """Tell whether no token of this tokenizer reaches over a space."""
    kind = pre_tokenizer.get("type")
    if kind == "Sequence":
        return any(_splits_at_spaces(part) for part in pre_tokenizer["pretokenizers"])
    return kind == "WhitespaceSplit" or (kind == "Metaspace" and bool(pre_tokenizer.get("split", True)))
