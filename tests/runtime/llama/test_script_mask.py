from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from vaultrag.runtime.llama.script_mask import Mask, ScriptMask
from vaultrag.text.cjk import ANY, LETTERS, SIGNS, holds_cjk

BYTES = [bytes([value]) for value in range(256)]


def code_points() -> Iterator[int]:
    for first, last in {*LETTERS, *SIGNS}:
        yield from range(first, last + 1)


def forbidden(purity: ScriptMask, pending: bytes = b"") -> set[int]:
    return {token for part in purity.forbidden(pending) for token in part.tolist()}


def test_no_cjk_code_point_can_be_forced_through_byte_tokens() -> None:
    purity = ScriptMask(BYTES)
    known: dict[bytes, set[int]] = {}

    def allowed(data: bytes) -> bool:
        for length in range(len(data)):
            pending = data[:length]
            if pending not in known:
                known[pending] = forbidden(purity, pending)
            if data[length] in known[pending]:
                return False
        return True

    points = set(code_points())
    assert len(points) > 150_000
    assert not any(allowed(chr(point).encode()) for point in points if not 0xD800 <= point <= 0xDFFF)
    others = (point for point in [*range(0x20, 0xD800), *range(0xE000, 0x20000, 7)] if point not in points)
    assert all(allowed(chr(point).encode()) for point in others)


def test_pieces_that_begin_or_end_within_a_character_are_seen_through() -> None:
    pieces = [*BYTES, b"\xe4", b"\xb8\xad", "да ".encode() + b"\xef\xbc", b"\x8c", b"\x9f\x98\x80", "中".encode()]
    purity = ScriptMask(pieces)
    clean = forbidden(purity)
    assert {256, 261} <= clean
    assert not {257, 259, 260} & clean
    assert 258 in clean
    assert 260 not in forbidden(purity, b"\xf0")


@pytest.mark.slow
def test_random_streams_never_decode_to_cjk() -> None:
    generator = random.Random(3)
    pieces = [*BYTES, *(bytes(generator.choices(range(128, 256), k=generator.randint(2, 5))) for _ in range(300))]
    purity = ScriptMask(pieces)
    seen = 0
    for _ in range(60):
        mask, said, free = Mask(purity), b"", b""
        for _ in range(40):
            token = generator.randrange(len(pieces))
            free += pieces[token]
            if not any(token in part for part in mask.forbidden()):
                mask.take(token)
                said += pieces[token]
        assert not ANY.search(said.decode("utf-8", "replace"))
        seen += bool(ANY.search(free.decode("utf-8", "replace")))
    assert seen > 10


def test_a_text_holds_cjk_by_its_letters_alone() -> None:
    assert holds_cjk("слово 漢字")
    assert all(map(holds_cjk, ("かな", "한글", "\U00020000")))
    assert not holds_cjk("Скобки「」и запятая，")
    assert not holds_cjk("Обычный text — №5 «…» 😀 ①")
