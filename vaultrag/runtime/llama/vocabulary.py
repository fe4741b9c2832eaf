"""A model's vocabulary: text to tokens and back. Only child processes import it.

Low-level calls only: the high-level `Llama` loses tokens over 32 bytes and reads control tokens out of content.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence

from llama_cpp import llama_cpp as native

from vaultrag.runtime.chat_format.template import PromptPart

MARK = re.compile(r"[<\[|].*\S.*[>\]|]", re.DOTALL)  # as `<think>` and `[INST]`: a model takes it for more than text
PIECE_BYTES = 64  # longer pieces are asked for a second time with their true size


class Vocabulary:
    """The tokens of one loaded model, which must outlive it."""

    def __init__(self, model: int) -> None:
        self.pointer = native.llama_model_get_vocab(model)
        self.size = int(native.llama_vocab_n_tokens(self.pointer))
        self._pieces: dict[int, bytes] = {}
        self._marks = self._find_marks()

    @property
    def bos(self) -> str:
        return self._special(native.llama_vocab_bos(self.pointer))

    @property
    def eos(self) -> str:
        return self._special(native.llama_vocab_eos(self.pointer))

    def prompt_ids(self, parts: Sequence[PromptPart]) -> list[int]:
        """Tokenise a rendered prompt: control tokens come from the template's own text alone."""
        ids = [token for part in parts for token in (self.control_ids if part.control else self.content_ids)(part.text)]
        first = int(native.llama_vocab_bos(self.pointer))
        if native.llama_vocab_get_add_bos(self.pointer) and ids[:1] != [first]:
            ids.insert(0, first)
        return ids

    def content_ids(self, text: str) -> list[int]:
        """Return the ids of a text, none of which is a control token or a mark such as `<think>`."""
        ids: list[int] = []
        start = 0
        for mark in self._marks.finditer(text) if self._marks else ():
            ids += self._ids(text[start : mark.start() + 1], parse_special=False)
            start = mark.start() + 1  # cut in two, it is text like any other
        return ids + self._ids(text[start:], parse_special=False)

    def control_ids(self, text: str) -> list[int]:
        """Return the ids of a template's text, control tokens included."""
        return self._ids(text, parse_special=True)

    def piece(self, token: int) -> bytes:
        """Return all the bytes of a token; control tokens give none."""
        if token not in self._pieces:
            self._pieces[token] = self._read_piece(token, special=False)
        return self._pieces[token]

    def name(self, token: int) -> bytes:
        """Return all the bytes of a token; control tokens give their name."""
        return self._read_piece(token, special=True)

    def ends(self, token: int) -> bool:
        """Whether the model says by this token that it has finished."""
        return bool(native.llama_vocab_is_eog(self.pointer, token))

    def equals(self, other: Vocabulary) -> bool:
        """Whether every token means the same in both."""
        return self.size == other.size and all(
            self.name(token) == other.name(token) and self.ends(token) == other.ends(token)
            for token in range(self.size)
        )

    def _ids(self, text: str, *, parse_special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8  # a token is at least a byte long
        while True:
            ids = (native.llama_token * room)()
            count = native.llama_tokenize(self.pointer, data, len(data), ids, room, False, parse_special)
            if count >= 0:
                return list(ids[:count])
            room = -count

    def _attributes(self, token: int) -> int:
        return int(native.llama_vocab_get_attr(self.pointer, token))

    def _find_marks(self) -> re.Pattern[str] | None:
        """Return what finds the marks that llama.cpp reads out of any text, control token or not."""
        user_defined = native.LLAMA_TOKEN_ATTR_USER_DEFINED
        names = [self._special(token) for token in range(self.size) if self._attributes(token) & user_defined]
        marks = sorted((name for name in names if MARK.fullmatch(name)), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, marks))) if marks else None

    def _special(self, token: int) -> str:
        return self.name(token).decode("utf-8", "replace") if token >= 0 else ""

    def _read_piece(self, token: int, *, special: bool) -> bytes:
        room = PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(room)
            length = native.llama_token_to_piece(self.pointer, token, buffer, room, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            room = -length
