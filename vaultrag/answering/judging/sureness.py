"""Whether the best passages answer a question at all, asked of the model before it writes a word.

Retrieval cannot tell: a note about the subject is found whether it holds the answer or not. The model is asked of each
passage alone, by the likelihood of Yes and No; the likeliest passage decides. What the question names and the passage
does not is found by code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaultrag.answering.judging.calibration import Calibration, level_of
from vaultrag.answering.judging.unsaid import unsaid_cost
from vaultrag.answering.judging.yes_or_no import incline
from vaultrag.answering.passage_block import passage_block
from vaultrag.domain import ChatModel, Level, Passage, Priority, Sureness
from vaultrag.text.language import language_of, sentences

BEST = 3  # passages asked; the answer stands in a later one too seldom for what reading it costs
EXCERPT = 450  # characters round the best sentence: a fourth of a long passage tells as well as all of it
PATIENCE = 5.0  # seconds that a person may wait for the judgement; where more would be needed, fewer passages are read
TOKENS_ASKED = 60  # of a prompt besides its excerpt, title and question: the wording and the roles
# As the smallest model reads: Russian 192 tokens a passage, English 134, over 84 passages.
CHARACTERS_PER_TOKEN = {"ru": 3.2, "en": 4.5}
DENSEST = 2.0  # where nothing is known of a script


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of a passage as it is judged: `title` names its note and headings."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Answerability:
    """How sure it is that the passages answer. `scores` are those of the passages that were read, in their order."""

    sureness: Sureness
    scores: tuple[float, ...]


def judge_answerability(
    question: str,
    passages: Sequence[Shown],
    model: ChatModel,
    calibration: Calibration,
    read: int = BEST,
    priority: Priority = Priority.PERSON,
) -> Answerability:
    """Ask the model of the first `read` passages, best first, whether they answer. Raises ModelError.

    No passage answers nothing. A model whose scores nobody measured, or a server that gives none, makes nothing
    certain: the level is weak.
    """
    if not passages:
        return Answerability(Sureness(Level.NOT_IN_VAULT), ())
    scores = answer_scores(question, passages[:read], model, priority)
    if not scores:
        return Answerability(Sureness(Level.WEAK), ())
    return Answerability(sureness_of(max(scores), language_of(question), calibration), scores)


def answer_scores(
    question: str, passages: Sequence[Shown], model: ChatModel, priority: Priority = Priority.PERSON
) -> tuple[float, ...]:
    """Return how sure the model is that each passage answers; empty where a server gives no probabilities."""
    asked = incline(model, [prompt_for(question, passage) for passage in passages], priority)
    values = [value for value in asked if value is not None]
    if len(values) < len(asked):
        return ()
    costs = [unsaid_cost(question, f"{passage.title}\n{passage.text}") for passage in passages]
    return tuple(value - cost for value, cost in zip(values, costs, strict=True))


def sureness_of(score: float, language: str, calibration: Calibration) -> Sureness:
    """Return what a score means for a question in that language."""
    lines = calibration.thresholds_for(language)
    return Sureness(
        level_of(score, lines),
        calibrated=lines is not None,
        score=round(score, 3),
        threshold=round(lines.low, 3) if lines else None,
        record=calibration.record if lines else None,
    )


def affordable(question: str, passages: Sequence[Shown], tokens_per_second: float) -> int:
    """Return how many of the best passages can be read within PATIENCE: at least the first, at most BEST."""
    room = PATIENCE * tokens_per_second
    count = 0
    for passage in passages[:BEST]:
        characters = len(question) + len(passage.title) + len(passage.text)
        room -= characters / CHARACTERS_PER_TOKEN.get(language_of(passage.text), DENSEST) + TOKENS_ASKED
        if room < 0:
            break
        count += 1
    return max(1, count)


def shown(passage: Passage, start: int, end: int) -> Shown:
    """Return the passage's part round its best sentence, which stands at `start` to `end`, as a reader sees it."""
    title, text = block_parts(passage, *around(passage.chunk.text, start, end))
    return Shown(title, text)


def block_parts(passage: Passage, start: int, end: int) -> tuple[str, str]:
    """Return a part of a passage as the answering model reads it: its place, with day or speaker, and its text."""
    head, _, text = passage_block(1, passage, start, end, is_first=False).partition("\n")
    return head.removeprefix("[1] "), text.strip()


def around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the borders of the whole sentences round a place, equally many on both sides, as many as EXCERPT holds."""
    borders = sentences(text)
    touched = [index for index, (first, last) in enumerate(borders) if first < end and last > start]
    if not touched:
        return start, end
    low, high = touched[0], touched[-1]
    grew = True
    while grew:
        before, after = low > 0, high + 1 < len(borders)
        grew = False
        if after and borders[high + 1][1] - borders[low][0] <= EXCERPT:
            high, grew = high + 1, True
        if before and borders[high][1] - borders[low - 1][0] <= EXCERPT:
            low, grew = low - 1, True
    return borders[low][0], borders[high][1]


def prompt_for(question: str, passage: Shown) -> str:
    """Return what the model is asked of one passage. In English for all questions: measured better than Russian.

    As a question of entailment, not "does the note answer the question?": small models take that for "is it about it?".
    """
    asked = question.strip().rstrip("?")
    return (
        f"Note: {passage.title}\n{passage.text}\n\n"
        f'Hypothesis: This note contains the answer to the question "{asked}?"\n'
        "Does the note entail the hypothesis? Answer Yes or No."
    )
