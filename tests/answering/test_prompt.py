"""Packing: what the model reads, within its budget, with notes as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vaultrag.answering.prompt import pack, says_nothing, system_prompt
from vaultrag.domain import Chunk, Passage, Refusal, Span


def passage(text: str, title: str = "Маяк", speaker: str = "") -> Passage:
    chunk = Chunk("id", "a.md", ("Сеть",), Span(1, 1, 1, len(text)), "", speaker, text, text, "ru", "h")
    return Passage(chunk, title, 1.0, ())


def count(texts: Sequence[str]) -> list[int]:
    return [len(text) // 4 + 1 for text in texts]


def test_passages_are_numbered_and_the_question_comes_last() -> None:
    packed = pack(
        "Какой порт?", "ru", [passage("Порт 8123."), passage("Порт 22.", "Ключи")], 2000, count, Refusal.OFFERED
    )
    user = packed.messages[1].content
    assert user.index("[1] Маяк › Сеть") < user.index("[2] Ключи › Сеть") < user.index("Вопрос: Какой порт?")
    assert packed.left_out == 0


def test_parts_of_one_list_stand_in_the_order_of_their_lines_at_the_place_of_the_better_one() -> None:
    def part(text: str, first_line: int, path: str = "a.md") -> Passage:
        chunk = replace(passage(text).chunk, id=text, path=path, span=Span(first_line, 1, first_line + 1, len(text)))
        return Passage(chunk, "Список", 1.0, ())

    ranked = [part("- второе", 5), part("Прочее.", 1, "b.md"), part("- первое", 3)]
    packed = pack("Что в списке?", "ru", ranked, 2000, count, Refusal.OFFERED)
    assert [offered.text for offered in packed.offered] == ["- первое", "- второе", "Прочее."]
    user = packed.messages[1].content
    assert user.index("[1] ") < user.index("первое") < user.index("[2] ") < user.index("второе") < user.index("[3] ")


def test_what_does_not_fit_is_cut_to_its_best_sentences_or_counted_as_left_out() -> None:
    long = " ".join(f"Предложение номер {n} ни о чём." for n in range(60))
    long = long + " Порт Home Assistant 8123. " + long
    frame = sum(count([system_prompt("ru")])) + 120
    packed = pack(
        "Какой порт у Home Assistant?", "ru", [passage(long), passage(long)], frame + 150, count, Refusal.OFFERED
    )
    assert len(packed.offered) == 1
    assert packed.left_out == 1
    assert "Порт Home Assistant 8123." in packed.offered[0].text
    assert (
        packed.offered[0].text == packed.offered[0].passage.chunk.text[packed.offered[0].start : packed.offered[0].end]
    )


def test_chat_marks_do_not_reach_the_model() -> None:
    text = "> Контекст 32k【4†L98-L104】.\n> Второе.\n<!-- UID: 1 -->"
    packed = pack("?", "ru", [passage(text, speaker="assistant")], 2000, count, Refusal.OFFERED)
    user = packed.messages[1].content
    assert "【" not in user
    assert "UID" not in user
    assert "(сказал ассистент)\nКонтекст 32k.\nВторое." in user


def test_a_comment_that_is_code_reaches_the_model() -> None:
    packed = pack("?", "ru", [passage("Открой `<!--`, закрой `-->`. <!-- тайна -->")], 2000, count, Refusal.OFFERED)
    assert "Открой `<!--`, закрой `-->`." in packed.messages[1].content
    assert "тайна" not in packed.messages[1].content


def test_both_languages_have_their_own_instructions() -> None:
    assert "по-русски" in system_prompt("ru")
    assert "in English" in system_prompt("en")
    assert system_prompt("") == system_prompt("en")


def test_a_models_refusal_is_recognised_in_both_languages() -> None:
    assert says_nothing("В заметках этого нет.")
    assert says_nothing("В этих отрывках нет ответа на вопрос.")
    assert says_nothing("The notes do not say.")
    assert says_nothing("The passages do not contain this.")
    assert not says_nothing("В заметках порт 8123, другого нет.")
    assert not says_nothing("The notes say 8123.")


def test_a_shy_model_is_not_offered_the_way_out() -> None:
    offered = pack("Какой порт?", "ru", [passage("Порт 8123.")], 2000, count, Refusal.OFFERED)
    withheld = pack("Какой порт?", "ru", [passage("Порт 8123.")], 2000, count, Refusal.WITHHELD)
    assert "В заметках этого нет" in offered.messages[1].content
    assert "В заметках этого нет" not in "".join(message.content for message in withheld.messages)


def test_the_line_that_opens_a_chat_message_is_not_read() -> None:
    text = ">[!nexus_agent] **Assistant** - 10.06.2025 at 6:41\n> Отлично.\n"
    user = pack("?", "ru", [passage(text)], 2000, count, Refusal.OFFERED).messages[1].content
    assert "nexus_agent" not in user
    assert "Отлично." in user
