"""Sentences that say nothing are told from those that state something, in both languages."""

from __future__ import annotations

import pytest

from vaultrag.answering.citing.empty_sentences import admits_nothing_found, says_nothing_checkable

EMPTY = [
    ("Вот ответ по-русски:", "Сколько памяти в сервере?"),
    ("Here is the answer:", "How much memory?"),
    ("Here's the short answer in English:", "How much memory?"),
    ("**Ответ:**", "Сколько памяти?"),
    ("Согласно заметкам:", "Сколько памяти?"),
    ("Based on the passages, here is what I need to know:", "How much memory?"),
    ("Для получения визы нужно следующее:", "Что нужно для получения визы?"),
    ("The server has the following:", "What memory has the server?"),
    ("Сколько памяти в сервере?", "Сколько памяти в сервере?"),
    ("Would you like to know more?", "How much memory?"),
    ("Привет!", "Сколько памяти?"),
    ("Sure, here you go!", "How much memory?"),
    ("Hope this helps!", "How much memory?"),
    ("Конечно, рад помочь.", "Сколько памяти?"),
    ("Да.", "Порт открыт?"),
    ("No.", "Is the port open?"),
]
STATED = [
    ("В сервере 64 ГБ памяти:", "Сколько памяти в сервере?"),
    ("Сервер стоит в шкафу:", "Где сервер?"),
    ("Порт открыт.", "Порт открыт?"),
    ("The port is closed.", "Is the port open?"),
    ("Вот что купила Марина:", "Что в списке?"),
    ("Нужна виза D7.", "Какая виза нужна?"),
    ("Павел дал следующее обещание Ольге:", "Что было?"),
    ("Yes, it moved to the closet.", "Did it move?"),
    ("Помощь оказал Виктор.", "Кто помог?"),
]
ADMITTED = [
    ("[not provided in the passage]", "What is the price?"),
    ("The price is [not provided in the passage].", "What is the price?"),
    ("The price is not mentioned in the provided notes.", "What is the price?"),
    ("Not specified.", "What is the price?"),
    ("The passages do not mention a price.", "What is the price?"),
    ("The notes don't say.", "What is the price?"),
    ("There is no information about his salary.", "What is his salary?"),
    ("I cannot determine this from the notes.", "What is his salary?"),
    ("Не указано в заметках.", "Какая цена?"),
    ("Цена в отрывках не указана.", "Какая цена?"),
    ("В предоставленных отрывках нет информации о цене.", "Какая цена?"),
    ("Информация о зарплате отсутствует.", "Какая зарплата?"),
    ("Зарплата: [не указано].", "Какая зарплата?"),
    ("Заметки не содержат ответа на этот вопрос.", "Какая зарплата?"),
    ("Неизвестно.", "Какая зарплата?"),
]
NOT_ADMITTED = [
    ("Цена в заметках не указана, но скорость 100 Мбит/с.", "Какая цена?"),
    ("Павел не указан в договоре.", "Кто указан в договоре?"),
    ("The dose was not given on Monday.", "When was the dose given?"),
    ("Интернета на даче нет.", "Есть ли интернет на даче?"),
    ("The box is not found on floor 3.", "Where is it?"),
    ("Сервер не описан.", "Что с сервером?"),
    ("Notes are kept in Obsidian.", "Where are notes kept?"),
]


@pytest.mark.parametrize(("sentence", "question"), EMPTY)
def test_lead_ins_courtesies_and_questions_say_nothing(sentence: str, question: str) -> None:
    assert says_nothing_checkable(sentence, question)


@pytest.mark.parametrize(("sentence", "question"), STATED)
def test_what_is_stated_is_to_be_checked(sentence: str, question: str) -> None:
    assert not says_nothing_checkable(sentence, question)


@pytest.mark.parametrize(("sentence", "question"), ADMITTED)
def test_admissions_are_known(sentence: str, question: str) -> None:
    assert admits_nothing_found(sentence, question)


@pytest.mark.parametrize(("sentence", "question"), NOT_ADMITTED)
def test_statements_about_what_is_not_are_no_admissions(sentence: str, question: str) -> None:
    assert not admits_nothing_found(sentence, question)
