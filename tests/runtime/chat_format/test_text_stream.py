from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from vaultrag.domain import Thought
from vaultrag.runtime.chat_format.text_stream import AnswerStream, ThinkingMarks, thinking_marks

THINK = ThinkingMarks("<think>", "</think>")


def pieces(stream: AnswerStream, data: bytes, size: int = 1) -> Iterator[str | Thought]:
    for at in range(0, len(data), size):
        yield from stream.feed(data[at : at + size])
    yield from stream.finish()


def fed(data: bytes, stops: tuple[str, ...] = (), size: int = 1) -> str:
    found = list(pieces(AnswerStream(stops), data, size))
    assert not any(isinstance(piece, Thought) for piece in found)
    return "".join(piece for piece in found if isinstance(piece, str))


def split(text: str, size: int = 1, inside: bool = False, stops: tuple[str, ...] = ()) -> tuple[str, str]:
    """Return thought and answer."""
    found = list(pieces(AnswerStream(stops, THINK, inside), text.encode(), size))
    thought = "".join(piece.text for piece in found if isinstance(piece, Thought))
    return thought, "".join(piece for piece in found if isinstance(piece, str))


@settings(deadline=None)
@given(st.text(), st.integers(1, 7))
def test_characters_split_over_tokens_come_out_whole(text: str, size: int) -> None:
    assert fed(text.encode(), size=size) == text


def test_broken_bytes_become_replacement_characters_at_once() -> None:
    stream = AnswerStream(())
    assert [*stream.feed(b"a\xff"), *stream.feed("б".encode())] == ["a\ufffd", "б"]


def test_a_character_cut_off_by_the_end_is_dropped() -> None:
    assert fed("да😀".encode()[:-1]) == "да"


def test_no_part_of_a_stop_string_is_emitted() -> None:
    stream = AnswerStream(("\n\nВопрос:", "<|im_end|>"))
    emitted = [list(stream.feed(piece.encode())) for piece in ("Ответ.", "\n", "\n", "Вопр", "ос", ": ещё")]
    assert emitted == [["Ответ."], [], [], [], [], []]
    assert stream.stopped
    assert list(stream.finish()) == []


def test_text_that_only_begins_like_a_stop_string_is_released() -> None:
    assert fed("один <|im_ конец <|im".encode(), ("<|im_end|>",)) == "один <|im_ конец <|im"


@settings(deadline=None)
@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3))
def test_text_ends_where_the_first_stop_string_is_complete(text: str, stops: list[str]) -> None:
    result = fed(text.encode(), tuple(stops))
    ends = [at for at in range(len(text) + 1) if any(text[:at].endswith(stop) for stop in stops)]
    heard = text[: ends[0]] if ends else text
    starts = [at for stop in stops if (at := heard.find(stop)) >= 0]
    assert result == (heard[: min(starts)] if starts else heard)


@settings(deadline=None)
@given(st.text("ab<think/>", max_size=20), st.text("яb</think>", max_size=20), st.integers(1, 9))
def test_thought_and_answer_come_apart_however_they_are_cut(thought: str, answer: str, size: int) -> None:
    if THINK.closing in thought + "</think":
        return
    assert split(f"<think>{thought}</think>\n\n{answer}", size) == (thought, answer.lstrip())
    assert split(f"{thought}</think>\n\n{answer}", size, inside=True) == (thought, answer.lstrip())


def test_an_answer_without_a_thought_is_all_answer() -> None:
    assert split("<thin лёд") == ("", "<thin лёд")
    assert split("  <th") == ("", "  <th")
    assert split("Да, <think> ещё") == ("", "Да, <think> ещё")


def test_a_thought_that_is_never_closed_is_no_answer() -> None:
    assert split("<think>Хм, ключи") == ("Хм, ключи", "")


def test_stop_strings_end_the_answer_and_not_the_thought() -> None:
    assert split("раз. Два</think>три. Четыре", inside=True, stops=(".",)) == ("раз. Два", "три")


def test_a_model_thinks_aloud_when_its_template_knows_the_marks() -> None:
    assert thinking_marks("{{ '<think>\n' }}") == THINK
    assert thinking_marks("[INST] [THINK]") == ThinkingMarks("[THINK]", "[/THINK]")
    assert thinking_marks("{{ messages }}") is None
