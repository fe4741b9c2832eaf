"""What a model writes of an analysis: the text of a section, and why a note is listed. What no line backs is left out.

The checks are those of answers: each sentence is attributed to lines of the passages by code, and its support judged.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from vaultrag.answering.draft import Draft, Prose
from vaultrag.answering.judging.checks import Checks
from vaultrag.answering.prompt import Offered, pack
from vaultrag.config import AnsweringSection
from vaultrag.domain import (
    Backing,
    ChatModel,
    Citation,
    Embedder,
    Generation,
    Message,
    Passage,
    Piece,
    Purity,
    Refusal,
    Sampling,
    SentenceState,
    StepTaken,
    Thought,
)
from vaultrag.text.cjk import holds_cjk

WHO = {
    "ru": ("Ты помогаешь человеку разобрать его заметку.", "Ты смотришь на заметку человека так: {role}."),
    "en": ("You help a person think through a note of theirs.", "You look at a person's note as: {role}."),
}
FEWEST_TOKENS = 1200  # of prompt, however slow the machine: instructions and a few passages
SECTION_TOKENS, REASON_TOKENS = 300, 60  # four sentences, and one: what is longer was not asked for
LONGEST_REASON = 300  # characters of one sentence in a list
_NUMBERED = re.compile(r"^\s*(?:[-*]\s*)?\[?(\d{1,2})[\]).:]\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BackedReason:
    """A sentence that may be told, and the line that it stands on."""

    text: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes with one model, as one role. `alive` is what is yielded while the model works."""

    model: ChatModel
    checks: Checks
    embedder: Embedder | None
    settings: AnsweringSection
    prompt_budget: Callable[[], int]
    learn: Callable[[Generation], None]
    language: str
    role: str = ""

    def section(self, question: str, passages: Sequence[Passage]) -> Generator[StepTaken, None, tuple[Prose, int]]:
        """Write on a question; return what may be told, and how many sentences may not. Raises ModelError."""
        system = _prompt("section", self.language).format(who=self._who())
        messages, offered = self._packed(system, question, passages, SECTION_TOKENS)
        text = yield from self._said(messages, SECTION_TOKENS)
        prose = self._judged(Draft(question, offered), text)
        left_out = [one for one in prose.sentences if one.state is SentenceState.REMOVED]
        return prose, sum(one.support is Backing.NOT_BACKED for one in left_out)

    def reasons(
        self, question: str, title: str, passages: Sequence[Passage]
    ) -> Generator[StepTaken, None, dict[int, BackedReason]]:
        """Write why each passage's note matters to a question; return by its index what its own lines back.

        Raises ModelError.
        """
        system = _prompt("reasons", self.language).format(who=self._who(), title=title)
        most = REASON_TOKENS * len(passages)
        messages, offered = self._packed(system, question, passages, most)
        said = yield from self._said(messages, most)
        found: dict[int, BackedReason] = {}
        for number, line in _NUMBERED.findall(said):
            if not 0 < int(number) <= len(offered) or len(line) > LONGEST_REASON:
                continue
            part = offered[int(number) - 1]
            told = self._backed(question, part, line)
            if told is not None:
                found.setdefault(next(at for at, one in enumerate(passages) if one is part.passage), told)
        return found

    def _who(self) -> str:
        plain, as_role = WHO["ru" if self.language == "ru" else "en"]
        return as_role.format(role=self.role) if self.role else plain

    def _judged(self, draft: Draft, text: str) -> Prose:
        """Return what of a text its passages say."""
        for _ in draft.add(text):
            pass
        for _ in draft.finish(self.embedder):
            pass
        if self.checks.supports is not None and not draft.refuses:
            for _ in draft.judged(self.checks.supports(draft.statements())):
                pass
        return draft.prose()

    def _backed(self, question: str, part: Offered, line: str) -> BackedReason | None:
        """Return the first sentence of a line that the one passage backs."""
        prose = self._judged(Draft(question, [part]), line)
        first = next(iter(prose.told), None)
        return None if first is None else BackedReason(first.text, prose.citations[first.citations[0] - 1])

    def _packed(
        self, system: str, question: str, passages: Sequence[Passage], most: int
    ) -> tuple[tuple[Message, ...], tuple[Offered, ...]]:
        room = self.model.context_length - most - 64  # 64: the template's own tokens
        budget = min(room, max(FEWEST_TOKENS, self.prompt_budget()))
        packed = pack(question, self.language, passages, budget, self.model.count_tokens, Refusal.WITHHELD)
        return (Message("system", system), *packed.messages[1:]), packed.offered

    def _said(self, messages: Sequence[Message], most: int) -> Generator[StepTaken, None, str]:
        """Return what the model writes, yielding signs of life: whoever listens can leave at each."""
        sampling = Sampling(
            max_tokens=most,
            temperature=self.settings.temperature,
            thinking_tokens=self.settings.thinking_tokens,
            purity=Purity.ANY if any(holds_cjk(message.content) for message in messages) else Purity.NO_CJK,
        )
        said: list[str] = []
        with contextlib.closing(_closable(self.model.generate(messages, sampling))) as pieces:
            for piece in pieces:
                if isinstance(piece, Generation):
                    self.learn(piece)
                    continue
                if piece and not isinstance(piece, Thought):
                    said.append(piece)
                yield ALIVE
        return "".join(said)


ALIVE = StepTaken("")
"""A sign of life while a model works: no step."""


@cache
def _prompt(name: str, language: str) -> str:
    file = f"{name}.{'ru' if language == 'ru' else 'en'}.md"
    return resources.files("vaultrag.reanalysis").joinpath("prompts", file).read_text(encoding="utf-8").strip()


def _closable(pieces: Iterator[Piece]) -> Generator[Piece, None, None]:
    yield from pieces
