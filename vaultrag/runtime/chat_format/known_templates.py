"""Chat templates of the common model families, for files whose own is missing or broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """A family's template and what ends its turn. `ends` are end-of-text tokens, `architectures` GGUF's names."""

    name: str
    source: str
    stop: tuple[str, ...]
    ends: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


CHATML = KnownTemplate(
    "ChatML",
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    stop=("<|im_end|>",),
    ends=("<|im_end|>",),
    architectures=("qwen",),
)
FAMILIES = (
    KnownTemplate(
        "Llama 3",
        "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n"
        "{{ message.content }}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
        stop=("<|eot_id|>",),
        ends=("<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"),
    ),
    KnownTemplate(
        "Gemma",
        "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{% for message in messages %}<start_of_turn>{{ 'model' if message.role == 'assistant' else 'user' }}\n"
        "{{ message.content }}<end_of_turn>\n{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
        stop=("<end_of_turn>",),
        ends=("<end_of_turn>",),
        architectures=("gemma",),
    ),
    KnownTemplate(
        "DeepSeek",
        "{{ bos_token }}{% for message in messages %}{% if message.role == 'system' %}{{ message.content }}"
        "{% elif message.role == 'user' %}<｜User｜>{{ message.content }}"
        "{% else %}<｜Assistant｜>{{ message.content }}<｜end▁of▁sentence｜>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<｜Assistant｜>{% endif %}",
        stop=("<｜end▁of▁sentence｜>",),
        ends=("<｜end▁of▁sentence｜>",),
        architectures=("deepseek",),
    ),
    KnownTemplate(
        "Phi",
        "{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
        stop=("<|end|>",),
        ends=("<|end|>",),
        architectures=("phi3",),
    ),
    KnownTemplate(
        "Mistral",
        "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{% for message in messages %}{% if message.role == 'user' %}[INST] {{ message.content }} [/INST]"
        "{% else %} {{ message.content }}</s>{% endif %}{% endfor %}",
        stop=("[INST]",),
        ends=("</s>",),
        architectures=("llama", "mistral"),
    ),
    CHATML,
)


def known_template(architecture: str, eos: str) -> KnownTemplate:
    """Return the family's template by what ends the model's texts, else by its architecture, else ChatML.

    The token goes first: models of one architecture were taught to chat in different ways.
    """
    by_end = (family for family in FAMILIES if eos in family.ends)
    by_architecture = (family for family in FAMILIES if architecture.startswith(family.architectures or ("\0",)))
    return next(by_end, None) or next(by_architecture, None) or CHATML
