"""From passages to a prompt that fits: numbered, whole while there is room, else cut to their best sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from vaultrag.answering.passage_block import passage_block
from vaultrag.domain import Message, Passage, Refusal
from vaultrag.retrieval.neighbours import joined
from vaultrag.text.entities import as_shown
from vaultrag.text.language import sentences
from vaultrag.text.morphology import count_terms
from vaultrag.text.terms import index_terms, question_terms

CountMany = Callable[[Sequence[str]], list[int]]
TEMPLATE_TOKENS = 40  # role marks and line ends around system and user text, generously
SMALLEST_EXCERPT = 40  # tokens; a shorter cut says nothing that could be cited
LONGEST_REFUSAL = 160  # characters; what goes on longer says something after all
LABELS = {"ru": "Вопрос", "en": "Question"}
LEAVES = {
    "ru": "Если отрывки не отвечают на вопрос, напиши только: В заметках этого нет.",
    "en": "If the passages do not answer the question, write only: The notes do not say.",
}
NOTHING_FOUND = {"ru": "В заметках этого нет.", "en": "The notes do not say."}

_SAYS_NOTHING = re.compile(
    r"^\W*(?:в (?:\w+ )?(?:заметках|отрывках)(?: [^\W\d]+){0,4} нет\b"
    r"|(?:заметки|отрывки) (?:об этом )?(?:не говорят|не содержат)"
    r"|the (?:notes|passages) do(?:es)? not (?:say|contain|mention|hold|provide|specify)"
    r"|there is no (?:information|mention))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Offered:
    """A passage as the model reads it: the chunk's text, or the part from `start` to `end` of it."""

    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.chunk.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Packed:
    """What goes to the model, and how many passages found no room."""

    messages: tuple[Message, ...]
    offered: tuple[Offered, ...]
    left_out: int


def pack(
    question: str, language: str, passages: Sequence[Passage], budget: int, count: CountMany, refusal: Refusal
) -> Packed:
    """Build the prompt within `budget` tokens, best passages first, but what continues another right behind it.

    The system text and then the passages come before the question, so that a follow-up over the same passages
    finds them in the model's cache.
    """
    system, asked = system_prompt(language), _ask(question, language, refusal)
    frame = count([system, asked])
    room = budget - sum(frame) - TEMPLATE_TOKENS
    offered: list[Offered] = []
    costs = count([_block(1, Offered(p, 0, len(p.chunk.text))) for p in passages]) if passages else []
    for passage, cost in zip(passages, costs, strict=True):
        part = Offered(passage, 0, len(passage.chunk.text))
        if cost > room:
            shorter = _excerpt(question, passage, room / cost)
            cost = count([_block(1, shorter)])[0] if shorter else cost
            if shorter is None or cost > room or cost < SMALLEST_EXCERPT:
                continue
            part = shorter
        offered.append(part)
        room -= cost
    offered = _in_reading_order(offered)
    messages = (Message("system", system), Message("user", _blocks(offered) + asked))
    return Packed(messages, tuple(offered), len(passages) - len(offered))


def _in_reading_order(offered: Sequence[Offered]) -> list[Offered]:
    """Let neighbours follow each other as they do in their note: a list's second half says little before its first."""
    parts = {id(part.passage): part for part in offered}
    groups = joined([part.passage for part in offered])
    return [parts[id(passage)] for group in groups for passage in group]


@cache
def system_prompt(language: str) -> str:
    """Return the instructions in the question's language."""
    name = f"answer.{language if language in LABELS else 'en'}.md"
    return resources.files("vaultrag.answering").joinpath("prompts", name).read_text(encoding="utf-8").strip()


def says_nothing(text: str) -> bool:
    """Tell whether a model's text only says that the notes hold no answer."""
    return len(text) <= LONGEST_REFUSAL and bool(_SAYS_NOTHING.match(text.strip()))


def _ask(question: str, language: str, refusal: Refusal) -> str:
    known = language if language in LABELS else "en"
    leave = f"\n{LEAVES[known]}" if refusal is Refusal.OFFERED else ""
    return f"{LABELS[known]}: {question.strip()}{leave}"


def _blocks(offered: Sequence[Offered]) -> str:
    """Return the passages as the model reads them, numbered; of each note the first one tells its properties."""
    told: set[str] = set()
    blocks: list[str] = []
    for number, part in enumerate(offered, 1):
        path = part.passage.chunk.path
        blocks.append(passage_block(number, part.passage, part.start, part.end, is_first=path not in told))
        told.add(path)
    return "".join(blocks)


def _block(number: int, part: Offered) -> str:
    return passage_block(number, part.passage, part.start, part.end)


def _excerpt(question: str, passage: Passage, share: float) -> Offered | None:
    """Return the stretch of whole sentences, about `share` of the passage, that holds most of the question's words."""
    text = passage.chunk.text
    borders = sentences(text)
    if share <= 0 or len(borders) < 2:
        return None
    asked = question_terms(question)
    gains = [count_terms(asked, index_terms(as_shown(text[a:b]))) for a, b in borders]
    best: tuple[int, int, int] | None = None
    for first in range(len(borders)):
        last = first
        while last + 1 < len(borders) and borders[last + 1][1] - borders[first][0] <= len(text) * share * 0.9:
            last += 1
        if borders[last][1] - borders[first][0] > len(text) * share:
            continue
        gain = sum(gains[first : last + 1])
        if best is None or gain > best[0]:
            best = (gain, first, last)
    return Offered(passage, borders[best[1]][0], borders[best[2]][1]) if best else None
