"""Labels in front of messages: whom they name, in both languages, and what only looks like such a label."""

from __future__ import annotations

import pytest

from vaultrag.vault.parsing.chats.speakers import ASSISTANT, MAYBE, USER, may_name_machine, read_speaker

USERS = """You|**You said:**|User|Human|Me|User Question|You asked|Prompt 3|🧑 You|role::user
You, 10:12 AM|Я|Вы|Вы сказали|Пользователь|Мой вопрос|Промпт|Пользователь (12.03.2025 10:15)|Вопрос пользователя"""
MACHINES = """Assistant|AI|🤖 **Bot**|Chatbot|AI assistant|LLM|Assistant Answer|role::assistant|The assistant said
Ассистент|ИИ|ИИ-ассистент|Нейросеть|Чат-бот|Ответ ИИ|Ответ нейросети"""
MODELS = """ChatGPT|Chat GPT|GPT-4o mini|Claude 3.5 Sonnet|claude-sonnet-4-20250514|openai@gpt-4.1-mini|Gemini 2.5 Pro
anthropic/claude-3.5-sonnet:beta|DeepSeek-R1|Qwen2.5-Coder|gemma-3n-e4b-it|o3-mini|GitHub Copilot|Le Chat
GigaChat|Grok 4|YandexGPT 5 Pro|ЯндексGPT|ДипСик"""
NEITHER = """User (admin)|User guide|User stories|Assistant manager|AI news|ChatGPT, обзор|ChatGPT vs Claude
Claude Monet|Model Y|You are right|Agent Smith|Gemini и Libra|Пользователь Иван|Алиса|Анна|I
Ответ на письмо|Chat||2025"""


def each(labels: str) -> list[str]:
    return labels.replace("\n", "|").split("|")


@pytest.mark.parametrize("label", each(USERS))
def test_the_user(label: str) -> None:
    speaker = read_speaker(label)
    assert speaker
    assert (speaker.role, speaker.weight > MAYBE) == (USER, True)


@pytest.mark.parametrize("label", each(MACHINES))
def test_a_machine(label: str) -> None:
    speaker = read_speaker(label)
    assert speaker
    assert (speaker.role, speaker.weight > MAYBE, speaker.model) == (ASSISTANT, True, "")


@pytest.mark.parametrize("label", each(MODELS))
def test_a_model_is_named_as_the_note_writes_it(label: str) -> None:
    speaker = read_speaker(f"**{label}**:")
    assert speaker
    assert (speaker.role, speaker.model) == (ASSISTANT, label)


@pytest.mark.parametrize(
    ("label", "model", "details"),
    [
        ("Assistant (gpt-4o)", "gpt-4o", "gpt-4o"),
        ("Ассистент · YandexGPT", "YandexGPT", "YandexGPT"),
        ("ChatGPT (GPT-4)", "GPT-4", "GPT-4"),
        ("ChatGPT, Aug 5, 2025 at 10:12 AM", "ChatGPT", "Aug 5, 2025 at 10:12 AM"),
        (
            'role::assistant<span style="font-size: small;"> (llama3.2:latest)</span>',
            "llama3.2:latest",
            "llama3.2:latest",
        ),
    ],
)
def test_what_stands_beside_a_name_is_its_model_or_its_time(label: str, model: str, details: str) -> None:
    speaker = read_speaker(label)
    assert speaker
    assert (speaker.model, speaker.details) == (model, details)


@pytest.mark.parametrize("label", each(NEITHER))
def test_neither(label: str) -> None:
    assert read_speaker(label) is None


@pytest.mark.parametrize("label", ["Вопрос", "Ответ", "Q", "A", "Response", "Model"])
def test_what_may_be_anything_says_little(label: str) -> None:
    speaker = read_speaker(label)
    assert speaker
    assert speaker.weight == MAYBE


@pytest.mark.parametrize("label", [*each(MACHINES), *each(MODELS)])
@pytest.mark.parametrize("mark", ["\n\n**{}:** да", "\n#### {}\n", "\r> [!quote]- {}\r", "\n{}:\n", "\n_**{}**_"])
def test_no_text_that_names_a_machine_is_passed_over(label: str, mark: str) -> None:
    assert may_name_machine(f"Текст{mark.format(label)}")
