"""Counting an embedder's tokens without loading the embedder."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from vaultrag.domain import CountTokens
from vaultrag.errors import ModelNotFound

TOKENIZER_NAME = "tokenizer.json"


def load_token_counter(folder: Path) -> CountTokens:
    """Return a function that counts the tokens of a text, special tokens not counted. It may be called from any thread.

    Raises ModelNotFound when the folder's tokenizer.json is missing or damaged.
    """
    path = folder / TOKENIZER_NAME
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing narrower
        raise ModelNotFound(
            f"The tokenizer {path} cannot be read.", "Delete the model's folder and run: vaultrag models pull NAME"
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False))

    return count
