"""The model that a worker's process holds, and what was made or learned for it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vaultrag.domain import Message, Purity, Sampling
from vaultrag.errors import GenerationFailed
from vaultrag.runtime.chat_format.template import ChosenTemplate, PromptPart, TemplateFailed
from vaultrag.runtime.chat_format.text_stream import ThinkingMarks
from vaultrag.runtime.llama import script_mask
from vaultrag.runtime.llama.draft_model import DraftModel
from vaultrag.runtime.llama.grammar import Grammar
from vaultrag.runtime.llama.model import NativeModel
from vaultrag.runtime.llama.prompt_cache import PromptCache
from vaultrag.runtime.llama.sampling import Chooser
from vaultrag.runtime.llama.slot import Slot
from vaultrag.runtime.llama.speculation import Pace
from vaultrag.runtime.models.sampling_advice import Advice


@dataclass(slots=True)
class Session:
    """A loaded model with its slot. `marks`: it thinks aloud. Without `lookup` nothing is guessed from the text."""

    model: NativeModel
    slot: Slot
    chosen: ChosenTemplate
    marks: ThinkingMarks | None
    prompt_cache: PromptCache | None
    lookup: Pace | None
    draft: DraftModel | None
    advice: Advice = field(default_factory=Advice)
    _purity: script_mask.ScriptMask | None = field(default=None)

    def prompt(self, messages: Sequence[Message], sampling: Sampling, reserved: int) -> list[int]:
        """Return the prompt's ids, thinking opened or closed as asked. Raises GenerationFailed when it has no room."""
        ids = self.model.vocabulary.prompt_ids([*self._parts(messages, sampling)])
        room = self.slot.context - reserved
        if len(ids) > room:
            raise GenerationFailed(
                f"The prompt has {len(ids)} tokens; the context of {self.slot.context} leaves room for {max(room, 0)}.",
                "Ask with fewer passages or a lower `answering.max_tokens`, or raise `runtime.context`.",
            )
        return ids

    def thinks(self, sampling: Sampling) -> bool:
        return self.marks is not None and sampling.thinking_tokens != 0

    def chooser(self, sampling: Sampling) -> Chooser:
        """Return what chooses this answer's tokens, as its makers advise where chance is to choose.

        Raises UsageError for a schema that cannot be used.
        """
        advised = self.advice.thinking_aloud if self.thinks(sampling) else self.advice.answering
        mask = script_mask.Mask(self._pure()) if sampling.purity is Purity.NO_CJK else None
        grammar = self.grammar(sampling) if sampling.schema and not self.thinks(sampling) else None
        return Chooser(self.model.vocabulary.size, advised(sampling), mask, grammar)

    def grammar(self, sampling: Sampling) -> Grammar:
        vocabulary = self.model.vocabulary
        return Grammar(vocabulary.pointer, vocabulary.size, sampling.schema)

    def _parts(self, messages: Sequence[Message], sampling: Sampling) -> list[PromptPart]:
        thinks = self.thinks(sampling)
        try:
            parts = self.chosen.template.render(messages, enable_thinking=thinks)
        except TemplateFailed as failed:
            raise GenerationFailed(
                f"The model's chat template refuses this conversation: {failed}.",
                "Name another model in `roles.answer`.",
            ) from failed
        ending = _ending(parts, self.marks, thinks) if self.marks else ""
        return [*parts, PromptPart(ending, control=True)] if ending else parts

    def _pure(self) -> script_mask.ScriptMask:
        if self._purity is None:
            vocabulary = self.model.vocabulary
            self._purity = script_mask.ScriptMask([vocabulary.piece(token) for token in range(vocabulary.size)])
        return self._purity


def _ending(parts: Sequence[PromptPart], marks: ThinkingMarks, thinks: bool) -> str:
    """Return what opens or closes the thought where the template did not."""
    said = parts[-1].text.rstrip() if parts[-1].control else ""
    opened = said.endswith(marks.opening)
    if thinks:
        return "" if opened else f"{marks.opening}\n"
    if said.endswith(marks.closing):
        return ""
    return f"\n\n{marks.closing}\n\n" if opened else f"{marks.opening}\n\n{marks.closing}\n\n"
