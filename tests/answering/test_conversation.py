"""Follow-ups in both languages: what they lean on, what stands alone, and corrections that nobody believes."""

from __future__ import annotations

import pytest

from vaultrag.answering.conversation import holds_claim, is_correction, leans_on_topic, understand
from vaultrag.answering.evidence.asked_for import asked_for
from vaultrag.answering.evidence.missing import parts_of
from vaultrag.domain import Exchange

CARTRIDGE = Exchange("Какой картридж стоит в бойлере?", "Картридж «Гейзер», его ставил Гоча Лобжанидзе [1].")
BACKUP = Exchange("Where does the backup go?", "It goes to Backblaze B2 [1].")


@pytest.mark.parametrize(
    "question",
    [
        "а когда это было?",
        "А сколько он стоит?",
        "кто его ставил?",
        "а у Фарида?",
        "почему?",
        "and when?",
        "who set it up",
        "what about the old one?",
        "Is it encrypted?",
        "how much does it cost?",
    ],
)
def test_question_that_names_nothing_leans_on_the_one_before(question: str) -> None:
    assert leans_on_topic(question)


@pytest.mark.parametrize(
    "question",
    [
        "Сколько мёда вышло на пасеке в 2024?",
        "Кто такая Анна Петрова и когда у неё день рождения?",
        "нет ли заметок про роутер?",
        "What is the bib number for the Tbilisi half marathon?",
        "Which router do we use at home?",
        "ERR_ZB_0xE9?",
        "When was mayak-restic set up and does it still run?",
    ],
)
def test_question_that_says_what_it_is_about_stands_alone(question: str) -> None:
    assert not leans_on_topic(question)
    assert understand(question, [CARTRIDGE]).asked == question


def test_follow_up_takes_topic_and_the_names_of_the_answer_along() -> None:
    asked = understand("а какой у него телефон?", [BACKUP, CARTRIDGE]).asked
    assert asked.startswith("какой у него телефон (картридж стоит в бойлере;")
    assert "Лобжанидзе" in asked
    assert "[1]" not in asked
    assert "Backblaze" not in asked


def test_topic_of_a_long_conversation_is_the_last_question_that_stood_alone() -> None:
    earlier = [BACKUP, *(Exchange("and when?", "At 03:30 [1].") for _ in range(40))]
    asked = understand("is it encrypted?", [BACKUP, *earlier[-5:]]).asked
    assert asked == "is it encrypted (does the backup go)?"
    assert len(understand("and when?", [Exchange("слово " * 3000, "")]).asked) < 1000


@pytest.mark.parametrize(
    ("topic", "follow_up", "asked"),
    [
        ("Когда поменяли картридж?", "а сколько он стоил?", "сколько он стоил (поменяли картридж)?"),
        ("Which router do we use?", "and when was it bought?", "when was it bought (router do we use)?"),
        ("какого года наш Petrof?", "а за сколько его купили?", "за сколько его купили (наш Petrof)?"),
        ("Во сколько обошёлся ремонт?", "а когда это было?", "когда это было (обошёлся ремонт)?"),
        ("How much honey did we take?", "and where from?", "where from (honey did we take)?"),
        ("Сколько мёда вышло в 2024?", "а в 2025?", "Сколько мёда вышло в 2025?"),
        ("How many laps did I run in 2024?", "and in 2023?", "How many laps did I run in 2023?"),
        ("Сколько мёда вышло в 2024?", "а в мае?", "Сколько мёда вышло в 2024 (в мае)?"),
        ("Где живёт Гоча?", "а Фарид?", "Где живёт Гоча (Фарид)?"),
        ("Where is Anna's key?", "what about the old one?", "Where is Anna's key (the old one)?"),
        ("Где ключ?", "почему?", "почему (ключ)?"),
        ("Где ключ?", "и?", "Где ключ (и)?"),
        ("Где ключ?", "сколько в нём воды и соли?", "сколько в нём воды и соли (ключ)?"),
        ("Where is the pool?", "how much salt and water is in it?", "how much salt and water is in it (is the pool)?"),
    ],
)
def test_follow_up_and_what_it_leans_on_are_one_question(topic: str, follow_up: str, asked: str) -> None:
    """It asks for what the follow-up asks: no part of it is the question that was answered before."""
    understood = understand(follow_up, [Exchange(topic, "", ("Дом/Бойлер.md",))])
    assert understood.asked == asked
    assert parts_of(asked) == [asked]
    assert asked_for(asked) == asked_for(follow_up) or asked.startswith(topic[:5])
    assert understood.paths == ("Дом/Бойлер.md",)


@pytest.mark.parametrize(
    ("said", "claim"),
    [
        ("нет, это был Аквафор", "это был Аквафор"),
        ("Нет, 2019", "2019"),
        ("неправда, он стоил 95 лари", "он стоил 95 лари"),
        ("на самом деле это было в мае", "это было в мае"),
        ("нет, разве не 2019?", "разве не 2019?"),
        ("no, it was AWS", "it was AWS"),
        ("Actually, it goes to Wasabi.", "it goes to Wasabi."),
        ("That's wrong: it was 35", "it was 35"),
        ("No.", "No."),
        ("Вы ошибаетесь, это был Аквафор.", "это был Аквафор."),
        ("ты путаешь: он стоил 95 лари", "он стоил 95 лари"),
        ("Это не так, их было семь.", "их было семь."),
        ("Я точно помню, что это было в мае.", "это было в мае."),
        ("Разве не 2019?", "2019?"),
        ("You are mistaken, it was AWS.", "it was AWS."),
        ("I'm pretty sure it goes to Wasabi.", "it goes to Wasabi."),
        ("That can't be right, we paid 95.", "we paid 95."),
        ("Wasn't it 35?", "35?"),
        ("Это был 2019, а не 2018.", "Это был 2019, а не 2018."),
        ("Он стоил 95 лари.", "Он стоил 95 лари."),
        ("It goes to Wasabi, not to Backblaze.", "It goes to Wasabi, not to Backblaze."),
        ("Аренда стоит 400, а не 300", "Аренда стоит 400, а не 300"),
        ("Не 300, а 400.", "Не 300, а 400."),
        ("The rent is 400 GEL, not 300.", "The rent is 400 GEL, not 300."),
        ("Но ведь он стоил 95 лари", "он стоил 95 лари"),
        ("But it was 35 GB.", "it was 35 GB."),
    ],
)
def test_correction_asks_the_question_again_and_is_no_part_of_it(said: str, claim: str) -> None:
    understood = understand(said, [BACKUP])
    assert (understood.asked, understood.claim) == (BACKUP.question, claim)


@pytest.mark.parametrize(
    "said",
    [
        "нет ли заметок про роутер?",
        "No notes on the router?",
        "no, when was it?",
        "нормально",
        "разве в подвале есть розетка рядом с бойлером и насосом?",
        "это где в Тбилиси",
        "it was bought when and for how much",
        "Были ли мы в Тбилиси?",
        "Was it bought in 2019?",
        "and Wasabi",
        "но сколько стоил Аквафор",
        "я помню про роутер, а где он?",
        "этот роутер",
        "покажи заметки за 2023, а не за 2024",
        "list notes of 2023, not of 2024",
    ],
)
def test_question_with_a_no_is_no_correction(said: str) -> None:
    assert not is_correction(said)


@pytest.mark.parametrize(
    ("topic", "said", "corrects"),
    [
        ("Сколько стоит аренда гаража?", "Аренда 400 лари.", True),
        ("Сколько стоит аренда гаража?", "Аренда гаража была 400 лари", True),
        ("How much is the garage rent?", "The rent is 400 GEL", True),
        ("How much is the garage rent?", "garage rent 2024", False),
        ("How much is the garage rent?", "The rent is high.", False),
        ("How much is the garage rent?", "The router has the address 10.0.0.5.", False),
        ("How much is the garage rent?", "How much is the garage rent in 2024.", False),
        ("Сколько стоит аренда гаража?", "расскажи про аренду гаража в 2024.", False),
    ],
)
def test_statement_in_the_words_of_the_question_gives_another_answer(topic: str, said: str, corrects: bool) -> None:
    assert bool(understand(said, [Exchange(topic, "")]).claim) is corrects


@pytest.mark.parametrize("said", ["нет, это был 2019", "no, it was 35"])
def test_denial_without_an_answer_before_is_a_question_like_others(said: str) -> None:
    assert understand(said, []).asked == said


@pytest.mark.parametrize(
    ("claim", "quote", "holds"),
    [
        ("это был 2019", "Переехали в 2019 году.", True),
        ("это был 2019", "Переехали в 2018 году.", False),
        ("it was 35 GB", "The bucket holds 214 GB.", False),
        ("12 мая 2024", "Картридж поменяли 12.05.2024.", True),
        ("его ставил Фарид", "Ставил Гоча Лобжанидзе.", False),
        ("it was Brouwer", "Brouwer signed the lease.", True),
    ],
)
def test_claim_is_held_by_a_quote_that_says_its_values(claim: str, quote: str, holds: bool) -> None:
    assert holds_claim(claim, quote) is holds
